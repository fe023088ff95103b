package graph

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// TestEveryFieldHasAPolicy reads the schema as it is served.
func TestEveryFieldHasAPolicy(t *testing.T) {
	schema, err := loadSchema(testComponents, testAttributes, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, missing := newPolicies(schema, false)
	if len(missing) > 0 {
		t.Errorf("without a policy: %v", missing)
	}
	fields := 0
	for name, def := range schema.Types {
		if (def.Kind == ast.Object || def.Kind == ast.Interface) && !strings.HasPrefix(name, "__") {
			for _, f := range def.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				fields++
				if p.fields[f] == 0 {
					t.Errorf("%s.%s is for nobody", name, f.Name)
				}
			}
		}
	}
	if fields < 200 {
		t.Errorf("only %d fields were looked at", fields)
	}
	for _, f := range schema.Mutation.Fields {
		if p.fields[f] != classBit(tutti.ManagementKey) {
			t.Errorf("Mutation.%s is for %s", f.Name, p.fields[f].names())
		}
	}
}

func TestASchemaWithoutPolicyIsFound(t *testing.T) {
	schema, err := loadSchema(testComponents, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	schema.Types["Asset"].Directives = nil
	schema.Types["RouteResult"].Directives = nil
	schema.Types["Hero"].Fields.ForName("why").Directives = nil
	_, missing := newPolicies(schema, false)
	all := strings.Join(missing, " ")
	for _, want := range []string{"Asset.alt", "RouteResult", "Hero.why (differs from Component)"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not found among %s", want, all)
		}
	}
}

