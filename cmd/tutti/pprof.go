//go:build pprof

package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // serves profiles on the default mux, which nothing else uses
	"os"
)

// init serves profiles on the Unix socket that TUTTI_PPROF names. Only a binary that was built
// with the tag pprof has this; bench/page builds one for its flag -profile.
func init() {
	path := os.Getenv("TUTTI_PPROF")
	if path == "" || len(os.Args) < 2 || os.Args[1] != "serve" {
		return
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "serving profiles:", err)
		os.Exit(failed)
	}
	go func() { _ = http.Serve(l, nil) }() // until the process ends
}
