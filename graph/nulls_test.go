package graph

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestNullWhereAValueMustBe: a variable with a default may stand where null may not, and null that
// is sent for it is an error there (specification, section 6.4.1), however the operation is answered.
func TestNullWhereAValueMustBe(t *testing.T) {
	h := newHouse(t)
	for query, want := range map[string]string{
		// arguments at the top
		`query ($n: ID = "a") { experience(composition: $n, channel: "web") { id } }`:                                                           `null, at experience`,
		`query ($n: ID = "a") { locales x: experience(composition: $n, channel: "web") { id } }`:                                                `null, at x`,
		`query ($n: Float = 1) { experience(composition: "x", channel: "web", context: {location: {lat: $n, lon: 1}}) { id } }`:                 `null, at experience`,
		`query ($n: String = "a") { experience(composition: "x", channel: "web", supports: ["Hero", $n]) { id } }`:                              `null, at experience`,
		`query ($n: String = "a") { experience(composition: "x", channel: "web", ifNoneMatch: {slot: "main", hash: $n}) { slots { hash } } }`:   `null, at experience`,
		`query ($n: Ref = "a:b/c") { locales resource(ref: $n) { id } }`:                                                                        `{"locales":["en","de"],"resource":null}, at resource`,
		`query ($n: Ref = "a:b/c") { ... { ...F } } fragment F on Query { one: resource(ref: $n) { id } locales }`:                              `{"one":null,"locales":["en","de"]}, at one`,
		`query ($n: String = "a") { locales route(path: $n, channel: "web") { __typename } }`:                                                   `{"locales":["en","de"],"route":null}, at route`,
		`query ($n: Ref = "a:b/c") { resources(refs: [$n]) { id } }`:                                                                            `null, at resources`,
		`query ($n: ID = "a") { experience(composition: "x", channel: "web", locale: "en") { id } resource(ref: "a:b/c", channel: $n) { id } }`: `{"experience":{"id":"x1"},"resource":{"id":"r1"}}`,
		// arguments below
		`query ($n: String = "image") { experience(composition: "x", channel: "web") { id components { resource(prop: $n) { id } } } }`:                               `{"experience":{"id":"x1","components":[{"resource":null},{"resource":null}]}}, at experience components 0 resource, at experience components 1 resource`,
		`query ($n: String = "image") { locales experience(composition: "x", channel: "web") { components { ... on Hero { resources(prop: $n) { totalCount } } } } }`: `{"locales":["en","de"],"experience":{"components":[{"resources":null},{}]}}, at experience components 0 resources`,
		`query ($n: Boolean = true) { experience(composition: "x", channel: "web") { id @include(if: $n) } }`:                                                         `null, at experience`,
		`query ($n: Boolean = true) { experience(composition: "x", channel: "web") { id @skip(if: true) @include(if: $n) } }`:                                         `{"experience":{}}`,
		`query ($n: Boolean = true) { locales resource(ref: "a:b/c") { id ...F @skip(if: $n) } } fragment F on Resource { ref }`:                                      `{"locales":["en","de"],"resource":null}, at resource`,
		// what is included at the top, and in what the generic executor writes
		`query ($n: Boolean = true) { locales @include(if: $n) }`:                  `null`,
		`query ($n: Boolean = true) { ... @skip(if: $n) { locales } }`:             `null`,
		`query ($n: Boolean = true) { locales sources { name @include(if: $n) } }`: `null`,
	} {
		for _, method := range []string{"POST", "GET"} {
			if method == "GET" && strings.Contains(query, "location") {
				continue
			}
			vars := map[string]any{"n": nil}
			a := h.ask(tutti.ManagementKey, query, vars)
			if method == "GET" {
				a = h.send("GET", "/graphql?"+url.Values{"query": {query}, "variables": {`{"n":null}`}}.Encode(), h.keys[tutti.ManagementKey], "")
			}
			var got struct {
				Data   json.RawMessage
				Errors []struct {
					Path       []any
					Extensions struct {
						Code        tutti.Code
						Field, Hint string
					}
				}
			}
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
				t.Errorf("%s: %d %s", query, a.status, a.body)
				continue
			}
			told := string(got.Data)
			for _, e := range got.Errors {
				if e.Extensions.Code != tutti.InvalidValue || e.Extensions.Field != "n" || e.Extensions.Hint == "" {
					t.Errorf("%s: told as %+v", query, e)
				}
				if len(e.Path) > 0 {
					told += ", at"
				}
				for _, p := range e.Path {
					b, _ := json.Marshal(p)
					told += " " + strings.Trim(string(b), `"`)
				}
			}
			if told != want || strings.HasPrefix(want, "null") && len(got.Errors) != 1 {
				t.Errorf("%s by %s\ngot  %s\nwant %s\n%s", query, method, told, want, a.body)
			}
		}
		if a := h.ask(tutti.ManagementKey, query, nil); strings.Contains(a.body, `"errors"`) && strings.Contains(a.body, "INVALID_VALUE") {
			t.Errorf("%s: left out, its default counts: %s", query, a.body)
		}
	}
}

// TestTheProjectorWritesWhatGqlgenDoesNot: where nulls are looked for by the projector, and not
// before the generic executor begins, is what gqlgen.yml binds to an Answer.
func TestTheProjectorWritesWhatGqlgenDoesNot(t *testing.T) {
	b, err := os.ReadFile("../gqlgen.yml")
	if err != nil {
		t.Fatal(err)
	}
	bound := 0
	for line := range strings.Lines(string(b)) {
		name, model, _ := strings.Cut(strings.TrimSpace(line), ": {model: github.com/tuttihq/tutti/graph.")
		if !strings.HasSuffix(model, "Answer}") {
			continue
		}
		if bound++; !projected[name] {
			t.Errorf("%s is bound to an Answer", name)
		}
	}
	if bound != len(projected) {
		t.Errorf("%d types are bound to an Answer, not %d", bound, len(projected))
	}
}

// TestWhatNoIntCanSayIsAnError (specification, section 3.5.1).
func TestWhatNoIntCanSayIsAnError(t *testing.T) {
	schema := newHouse(t).server.Generation().Schema()
	asset := schema.Types["Asset"]
	for v, want := range map[any]string{
		1<<31 - 1: "2147483647", -1 << 31: "-2147483648", int64(1<<31 - 1): "2147483647", 3.0: "3", 0: "0",
		1 << 31: "", -1<<31 - 1: "", int64(1 << 31): "", 0.5: "", 1e21: "",
	} {
		d := &direct{}
		p := projector{ctx: &call{Context: t.Context(), direct: d}, schema: schema}
		ok := p.value(v, asset.Fields.ForName("width").Type, nil, false)
		switch {
		case want != "" && (string(p.out) != want || !ok || len(d.errors) > 0):
			t.Errorf("%v is written as %s, with the errors %v", v, p.out, d.errors)
		case want == "" && (string(p.out) != "null" || !ok || len(d.errors) != 1 || tutti.CodeOf(d.errors[0]) != tutti.InvalidValue):
			t.Errorf("%v is written as %s, with the errors %v", v, p.out, d.errors)
		}
	}
}
