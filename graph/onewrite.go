package graph

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// net/http sends an answer that is longer than its buffer of 4 KiB in two writes: the buffer, with
// the header and the beginning, and then the rest. That is two system calls, and the reader is
// woken twice. A connection of OneWrite sends both at once (as TCP_CORK would, without its calls).

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
	both [2][]byte
}

// corkBytes is how much is held back at most: net/http's buffer.
const corkBytes = 4 << 10

var heldPool = sync.Pool{New: func() any { b := make([]byte, 0, corkBytes); return &b }}

// Write holds the first small write back while the connection is corked, and sends it with the
// next. It reports what is held back as written: an error of sending it comes from the next write.
func (c *corked) Write(p []byte) (int, error) {
	switch {
	case c.held != nil:
		return c.send(p)
	case c.on && len(p) <= corkBytes:
		c.held = heldPool.Get().(*[]byte)
		*c.held = append((*c.held)[:0], p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// send writes what is held back, and p after it.
func (c *corked) send(p []byte) (int, error) {
	held := c.held
	c.held = nil
	c.both = [2][]byte{*held, p}
	bufs := net.Buffers(c.both[:])
	n, err := bufs.WriteTo(c.Conn)
	c.both = [2][]byte{}
	left := int(n) - len(*held)
	heldPool.Put(held)
	return max(left, 0), err
}

// uncork sends what is still held back.
func (c *corked) uncork() {
	c.on = false
	if c.held != nil {
		_, _ = c.send(nil) // the next write, or the end of the answer, meets the error again
	}
}

// writeWhole writes a body with its header, which is not sent yet, in one write where the
// connection can.
func writeWhole(ctx context.Context, w http.ResponseWriter, body []byte) {
	if c, ok := ctx.Value(corkKey{}).(*corked); ok && len(body) > corkBytes/2 {
		c.on = true
		defer c.uncork()
	}
	_, _ = w.Write(body)
}
