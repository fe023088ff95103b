package cache

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

const (
	overhead  = 256 // what an entry costs besides its value and key: itself, its seat, and how it is found
	placeCost = 144 // of that, what is not counted for a value with a Place, which is a part of its size
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

func newMemory[V any](maxBytes int64, size func(V) int) *memory[V] {
	m := &memory[V]{size: size, max: maxBytes, seed: maphash.MakeSeed()}
	for i := range m.parts {
		m.parts[i].clear()
	}
	return m
}

// get gives the entry of exactly this key, nil when there is none.
func (m *memory[V]) get(key string) *entry[V] {
	h := maphash.String(m.seed, key)
	p := &m.parts[h%parts]
	p.mu.RLock()
	i := p.find(h)
	e := p.entries[i]
	if r := &p.seats[i].read; i != 0 && r.Load() == 0 {
		r.Store(1)
	}
	p.mu.RUnlock()
	if e == nil || e.key != key {
		return nil
	}
	return e
}

// set keeps an entry, until nothing of it can be served at the longest. One that is useless already
// is kept too: it covers the older one. A load that began before a Forget and ends late does not
// replace what was loaded after it.
func (m *memory[V]) set(e *entry[V], now time.Time) {
	h := maphash.String(m.seed, e.key)
	cost := int64(len(e.key)) + overhead
	if e.found {
		cost += int64(m.size(e.value))
	}
	if e.used.Load() {
		cost -= placeCost
	}
	p := &m.parts[h%parts]
	p.mu.Lock()
	if i := p.find(h); i != 0 {
		if old := p.entries[i]; old.key == e.key && old.taken.seq > e.taken.seq {
			p.mu.Unlock()
			return
		}
		m.remove(p, i)
	}
	if cost <= m.max && !p.full() {
		m.add(p, e, h, cost)
	}
	for range 2 { // what is of no use is found without anybody needing its room
		if o := p.oldest; o != 0 && o != p.newest && instantOf(now) >= p.seats[o].useless {
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
	for passed := 0; passed <= 2*p.taken; passed++ {
		i := p.hand
		if i == 0 {
			i = p.oldest
		}
		if i == 0 {
			return false
		}
		s := &p.seats[i]
		useless := instantOf(now) >= s.useless
		if p.entries[i] == keep || !useless && s.read.Swap(0) == 1 {
			p.hand = s.newer
			continue
		}
		if !useless {
			m.evicted.Add(1)
		}
		m.remove(p, i)
		return true
	}
	return false
}

// add makes an entry the newest of its part.
func (m *memory[V]) add(p *part[V], e *entry[V], hash uint64, cost int64) {
	i := p.seat()
	s := &p.seats[i]
	s.hash, s.useless, s.cost, s.newer, s.older = hash, e.uselessFrom(), cost, 0, p.newest
	p.chain(i)
	s.read.Store(0)
	if p.newest != 0 {
		p.seats[p.newest].newer = i
	} else {
		p.oldest = i
	}
	p.newest, p.entries[i] = i, e
	m.used.Add(cost)
	m.items.Add(1)
}

func (m *memory[V]) remove(p *part[V], i uint32) {
	s := &p.seats[i]
	if p.hand == i {
		p.hand = s.newer
	}
	if s.newer != 0 {
		p.seats[s.newer].older = s.older
	} else {
		p.newest = s.older
	}
	if s.older != 0 {
		p.seats[s.older].newer = s.newer
	} else {
		p.oldest = s.newer
	}
	p.unchain(i)
	if m.gone != nil {
		m.gone(p.entries[i].value)
	}
	p.leave(i)
	m.used.Add(-s.cost)
	m.items.Add(-1)
}

func (m *memory[V]) bytes() int64 { return m.used.Load() }

// close lets go of everything.
func (m *memory[V]) close() {
	for i := range m.parts {
		p := &m.parts[i]
		p.mu.Lock()
		for p.oldest != 0 {
			m.remove(p, p.oldest)
		}
		p.clear()
		p.mu.Unlock()
	}
}
