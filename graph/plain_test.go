package graph

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
)

// plainGeneration is what the plain way is tested with.
func plainGeneration(t testing.TB) *Generation {
	g, err := NewGeneration(GenerationConfig{ID: "plain", ComponentTypes: testComponents, Attributes: testAttributes, Limits: Limits{ContextBytes: 4 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// understood is all that resolvers get to know of one field's variables.
type understood struct {
	Arguments  experienceArguments
	Context    *ContextInput // without attributes
	Facts      []tutti.Context
	Problems   [][]tutti.Problem
	Errors     []string
	Selections map[string]any
}

var plainViewers = []Viewer{
	{Class: tutti.ServerKey},
	{Class: tutti.ServerKey, Visitor: "guest-7", Claims: map[string]any{"tier": "silver"}},
	{Class: tutti.BrowserKey, Visitor: "guest-7", Claims: map[string]any{"tier": "silver"}},
	{Class: tutti.BrowserKey},
	{Class: tutti.PreviewKey},
}

func understand(g *Generation, o *operation, i int, vars givenVariables) (u understood, err error) {
	d := &direct{op: o, vars: vars, field: o.direct[i]}
	if err := d.arguments(&d.args); err != nil {
		return u, err
	}
	u.Arguments = d.args
	if in := d.args.context; in != nil {
		c := *in
		u.Context, c.Attributes, c.read = &c, nil, false
	}
	u.Arguments.context = nil
	for range 2 { // another field may have the same context
		for _, v := range plainViewers {
			facts, problems, err := g.CheckContext(v, d.args.context)
			if len(facts.Attributes) == 0 {
				facts.Attributes = nil
			}
			u.Facts, u.Problems, u.Errors = append(u.Facts, facts), append(u.Problems, problems), append(u.Errors, fmt.Sprint(err))
		}
	}
	u.Selections = map[string]any{}
	for _, name := range o.fields[d.field].names {
		if v, given := vars.values[name]; given {
			u.Selections[name] = v
		}
	}
	return u, nil
}

// checkPlain holds the plain way to the generic one for a document and the JSON of its variables. It
// reports whether the plain way was gone.
func checkPlain(t testing.TB, g *Generation, text, variables string) (plain bool) {
	body := `{"query":"{a}","variables":` + variables + `}`
	p, bad := fromBody([]byte(body), &queryTexts{})
	if bad != nil {
		return false
	}
	d, errs := g.analyse(text)
	if errs != nil {
		return false
	}
	for _, op := range d.doc.Operations {
		o := d.operations[op]
		read, ok := g.plain(o, p, http.MethodPost)
		if !ok {
			continue
		}
		plain = true
		values, wrong := coerceVariables(g, op, p.values())
		if len(wrong) > 0 {
			t.Fatalf("%s\n%s\nthe plain way takes what is wrong: %v", text, variables, wrong)
		}
		if found := g.policies.variables(op, values); found != nil {
			t.Fatalf("%s\n%s\nthe plain way knows nothing of %v", text, variables, found)
		}
		_, costErr := cost(op, values, g.limits)
		if _, plainErr := cost(op, read.values, g.limits); !reflect.DeepEqual(plainErr, costErr) {
			t.Fatalf("%s\n%s\ncost: %v, by the generic way %v", text, variables, plainErr, costErr)
		}
		for i := range o.direct {
			want, wantErr := understand(g, o, i, givenVariables{values: values})
			got, gotErr := understand(g, o, i, read)
			if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("%s\n%s\nplain:   %+v %v\ngeneric: %+v %v", text, variables, got, gotErr, want, wantErr)
			}
		}
	}
	return plain
}

// TestPlainWay tells which requests go the plain way: a cheap one must not become dear unseen.
func TestPlainWay(t *testing.T) {
	g := plainGeneration(t)
	const text = `query($page: Int!, $hotel: Ref, $context: ContextInput, $locale: Locale, $all: JSON, $supports: [String!], $part: PagePart, $b: Boolean!) {
		a: experience(composition: "a", params: {page: $page, hotel: $hotel}, channel: "web", context: $context, locale: $locale) { id components { id @include(if: $b) } }
		b: experience(composition: "b", params: $all, channel: "web", context: $context, supports: $supports, part: $part) { id } }`
	whole := `{"visitor":"guest-7","location":{"lat":43.26,"lon":-2},"market":"eu","currency":"EUR","consent":{"personalization":true,"analytics":false,"marketing":null},
		"attributes":{"tier":"gold","reservation":"R-1","interests":["spa"],"visits":3,"since":"2026-11-21T09:00:00Z","home":{"lat":1,"lon":2.5},"shoe":42,"member":true}}`
	for _, variables := range []string{
		`{"page":7,"b":true}`,
		`{"page":7,"b":false,"context":` + whole + `}`,
		`{"b":true,"context":{},"hotel":"stay:hotel/azul","page":-3,"locale":"de-AT","all":{"sku":"x","n":3.5,"deep":[{}]},"supports":["Hero@1"],"part":"SHARED"}`,
		`{"page":7,"b":true,"context":null,"hotel":null,"locale":null,"all":null,"supports":null,"part":null}`,
		` { "page" : 7 , "b":true, "context" : { "visitor" : null , "attributes" : null , "consent" : { } , "location" : null } } `,
		`{"page":7,"b":true,"nobodyAsksForIt":{"a":[1]}}`,
		`{"p\u0061ge":7,"b":true,"context":{"visitor":"gu\u00e9st\n"}}`,
	} {
		if !checkPlain(t, g, text, variables) {
			t.Errorf("the generic way is gone for %s", variables)
		}
	}
	for name, variables := range map[string]string{
		"a missing value":            `{"b":true}`,
		"a null too many":            `{"page":null,"b":true}`,
		"a wrong type":               `{"page":"7","b":true}`,
		"a number too large":         `{"page":2147483648,"b":true}`,
		"a number in another way":    `{"page":7.0,"b":true}`,
		"a variable twice":           `{"page":7,"page":8,"b":true}`,
		"no ref":                     `{"page":7,"b":true,"hotel":"azul"}`,
		"no locale":                  `{"page":7,"b":true,"locale":"x"}`,
		"no value of an enum":        `{"page":7,"b":true,"part":"MOST"}`,
		"one for a list":             `{"page":7,"b":true,"supports":"Hero"}`,
		"null in a list":             `{"page":7,"b":true,"supports":[null]}`,
		"an id as a number":          `{"page":7,"b":true,"context":{"visitor":7}}`,
		"no object":                  `{"page":7,"b":true,"context":[]}`,
		"an unknown field":           `{"page":7,"b":true,"context":{"mood":"good"}}`,
		"a field twice":              `{"page":7,"b":true,"context":{"visitor":"a","visitor":"b"}}`,
		"half a place":               `{"page":7,"b":true,"context":{"location":{"lat":1}}}`,
		"a place with a null":        `{"page":7,"b":true,"context":{"location":{"lat":1,"lon":null}}}`,
		"an undeclared attribute":    `{"page":7,"b":true,"context":{"attributes":{"mood":"good"}}}`,
		"a deprecated attribute":     `{"page":7,"b":true,"context":{"attributes":{"oldName":"x"}}}`,
		"a derived attribute":        `{"page":7,"b":true,"context":{"attributes":{"distance":1}}}`,
		"an attribute that is null":  `{"page":7,"b":true,"context":{"attributes":{"visits":null}}}`,
		"an attribute twice":         `{"page":7,"b":true,"context":{"attributes":{"visits":1,"visits":2}}}`,
		"a value that is not listed": `{"page":7,"b":true,"context":{"attributes":{"tier":"tin"}}}`,
		"a whole number as a float":  `{"page":7,"b":true,"context":{"attributes":{"visits":3.0}}}`,
		"a context that may be big":  `{"page":7,"b":true,"context":{"attributes":{"reservation":"` + strings.Repeat("x", 600) + `"}}}`,
	} {
		if checkPlain(t, g, text, variables) {
			t.Errorf("%s: the plain way is gone for %s", name, variables)
		}
	}
	for name, text := range map[string]string{
		"not only experiences":         `query($c: ContextInput) { experience(composition: "a", channel: "w", context: $c) { id } locales }`,
		"a list of another type":       `query($c: [Int!]) { experience(composition: "a", channel: "w", params: {c: $c}) { id } }`,
		"a context in place of params": `query($c: ContextInput) { experience(composition: "a", channel: "w", params: {c: $c}, context: $c) { id } }`,
		"a list in place of params":    `query($c: [String!]) { experience(composition: "a", channel: "w", params: {c: [$c]}, supports: $c) { id } }`,
		"another input object":         `query($c: ConsentInput) { experience(composition: "a", channel: "w", context: {consent: $c}) { id } }`,
		"a default that is an object":  `query($c: ContextInput = {market: "eu"}) { experience(composition: "a", channel: "w", context: $c) { id } }`,
	} {
		if checkPlain(t, g, text, `{}`) {
			t.Errorf("%s: the plain way is gone", name)
		}
	}
}

// TestPlainContext holds what plainReader.context knows to the schema.
func TestPlainContext(t *testing.T) {
	g := plainGeneration(t)
	for name, want := range map[string]string{
		contextInput:   "visitor: ID, location: PlaceInput, market: ID, currency: String, attributes: AttributesInput, consent: ConsentInput",
		"PlaceInput":   "lat: Float!, lon: Float!",
		"ConsentInput": "personalization: Boolean, analytics: Boolean, marketing: Boolean",
	} {
		var fields []string
		for _, f := range g.schema.Types[name].Fields {
			fields = append(fields, f.Name+": "+f.Type.String())
			if f.DefaultValue != nil {
				t.Errorf("%s.%s has a default, of which the plain way knows nothing", name, f.Name)
			}
		}
		if got := strings.Join(fields, ", "); got != want {
			t.Errorf("%s is {%s}, but the plain way reads {%s}", name, got, want)
		}
	}
}

// TestPlainIsTheGenericWay asks random operations with random variables, right and wrong.
func TestPlainIsTheGenericWay(t *testing.T) {
	g := plainGeneration(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	plain := 0
	const asked = 4_000
	for range asked {
		text, variables := randomVariables(rnd)
		if _, errs := g.analyse(text); errs != nil {
			t.Fatalf("%s: %v", text, errs)
		}
		if checkPlain(t, g, text, variables) {
			plain++
		}
	}
	if plain < asked/4 || plain > asked*3/4 {
		t.Errorf("%d of %d go the plain way: that tells little of one of the two", plain, asked)
	}
}

func FuzzPlain(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		text, variables := randomVariables(rnd)
		f.Add(text, variables)
	}
	g := plainGeneration(f)
	f.Fuzz(func(t *testing.T, text, variables string) {
		if utf8.ValidString(variables) && utf8.ValidString(text) {
			checkPlain(t, g, text, variables)
		}
	})
}

// randomVariables makes a valid operation of experiences, and JSON for its variables that is right
// more often than not.
func randomVariables(rnd *rand.Rand) (text, variables string) {
	r := &randomizer{Rand: rnd, wrong: rnd.IntN(3)}
	var fields []string
	for i := range 1 + r.IntN(2) {
		args := []string{"composition: " + r.either(`"page"`, r.variable("ID!"), "7"), "channel: " + r.either(`"web"`, `"""web"""`, r.variable("ID!"))}
		for _, a := range []string{
			"params: " + r.either(r.variable("JSON"), "{}", "{page: "+r.variable("Int!")+", sku: "+r.variable("String")+", to: {hotel: "+r.variable("Ref")+", list: [1, "+r.variable("Float")+", {b: "+r.variable("Boolean")+"}]}}", `{a: 1, b: 2.5, c: null, d: [], e: "x"}`),
			"locale: " + r.either(`"de"`, r.variable("Locale"), "null"),
			"context: " + r.either(r.variable("ContextInput"), r.variable("ContextInput"), r.variable("ContextInput!"), "{market: "+r.variable("ID")+", attributes: {tier: "+r.variable("String")+", visits: 3}}", "null"),
			"supports: " + r.either(r.variable("[String!]"), r.variable("[String!]!"), `["Hero@1", `+r.variable("String!")+`]`, "[]", `"Card"`),
			"part: " + r.either("SHARED", r.variable("PagePart"), "null"),
		} {
			if r.IntN(2) == 0 {
				args = append(args, a)
			}
		}
		selected := r.either("id", "id", "id @include(if: "+r.variable("Boolean!")+")")
		fields = append(fields, fmt.Sprintf("f%d: experience(%s) { %s problems { code @skip(if: %s) } }", i, strings.Join(args, ", "), selected, r.either("false", r.variable("Boolean!"))))
	}
	text = strings.Join(fields, " ")
	var declared, given []string
	for _, v := range r.variables {
		if !strings.Contains(text, v.name) {
			continue
		}
		fallback := ""
		if r.IntN(6) == 0 {
			fallback = map[string]string{"ID!": ` = "x"`, "ID": " = 5", "Int!": " = 12", "String": ` = "s"`, "Boolean!": " = true", "Float": " = 2", "Ref": ` = "stay:hotel/azul"`, "Locale": ` = "es"`, "PagePart": " = PERSONAL", "ContextInput": " = null"}[v.typ]
		}
		declared = append(declared, v.name+": "+v.typ+fallback)
		times := 1
		if r.IntN(10) == 0 && !strings.HasSuffix(v.typ, "!") {
			times = 0
		} else if r.rarely() {
			times = 2 * r.IntN(2)
		}
		for range times {
			given = append(given, fmt.Sprintf("%q:%s", v.name[1:], r.value(v.typ)))
		}
	}
	if r.rarely() {
		given = append(given, `"other":[null]`)
	}
	r.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
	if len(declared) > 0 {
		text = "(" + strings.Join(declared, ", ") + ") { " + text
	} else {
		text = "{ " + text
	}
	return "query" + text + " }", "{" + strings.Join(given, ",") + "}"
}

type randomizer struct {
	*rand.Rand
	wrong     int // 0 = never
	variables []randomVariable
}

type randomVariable struct{ name, typ string }

func (r *randomizer) rarely() bool { return r.wrong > 0 && r.IntN(20/r.wrong) == 0 }

func (r *randomizer) either(list ...string) string { return list[r.IntN(len(list))] }

// variable gives a variable of a type: one that stands there already, or another.
func (r *randomizer) variable(typ string) string {
	for _, v := range r.variables {
		if v.typ == typ && r.IntN(2) == 0 {
			return v.name
		}
	}
	v := randomVariable{fmt.Sprintf("$v%02d", len(r.variables)), typ}
	r.variables = append(r.variables, v)
	return v.name
}

// value gives JSON for a type.
func (r *randomizer) value(typ string) string {
	base, required := strings.CutSuffix(typ, "!")
	if !required && r.IntN(10) == 0 {
		return "null"
	}
	if r.rarely() {
		return r.either("null", "7", "-1", "1e3", "99999999999", `"x"`, `"\u0061"`, "true", "[]", "{}", `[null]`, `{"a":1}`, `["a","b"]`, `[["a"]]`)
	}
	switch base {
	case "String":
		return r.either(`"x"`, `""`, `"gold"`, `"\"\ud83d\ude00\n"`, `"é"`)
	case "ID":
		return r.either(`"eu"`, `"guest-7"`, `"page"`, `"EU!"`)
	case "Int":
		return r.either("0", "7", "-3", "2147483647")
	case "Float":
		return r.either("0", "7", "-3.25", "1e3", "43.26")
	case "Boolean":
		return r.either("true", "false")
	case "Ref":
		return r.either(`"stay:hotel/azul"`, `"a:b/c:d/e"`)
	case "Locale":
		return r.either(`"en"`, `"de-AT"`)
	case "PagePart":
		return r.either(`"ALL"`, `"SHARED"`, `"PERSONAL"`)
	case "JSON":
		return r.either(`{"a":1,"b":[2.5,{"c":null}]}`, `"x"`, "[]", "3", `{}`)
	case "[String!]":
		return r.either(`[]`, `["a"]`, `["a", "Hero@2"]`)
	case "ContextInput":
		return r.object("visitor", "ID", "location", "Place", "market", "ID", "currency", "Currency", "attributes", "Attributes", "consent", "Consent")
	case "Place":
		return r.either(`{"lat":43.26,"lon":-2.93}`, `{"lon":-2, "lat":4e1}`, `{"lat":91,"lon":0}`)
	case "Currency":
		return r.either(`"EUR"`, `"USD"`, `"euro"`)
	case "Consent":
		return r.object("personalization", "Boolean", "analytics", "Boolean", "marketing", "Boolean")
	case "Attributes":
		return r.object("tier", "Tier!", "reservation", "String!", "interests", "[String!]!", "visits", "Int!", "since", "DateTime!", "home", "Place!", "shoe", "Float!", "member", "Boolean!")
	case "Tier":
		return r.either(`"silver"`, `"gold"`)
	case "DateTime":
		return r.either(`"2026-11-21T09:00:00Z"`, `"2026-11-21T09:00:00.5+01:00"`)
	}
	panic(typ)
}

// object gives an object of some of these fields, each with its type.
func (r *randomizer) object(fields ...string) string {
	var list []string
	for f := range slices.Chunk(fields, 2) {
		if r.IntN(2) == 0 {
			list = append(list, fmt.Sprintf("%q: %s", f[0], r.value(f[1])))
		}
		if r.rarely() {
			list = append(list, fmt.Sprintf("%q:%s", r.either(f[0], "oldName", "distance", "mood"), r.value(f[1])))
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return "{" + strings.Join(list, ",") + "}"
}
