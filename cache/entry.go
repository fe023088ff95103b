package cache

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

const (
	// earlyShare of its fresh time before its end, but at most earlyMost, a value is renewed by who
	// reads it then. It is the fixed form of what probabilistic early expiration does: the more often
	// a value is read, the surer somebody reads it in that time.
	earlyShare = 10
	earlyMost  = 30 * time.Second
	// retryPause is how long a value is left alone after a load for it began, whatever came of it.
	retryPause = time.Second
	// patience is how long after a failure nobody waits for the next load.
	patience = 10 * time.Second
)

// entry is one kept answer. What was answered never changes; what is known of attempts to renew it does.
type entry[V any] struct {
	freshUntil, staleUntil, standInUntil instant // both stale periods begin where fresh ends
	renewFrom                            instant // shortly before freshUntil

	next   atomic.Int64 // an instant: nobody tries to renew it before
	failed atomic.Pointer[failure]

	key       string
	value     V
	validator string
	taken     Epochs
	more      *[]slot // all slots, if they are more than some
	some      [4]slot
	n         uint8 // how many of some
	found     bool
	used      atomic.Bool // a place is given away once
}

// slots are those of all tags. They never change.
func (e *entry[V]) slots() []slot {
	if e.more != nil {
		return *e.more
	}
	return e.some[:e.n:e.n]
}

// Place is room for what a cache notes of a value that it keeps. A value that has one is one object
// with it, so that collecting garbage has one object less to visit for each value in a full memory. The
// zero Place is ready.
type Place[V any] struct{ entry entry[V] }

// Spell says how the key that the value will be kept under is spelled in memory that the value holds anyway.
// Without it, or where it is another key, the cache keeps a copy. It is for who makes the value.
func (p *Place[V]) Spell(key string) { p.entry.key = key }

// Placed is a value with room for what a cache notes of it; nil where it has none. The first answer
// that is kept with the value takes the room, and holds the value as long as somebody reads either.
type Placed[V any] interface{ Place() *Place[V] }

// placed reports whether values may have a Place.
func placed[V any]() bool {
	var v V
	_, ok := any(v).(Placed[V])
	return ok
}

// entryFor gives an empty entry: in the value itself, if it has room.
func (c *Cache[V]) entryFor(l *Loaded[V]) *entry[V] {
	if c.placed && l.Found {
		if at := any(l.Value).(Placed[V]).Place(); at != nil && at.entry.used.CompareAndSwap(false, true) {
			return &at.entry
		}
	}
	return &entry[V]{}
}

// instant is a time in Unix nanoseconds: a full memory is walked by the garbage collector again and
// again, and this is a third of a time.Time, without a pointer.
type instant int64

func instantOf(t time.Time) instant { return instant(t.UnixNano()) }

func (i instant) time() time.Time { return time.Unix(0, int64(i)) }

func (i instant) add(d time.Duration) instant { return i + instant(d) }

// failure is the last attempt to renew a value that came to nothing.
type failure struct {
	at    time.Time
	taken uint64 // the epoch before the attempt
	err   error
}

// fill makes an empty entry the one for a load's answer that came at an instant. slots are those of the
// key's tags.
func (e *entry[V]) fill(key string, slots []slot, taken Epochs, l *Loaded[V], p *Policy, came instant) {
	if e.key != key {
		e.key = strings.Clone(key) // the caller's may be part of much else
	}
	e.found, e.taken = l.Found, taken
	if taken.at == 0 {
		e.taken.at = came
	}
	e.taken.at = e.taken.at.add(-l.Age)
	all := slotsOf(append(e.some[:0], slots...), l.Tags)
	if len(all) > len(e.some) {
		more := all // only this one is a variable of the heap
		e.more = &more
	}
	e.n = uint8(min(len(all), len(e.some)))
	if !l.Found {
		e.freshUntil = came.add(p.Negative)
		e.renewAt(e.freshUntil)
		return
	}
	fresh := l.Fresh
	if fresh <= 0 {
		fresh = p.Fresh
	}
	e.value, e.validator, e.freshUntil = l.Value, l.Validator, came.add(fresh)
	e.staleUntil = e.freshUntil.add(p.Stale)
	if p.StaleIfError > 0 {
		e.standInUntil = e.freshUntil.add(p.StaleIfError)
	}
	e.renewAt(e.freshUntil.add(-min(fresh/earlyShare, earlyMost)))
}

