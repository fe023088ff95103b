package sources

import (
	"context"
	"net/http"
	"strconv"

	"github.com/tuttihq/tutti"
)

// AliasSpec says which other names items have, and how the system tells what they stand for. In its call, ${ids}
// (or ${id}) are the names to look up.
type AliasSpec struct {
	BatchSpec `yaml:",inline"`
	Pattern   string `yaml:"pattern"` // RE2 that the whole of such an id must match. What is an id itself is none.
	Name      string `yaml:"name"`    // CEL over id: what of it is looked up. Default: the whole.
	Names     string `yaml:"names"`   // Of many: CEL over record: the name or names that it was asked for by.
	Found     string `yaml:"found"`   // CEL over record: what the name stands for. Default: record.id.
	ID        string `yaml:"id"`      // CEL over id, name and found: the id of the item. Default: found.
}

// Resolver is a connector that can tell what other names of items stand for.
type Resolver interface {
	// Resolve is Fetch for names, at most Alias.MaxIDs of them, which stand in place of ids. Each reply's
	// record is a resource whose id is what the name stands for; nothing else of it is looked at.
	Resolve(ctx context.Context, asks []Ask, s tutti.Scope) (Batch, error)
}

// Alias is what a connector says about other names of a kind's items.
type Alias struct {
	Name        func(id string) (name string, ok bool)             // what is looked up for an id; false = it is no such name
	ID          func(id, name, found string) (own string, ok bool) // the id of the item
	MaxIDs      int                                                // of one Resolve; this and the rest as in Definition
	MaxIDBytes  int
	EachIDBytes int
}

// compiledAlias is an AliasSpec ready to run.
type compiledAlias struct {
	call        *call
	many        bool
	pattern     matcher
	listSign    string
	wordsOnly   bool
	name, names *expression // nil: the id; nil: of one, or each
	found, id   *expression // nil: found
}

func (c *compiler) alias(at string, k *KindSpec) *compiledAlias {
	a := k.ID.Alias
	if a == nil {
		return nil
	}
	out := &compiledAlias{
		name: c.optional(at+".name", a.Name, idNames), names: c.optional(at+".names", a.Names, recordNames),
		id: c.optional(at+".id", a.ID, aliasNames), many: a.MaxIDs > 0,
	}
	if k.ID.Pattern == "" {
		c.wrong(at, "needs id.pattern: what is no id may be such a name", "Write what ids look like, for example:  pattern: \"[0-9]+\"")
	}
	if a.Pattern == "" {
		c.wrong(at+".pattern", "is missing", "Write what such names look like, for example:  pattern: \"[a-z0-9-]+\"")
	} else if re := c.pattern(at+".pattern", a.Pattern); re != nil {
		out.pattern = matcherOf(re, a.Pattern)
	}
	found := a.Found
	if found == "" {
		found = "record.id"
	}
	out.found = c.expression(at+".found", found, recordNames)
	if !out.many {
		out.call = c.call(at, &a.CallSpec, k.Fragment, getNames)
		if out.call.statuses == nil && out.call.graphql == nil {
			out.call.statuses = []int{http.StatusNotFound, http.StatusGone}
		}
		if each := out.call.graphql != nil && out.call.graphql.each != ""; !each && c.readable(at) && !out.call.uses("id") {
			c.wrong(at, "does not use ${id}", "Write, for example:  query: {handle: \"${id}\"}  (or maxIds and ${ids}, for many at once)")
		}
		if out.call.record == nil && out.call.records == nil {
			out.call.record = []string{}
		}
		return out
	}
	var signs compiledKind
	out.call = c.batch(at, &KindSpec{Batch: &a.BatchSpec, Fragment: k.Fragment}, &signs)
	out.listSign, out.wordsOnly = signs.listSign, signs.wordsOnly
	if each := out.call.graphql != nil && out.call.graphql.each != ""; each == (out.names != nil) {
		c.wrong(at+".names", "says by which name a record was asked for; it is needed, but for each", "Write, for example:  names: record.handle")
	}
	return out
}

// describe is what the house knows of the names.
func (a *compiledAlias) describe(spec *AliasSpec) *Alias {
	if a == nil {
		return nil
	}
	var of Definition
	of.limits(&spec.BatchSpec, a.call)
	return &Alias{Name: a.nameOf, ID: a.idOf, MaxIDs: of.MaxIDs, MaxIDBytes: of.MaxIDBytes, EachIDBytes: of.EachIDBytes}
}

func (a *compiledAlias) nameOf(id string) (string, bool) {
	if a.pattern == nil || !a.pattern.MatchString(id) {
		return "", false
	}
	name := id
	if a.name != nil {
		v, ok, err := a.name.eval(map[string]any{"id": id})
		if name, ok = textOf(v, ok, err); !ok {
			return "", false
		}
	}
	return name, mayBeListed(name, a.listSign, a.wordsOnly)
}

func (a *compiledAlias) idOf(id, name, found string) (string, bool) {
	if a.id == nil {
		return found, true
	}
	v, ok, err := a.id.eval(map[string]any{"id": id, "name": name, "found": found})
	return textOf(v, ok, err)
}

