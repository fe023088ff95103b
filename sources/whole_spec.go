package sources

import (
	"slices"
	"strings"
)

// WholeSpec is the one call that gives all items of a kind.
type WholeSpec struct {
	CallSpec `yaml:",inline"`
	Of       string `yaml:"of"`      // Instead of a call: the kind whose call gives the items of this kind too.
	Rolling  bool   `yaml:"rolling"` // Older items leave the answer though they live on. Their last copy stands in.
}

// rowNames are what where may use of a kind with whole.
var rowNames = names("record", "settings", "locale", "source", "filter")

// wholeKind is the compiled form of whole, and of what selections in it need.
type wholeKind struct {
	of      string // the kind whose call it is
	call    *call  // nil where it is another kind's
	rolling bool
	used    *tree // what where, sorts and search read of a record by any path
}

// wholeSelect is how one selection is made in all records.
type wholeSelect struct {
	where  []whereRule
	sorts  map[string]*expression
	search [][]string
}

type whereRule struct {
	filter string
	*expression
}

// whole compiles what a kind says of its only call.
func (c *compiler) whole(at, name string, k *KindSpec) *wholeKind {
	w, out := k.Whole, &wholeKind{of: name, rolling: k.Whole.Rolling, used: newTree()}
	if k.Get != nil || k.Batch != nil {
		c.wrong(at, "stands beside get or batch", "Remove them: its one answer holds all items.")
	}
	if w.Of == "" {
		out.call = c.call(at, &w.CallSpec, k.Fragment, wholeNames)
		if out.call.records == nil {
			c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items  (or '.' for the answer itself)")
		}
		return out
	}
	out.of = w.Of
	other := c.m.Kinds[w.Of]
	switch {
	case other == nil || other.Whole == nil || other.Whole.Of != "":
		c.wrong(at+".of", "names no kind with a call of its own under whole", "Write the name of the kind that has it.")
	case !slices.Equal(other.Dimensions, k.Dimensions):
		c.wrong(at+".of", "names a kind that depends on other dimensions", "Write the same dimensions in both.")
	}
	if w.Path != "" || w.Records != "" {
		c.wrong(at+".of", "stands beside a call", "Write one of them.")
	}
	return out
}

// wholeSelection compiles how records are selected in an answer that holds all of them.
func (c *compiler) wholeSelection(at string, k *KindSpec, s *SelectSpec) *selectCall {
	spec := *s
	spec.Paging = PagingSpec{Type: "offset", MaxFirst: s.Paging.MaxFirst}
	spec.Optional = append(slices.Clone(s.Optional), sortedKeys(s.Where)...)
	out := &selectCall{call: &call{}, pager: pager{spec: &spec.Paging}, spec: &spec, sorts: map[string]any{}, whole: &wholeSelect{sorts: map[string]*expression{}}}
	if s.Path != "" || s.Records != "" || s.GraphQL != nil || s.Body != nil {
		c.wrong(at, "has a call, but whole gives all items already", "Write where, sorts and search over its records.")
	}
	if s.Paging.Type != "" {
		c.wrong(at+".paging.type", "is not needed: pages are cut from all records", "Remove it.")
	}
	if s.Owner {
		c.wrong(at+".owner", "is not possible for a kind with whole", "Remove it.")
	}
	c.takes = slices.Concat(spec.Filters, spec.Optional)
	for _, name := range sortedKeys(s.Where) {
		if _, ok := k.Filters[name]; !ok {
			c.wrong(at+".where."+name, "is no filter of the kind", "Declare it under filters.")
		}
		out.whole.where = append(out.whole.where, whereRule{name, c.expression(at+".where."+name, s.Where[name], rowNames)})
	}
	c.takes = nil
	for _, name := range append(slices.Clone(s.Filters), s.Optional...) {
		if _, ok := s.Where[name]; !ok {
			c.wrong(at+".where."+name, "is missing", "Write what the filter means, for example:  "+name+": record."+name+" == filter."+name)
		}
	}
	for _, name := range sortedKeys(s.Sorts) {
		src, ok := s.Sorts[name].(string)
		if !ok {
			c.wrong(at+".sorts."+name, "is no expression", "Write CEL over record, for example:  "+name+": record.name")
			continue
		}
		out.sorts[name], out.whole.sorts[name] = nil, c.expression(at+".sorts."+name, src, rowNames)
	}
	c.text(at, s)
	if (s.Text != "") != (len(s.Search) > 0) {
		c.wrong(at+".search", "belongs to text, and only there", "Write the paths in the record whose words are looked for, for example:  search: [title, html]")
	}
	for _, p := range s.Search {
		out.whole.search = append(out.whole.search, strings.Split(p, "."))
	}
	return out
}

// reads notes what selections read of a record.
func (w *wholeKind) reads(selects []*selectCall) {
	note := func(e *expression) {
		if e == nil {
			return
		}
		for _, p := range e.prog.Paths() {
			if p[0] == "record" {
				w.used.add(p[1:]...)
			}
		}
	}
	for _, s := range selects {
		if s.whole == nil {
			continue
		}
		for _, r := range s.whole.where {
			note(r.expression)
		}
		for _, e := range s.whole.sorts {
			note(e)
		}
		for _, p := range s.whole.search {
			w.used.add(p...)
		}
	}
}
