package sources

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// What a call may use, and what it must: a name that stands nowhere in it would be taken without a word, and the
// system would answer something else than it was asked for.

// ofRequest are the names in expressions that depend on how something is asked for, with the dimension that each needs.
var ofRequest = map[string]string{
	"locale": tutti.LocaleDimension, "locales": tutti.LocaleDimension, "market": tutti.MarketDimension,
	"currency": tutti.CurrencyDimension, "draft": tutti.PerspectiveDimension,
}

// depends makes sure that what an expression of a kind reads of a request can be there: a dimension that the kind
// declares, and a filter that the call takes.
func (c *compiler) depends(at string, path []string) {
	if c.of == nil {
		return
	}
	if d, ok := ofRequest[path[0]]; ok && !slices.Contains(c.of.Dimensions, d) {
		c.wrong(at, "uses "+path[0]+", and the kind does not depend on it", "Write  dimensions: ["+d+"]  under the kind, or remove it.")
	}
	if path[0] != "filter" || len(path) < 2 || slices.Contains(c.takes, path[1]) {
		return
	}
	if _, ok := c.of.Filters[path[1]]; ok {
		c.wrong(at, "uses filter."+path[1]+", which the call does not take", "Write it under its filters or optional.")
		return
	}
	c.wrong(at, "uses filter."+path[1]+", which is no filter of the kind", expr.DidYouMean(path[1], sortedKeys(c.of.Filters)))
}

// given makes sure that settings in the path of a call are there: without one there is no such call.
func (c *compiler) given(at string, s *CallSpec, path *template) {
	for _, e := range path.expressions(nil) {
		if len(e.path) != 2 || e.path[0] != "settings" || slices.Contains(s.Needs, e.path[1]) {
			continue
		}
		if d, ok := c.m.Settings[e.path[1]]; ok && !d.Required && d.Default == "" {
			c.wrong(at+".path", "uses settings."+e.path[1]+", which may not be set: then every call would fail", "Write  required: true  or a default there, or  needs: ["+e.path[1]+"]  here.")
		}
	}
}

// taken makes sure that each filter of a kind is taken by one of its calls.
func (c *compiler) taken() {
	for _, kind := range c.m.kindNames() {
		k := c.m.Kinds[kind]
		if k == nil {
			continue
		}
		for _, name := range sortedKeys(k.Filters) {
			if !slices.ContainsFunc(k.Select, func(s *SelectSpec) bool { return s.takes(name) }) {
				c.wrong("kinds."+kind+".filters."+name, "is taken by no call under select", "Write it there, under filters or optional, or remove it.")
			}
		}
	}
}

// takes reports whether a selection may be given a filter.
func (s *SelectSpec) takes(filter string) bool {
	return s != nil && (slices.Contains(s.Filters, filter) || slices.Contains(s.Optional, filter) || s.Where[filter] != "")
}

// usesWhatItTakes makes sure that a selection's call says to the system whatever it takes.
func (c *compiler) usesWhatItTakes(at string, s *SelectSpec, k *call) {
	for _, list := range []struct {
		key   string
		names []string
	}{{"filters", s.Filters}, {"optional", s.Optional}} {
		for i, name := range list.names {
			if _, known := c.of.Filters[name]; known && !k.uses("filter", name) {
				c.wrong(at+"."+list.key+"."+strconv.Itoa(i), "is nowhere in the call: the system would not hear of it", "Write  "+c.written("filter."+name)+"  into it.")
			}
		}
	}
	for _, one := range []struct {
		key   string
		takes bool
		uses  bool
		write string
	}{
		{"text", s.Text != "", k.uses("text") || k.uses("words"), c.written("text") + "  (or " + c.written("words") + ", in a query language)"},
		{"owner", s.Owner, k.uses("owner"), c.written("owner")},
		{"sorts", len(s.Sorts) > 1, k.uses("sort"), c.written("sort")},
	} {
		if one.takes && !one.uses {
			c.wrong(at+"."+one.key, "is nowhere in the call: the system would not hear of it", "Write  "+one.write+"  into it.")
		}
	}
}

// written is a name as calls of the manifest use it.
func (c *compiler) written(name string) string {
	if c.m.Protocol == "sql" {
		return "$" + strings.TrimPrefix(name, "filter.")
	}
	return "${" + name + "}"
}

// leadsOn makes sure that a call asks for the page that its paging tells.
func (c *compiler) leadsOn(at string, p *pager, k *call) {
	switch {
	case p.byCursor() || p.spec.Type == "link" && p.spec.Param != "":
		if !k.uses("cursor") {
			c.wrong(at+".type", "is by a cursor, and the call does not use it: each page would be the first", "Write  "+c.written("cursor")+"  into it.")
		}
	case p.spec.Type == "page" || p.spec.Type == "offset":
		if !k.uses("page") && !k.uses("offset") {
			c.wrong(at+".type", "counts, and the call does not use it: each page would be the first", "Write  "+c.written(p.spec.Type)+"  into it.")
		}
	}
}

// uses reports whether an expression of the call reads a name, or a part of what has that name.
func (k *call) uses(path ...string) bool {
	return slices.ContainsFunc(k.expressions(), func(e *expression) bool { return e.uses(path) })
}

func (e *expression) uses(path []string) bool {
	return slices.ContainsFunc(e.prog.Paths(), func(p []string) bool {
		n := min(len(p), len(path))
		return slices.Equal(p[:n], path[:n])
	})
}

// expressions are all that are evaluated to write the call.
func (k *call) expressions() (all []*expression) {
	all = k.path.expressions(all)
	for _, list := range [][]queryPart{k.query, k.form} {
		for i := range list {
			all = append(all, list[i].expressions()...)
		}
	}
	for _, h := range k.headers {
		all = h.expressions(all)
	}
	all = nodeExpressions(k.body, all)
	if k.graphql != nil {
		all = nodeExpressions(k.graphql.variables, all)
	}
	if k.stmt != nil {
		all = append(all, k.stmt.params...)
	}
	return all
}

func (q *queryPart) uses(path ...string) bool {
	return slices.ContainsFunc(q.expressions(), func(e *expression) bool { return e.uses(path) })
}

func (q *queryPart) expressions() (all []*expression) {
	if q.expr == nil {
		return q.template.expressions(nil)
	}
	for _, t := range append([]*template{q.expr.before, q.expr.after}, q.expr.all...) {
		all = t.expressions(all)
	}
	return all
}

func (t *template) expressions(all []*expression) []*expression {
	if t == nil {
		return all
	}
	for _, p := range t.parts {
		if p.expr != nil {
			all = append(all, p.expr)
		}
	}
	return all
}

// nodeExpressions adds those of what compiler.node made.
func nodeExpressions(n any, all []*expression) []*expression {
	switch n := n.(type) {
	case *template:
		return n.expressions(all)
	case map[string]any:
		for _, v := range n {
			all = nodeExpressions(v, all)
		}
	case []any:
		for _, v := range n {
			all = nodeExpressions(v, all)
		}
	}
	return all
}
