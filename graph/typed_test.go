package graph

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
)

// everyProp has one prop of each type.
var everyProp = tutti.ComponentType{Name: "Every", Props: []tutti.PropDefinition{
	{Name: "headline", Type: tutti.PropText, Description: "What it says.", MaxLength: 70, Cut: true},
	{Name: "body", Type: tutti.PropRichText, Required: true},
	{Name: "tone", Type: tutti.PropString, Description: "How loud it is", Values: []string{"calm", "loud"}},
	{Name: "count", Type: tutti.PropInt},
	{Name: "rating", Type: tutti.PropFloat},
	{Name: "wide", Type: tutti.PropBoolean},
	{Name: "from", Type: tutti.PropDateTime},
	{Name: "price", Type: tutti.PropMoney},
	{Name: "link", Type: tutti.PropURL, Deprecated: "Use actions."},
	{Name: "at", Type: tutti.PropPlace},
	{Name: "more", Type: tutti.PropJSON},
	{Name: "image", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}},
	{Name: "teaser", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.ArticleType, tutti.ProductType}},
	{Name: "any", Type: tutti.PropResource},
	{Name: "items", Type: tutti.PropResources, Accepts: []tutti.ResourceType{tutti.ProductType}},
}}

func TestPropsAreFieldsOfTheirComponentType(t *testing.T) {
	g, err := NewGeneration(GenerationConfig{ComponentTypes: []tutti.ComponentType{everyProp}})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	component := g.Schema().Types["Component"]
	for _, f := range g.Schema().Types["Every"].Fields {
		if component.Fields.ForName(f.Name) != nil {
			continue
		}
		fmt.Fprintf(&got, "%s: %s", f.Name, f.Type)
		for _, a := range f.Arguments {
			fmt.Fprintf(&got, " (%s: %s, %s)", a.Name, a.Type, a.Description)
		}
		fmt.Fprintf(&got, ". %s", f.Description)
		if d := f.Directives.ForName("deprecated"); d != nil {
			fmt.Fprintf(&got, " Deprecated: %s", d.Arguments.ForName("reason").Value.Raw)
		}
		got.WriteByte('\n')
		if g.policies.fields[f] != allClasses {
			t.Errorf("%s is for %s", f.Name, g.policies.fields[f].names())
		}
	}
	const want = `headline: String. What it says. 70 characters at most.
body: RichText. Formatted text.
tone: String. How loud it is. One of: calm, loud.
count: Int. A whole number.
rating: Float. A number.
wide: Boolean. Yes or no.
from: DateTime. An instant.
price: Money. An amount of money.
link: URL. An address. Deprecated: Use actions.
at: Location. A point on the earth.
more: JSON. Any JSON value.
image: Asset. An item of an origin system.
teaser: Resource. An item of an origin system. Of type Article, Product.
any: Resource. An item of an origin system.
items: ResourceConnection (first: Int, 100 at most. Default: as the prop and channel say.). Items of origin systems. Of type Product.
`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}

func TestADeprecatedTypeDeprecatesItsProps(t *testing.T) {
	old := everyProp
	old.Deprecated, old.Description = "Use Hero.", "All there is"
	g, err := NewGeneration(GenerationConfig{ComponentTypes: []tutti.ComponentType{old}})
	if err != nil {
		t.Fatal(err)
	}
	def := g.Schema().Types["Every"]
	reason := func(name string) string {
		return def.Fields.ForName(name).Directives.ForName("deprecated").Arguments.ForName("reason").Value.Raw
	}
	if def.Description != "All there is. Deprecated: Use Hero." || reason("headline") != "Use Hero." || reason("link") != "Use actions." {
		t.Errorf("%q %q %q", def.Description, reason("headline"), reason("link"))
	}
	if def.Fields.ForName("id").Directives.ForName("deprecated") != nil {
		t.Error("a field of the interface is deprecated")
	}
}

