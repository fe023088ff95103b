package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Player answers requests from a recording, in place of the network. Requests are matched by
// method, path, query (as a set), the headers that an exchange names, and body (equal as JSON). The
// same request gets the same answer, however often it is made. Of several exchanges that match, the one with the
// most headers answers, and of those the first. Credentials are not looked at. What the recording does not have is answered with
// 501, and Misses tells of it. Safe for concurrent use.
type Player struct {
	recording *Recording

	mu     sync.Mutex // guards when and misses
	when   string
	misses []string
}

// Play makes a player.
func (r *Recording) Play() *Player { return &Player{recording: r} }

// Through is the player as what stands between a client and the network, which it never lets anything through to.
func (p *Player) Through(http.RoundTripper) http.RoundTripper { return p }

// At chooses the moment: exchanges of it answer before others. With wrong credentials only they do.
func (p *Player) At(when string) {
	p.mu.Lock()
	p.when = when
	p.mu.Unlock()
}

// Has reports whether there are exchanges of a moment.
func (p *Player) Has(when string) bool {
	for i := range p.recording.Exchanges {
		if p.recording.Exchanges[i].When == when {
			return true
		}
	}
	return false
}

// Misses tells what was asked that the recording does not have, each once, with the exchange that is
// nearest and what is different there. It forgets them.
func (p *Player) Misses() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.misses
	p.misses = nil
	return all
}

// RoundTrip answers a request. Its only error is that of the request's context.
func (p *Player) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // it is in memory
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a := askedOf(r, body)
	if e := p.find(a); e != nil {
		return e.Response.answer(r), nil
	}
	miss := p.recording.miss(a)
	p.mu.Lock()
	known := false
	for _, m := range p.misses {
		known = known || m == miss
	}
	if !known {
		p.misses = append(p.misses, miss)
	}
	p.mu.Unlock()
	var told bytes.Buffer
	enc := json.NewEncoder(&told)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]string{"error": miss}) // texts can be written
	return answer(r, http.StatusNotImplemented, map[string]string{"Content-Type": "application/json"}, told.Bytes()), nil
}

// find gives the exchange that answers; nil when there is none.
func (p *Player) find(a *asked) *Exchange {
	p.mu.Lock()
	when := p.when
	p.mu.Unlock()
	var best *Exchange
	for _, moment := range []string{when, Always} {
		for i := range p.recording.Exchanges {
			e := &p.recording.Exchanges[i]
			if e.When == moment && (best == nil || len(e.Request.Headers) > len(best.Request.Headers)) && len(e.differences(a)) == 0 {
				best = e
			}
		}
		if best != nil || moment == Always || moment == WrongCredentials {
			return best
		}
	}
	return nil
}

// miss tells what was asked, and what is nearest to it.
func (r *Recording) miss(a *asked) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s has no answer to %s %s", r.file, a.method, a.path)
	if len(a.query) > 0 {
		b.WriteString("?" + strings.ReplaceAll(a.query.Encode(), "%2C", ","))
	}
	if len(a.body) > 0 {
		b.WriteString(" " + shown(string(a.body)))
	}
	var near *Exchange
	at, fewest := 0, 1000
	var differs []string
	for i := range r.Exchanges {
		e := &r.Exchanges[i]
		if e.When != Always {
			continue
		}
		d := e.differences(a)
		n := len(d)
		if e.Request.Path != a.path && e.Request.Path != a.rawPath {
			n += 5
		}
		if n < fewest {
			near, at, fewest, differs = e, i, n, d
		}
	}
	if near != nil {
		fmt.Fprintf(&b, "; nearest is exchanges.%d (line %d), where %s", at, near.line, strings.Join(differs, ", "))
	}
	return b.String()
}

func (a *Response) answer(r *http.Request) *http.Response {
	status, body, kind := a.Status, []byte(a.Body), "text/plain; charset=utf-8"
	if status == 0 {
		status = http.StatusOK
	}
	if a.JSON != nil {
		body, _ = a.JSON.bytes() // it was checked when it was read
		kind = "application/json"
	}
	headers := map[string]string{}
	if len(body) > 0 {
		headers["Content-Type"] = kind
	}
	for name, v := range a.Headers {
		headers[http.CanonicalHeaderKey(name)] = v
	}
	return answer(r, status, headers, body)
}

func answer(r *http.Request, status int, headers map[string]string, body []byte) *http.Response {
	if r.Method == http.MethodHead {
		body = nil
	}
	res := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	for name, v := range headers {
		res.Header.Set(name, v)
	}
	return res
}
