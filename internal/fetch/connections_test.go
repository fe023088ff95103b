package fetch

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// counted gives a server that counts its connections, and a client that trusts it.
func countedServer(t *testing.T, http2 bool, h http.HandlerFunc) (c *Client, at string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	c = open(t, Config{})
	if s.EnableHTTP2 = http2; http2 {
		s.StartTLS()
		c.transport.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		c.transport.TLSClientConfig.NextProtos = nil
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	t.Cleanup(c.Close)
	return c, s.URL, connections
}

// TestConnectionsAreReused: a hundred calls one after the other take one connection, whatever the answers are; hundreds
// of them, twenty at a time, no more than twenty and those on their way, and of HTTP/2 still that one.
func TestConnectionsAreReused(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		name := map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2]
		t.Run(name, func(t *testing.T) {
			c, at, connections := countedServer(t, http2, func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != http2 {
					t.Errorf("it is asked by %s", r.Proto)
				}
				status, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
				if err != nil {
					status = http.StatusOK
				}
				w.Header().Set("Etag", `"1"`)
				w.WriteHeader(status)
				if status != http.StatusNotModified && status != http.StatusNoContent {
					_, _ = w.Write([]byte(strings.Repeat("x", 20_000))) // also errors have words
				}
			})
			statuses := []string{"200", "404", "200", "304", "500", "400", "401", "403", "204", "503", "410", "429", "502"}
			ask := func(i int) {
				r := Request{URL: at + "/" + statuses[i%len(statuses)]}
				switch {
				case i%7 == 3:
					r.Method = http.MethodHead
				case i%5 == 2:
					r.Method, r.Body = http.MethodPost, []byte("{}")
				}
				if res, err := c.Do(t.Context(), r); err != nil || strconv.Itoa(res.Status) != statuses[i%len(statuses)] {
					t.Errorf("%s %s comes to %v, %v", r.Method, r.URL, res, err)
				}
			}
			for i := range 100 {
				ask(i)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("100 calls one after the other took %d connections", n)
			}
			rounds := func() {
				for round := range 5 {
					var wg sync.WaitGroup
					for i := range 20 {
						wg.Go(func() { ask(round*20 + i) })
					}
					wg.Wait()
				}
			}
			rounds()
			most := int64(40) // a connection that comes when its call has found another stays for a later one
			if http2 {
				most = 1
			}
			warm := connections.Load()
			if warm > most {
				t.Errorf("20 calls at a time took %d connections, want %d at most", warm, most)
			}
			for i := range 100 {
				ask(i)
			}
			if rounds(); connections.Load() > most {
				t.Errorf("later they took %d connections, want %d at most", connections.Load(), most)
			}
		})
	}
}

// TestRedirectsAreFollowedOnTheirConnection: both hops of a redirect to the same host use it.
func TestRedirectsAreFollowedOnTheirConnection(t *testing.T) {
	c, at, connections := countedServer(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	})
	for range 20 {
		if res, err := c.Do(t.Context(), Request{URL: at + "/"}); err != nil || res.Status != http.StatusOK {
			t.Fatalf("it comes to %v, %v", res, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("20 redirects took %d connections", n)
	}
}
