package sources

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// gate keeps a system's wishes: it is closed until the instant that a 429 or a rate-limit header
// named, lets at most rate calls a second through, of which some may come at once, no more than there
// are points for, and at most so many at the same time. All calls of a source go through one.
type gate struct {
	now   func() time.Time
	rate  float64       // calls a second; 0 = no limit
	ahead time.Duration // how long before its turn by the rate a call may come: for a burst
	slots chan struct{}

	mu     sync.Mutex // guards all below
	until  time.Time  // closed before this
	next   time.Time  // when the rate allows the next call
	low    time.Time  // few calls are left before this
	points *points    // nil = calls cost none
}

// points is a bucket from which calls take as the system says, and which fills by itself.
type points struct {
	left, most, rate float64
	cost             float64 // what a call is thought to cost
	at               time.Time
}

const (
	defaultWait = time.Second // where a system asks to wait without saying how long
	longestWait = time.Hour   // whatever a system says
	longestHold = 25 * time.Hour
)

// gate makes the gate of a source: by what the manifest says, which the config may lower.
func (l *LimitSpec) gate(now func() time.Time, c config.SourceLimits) *gate {
	concurrency, rate, burst := c.Concurrency, c.Rate, 1
	if l.Concurrency > 0 {
		concurrency = min(concurrency, l.Concurrency)
	}
	if l.Rate > 0 && (rate <= 0 || l.Rate <= rate) {
		rate, burst = l.Rate, max(1, l.Burst)
	}
	g := newGate(now, concurrency, rate)
	if burst > 1 {
		g.ahead = time.Duration(float64(burst-1) / rate * float64(time.Second))
	}
	return g
}

func newGate(now func() time.Time, concurrency int, rate float64) *gate {
	return &gate{now: now, rate: rate, slots: make(chan struct{}, concurrency)}
}

// goOn takes over until when another gate of the same system is closed, and what is left of its points.
func (g *gate) goOn(was *gate) {
	was.mu.Lock()
	defer was.mu.Unlock()
	g.until, g.low = was.until, was.low
	if was.points != nil {
		left := *was.points
		g.points = &left
	}
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
	if closed, free := g.state(); closed {
		return false, errClosed
	} else if !free {
		return false, nil
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
	wait := time.Duration(0)
	if g.rate > 0 {
		wait = max(0, later(g.next, now).Sub(now)-g.ahead)
	}
	if p := g.points; p != nil {
		p.fill(now)
		if lack := p.cost - p.left; lack > 0 {
			wait = max(wait, time.Duration(lack/p.rate*float64(time.Second)))
		}
	}
	if deadline, ok := ctx.Deadline(); ok && wait > time.Until(deadline) {
		return 0, errRate
	}
	if g.rate > 0 {
		g.next = later(g.next, now).Add(time.Duration(float64(time.Second) / g.rate))
	}
	if g.points != nil {
		g.points.left -= g.points.cost
	}
	return wait, nil
}

var errRate = tutti.Errorf(tutti.RateLimited, "calling the system: its rate limit, or that of the config, allows no more for now")

// fill adds what came back since it was last looked at.
func (p *points) fill(now time.Time) {
	if d := now.Sub(p.at); d > 0 {
		p.left, p.at = min(p.most, p.left+p.rate*d.Seconds()), now
	}
}

// spend notes what an answer says that a call cost. The next one is thought to cost as much, or nearly as
// much as a dear one before it.
func (g *gate) spend(s spent) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.points
	if p == nil {
		p = &points{left: s.most, most: s.most, at: g.now()}
		p.cost = 0
		g.points = p
	}
	p.fill(g.now())
	p.left += p.cost - s.used // it was taken before
	if !math.IsNaN(s.left) {
		p.left = s.left - p.cost*float64(max(0, len(g.slots)-1)) // others are on their way
	}
	p.most, p.rate = s.most, s.rate
	p.cost = min(max(s.used, 0.9*p.cost), p.most)
	p.left = min(max(p.left, p.cost-p.rate*longestWait.Seconds()), p.most) // a call may go in an hour, whatever was said
}

// learn notes what the headers of an answer say.
func (g *gate) learn(l left) {
	if g == nil || l == (left{}) {
		return
	}
	if !l.until.IsZero() {
		g.close(l.until)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.low = now.Add(min(l.low.Sub(now), longestWait))
}

// state tells whether it is closed, and whether a call may go at once.
func (g *gate) state() (closed, free bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now().Before(g.until), g.points == nil
}

// quiet reports whether a call that nobody waits for would be in nobody's way: at most half of the
// places are taken, the rate and the points allow one now, and more than a tenth is left of what the
// system allows.
func (g *gate) quiet() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if p := g.points; p != nil {
		p.fill(now)
		if p.left < p.most/10 {
			return false
		}
	}
	return len(g.slots) <= cap(g.slots)/2 && (g.rate <= 0 || !g.next.Add(-g.ahead/2).After(now)) && !now.Before(g.low)
}

// close shuts the gate until t, or for a moment when t says nothing useful. Never for more than
// an hour, whatever the system says.
func (g *gate) close(t time.Time) { g.shut(t, false) }

// shut is close; for more than an hour, too, where that is known for sure.
func (g *gate) shut(t time.Time, sure bool) {
	most := longestWait
	if sure {
		most = longestHold
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if !t.After(now) {
		t = now.Add(defaultWait)
	}
	t = now.Add(min(t.Sub(now), most)) // by the clock that does not jump
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
