package graph

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

const experienceQuery = `query($context: ContextInput) { experience(composition: "arrival", channel: "web", context: $context) { id } }`

func TestFactsThatCount(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{
		"visitor": "guest-7", "location": map[string]any{"lat": 43.2630, "lon": -2.9350}, "market": "eu", "currency": "EUR",
		"attributes": map[string]any{
			"tier": "gold", "reservation": "R-1007", "interests": []string{"spa", "pool"}, "visits": 3, "since": "2026-11-21T09:00:00+01:00",
			"home": map[string]any{"lat": 48, "lon": 16.5}, "shoe": 42, "member": true, "oldName": "x",
		},
		"consent": map[string]any{"personalization": true, "analytics": false, "marketing": nil},
	}})
	if a.code() != "" {
		t.Fatal(a.body)
	}
	got := h.resolver.context
	if since, ok := got.Attributes["since"].(time.Time); !ok || !since.Equal(noon.Add(-4*time.Hour)) {
		t.Errorf("since: %v", got.Attributes["since"])
	}
	delete(got.Attributes, "since")
	want := tutti.Context{
		Visitor: "guest-7", Location: &tutti.Place{Lat: 43.2630, Lon: -2.9350}, Market: "eu", Currency: "EUR",
		Attributes: map[string]any{
			"tier": "gold", "reservation": "R-1007", "interests": []string{"spa", "pool"}, "visits": int64(3),
			"home": tutti.Place{Lat: 48, Lon: 16.5}, "shoe": 42.0, "member": true,
		},
		Consent: tutti.Consent{tutti.Personalization: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if p := h.resolver.problems; len(p) != 1 || p[0].Code != tutti.DeprecatedAttr || p[0].Path != "context.attributes.oldName" || !strings.Contains(p[0].Message, "Use tier.") {
		t.Errorf("problems: %+v", p)
	}
}

func TestTheSameFactsAsLiterals(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.ServerKey, `query($t: String, $m: Boolean) { experience(composition: "arrival", channel: "web", context: {location: {lat: 43, lon: -2.5}, attributes: {tier: $t, member: $m, visits: 3, shoe: 1,
		interests: "spa", home: {lat: 1, lon: 2}, since: "2026-11-21T09:00:00Z"}}) { id } }`, map[string]any{"t": "gold"})
	if a.code() != "" {
		t.Fatal(a.body)
	}
	want := map[string]any{"tier": "gold", "visits": int64(3), "shoe": 1.0, "interests": []string{"spa"}, "home": tutti.Place{Lat: 1, Lon: 2}, "since": noon.Add(-3 * time.Hour)}
	if got := h.resolver.context.Attributes; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestWhatEachClassMayAssert(t *testing.T) {
	h := newHouse(t)
	facts := map[string]any{
		"context.visitor":                map[string]any{"visitor": "guest-7"},
		"context.location":               map[string]any{"location": map[string]any{"lat": 1, "lon": 2}},
		"context.consent":                map[string]any{"consent": map[string]any{"analytics": true}},
		"context.market":                 map[string]any{"market": "eu", "currency": "EUR"},
		"context.attributes.tier":        map[string]any{"attributes": map[string]any{"tier": "gold"}},
		"context.attributes.reservation": map[string]any{"attributes": map[string]any{"reservation": "R-1007"}},
		"context.attributes":             map[string]any{"attributes": map[string]any{"visits": 1}},
	}
	refused := map[tutti.KeyClass]map[string]string{
		tutti.BrowserKey: {"context.visitor": "Tutti-Visitor", "context.attributes.tier": "claim tier", "context.attributes.reservation": "server key"},
		tutti.PreviewKey: {
			"context.visitor": "persona", "context.location": "persona", "context.consent": "persona", "context.attributes.tier": "persona",
			"context.attributes.reservation": "persona", "context.attributes": "persona",
		},
	}
	for _, class := range tutti.KeyClasses {
		for field, input := range facts {
			t.Run(string(class)+" "+field, func(t *testing.T) {
				a := h.ask(class, experienceQuery, map[string]any{"context": input})
				hint, no := refused[class][field]
				if !no {
					if a.code() != "" {
						t.Errorf("refused: %s", a.body)
					}
					return
				}
				h.wantCode(a, 200, tutti.Forbidden)
				e := a.json.Errors[0].Extensions
				if !strings.HasPrefix(field, e.Field) || !strings.HasPrefix(e.Field, "context.") || !strings.Contains(e.Hint, hint) {
					t.Errorf("%s: %s", field, a.body)
				}
				if strings.Contains(a.body, "guest-7") || strings.Contains(a.body, "gold") || strings.Contains(a.body, "R-1007") {
					t.Errorf("the refusal repeats the value: %s", a.body)
				}
			})
		}
	}
	if a := h.send("POST", "/graphql", h.keys[tutti.PreviewKey], `{"query":"{ locales }"}`, VisitorHeader, "x"); a.status != 403 || a.code() != string(tutti.Forbidden) {
		t.Errorf("a preview key with a visitor token: %d %s", a.status, a.body)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.BrowserKey, experienceQuery, map[string]any{"context": map[string]any{"visitor": "guest-7", "market": "no such name", "attributes": map[string]any{"tier": "gold"}}})
	var fields []string
	for _, e := range a.json.Errors {
		fields = append(fields, e.Extensions.Code+" "+e.Extensions.Field)
		if len(e.Path) != 1 || e.Path[0] != "experience" {
			t.Errorf("path %v", e.Path)
		}
	}
	if want := []string{"FORBIDDEN context.visitor", "INVALID_VALUE context.market", "FORBIDDEN context.attributes.tier"}; !reflect.DeepEqual(fields, want) {
		t.Errorf("got %v", fields)
	}
}

// TestWrongAttributes sends each mistake in variables and written out: code, field and hint are
// the same.
func TestWrongAttributes(t *testing.T) {
	h := newHouse(t)
	cases := []struct {
		name, literal string
		value         map[string]any
		code          tutti.Code
		field, hint   string
	}{
		{"unknown", `{tierr: "gold"}`, map[string]any{"tierr": "gold"}, tutti.UnknownAttribute, "tierr", "Did you mean tier?"},
		{"quite unknown", `{zzzzzzzzzz: 1}`, map[string]any{"zzzzzzzzzz": 1}, tutti.UnknownAttribute, "zzzzzzzzzz", "One of: home, interests, member"},
		{"derived", `{distance: 1.0}`, map[string]any{"distance": 1.0}, tutti.UnknownAttribute, "distance", "finds it out"},
		{"a number for a string", `{tier: 12}`, map[string]any{"tier": 12}, tutti.InvalidValue, "tier", "Write a string"},
		{"a string for an int", `{visits: "3"}`, map[string]any{"visits": "3"}, tutti.InvalidValue, "visits", "whole number"},
		{"a fraction for an int", `{visits: 1.5}`, map[string]any{"visits": 1.5}, tutti.InvalidValue, "visits", "whole number"},
		{"a string for a bool", `{member: "true"}`, map[string]any{"member": "true"}, tutti.InvalidValue, "member", "true or false"},
		{"numbers in a list", `{interests: [1]}`, map[string]any{"interests": []any{1}}, tutti.InvalidValue, "interests", "list of strings"},
		{"a place without lon", `{home: {lat: 1}}`, map[string]any{"home": map[string]any{"lat": 1}}, tutti.InvalidValue, "home", "lon"},
		{"a place off the earth", `{home: {lat: 91, lon: 0}}`, map[string]any{"home": map[string]any{"lat": 91, "lon": 0}}, tutti.InvalidValue, "home", "lon"},
		{"no instant", `{since: "yesterday"}`, map[string]any{"since": "yesterday"}, tutti.InvalidValue, "since", "zone"},
		{"not an allowed value", `{tier: "platinum"}`, map[string]any{"tier": "platinum"}, tutti.InvalidValue, "tier", "One of: silver, gold."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inVariables := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": c.value}})
			written := h.ask(tutti.ServerKey, `{ experience(composition: "arrival", channel: "web", context: {attributes: `+c.literal+`}) { id } }`, nil)
			onlyAttributes := h.ask(tutti.ServerKey, `query($a: AttributesInput) { experience(composition: "arrival", channel: "web", context: {attributes: $a}) { id } }`, map[string]any{"a": c.value})
			for i, a := range []answer{inVariables, written, onlyAttributes} {
				if len(a.json.Errors) != 1 {
					t.Fatalf("%d: %s", i, a.body)
				}
				e := a.json.Errors[0].Extensions
				if e.Code != string(c.code) || !strings.HasSuffix(e.Field, "."+c.field) && e.Field != "a."+c.field || !strings.Contains(e.Hint, c.hint) {
					t.Errorf("%d: %s", i, a.body)
				}
				if i < 2 && e.Field != "context.attributes."+c.field {
					t.Errorf("%d: field %s", i, e.Field)
				}
			}
		})
	}
}

