package sources

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// asksDNS are addresses whose names would be looked up outside: a test of the client itself asks a resolver of its own.
var asksDNS = regexp.MustCompile(`//[^/@]*(\.io|\.me|\.internal|instance-data|localdomain|ip6-localhost|foo\.localhost|rebind\.example|a_b\.example)[:/]`)

// hostileAddresses are those of the guarded client's own tests, with the port of a server that counts who reaches it.
func hostileAddresses(t *testing.T) (addresses []string, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "canary", "keys": [], "items": []}`)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	b, err := os.ReadFile("../internal/fetch/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, a := range strings.Fields(strings.ReplaceAll(string(b), "PORT", port)) {
		if !asksDNS.MatchString(a) {
			addresses = append(addresses, a)
		}
	}
	return addresses, hits
}

// TestATokenEndpointIsGuarded names every hostile address as the token endpoint: none is reached, with any secret.
func TestATokenEndpointIsGuarded(t *testing.T) {
	addresses, hits := hostileAddresses(t)
	if len(addresses) < 105 {
		t.Fatalf("there are only %d addresses", len(addresses))
	}
	manifest := strings.Replace(strings.Replace(grantManifest, "tokenUrl: /oauth/token", `tokenUrl: "${settings.endpoint}"`, 1), "settings: {", "settings: {endpoint: {description: Where.}, ", 1)
	asked := 0
	for _, address := range addresses {
		srv := "http://127.0.0.1:9" // discard: nothing is asked without a token
		u, err := url.Parse(address)
		c := config.Source{Name: "shop", Connector: "./acme.yaml", URL: srv, Kinds: public, Settings: map[string]string{"endpoint": address}}
		if err == nil && u.Scheme == "http" {
			c.AllowPrivate = []string{"127.0.0.1:9"} // of the system, not of the endpoint
		}
		c.Secrets = map[string]tutti.Secret{"clientId": tutti.NewSecret("canary"), "clientSecret": tutti.NewSecret("canary")}
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/acme.yaml", []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := Open([]config.Source{c}, Deps{Dir: dir})
		if err != nil {
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", address, err)
			}
			continue // without TLS, or no address: it is told before anything is asked
		}
		asked++
		if g := all.Get(t.Context(), refs("a"), tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.Unavailable || strings.Contains(g.Err.Error(), "canary") {
			t.Errorf("%s comes to %v", address, g.Err)
		}
		all.Close()
	}
	if hits.Load() != 0 || asked == 0 {
		t.Errorf("%d requests reached the target; %d addresses were asked", hits.Load(), asked)
	}
}

// TestWhereASystemLeadsIsGuarded: a token endpoint that may be asked redirects to every hostile
// address, and a system names each as its next page.
func TestWhereASystemLeadsIsGuarded(t *testing.T) {
	addresses, hits := hostileAddresses(t)
	const listing = `
name: acme
secrets: {clientId: {description: The client.}, clientSecret: {description: Its secret.}}
auth: {type: oauth2, tokenUrl: /oauth/token, clientId: "${secrets.clientId}", clientSecret: "${secrets.clientSecret}"}
kinds:
  item:
    type: Record
    get: {path: "/items/${id}"}
    select: [{path: /items, records: items, paging: {type: url, next: next}}]
    map: {title: record.name}
`
	var to string
	redirect := true
	c := &sharedClock{}
	h := play(t, listing, public, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/oauth/token" && redirect:
			w.Header().Set("Location", to)
			w.WriteHeader([]int{301, 302, 303, 307, 308}[len(to)%5])
		case r.URL.Path == "/oauth/token":
			fmt.Fprint(w, `{"access_token": "canary"}`)
		default:
			fmt.Fprintf(w, `{"items": [{"id": "1", "name": "A"}], "next": %q}`, to)
		}
	}, withClient(c), func(s *config.Source, _ *Deps) {
		s.AllowPrivate = []string{strings.TrimPrefix(s.URL, "http://")} // this port alone
	})
	for _, to = range addresses {
		c.advance(1e12) // past any pause
		if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource != nil || strings.Contains(g.Err.Error(), "canary") {
			t.Errorf("a token from %s: %v", to, g.Err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests for a token reached the target", hits.Load())
	}
	redirect = false
	c.advance(1e12)
	for _, to = range addresses {
		h.Forget("shop")
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
		if err != nil {
			continue // it says that the next address is none of the system's
		}
		if page.Next != "" {
			_, _ = h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", After: page.Next}, tutti.Scope{})
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests for a next page reached the target", hits.Load())
	}
}
