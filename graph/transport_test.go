package graph

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestRefusesWhatIsNotWellFormed(t *testing.T) {
	h := newHouse(t)
	key := h.keys[tutti.ServerKey]
	ok := `{"query":"{ locales }"}`
	cases := []struct {
		name, method, body string
		header             []string
		status             int
		code               tutti.Code
	}{
		{"a batch", "POST", `[{"query":"{ locales }"}]`, nil, 400, tutti.BadRequest},
		{"no JSON", "POST", `{"query": "sesame`, nil, 400, tutti.BadRequest},
		{"a number for the query", "POST", `{"query": 12}`, nil, 400, tutti.BadRequest},
		{"variables that are a list", "POST", `{"query": "{ locales }", "variables": ["sesame"]}`, nil, 400, tutti.BadRequest},
		{"something after the body", "POST", ok + `{"sesame": 1}`, nil, 400, tutti.BadRequest},
		{"not UTF-8", "POST", "{\"query\":\"{ locales } #\xff\"}", nil, 400, tutti.BadRequest},
		{"a form", "POST", "query=sesame", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, tutti.BadRequest},
		{"multipart", "POST", "sesame", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, tutti.BadRequest},
		{"plain text", "POST", ok, []string{"Content-Type", "text/plain"}, 415, tutti.BadRequest},
		{"another character set", "POST", ok, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, tutti.BadRequest},
		{"a compressed body", "POST", ok, []string{"Content-Encoding", "gzip"}, 415, tutti.BadRequest},
		{"nothing that it accepts", "POST", ok, []string{"Accept", "text/html"}, 406, tutti.BadRequest},
		{"a refusal of all", "POST", ok, []string{"Accept", "application/json;q=0"}, 406, tutti.BadRequest},
		{"PUT", "PUT", ok, nil, 405, tutti.BadRequest},
		{"DELETE", "DELETE", "", nil, 405, tutti.BadRequest},
		{"a persisted operation without a hash", "POST", `{"extensions":{"persistedQuery":{"version":1,"md5":"sesame"}}}`, nil, 400, tutti.BadRequest},
		{"a persisted operation of another version", "POST", `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"sesame"}}}`, nil, 400, tutti.BadRequest},
		{"an identifier that is a number", "POST", `{"documentId":12}`, nil, 400, tutti.BadRequest},
		{"an identifier beside a text", "POST", `{"documentId":"sesame","query":"{ locales }"}`, nil, 400, tutti.BadRequest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := h.send(c.method, "/graphql", key, c.body, c.header...)
			h.wantCode(a, c.status, c.code)
			if strings.Contains(a.body, "sesame") {
				t.Errorf("the refusal repeats the request: %s", a.body)
			}
			if strings.Contains(a.body, `"data"`) {
				t.Errorf("a refusal has a data key: %s", a.body)
			}
			if c.status == 405 && a.header.Get("Allow") != "GET, HEAD, POST, OPTIONS" {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
		})
	}
	if h.resolver.calls != 0 {
		t.Errorf("%d resolvers were called", h.resolver.calls)
	}
}

