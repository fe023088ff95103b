package graph

import (
	"compress/gzip"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
)

// Coding is a content coding of an answer (RFC 9110, section 8.4.1), as Content-Encoding names it.
type Coding string

// The codings that answers are sent in, best first.
const (
	Brotli   Coding = "br"
	Gzip     Coding = "gzip"
	Identity Coding = "" // as it is
)

// smallest is the length from which an answer is worth compressing: below it fits into one packet.
const smallest = 1024

// Each coding has one level, whether its bytes are kept or not: under one strong ETag there must
// be one sequence of bytes.
const (
	gzipLevel   = 4
	brotliLevel = 3
)

// CodingFor chooses the coding of an answer of n bytes by the request's Accept-Encoding (RFC
// 9110, section 12.5.3): among those that the client likes most, brotli before gzip. A client
// that says nothing gets the answer as it is.
func CodingFor(accept []string, n int) Coding {
	if len(accept) == 0 || n < smallest {
		return Identity
	}
	best, most := Identity, 0.0
	identity, identityNamed, any := 0.0, false, -1.0
	br, gz := -1.0, -1.0
	for _, line := range accept {
		for line != "" {
			var part string
			part, line, _ = strings.Cut(line, ",")
			name, q := codingAndQuality(part)
			switch {
			case strings.EqualFold(name, "br"):
				br = q
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				gz = q
			case strings.EqualFold(name, "identity"):
				identity, identityNamed = q, true
			case name == "*":
				any = q
			}
		}
	}
	if br < 0 {
		br = any
	}
	if gz < 0 {
		gz = any
	}
	if identityNamed {
		most = identity // wanted more than what is compressed
	}
	if gz > 0 && gz >= most {
		best, most = Gzip, gz
	}
	if br > 0 && br >= most {
		best = Brotli
	}
	return best
}

// codingAndQuality reads one element of Accept-Encoding; a quality that cannot be read is 0.
func codingAndQuality(part string) (name string, q float64) {
	name, params, has := strings.Cut(part, ";")
	name = strings.Trim(name, " \t")
	if !has {
		return name, 1
	}
	key, value, _ := strings.Cut(params, "=")
	if !strings.EqualFold(strings.Trim(key, " \t"), "q") {
		return name, 0
	}
	q, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return name, 0
	}
	return name, q
}

type encoder interface {
	io.WriteCloser
	Reset(io.Writer)
}

var (
	gzips = sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(io.Discard, gzipLevel) // fails only for a level that there is not
		return w
	}}
	brotlis = sync.Pool{New: func() any { return brotli.NewWriterV2(io.Discard, brotliLevel) }}
)

// appendEncoded writes plain in a coding behind b.
func appendEncoded(b, plain []byte, c Coding) []byte {
	pool := &gzips
	switch c {
	case Identity:
		return append(b, plain...)
	case Brotli:
		pool = &brotlis
	}
	w := pool.Get().(encoder)
	defer pool.Put(w)
	out := &appender{b}
	w.Reset(out)
	_, _ = w.Write(plain) // an appender takes everything
	_ = w.Close()
	return out.b
}

// appender is an io.Writer into memory.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// Body is the bytes of an answer that is kept: each coding of it, and its ETags, are made when
// they are first asked for and kept with it. Safe for concurrent use.
type Body struct {
	plain  []byte
	coded  [2]atomic.Pointer[[]byte] // Brotli, Gzip
	digest atomic.Pointer[string]
}

// NewBody keeps the bytes of an answer, which nobody may change any more.
func NewBody(plain []byte) *Body { return &Body{plain: plain} }

// Len is the length of the answer as it is.
func (b *Body) Len() int { return len(b.plain) }

// Size is the memory that the body takes with what is kept beside it.
func (b *Body) Size() int {
	n := cap(b.plain)
	for i := range b.coded {
		if p := b.coded[i].Load(); p != nil {
			n += cap(*p)
		}
	}
	return n
}

// In gives the bytes in a coding. Do not change them.
func (b *Body) In(c Coding) []byte {
	i := 0
	switch c {
	case Identity:
		return b.plain
	case Gzip:
		i = 1
	}
	if p := b.coded[i].Load(); p != nil {
		return *p
	}
	coded := appendEncoded(nil, b.plain, c) // twice at once gives the same bytes twice
	b.coded[i].Store(&coded)
	return coded
}

// tagOf gives the ETag of an answer's bytes in a coding, from what is kept of it where it is.
func (b *Body) tagOf(plain []byte, c Coding) string {
	if b == nil {
		return etag(digestOf(plain), c)
	}
	return b.ETag(c)
}

// ETag gives the strong validator of the body in a coding.
func (b *Body) ETag(c Coding) string {
	p := b.digest.Load()
	if p == nil {
		d := digestOf(b.plain)
		p = &d
		b.digest.Store(p)
	}
	return etag(*p, c)
}