// textOf is what an expression gave, if it may be an id.
func textOf(v any, ok bool, err error) (string, bool) {
	s, isText := toText(v)
	return s, ok && err == nil && isText && s != "" && len(s) <= maxID && printable(s)
}

// Resolve asks the system what names stand for.
func (c *manifestConnector) Resolve(ctx context.Context, asks []Ask, s tutti.Scope) (Batch, error) {
	a := c.kinds[asks[0].Ref.Kind].alias
	vars := c.vars(s)
	if a.many {
		ids := make([]string, len(asks))
		for i := range asks {
			ids[i] = asks[i].Ref.ID
		}
		vars["ids"], vars["count"] = ids, int64(len(ids))
	} else {
		vars["id"] = asks[0].Ref.ID
	}
	got, err := c.do(ctx, a.call, vars, "")
	letGo(vars)
	if tutti.CodeOf(err) == tutti.NotFound {
		return none(asks), nil
	}
	if err != nil {
		return Batch{}, err
	}
	defer got.free()
	b := none(asks)
	b.Until = got.until
	for _, read := range []func(*answer, []Ask, tutti.Scope, *Batch) (bool, error){c.readNamesEach, c.readNamesMany, c.readNameOne} {
		if done, err := read(got, asks, s, &b); done || err != nil {
			return b, err
		}
	}
	return b, nil
}

// readNamesEach reads an answer in which every name has a member of its own.
func (c *manifestConnector) readNamesEach(got *answer, asks []Ask, s tutti.Scope, b *Batch) (bool, error) {
	if got.call.graphql == nil || got.call.graphql.each == "" {
		return false, nil
	}
	if err := got.oneIsMissing(asks); err != nil {
		return false, err
	}
	data, _ := got.at(got.call.places.data)
	for i := range asks {
		at := []string{"data", "a" + strconv.Itoa(i)}
		if err := got.failureIn(at); err != nil {
			b.Replies[i].Err = err
		} else if v, ok := member(data, at[1]); !ok {
			b.Replies[i] = got.noRecord(at)
		} else {
			b.Replies[i] = c.nameReply(v, asks[i].Ref, s)
		}
	}
	return true, nil
}

// readNamesMany reads a list as a set, keyed by the names in its records.
func (c *manifestConnector) readNamesMany(got *answer, asks []Ask, s tutti.Scope, b *Batch) (bool, error) {
	if got.call.records == nil {
		return false, nil
	}
	if err := got.failure(got.call.records); err != nil {
		return false, err
	}
	rows, err := got.rows()
	if err != nil {
		return false, err
	}
	total, known := got.count(got.call.places.total)
	b.Cut = known && total > rows || got.says(got.call.places.more)
	list, _ := got.at(got.call.places.list)
	a := c.kinds[asks[0].Ref.Kind].alias
	for i, row := range elements(list) {
		if isNull(row) {
			continue
		}
		if got.failedRow(i) {
			b.Cut = true
			continue
		}
		names := []string{asks[0].Ref.ID} // of one
		if a.names != nil {
			v, ok, err := a.names.eval(c.nameVars(row, s))
			if err != nil || !ok {
				b.Cut = true // it may be one of those asked for
				continue
			}
			names, _ = toTexts(v)
		}
		for j := range asks {
			if contains(names, asks[j].Ref.ID) {
				b.Replies[j] = c.nameReply(row, asks[j].Ref, s)
			}
		}
	}
	return true, nil
}

func (c *manifestConnector) readNameOne(got *answer, asks []Ask, s tutti.Scope, b *Batch) (bool, error) {
	if err := got.failureIn(got.call.record); err != nil {
		return false, err
	}
	v, ok := got.at(got.call.places.record)
	if !ok {
		b.Replies[0] = got.noRecord(got.call.record)
		return true, nil
	}
	b.Replies[0] = c.nameReply(v, asks[0].Ref, s)
	return true, nil
}

func (c *manifestConnector) nameVars(record raw, s tutti.Scope) map[string]any {
	return map[string]any{"record": decode(string(record)), "settings": c.settings, "locale": s.Locale, "source": c.source}
}

// nameReply reads what a name stands for.
func (c *manifestConnector) nameReply(record raw, name tutti.Ref, s tutti.Scope) Reply {
	if isNull(record) {
		return Reply{}
	}
	k := c.kinds[name.Kind]
	v, ok, err := k.alias.found.eval(c.nameVars(record, s))
	if err == nil && !ok {
		return Reply{}
	}
	found, ok := textOf(v, ok, err)
	if !ok {
		return Reply{Err: tutti.Errorf(tutti.BadAnswer, "reading the answer: what the name stands for is no id")}
	}
	ref := tutti.Ref{Source: c.source, Kind: name.Kind, ID: found}
	return Reply{Record: Record{Resource: &tutti.Resource{Ref: ref, Type: k.def.Type, Tags: []string{name.Tag(), ref.Tag()}}}}
}
