package graph

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestBodiesArriveWhole: of all lengths and in all pieces, one after the other on one connection,
// also where the requests come all at once.
func TestBodiesArriveWhole(t *testing.T) {
	var bodies []*buffer
	for _, n := range []int{0, 1, 511, 512, 513, 2 << 10, 4 << 10, 4<<10 + 1, 100 << 10} {
		plain, spliced := &buffer{b: fill('a', n)}, &buffer{b: fill('b', n)}
		spliced.splices = []splice{{0, fill('x', 3000)}, {n / 2, fill('y', 17)}, {n / 2, fill('z', 5000)}, {n, fill('w', 70000)}}
		bodies = append(bodies, plain, spliced)
	}
	var want []string
	for _, b := range bodies {
		copied := &buffer{b: b.b, splices: append([]splice(nil), b.splices...)}
		want = append(want, string(copied.whole()))
		if len(want[len(want)-1]) != b.len() {
			t.Fatalf("a body of %d bytes says that it has %d", len(want[len(want)-1]), b.len())
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		body := bodies[n]
		w.Header().Set("Content-Type", plainJSON)
		w.Header().Set("Content-Length", fmt.Sprint(body.len()))
		send(r.Context(), w, body)
	})}
	go func() { _ = server.Serve(OneWrite(server, l)) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var requests strings.Builder
	for i := range bodies {
		fmt.Fprintf(&requests, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i)
	}
	if _, err := io.WriteString(conn, requests.String()); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for i := range bodies {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != want[i] {
			t.Errorf("body %d has %d bytes, %v; want %d", i, len(got), err, len(want[i]))
		}
	}
}

// TestFilesAreSentThroughOneWrite: what is no answer of the API goes its usual way.
func TestFilesAreSentThroughOneWrite(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("a file ", 20000)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", noon, strings.NewReader(want))
	})}
	go func() { _ = server.Serve(OneWrite(server, l)) }()
	t.Cleanup(func() { _ = server.Close() })
	resp, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
}

func fill(c byte, n int) []byte { return []byte(strings.Repeat(string(c), n)) }
