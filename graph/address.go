package graph

import (
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

const contextInput = "ContextInput"

// inAddress refuses personal facts in an operation that came by GET: addresses stand in the logs
// of every proxy between, in browsers' histories and in caches' keys. Facts that many people
// share, consent and market may stand there.
func (g *Generation) inAddress(op *ast.OperationDefinition, vars map[string]any) gqlerror.List {
	found := map[string]bool{}
	seen := map[*ast.FragmentDefinition]bool{}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if len(s.Arguments) > 0 {
					g.personalArguments(s, vars, found)
				}
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				if s.Definition != nil && !seen[s.Definition] {
					seen[s.Definition] = true
					walk(s.Definition.SelectionSet)
				}
			}
		}
	}
	walk(op.SelectionSet)
	for _, d := range op.VariableDefinitions { // also one that no field uses stands in the address
		g.personal(d.Type, vars[d.Variable], found)
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	var list gqlerror.List
	for _, name := range names {
		list = append(list, one(&tutti.Error{
			Code: tutti.BadRequest, Field: name, Message: "the fact " + name + " may not stand in an address: addresses are logged on their way.", Hint: "Send the operation with POST.",
		})...)
	}
	return list[:min(len(list), g.limits.Errors)]
}

func (g *Generation) personalArguments(f *ast.Field, vars map[string]any, found map[string]bool) {
	if f.Definition == nil {
		return // __typename
	}
	for _, a := range f.Arguments {
		if def := f.Definition.Arguments.ForName(a.Name); def != nil {
			g.personalLiteral(def.Type, a.Value, vars, found)
		}
	}
}

// personalLiteral collects the names of personal facts in a value as it is written.
func (g *Generation) personalLiteral(t *ast.Type, v *ast.Value, vars map[string]any, found map[string]bool) {
	switch v.Kind {
	case ast.Variable:
		g.personal(t, vars[v.Raw], found)
	case ast.ListValue:
		for _, c := range v.Children {
			g.personalLiteral(t, c.Value, vars, found)
		}
	case ast.ObjectValue:
		def := g.schema.Types[t.Name()]
		for _, c := range v.Children {
			given := c.Value.Kind != ast.NullValue && (c.Value.Kind != ast.Variable || vars[c.Value.Raw] != nil)
			if f := g.fact(def, c.Name, given, found); f != nil {
				g.personalLiteral(f.Type, c.Value, vars, found)
			}
		}
	}
}

// personal does the same in the value of a variable.
func (g *Generation) personal(t *ast.Type, v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			g.personal(t, e, found)
		}
	case map[string]any:
		def := g.schema.Types[t.Name()]
		for name, e := range v {
			if f := g.fact(def, name, e != nil, found); f != nil {
				g.personal(f.Type, e, found)
			}
		}
	}
}

// fact looks at one field of an input object: it notes a personal fact, and gives the definition
// of a field that may hold some.
func (g *Generation) fact(def *ast.Definition, name string, given bool, found map[string]bool) *ast.FieldDefinition {
	switch {
	case def == nil || def.Kind != ast.InputObject || !given:
		return nil
	case def.Name == contextInput && (name == "visitor" || name == "location"):
		found["context."+name] = true
		return nil
	case def.Name == attributesInput:
		if a := g.attributes[name]; a.Sensitivity != tutti.Public && a.Sensitivity != tutti.Segment {
			found["context.attributes."+name] = true
		}
		return nil
	}
	return def.Fields.ForName(name)
}
