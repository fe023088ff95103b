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
	client *Client
	max    int64
}

// acceptEncoding is the only content coding that is asked for and understood.
const acceptEncoding = "gzip"

func (c *Client) limited(limit int64) *limited { return &limited{client: c, max: limit} }

func (l *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := acceptable(req.URL); err != nil {
		return nil, err
	}
	if h := l.client.Header(req.Header); len(h) != len(req.Header) || h.Get("Accept-Encoding") != req.Header.Get("Accept-Encoding") {
		req = req.WithContext(req.Context()) // a request that came from outside is not changed
		req.Header = h
	}
	res, err := l.client.hop.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if bodyless(req.Method, res.StatusCode) {
		return res, nil
	}
	if err := l.wrap(res); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

func bodyless(method string, status int) bool {
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

func (l *limited) wrap(res *http.Response) error {
	zipped, err := coded(res)
	if err != nil {
		return err
	}
	if res.ContentLength > l.max {
		return errTooLarge
	}
	wire := &counted{r: res.Body, left: l.max}
	body := &body{Reader: wire, closer: res.Body}
	if zipped {
		body.Reader = &counted{r: &gunzip{wire: wire, started: l.max}, left: l.max}
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
	}
	res.Body = body
	return nil
}

// coded reports whether a body is gzip. An error for a coding that was not asked for.
func coded(res *http.Response) (zipped bool, err error) {
	values := res.Header["Content-Encoding"]
	if len(values) == 0 {
		return false, nil
	}
	switch strings.ToLower(strings.TrimSpace(strings.Join(values, ","))) {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return true, nil
	}
	return false, errCoding
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

// gunzip reads the gzip header at the first Read; an empty body is an empty body. It fails with
// tutti.TooLarge once it is sure that the body is made to be large.
type gunzip struct {
	wire    *counted
	z       *gzip.Reader
	started int64 // what was left of wire
	came    int64 // bytes, decoded
}

// A body of which more than suspicious bytes came, from less than a hundredth of that, is a bomb: texts that
// repeat themselves a lot are a thirtieth of their length. Decoding it up to the size limit would
// cost milliseconds of a core with each call.
const (
	suspicious = 512 << 10
	hundredth  = 100
)

var errBomb = tutti.Errorf(tutti.TooLarge, "the answer unfolds to more than a hundred times its size")

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.wire)
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	n, err := g.z.Read(p)
	if g.came += int64(n); g.came > suspicious && g.came > hundredth*(g.started-g.wire.left) {
		return 0, errBomb
	}
	return n, err
}