// TestHeadIsGetWithoutTheBody: the same status and headers (RFC 9110, section 9.3.2).
func TestHeadIsGetWithoutTheBody(t *testing.T) {
	h := newHouse(t, caching)
	h.resolver.delivery = ptr(delivered())
	page := "/graphql?query=" + url.QueryEscape(arrivalText)
	_, first, _ := h.raw("GET", page, tutti.BrowserKey, "")
	for name, c := range map[string]struct {
		path   string
		status int
		header []string
	}{
		"an answer that may be kept": {page, 200, nil},
		"one that is known":          {page, 304, []string{"If-None-Match", first.Get("ETag")}},
		"one that is compressed":     {"/graphql?query=" + url.QueryEscape("{ __schema { types { name } } }"), 200, []string{"Accept-Encoding", "br"}},
		"what is wrong":              {"/graphql?query=%7Bnothing%7D", 400, []string{"Accept", graphqlJSON}},
		"no parameters":              {"/graphql", 400, nil},
		"a mutation":                 {"/graphql?query=" + url.QueryEscape(`mutation { deletePersona(name: "ana") }`), 405, nil},
		"nothing that it accepts":    {page, 406, []string{"Accept", "text/html"}},
		"a personal fact":            {"/graphql?query=" + url.QueryEscape(`{ experience(composition: "arrival", channel: "web", context: {location: {lat: 1, lon: 2}}) { id } }`), 400, []string{"Accept", graphqlJSON}},
	} {
		t.Run(name, func(t *testing.T) {
			class := tutti.BrowserKey
			if name == "a mutation" {
				class = tutti.ManagementKey
			}
			header := append([]string{"X-Request-Id", "test-0123456789"}, c.header...)
			status, want, body := h.raw("GET", c.path, class, "", header...)
			if status != c.status || status != 304 && len(body) == 0 {
				t.Fatalf("GET: %d %s", status, body)
			}
			status, got, body := h.raw("HEAD", c.path, class, "", header...)
			if len(body) > 0 {
				t.Errorf("a body: %s", body)
			}
			want.Del("Date")
			got.Del("Date")
			if status != c.status || !reflect.DeepEqual(got, want) {
				t.Errorf("HEAD: %d %v\nGET: %d %v", status, got, c.status, want)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	h := newHouse(t, func(c *GenerationConfig) { c.Limits.BodyBytes = 200 })
	key := h.keys[tutti.ServerKey]
	pad := func(n int) string {
		s := `{"query":"{ locales }","operationName":null}`
		return s + strings.Repeat(" ", n-len(s))
	}
	if a := h.send("POST", "/graphql", key, pad(200)); a.status != 200 || a.code() != "" {
		t.Errorf("at the limit: %d %s", a.status, a.body)
	}
	h.wantCode(h.send("POST", "/graphql", key, pad(201)), 413, tutti.TooLarge)

	// The same without a declared length.
	r, _ := http.NewRequest("POST", h.http.URL+"/graphql", struct{ *strings.Reader }{strings.NewReader(pad(100000))})
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("a chunked body over the limit: %d", resp.StatusCode)
	}
}

func TestGetIsForQueriesOnly(t *testing.T) {
	h := newHouse(t)
	get := func(query string, class tutti.KeyClass) answer {
		return h.send("GET", "/graphql?query="+url.QueryEscape(query), h.keys[class], "")
	}
	if a := get("{ locales }", tutti.BrowserKey); a.status != 200 || a.body != `{"data":{"locales":["en","de"]}}` {
		t.Errorf("got %d %s", a.status, a.body)
	}
	a := get(`mutation { deletePersona(name: "ana") }`, tutti.ManagementKey)
	h.wantCode(a, 405, tutti.BadRequest)
	if a.header.Get("Allow") != "POST" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	if a := h.ask(tutti.ManagementKey, `mutation { deletePersona(name: "ana") }`, nil); a.body != `{"data":{"deletePersona":true}}` {
		t.Errorf("by POST: %s", a.body)
	}
	h.wantCode(h.send("GET", "/graphql?query={locales}&query={sources{name}}", h.keys[tutti.ServerKey], ""), 400, tutti.BadRequest)
}

func TestStatusFollowsTheMediaType(t *testing.T) {
	h := newHouse(t)
	wrong := `{"query":"{ nothing }"}`
	key := h.keys[tutti.ServerKey]
	for accept, status := range map[string]int{
		"":          200,
		"*/*":       200,
		plainJSON:   200,
		graphqlJSON: 400,
		"application/graphql-response+json, application/json;q=0.9": 400,
		"application/json, application/graphql-response+json;q=0.5": 200,
		"text/html, application/graphql-response+json;q=0.1":        400,
	} {
		var header []string
		if accept != "" {
			header = []string{"Accept", accept}
		}
		a := h.send("POST", "/graphql", key, wrong, header...)
		h.wantCode(a, status, tutti.BadRequest)
		if strings.Contains(a.body, `"data"`) {
			t.Errorf("%q: a request error has a data key: %s", accept, a.body)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	h := newHouse(t)
	given := h.send("POST", "/graphql", h.keys[tutti.ServerKey], `{"query":"{ nothing }"}`, RequestIDHeader, "edge-12345678")
	if given.header.Get(RequestIDHeader) != "edge-12345678" || given.json.Errors[0].Extensions.RequestID != "edge-12345678" {
		t.Errorf("a sane id is not kept: %s %s", given.header.Get(RequestIDHeader), given.body)
	}
	if !strings.Contains(h.log.String(), "request=edge-12345678") {
		t.Error("the log does not name the request")
	}
	for _, bad := range []string{"short", "with space in it", "<script>alert(1)</script>", strings.Repeat("a", 129)} {
		a := h.send("POST", "/graphql", h.keys[tutti.ServerKey], `{"query":"{ nothing }"}`, RequestIDHeader, bad)
		if id := a.header.Get(RequestIDHeader); id == bad || len(id) < 16 || a.json.Errors[0].Extensions.RequestID != id {
			t.Errorf("for %q: %q", bad, id)
		}
	}
}

func TestCORSByKey(t *testing.T) {
	h := newHouse(t)
	const app, evil = "https://app.example", "https://evil.example"
	ask := func(class tutti.KeyClass, origin string) answer {
		return h.ask(class, "{ locales }", nil, "Origin", origin)
	}
	preflight := func(origin string) answer {
		return h.send("OPTIONS", "/graphql", "", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	}
	t.Run("a page of an allowed origin", func(t *testing.T) {
		a := preflight(app)
		if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != app || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Tutti-Visitor") ||
			!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "POST") || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight: %d %v", a.status, a.header)
		}
		a = ask(tutti.BrowserKey, app)
		if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != app || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
			t.Errorf("request: %d %v", a.status, a.header)
		}
	})
	t.Run("a page of another origin", func(t *testing.T) {
		if a := preflight(evil); a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("preflight: %v", a.header)
		}
		a := ask(tutti.BrowserKey, evil)
		h.wantCode(a, 403, tutti.Forbidden)
		if a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("the page may read it: %v", a.header)
		}
	})
	t.Run("a secret key in a page", func(t *testing.T) { h.wantCode(ask(tutti.ServerKey, app), 403, tutti.Forbidden) })
	t.Run("a page of our own", func(t *testing.T) {
		if a := ask(tutti.ServerKey, h.http.URL); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("a page of our own behind a proxy", func(t *testing.T) {
		h := newHouse(t, func(c *GenerationConfig) { c.BaseURL = "https://tutti.example/" })
		if a := h.ask(tutti.ServerKey, "{ locales }", nil, "Origin", "https://tutti.example"); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		h.wantCode(h.ask(tutti.ServerKey, "{ locales }", nil, "Origin", "https://tutti.example.evil.example"), 403, tutti.Forbidden)
	})
	t.Run("an origin of an expired key", func(t *testing.T) {
		h.store.change("the browser key", func(k *tutti.Key) { k.RevokedAt = noon })
		h.server.Invalidate()
		if a := preflight(app); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight: %v", a.header)
		}
	})
}

// FuzzRequest feeds the whole server: whatever comes, the answer is JSON by the rules.
func FuzzRequest(f *testing.F) {
	h := newHouse(f)
	key := "Bearer " + h.keys[tutti.ServerKey]
	f.Add("POST", "", key, plainJSON, graphqlJSON, "", `{"query":"{ locales }"}`)
	f.Add("POST", "", key, "application/json; charset=utf-8", "*/*;q=0.1, application/json", "a.b.c", `{"query":"query($c: ContextInput) { experience(composition: \"a\", channel: \"b\", context: $c) { id } }","variables":{"c":{"attributes":{"tier":"gold"}}}}`)
	f.Add("GET", "query={locales}&variables={}&operationName=", key, "", "", "", "")
	f.Add("POST", "", "Bearer tutti_server_", "text/plain; a=\"", ";;q=", "x", "[1]")
	f.Add("OPTIONS", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, method, query, authorization, contentType, accept, visitor, body string) {
		r := &http.Request{
			Method: method, URL: &url.URL{Path: "/graphql", RawQuery: query}, Host: "tutti.example", Header: http.Header{
				"Authorization": {authorization}, "Content-Type": {contentType}, "Accept": {accept}, "Tutti-Visitor": {visitor},
			},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
		if visitor == "" {
			delete(r.Header, "Tutti-Visitor")
		}
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if method == http.MethodOptions {
			return
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("not JSON: %s", w.Body)
		}
		if _, data := got["data"]; w.Code >= 500 || data && w.Code != 200 || !data && got["errors"] == nil {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
