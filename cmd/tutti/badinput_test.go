package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
)

// inside is what an answer must never tell of the machine: addresses, files, code.
var inside = regexp.MustCompile(`127\.0\.0\.1|localhost|https?://[^"\s]*:\d+|/tmp/|/home/|\.go:\d+|goroutine|runtime\.|panic|SQLITE|sql:|dial tcp|context deadline|graphql/resolvers|\*[a-z]+\.[A-Z]`)

func TestBadInputIsToldBeforeAnyOriginIsAsked(t *testing.T) {
	p := play(t)
	p.reconfigure(func(cfg *config.Config) {
		cfg.Attributes = append(slices.Clone(cfg.Attributes),
			tutti.Attribute{Name: "status", Type: tutti.StringType, Purpose: tutti.Necessary, Sensitivity: tutti.Segment, Deprecated: "use tier"},
			tutti.Attribute{Name: "nights", Type: tutti.IntType, Purpose: tutti.Necessary, Sensitivity: tutti.Segment, Step: 1})
		cfg.Locales = tutti.Locales{Default: "en", Names: cfg.Locales.Names, Chains: cfg.Locales.Chains}
	})
	const arrival = `query($c: ID!, $p: JSON, $ch: ID!, $l: Locale, $x: ContextInput) { experience(composition: $c, params: $p, channel: $ch, locale: $l, context: $x) { id problems { code path message } } }`
	page := func(change map[string]any) map[string]any {
		v := map[string]any{"c": "hotel-arrival", "p": map[string]any{"hotel": "stay:hotel/azul"}, "ch": "web"}
		for k, x := range change {
			v[k] = x
		}
		return v
	}
	x := func(c map[string]any) map[string]any { return page(map[string]any{"x": c}) }
	attributes := func(a map[string]any) map[string]any { return x(map[string]any{"attributes": a}) }
	params := func(ps any) map[string]any { return page(map[string]any{"p": ps}) }
	refs := func(n int) []string { return slices.Repeat([]string{"stay:hotel/azul"}, n) }
	const byRef, byRefs = `query($r: Ref!) { resource(ref: $r) { title } }`, `query($r: [Ref!]!) { resources(refs: $r) { title } }`
	const search = `query($s: ID!, $k: ID!, $f: Int, $a: String) { search(source: $s, kind: $k, first: $f, after: $a) { totalCount } }`
	const more = `query($c: String!, $f: Int) { more(cursor: $c, first: $f) { totalCount } }`
	for _, c := range []struct {
		name  string
		query string
		vars  map[string]any
		code  tutti.Code
		says  []string // in the message, hint and field
	}{
		{"a composition that does not exist", arrival, page(map[string]any{"c": "hotel-arival"}), tutti.UnknownComposition, []string{"hotel-arrival"}},
		{"a composition with a strange name", arrival, page(map[string]any{"c": "../../etc/passwd"}), tutti.UnknownComposition, nil},
		{"a channel that does not exist", arrival, page(map[string]any{"ch": "mobil"}), tutti.UnknownChannel, []string{"mobile"}},
		{"no channel", arrival, page(map[string]any{"ch": ""}), tutti.UnknownChannel, []string{"web"}},
		{"an attribute that does not exist", arrival, attributes(map[string]any{"teir": "gold"}), tutti.UnknownAttribute, []string{"teir", "tier"}},
		{"an attribute of an enricher", arrival, attributes(map[string]any{"stay.room": "1"}), tutti.UnknownAttribute, nil},
		{"an attribute of the wrong type", arrival, attributes(map[string]any{"nights": "two"}), tutti.InvalidValue, []string{"nights"}},
		{"an attribute with another value", arrival, attributes(map[string]any{"tier": "golden"}), tutti.InvalidValue, []string{"tier", "gold"}},
		{"an attribute that is a list", arrival, attributes(map[string]any{"tier": []string{"gold"}}), tutti.InvalidValue, []string{"tier"}},
		{"a context over 16 KB", arrival, attributes(map[string]any{"reservation": strings.Repeat("R", 17<<10)}), tutti.ContextTooLarge, []string{"16"}},
		{"a place that is none", arrival, x(map[string]any{"location": map[string]any{"lat": 91, "lon": 0}}), tutti.InvalidValue, []string{"context.location", "-90 to 90"}},
		{"half a place", arrival, x(map[string]any{"location": map[string]any{"lat": 43}}), tutti.InvalidValue, []string{"lon"}},
		{"a context with a field too many", arrival, x(map[string]any{"locatoin": nil}), tutti.InvalidValue, []string{"locatoin"}},
		{"a currency that is none", arrival, x(map[string]any{"currency": "euro"}), tutti.InvalidValue, []string{"EUR"}},
		{"a market that does not exist", arrival, x(map[string]any{"market": "mars"}), tutti.InvalidValue, []string{"eu"}},
		{"an empty visitor", arrival, x(map[string]any{"visitor": ""}), tutti.InvalidValue, []string{"context.visitor"}},
		{"a language whose chain reaches nothing", arrival, page(map[string]any{"l": "fr"}), tutti.UnknownLocale, []string{"en", "de", "es"}},
		{"a language that is none", arrival, page(map[string]any{"l": "not a language"}), tutti.InvalidValue, nil},
		{"a missing param", arrival, params(nil), tutti.MissingParam, []string{"params.hotel", "stay:hotel/"}},
		{"an unknown param", arrival, params(map[string]any{"hotel": "stay:hotel/azul", "hotels": 1}), tutti.UnknownParam, []string{"params.hotels", "hotel"}},
		{"a param of the wrong type", arrival, params(map[string]any{"hotel": 7}), tutti.InvalidValue, []string{"params.hotel"}},
		{"params that are a list", arrival, params([]string{"stay:hotel/azul"}), tutti.InvalidValue, []string{"params"}},
		{"a malformed ref", arrival, params(map[string]any{"hotel": "azul"}), tutti.MalformedRef, []string{"params.hotel", "source:kind/id"}},
		{"a ref to another kind", arrival, params(map[string]any{"hotel": "stay:reservation/R-1007"}), tutti.InvalidValue, []string{"params.hotel", "stay:hotel"}},
		{"a ref to an unknown source", arrival, params(map[string]any{"hotel": "stays:hotel/azul"}), tutti.UnknownSource, []string{"params.hotel"}},
		{"a ref to an unknown kind", arrival, params(map[string]any{"hotel": "stay:hotels/azul"}), tutti.UnknownSource, []string{"params.hotel"}},
		{"a malformed ref by itself", byRef, map[string]any{"r": "stay/azul"}, tutti.MalformedRef, []string{"source:kind/id"}},
		{"a ref to an unknown source by itself", byRef, map[string]any{"r": "hotels:hotel/azul"}, tutti.UnknownSource, []string{"sources"}},
		{"a ref longer than any", byRef, map[string]any{"r": "stay:hotel/" + strings.Repeat("x", 2000)}, tutti.MalformedRef, nil},
		{"101 refs", byRefs, map[string]any{"r": refs(101)}, tutti.TooComplex, []string{"100"}},
		{"a search in an unknown source", search, map[string]any{"s": "stays", "k": "hotel"}, tutti.UnknownSource, nil},
		{"a search for 0", search, map[string]any{"s": "stay", "k": "hotel", "f": 0}, tutti.InvalidValue, []string{"first", "1 to 100"}},
		{"a search for -1", search, map[string]any{"s": "stay", "k": "hotel", "f": -1}, tutti.InvalidValue, []string{"first"}},
		{"a search for 101", search, map[string]any{"s": "stay", "k": "hotel", "f": 101}, tutti.TooComplex, []string{"first", "100"}},
		{"a search after nonsense", search, map[string]any{"s": "stay", "k": "hotel", "a": "nonsense"}, tutti.InvalidValue, []string{"cursor", "endCursor"}},
		{"more of nonsense", more, map[string]any{"c": "nonsense"}, tutti.InvalidValue, []string{"cursor", "endCursor"}},
		{"more of an empty cursor", more, map[string]any{"c": ""}, tutti.InvalidValue, []string{"cursor"}},
		{"0 more", more, map[string]any{"c": "nonsense", "f": 0}, tutti.InvalidValue, []string{"first"}},
		{"routes after nonsense", `{ routes(channel: "web", after: "nonsense") { nodes { path } } }`, nil, tutti.InvalidValue, []string{"endCursor"}},
		{"routes after what somebody made up", `{ routes(channel: "web", after: "` + base64.RawURLEncoding.EncodeToString([]byte(`{"r":"/{locale}/hotels/{hotel}","a":"x","Route":"/"}`)) + `") { nodes { path } } }`, nil, tutti.InvalidValue, []string{"endCursor"}},
		{"a resource for no channel", `{ resource(ref: "stay:hotel/azul", channel: "") { title } }`, nil, tutti.UnknownChannel, []string{"web"}},
		{"a search for no channel", `{ search(source: "stay", kind: "hotel", channel: "") { totalCount } }`, nil, tutti.UnknownChannel, []string{"web"}},
		{"routes of no channel", `{ routes(channel: "") { nodes { path } } }`, nil, tutti.UnknownChannel, []string{"web"}},
		{"101 routes", `{ routes(channel: "web", first: 101) { nodes { path } } }`, nil, tutti.TooComplex, []string{"100"}},
		{"a list of 101 in a component", `{ experience(composition: "home", channel: "web") { components { resources(prop: "items", first: 101) { totalCount } } } }`, nil, tutti.TooComplex, []string{"100"}},
		{"a forbidden field", `{ sources { name } }`, nil, tutti.Forbidden, []string{"Query.sources", "management"}},
		{"an unknown field", `{ experiense(composition: "home", channel: "web") { id } }`, nil, tutti.BadRequest, []string{"experience"}},
		{"a document that is none", `{ experience(`, nil, tutti.BadRequest, nil},
		{"a missing variable", arrival, map[string]any{"ch": "web"}, tutti.InvalidValue, []string{`"field":"c"`, "ID!"}},
		{"a variable of the wrong type", search, map[string]any{"s": "stay", "k": "hotel", "f": "ten"}, tutti.InvalidValue, []string{"f"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.ask(p.key(tutti.ServerKey), "", c.query, c.vars)
			if got := a.code(); got != c.code || !nothing.Match(a.Data) {
				t.Errorf("want %s, no data; got %d %s", c.code, a.Status, a.Raw)
			}
			if n := p.calls(); len(n) > 0 {
				t.Errorf("origins are asked: %v", n)
				p.origins.ResetCalls()
			}
			wants(t, "the error", a.Raw, c.says...)
			if inside.MatchString(a.Raw) || len(a.Raw) > 4000 {
				t.Errorf("says too much: %s", a.Raw)
			}
			for _, e := range a.Errors {
				if e.Message == "" || e.Extensions.RequestID != a.Header.Get("X-Request-Id") {
					t.Errorf("an error without words or id: %s", a.Raw)
				}
			}
		})
	}
	t.Run("a removed attribute is ignored", func(t *testing.T) {
		a := p.ask(p.key(tutti.ServerKey), "", arrival, attributes(map[string]any{"status": "gold", "tier": "silver"}))
		wants(t, "the answer", a.Raw, `"code":"DEPRECATED_ATTRIBUTE"`, `"path":"context.attributes.status"`, "use tier")
		if len(a.Errors) > 0 {
			t.Errorf("it is an error: %s", a.Raw)
		}
	})
}