func TestPoliciesByClass(t *testing.T) {
	h := newHouse(t)
	cases := []struct {
		name, query string
		allowed     []tutti.KeyClass
		field       string
	}{
		{"a field for all", `{ locales }`, tutti.KeyClasses, ""},
		{"a field for editors", `{ sources { name } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.sources"},
		{"behind an alias", `{ locales: sources { name } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.sources"},
		{"behind @skip", `{ locales sources @skip(if: true) { name } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.sources"},
		{"in a fragment in a fragment", `{ ...A } fragment A on Query { ...B } fragment B on Query { sources { name } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.sources"},
		{"deep, on the interface", `{ experience(composition: "a", channel: "web") { id components { id why { reason } } } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Component.why"},
		{"deep, on the object", `{ experience(composition: "a", channel: "web") { id components { ... on Hero { why { reason } } } } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Hero.why"},
		{"raw", `{ resource(ref: "stay:hotel/azul") { id raw } }`, []tutti.KeyClass{tutti.ManagementKey}, "Resource.raw"},
		{"raw of a type", `{ resource(ref: "stay:hotel/azul") { id ... on Place { raw } } }`, []tutti.KeyClass{tutti.ManagementKey}, "Place.raw"},
		{"an argument", `{ resource(ref: "stay:hotel/azul", preview: {}) { id } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.resource(preview:)"},
		{"an argument that is null", `{ resource(ref: "stay:hotel/azul", preview: null) { id } }`, []tutti.KeyClass{tutti.PreviewKey, tutti.ManagementKey}, "Query.resource(preview:)"},
		{"a mutation", `mutation { deletePersona(name: "x") }`, []tutti.KeyClass{tutti.ManagementKey}, "Mutation.deletePersona"},
		{"the schema", `{ __schema { queryType { name } } }`, tutti.KeyClasses, ""},
	}
	for _, c := range cases {
		for _, class := range tutti.KeyClasses {
			t.Run(c.name+" with "+string(class), func(t *testing.T) {
				h.resolver.calls = 0
				a := h.ask(class, c.query, nil)
				for _, ok := range c.allowed {
					if ok == class {
						if a.code() == string(tutti.Forbidden) {
							t.Errorf("refused: %s", a.body)
						}
						return
					}
				}
				h.wantCode(a, 403, tutti.Forbidden)
				e := a.json.Errors[0]
				if e.Extensions.Field != c.field || !strings.Contains(e.Extensions.Hint, string(c.allowed[len(c.allowed)-1])) || !strings.Contains(e.Message, string(class)) {
					t.Errorf("does not say what and who: %s", a.body)
				}
				if h.resolver.calls != 0 || strings.Contains(a.body, `"data"`) {
					t.Errorf("a refused request was answered in part: %s", a.body)
				}
			})
		}
	}
}

// TestAnswersComeWhole: gqlparser knows @defer, which nothing here answers. So nobody is told of it,
// and who asks for it is refused rather than answered as if he had not.
func TestAnswersComeWhole(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.BrowserKey, `{ __schema { directives { name } } }`, nil)
	for _, name := range []string{"include", "skip", "deprecated", "specifiedBy", "oneOf"} {
		if !strings.Contains(a.body, `"`+name+`"`) {
			t.Errorf("the schema lacks @%s: %s", name, a.body)
		}
	}
	if strings.Contains(a.body, `"defer"`) || strings.Contains(a.body, `"stream"`) {
		t.Errorf("the schema has %s", a.body)
	}
	for _, query := range []string{`{ ... @defer { locales } }`, `{ ...F @defer(label: "later") } fragment F on Query { locales }`} {
		if a := h.ask(tutti.BrowserKey, query, nil); a.status != http.StatusBadRequest || !strings.Contains(a.body, "@defer") || strings.Contains(a.body, `"data"`) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

func TestIntrospectionCanBeSwitchedOff(t *testing.T) {
	h := newHouse(t, func(c *GenerationConfig) { c.Introspection = false })
	for _, q := range []string{`{ __schema { queryType { name } } }`, `{ a: __type(name: "Query") { name } }`, `{ ...F } fragment F on Query { __schema { types { name } } }`} {
		h.wantCode(h.ask(tutti.ManagementKey, q, nil), 403, tutti.Forbidden)
	}
	if a := h.ask(tutti.BrowserKey, "{ __typename }", nil); a.body != `{"data":{"__typename":"Query"}}` {
		t.Errorf("__typename: %s", a.body)
	}
}

// TestGuardedInputs checks policies of inputs, which the schema may use, on a schema that does.
func TestGuardedInputs(t *testing.T) {
	schema, err := loadSchema(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	only := schema.Mutation.Directives // MANAGEMENT
	schema.Types["ContextInput"].Fields.ForName("visitor").Directives = only
	p, missing := newPolicies(schema, true)
	if len(missing) > 0 {
		t.Fatal(missing)
	}
	g := &Generation{schema: schema, policies: p, limits: DefaultLimits(), documents: newDocuments(1 << 20)}
	check := func(query string, vars map[string]any) int {
		d, _, errs := g.document(query)
		if errs != nil {
			t.Fatal(errs)
		}
		op := d.doc.Operations[0]
		return len(d.operations[op].restrictions) + len(p.variables(op, vars))
	}
	if n := check(`{ experience(composition: "a", channel: "b", context: {visitor: "v"}) { id } }`, nil); n != 1 {
		t.Errorf("a literal: %d", n)
	}
	if n := check(`{ experience(composition: "a", channel: "b", context: {market: "v"}) { id } }`, nil); n != 0 {
		t.Errorf("another field: %d", n)
	}
	const q = `query($c: ContextInput) { experience(composition: "a", channel: "b", context: $c) { id } }`
	if n := check(q, map[string]any{"c": map[string]any{"visitor": "v"}}); n != 1 {
		t.Errorf("a variable: %d", n)
	}
	if n := check(q, map[string]any{"c": map[string]any{"market": "v"}}); n != 0 {
		t.Errorf("another field in a variable: %d", n)
	}
	if n := check(`query($v: ID) { experience(composition: "a", channel: "b", context: {visitor: $v}) { id } }`, nil); n != 1 {
		t.Errorf("a variable in a literal: %d", n)
	}
}
