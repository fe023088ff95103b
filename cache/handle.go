package cache

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// rounds is how often one call loads a key anew because it was forgotten while on its way.
const rounds = 3

// Handle is one question to a cache whose answer may still be on its way. One goroutine begins it
// and takes from it; the loads that it waits for belong to the cache and go on without it.
type Handle[V any] struct {
	c      *Cache[V]
	ctx    context.Context // its values go to the load; once it has ended, no load begins
	keys   []Key
	policy Policy
	load   func(context.Context, []Ask[V]) []Loaded[V]
	landed func()

	known    bool   // memory held something of what it did not answer
	landings uint64 // of the cache, before memory was asked

	mu       sync.Mutex // taken before Cache.life; guards all below
	results  []Result[V]
	left     []int // for positions, while they are looked at
	waits    []wait[V]
	open     int // batches that have not landed
	round    int
	soft     *time.Timer // nil while nothing old could stand in
	softOver bool
	settled  bool // results are complete, and nothing changes them any more
}

// wait is a stake in a flight. old may stand in for it; it may be nil.
type wait[V any] struct {
	at     int
	flight *flight[V] // nil when none may begin
	old    *entry[V]
}

// letGo is called when the wait is over.
func (w *wait[V]) letGo() {
	if w.flight != nil {
		w.flight.batch.letGo()
	}
}

// Begin is GetMany without the waiting. What memory can answer is answered when it returns, loads for
// the rest have begun, and nobody is waited for. landed is called exactly once, from any goroutine and
// perhaps before Begin returns, as soon as every key has its answer (or, at the soft limit, its
// stand-in). It must not block. A Take before that leaves, and then it is not called any more.
func (c *Cache[V]) Begin(ctx context.Context, keys []Key, p Policy, load func(ctx context.Context, asks []Ask[V]) []Loaded[V], landed func()) *Handle[V] {
	h, _ := c.handles.Get().(*Handle[V])
	if h == nil {
		h = &Handle[V]{c: c}
	}
	h.ctx, h.keys, h.policy, h.load, h.landed, h.landings = ctx, keys, p, load, landed, c.landings.Load()
	h.results = slices.Grow(h.results, len(keys))[:len(keys)]
	h.left, h.known = c.recall(keys, p, h.results, slices.Grow(h.left, len(keys)))
	if len(h.left) == 0 {
		h.settled = true
		landed()
		return h
	}
	return c.begin(h, h.left)
}

// Free gives back the memory of a handle and of its results, for others. Who took may call it, once, and
// nobody looks at the handle or the results after it. Without it they are left to be collected.
func (h *Handle[V]) Free() {
	h.mu.Lock()
	idle := h.settled && h.open == 0 && h.soft == nil // else somebody is still to tell it that he has landed
	h.mu.Unlock()
	if !idle {
		return
	}
	clear(h.results)
	clear(h.waits)
	h.ctx, h.keys, h.load, h.landed = nil, nil, nil, nil
	h.results, h.left, h.waits = h.results[:0], h.left[:0], h.waits[:0]
	h.round, h.softOver, h.settled = 0, false, false
	h.c.handles.Put(h)
}

func (c *Cache[V]) begin(h *Handle[V], left []int) *Handle[V] {
	landed := h.landed // once it is settled, somebody may free the handle
	h.mu.Lock()
	h.depart(left)
	done := h.settle()
	if !done {
		h.minds()
	}
	h.mu.Unlock()
	if done {
		landed()
	}
	return h
}

// Take gives the answers, in the order of the keys. Where one has not come yet, the caller leaves: an
// old value stands in where it may, and why stands as Err beside it or instead of it. The load goes on
// and fills the cache. The results belong to the caller.
func (h *Handle[V]) Take(why error) []Result[V] {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settled {
		return h.results
	}
	h.end()
	for _, w := range h.waits {
		if w.flight == nil || !w.flight.batch.landed.Load() {
			h.standIn(w, why)
		} else {
			h.answer(w, true)
		}
		w.letGo()
	}
	h.waits = nil
	return h.results
}

// arrived is called by each batch that this handle waits for, when it has landed.
func (h *Handle[V]) arrived() {
	h.mu.Lock()
	h.open--
	done, landed := h.settle(), h.landed
	h.mu.Unlock()
	if done {
		landed()
	}
}

// minds begins the soft limit, when there is something old that may stand in.
func (h *Handle[V]) minds() {
	if h.policy.SoftLimit <= 0 {
		return
	}
	for _, w := range h.waits {
		if w.old != nil {
			h.soft = time.AfterFunc(h.policy.SoftLimit, func() {
				h.mu.Lock()
				h.softOver = true
				done := h.settle()
				h.mu.Unlock()
				if done {
					h.landed()
				}
			})
			return
		}
	}
}

