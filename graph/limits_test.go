package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tuttihq/tutti"
)

// doubling makes n fragments of which each spreads the next one twice: 2^n selections.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 }\n")
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query { ...F%d ...F%d }\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Query { locales }\n", n)
	return b.String()
}

// nested doubles through fields, so that no response key stands twice in one place.
func nested(n int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 }\n")
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query { a%d { ...F%d } b%d { ...F%d } }\n", i, i, i+1, i, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Query { locales }\n", n)
	return b.String()
}

func many(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i) + " ")
	}
	return b.String()
}

// TestPrecheckWorkIsBounded counts what the check visits, instead of timing it.
func TestPrecheckWorkIsBounded(t *testing.T) {
	l := DefaultLimits()
	for name, c := range map[string]struct {
		query   string
		refused bool
		most    int // selections and keys visited
	}{
		"45 doubling fragments":           {doubling(45), true, 300},
		"45 doubling fragments in fields": {nested(19), true, 500},
		"a fragment that spreads itself":  {"{ ...A } fragment A on Query { locales ...A ...A }", false, 20},
		"two that spread each other":      {"{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A locales }", false, 20},
		"one field very often":            {"{ " + many(900, func(int) string { return "locales" }) + "}", true, 50},
		"one field often, by fragments":   {"{ " + many(30, func(i int) string { return "...A" }) + "} fragment A on Query { locales }", true, 100},
		"1,000 fields once": {"{ " + many(20, func(i int) string {
			return fmt.Sprintf("f%d { %s }", i, many(49, func(j int) string { return fmt.Sprintf("g%d", j) }))
		}) + "}", false, 2000},
		"wide fragments in many places": {"{ " + many(40, func(i int) string { return fmt.Sprintf("f%d { ...W }", i) }) + "} fragment W on Q { " + many(200, func(j int) string { return fmt.Sprintf("g%d", j) }) + "}", true, 7000},
		"fragments that spread each other": {"{ ...F0 } " + many(30, func(i int) string {
			return fmt.Sprintf("fragment F%d on Query { %s }", i, many(30, func(j int) string { return fmt.Sprintf("...F%d", j) }))
		}), true, 7000},
		"fields that meet in one place": {"{ " + strings.Repeat("a { "+strings.Repeat("b { c } ", 11)+"} ", 19) + "}", true, 1200},
		"fragments that are not used":   {"{ a } " + many(50, func(i int) string { return fmt.Sprintf("fragment U%d on Q { a { b { c } } }", i) }), false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := parser.ParseQuery(&ast.Source{Input: c.query})
			if err != nil {
				t.Fatal(err)
			}
			work, refused := precheck(doc, l)
			if (refused != nil) != c.refused {
				t.Errorf("refused: %v", refused)
			}
			if refused != nil && (refused.Code != tutti.TooComplex || refused.Hint == "") {
				t.Errorf("refused with %+v", refused)
			}
			if work > c.most || work == 0 {
				t.Errorf("%d visits, want %d at most", work, c.most)
			}
		})
	}
}

