package fetch

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tuttihq/tutti"
)

// limited sends one hop: it refuses unacceptable addresses, asks for gzip, and hands out a
// body that fails with tutti.TooLarge when it grows over max, on the wire or decoded.
type limited struct {
	next  http.RoundTripper
	max   int64
	agent string
}

func (l *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := acceptable(req.URL); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", l.agent)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if req.Method == http.MethodHead || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified {
		return res, nil
	}
	if err := l.wrap(res); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

func (l *limited) wrap(res *http.Response) error {
	if res.ContentLength > l.max {
		return errTooLarge
	}
	wire := &counted{r: res.Body, left: l.max}
	body := &body{Reader: wire, closer: res.Body}
	switch coding := strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ","))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		body.Reader = &counted{r: &gunzip{wire: wire}, left: l.max}
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
	default:
		return errCoding
	}
	res.Body = body
	return nil
}

var (
	errTooLarge = tutti.Errorf(tutti.TooLarge, "the answer exceeds its size limit")
	errCoding   = errors.New("the answer has a content coding that was not asked for")
)

type body struct {
	io.Reader
	closer io.Closer
}

func (b *body) Close() error { return b.closer.Close() }

// counted fails once more than left bytes came.
type counted struct {
	r    io.Reader
	left int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// gunzip reads the gzip header at the first Read; an empty body is an empty body.
type gunzip struct {
	wire io.Reader
	z    *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.wire)
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}
