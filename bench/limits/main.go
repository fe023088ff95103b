// Command limits is what Tutti is measured against: played origin systems, a server that writes
// ready bytes, and a fan-out that makes the origin calls and parses nothing. Each is a process of
// its own, so that it costs what a real one costs.
//
//	limits origin                     plays plain REST systems
//	limits static DIR                 answers with the bytes of DIR's *.json, in turn
//	limits fanout ADDRESS…            /N makes the calls with {page} = N, all at once
//
// It prints its address as the first line and ends when its standard input does.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	handler, err := choose(args)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started this is gone
		os.Exit(0)
	}()
	return http.Serve(l, handler)
}

func choose(args []string) (http.Handler, error) {
	switch {
	case len(args) == 1 && args[0] == "origin":
		return newOrigin(), nil
	case len(args) == 2 && args[0] == "static":
		return newStatic(args[1])
	case len(args) > 1 && args[0] == "fanout":
		return newFanout(args[1:]), nil
	}
	return nil, errors.New("say what to be: origin, static DIR, or fanout ADDRESS…")
}
