package graph

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/tuttihq/tutti"
)

// kept are operations of apps in the field. They name Promo and Every.teaserText, which the
// config of the tests below no longer has.
var kept = []string{
	`query A { experience(composition: "a", channel: "web") { components { __typename ... on Every { headline teaserText } ...P } } }
	 fragment P on Promo { id headline label deadline cost: price { amount } old { amount currency } where { lat } intro { html } link
		image { alt } cover { id ... on Asset { url(width: 100) } ...R } logo { alt url } list(first: 3) { nodes { title } pageInfo { endCursor } }
		items { totalCount } slots { components { ... on Badge { ... { sign } } } } }
	 fragment R on Product { sku }`,
	`query B($n: Int) { route(path: "/", channel: "web") { ... on RoutePage { experience { components { ... on Component { ... on Promo { list(first: $n) { nodes { id } } label } } } } } } }`,
	`{ experience(composition: "a", channel: "web") { components { ... on Empty { id } } } }`,
	`this is no operation`,
}

func problemsOf(t *testing.T, g *Generation, text string) []string {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range validator.ValidateWithRules(g.schema, doc, rules.NewDefaultRules()) {
		list = append(list, e.Message)
	}
	return list
}

func TestWhatIsRemovedStaysWhileStoredOperationsNameIt(t *testing.T) {
	types := []tutti.ComponentType{everyProp}
	without, err := NewGeneration(GenerationConfig{ComponentTypes: types})
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGeneration(GenerationConfig{ComponentTypes: types, Stored: kept})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range kept[:3] {
		if len(problemsOf(t, without, text)) == 0 {
			t.Errorf("this needs no tombstone: %s", text)
		}
		if p := problemsOf(t, g, text); len(p) > 0 {
			t.Errorf("%q in %s", p, text)
		}
	}
	promo := g.schema.Types["Promo"]
	if promo == nil || !strings.HasPrefix(promo.Description, "Deprecated:") {
		t.Fatalf("Promo: %+v", promo)
	}
	for name, want := range map[string]string{
		"headline": "String", "price": "Money", "link": "URL", "image": "Asset", "items": "ResourceConnection", // as Every has them
		"label": "JSON", "deadline": "JSON", "old": "Money", "where": "Location", "intro": "RichText", "cover": "Resource", "logo": "Asset", "list": "ResourceConnection",
	} {
		f := promo.Fields.ForName(name)
		if f == nil || f.Type.String() != want {
			t.Errorf("%s is %v, want %s", name, f, want)
		} else if f.Directives.ForName("deprecated") == nil || g.policies.fields[f] != allClasses {
			t.Errorf("%s is not deprecated, or not for all", name)
		}
	}
	if f := g.schema.Types["Every"].Fields.ForName("teaserText"); f == nil || f.Directives.ForName("deprecated") == nil {
		t.Errorf("Every.teaserText is %v", f)
	}
	if f := g.schema.Types["Badge"].Fields.ForName("sign"); f == nil {
		t.Error("Badge.sign is not there")
	}
	if g.schema.Types["Empty"] == nil || without.schema.Types["Promo"] != nil {
		t.Error("Empty is not there, or Promo without an operation that names it")
	}
	if again, err := NewGeneration(GenerationConfig{ComponentTypes: append(types, tutti.ComponentType{Name: "Promo"}), Stored: kept}); err != nil || strings.HasPrefix(again.schema.Types["Promo"].Description, "Deprecated:") {
		t.Errorf("a type that is back is a tombstone: %v", err)
	}
}

func TestStoredOperationsThatNothingCanSaveBuildNothing(t *testing.T) {
	for _, text := range []string{
		`{ experience(composition: "a", channel: "web") { components { ... on Query { id } ... on __Type { name } ... on String { x } } } }`,
		`{ experience(composition: "a", channel: "web") { components { ... on Every { headline { impossible } __secret id { x } } } } }`,
		`fragment A on Promo { ...B x { y { ...A } } } fragment B on Promo { ...A x }`,
		`{ ... on Promo { a(first: 1, other: 2) { nodes { id } nonsense } } }`,
	} {
		g, err := NewGeneration(GenerationConfig{ComponentTypes: []tutti.ComponentType{everyProp}, Stored: []string{text}})
		if err != nil {
			t.Errorf("%v for %s", err, text)
		} else if f := g.schema.Types["Every"].Fields.ForName("headline"); f.Type.String() != "String" {
			t.Errorf("Every.headline became %v by %s", f.Type, text)
		}
	}
}

func FuzzStoredOperations(f *testing.F) {
	for _, text := range kept {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := loadSchema([]tutti.ComponentType{everyProp}, nil, []string{text}); err != nil {
			t.Errorf("%v for %q", err, text)
		}
	})
}