func TestLimitsAreKeptExactly(t *testing.T) {
	alias := func(n int) string {
		return "{ " + many(n, func(i int) string { return fmt.Sprintf("a%d: __typename", i) }) + "}"
	}
	deep := func(n int) string {
		return "{ __schema { types { " + strings.Repeat("ofType { ", n-3) + "name " + strings.Repeat("}", n-3) + "} } }"
	}
	cases := map[string]struct {
		ok, over string
		change   func(*Limits)
	}{
		"document bytes": {"{ locales }" + strings.Repeat(" ", 64<<10-11), "{ locales }" + strings.Repeat(" ", 64<<10-10), nil},
		"tokens":         {"{ locales @include(if: [" + strings.Repeat("1 ", 10) + "]) }", "{ locales @include(if: [" + strings.Repeat("1 ", 30) + "]) }", func(l *Limits) { l.Tokens = 25 }},
		"name bytes":     {"{ " + strings.Repeat("a", 128) + ": locales }", "{ " + strings.Repeat("a", 129) + ": locales }", nil},
		"names of types": {"{ ... on Query { locales } }", "{ ... on " + strings.Repeat("A", 129) + " { locales } }", nil},
		"depth":          {deep(20), deep(21), nil},
		"same keys":      {"{ " + strings.Repeat("locales ", 20) + "}", "{ " + strings.Repeat("locales ", 21) + "}", nil},
		"aliases":        {alias(50), alias(51), func(l *Limits) { l.RootFields = 100 }},
		"root fields":    {alias(50), alias(51), func(l *Limits) { l.Aliases = 100 }},
		"directives":     {"{ a: locales " + strings.Repeat("@skip(if: false) ", 1) + "}", "{ locales @skip(if: false) @include(if: true) }", func(l *Limits) { l.Directives = 1 }},
		"same place":     {"{ " + strings.Repeat("__schema { types { name } } ", 10) + "}", "{ " + strings.Repeat("__schema { types { name } } ", 11) + "}", func(l *Limits) { l.SamePlace = 10 }},
		"fragments":      {"{ ...F0 } fragment F0 on Query { locales }", "{ ...F0 ...F1 } fragment F0 on Query { locales } fragment F1 on Query { locales }", func(l *Limits) { l.Fragments = 1 }},
		"selections":     {"{ locales __typename }", "{ locales __typename a: __typename }", func(l *Limits) { l.Selections = 2 }},
		"expanded":       {"{ ...F ...F } fragment F on Query { locales }", "{ ...F ...F ...F } fragment F on Query { locales }", func(l *Limits) { l.Expanded = 4 }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(g *GenerationConfig) {
				if c.change != nil {
					c.change(&g.Limits)
				}
			})
			if a := h.ask(tutti.ServerKey, c.ok, nil); a.code() == string(tutti.TooComplex) {
				t.Errorf("at the limit: %s", a.body)
			}
			a := h.ask(tutti.ServerKey, c.over, nil)
			h.wantCode(a, 400, tutti.TooComplex)
			if len(a.json.Errors) == 1 && a.json.Errors[0].Extensions.Hint == "" {
				t.Error("no hint what is allowed")
			}
		})
	}
}

func TestListSizesCount(t *testing.T) {
	h := newHouse(t)
	items := func(first string) string {
		return `{ experience(composition: "a", channel: "w") { components { id resources(prop: "items", first: ` + first + `) { nodes { id } } } } }`
	}
	cases := map[string]struct {
		query string
		vars  map[string]any
		code  tutti.Code
	}{
		"100":                        {items("100"), nil, ""},
		"101":                        {items("101"), nil, tutti.TooComplex},
		"more than a machine word":   {items("99999999999999999999"), nil, tutti.InvalidValue},
		"below zero":                 {items("-1"), nil, tutti.InvalidValue},
		"101 in a variable":          {`query($n: Int) { search(source: "dam", kind: "asset", first: $n) { nodes { id } } }`, map[string]any{"n": 101}, tutti.TooComplex},
		"101 as a default":           {`query($n: Int = 101) { search(source: "dam", kind: "asset", first: $n) { nodes { id } } }`, nil, tutti.TooComplex},
		"101 refs":                   {`query($r: [Ref!]!) { resources(refs: $r) { id } }`, map[string]any{"r": strings.Split(strings.Repeat("a:b/c,", 100)+"a:b/c", ",")}, tutti.TooComplex},
		"lists in lists, small":      {`{ compositions(first: 10) { nodes { versions(first: 10) { nodes { number } } } } }`, nil, ""},
		"lists in lists, multiplied": {`{ compositions(first: 100) { nodes { versions(first: 100) { nodes { number note } } } } }`, nil, tutti.TooComplex},
		"the same by fragments":      {`{ compositions(first: 100) { ...C } } fragment C on CompositionConnection { nodes { versions(first: 100) { ...V } } } fragment V on CompositionVersionConnection { nodes { number note } }`, nil, tutti.TooComplex},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := h.ask(tutti.ManagementKey, c.query, c.vars)
			if got := a.code(); got != string(c.code) && !(c.code == "" && got == string(tutti.Internal)) { // resolvers of most fields are not here
				t.Errorf("got %s, want %q: %s", got, c.code, a.body)
			}
		})
	}
}

