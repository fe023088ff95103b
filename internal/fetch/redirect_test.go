package fetch

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// hosts plays two hosts that resolve to loopback: one.example and two.example at one port.
func hosts(t *testing.T, h http.HandlerFunc) (c *Client, one, two string) {
	at := serve(t, h)
	port := at[strings.LastIndex(at, ":"):]
	c = New(Config{Resolver: names(t, loopback), AllowPrivate: []string{"one.example", "two.example"}})
	t.Cleanup(c.Close)
	return c, "http://one.example" + port, "http://two.example" + port
}

func TestRedirectsAreFollowedFiveTimes(t *testing.T) {
	c, one, _ := hosts(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[1:])
		if n > 0 {
			http.Redirect(w, r, "/"+strconv.Itoa(n-1), http.StatusFound)
		}
	})
	if res, err := c.Do(t.Context(), Request{URL: one + "/5"}); err != nil || res.Status != 200 {
		t.Errorf("five: got %v, %v", res, err)
	}
	if _, err := c.Do(t.Context(), Request{URL: one + "/6"}); !errors.Is(err, ErrRefused) || !errors.Is(err, tutti.Unavailable) {
		t.Errorf("six: got %v", err)
	}
}

func TestRedirectsToPrivateAddressesReachNothing(t *testing.T) {
	port, hits := target(t)
	var to string
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	// The first hop is a local server, allowed by its port alone; what it leads to is not allowed.
	c := New(Config{Resolver: names(t, loopback), AllowPrivate: []string{at[len("http://"):]}})
	defer c.Close()
	for _, h := range hostile {
		if !strings.HasPrefix(h, "http") || strings.HasPrefix(h, "http:/") && !strings.HasPrefix(h, "http://") || strings.HasPrefix(h, `http:\`) || strings.HasPrefix(h, "http:127") {
			continue // read as a path on the first host
		}
		to = strings.ReplaceAll(h, "PORT", port)
		if _, err := c.Do(t.Context(), Request{URL: at}); tutti.CodeOf(err) != tutti.Unavailable {
			t.Errorf("%s: got %v", h, err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests reached the target", hits.Load())
	}
}

// TestAPublicHostLeadsToNoPrivateOne: not at once, and not as a later hop either, when the host that was asked leads out.
func TestAPublicHostLeadsToNoPrivateOne(t *testing.T) {
	r := redirects{parseAllowed([]string{"inside.example"})}
	to := func(all ...string) error {
		var via []*http.Request
		for _, at := range all {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
			if err != nil {
				t.Fatal(err)
			}
			via = append(via, req)
		}
		last := len(via) - 1
		return r.check(via[last], via[:last])
	}
	const inside, outside = "http://inside.example/", "http://outside.example/"
	for _, bad := range [][]string{{outside, inside}, {inside, outside, inside}, {inside, outside, outside, inside}} {
		if err := to(bad...); !errors.Is(err, ErrRefused) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	for _, good := range [][]string{{inside, inside}, {inside, outside}, {outside, outside}} {
		if err := to(good...); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
}

func TestCredentialsStayAtTheirHost(t *testing.T) {
	secrets := http.Header{
		"Authorization": {"Bearer k"}, "Cookie": {"a=k"}, "X-Api-Key": {"k"}, "X-Shopify-Access-Token": {"k"}, "Proxy-Authorization": {"k"},
		"Accept": {"application/json"}, "If-None-Match": {`"k"`},
	}
	var two string
	var got []http.Header
	c, one, second := hosts(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Clone())
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/away":
			http.Redirect(w, r, two+"/back", http.StatusFound)
		case "/back": // and home again
			http.Redirect(w, r, "http://one.example"+two[strings.LastIndex(two, ":"):]+"/end", http.StatusFound)
		}
	})
	two = second
	if _, err := c.Do(t.Context(), Request{URL: one + "/same?token=k", Header: secrets}); err != nil {
		t.Fatal(err)
	}
	if last := got[len(got)-1]; last.Get("X-Api-Key") != "k" || last.Get("Authorization") == "" || last.Get("Referer") != "" {
		t.Errorf("on the same host: got %v", last)
	}
	got = nil
	if _, err := c.Do(t.Context(), Request{URL: one + "/away?token=k", Header: secrets}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("got %d hops, want 3", len(got))
	}
	for i, h := range got[1:] {
		for name, v := range h {
			if strings.Contains(strings.Join(v, ""), "k") && name != "Accept-Encoding" {
				t.Errorf("hop %d got %s: %v", i+2, name, v)
			}
		}
		if h.Get("Accept") != "application/json" {
			t.Errorf("hop %d lost Accept", i+2)
		}
	}
}

func TestBodyStaysAtItsHost(t *testing.T) {
	var two string
	reached := 0
	c, one, second := hosts(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Host, "two") {
			reached++
			return
		}
		http.Redirect(w, r, two, http.StatusTemporaryRedirect)
	})
	two = second
	if _, err := c.Do(t.Context(), Request{Method: "POST", URL: one, Body: []byte("query")}); !errors.Is(err, ErrRefused) || reached != 0 {
		t.Errorf("got %v, %d requests", err, reached)
	}
	if _, err := c.Do(t.Context(), Request{URL: one}); err != nil || reached != 1 {
		t.Errorf("without a body: got %v, %d requests", err, reached)
	}
}

func TestRedirectFromPublicHostToAllowedPrivateOneIsRefused(t *testing.T) {
	r := redirects{parseAllowed([]string{"origin.internal"})}
	hop := func(from, to string) error {
		a, _ := http.NewRequest("GET", from, nil)
		b, _ := http.NewRequest("GET", to, nil)
		return r.check(b, []*http.Request{a})
	}
	if err := hop("https://cdn.example/", "https://origin.internal/"); !errors.Is(err, ErrRefused) {
		t.Errorf("from a public host: got %v", err)
	}
	if err := hop("https://origin.internal/a", "https://origin.internal/b"); err != nil {
		t.Errorf("inside: got %v", err)
	}
	if err := hop("https://a.example/", "http://a.example/"); !errors.Is(err, ErrRefused) {
		t.Errorf("down to http: got %v", err)
	}
}

// TestRedirectChainsReachNothing leads to every hostile address at the end of a chain of hops between allowed hosts, by
// every status, also through the client that libraries get.
func TestRedirectChainsReachNothing(t *testing.T) {
	port, hits := target(t)
	var to string
	var hosts [2]string
	statuses := []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header().Set("Location", hosts[n%2]+"/"+strconv.Itoa(n-1))
		if n == 0 {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(statuses[n%len(statuses)])
	})
	own := at[strings.LastIndex(at, ":"):]
	hosts = [2]string{"http://one.example" + own, "http://two.example" + own}
	c := New(Config{Resolver: names(t, loopback), AllowPrivate: []string{"one.example" + own, "two.example" + own}})
	defer c.Close()
	chains := 0
	for _, h := range hostile {
		if strings.HasPrefix(h, "/") && !strings.HasPrefix(h, "//") {
			continue
		}
		to = strings.ReplaceAll(h, "PORT", port)
		for hops := range maxRedirects {
			chains++
			res, err := c.Do(t.Context(), Request{URL: hosts[0] + "/" + strconv.Itoa(hops), Header: http.Header{"X-Api-Key": {"sesame"}}})
			if err == nil && res.Status == http.StatusOK {
				t.Errorf("%d hops to %s: got %d", hops, h, res.Status)
			}
		}
		if res, err := c.HTTP().Get(hosts[1] + "/2"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				t.Errorf("a library came to %s", h)
			}
		}
	}
	if hits.Load() != 0 || chains < 105*maxRedirects {
		t.Errorf("%d requests of %d chains reached the target", hits.Load(), chains)
	}
}