func TestPropsThatCannotBeFields(t *testing.T) {
	one := func(name string, props ...tutti.PropDefinition) tutti.ComponentType {
		return tutti.ComponentType{Name: name, Props: props}
	}
	text := func(name string) tutti.PropDefinition { return tutti.PropDefinition{Name: name, Type: tutti.PropText} }
	for name, c := range map[string]struct {
		types []tutti.ComponentType
		field string
	}{
		"a field of every component": {[]tutti.ComponentType{one("Hero", text("slots"))}, "componentTypes.Hero.props.slots"},
		"no name":                    {[]tutti.ComponentType{one("Hero", text("head-line"))}, "componentTypes.Hero.props.head-line"},
		"of introspection":           {[]tutti.ComponentType{one("Hero", text("__typename"))}, "componentTypes.Hero.props.__typename"},
		"no type":                    {[]tutti.ComponentType{one("Hero", tutti.PropDefinition{Name: "a", Type: "words"})}, "componentTypes.Hero.props.a.type"},
		"twice":                      {[]tutti.ComponentType{one("Hero", text("a"), text("a"))}, "componentTypes.Hero.props.a"},
		"two types":                  {[]tutti.ComponentType{one("Hero", text("a")), one("Card", tutti.PropDefinition{Name: "a", Type: tutti.PropInt})}, "componentTypes.Card.props.a"},
		"two resource types": {[]tutti.ComponentType{
			one("Hero", tutti.PropDefinition{Name: "image", Type: tutti.PropResource}),
			one("Card", tutti.PropDefinition{Name: "image", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}}),
		}, "componentTypes.Card.props.image"},
	} {
		err := CheckTypes(c.types, nil)
		var e *tutti.Error
		if !errors.As(err, &e) || e.Code != tutti.Invalid || e.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckTypes([]tutti.ComponentType{one("Hero", text("a")), one("Card", text("a"))}, nil); err != nil {
		t.Errorf("the same prop twice is refused: %v", err)
	}
}

// manyTypes are n component types of ten props, each type with a marker of its own.
func manyTypes(n int, marker string) []tutti.ComponentType {
	list := make([]tutti.ComponentType, n)
	for i := range list {
		t := everyProp
		t.Name = fmt.Sprintf("Type%d", i)
		t.Props = append(append([]tutti.PropDefinition(nil), everyProp.Props[:9]...), tutti.PropDefinition{Name: marker, Type: tutti.PropText})
		list[i] = t
	}
	return list
}

func TestTwoHundredTypesOfTenProps(t *testing.T) {
	g, err := NewGeneration(GenerationConfig{ComponentTypes: manyTypes(200, "one")})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(g.Schema().PossibleTypes["Component"]); n != 201 {
		t.Errorf("%d types of components", n)
	}
	if f := g.Schema().Types["Type199"].Fields.ForName("one"); f == nil || f.Type.String() != "String" {
		t.Errorf("Type199.one is %v", f)
	}
}

// BenchmarkGeneration builds what a reload builds: 200 component types of ten props.
func BenchmarkGeneration(b *testing.B) {
	types := manyTypes(200, "one")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewGeneration(GenerationConfig{ComponentTypes: types}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTypesAreSwappedAsAWhole: while generations change, every request is answered with the types
// of one of them, and introspection and validation agree.
func TestTypesAreSwappedAsAWhole(t *testing.T) {
	make2 := func(marker string) *Generation {
		g, err := NewGeneration(GenerationConfig{ID: marker, ComponentTypes: manyTypes(20, marker), Resolvers: testRoot{q: &testQuery{}}, Introspection: true})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	h := newHouse(t)
	one, two := make2("one"), make2("two")
	h.server.Swap(one)
	var asking, swapping sync.WaitGroup
	stop := make(chan struct{})
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				h.server.Swap([]*Generation{one, two}[i%2])
			}
		}
	})
	for range 4 {
		asking.Go(func() {
			for range 50 {
				a := h.ask(tutti.ServerKey, `{ __type(name: "Type7") { fields(includeDeprecated: true) { name } } }`, nil)
				if has := strings.Contains(a.body, `"one"`); has == strings.Contains(a.body, `"two"`) {
					t.Errorf("the types of no generation, or of two: %s", a.body)
				}
				a = h.ask(tutti.ServerKey, `{ experience(composition: "a", channel: "web") { components { ... on Type7 { one two } } } }`, nil)
				if n := strings.Count(a.body, "Cannot query field"); n != 1 {
					t.Errorf("%d of the two fields are unknown: %s", n, a.body)
				}
			}
		})
	}
	asking.Wait()
	close(stop)
	swapping.Wait()
}
