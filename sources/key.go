package sources

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unsafe"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// key writes parts one after the other, each with its length in front, so that no two different
// lists of parts give the same key.
func key(parts ...string) string {
	var room [256]byte
	b := room[:0]
	for _, p := range parts {
		b = append(strconv.AppendInt(b, int64(len(p)), 10), ':')
		b = append(b, p...)
	}
	return string(b)
}

// scope keeps the dimensions that the kind declares and drops the others: what a kind does not
// depend on is in no key and reaches no origin.
func (k *kind) scope(s tutti.Scope) tutti.Scope {
	var kept tutti.Scope
	for _, d := range k.Dimensions {
		switch d {
		case tutti.LocaleDimension:
			if !k.def.Languages {
				kept.Locale = s.Locale
			}
		case tutti.MarketDimension:
			kept.Market = s.Market
		case tutti.CurrencyDimension:
			kept.Currency = s.Currency
		case tutti.PerspectiveDimension:
			kept.Draft = s.Draft
		}
	}
	return kept
}

func scopeKey(s tutti.Scope) string {
	return key(s.Locale, s.Market, s.Currency, strconv.FormatBool(s.Draft))
}

// noScope is the key of what depends on nothing.
var noScope = scopeKey(tutti.Scope{})

// itemKey names a resource in the cache. The tags that only its record tells come with the load.
func (k *kind) itemKey(ref tutti.Ref, s tutti.Scope) cache.Key {
	key, tag := itemKey(ref, scopeKey(s))
	return cache.Key{Key: key, Tags: k.veil.beside([]string{tag, k.every})}
}

// itemKey gives a resource's key and, as the first part of it, its own tag. A source's name begins with
// a letter and an id holds no control character, so no two keys are the same, nor like another's.
func itemKey(ref tutti.Ref, scope string) (key, tag string) {
	_, key, tag = appendItemKey(make([]byte, 0, keyRoom([]tutti.Ref{ref}, scope)), ref, scope)
	return key, tag
}

// appendItemKey is itemKey in memory that is only added to.
func appendItemKey(b []byte, ref tutti.Ref, scope string) (longer []byte, key, tag string) {
	from := len(b)
	b = append(append(append(append(b, ref.Source...), ':'), ref.Kind...), '/')
	b = append(b, ref.ID...)
	n := len(b) - from
	b = append(append(b, 0), scope...)
	key = unsafe.String(&b[from], len(b)-from)
	return b, key, key[:n]
}

// keyRoom is how much the keys of refs of one kind take, if their ids are as they are spelled.
func keyRoom(refs []tutti.Ref, scope string) (n int) {
	for i := range refs {
		n += len(refs[i].Source) + len(refs[i].Kind) + len(refs[i].ID) + len(scope) + 3
	}
	return n
}

// selectionKey holds everything that a page depends on. The owner is there only as an HMAC under
// the secret of this process. JSON writes maps in a fixed order.
func selectionKey(secret []byte, q tutti.Selection, s tutti.Scope) (string, error) {
	filter, err := json.Marshal(q.Filter)
	if err != nil {
		return "", tutti.Errorf(tutti.InvalidValue, "reading the filter of a selection: it has no JSON form")
	}
	owner := ""
	if q.Owner != "" {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(key(q.Source, q.Kind, q.Owner)))
		owner = hex.EncodeToString(mac.Sum(nil))
	}
	return key("selection", q.Source, q.Kind, string(filter), q.Text, q.Sort, strconv.Itoa(q.First), q.After, owner, scopeKey(s)), nil
}

// Tags. An item carries its own ref, the records it was made of, and everyTag of its kind; a
// selection carries the kind's tag and those of its items. So one changed item forgets itself and
// the selections of its kind, but not the other items.

// everyTag is on every item of a kind and on nothing else.
func everyTag(source, kind string) string { return tutti.KindTag(source, kind) + "/*" }

// forgets gives the tags to bump when what a tag stands for changed: a ref, a kind or a source.
func (s *Source) forgets(tag string) []string {
	if tag == s.name {
		var all []string
		for name := range s.kinds {
			all = append(all, tutti.KindTag(s.name, name), everyTag(s.name, name))
		}
		return all
	}
	kindTag, id, one := strings.Cut(tag, "/")
	_, name, _ := strings.Cut(kindTag, ":")
	tags := []string{tag}
	if !one {
		tags = append(tags, everyTag(s.name, name))
		for _, k := range s.kinds { // anything made of records of that kind may have changed
			for _, d := range k.def.DependsOn {
				if d == name {
					tags = append(tags, everyTag(s.name, k.Name))
				}
			}
		}
	} else if k, ok := s.kinds[name]; ok {
		if canonical, ok := k.canonical(id); ok && canonical != id {
			tags = append(tags, tutti.Ref{Source: s.name, Kind: name, ID: canonical}.Tag())
		} else if !ok && k.names != nil { // the name in what is asked for by it, where that is a part
			if n, ok := k.nameIn(id); ok && n != id {
				tags = append(tags, tutti.Ref{Source: s.name, Kind: name, ID: n}.Tag())
			}
		}
	}
	tags = append(tags, kindTag)
	for _, k := range s.kinds {
		for _, d := range k.def.DependsOn {
			if d == name {
				tags = append(tags, k.kindTag())
			}
		}
	}
	return tags
}

func (k *kind) kindTag() string { return tutti.KindTag(k.Source, k.Name) }
