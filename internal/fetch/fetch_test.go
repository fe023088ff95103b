package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func open(t testing.TB, cfg Config) *Client {
	cfg.AllowPrivate = append(cfg.AllowPrivate, "127.0.0.1")
	c := New(cfg)
	t.Cleanup(c.Close)
	return c
}

func TestAnyStatusIsAResponse(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Etag", `"7"`)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("X-Asked"), r.Header.Get("User-Agent"), body)
	})
	c := open(t, Config{UserAgent: "tutti/1"})
	header := http.Header{"X-Asked": {"yes"}}
	res, err := c.Do(t.Context(), Request{Method: "POST", URL: at, Header: header, Body: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(res.Body); res.Status != 418 || res.Header.Get("Etag") != `"7"` || got != "POST yes tutti/1 hello" {
		t.Errorf("got %d %v %q", res.Status, res.Header, got)
	}
	if len(header) != 1 {
		t.Errorf("the caller's header became %v", header)
	}
}

func zipped(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, n))
	z.Close()
	return b.Bytes()
}

func TestAnswersAreLimitedOnTheWireAndDecoded(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fits":
			w.Write(make([]byte, 1000))
		case "/announced":
			w.Header().Set("Content-Length", "1001")
			w.Write(make([]byte, 1001))
		case "/streamed":
			for range 1001 {
				w.Write([]byte{'x'})
			}
			w.(http.Flusher).Flush()
		case "/zipped-fits":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped(1000))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped(200_000)) // about 220 bytes on the wire
		case "/empty-members": // nothing decoded, without end
			w.Header().Set("Content-Encoding", "gzip")
			for range 1000 {
				w.Write(zipped(0))
			}
		}
	})
	for path, want := range map[string]int{"fits": 1000, "zipped-fits": 1000, "announced": -1, "streamed": -1, "bomb": -1, "empty-members": -1} {
		res, err := open(t, Config{MaxBytes: 1000}).Do(t.Context(), Request{URL: at + "/" + path})
		if want < 0 && !errors.Is(err, tutti.TooLarge) || want >= 0 && (err != nil || len(res.Body) != want) {
			t.Errorf("%s: got %v", path, err)
		}
		if _, err = open(t, Config{MaxBytes: 1}).Do(t.Context(), Request{URL: at + "/" + path, MaxBytes: 300_000}); err != nil {
			t.Errorf("%s with a limit of its own: %v", path, err)
		}
	}
	if _, err := open(t, Config{MaxBytes: 1000}).HTTP().Get(at + "/announced"); !errors.Is(err, tutti.TooLarge) {
		t.Errorf("the client for libraries begins to read what is announced as too large: %v", err)
	}
	res, err := open(t, Config{MaxBytes: 1000}).HTTP().Get(at + "/bomb")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, tutti.TooLarge) {
		t.Errorf("the client for libraries reads the bomb: %v", err)
	}
}