func (e *entry[V]) renewAt(i instant) {
	e.renewFrom = i
	e.next.Store(int64(i))
}

// claim reports whether the caller is the one to begin renewing a value that is due. Nobody else is for
// a while.
func (e *entry[V]) claim(now time.Time) bool {
	next := e.next.Load()
	return next <= now.UnixNano() && e.next.CompareAndSwap(next, now.Add(retryPause).UnixNano())
}

// fail notes that an attempt to renew it has failed, or takes too long. What was forgotten long before it
// was due is due from now on.
func (e *entry[V]) fail(now time.Time, taken uint64, err error) {
	e.failed.Store(&failure{at: now, taken: taken, err: err})
	if again, next := now.Add(retryPause).UnixNano(), e.next.Load(); next > again {
		e.next.CompareAndSwap(next, again) // else somebody has just begun to renew it
	}
}

// failing gives the error of the last attempt to renew it; nil when that is long ago, or when it was
// forgotten since: then it is worth waiting for another.
func (c *Cache[V]) failing(e *entry[V], now time.Time) error {
	f := e.failed.Load()
	if f == nil || !now.Before(f.at.Add(patience)) || c.epochs.forgottenSince(e.slots(), f.taken) {
		return nil
	}
	return f.err
}

// serve answers with an entry, if it may be without waiting for a load.
func (c *Cache[V]) serve(e *entry[V], good judgement, p Policy, now time.Time, r *Result[V]) bool {
	if good == isFresh && p.takes(e.freshUntil, now) {
		e.answer(r, tutti.Fresh, true)
		return true
	}
	if good == isUseless || p.AtLeast > 0 {
		return false
	}
	if err := c.failing(e, now); err != nil {
		c.standIn(e, err, r)
		return true
	}
	if good != isStale {
		return false
	}
	e.answer(r, tutti.StaleRevalidating, true)
	c.counts.stale.Add(1)
	return true
}

// takes reports whether an answer that is fresh until then has enough left.
func (p *Policy) takes(until instant, now time.Time) bool {
	return p.AtLeast <= 0 || instantOf(now).add(p.AtLeast) <= until
}

// standIn answers with an old value and tells why it stands in. One whose load is merely slow, and
// that nobody forgot, is on its way to be renewed.
func (c *Cache[V]) standIn(e *entry[V], why error, r *Result[V]) {
	state := tutti.StaleError
	if why == errSoft && !c.epochs.forgottenSince(e.slots(), e.taken.seq) {
		state = tutti.StaleRevalidating
	}
	e.answer(r, state, true)
	r.Err = why
	c.counts.stale.Add(1)
}

// uselessFrom is when nothing of it can be served any more.
func (e *entry[V]) uselessFrom() instant { return max(e.freshUntil, e.staleUntil, e.standInUntil) }

// answer writes the result for a caller; what was not found is MISSING whatever the state.
func (e *entry[V]) answer(r *Result[V], state tutti.FreshnessState, cached bool) {
	if !e.found {
		state = tutti.Missing
	}
	*r = Result[V]{Value: e.value, Found: e.found, State: state, AsOf: e.taken.at.time(), Marks: e.slots(), Cached: cached}
	if state == tutti.Fresh || !e.found {
		r.Until = min(e.freshUntil, instant(e.next.Load())).time()
	}
}

type judgement int

const (
	isUseless judgement = iota // not even a stand-in
	isStandIn                  // when its reload fails or is slow
	isStale                    // at once, while it is refreshed
	isFresh
)

// judge says what an entry is good for now.
func (c *Cache[V]) judge(e *entry[V], now time.Time) judgement {
	at := instantOf(now)
	forgotten := c.epochs.forgottenSince(e.slots(), e.taken.seq)
	switch {
	case forgotten && c.epochs.purgedSince(e.slots(), e.taken.seq):
		return isUseless
	case !forgotten && at < e.freshUntil:
		return isFresh
	case !forgotten && at < e.staleUntil:
		return isStale
	case at < e.standInUntil:
		return isStandIn
	}
	return isUseless
}
