package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
)

const hotelText = `query Hotel($params: JSON, $context: ContextInput) { experience(composition: "hotel", channel: "web", params: $params, context: $context) { id title components { __typename id ... on Hero { headline } } } }`

// get asks for the page of Hotel Azul with GET and the operation's hash.
func (p *played) get(key, token string, header ...string) answer {
	p.t.Helper()
	h := http.Header{"Authorization": {"Bearer " + key}}
	if token != "" {
		h.Set(graph.VisitorHeader, token)
	}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	q := url.Values{"documentId": {tutti.OperationID(hotelText)}, "variables": {`{"params":{"hotel":"stay:hotel/azul"}}`}}
	return p.send(http.MethodGet, "/graphql?"+q.Encode(), h, nil)
}

// TestPagesTellWhoMayKeepThem asks the whole house for a page with GET, by everybody.
func TestPagesTellWhoMayKeepThem(t *testing.T) {
	p := play(t)
	if a := p.ask(p.key(tutti.ManagementKey), "", `mutation($t: String!) { pushOperations(operations: [{text: $t}]) { added } }`, map[string]any{"t": hotelText}); a.code() != "" {
		t.Fatal(a.Raw)
	}
	browser := p.key(tutti.BrowserKey)
	first, second := p.get(browser, ""), p.get(browser, "")
	if first.Status != 200 || first.code() != "" || second.Raw != first.Raw {
		t.Fatalf("%d %s\n%s", first.Status, first.Raw, second.Raw)
	}
	if cc := first.Header.Get("Cache-Control"); !strings.HasPrefix(cc, "public, max-age=") || !strings.Contains(cc, "s-maxage=") {
		t.Errorf("Cache-Control %q", cc)
	}
	if s1, s2 := first.Header.Get("Cache-Status"), second.Header.Get("Cache-Status"); !strings.HasPrefix(s1, "tutti; fwd=miss; ttl=") || !strings.HasPrefix(s2, "tutti; hit; ttl=") {
		t.Errorf("Cache-Status %q, then %q", s1, s2)
	}
	t.Run("their keys name all that they are made of", func(t *testing.T) {
		keys := strings.Fields(second.Header.Get("Surrogate-Key"))
		if !slices.Equal(keys, strings.Fields(first.Header.Get("Surrogate-Key"))) || strings.Join(keys, ",") != second.Header.Get("Cache-Tag") {
			t.Errorf("a page that was made and a ready one have other keys: %v, %v", first.Header, second.Header)
		}
		for _, tag := range []string{"stay:hotel/azul", "composition:hotel", "stay:place", "social:post"} {
			if !slices.Contains(keys, graph.SurrogateKey(tag)) {
				t.Errorf("no key of %s among %v", tag, keys)
			}
		}
		out, _ := succeed(t, "tags", "stay:hotel/azul")
		if !slices.Contains(keys, strings.TrimSpace(out)) {
			t.Errorf("tutti tags says %s", out)
		}
	})
	t.Run("the same page is not sent again, another one is", func(t *testing.T) {
		tag := first.Header.Get("ETag")
		if a := p.get(browser, "", "If-None-Match", tag); a.Status != http.StatusNotModified || a.Raw != "" {
			t.Errorf("%d %s", a.Status, a.Raw)
		}
		a := p.ask(p.key(tutti.ManagementKey), "", `mutation { saveRedirects(redirects: [{from: "/x", to: "/y"}], revision: 1) { revision } }`, nil)
		if a.code() != "" {
			t.Fatal(a.Raw)
		}
		if a := p.get(browser, "", "If-None-Match", tag); a.Status != http.StatusNotModified {
			t.Errorf("after something else changed: %d", a.Status)
		}
	})
	for _, c := range []struct{ name, key, token, want string }{
		{"a server", p.key(tutti.ServerKey), "", "private, max-age="},
		{"a visitor", browser, p.token("guest-7"), "private, no-cache"},
		{"an editor", p.key(tutti.PreviewKey), "", "no-store"},
		{"a manager", p.key(tutti.ManagementKey), "", "no-store"},
	} {
		a := p.get(c.key, c.token)
		if cc := a.Header.Get("Cache-Control"); a.code() != "" || !strings.HasPrefix(cc, c.want) || a.Header.Get("Surrogate-Key") != "" {
			t.Errorf("%s: %q %q, want %q: %s", c.name, cc, a.Header.Get("Surrogate-Key"), c.want, a.Raw)
		}
	}
	t.Run("a page with a problem is asked for again each time", func(t *testing.T) {
		if err := p.origins.Fault("stay", demo.Fault{Kind: "error"}); err != nil {
			t.Fatal(err)
		}
		a := p.send(http.MethodGet, "/graphql?"+url.Values{"documentId": {tutti.OperationID(hotelText)}, "variables": {`{"params":{"hotel":"stay:hotel/verde"}}`}}.Encode(), http.Header{"Authorization": {"Bearer " + browser}}, nil)
		if cc := a.Header.Get("Cache-Control"); cc != "public, no-cache" {
			t.Errorf("%q: %s", cc, a.Raw)
		}
	})
}

// TestModeOfOperationsIsReloaded: tutti.yaml says from now on what apps may ask for.
func TestModeOfOperationsIsReloaded(t *testing.T) {
	p := play(t)
	const text = `{ locales }`
	ask := func() tutti.Code { return p.ask(p.key(tutti.BrowserKey), "", text, nil).code() }
	if code := ask(); code != "" {
		t.Fatal(code)
	}
	p.reconfigure(func(c *config.Config) { c.Operations = tutti.OperationsEnforce })
	if code := ask(); code != tutti.UntrustedOperation {
		t.Errorf("enforced: %q", code)
	}
	if a := p.send(http.MethodGet, "/metrics", nil, nil); !strings.Contains(a.Raw, "tutti_untrusted_operations_total 1") {
		t.Error("nothing was counted")
	}
	if a := p.ask(p.key(tutti.ManagementKey), "", `mutation($t: String!) { pushOperations(operations: [{text: $t}]) { added } }`, map[string]any{"t": text}); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if code := ask(); code != "" {
		t.Errorf("trusted: %q", code)
	}
	t.Run("what the config makes impossible is logged and listed", func(t *testing.T) {
		const twice = `query Twice { a: locales b: locales }`
		if a := p.ask(p.key(tutti.ManagementKey), "", `mutation($t: String!) { pushOperations(operations: [{name: "Twice", text: $t}]) { added } }`, map[string]any{"t": twice}); a.code() != "" {
			t.Fatal(a.Raw)
		}
		p.reconfigure(func(c *config.Config) { c.Limits.Aliases = 1 })
		var list struct{ Operations struct{ Nodes []listed } }
		p.ask(p.key(tutti.ManagementKey), "", operationsQuery, nil).into(t, &list)
		broken := 0
		for _, o := range list.Operations.Nodes {
			if o.Problem != nil && o.ID == tutti.OperationID(twice) && strings.Contains(*o.Problem, "aliases") {
				broken++
			}
		}
		if broken != 1 {
			t.Errorf("listed: %+v", list)
		}
		p.server.house.checkTrusted(p.server.house.server.Generation())
		p.logged("a trusted operation cannot be answered", "name=Twice")
	})
}
