package engine_test

import (
	"reflect"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// TestAFieldThatCannotBeReadIsToldWhereItIsAskedFor: the rest of its item comes.
func TestAFieldThatCannotBeReadIsToldWhereItIsAskedFor(t *testing.T) {
	h := newHouse(t)
	fields := tutti.FieldsOf(map[string]any{"title": "Bike", "slug": "bike"})
	h.putAs(tutti.Resource{Ref: ref("catalog:product/1"), Type: tutti.ProductType, Fields: fields.WithUnread([]tutti.Unread{{Field: "sku", Pointer: "/code"}, {Field: "weight", Pointer: "/kg"}})})
	problem := func(path, field, pointer string, stale bool) tutti.Problem {
		return tutti.Problem{
			Path: "slots.main[0]." + path, Ref: "catalog:product/1", Code: tutti.BadAnswer, Message: "The source catalog sent a product whose " + field + " cannot be read.", Stale: stale, Field: field, Pointer: pointer,
		}
	}
	wanted := func(fields ...string) engine.Need {
		return engine.Need{Components: engine.ComponentNeed{Values: map[string]bool{"headline": true}, Resources: map[string]engine.ResourceNeed{"offer": {Fields: fields}}}}
	}
	for name, c := range map[string]struct {
		headline []tutti.Value
		need     engine.Need
		want     []tutti.Problem
	}{
		"nobody asks":          {one(literal("x")), wanted("title", "slug"), nil},
		"it is bound":          {one(bound("offer.sku")), wanted(), []tutti.Problem{problem("props.headline", "sku", "/code", false)}},
		"a fallback stands in": {[]tutti.Value{bound("offer.sku"), literal("x")}, wanted(), []tutti.Problem{problem("props.headline", "sku", "/code", true)}},
		"a text reads it":      {one(h.words("No ${offer.?sku.orValue('?')}")), wanted(), []tutti.Problem{problem("props.headline", "sku", "/code", false)}},
		"it is selected":       {one(literal("x")), wanted("title", "sku"), []tutti.Problem{problem("props.offer.sku", "sku", "/code", false)}},
		"others are selected":  {one(literal("x")), wanted("fields"), []tutti.Problem{problem("props.offer.weight", "weight", "/kg", false)}},
	} {
		t.Run(name, func(t *testing.T) {
			p := part{id: "c", kind: "Hero", props: map[string][]tutti.Value{"headline": c.headline, "offer": one(toRef("catalog:product/1"))}}
			x := h.assemble(plan("web", p), c.need)
			if len(x.Problems)+len(c.want) > 0 && !reflect.DeepEqual(x.Problems, c.want) {
				t.Errorf("the problems are\n%+v\nwant\n%+v", x.Problems, c.want)
			}
			if d, ok := x.Components[0].Props["offer"].(*tutti.Delivered); !ok || d.Resource.Fields.Text("title") != "Bike" {
				t.Errorf("the rest does not come: %v", x.Components[0].Props)
			}
		})
	}
}
