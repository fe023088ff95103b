package cache

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	overhead  = 256 // what an entry costs besides its value and key
	placeCost = 208 // of that, what is not counted for a value with a Place, which is a part of its size
)

// memory keeps entries within the byte budget. What is set is there for the next get, until room is
// needed for others. Safe for concurrent use.
//
// What goes when room is needed is chosen by SIEVE (Zhang et al., NSDI 2024): a hand walks from the
// oldest entry to the newest and drops the first that was not read since it passed; a read only
// marks, so readers do not wait for one another. What nobody can be served with goes in any case.
type memory[V any] struct {
	size           func(V) int
	gone           func(V) // called with each value that leaves, under its part's mu; nil = nobody
	max            int64
	used           atomic.Int64 // bytes
	evicted, items atomic.Int64
	seed           maphash.Seed
	parts          [parts]part[V]
}

// parts is how many independent parts there are, so that those who set seldom meet.
const parts = 32

type part[V any] struct {
	mu             sync.RWMutex         // guards all below, and the seats
	entries        map[uint64]*entry[V] // by hash of the key; the key itself is compared
	newest, oldest *entry[V]
	hand           *entry[V] // the next to look at; nil = the oldest
	_              [64]byte  // so that no two parts share a cache line
}

// seat is where an entry sits in its part.
type seat[V any] struct {
	newer, older *entry[V]
	hash         uint64
	cost         int64
	read         atomic.Bool // since the hand passed; not under the part's mu
}

func newMemory[V any](maxBytes int64, size func(V) int) *memory[V] {
	m := &memory[V]{size: size, max: maxBytes, seed: maphash.MakeSeed()}
	for i := range m.parts {
		m.parts[i].entries = map[uint64]*entry[V]{}
	}
	return m
}

// get gives the entry of exactly this key, nil when there is none.
func (m *memory[V]) get(key string) *entry[V] {
	h := maphash.String(m.seed, key)
	p := &m.parts[h%parts]
	p.mu.RLock()
	e := p.entries[h]
	p.mu.RUnlock()
	if e == nil || e.key != key {
		return nil
	}
	if !e.seat.read.Load() {
		e.seat.read.Store(true)
	}
	return e
}

// set keeps an entry, until nothing of it can be served at the longest. One that is useless already
// is kept too: it covers the older one. A load that began before a Forget and ends late does not
// replace what was loaded after it.
func (m *memory[V]) set(e *entry[V], now time.Time) {
	h := maphash.String(m.seed, e.key)
	cost := int64(len(e.key)) + overhead
	if e.used.Load() {
		cost -= placeCost
	}
	if e.found {
		cost += int64(m.size(e.value))
	}
	p := &m.parts[h%parts]
	p.mu.Lock()
	old := p.entries[h]
	if old != nil && old.key == e.key && old.taken.seq > e.taken.seq {
		p.mu.Unlock()
		return
	}
	if old != nil {
		m.remove(p, old)
	}
	if cost <= m.max {
		e.seat.hash, e.seat.cost = h, cost
		m.add(p, e)
	}
	for range 2 { // what is of no use is found without anybody needing its room
		if o := p.oldest; o != nil && o != e && instantOf(now) >= o.uselessFrom() {
			m.remove(p, o)
		}
	}
	p.mu.Unlock()
	// The part that grew gives the room, so that none gives more than it gets.
	for at, n := h%parts, uint64(0); m.used.Load() > m.max && n < parts; {
		if !m.drop(&m.parts[(at+n)%parts], e, now) {
			n++
		}
	}
}

// drop makes room in a part: it gives false when there is nothing in it but keep.
func (m *memory[V]) drop(p *part[V], keep *entry[V], now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for passed := 0; passed <= 2*len(p.entries); passed++ {
		e := p.hand
		if e == nil {
			e = p.oldest
		}
		if e == nil {
			return false
		}
		useless := instantOf(now) >= e.uselessFrom()
		if e == keep || !useless && e.seat.read.Swap(false) {
			p.hand = e.seat.newer
			continue
		}
		if !useless {
			m.evicted.Add(1)
		}
		m.remove(p, e)
		return true
	}
	return false
}

// add makes an entry the newest of its part.
func (m *memory[V]) add(p *part[V], e *entry[V]) {
	e.seat.older = p.newest
	if p.newest != nil {
		p.newest.seat.newer = e
	} else {
		p.oldest = e
	}
	p.newest = e
	p.entries[e.seat.hash] = e
	m.used.Add(e.seat.cost)
	m.items.Add(1)
}

func (m *memory[V]) remove(p *part[V], e *entry[V]) {
	newer, older := e.seat.newer, e.seat.older
	if p.hand == e {
		p.hand = newer
	}
	if newer != nil {
		newer.seat.older = older
	} else {
		p.newest = older
	}
	if older != nil {
		older.seat.newer = newer
	} else {
		p.oldest = newer
	}
	e.seat.newer, e.seat.older = nil, nil // somebody may still read it: it must not hold the others
	delete(p.entries, e.seat.hash)
	if m.gone != nil {
		m.gone(e.value)
	}
	m.used.Add(-e.seat.cost)
	m.items.Add(-1)
}

func (m *memory[V]) bytes() int64 { return m.used.Load() }

// close lets go of everything.
func (m *memory[V]) close() {
	for i := range m.parts {
		p := &m.parts[i]
		p.mu.Lock()
		for p.oldest != nil {
			m.remove(p, p.oldest)
		}
		p.mu.Unlock()
	}
}
