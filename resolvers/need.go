package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// relationFields are the fields of resources that lead to other resources.
var relationFields = func() map[string]bool {
	m := map[string]bool{}
	for _, typed := range tutti.CanonicalFields {
		for name, kind := range typed {
			if kind == tutti.FieldRef || kind == tutti.FieldRefs {
				m[name] = true
			}
		}
	}
	return m
}()

// needOf tells what a selection asks of an experience: the selected object, or the one reached
// from it by path (such as "experience" inside a route's page). Never change it.
func needOf(sel *graph.Selection, path ...string) engine.Need {
	return sel.Need(func(sel *graph.Selection) any {
		set, vars := sel.Set()
		w := needWalk{vars: vars, need: engine.Need{ByType: map[string]engine.ComponentNeed{}}}
		for _, name := range path {
			set = w.below(set, name)
		}
		w.experience(set)
		return w.need
	}).(engine.Need)
}

// listNeed tells what the operation selects of the nodes of a connection that is being resolved.
func listNeed(ctx context.Context) engine.ResourceNeed {
	w := needWalk{vars: graphql.GetOperationContext(ctx).Variables}
	return w.resource(w.below(graphql.GetFieldContext(ctx).Field.Selections, "nodes"))
}

// resourceNeed tells what the operation selects of the resource that is being resolved.
func resourceNeed(ctx context.Context) engine.ResourceNeed {
	w := needWalk{vars: graphql.GetOperationContext(ctx).Variables}
	return w.resource(graphql.GetFieldContext(ctx).Field.Selections)
}

type needWalk struct {
	vars map[string]any
	need engine.Need
}

// each calls f for every selected field, with the narrowest type condition around it that is not
// a fragment on an interface ("" for none).
func (w *needWalk) each(set ast.SelectionSet, condition string, f func(field *ast.Field, condition string)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if graph.Included(s.Directives, w.vars) {
				f(s, condition)
			}
		case *ast.InlineFragment:
			if graph.Included(s.Directives, w.vars) {
				w.each(s.SelectionSet, narrower(condition, s.TypeCondition), f)
			}
		case *ast.FragmentSpread:
			if graph.Included(s.Directives, w.vars) {
				w.each(s.Definition.SelectionSet, narrower(condition, s.Definition.TypeCondition), f)
			}
		}
	}
}

func narrower(outer, inner string) string {
	switch inner {
	case "", "Component", "Resource", "Experience", "RouteResult", "RoutePage":
		return outer
	}
	return inner
}

// below gives the merged selections of all fields of a name.
func (w *needWalk) below(set ast.SelectionSet, name string) ast.SelectionSet {
	var found ast.SelectionSet
	w.each(set, "", func(f *ast.Field, _ string) {
		if f.Name == name {
			found = append(found, f.SelectionSet...)
		}
	})
	return found
}

func (w *needWalk) experience(set ast.SelectionSet) {
	w.each(set, "", func(f *ast.Field, _ string) {
		switch f.Name {
		case "speech":
			w.need.Speech = true
		case "message":
			w.need.Message = true
		case "holds":
			w.need.Holds = true
		case "slots":
			w.slots(f.SelectionSet)
		case "components":
			w.component(f.SelectionSet)
		}
	})
}

func (w *needWalk) slots(set ast.SelectionSet) {
	w.component(w.below(set, "components"))
}

func (w *needWalk) component(set ast.SelectionSet) {
	w.each(set, "", func(f *ast.Field, condition string) {
		c := w.need.Components
		if condition != "" {
			c = w.need.ByType[condition]
		}
		switch f.Name {
		case "slots":
			w.slots(f.SelectionSet)
			return
		case "origins":
			w.need.Origins = true
		case "props":
			c.Props = true
		case "resource":
			if prop, ok := f.ArgumentMap(w.vars)["prop"].(string); ok {
				w.oneResource(&c, prop, f)
			}
		case "resources":
			w.list(&c, graph.Args(f.ArgumentMap(w.vars)).String("prop"), f)
		default:
			if !w.typed(&c, f) {
				return
			}
		}
		if condition != "" {
			w.need.ByType[condition] = c
		} else {
			w.need.Components = c
		}
	})
}

func (w *needWalk) oneResource(c *engine.ComponentNeed, prop string, f *ast.Field) {
	if c.Resources == nil {
		c.Resources = map[string]engine.ResourceNeed{}
	}
	c.Resources[prop] = c.Resources[prop].With(w.resource(f.SelectionSet))
}

func (w *needWalk) list(c *engine.ComponentNeed, prop string, f *ast.Field) {
	if c.Lists == nil {
		c.Lists = map[string]engine.ListNeed{}
	}
	l := c.Lists[prop]
	if first := graph.Args(f.ArgumentMap(w.vars)).Int("first", 0); first > 0 {
		l.First = max(l.First, first)
	} else {
		l.Default = true
	}
	l.Item = l.Item.With(w.resource(w.below(f.SelectionSet, "nodes")))
	c.Lists[prop] = l
}

func (w *needWalk) resource(set ast.SelectionSet) engine.ResourceNeed {
	var n engine.ResourceNeed
	w.each(set, "", func(f *ast.Field, condition string) {
		one := engine.ResourceNeed{Fields: []string{f.Name}}
		if relationFields[f.Name] {
			one.Relations = map[string]engine.ResourceNeed{f.Name: w.resource(f.SelectionSet)}
		}
		if condition != "" {
			one = engine.ResourceNeed{ByType: map[tutti.ResourceType]engine.ResourceNeed{tutti.ResourceType(condition): one}}
		}
		n = n.With(one)
	})
	return n
}