func TestBodyLessAndOddAnswers(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/head":
			w.Header().Set("Content-Length", "99999999") // of the body that GET would give
		case "/empty":
			w.Header().Set("Content-Encoding", "gzip")
		case "/unchanged":
			w.WriteHeader(http.StatusNotModified)
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
			w.Write([]byte("x"))
		case "/liar":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("this is no gzip at all"))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("short"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	c := open(t, Config{})
	for path, ok := range map[string]bool{"head": true, "empty": true, "unchanged": true, "brotli": false, "liar": false, "cut": false} {
		method := "GET"
		if path == "head" {
			method = "HEAD"
		}
		_, err := c.Do(t.Context(), Request{Method: method, URL: at + "/" + path})
		if ok && err != nil || !ok && tutti.CodeOf(err) != tutti.Unavailable {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestSlowAnswersAreTimeoutsAndCancelledOnesAreNot(t *testing.T) {
	for _, path := range []string{"/before", "/within"} {
		t.Run(path, func(t *testing.T) {
			reached := make(chan struct{}, 1)
			at := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if path == "/within" {
					w.Write([]byte("first"))
					w.(http.Flusher).Flush()
				}
				reached <- struct{}{}
				<-r.Context().Done()
			})
			c := open(t, Config{})
			past := expiring{t.Context(), make(chan struct{})}
			go func() { <-reached; close(past.done) }()
			if _, err := c.Do(past, Request{URL: at}); tutti.CodeOf(err) != tutti.Timeout {
				t.Errorf("past the deadline: got %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			if _, err := c.Do(ctx, Request{URL: at}); tutti.CodeOf(err) != tutti.Unavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: got %v", err)
			}
		})
	}
}

// expiring is a context whose deadline passes when done is closed.
type expiring struct {
	context.Context
	done chan struct{}
}

func (e expiring) Done() <-chan struct{} { return e.done }

func (e expiring) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestHTTP2IsSpoken(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := open(t, Config{})
	if _, err := c.Do(t.Context(), Request{URL: s.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: got %v", err)
	}
	c.transport.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	c.transport.TLSClientConfig.NextProtos = nil
	c2 := open(t, Config{})
	c2.transport.TLSClientConfig = c.transport.TLSClientConfig
	res, err := c2.Do(t.Context(), Request{URL: s.URL})
	if err != nil || string(res.Body) != "HTTP/2.0" {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestErrorsTellTheHostAndNothingElse(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hop":
			w.Header().Set("Location", "http://ana:s3cret@10.0.0.1/s3cret?key=s3cret")
			w.WriteHeader(302)
		case "/odd":
			w.Header().Set("Location", "http://[s3cret/%zz?key=s3cret")
			w.WriteHeader(302)
		case "/gone":
			panic(http.ErrAbortHandler)
		case "/garbage":
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Write([]byte("s3cret is not HTTP\r\n\r\n"))
			conn.Close()
		}
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	c := open(t, Config{})
	urls := []string{"http://ana:s3cret@127.0.0.1/", "http://127.0.0.1:x/s3cret", "http://%zz/s3cret", "http://" + closed.Addr().String() + "/s3cret?key=s3cret", "http://10.0.0.1/s3cret", "s3cret://host/"}
	for _, p := range []string{"/hop", "/odd", "/gone", "/garbage"} {
		urls = append(urls, at+p+"?key=s3cret")
	}
	for _, u := range urls {
		_, err := c.Do(t.Context(), Request{URL: u, Header: http.Header{"Authorization": {"Bearer s3cret"}}})
		if err == nil {
			t.Errorf("%s: got an answer", u)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "s3cret") {
				t.Errorf("%s: the error tells %v", u, e)
			}
		}
		if p, perr := url.Parse(u); perr == nil && p.Hostname() != "" && !strings.Contains(err.Error(), p.Hostname()) {
			t.Errorf("%s: the error %v does not name the host", u, err)
		}
	}
	_, err = c.Do(t.Context(), Request{URL: at, Header: http.Header{"X-Key": {"s3cret\nInjected: yes"}}})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a header with a line break: got %v", err)
	}
}

func FuzzAcceptedAddressesAreClear(f *testing.F) {
	for _, h := range hostile {
		f.Add(strings.ReplaceAll(h, "PORT", "8080"))
	}
	f.Add("https://acme.example/api?x=1")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || acceptable(u) != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || again.User != nil || acceptable(again) != nil {
			t.Fatalf("%q is accepted, but reads as %v the second time", s, again)
		}
		for _, r := range u.Host {
			if r <= ' ' || r >= 0x7f || strings.ContainsRune(`@/\?#%`, r) {
				t.Fatalf("%q is accepted with %q in its host", s, r)
			}
		}
		if ip := net.ParseIP(u.Hostname()); ip == nil && looksNumeric(lastLabel(u.Hostname())) {
			t.Fatalf("%q is accepted, but ends in a number", s)
		}
	})
}

func lastLabel(host string) string {
	host = strings.TrimSuffix(host, ".")
	return host[strings.LastIndex(host, ".")+1:]
}

// TestABombIsNotDecoded: a body that unfolds to a thousand times its size is refused long before its limit; one
// that repeats itself as records do is not.
func TestABombIsNotDecoded(t *testing.T) {
	var honest bytes.Buffer
	z := gzip.NewWriter(&honest)
	for i := range 40_000 {
		fmt.Fprintf(z, `{"id":%d,"title":"The same words in each of them, again and again","state":"open"},`, i)
	}
	z.Close()
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/bomb" {
			w.Write(zipped(3 << 20))
		} else {
			w.Write(honest.Bytes())
		}
	})
	c := open(t, Config{})
	if _, err := c.Do(t.Context(), Request{URL: at + "/bomb"}); !errors.Is(err, tutti.TooLarge) {
		t.Errorf("a bomb below the size limit: %v", err)
	}
	if res, err := c.Do(t.Context(), Request{URL: at + "/"}); err != nil || len(res.Body) < 3<<20 {
		t.Errorf("%d bytes of records: %v", honest.Len(), err)
	}
	res, err := c.HTTP().Get(at + "/bomb")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, errBomb) {
		t.Errorf("the client for libraries decodes the bomb: %v", err)
	}
}
