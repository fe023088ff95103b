package fetch

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

// pipes is a network in memory: what is dialled comes to whoever accepts.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	last  *holed // that was dialled
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		p.last = &holed{Conn: ours}
		return p.last, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// holed is a connection that may fall into a black hole: what is written is gone, and nothing comes.
type holed struct {
	net.Conn
	gone atomic.Bool
}

func (h *holed) Write(p []byte) (int, error) {
	if h.gone.Load() {
		return len(p), nil
	}
	return h.Conn.Write(p)
}

func (h *holed) Read(p []byte) (int, error) {
	for {
		if n, err := h.Conn.Read(p); err != nil || !h.gone.Load() {
			return n, err
		}
	}
}

// TestADeadConnectionIsLeft: when the way of a connection breaks without a word, as at a balancer that forgot it, other
// calls take another one soon. Those of HTTP/1.1 do because a call that was given up ends its connection.
func TestADeadConnectionIsLeft(t *testing.T) {
	known := httptest.NewUnstartedServer(nil)
	known.StartTLS()
	defer known.Close()
	trusted := known.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, http2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := newPipes()
				server := &http.Server{TLSConfig: &tls.Config{Certificates: known.TLS.Certificates}, Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, r.Proto)
				})}
				server.Protocols.SetHTTP1(!http2)
				server.Protocols.SetHTTP2(http2)
				go func() { _ = server.ServeTLS(network, "", "") }()
				defer server.Close()
				c := New(Config{})
				defer c.Close()
				c.transport.DialContext = network.dial
				c.transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
				ask := func() (string, error) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					res, err := c.Do(ctx, Request{URL: "https://example.com/"})
					if err != nil {
						return "", err
					}
					return string(res.Body), nil
				}
				if said, err := ask(); err != nil || (said == "HTTP/2.0") != http2 {
					t.Fatalf("it comes to %s, %v", said, err)
				}
				dead := network.last
				dead.gone.Store(true)
				if _, err := ask(); tutti.CodeOf(err) != tutti.Timeout {
					t.Fatalf("of a dead connection comes %v", err)
				}
				for range 8 { // as a breaker tries
					time.Sleep(time.Second)
					if _, err := ask(); err == nil {
						return
					}
				}
				t.Error("eight seconds later calls still go to the dead connection")
			})
		})
	}
}
