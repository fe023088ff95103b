package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// static writes ready bytes: the least that answering a POST can cost with net/http.
type static struct {
	header http.Header
	pages  []page
	turn   atomic.Uint64
}

// page is one ready answer.
type page struct {
	body   []byte
	length []string // as a header: without it net/http would send the body in chunks
}

// newStatic reads DIR/headers, as HTTP writes them, and the bodies DIR/*.json.
func newStatic(dir string) (*static, error) {
	head, err := os.ReadFile(filepath.Join(dir, "headers"))
	if err != nil {
		return nil, err
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\r\n"...)))).ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	s := &static{header: http.Header(header)}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s.pages = append(s.pages, page{body, []string{strconv.Itoa(len(body))}})
	}
	if len(s.pages) == 0 {
		return nil, errors.New("there is no page in " + dir)
	}
	return s, nil
}

// ServeHTTP reads the request to its end and answers with the next page.
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	page := &s.pages[s.turn.Add(1)%uint64(len(s.pages))]
	h := w.Header()
	for name, values := range s.header {
		h[name] = values
	}
	h["Content-Length"] = page.length
	_, _ = w.Write(page.body)
}
