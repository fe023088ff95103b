package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"sort"
	"strconv"
	"sync"

	"github.com/tuttihq/tutti"
)

// ids makes the ids of delivered objects: short, the same on every replica with the same secret,
// and telling nothing of what they were made from. Safe for concurrent use.
type ids struct{ pool sync.Pool }

func newIDs(secret []byte) *ids {
	key := subkey(secret, "ids")
	return &ids{pool: sync.Pool{New: func() any { return &idWriter{hash: hmac.New(sha256.New, key)} }}}
}

// idWriter is what making one id takes, reused.
type idWriter struct {
	hash hash.Hash
	in   []byte
	sum  [sha256.Size]byte
	out  [22]byte
}

// subkey derives the key for one use from the deployment's secret.
func subkey(secret []byte, use string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("tutti " + use + " 1"))
	return m.Sum(nil)
}

// of gives the id of what the parts describe. Parts are length-prefixed: ("ab", "c") is another
// thing than ("a", "bc").
func (i *ids) of(parts ...string) string {
	w := i.pool.Get().(*idWriter)
	w.in = w.in[:0]
	for _, p := range parts {
		w.part(p)
	}
	s := string(w.made())
	i.pool.Put(w)
	return s
}

// ofResource is of("resource", ref.String(), scopeKey), the first of so many that share their memory.
func (i *ids) ofResource(ref *tutti.Ref, scopeKey string, shared *texts, coming int) string {
	w := i.pool.Get().(*idWriter)
	w.in = w.in[:0]
	w.part("resource")
	w.in = binary.AppendUvarint(w.in, uint64(len(ref.Source)+len(ref.Kind)+len(ref.ID)+2))
	w.in = append(append(append(append(append(w.in, ref.Source...), ':'), ref.Kind...), '/'), ref.ID...)
	w.part(scopeKey)
	s := shared.of(w.made(), coming)
	i.pool.Put(w)
	return s
}

func (w *idWriter) part(p string) {
	w.in = append(binary.AppendUvarint(w.in, uint64(len(p))), p...)
}

// made gives the id of what was written, until w is used again.
func (w *idWriter) made() []byte {
	w.hash.Reset()
	w.hash.Write(w.in)
	base64.RawURLEncoding.Encode(w.out[:], w.hash.Sum(w.sum[:0])[:16])
	return w.out[:]
}

// SlotHash names what is delivered in a slot by its content: as ids are, the same on every replica,
// and telling nothing of the content to who does not know the deployment's secret.
func (e *Engine) SlotHash(slot string, content []byte) string {
	return e.assembling.ids.of("slot", slot, string(content))
}

// scopeKey is all that a delivered object depends on besides what it is.
func scopeKey(s tutti.Scope, channel string) string {
	return s.Locale + "\x00" + s.Market + "\x00" + s.Currency + "\x00" + strconv.FormatBool(s.Draft) + "\x00" + channel
}

// planContent describes what one component plan shows, canonically. It stands in for the plan's key
// where that is an HMAC under a secret of this process only: ids must be the same everywhere.
func planContent(cp *tutti.ComponentPlan) string {
	b := framed(nil, cp.Component, cp.Type, strconv.Itoa(cp.Version), cp.Variant, cp.Owner.Visitor)
	var sources []string
	for s := range cp.Owner.InSource {
		sources = append(sources, s)
	}
	sort.Strings(sources)
	for _, s := range sources {
		b = framed(b, s, cp.Owner.InSource[s])
	}
	for _, p := range cp.Props {
		b = framed(b, "prop", p.Definition.Name)
		for i := range p.Values {
			b = valueContent(b, &p.Values[i])
		}
	}
	for i := range cp.Actions {
		a := &cp.Actions[i]
		b = framed(b, "action", a.Intent, a.ExpiresAt.String())
		b = valueContent(b, &a.Label)
		b = valueContent(b, &a.Href)
		b = valueContent(b, &a.DeepLink)
	}
	if cp.Each != nil {
		b = valueContent(framed(b, "each"), cp.Each)
	}
	if cp.ShowWhen != nil {
		b = framed(b, "showWhen", cp.ShowWhen.String())
	}
	if cp.Form != nil {
		b = framed(b, "form", cp.Form.String())
	}
	return string(b)
}

func valueContent(b []byte, v *tutti.Value) []byte {
	b = framed(b, "value", strconv.Itoa(int(v.Kind)), v.Locale, v.Bind.From)
	b = framed(b, v.Bind.Path...)
	if v.Literal != nil {
		b = framed(b, "literal", plainJSON(v.Literal))
	}
	for _, t := range v.Text {
		b = framed(b, "part", t.Words, t.Hole)
		if t.Program != nil {
			b = framed(b, t.Program.String())
		}
	}
	for _, r := range v.Refs {
		b = framed(b, "ref", r.String())
	}
	if v.Select != nil {
		b = framed(b, "select", selectionKey(*v.Select), strconv.Itoa(v.Select.First))
	}
	if v.Program != nil {
		b = framed(b, "program", v.Program.String())
	}
	return b
}

// framed appends length-prefixed parts.
func framed(b []byte, parts ...string) []byte {
	b = binary.AppendUvarint(b, uint64(len(parts)))
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// plainJSON is canonical: encoding/json sorts the keys of maps.
func plainJSON(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T %v", v, v)
	}
	return string(b)
}

// selectionKey tells selections apart, but for how many items are wanted.
func selectionKey(s tutti.Selection) string {
	filter := make(map[string]any, len(s.Filter))
	for name, v := range s.Filter {
		if p, ok := v.(tutti.Program); ok {
			v = "=" + p.String()
		}
		filter[name] = v
	}
	b := framed(nil, s.Source, s.Kind, s.Text, s.Sort, s.After, s.Owner)
	if len(filter) > 0 {
		b = framed(b, plainJSON(filter))
	}
	return string(b)
}