func TestTenErrorsAtMost(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.ServerKey, "{ "+many(500, func(i int) string { return fmt.Sprintf("wrong%d", i) })+"}", nil)
	h.wantCode(a, 400, tutti.TooComplex) // 50 fields at the top
	a = h.ask(tutti.ServerKey, "{ "+many(40, func(i int) string { return fmt.Sprintf("wrong%d", i) })+"}", nil)
	if len(a.json.Errors) != 10 {
		t.Errorf("%d errors", len(a.json.Errors))
	}
	vars := map[string]any{}
	for i := range 5000 {
		vars[fmt.Sprintf("wrong%d", i)] = 1
	}
	a = h.ask(tutti.ServerKey, `query($c: ContextInput) { experience(composition: "a", channel: "w", context: $c) { id } }`, map[string]any{"c": vars})
	if len(a.json.Errors) != 10 || len(a.body) > 5000 {
		t.Errorf("%d errors in %d bytes", len(a.json.Errors), len(a.body))
	}
	long := strings.Repeat("x", 60000)
	a = h.ask(tutti.ServerKey, "{ "+long+" }", nil)
	if len(a.body) > 1000 {
		t.Errorf("a long name makes an answer of %d bytes", len(a.body))
	}
}

func TestDocumentsKeepToTheirBytes(t *testing.T) {
	doc := func(i int) *document { return &document{text: fmt.Sprintf("{ a%03d }", i)} }
	c := newDocuments(10 * doc(0).weight())
	for i := range 30 {
		c.add(doc(i))
		c.get(doc(0).text) // stays, because it is used
	}
	if len(c.byText) != 10 || c.bytes > c.most || c.order.Len() != 10 {
		t.Errorf("%d documents, %d bytes", len(c.byText), c.bytes)
	}
	if c.get(doc(0).text) == nil || c.get(doc(29).text) == nil || c.get(doc(5).text) != nil {
		t.Error("not the ones used last")
	}
	big := &document{text: strings.Repeat("a", c.most)}
	if c.add(big); c.get(big.text) != nil || len(c.byText) != 10 {
		t.Error("one that is too large pushed out the others")
	}
}

func TestOnlyValidDocumentsAreKept(t *testing.T) {
	h := newHouse(t)
	for range 2 {
		h.ask(tutti.ServerKey, "{ locales }", nil)
		h.ask(tutti.ServerKey, "{ nothing }", nil)
		h.ask(tutti.ServerKey, doubling(30), nil)
	}
	if n := len(h.server.Generation().documents.byText); n != 1 {
		t.Errorf("%d documents are kept", n)
	}
	var cached []bool
	for _, o := range h.seen {
		cached = append(cached, o.Cached)
	}
	if fmt.Sprint(cached) != "[false false false true false false]" {
		t.Errorf("cached: %v", cached)
	}
}

// FuzzDocument feeds any text to all that comes before a resolver: it must give a document or
// errors, in bounded work.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		"{ locales }", doubling(10), nested(5), `query($c: ContextInput = {attributes: {tier: 1}}) { experience(composition: "a", channel: "b", context: $c) { id } }`,
		`{ experience(composition: "a", channel: "b", context: {attributes: {tierr: "gold", home: {lat: 1}}}) { components { ... on Hero { id } } } }`,
		"{ ...A } fragment A on Query { ...A }", "mutation { deletePersona(name: \"\"\"x\"\"\") }", "{ __schema { types { fields { name } } } }", "subscription { a }",
		"{ resources(refs: [\"a:b/c\"], first: 3) @skip(if: $x) { id } }", "fragment A on A { a }", "{ a(first: [{b: $c}]) }",
	} {
		f.Add(s)
	}
	g, err := NewGeneration(GenerationConfig{ComponentTypes: testComponents, Attributes: testAttributes, Introspection: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, g.limits.Tokens); err == nil {
			if work, _ := precheck(doc, g.limits); work > (g.limits.Fragments+2*len(doc.Operations)+1)*(g.limits.Expanded+g.limits.Selections) {
				t.Errorf("%d visits", work)
			}
		}
		d, _, errs := g.document(text)
		if (d == nil) == (errs == nil) {
			t.Fatalf("document %v, errors %v", d, errs)
		}
		if len(errs) > g.limits.Errors {
			t.Errorf("%d errors", len(errs))
		}
		if d != nil {
			for _, op := range d.doc.Operations {
				coerceVariables(g, op, map[string]any{"c": map[string]any{"attributes": map[string]any{"tier": "gold"}}})
				cost(op, nil, g.limits)
			}
		}
	})
}