func TestWrongContext(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		input map[string]any
		code  tutti.Code
		field string
	}{
		"a place off the earth": {map[string]any{"location": map[string]any{"lat": 0, "lon": 181}}, tutti.InvalidValue, "context.location"},
		"half a place":          {map[string]any{"location": map[string]any{"lat": 0}}, tutti.InvalidValue, "context.location.lon"},
		"a currency in words":   {map[string]any{"currency": "euro"}, tutti.InvalidValue, "context.currency"},
		"a market with a slash": {map[string]any{"market": "a/b"}, tutti.InvalidValue, "context.market"},
		"an empty visitor":      {map[string]any{"visitor": ""}, tutti.InvalidValue, "context.visitor"},
		"a control character":   {map[string]any{"visitor": "a\nb"}, tutti.InvalidValue, "context.visitor"},
		"an unknown field":      {map[string]any{"vistor": "a"}, tutti.InvalidValue, "context.vistor"},
		"consent as a string":   {map[string]any{"consent": map[string]any{"marketing": "yes"}}, tutti.InvalidValue, "context.consent.marketing"},
		"a name not to repeat":  {map[string]any{"attributes": map[string]any{"<script>": "a"}}, tutti.UnknownAttribute, "context.attributes.?"},
		"over 16 KB":            {map[string]any{"attributes": map[string]any{"reservation": strings.Repeat("<", 16<<10)}}, tutti.ContextTooLarge, "context"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": c.input})
			if len(a.json.Errors) == 0 || a.code() != string(c.code) || a.json.Errors[0].Extensions.Field != c.field || strings.Contains(a.body, "script") {
				t.Errorf("%s", a.body)
			}
		})
	}
	fits := strings.Repeat("<", 16<<10-len(`{"attributes":{"reservation":""}}`))
	if a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": map[string]any{"reservation": fits}}}); a.code() != "" {
		t.Errorf("16 KB: %s", a.body[:200])
	}
}

