package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// BenchmarkMiss measures one request of a whole server for a page of which nothing is known, many at
// a time and one after the other, next to a fan-out that makes the same four calls and reads
// nothing. The played origin, in the same process, costs as little as can be.
func BenchmarkMiss(b *testing.B) {
	h, key, origin := benchHouse(b)
	handler := h.handler()
	var page atomic.Int64
	page.Store(1_000_000)
	ask := func(w http.ResponseWriter) {
		n := page.Add(1)
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(benchBody(int(n), int(n%1000))))
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		handler.ServeHTTP(w, r)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	addresses := make([]string, 4)
	for row := range addresses {
		at := make([]string, 10)
		for n := range at {
			at[n] = "{page}-" + strconv.Itoa(row*10+n)
		}
		addresses[row] = origin + "/items?ids=" + strings.Join(at, ",")
	}
	fanOut := func(http.ResponseWriter) {
		n := strconv.FormatInt(page.Add(1), 10)
		var all sync.WaitGroup
		for _, address := range addresses {
			all.Go(func() {
				res, err := client.Get(strings.ReplaceAll(address, "{page}", n))
				if err != nil {
					b.Error(err)
					return
				}
				defer res.Body.Close()
				if _, err := io.ReadFull(res.Body, make([]byte, res.ContentLength)); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	for _, c := range []struct {
		name string
		do   func(http.ResponseWriter)
	}{{"page", ask}, {"fan-out", fanOut}} {
		b.Run(c.name+"/many", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			defer spent(b)()
			b.RunParallel(func(pb *testing.PB) {
				w := &nowhere{header: http.Header{}}
				for pb.Next() {
					clear(w.header)
					c.do(w)
				}
			})
		})
		b.Run(c.name+"/one", func(b *testing.B) {
			b.ReportAllocs()
			defer spent(b)()
			w := &nowhere{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				c.do(w)
			}
		})
	}
}

// spent reports the processor time of the whole process: on a busy machine the time says little.
func spent(b *testing.B) func() {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	return func() {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	}
}

// playOrigin answers GET /…?ids=1-0,1-1 with records of eight fields, and gives its address. It is no
// net/http server, so that what is measured is what asks.
func playOrigin(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go playConnection(conn)
		}
	}()
	return "http://" + l.Addr().String()
}

func playConnection(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	var body, out []byte
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		body = append(body[:0], `{"records":[`...)
		_, rest, _ := strings.Cut(string(line), "ids=")
		rest, _, _ = strings.Cut(rest, " ")
		for id := range strings.SplitSeq(strings.ReplaceAll(rest, "%2C", ","), ",") {
			if len(body) > 12 {
				body = append(body, ',')
			}
			body = playRecord(body, id)
		}
		body = append(body, "]}"...)
		for len(line) > 2 {
			if line, err = in.ReadSlice('\n'); err != nil {
				return
			}
		}
		out = fmt.Appendf(out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: Sun, 01 Nov 2026 09:00:00 GMT\r\n\r\n", len(body))
		if _, err := conn.Write(append(out, body...)); err != nil {
			return
		}
	}
}

func playRecord(b []byte, id string) []byte {
	b = append(append(b, `{"id":"`...), id...)
	b = append(append(b, `","title":"The title of `...), id...)
	b = append(b, `","summary":"`...)
	for range 9 {
		b = append(append(append(b, "Words about "...), id...), ". "...)
	}
	b = append(append(b, `","link":"/items/`...), id...)
	b = append(append(b, `","section":"north","code":"C-`...), id...)
	b = strconv.AppendInt(append(b, `","rank":`...), int64(len(id)), 10)
	return append(b, `,"updated":"2026-11-01T09:00:00Z"}`...)
}
