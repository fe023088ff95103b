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

// batch is one call of load: the flights of its asks, in their order. Its memory is used again when it
// has landed and nobody waits for one of its flights any more.
type batch[V any] struct {
	c       *Cache[V]
	ctx     context.Context // of who began it: gives values only
	policy  Policy
	load    func(context.Context, []Ask[V]) []Loaded[V]
	taken   Epochs
	asks    []Ask[V]
	answers []Loaded[V]  // lent to the load, see Room
	flights []flight[V]  // with room for all, so that none moves
	slots   []slot       // of all flights, one after the other
	handles []*Handle[V] // who waits for it; under Cache.mu
	landed  atomic.Bool
	holders atomic.Int32 // the load and each wait; nobody becomes one who finds none
}

// Panic is what a load panicked with. errors.As finds it in a Result's Err; the stack is for
// logs.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// newBatch is for at most so many asks of a handle.
func newBatch[V any](h *Handle[V], most int) *batch[V] {
	b, _ := h.c.batches.Get().(*batch[V])
	if b == nil {
		b = &batch[V]{c: h.c}
	}
	if cap(b.flights) < most {
		b.asks, b.flights, b.slots = make([]Ask[V], 0, most), make([]flight[V], 0, most), make([]slot, 0, 3*most)
	}
	b.ctx, b.policy, b.load, b.taken = h.ctx, h.policy, h.load, h.c.Epochs(nil)
	b.holders.Store(1)
	return b
}

// letGo is called by each holder when it looks at the batch no more.
func (b *batch[V]) letGo() {
	if b.holders.Add(-1) > 0 {
		return
	}
	clear(b.asks)
	clear(b.answers)
	clear(b.flights)
	clear(b.handles)
	b.asks, b.flights, b.slots, b.handles = b.asks[:0], b.flights[:0], b.slots[:0], b.handles[:0]
	b.ctx, b.load = nil, nil
	b.landed.Store(false)
	b.c.batches.Put(b)
}

func (b *batch[V]) add(key Key, old *entry[V]) *flight[V] {
	n := len(b.slots)
	for _, tag := range key.Tags {
		if s := Mark(tag); !slices.Contains(b.slots[n:], s) {
			b.slots = append(b.slots, s)
		}
	}
	slots := b.slots[n:len(b.slots):len(b.slots)] // what only the answer tells is added to a copy
	ask := Ask[V]{Key: key, batch: b}
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
func (c *Cache[V]) begins(b *batch[V]) {
	c.running.Add(1)
	select {
	case c.work <- b:
		return
	default:
	}
	c.crew.Add(1)
	go func() {
		defer c.crew.Done()
		for b != nil {
			c.fly(b)
			b = c.next()
		}
	}()
}

// next waits for another load; nil when the cache is closed, or when enough wait already.
func (c *Cache[V]) next() *batch[V] {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > mostWaiting {
		return nil
	}
	select {
	case b := <-c.work:
		return b
	case <-c.stop.Done():
		return nil
	}
}

// fly runs a batch to its end.
func (c *Cache[V]) fly(b *batch[V]) {
	defer c.running.Done()
	c.counts.loads.Add(1)
	var ctx context.Context = &flying{c.stop, b.ctx}
	if limit := b.policy.HardLimit; limit >= 0 {
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
		c.land(b, answers, err)
		if err == nil { // else somebody may still look at its asks
			b.letGo()
		}
	}()
	answers = b.load(ctx, b.asks)
	err = nil
	if len(answers) != len(b.asks) {
		err = fmt.Errorf("%d answers came", len(answers))
	}
}

// land hands the answers to those who wait, and then to memory: nobody waits for memory, because
// who asks meanwhile finds the landed flight. Errors reach those who wait, and nobody else.
func (c *Cache[V]) land(b *batch[V], answers []Loaded[V], err error) {
	now := c.now()
	c.mu.Lock()
	for i := range b.flights {
		f := &b.flights[i]
		if f.err = err; err == nil {
			f.entry, f.err = c.accept(b.asks[i].Key, f, &answers[i], &b.policy, instantOf(now))
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
		slots = union(slots, f.old.slots())
	}
	e := c.entryFor(l)
	e.fill(key.Key, slots, f.batch.taken, l, p, came)
	return e, nil
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
