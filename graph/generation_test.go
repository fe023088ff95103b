package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestGeneratedTypes(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.BrowserKey, `{
		hero: __type(name: "Hero") { kind description interfaces { name } fields(includeDeprecated: true) { name description args { name description type { kind ofType { name } } } } }
		component: __type(name: "Component") { possibleTypes { name } fields { name } }
		input: __type(name: "AttributesInput") { inputFields(includeDeprecated: true) { name description isDeprecated deprecationReason type { name kind ofType { kind ofType { name } } } } }
	}`, nil)
	var got struct {
		Hero struct {
			Kind, Description string
			Interfaces        []struct{ Name string }
			Fields            []struct {
				Name, Description string
				Args              []struct{ Name, Description string }
			}
		}
		Component struct {
			PossibleTypes []struct{ Name string }
			Fields        []struct{ Name string }
		}
		Input struct {
			InputFields []struct {
				Name, Description, DeprecationReason string
				IsDeprecated                         bool
				Type                                 struct {
					Name, Kind string
					OfType     struct {
						Kind   string
						OfType struct{ Name string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(a.json.Data, &got); err != nil {
		t.Fatal(err, a.body)
	}
	if got.Hero.Kind != "OBJECT" || got.Hero.Description != "A \"large\" picture\nwith words." || len(got.Hero.Interfaces) != 1 || len(got.Hero.Fields) != len(got.Component.Fields) || len(got.Hero.Fields) < 15 {
		t.Errorf("Hero: %+v", got.Hero)
	}
	for _, f := range got.Hero.Fields {
		if f.Name == "resources" && (len(f.Args) != 2 || f.Args[1].Description == "") {
			t.Errorf("Hero.resources: %+v", f)
		}
	}
	if fmt.Sprint(got.Component.PossibleTypes) != "[{UnknownComponent} {Hero} {Card}]" {
		t.Errorf("possible types: %v", got.Component.PossibleTypes)
	}
	types := map[string]string{}
	for _, f := range got.Input.InputFields {
		types[f.Name] = f.Type.Name + f.Type.OfType.Kind + f.Type.OfType.OfType.Name
		if f.Name == "tier" && f.Description != "Loyalty tier. One of: silver, gold. A browser key cannot assert this." {
			t.Errorf("tier: %s", f.Description)
		}
		if f.IsDeprecated != (f.Name == "oldName") || f.Name == "oldName" && f.DeprecationReason != "Use tier." {
			t.Errorf("%s: %v %s", f.Name, f.IsDeprecated, f.DeprecationReason)
		}
	}
	want := "map[home:PlaceInput interests:NON_NULLString member:Boolean oldName:String reservation:String shoe:Float since:DateTime tier:String visits:Int]"
	if fmt.Sprint(types) != want {
		t.Errorf("got  %v\nwant %s", types, want)
	}
}

func TestNamesThatCannotBeTypes(t *testing.T) {
	for name, c := range map[string]struct {
		config GenerationConfig
		field  string
	}{
		"a type of the schema":     {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "Asset"}}}, "componentTypes.Asset"},
		"an input of the schema":   {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "AttributesInput"}}}, "componentTypes.AttributesInput"},
		"a scalar":                 {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "String"}}}, "componentTypes.String"},
		"a root type":              {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "Mutation"}}}, "componentTypes.Mutation"},
		"of introspection":         {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "__Hero"}}}, "componentTypes.__Hero"},
		"with a dash":              {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "hero-wide"}}}, "componentTypes.hero-wide"},
		"SDL":                      {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "A { x: Int } type B"}}}, "componentTypes.A { x: Int } type B"},
		"twice":                    {GenerationConfig{ComponentTypes: []tutti.ComponentType{{Name: "Hero"}, {Name: "Hero"}}}, "componentTypes.Hero"},
		"an attribute with a dash": {GenerationConfig{Attributes: []tutti.Attribute{{Name: "a-b", Type: tutti.StringType}}}, "attributes.a-b"},
		"an attribute twice":       {GenerationConfig{Attributes: []tutti.Attribute{{Name: "a", Type: tutti.StringType}, {Name: "a", Type: tutti.IntType}}}, "attributes.a"},
		"an attribute of no type":  {GenerationConfig{Attributes: []tutti.Attribute{{Name: "a", Type: "text"}}}, "attributes.a.type"},
	} {
		_, err := NewGeneration(c.config)
		var e *tutti.Error
		if !errors.As(err, &e) || e.Code != tutti.Invalid || e.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDescriptionsCannotBreakOut(t *testing.T) {
	g, err := NewGeneration(GenerationConfig{
		ComponentTypes: []tutti.ComponentType{{Name: "Hero", Description: "\"\"\" type Evil { x: Int } \"\"\"\\\"\x00\u2028é"}},
		Attributes:     []tutti.Attribute{{Name: "a", Type: tutti.StringType, Description: `"} input Evil {x: Int}`, Deprecated: `") @x`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.Schema().Types["Evil"] != nil || g.Schema().Types["Hero"].Description != "\"\"\" type Evil { x: Int } \"\"\"\\\"\x00\u2028é" {
		t.Errorf("%q", g.Schema().Types["Hero"].Description)
	}
}

func TestWithoutAttributesThereIsStillAnInput(t *testing.T) {
	h := newHouse(t, func(c *GenerationConfig) { c.Attributes = nil })
	a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": map[string]any{"tier": "gold"}}})
	h.wantCode(a, 400, tutti.UnknownAttribute)
	if a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"market": "eu"}}); a.code() != "" {
		t.Error(a.body)
	}
}

// TestSwap changes the schema under running requests: each is answered by one generation whole.
func TestSwap(t *testing.T) {
	h := newHouse(t)
	first := h.server.Generation()
	second, err := NewGeneration(GenerationConfig{ID: "two", ComponentTypes: testComponents[1:], Attributes: testAttributes[1:], Resolvers: testRoot{q: h.resolver}})
	if err != nil {
		t.Fatal(err)
	}
	const query = `{ experience(composition: "a", channel: "w") { components { ... on Hero { id } } } }`
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if a := h.ask(tutti.ServerKey, query, nil); a.status != 200 && a.code() != string(tutti.BadRequest) {
					t.Errorf("%d %s", a.status, a.body)
				}
			}
		})
	}
	for i := range 100 {
		if i%2 == 0 {
			h.server.Swap(second)
		} else {
			h.server.Swap(first)
		}
	}
	wg.Wait()
	h.server.Swap(first)
	if a := h.ask(tutti.ServerKey, query, nil); a.status != 200 {
		t.Errorf("first: %s", a.body)
	}
	h.server.Swap(second)
	h.wantCode(h.ask(tutti.ServerKey, query, nil), 400, tutti.BadRequest)
	h.wantCode(h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": map[string]any{"tier": "gold"}}}), 400, tutti.UnknownAttribute)
	if h.server.Generation().ID() != "two" || h.seen[len(h.seen)-1].Generation != "two" {
		t.Error("not the second generation")
	}
}

// TestRootFieldsAreDescribed keeps the schema readable for who comes first.
func TestRootFieldsAreDescribed(t *testing.T) {
	schema, err := loadSchema(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range schema.Query.Fields {
		if f.Description == "" && !strings.HasPrefix(f.Name, "__") {
			t.Errorf("Query.%s has no description", f.Name)
		}
	}
	for _, f := range schema.Mutation.Fields {
		if f.Description == "" {
			t.Errorf("Mutation.%s has no description", f.Name)
		}
	}
}
