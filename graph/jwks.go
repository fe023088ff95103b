package graph

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

const (
	jwksEvery = 30 * time.Second // a new key is known after this at the latest
	jwksRetry = 3 * time.Second  // after a failure
	jwksBytes = 1 << 20
	jwksLimit = 5 * time.Second
)

// patient keeps the answer of a key set's address for a while, also a failure. The key set asks
// again for every key id that it does not know, and anybody can make up key ids.
type patient struct {
	next http.RoundTripper // nil = http.DefaultTransport
	now  func() time.Time

	mu     sync.Mutex // guards all below; held while asking, so that one request serves all
	until  time.Time  // when to ask again
	status int
	header http.Header
	body   []byte
	err    error
}

// RoundTrip answers from memory, or asks.
func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.now().Before(p.until) {
		p.ask(r)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &http.Response{
		Status: http.StatusText(p.status), StatusCode: p.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.header.Clone(), Body: io.NopCloser(bytes.NewReader(p.body)), ContentLength: int64(len(p.body)), Request: r,
	}, nil
}

func (p *patient) ask(r *http.Request) {
	next := p.next
	if next == nil {
		next = http.DefaultTransport
	}
	p.until = p.now().Add(jwksRetry)
	resp, err := next.RoundTrip(r)
	if err != nil {
		p.err = tutti.Errorf(tutti.Unavailable, "fetching the key set of visitor tokens: %w", err)
		return
	}
	defer resp.Body.Close()
	p.status, p.header = resp.StatusCode, resp.Header
	p.body, p.err = io.ReadAll(io.LimitReader(resp.Body, jwksBytes))
	if p.err == nil && p.status == http.StatusOK {
		p.until = p.now().Add(jwksEvery)
	}
}
