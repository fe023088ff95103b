package cache

import (
	"context"
	"errors"
	"time"

	"github.com/tuttihq/tutti"
)

// rounds is how often one call loads a key anew because it was forgotten while on its way.
const rounds = 3

// asking is one GetMany for which memory was not enough.
type asking[V any] struct {
	c       *Cache[V]
	ctx     context.Context
	keys    []Key
	policy  Policy
	load    func(context.Context, []Ask[V]) []Loaded[V]
	results []Result[V]

	soft     *time.Timer // nil without a soft limit
	softOver bool
}

// wait is a caller's stake in a flight. old may stand in for it; it may be nil.
type wait[V any] struct {
	at     int
	flight *flight[V]
	old    *entry[V]
}

// settle answers the keys at these positions.
func (a *asking[V]) settle(left []int) {
	if a.policy.SoftLimit > 0 {
		a.soft = time.NewTimer(a.policy.SoftLimit)
		defer a.soft.Stop()
	}
	for round := 1; len(left) > 0; round++ {
		waits := a.depart(left, round == 1)
		left = left[:0]
		for _, w := range waits {
			if !a.await(w, round == rounds) {
				left = append(left, w.at)
			}
		}
	}
}

// depart answers what can be answered at once, joins flights, and begins one for the rest.
func (a *asking[V]) depart(left []int, first bool) (waits []wait[V]) {
	c := a.c
	c.life.RLock()
	defer c.life.RUnlock()
	if c.closed {
		for _, at := range left {
			a.results[at] = Result[V]{State: tutti.Missing, Err: tutti.Errorf(tutti.Unavailable, "reading a cache that is closed")}
		}
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, b := c.now(), newBatch[V](c.Epochs(nil))
	for _, at := range left {
		key := a.keys[at]
		f := c.flights[key.Key]
		e := c.memory.get(key.Key) // again: the flight that filled it may have just left
		if f != nil && f.landed {
			if f.entry != nil {
				e = f.entry
			}
			f = nil
		}
		if f != nil && c.epochs.forgottenSince(f.slots, f.batch.taken.seq) {
			f = nil // it began before the Forget: nobody may join now
		}
		good := isUseless
		if e != nil {
			good = c.judge(e, now)
		}
		if good == isFresh {
			e.answer(&a.results[at], tutti.Fresh, true)
			c.counts.hit(e.found)
			continue
		}
		joined := f != nil
		if f == nil && a.ctx.Err() == nil {
			f = b.add(key, slotsOf(c.epochs, key.Tags), a.tellable(e))
			c.flights[key.Key] = f
		}
		if good == isStale {
			e.answer(&a.results[at], tutti.StaleRevalidating, true)
			c.counts.stale.Add(1)
			continue
		}
		if first {
			c.counts.misses.Add(1)
			if joined {
				c.counts.coalesced.Add(1)
			}
		}
		waits = append(waits, wait[V]{at: at, flight: f, old: e})
	}
	if len(b.flights) > 0 {
		c.running.Add(1)
		go c.fly(a.ctx, b, a.policy, a.load)
	}
	return waits
}

// tellable is what a load may be told as the old value: all but what was purged.
func (a *asking[V]) tellable(e *entry[V]) *entry[V] {
	if e == nil || a.c.epochs.purgedSince(e.slots, e.taken.seq) {
		return nil
	}
	return e
}

// await answers one key when its flight has landed or the caller has to leave. It gives false
// when what landed was forgotten on its way and another round is allowed.
func (a *asking[V]) await(w wait[V], last bool) bool {
	c, r := a.c, &a.results[w.at]
	if err := a.watch(w); err != nil {
		a.standIn(r, w.old, err)
		return true
	}
	e, err := w.flight.entry, w.flight.err
	switch {
	case err != nil:
		a.standIn(r, w.old, err)
	case !c.epochs.forgottenSince(e.slots, e.taken.seq):
		e.answer(r, tutti.Fresh, false)
	case !last:
		return false
	case c.epochs.purgedSince(e.slots, e.taken.seq):
		*r = Result[V]{State: tutti.Missing, Err: tutti.Errorf(tutti.Unavailable, "loading a value that is withdrawn again and again")}
	default: // forgotten again and again: it is younger than this call, and the next call loads it anew
		e.answer(r, tutti.StaleRevalidating, false)
	}
	return true
}

var errSoft = tutti.Errorf(tutti.Timeout, "waiting for a load: it takes longer than the soft limit")

// watch waits for a flight. It gives nil when it has landed, else why the caller leaves.
func (a *asking[V]) watch(w wait[V]) error {
	if w.flight == nil {
		return a.ended()
	}
	select {
	case <-w.flight.batch.done: // first of all, for below select is free to choose
		return nil
	default:
	}
	var soft <-chan time.Time
	if a.soft != nil && w.old != nil && a.c.judge(w.old, a.c.now()) != isUseless {
		if a.softOver {
			return errSoft
		}
		soft = a.soft.C
	}
	select {
	case <-w.flight.batch.done:
		return nil
	case <-a.ctx.Done():
		return a.ended()
	case <-soft:
		a.softOver = true
		return errSoft
	}
}

func (a *asking[V]) ended() error {
	code := tutti.Unavailable
	if errors.Is(a.ctx.Err(), context.DeadlineExceeded) {
		code = tutti.Timeout
	}
	return tutti.Errorf(code, "waiting for a load: %w", a.ctx.Err())
}

// standIn answers with the old value where it may serve, and tells why it had to.
func (a *asking[V]) standIn(r *Result[V], old *entry[V], why error) {
	if old == nil || a.c.judge(old, a.c.now()) == isUseless {
		*r = Result[V]{State: tutti.Missing, Err: why}
		return
	}
	state := tutti.StaleError
	if why == errSoft && !a.c.epochs.forgottenSince(old.slots, old.taken.seq) {
		state = tutti.StaleRevalidating
	}
	old.answer(r, state, true)
	r.Err = why
	a.c.counts.stale.Add(1)
}
