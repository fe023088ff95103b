package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// origin plays plain REST systems, one for each kind, that answer after a delay. It spends as
// little as it can, so that what is measured is what asks.
type origin struct {
	http.ServeMux
	delay atomic.Int64 // nanoseconds
	calls atomic.Int64
	items atomic.Int64

	mu      sync.RWMutex
	changed map[string]int // how often an id was changed
}

// newOrigin serves /{kind}?ids=1-0,1-1 and, for whoever measures: POST /-/delay/{ms},
// POST /-/change/{id}, and GET /-/calls, which gives the calls and the items asked for so far.
func newOrigin() *origin {
	o := &origin{changed: map[string]int{}}
	o.HandleFunc("GET /{kind}", o.serve)
	o.HandleFunc("POST /-/delay/{ms}", func(_ http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.PathValue("ms"))
		o.delay.Store(int64(ms) * int64(time.Millisecond))
	})
	o.HandleFunc("POST /-/change/{id}", func(_ http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed[r.PathValue("id")]++
	})
	o.HandleFunc("GET /-/calls", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, o.calls.Load(), o.items.Load())
	})
	return o
}

// serve answers with records of eight fields each.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.calls.Add(1)
	if d := time.Duration(o.delay.Load()); d > 0 {
		time.Sleep(d) // what the network and the system would take
	}
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	o.items.Add(int64(len(ids)))
	kind := r.PathValue("kind")
	b := append(make([]byte, 0, 512*len(ids)), `{"records":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.record(b, kind, id)
	}
	b = append(b, "]}\n"...)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

func (o *origin) record(b []byte, kind, id string) []byte {
	o.mu.RLock()
	changed := o.changed[id]
	o.mu.RUnlock()
	b = append(append(b, `{"id":"`...), id...)
	b = append(append(b, `","title":"The title of `...), id...)
	if changed > 0 {
		b = append(strconv.AppendInt(append(b, ", edition "...), int64(changed), 10), '.')
	}
	b = append(b, `","summary":"`...)
	for range 9 {
		b = append(append(append(b, "Words about "...), id...), ". "...)
	}
	b = append(append(append(append(b, `","link":"/`...), kind...), '/'), id...)
	b = append(append(b, `","section":"north","code":"C-`...), id...)
	b = strconv.AppendInt(append(b, `","rank":`...), int64(len(id)), 10)
	return append(b, `,"updated":"2026-11-01T09:00:00Z"}`...)
}
