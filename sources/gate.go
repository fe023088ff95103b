package sources

import (
	"context"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// gate keeps a system's wishes: it is closed until the instant that a 429 or a rate-limit header
// named, lets at most rate calls a second through, and at most so many at the same time.
type gate struct {
	now   func() time.Time
	rate  float64 // calls a second; 0 = no limit
	slots chan struct{}

	mu    sync.Mutex // guards the two below
	until time.Time  // closed before this
	next  time.Time  // when the rate allows the next call
}

const (
	defaultWait = time.Second // where a system asks to wait without saying how long
	longestWait = time.Hour
)

func newGate(now func() time.Time, concurrency int, rate float64) *gate {
	return &gate{now: now, rate: rate, slots: make(chan struct{}, concurrency)}
}

// enter waits for a place. RateLimited at once when the gate is closed or the rate allows no call
// before the deadline, and when the gate closed during the wait; Unavailable when no place came
// free in time. Whoever entered must leave.
func (g *gate) enter(ctx context.Context) error {
	wait, err := g.reserve(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, wait); err != nil {
		return tutti.Errorf(tutti.RateLimited, "waiting for the rate limit: %w", err)
	}
	select {
	case g.slots <- struct{}{}:
		return g.entered()
	default:
	}
	select {
	case g.slots <- struct{}{}:
		return g.entered()
	case <-ctx.Done():
		return tutti.Errorf(tutti.Unavailable, "waiting for one of %d calls at the same time to end: %w", cap(g.slots), ctx.Err())
	}
}

// enterNow is enter without the waiting, for a system whose calls have no rate: it reports false when
// there is no place.
func (g *gate) enterNow(ctx context.Context) (entered bool, err error) {
	if g.rate > 0 || ctx.Err() != nil {
		return false, nil
	}
	if g.closed() {
		return false, errClosed
	}
	select {
	case g.slots <- struct{}{}:
		return true, nil
	default:
		return false, nil
	}
}

// entered gives the place back when the gate was closed while its holder waited for it.
func (g *gate) entered() error {
	if !g.closed() {
		return nil
	}
	g.leave()
	return errClosed
}

var errClosed = tutti.Errorf(tutti.RateLimited, "calling the system: it asked to wait")

func (g *gate) leave() { <-g.slots }

// reserve takes a place in the rate and tells how long to wait for it.
func (g *gate) reserve(ctx context.Context) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if now.Before(g.until) {
		return 0, errClosed
	}
	if g.rate <= 0 {
		return 0, nil
	}
	if g.next.Before(now) {
		g.next = now
	}
	wait := g.next.Sub(now)
	if deadline, ok := ctx.Deadline(); ok && wait > time.Until(deadline) {
		return 0, tutti.Errorf(tutti.RateLimited, "calling the system: the rate limit of the config allows no more for now")
	}
	g.next = g.next.Add(time.Duration(float64(time.Second) / g.rate))
	return wait, nil
}

// quiet reports whether a call that nobody waits for would be in nobody's way: at most half of the
// places are taken, and the rate allows one now.
func (g *gate) quiet() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.slots) <= cap(g.slots)/2 && (g.rate <= 0 || !g.next.After(g.now()))
}

// close shuts the gate until t, or for a moment when t says nothing useful. Never for more than
// an hour, whatever the system says.
func (g *gate) close(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if !t.After(now) {
		t = now.Add(defaultWait)
	}
	if t.Sub(now) > longestWait {
		t = now.Add(longestWait)
	}
	if t.After(g.until) {
		g.until = t
	}
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now().Before(g.until)
}

// pause waits, or gives the context's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
