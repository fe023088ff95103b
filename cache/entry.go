package cache

import (
	"time"

	"github.com/tuttihq/tutti"
)

// entry is one kept answer. It never changes.
type entry[V any] struct {
	key       string
	value     V
	found     bool
	validator string
	slots     []slot
	taken     Epochs

	freshUntil, staleUntil, standInUntil time.Time // both stale periods begin where fresh ends
}

// newEntry makes the entry for a load's answer that came at now.
func newEntry[V any](key string, slots []slot, taken Epochs, l Loaded[V], p Policy, now time.Time) *entry[V] {
	e := &entry[V]{key: key, found: l.Found, slots: slots, taken: taken}
	if taken.at.IsZero() {
		e.taken.at = now
	}
	if !l.Found {
		e.freshUntil = now.Add(p.Negative)
		return e
	}
	fresh := l.Fresh
	if fresh <= 0 {
		fresh = p.Fresh
	}
	e.value, e.validator, e.freshUntil = l.Value, l.Validator, now.Add(fresh)
	e.staleUntil = e.freshUntil.Add(p.Stale)
	if p.StaleIfError > 0 {
		e.standInUntil = e.freshUntil.Add(p.StaleIfError)
	}
	return e
}

// uselessFrom is when nothing of it can be served any more.
func (e *entry[V]) uselessFrom() time.Time {
	last := e.freshUntil
	for _, t := range []time.Time{e.staleUntil, e.standInUntil} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// answer writes the result for a caller; what was not found is MISSING whatever the state.
func (e *entry[V]) answer(r *Result[V], state tutti.FreshnessState, cached bool) {
	if !e.found {
		state = tutti.Missing
	}
	*r = Result[V]{Value: e.value, Found: e.found, State: state, AsOf: e.taken.at, Marks: e.slots, Cached: cached}
	if state == tutti.Fresh || !e.found {
		r.Until = e.freshUntil
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
	forgotten := c.epochs.forgottenSince(e.slots, e.taken.seq)
	switch {
	case forgotten && c.epochs.purgedSince(e.slots, e.taken.seq):
		return isUseless
	case !forgotten && now.Before(e.freshUntil):
		return isFresh
	case !forgotten && now.Before(e.staleUntil):
		return isStale
	case now.Before(e.standInUntil):
		return isStandIn
	}
	return isUseless
}
