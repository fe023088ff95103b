package cache

import (
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
	key       string
	value     V
	found     bool
	validator string
	slots     []slot
	taken     Epochs

	seat seat[V] // in memory

	freshUntil, staleUntil, standInUntil instant // both stale periods begin where fresh ends
	renewFrom                            instant // shortly before freshUntil

	next   atomic.Int64 // an instant: nobody tries to renew it before
	failed atomic.Pointer[failure]
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

// newEntry makes the entry for a load's answer that came at now.
func newEntry[V any](key string, slots []slot, taken Epochs, l Loaded[V], p Policy, now time.Time) *entry[V] {
	e := &entry[V]{key: key, found: l.Found, slots: slots, taken: taken}
	came := instantOf(now)
	if taken.at == 0 {
		e.taken.at = came
	}
	if !l.Found {
		e.freshUntil = came.add(p.Negative)
		e.renewAt(e.freshUntil)
		return e
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
	return e
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

// fail notes that an attempt to renew it has failed, or takes too long.
func (e *entry[V]) fail(now time.Time, taken uint64, err error) {
	e.failed.Store(&failure{at: now, taken: taken, err: err})
}

// failing gives the error of the last attempt to renew it; nil when that is long ago, or when it was
// forgotten since: then it is worth waiting for another.
func (c *Cache[V]) failing(e *entry[V], now time.Time) error {
	f := e.failed.Load()
	if f == nil || !now.Before(f.at.Add(patience)) || c.epochs.forgottenSince(e.slots, f.taken) {
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
	if why == errSoft && !c.epochs.forgottenSince(e.slots, e.taken.seq) {
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
	*r = Result[V]{Value: e.value, Found: e.found, State: state, AsOf: e.taken.at.time(), Marks: e.slots, Cached: cached}
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
	forgotten := c.epochs.forgottenSince(e.slots, e.taken.seq)
	switch {
	case forgotten && c.epochs.purgedSince(e.slots, e.taken.seq):
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
