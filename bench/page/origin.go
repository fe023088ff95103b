package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// origin plays four plain REST systems that answer after a delay, and counts their calls.
type origin struct {
	url   string
	delay atomic.Int64 // nanoseconds
	calls atomic.Int64
}

// perPage is how many items of each kind one page holds: 40 in all.
var perPage = []struct {
	kind string
	n    int
}{{"asset", 10}, {"product", 15}, {"post", 10}, {"article", 5}}

func startOrigin() (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &origin{url: "http://" + l.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{kind}", o.serve)
	go func() { _ = http.Serve(l, mux) }() // until the process ends
	return o, nil
}

// serve answers /product?ids=1-0,1-1 with records of eight fields.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.calls.Add(1)
	time.Sleep(time.Duration(o.delay.Load())) // what the network and the system would take
	records := []map[string]any{}
	for _, id := range strings.Split(r.URL.Query().Get("ids"), ",") {
		records = append(records, map[string]any{
			"id": id, "title": "The title of " + id, "summary": strings.Repeat("Words about "+id+". ", 8), "link": "/" + r.PathValue("kind") + "/" + id,
			"section": "north", "code": "C-" + id, "rank": len(id), "updated": "2026-11-01T09:00:00Z",
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"records": records})
}

// address is the call for one kind's items of a page.
func (o *origin) address(kind string, page, n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%d-%d", page, i)
	}
	return o.url + "/" + kind + "?ids=" + strings.Join(ids, ",")
}