func TestPreviewsOfNothingAreRefused(t *testing.T) {
	p := play(t)
	const q = `query($v: PreviewInput) { experience(composition: "home", channel: "web", preview: $v) { id } }`
	for name, c := range map[string]struct {
		v    map[string]any
		code tutti.Code
		says string
	}{
		"a persona that does not exist":      {map[string]any{"persona": "ana-ariving"}, tutti.NotFound, "preview.persona"},
		"a component that does not exist":    {map[string]any{"variants": []any{map[string]any{"component": "welcom", "variant": "family"}}}, tutti.InvalidValue, "welcome"},
		"a variant that does not exist":      {map[string]any{"variants": []any{map[string]any{"component": "welcome", "variant": "famly"}}}, tutti.InvalidValue, "family"},
		"a place that is none":               {map[string]any{"location": map[string]any{"lat": 1, "lon": 181}}, tutti.InvalidValue, "preview.location"},
		"a moment that is none":              {map[string]any{"perspective": map[string]any{"at": "tomorrow"}}, tutti.InvalidValue, "at"},
		"a state that is none":               {map[string]any{"perspective": map[string]any{"state": "SECRET"}}, tutti.InvalidValue, "DRAFT"},
		"a field that is none":               {map[string]any{"personas": "x"}, tutti.InvalidValue, "personas"},
		"a moment before anything was there": {map[string]any{"perspective": map[string]any{"at": "1999-01-01T00:00:00Z"}}, tutti.UnknownComposition, "home"},
	} {
		a := p.ask(p.key(tutti.PreviewKey), "", q, map[string]any{"v": c.v})
		p.refuses(name, a, c.code)
		wants(t, name, a.Raw, c.says)
		if inside.MatchString(a.Raw) {
			t.Errorf("%s: says too much: %s", name, a.Raw)
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	p := play(t)
	good := `{"query":"{ channels { name } }"}`
	post := func(contentType, body string) answer {
		h := http.Header{"Authorization": {"Bearer " + p.key(tutti.BrowserKey)}}
		if contentType != "" {
			h.Set("Content-Type", contentType)
		}
		return p.send(http.MethodPost, "/graphql", h, []byte(body))
	}
	const js = "application/json"
	for name, c := range map[string]struct {
		a      answer
		status int
		code   tutti.Code
	}{
		"garbage":               {post(js, `{"query":`), 400, tutti.BadRequest},
		"nothing":               {post(js, ``), 400, tutti.BadRequest},
		"a text":                {post(js, `"{ channels { name } }"`), 400, tutti.BadRequest},
		"null":                  {post(js, `null`), 400, tutti.BadRequest},
		"a batch":               {post(js, `[`+good+`,`+good+`]`), 400, tutti.BadRequest},
		"no query":              {post(js, `{"variables":{}}`), 400, tutti.BadRequest},
		"a query that is none":  {post(js, `{"query":{}}`), 400, tutti.BadRequest},
		"variables as a list":   {post(js, `{"query":"{ channels { name } }","variables":[1]}`), 400, tutti.BadRequest},
		"not UTF-8":             {post(js, "{\"query\":\"{ channels { name } } # \xff\"}"), 400, tutti.BadRequest},
		"a form":                {post("application/x-www-form-urlencoded", "query={channels{name}}"), 415, tutti.BadRequest},
		"multipart":             {post("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n"+good+"\r\n--x--"), 415, tutti.BadRequest},
		"plain text":            {post("text/plain", good), 415, tutti.BadRequest},
		"no content type":       {post("", good), 415, tutti.BadRequest},
		"another character set": {post("application/json; charset=latin1", good), 415, tutti.BadRequest},
		"over 1 MB":             {post(js, `{"query":"{ channels { name } }","variables":{"x":"`+strings.Repeat("x", 1<<20)+`"}}`), 413, tutti.TooLarge},
		"two operations":        {post(js, `{"query":"query A { channels { name } } query B { channels { name } }"}`), 200, tutti.BadRequest},
		"PUT":                   {p.send(http.MethodPut, "/graphql", http.Header{"Authorization": {"Bearer " + p.key(tutti.BrowserKey)}}, []byte(good)), 405, tutti.BadRequest},
		"a mutation by GET":     {p.send(http.MethodGet, "/graphql?query=mutation%7BdeletePersona(name%3A%22x%22)%7D", http.Header{"Authorization": {"Bearer " + p.key(tutti.ManagementKey)}}, nil), 405, tutti.BadRequest},
	} {
		if c.a.Status != c.status || c.a.code() != c.code || c.a.Data != nil || !strings.HasPrefix(c.a.Header.Get("Content-Type"), "application/") {
			t.Errorf("%s: want %d %s, got %d %s %s", name, c.status, c.code, c.a.Status, c.a.Header.Get("Content-Type"), c.a.Raw)
		}
		if inside.MatchString(c.a.Raw) || len(c.a.Raw) > 1000 {
			t.Errorf("%s: says too much: %s", name, c.a.Raw)
		}
	}
	if c := p.calls(); len(c) > 0 {
		t.Errorf("origins are asked: %v", c)
	}
}

func TestHostileDocumentsAreRefusedAtOnce(t *testing.T) {
	p := play(t)
	var deep strings.Builder
	deep.WriteString(`{ experience(composition: "home", channel: "web") { `)
	for range 40 {
		deep.WriteString("slots { components { ")
	}
	deep.WriteString("id" + strings.Repeat(" } }", 40) + " } }")
	var spreads strings.Builder
	spreads.WriteString(`{ experience(composition: "home", channel: "web") { ...F0 } } `)
	for i := range 30 { // doubles at each level
		fmt.Fprintf(&spreads, "fragment F%d on Experience { ...F%d ...F%d } ", i, i+1, i+1)
	}
	spreads.WriteString("fragment F30 on Experience { id }")
	aliases := func(n int, what string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: %s ", i, what)
		}
		return b.String()
	}
	for name, q := range map[string]string{
		"deep":                deep.String(),
		"fragments":           spreads.String(),
		"a circle":            `{ experience(composition: "home", channel: "web") { ...F } } fragment F on Experience { ...F }`,
		"wide at the root":    "{ " + aliases(200, `experience(composition: "home", channel: "web") { id }`) + " }",
		"wide below":          `{ experience(composition: "home", channel: "web") { components { ` + aliases(200, `resources(prop: "items", first: 100) { nodes { id } }`) + " } } }",
		"the same field":      `{ experience(composition: "home", channel: "web") { ` + strings.Repeat("id ", 5000) + "} }",
		"long lists in lists": `{ ` + aliases(40, `search(source: "catalog", kind: "product", first: 100) { nodes { ... on Product { images { tags title fields link id ref source kind } image { id ref title } } } }`) + ` }`,
		"directives":          `{ channels { name ` + strings.Repeat("@include(if: true) ", 300) + "} }",
		"long names":          "{ " + strings.Repeat("x", 60000) + " }",
		"brackets":            strings.Repeat("{", 30000),
		"a deep value":        `{ experience(composition: "home", channel: "web", params: ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `) { id } }`,
		"introspection":       `{ __schema { types { ` + strings.Repeat("fields { type { ", 30) + "name" + strings.Repeat(" } }", 30) + " } } }",
	} {
		a := p.ask(p.key(tutti.BrowserKey), "", q, nil)
		if len(a.Errors) == 0 || len(a.Errors) > 10 || len(a.Data) > 0 || len(a.Raw) > 8000 || inside.MatchString(a.Raw) {
			t.Errorf("%s: %d errors, %d bytes: %s", name, len(a.Errors), len(a.Raw), a.Raw[:min(len(a.Raw), 600)])
		}
		if c := a.code(); c != tutti.TooComplex && c != tutti.BadRequest && c != tutti.InvalidValue {
			t.Errorf("%s: %s", name, a.Raw[:min(len(a.Raw), 600)])
		}
	}
	if c := p.calls(); len(c) > 0 {
		t.Errorf("origins are asked: %v", c)
	}
	deepVariable := `{"query":"query($p: JSON) { experience(composition: \"home\", channel: \"web\", params: $p) { id } }","variables":{"p":` + strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000) + "}}"
	a := p.send(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + p.key(tutti.BrowserKey)}}, []byte(deepVariable))
	if len(a.Errors) == 0 || inside.MatchString(a.Raw) {
		t.Errorf("a deep variable: %d %s", a.Status, a.Raw[:min(len(a.Raw), 600)])
	}
}

func TestRequestIDsGoThereAndBack(t *testing.T) {
	p := play(t)
	ask := func(id string) answer {
		return p.send(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer wrong"}, "X-Request-Id": {id}}, []byte(`{"query":"{ x }"}`))
	}
	if a := ask("trace-0123456789:ab"); a.Header.Get("X-Request-Id") != "trace-0123456789:ab" || a.Errors[0].Extensions.RequestID != "trace-0123456789:ab" {
		t.Errorf("it is not taken: %v %s", a.Header, a.Raw)
	}
	p.logged("trace-0123456789:ab")
	for _, id := range []string{"short", strings.Repeat("x", 129), "with space and more", `with"quote-and-more`, "Zevil\tlevel=ERROR msg=x"} {
		a := ask(id)
		if got := a.Header.Get("X-Request-Id"); got == id || len(got) < 8 || a.Errors[0].Extensions.RequestID != got {
			t.Errorf("%q is taken: %q", id, got)
		}
	}
	ask("trace-of-the-last")
	hides(t, "the log", p.logged("trace-of-the-last"), "Zevil")
}

func TestOtherPathsTellNothing(t *testing.T) {
	p := play(t)
	for path, status := range map[string]int{
		"/nowhere": 404, "/graphql/": 404, "/webhooks/stay": 405, "/graphiql/nothing.js": 404, "/graphiql/%2e%2e/%2e%2e/etc/passwd": 404, "/preview/../../etc/passwd": 404,
		"/preview/nothing": 404, "/metrics/x": 404, "/healthz": 200, "/readyz": 200,
	} {
		a := p.send(http.MethodGet, path, nil, nil)
		if a.Status != status && a.Status != http.StatusTemporaryRedirect && a.Status != http.StatusMovedPermanently || inside.MatchString(a.Raw) || strings.Contains(a.Raw, "root:") {
			t.Errorf("%s: want %d, got %d %s", path, status, a.Status, a.Raw)
		}
	}
	for path, status := range map[string]int{"/webhooks/stay": 401, "/webhooks/nobody": 404} {
		for _, body := range []string{"", "{}", `{"event":"reservation.updated","ids":["R-1007"],"at":"2026-11-21T00:00:00Z"}`, strings.Repeat("x", 2<<20)} {
			a := p.send(http.MethodPost, path, http.Header{"X-Hook-Timestamp": {"1"}, "X-Hook-Signature": {"sha256=00"}}, []byte(body))
			if a.Status != status && a.Status != http.StatusBadRequest && a.Status != http.StatusRequestEntityTooLarge || inside.MatchString(a.Raw) || len(a.Raw) > 300 {
				t.Errorf("%s: want %d, got %d %s", path, status, a.Status, a.Raw)
			}
		}
	}
	hides(t, "the log", p.log.String(), "R-1007")
}

// manyRefs is a composition that wants 30 lists of 10 different products each, and a headline.
func manyRefs() map[string]any {
	components := []any{map[string]any{"id": "first", "type": "Story", "props": map[string]any{"headline": "It is here"}}}
	for i := range 30 {
		refs := make([]string, 10)
		for j := range refs {
			refs[j] = fmt.Sprintf("catalog:product/%d", 1+i*10+j)
		}
		components = append(components, map[string]any{"id": fmt.Sprintf("list-%d", i), "type": "Anything", "props": map[string]any{"words": "list", "items": map[string]any{"refs": refs}}})
	}
	return map[string]any{"type": "page", "title": "Many", "slots": []any{map[string]any{"id": "main", "name": "main", "components": components}}}
}

func TestWhatIsMissingAtRunTimeIsAProblem(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reconfigure(anyComponent)
	p.publish("many", manyRefs())
	p.publish("dead", object(t, `{"type": "page", "title": "Dead", "slots": [{"id": "main", "name": "main", "components": [
	  {"id": "here", "type": "Story", "props": {"headline": "It is here"}},
	  {"id": "gone", "type": "Anything", "props": {"words": "the words come", "shown": {"ref": "stay:hotel/nowhere"}, "rich": {"bind": "shown.description"}}},
	  {"id": "instead", "type": "Anything", "props": {"words": "instead", "shown": {"ref": "stay:hotel/nowhere", "fallback": [{"ref": "stay:hotel/azul"}]}}}
	]}]}`))
	type problem struct {
		Path, Ref, Code, Message string
		Stale                    bool
	}
	type page struct {
		Experience struct {
			Components []struct {
				Component string
				Props     json.RawMessage
			}
			Problems []problem
		}
	}
	ask := func(id string, params map[string]any) page {
		t.Helper()
		a := p.whole(tutti.BrowserKey, `query($c: ID!, $p: JSON) { experience(composition: $c, params: $p, channel: "web") { components { component props } problems { path ref code message stale } } }`, map[string]any{"c": id, "p": params})
		var got page
		a.into(t, &got)
		for _, pr := range got.Experience.Problems {
			if text := fmt.Sprint(pr); pr.Path == "" || pr.Code == "" || pr.Message == "" || inside.MatchString(text) {
				t.Errorf("%s: the problem %s", id, text)
			}
		}
		return got
	}
	has := func(x page, component string) bool {
		for _, c := range x.Experience.Components {
			if c.Component == component {
				return true
			}
		}
		return false
	}
	told := func(x page, path string, code tutti.Code) bool {
		return slices.ContainsFunc(x.Experience.Problems, func(pr problem) bool { return strings.HasPrefix(pr.Path, path) && pr.Code == string(code) })
	}

	dead := ask("dead", nil)
	if !has(dead, "here") || !has(dead, "gone") || !told(dead, "slots.main[1].props.shown", tutti.NotFound) {
		t.Errorf("a dead ref: %+v", dead)
	}
	if !slices.ContainsFunc(dead.Experience.Problems, func(pr problem) bool { return pr.Ref == "stay:hotel/nowhere" }) {
		t.Errorf("a dead ref is not named: %+v", dead.Experience.Problems)
	}
	instead := dead.Experience.Components[slices.IndexFunc(dead.Experience.Components, func(c struct {
		Component string
		Props     json.RawMessage
	},
	) bool {
		return c.Component == "instead"
	})]
	wants(t, "the fallback", string(instead.Props), "stay:hotel/azul")

	many := ask("many", nil)
	if !has(many, "first") || !has(many, "list-0") || len(many.Experience.Components) != 31 || !told(many, "slots.main[", tutti.TooManyRefs) {
		t.Errorf("over 200 refs: %+v", many)
	}
	at := map[string]bool{}
	for _, pr := range many.Experience.Problems {
		if at[pr.Path] {
			t.Errorf("over 200 refs: two problems at %s", pr.Path)
		}
		at[pr.Path] = true
	}

	hotel := map[string]any{"hotel": "stay:hotel/brisa"}
	for kind, code := range map[string]tutti.Code{"error": tutti.Unavailable, "black-hole": tutti.Timeout, "garbage": tutti.BadAnswer, "wrong-type": tutti.BadAnswer, "oversize": tutti.TooLarge, "reset": tutti.Unavailable} {
		p.reconfigure(func(*config.Config) {}) // new sources: breakers and caches of one fault would tell of the next
		if err := p.origins.Fault("catalog", demo.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		a := p.whole(tutti.BrowserKey, `query($p: JSON) { experience(composition: "hotel-arrival", params: $p, channel: "web") { components { component props } problems { path ref code message stale } } }`, map[string]any{"p": hotel}, "catalog")
		var got page
		a.into(t, &got)
		if !has(got, "welcome") || !has(got, "nearby") || !has(got, "help") || has(got, "offers") || !told(got, "slots.main[", code) {
			t.Errorf("a source in %s: %s", kind, a.Raw)
		}
		for _, pr := range got.Experience.Problems {
			if inside.MatchString(fmt.Sprint(pr)) {
				t.Errorf("a source in %s: says too much: %v", kind, pr)
			}
		}
		byHand := p.manage(`{ search(source: "catalog", kind: "product") { totalCount } }`, nil)
		if len(byHand.Errors) == 0 || byHand.Errors[0].Message == "" || inside.MatchString(byHand.Raw) {
			t.Errorf("a search in a source in %s: %s", kind, byHand.Raw)
		}
		p.origins.ClearFaults()
	}
}
