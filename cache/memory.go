package cache

import (
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

// overhead is what an entry costs besides its value and key.
const overhead = 200

// memory keeps entries within the byte budget. Keeping is a hint: what was set may never be
// seen, or only a moment later. No call may run beside close or after it.
type memory[V any] struct {
	ristretto      *ristretto.Cache[string, *entry[V]]
	size           func(V) int
	max            int64
	evicted, items atomic.Int64
	primed         atomic.Bool // a Put may not be seen yet

	mu      sync.Mutex
	pending map[string]struct{} // keys set since the last flush
}

// maxPending bounds pending.
const maxPending = 1024

func newMemory[V any](maxBytes int64, size func(V) int) *memory[V] {
	m := &memory[V]{size: size, max: maxBytes, pending: map[string]struct{}{}}
	seed := maphash.MakeSeed()
	var err error
	m.ristretto, err = ristretto.NewCache(&ristretto.Config[string, *entry[V]]{
		NumCounters:        min(max(maxBytes/1024*10, 10_000), 10_000_000), // ten for each entry of 1 KiB
		MaxCost:            maxBytes,
		BufferItems:        64,
		IgnoreInternalCost: true, // overhead counts it
		// The full key is compared in get, so one hash is enough. The stock one allocates.
		KeyToHash: func(key string) (uint64, uint64) { return maphash.String(seed, key), 0 },
		// A load that began before a Forget and ends late must not replace what was loaded after it.
		ShouldUpdate: func(next, kept *entry[V]) bool { return next.key != kept.key || next.taken.seq >= kept.taken.seq },
		// These run inside ristretto: they must not call it.
		OnEvict: func(i *ristretto.Item[*entry[V]]) {
			if i.Value != nil && i.Expiration.IsZero() { // else it expired
				m.evicted.Add(1)
			}
		},
		OnExit: func(e *entry[V]) {
			if e != nil {
				m.items.Add(-1)
			}
		},
	})
	if err != nil { // a budget that is not positive; New sees to it
		panic(fmt.Sprintf("making a cache of %d bytes: %v", maxBytes, err))
	}
	return m
}

// get gives the entry of exactly this key, nil when there is none.
func (m *memory[V]) get(key string) *entry[V] {
	if e, ok := m.ristretto.Get(key); ok && e.key == key {
		return e
	}
	return nil
}

// set keeps an entry until nothing of it can be served. One that is useless already is kept
// shortly: it covers the older one.
func (m *memory[V]) set(e *entry[V], now time.Time) {
	cost := int64(len(e.key)) + overhead
	if e.found {
		cost += int64(m.size(e.value))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, again := m.pending[e.key]; again || len(m.pending) >= maxPending {
		m.settle() // ristretto drops the second of two new values that wait for the same key
	}
	m.pending[e.key] = struct{}{}
	m.items.Add(1) // before, for OnExit may run at once
	if !m.ristretto.SetWithTTL(e.key, e, cost, max(e.uselessFrom().Sub(now), time.Second)) {
		m.items.Add(-1)
	}
}

// flush waits until everything set before is seen by get, as far as it is kept at all.
func (m *memory[V]) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
}

func (m *memory[V]) settle() {
	m.ristretto.Wait()
	m.primed.Store(false) // a Put whose set waits for mu says so again
	clear(m.pending)
}

func (m *memory[V]) bytes() int64 { return m.max - m.ristretto.RemainingCost() }

func (m *memory[V]) close() { m.ristretto.Close() }
