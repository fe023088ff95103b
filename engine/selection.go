package engine

import (
	"fmt"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// selectionNode is a stored query with its computed arguments.
type selectionNode struct {
	stored tutti.Selection // only what is fixed
	filter map[string]*expression
	text   *expression
}

func (s *scope) selection(path string, stored *tutti.Selection, d *tutti.PropDefinition, b *body) valueNode {
	n, kind := s.compileSelection(path, stored, b)
	if kind == nil {
		return nil
	}
	s.acceptKinds(path, d, []*tutti.Kind{kind}, b)
	b.reach.note([]*tutti.Kind{kind})
	return n
}

// compileSelection checks a query against what the kind can do; the kind is nil when it is wrong.
func (s *scope) compileSelection(path string, stored *tutti.Selection, b *body) (*selectionNode, *tutti.Kind) {
	kind, ok := s.c.engine.sources.Kind(stored.Source, stored.Kind)
	if !ok {
		s.c.wrong(path, fmt.Sprintf("No source “%s” with a kind “%s” is configured.", short(stored.Source), short(stored.Kind)), "")
		return nil, nil
	}
	n := &selectionNode{stored: tutti.Selection{Source: stored.Source, Kind: stored.Kind, Sort: stored.Sort, First: stored.First, Filter: map[string]any{}}, filter: map[string]*expression{}}
	if stored.After != "" {
		s.c.wrong(path+".after", "A stored selection starts at its beginning.", "Leave after out.")
	}
	if stored.First < 0 || stored.First > 100 {
		s.c.wrong(path+".first", "A page has 1 to 100 items.", "Write first: 10, or leave it out.")
	}
	if name := strings.TrimPrefix(stored.Sort, "-"); name != "" && !contains(kind.Sorts, name) && !contains(kind.Sorts, stored.Sort) {
		s.c.wrong(path+".sort", fmt.Sprintf("%s:%s cannot be sorted by “%s”.", kind.Source, kind.Name, short(name)), hintOf(name, kind.Sorts))
	}
	for _, name := range sortedKeys(stored.Filter) {
		at := path + ".filter." + name
		if !contains(kind.Filters, name) {
			s.c.wrong(at, fmt.Sprintf("%s:%s has no filter “%s”.", kind.Source, kind.Name, short(name)), hintOf(name, kind.Filters))
			continue
		}
		v, x := s.argument(at, stored.Filter[name], b)
		if x != nil {
			n.filter[name] = x
		} else if v != nil {
			n.stored.Filter[name] = v
		}
	}
	if stored.Text != "" {
		if !kind.Search {
			s.c.wrong(path+".text", fmt.Sprintf("%s:%s cannot be searched for text.", kind.Source, kind.Name), "Use a filter.")
		}
		v, x := s.argument(path+".text", stored.Text, b)
		n.text = x
		n.stored.Text, _ = v.(string)
		if x != nil && x.program != nil {
			s.c.wrong(path+".text", "The text to search for is computed from params and attributes only.", "Use a filter, or declare an attribute for the field of the resource.")
		}
	}
	return n, kind
}

// argument gives a fixed value or a computed one.
func (s *scope) argument(path string, v any, b *body) (any, *expression) {
	switch v := v.(type) {
	case string:
		src, computed := strings.CutPrefix(v, "=")
		if !computed {
			return v, nil
		}
		x := s.expression(path, src, "")
		if x != nil && x.program != nil && b != nil {
			s.c.useProgram(path, b, x.program, s)
		}
		return nil, x
	case float64:
		if i, ok := wholeNumber(v); ok {
			return i, nil
		}
	}
	return v, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func hintOf(name string, all []string) string {
	if len(all) == 0 {
		return "It has none."
	}
	return expr.DidYouMean(name, all)
}

// compileEach compiles what a component is repeated for, and tells its kinds.
func (c *compiling) compileEach(path string, stored *tutti.Each, s *scope) (*eachNode, []*tutti.Kind, bool) {
	b := &body{}
	switch {
	case stored.Select != nil && stored.Refs != nil, stored.Select == nil && stored.Refs == nil:
		c.wrong(path, "A component is repeated for a selection or for refs.", "Write either select or refs.")
	case stored.Select != nil:
		n, kind := s.compileSelection(path+".select", stored.Select, b)
		if kind == nil {
			return nil, nil, false
		}
		c.useKinds(path, b, []*tutti.Kind{kind}, true, false)
		b.reach.of([]*tutti.Kind{kind})
		return &eachNode{value: n, reach: b.reach}, []*tutti.Kind{kind}, b.private
	default:
		v := s.refs(path+".refs", stored.Refs, nil, b)
		if v == nil {
			return nil, nil, false
		}
		var kinds []*tutti.Kind
		for _, r := range stored.Refs {
			k := c.kindsOfRef(r, s)
			if len(k) == 0 {
				kinds = nil
				break
			}
			kinds = append(kinds, k...)
		}
		return &eachNode{value: v, reach: b.reach}, kinds, b.private
	}
	return nil, nil, false
}

func (n *selectionNode) decide(d *decider) (tutti.Value, bool) {
	sel := n.stored
	private := false
	if len(n.filter) > 0 {
		sel.Filter = make(map[string]any, len(n.stored.Filter)+len(n.filter))
		for name, v := range n.stored.Filter {
			sel.Filter[name] = v
		}
		for name, x := range n.filter {
			v, ok := d.eval(x)
			if !ok {
				return tutti.Value{}, false
			}
			if s, isText := v.(string); isText {
				v = text.StripHoles(s)
			}
			sel.Filter[name] = v
			private = private || x.personal
		}
	}
	if n.text != nil {
		v, ok := d.eval(n.text)
		if !ok {
			return tutti.Value{}, false
		}
		sel.Text = formatValue(v)
		private = private || n.text.personal
	}
	return tutti.Value{Kind: tutti.SelectValue, Select: &sel, Private: private}, true
}
