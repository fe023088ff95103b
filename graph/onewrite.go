package graph

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// net/http copies a small answer into its buffer of 4 KiB, and sends a longer one in two writes: the
// buffer, with the header and the beginning, and then the rest. That is two system calls, and the
// reader is woken twice. A connection of OneWrite holds the header back (as TCP_CORK would, without
// its calls) and sends it with all pieces of the body, each from where it is.

// OneWrite makes s send each ready answer of the API in one write. Serve on what it gives.
func OneWrite(s *http.Server, l net.Listener) net.Listener {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, corkKey{}, c) }
	return corkListener{l}
}

type corkListener struct{ net.Listener }

func (l corkListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &corked{Conn: c}, nil
}

type corkKey struct{}

// corked is a connection that can hold a small write back until the next one. The goroutine that
// serves the connection writes and corks; everything else is as of net.Conn.
type corked struct {
	net.Conn
	on   bool
	held *[]byte // what is held back; nil for nothing
	all  [][]byte
	out  net.Buffers
}

// corkBytes is how much is held back at most: net/http's buffer.
const corkBytes = 4 << 10

var heldPool = sync.Pool{New: func() any { b := make([]byte, 0, corkBytes); return &b }}

// Write holds the first small write back while the connection is corked, and sends it with the
// next. It reports what is held back as written: an error of sending it comes from the next write.
func (c *corked) Write(p []byte) (int, error) {
	switch {
	case c.held != nil:
		n, err := c.send(p)
		return int(n), err
	case c.on && len(p) <= corkBytes:
		c.held = heldPool.Get().(*[]byte)
		*c.held = append((*c.held)[:0], p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// ReadFrom sends all of r: the pieces of net.Buffers at once, together with what is held back. It is
// how net/http hands a body over that it need not copy.
func (c *corked) ReadFrom(r io.Reader) (int64, error) {
	if pieces, ok := r.(*net.Buffers); ok {
		return c.send(*pieces...)
	}
	c.uncork()
	if to, ok := c.Conn.(io.ReaderFrom); ok {
		return to.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}

// send writes what is held back, and pieces after it; n counts those.
func (c *corked) send(pieces ...[]byte) (n int64, err error) {
	c.all = c.all[:0]
	held := c.held
	if c.held = nil; held != nil {
		c.all = append(c.all, *held)
	}
	c.all = append(c.all, pieces...)
	c.out = c.all
	n, err = c.out.WriteTo(c.Conn)
	clear(c.all)
	if held != nil {
		n = max(n-int64(len(*held)), 0)
		heldPool.Put(held)
	}
	return n, err
}

// uncork sends what is still held back.
func (c *corked) uncork() {
	c.on = false
	if c.held != nil {
		_, _ = c.send() // the next write, or the end of the answer, meets the error again
	}
}

// send writes a body with its header, which is not sent yet: in one write where the connection can.
func send(ctx context.Context, w http.ResponseWriter, body *buffer) {
	c, _ := ctx.Value(corkKey{}).(*corked)
	to, reads := w.(io.ReaderFrom)
	header, flushes := w.(http.Flusher)
	if c == nil || !reads || !flushes {
		_, _ = body.inPieces().WriteTo(w)
		return
	}
	c.on = true
	defer c.uncork()
	header.Flush() // before the body: else net/http copies its beginning, to look what it is
	_, _ = to.ReadFrom(body.inPieces())
}
