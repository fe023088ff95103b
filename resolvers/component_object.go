package resolvers

import (
	"strconv"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// componentObject is a delivered component, of the object type named as its component type.
type componentObject struct {
	c *tutti.Component
	x *experienceObject
}

func (o *componentObject) TypeName() string { return o.c.Type }

// Part is what the component belongs to.
func (o *componentObject) Part() *tutti.Part { return o.c.Part }

// AppendField writes what is a text or a whole number.
func (o *componentObject) AppendField(b []byte, name string) ([]byte, bool) {
	c := o.c
	switch name {
	case "id":
		return graph.AppendString(b, c.ID), true
	case "component":
		return graph.AppendString(b, c.Component), true
	case "type":
		return graph.AppendString(b, c.Type), true
	case "version":
		return strconv.AppendInt(b, int64(c.Version), 10), true
	case "variant":
		return graph.AppendString(b, c.Variant), c.Variant != ""
	case "slot":
		return graph.AppendString(b, c.Slot), true
	case "path":
		return graph.AppendString(b, c.Path), true
	}
	return b, false
}

func (o *componentObject) Field(name string, args graph.Args) (any, error) {
	c := o.c
	switch name {
	case "id":
		return c.ID, nil
	case "component":
		return c.Component, nil
	case "type":
		return c.Type, nil
	case "version":
		return c.Version, nil
	case "variant":
		return orNull(c.Variant), nil
	case "props":
		return graph.Raw(c.PropsJSON()), nil
	case "actions":
		list := make([]graph.Object, len(c.Actions))
		for i, a := range c.Actions {
			list[i] = fields{"Action", map[string]any{
				"label": a.Label, "intent": a.Intent, "href": orNull(a.Href), "deepLink": orNull(a.DeepLink), "expiresAt": instant(a.ExpiresAt),
			}}
		}
		return list, nil
	case "parent":
		return orNull(c.Parent), nil
	case "slot":
		return c.Slot, nil
	case "path":
		return c.Path, nil
	case "slots":
		return o.x.slots(c.Slots), nil
	case "resource":
		d, _ := c.Props[args.String("prop")].(*tutti.Delivered)
		return resourceOrNull(d), nil
	case "resources":
		return o.list(args.String("prop"), args)
	case "freshness":
		return freshnessObject(c.Freshness), nil
	case "personal":
		return c.Private || c.Filled, nil
	case "why":
		return o.x.decision(c.Component), nil
	case "assembled":
		list := make([]string, len(c.Assembled))
		for i, r := range c.Assembled {
			list[i] = string(r)
		}
		return list, nil
	case "origins":
		list := make([]graph.Object, len(c.Origins))
		for i, g := range c.Origins {
			list[i] = fields{"Origin", map[string]any{
				"source": g.Source, "ref": g.Ref.String(), "prop": orNull(g.Prop), "freshness": freshnessObject(g.Freshness), "cached": g.Cached,
			}}
		}
		return list, nil
	}
	return o.prop(name, args)
}
