package postgres

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti/sources"
)

// wire is a way to a server on which connections can go silent: nothing comes through, and nobody says so.
type wire struct {
	dir, server string // the folders of both sockets

	running sync.WaitGroup
	mu      sync.Mutex // guards conns
	conns   []*silenced
}

// silenced passes on what comes through until it is dead.
type silenced struct {
	net.Conn
	dead chan struct{}
}

func (c *silenced) Write(b []byte) (int, error) {
	select {
	case <-c.dead:
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}

const socket = ".s.PGSQL.5432"

// lay lays a wire to the server at an address, and gives the address of its other end.
func lay(t *testing.T, address string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "tutti-wire.") // short: the path of a socket has at most 107 characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	q := u.Query()
	w := &wire{dir: dir, server: q.Get("host")}
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	at, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	w.running.Go(func() {
		for {
			from, err := at.Accept()
			if err != nil {
				return
			}
			w.connect(t, from)
		}
	})
	t.Cleanup(func() {
		_ = at.Close()
		w.cut()
		w.running.Wait()
	})
	return w, u.String()
}

func (w *wire) connect(t *testing.T, from net.Conn) {
	to, err := net.Dial("unix", filepath.Join(w.server, socket))
	if err != nil {
		t.Error(err)
		_ = from.Close()
		return
	}
	dead := make(chan struct{})
	here, there := &silenced{from, dead}, &silenced{to, dead}
	w.mu.Lock()
	w.conns = append(w.conns, here, there)
	w.mu.Unlock()
	pass := func(to, from *silenced) {
		b := make([]byte, 4096)
		for {
			n, err := from.Read(b)
			if err != nil {
				break
			}
			if _, err := to.Write(b[:n]); err != nil {
				break
			}
		}
		_ = to.Close()
	}
	w.running.Go(func() { pass(here, there) })
	w.running.Go(func() { pass(there, here) })
}

// silence kills all connections that there are, without a word to either side, and gives how many.
func (w *wire) silence() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; i < len(w.conns); i += 2 { // both ends share it
		close(w.conns[i].dead)
	}
	return len(w.conns) / 2
}

// cut ends all connections, so that nobody waits for them any more.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
}

// TestConnectionsThatDiedWithoutAWordAreLeft asks on after all connections that nobody uses went silent: that is
// noticed of one or two, and not of each in turn.
func TestConnectionsThatDiedWithoutAWordAreLeft(t *testing.T) {
	t.Parallel() // it waits for seconds
	address, _ := server(t)
	w, through := lay(t, address)
	d := connect(t, through, func(c *sources.DatabaseConfig) { c.Timeout, c.Connections = 2*time.Second, 8 })
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := d.Query(ctx, "select pg_sleep(0.2)", nil, 1, 100)
		return err
	}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			if err := ask(); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if n := w.silence(); n < 5 {
		t.Fatalf("there were only %d connections", n)
	}
	failed := 0
	for ask() != nil && failed < 8 {
		failed++
	}
	w.cut()
	if failed > 2 {
		t.Errorf("%d queries failed", failed)
	}
}

// TestAConnectionThatDiedWithoutAWordIsLeft listens over a wire that goes silent: it is noticed, and what was said
// meanwhile counts as lost.
func TestAConnectionThatDiedWithoutAWordIsLeft(t *testing.T) {
	t.Parallel() // it waits for seconds
	address, exec := server(t)
	w, through := lay(t, address)
	d := connect(t, through, func(c *sources.DatabaseConfig) { c.Timeout = time.Second })
	heard, lost := make(chan string, 10), make(chan struct{}, 10)
	ctx, leave := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		d.Listen(ctx, "tutti_wire", func(m string) { heard <- m }, func() { lost <- struct{}{} })
	})
	defer listening.Wait()
	defer leave()
	<-lost
	exec(`select pg_notify('tutti_wire', 'one')`)
	if m := <-heard; m != "one" {
		t.Errorf("it heard %q", m)
	}
	w.silence()
	exec(`select pg_notify('tutti_wire', 'two')`)
	<-lost
	exec(`select pg_notify('tutti_wire', 'three')`)
	if m := <-heard; m != "three" {
		t.Errorf("after it began to hear again it heard %q", m)
	}
}