// settle answers what is waited for, once all of it has landed or may be stood in for. It reports
// whether that made the results complete.
func (h *Handle[V]) settle() bool {
	if h.settled {
		return false
	}
	for h.open == 0 || h.softOver && h.allStandIn() {
		h.round++
		waits := h.waits
		h.waits = nil
		left := h.left[:0]
		for _, w := range waits {
			switch {
			case w.flight == nil:
				h.standIn(w, h.ended())
			case !w.flight.batch.landed.Load():
				h.standIn(w, errSoft)
			case !h.answer(w, h.round == rounds):
				left = append(left, w.at)
			}
			w.letGo()
		}
		if len(left) == 0 {
			h.waits = waits // for whoever has the handle next
			h.end()
			return true
		}
		h.depart(left)
	}
	return false
}

func (h *Handle[V]) end() {
	h.settled = true
	if h.soft != nil {
		h.soft.Stop()
	}
}

// allStandIn reports whether there is an old value for every key that has not landed.
func (h *Handle[V]) allStandIn() bool {
	now := h.c.now()
	for _, w := range h.waits {
		if w.flight != nil && !w.flight.batch.landed.Load() && (w.old == nil || h.c.judge(w.old, now) == isUseless) {
			return false
		}
	}
	return true
}

// depart answers what can be answered at once, joins flights, and begins one for the rest.
func (h *Handle[V]) depart(left []int) {
	c := h.c
	c.life.RLock()
	defer c.life.RUnlock()
	if c.closed {
		for _, at := range left {
			h.results[at] = Result[V]{State: tutti.Missing, Err: tutti.Errorf(tutti.Unavailable, "reading a cache that is closed")}
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	var b *batch[V]
	nothing := !h.known && h.landings == c.landings.Load() // as little as before
	h.known = true
	for _, at := range left {
		key := h.keys[at]
		f := c.flights[key.Key]
		var e *entry[V]
		if !nothing {
			e = c.memory.get(key.Key) // again: the flight that filled it may have just left
		}
		if f != nil && f.landed {
			if f.entry != nil {
				e = f.entry
			} else if e == nil {
				e = f.old // memory may not show it yet
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
		if good == isFresh && h.policy.takes(e.freshUntil, now) {
			c.counts.hit(e.found)
			if instantOf(now) < e.renewFrom {
				e.answer(&h.results[at], tutti.Fresh, true)
				continue
			}
		}
		joined := f != nil
		if f == nil && h.ctx.Err() == nil {
			if b == nil {
				b = newBatch(h, len(left))
			}
			f = b.add(key, h.tellable(e))
			c.flights[key.Key] = f
			if good == isFresh && h.policy.takes(e.freshUntil, now) {
				c.counts.early.Add(1)
			}
		}
		if e != nil && c.serve(e, good, h.policy, now, &h.results[at]) {
			continue
		}
		if h.round == 0 {
			c.counts.misses.Add(1)
			if joined {
				c.counts.coalesced.Add(1)
			}
		}
		if f != nil {
			f.batch.holders.Add(1)
			if f.batch.await(h) {
				h.open++
			}
		}
		if h.waits == nil {
			h.waits = make([]wait[V], 0, len(left))
		}
		h.waits = append(h.waits, wait[V]{at: at, flight: f, old: e})
	}
	if b != nil {
		c.begins(b)
	}
}

// tellable is what a load may be told as the old value: all but what was purged.
func (h *Handle[V]) tellable(e *entry[V]) *entry[V] {
	if e == nil || h.c.epochs.purgedSince(e.slots(), e.taken.seq) {
		return nil
	}
	return e
}

// answer answers one key whose flight has landed. It gives false when what landed was forgotten on its
// way and another round is allowed.
func (h *Handle[V]) answer(w wait[V], last bool) bool {
	c, r := h.c, &h.results[w.at]
	e, err := w.flight.entry, w.flight.err
	switch {
	case err != nil:
		h.standIn(w, err)
	case !c.epochs.forgottenSince(e.slots(), e.taken.seq):
		e.answer(r, tutti.Fresh, false)
	case !last:
		return false
	case c.epochs.purgedSince(e.slots(), e.taken.seq):
		*r = Result[V]{State: tutti.Missing, Err: tutti.Errorf(tutti.Unavailable, "loading a value that is withdrawn again and again")}
	default: // forgotten again and again: it is younger than this call, and the next call loads it anew
		e.answer(r, tutti.StaleRevalidating, false)
	}
	return true
}

var errSoft = tutti.Errorf(tutti.Timeout, "waiting for a load: it takes longer than the soft limit")

func (h *Handle[V]) ended() error { return ended(h.ctx) }

func ended(ctx context.Context) error {
	code := tutti.Unavailable
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = tutti.Timeout
	}
	return tutti.Errorf(code, "waiting for a load: %w", ctx.Err())
}

// standIn answers with the old value where it may serve, and tells why it had to. Who comes while
// the same load is late does not wait for it again.
func (h *Handle[V]) standIn(w wait[V], why error) {
	c, r := h.c, &h.results[w.at]
	now := c.now()
	if w.old == nil || c.judge(w.old, now) == isUseless {
		*r = Result[V]{State: tutti.Missing, Err: why}
		return
	}
	if why == errSoft {
		w.old.fail(now, w.flight.batch.taken.seq, why)
	}
	c.standIn(w.old, why, r)
}
