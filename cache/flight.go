package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"github.com/tuttihq/tutti"
)

// flight is the load of one key. It stays in Cache.flights until its entry can be seen in
// memory, so that nobody loads again in between.
type flight[V any] struct {
	batch *batch[V]
	slots []slot
	old   *entry[V] // what the load was told as Old; nil when nothing was

	landed bool // under Cache.mu; entry and err may also be read once batch.landed is true
	entry  *entry[V]
	err    error
}

// batch is one call of load: the flights of its asks, in their order.
type batch[V any] struct {
	taken   Epochs
	asks    []Ask[V]
	flights []flight[V]  // with room for all, so that none moves
	slots   []slot       // of all flights, one after the other
	handles []*Handle[V] // who waits for it; under Cache.mu
	landed  atomic.Bool
}

// Panic is what a load panicked with. errors.As finds it in a Result's Err; the stack is for
// logs.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

func newBatch[V any](taken Epochs, most int) *batch[V] {
	return &batch[V]{taken: taken, asks: make([]Ask[V], 0, most), flights: make([]flight[V], 0, most), slots: make([]slot, 0, 3*most)}
}

func (b *batch[V]) add(key Key, old *entry[V]) *flight[V] {
	n := len(b.slots)
	for _, tag := range key.Tags {
		if s := Mark(tag); !slices.Contains(b.slots[n:], s) {
			b.slots = append(b.slots, s)
		}
	}
	slots := b.slots[n:len(b.slots):len(b.slots)] // what only the answer tells is added to a copy
	ask := Ask[V]{Key: key}
	if old != nil && old.found {
		ask.Old, ask.HasOld, ask.Validator = old.value, true, old.validator
	} else {
		old = nil
	}
	b.asks, b.flights = append(b.asks, ask), append(b.flights, flight[V]{batch: b, slots: slots, old: old})
	return &b.flights[len(b.flights)-1]
}

// await lets the batch tell the handle when it has landed. It reports false when it does already. The
// caller holds Cache.mu since before the handle's first flight of this batch.
func (b *batch[V]) await(h *Handle[V]) bool {
	if n := len(b.handles); n > 0 && b.handles[n-1] == h {
		return false
	}
	b.handles = append(b.handles, h)
	return true
}

// flying is the context of a load: it lives as long as the cache, and has the values of whoever began.
type flying struct {
	context.Context // of the cache, which has no values but context's own
	values          context.Context
}

func (f *flying) Value(key any) any {
	if v := f.Context.Value(key); v != nil {
		return v
	}
	return f.values.Value(key)
}

// mostWaiting is how many goroutines wait for the next load when theirs has ended. A new one would
// have to grow its stack step by step, each time.
const mostWaiting = 64

// begins runs a load in a goroutine of the crew. The caller holds life, and the cache is not closed.
func (c *Cache[V]) begins(load func()) {
	c.running.Add(1)
	select {
	case c.work <- load:
		return
	default:
	}
	c.crew.Add(1)
	go func() {
		defer c.crew.Done()
		for load != nil {
			load()
			load = c.next()
		}
	}()
}

// next waits for another load; nil when the cache is closed, or when enough wait already.
func (c *Cache[V]) next() func() {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > mostWaiting {
		return nil
	}
	select {
	case load := <-c.work:
		return load
	case <-c.stop.Done():
		return nil
	}
}

// fly runs a batch to its end. ctx gives values only.
func (c *Cache[V]) fly(ctx context.Context, b *batch[V], p Policy, load func(context.Context, []Ask[V]) []Loaded[V]) {
	defer c.running.Done()
	c.counts.loads.Add(1)
	ctx = &flying{c.stop, ctx}
	if limit := p.HardLimit; limit >= 0 {
		if limit == 0 {
			limit = defaultHardLimit
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}

	var answers []Loaded[V]
	err := errors.New("the load ended its goroutine")
	defer func() { // also on runtime.Goexit, which no recover sees
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
		if err != nil {
			answers, err = nil, tutti.Errorf(tutti.Internal, "loading %d keys: %w", len(b.asks), err)
		}
		c.land(b, answers, err, p)
	}()
	answers = load(ctx, b.asks)
	err = nil
	if len(answers) != len(b.asks) {
		err = fmt.Errorf("%d answers came", len(answers))
	}
}

// land hands the answers to those who wait, and then to memory: nobody waits for memory, because
// who asks meanwhile finds the landed flight. Errors reach those who wait, and nobody else.
func (c *Cache[V]) land(b *batch[V], answers []Loaded[V], err error, p Policy) {
	now := c.now()
	c.mu.Lock()
	for i := range b.flights {
		f := &b.flights[i]
		if f.err = err; err == nil {
			f.entry, f.err = c.accept(b.asks[i].Key, f, &answers[i], &p, instantOf(now))
		}
		if f.err != nil && f.old != nil {
			f.old.fail(now, b.taken.seq, f.err)
		}
		f.landed = true
	}
	b.landed.Store(true)
	handles := b.handles
	c.mu.Unlock()
	for _, h := range handles {
		h.arrived()
	}
	for i := range b.flights {
		if f := &b.flights[i]; f.entry != nil {
			c.memory.set(f.entry, now)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b.flights {
		f := &b.flights[i]
		if key := b.asks[i].Key.Key; c.flights[key] == f { // else a later one took its place
			delete(c.flights, key)
		}
	}
	c.landings.Add(1)
}

// accept makes the entry of one answer.
func (c *Cache[V]) accept(key Key, f *flight[V], l *Loaded[V], p *Policy, came instant) (*entry[V], error) {
	if l.Err != nil {
		return nil, l.Err
	}
	slots := f.slots
	if l.Unchanged {
		if f.old == nil {
			return nil, tutti.Errorf(tutti.BadAnswer, "loading a value: the answer is \"unchanged\", but no older one was told")
		}
		l.Value, l.Found = f.old.value, true
		if l.Validator == "" {
			l.Validator = f.old.validator
		}
		slots = union(slots, f.old.slots)
	}
	return newEntry(key.Key, slots, f.batch.taken, l, p, came), nil
}

// union adds to a what only b has.
func union(a, b []slot) []slot {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
