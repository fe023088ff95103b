package resolvers

import (
	"math"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// propTypes are the types of the declared props, by component type and name.
type propTypes map[string]map[string]tutti.PropType

func propTypesOf(types []tutti.ComponentType) propTypes {
	m := propTypes{}
	for _, t := range types {
		props := map[string]tutti.PropType{}
		for i := range t.Downlevel {
			for _, p := range t.Downlevel[i].Props { // those of older versions; of one GraphQL type with those of now
				props[p.Name] = p.Type
			}
		}
		for _, p := range t.Props {
			props[p.Name] = p.Type
		}
		m[t.Name] = props
	}
	return m
}

// prop gives a declared prop as its field in the schema has it, nil where it has no value, or
// where the config no longer defines it and only stored operations ask for it.
func (o *componentObject) prop(name string, args graph.Args) (any, error) {
	v, ok := o.c.Props[name]
	if !ok {
		return nil, nil
	}
	switch o.x.props[o.c.Type][name] {
	case tutti.PropResource:
		d, _ := v.(*tutti.Delivered)
		return resourceOrNull(d), nil
	case tutti.PropResources:
		return o.list(name, args)
	case tutti.PropJSON:
		return graph.Raw(o.c.PropJSON(name)), nil
	case tutti.PropInt:
		if n, isInt := v.(int64); isInt && (n > math.MaxInt32 || n < math.MinInt32) {
			return nil, &tutti.Error{Code: tutti.InvalidValue, Field: name, Message: "the number does not fit into a GraphQL Int.", Hint: "Read it from props, or declare the prop as float."}
		}
	}
	return plainValue(v), nil
}

// list gives a prop of type resources; nil when it is none.
func (o *componentObject) list(prop string, args graph.Args) (any, error) {
	if first, given := args["first"]; given && first != nil && (args.Int("first", 0) < 1 || args.Int("first", 0) > maxPage) {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "first", Message: "first must be 1 to 100.", Hint: "Ask for the next page with more."}
	}
	l, ok := o.c.Props[prop].(*tutti.List)
	if !ok {
		return nil, nil
	}
	return listObject(l, args.Int("first", 0)), nil
}

// plainValue gives a value as the schema has it: an object for what has fields of its own.
func plainValue(v any) any {
	switch v := v.(type) {
	case tutti.Money:
		return fields{"Money", map[string]any{"amount": v.Amount, "currency": v.Currency}}
	case tutti.Place:
		return fields{"Location", map[string]any{"lat": v.Lat, "lon": v.Lon}}
	case tutti.Focal:
		return fields{"Focal", map[string]any{"x": v.X, "y": v.Y}}
	case tutti.RichText:
		return fields{"RichText", map[string]any{"html": v.HTML, "markdown": v.Markdown, "plain": v.Plain, "ssml": v.SSML}}
	}
	return v
}

// everyComponent are the fields that every component has; a test compares them with the schema.
var everyComponent = map[string]bool{
	"id": true, "component": true, "type": true, "version": true, "variant": true, "props": true, "actions": true, "parent": true, "slot": true, "path": true, "slots": true,
	"resource": true, "resources": true, "freshness": true, "personal": true, "why": true, "assembled": true, "origins": true, "__typename": true,
}

// typed notes what a prop's own field needs: as resource(prop:) and resources(prop:, first:) do,
// or its value alone. false for a field that every component has.
func (w *needWalk) typed(c *engine.ComponentNeed, f *ast.Field) bool {
	if f.Definition == nil || f.ObjectDefinition == nil || everyComponent[f.Name] {
		return false
	}
	switch name := f.Definition.Type.Name(); {
	case name == "ResourceConnection":
		w.list(c, f.Name, f)
	case name == "Resource" || tutti.CanonicalFields[tutti.ResourceType(name)] != nil:
		w.oneResource(c, f.Name, f)
	default:
		if c.Values == nil {
			c.Values = map[string]bool{}
		}
		c.Values[f.Name] = true
	}
	return true
}