func TestWrongVariables(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		query string
		vars  map[string]any
		code  tutti.Code
		field string
	}{
		"missing":           {`query($r: Ref!) { resource(ref: $r) { id } }`, nil, tutti.InvalidValue, "r"},
		"null":              {`query($r: Ref!) { resource(ref: $r) { id } }`, map[string]any{"r": nil}, tutti.InvalidValue, "r"},
		"no ref":            {`query($r: Ref!) { resource(ref: $r) { id } }`, map[string]any{"r": "azul"}, tutti.MalformedRef, "r"},
		"no ref in a list":  {`query($r: [Ref!]!) { resources(refs: $r) { id } }`, map[string]any{"r": []any{"a:b/c", "azul"}}, tutti.MalformedRef, "r[1]"},
		"no locale":         {`query($l: Locale) { resource(ref: "a:b/c", locale: $l) { id } }`, map[string]any{"l": "german!"}, tutti.InvalidValue, "l"},
		"a large int":       {`query($n: Int) { search(source: "a", kind: "b", first: $n) { totalCount } }`, map[string]any{"n": 3000000000}, tutti.InvalidValue, "n"},
		"an enum in small":  {`query($p: PreviewInput) { resource(ref: "a:b/c", preview: $p) { id } }`, map[string]any{"p": map[string]any{"perspective": map[string]any{"state": "draft"}}}, tutti.InvalidValue, "p.perspective.state"},
		"no instant":        {`query($p: PreviewInput) { resource(ref: "a:b/c", preview: $p) { id } }`, map[string]any{"p": map[string]any{"perspective": map[string]any{"at": "noon"}}}, tutti.InvalidValue, "p.perspective.at"},
		"a literal no ref":  {`{ resource(ref: "azul") { id } }`, nil, tutti.MalformedRef, ""},
		"a literal no date": {`{ resource(ref: "a:b/c", preview: {perspective: {at: "noon"}}) { id } }`, nil, tutti.InvalidValue, ""},
		"a literal number":  {`{ resource(ref: "a:b/c", locale: 5) { id } }`, nil, tutti.InvalidValue, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.ask(tutti.ManagementKey, c.query, c.vars)
			if len(a.json.Errors) != 1 || a.code() != string(c.code) || a.json.Errors[0].Extensions.Field != c.field {
				t.Errorf("%s", a.body)
			}
		})
	}
}
