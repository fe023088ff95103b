package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// collect gives the fields to write for an object type, merged by response key, in order.
func (p *projector) collect(sel *selection, typeName string) []collected {
	known := sel.byType.Load()
	if known != nil {
		if fields, ok := (*known)[typeName]; ok {
			return fields
		}
	}
	fields := make([]collected, 0, len(sel.set))
	if err := p.collectInto(sel.set, typeName, map[string]bool{}, map[string]int{}, &fields); err != nil {
		fields = []collected{{refused: err}}
	}
	for { // the first to have collected a type counts: its selections below are what others know
		more := map[string][]collected{typeName: fields}
		if known != nil {
			for name, f := range *known {
				more[name] = f
			}
		}
		if sel.byType.CompareAndSwap(known, &more) {
			return more[typeName]
		}
		known = sel.byType.Load()
	}
}

// collectInto collects a selection set. The error is that of all of the object: that it cannot be
// told what is included.
func (p *projector) collectInto(set ast.SelectionSet, typeName string, seen map[string]bool, index map[string]int, fields *[]collected) *tutti.Error {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if err := nullDirective(s.Directives, p.vars); err != nil {
				return err
			}
			if !Included(s.Directives, p.vars) {
				continue
			}
			n, known := index[s.Alias]
			if !known {
				n = len(*fields)
				index[s.Alias], *fields = n, append(*fields, p.collected(s))
			}
			if sub := (*fields)[n].sub; sub != nil {
				sub.set = append(sub.set, s.SelectionSet...)
			}
		case *ast.InlineFragment:
			if err := nullDirective(s.Directives, p.vars); err != nil {
				return err
			}
			if Included(s.Directives, p.vars) && p.applies(s.TypeCondition, typeName) {
				if err := p.collectInto(s.SelectionSet, typeName, seen, index, fields); err != nil {
					return err
				}
			}
		case *ast.FragmentSpread:
			if seen[s.Name] {
				continue
			}
			if err := nullDirective(s.Directives, p.vars); err != nil {
				return err
			}
			if !Included(s.Directives, p.vars) {
				continue
			}
			seen[s.Name] = true
			if p.applies(s.Definition.TypeCondition, typeName) {
				if err := p.collectInto(s.Definition.SelectionSet, typeName, seen, index, fields); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// collected is a field that came first under its key.
func (p *projector) collected(f *ast.Field) collected {
	c := collected{key: f.Alias, name: append(AppendString(nil, f.Alias), ':'), at: ast.PathName(f.Alias), field: f, tells: telling[f.Definition.Type.Name()]}
	if len(f.Definition.Arguments) > 0 {
		c.args, c.refused = f.ArgumentMap(p.vars), nullArgument(f.Arguments, p.vars)
	}
	if len(f.SelectionSet) > 0 {
		c.sub = &selection{}
	}
	return c
}

func (p *projector) applies(condition, typeName string) bool {
	return Applies(p.schema, condition, typeName)
}

// Applies reports whether a fragment on condition counts for an object type.
func Applies(schema *ast.Schema, condition, typeName string) bool {
	if condition == "" || condition == typeName {
		return true
	}
	for _, d := range schema.PossibleTypes[condition] {
		if d.Name == typeName {
			return true
		}
	}
	return false
}

// Included evaluates @skip and @include (specification section 3.13).
func Included(ds ast.DirectiveList, vars map[string]any) bool {
	if len(ds) == 0 {
		return true
	}
	truth := func(name string, otherwise bool) bool {
		d := ds.ForName(name)
		if d == nil {
			return otherwise
		}
		b, ok := d.ArgumentMap(vars)["if"].(bool)
		if !ok {
			return otherwise
		}
		return b
	}
	return !truth("skip", false) && truth("include", true)
}
