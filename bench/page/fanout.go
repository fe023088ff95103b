package main

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// startFanout starts the reference: a server that makes the same four calls at once and parses
// nothing. Its address takes ?page=N.
func startFanout(o *origin) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		bodies := make([][]byte, len(perPage))
		var all sync.WaitGroup
		for i, k := range perPage {
			all.Go(func() {
				res, err := client.Get(o.address(k.kind, page, k.n))
				if err != nil {
					return
				}
				defer res.Body.Close()
				bodies[i], _ = io.ReadAll(res.Body)
			})
		}
		all.Wait()
		for _, b := range bodies {
			_, _ = w.Write(b)
		}
	})
	go func() { _ = http.Serve(l, handler) }() // until the process ends
	return "http://" + l.Addr().String(), nil
}
