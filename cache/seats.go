package cache

import (
	"slices"
	"sync"
	"sync/atomic"
)

// part finds entries by the hash of their key and has them in the order in which they came. All that is
// looked at for that stands in seats, without a pointer: a full memory is walked by the garbage collector
// again and again, and it comes to each entry once.
type part[V any] struct {
	mu      sync.RWMutex // guards all below
	heads   []link       // by a part of the hash: the seat where a chain begins; a power of two of them
	entries []*entry[V]  // by seat; nil where the seat is free
	seats   []seat       // the first is nobody's, so that 0 means none
	taken   int          // how many are

	newest, oldest uint32
	hand           uint32   // the next to look at; 0 = the oldest
	free           link     // a seat that is, and there its next is another
	_              [64]byte // so that no two parts share a cache line
}

// seat is where an entry sits in its part.
type seat struct {
	hash         uint64  // of the key, which is compared besides
	useless      instant // nothing of it can be served from then on
	cost         int64
	newer, older uint32
	next         link          // in the chain
	read         atomic.Uint32 // 1 = since the hand passed; also under the part's mu for reading
}

// link leads to a seat, and tells a little of what is there: where that is not looked for, the seat itself,
// far away in a large memory, need not be visited.
type link uint32

const (
	seatBits = 24
	hintBits = 7 // the first of the hash
	moreBit  = 1 << (seatBits + hintBits)
)

func linkTo(seat uint32, hash uint64, more bool) link {
	l := link(seat) | link(hash>>(64-hintBits))<<seatBits
	if more {
		l |= moreBit
	}
	return l
}

func (l link) seat() uint32 { return uint32(l & (1<<seatBits - 1)) }

// mayBe reports whether what is there may have this hash.
func (l link) mayBe(hash uint64) bool {
	return uint64(l&^moreBit)>>seatBits == hash>>(64-hintBits)
}

// more reports whether another may follow in the chain.
func (l link) more() bool { return l&moreBit != 0 }

func (p *part[V]) clear() {
	p.heads, p.entries, p.seats, p.free = make([]link, 8), make([]*entry[V], 1), make([]seat, 1), 0
}

// head is where the chain of a hash begins.
func (p *part[V]) head(hash uint64) *link {
	return &p.heads[hash/parts&uint64(len(p.heads)-1)]
}

// find gives the seat of the entry with a key of this hash; 0 for none.
func (p *part[V]) find(hash uint64) uint32 {
	for l := *p.head(hash); l != 0; {
		s := &p.seats[l.seat()]
		if l.mayBe(hash) && s.hash == hash {
			return l.seat()
		}
		if !l.more() {
			break
		}
		l = s.next
	}
	return 0
}

// chain puts a seat before the others of its chain.
func (p *part[V]) chain(i uint32) {
	s := &p.seats[i]
	head := p.head(s.hash)
	s.next, *head = *head, linkTo(i, s.hash, *head != 0)
}

// grow makes twice as many chains, so that most have one entry or none.
func (p *part[V]) grow() {
	p.heads = make([]link, 2*len(p.heads))
	for i := p.oldest; i != 0; i = p.seats[i].newer {
		p.chain(i)
	}
}

// unchain takes a seat out of its chain. That a link says that more may follow is left as it is: it costs
// a look at most.
func (p *part[V]) unchain(i uint32) {
	at := p.head(p.seats[i].hash)
	for at.seat() != i {
		at = &p.seats[at.seat()].next
	}
	*at = p.seats[i].next
}

// full reports whether no link could lead to another seat.
func (p *part[V]) full() bool { return p.free == 0 && len(p.seats) == 1<<seatBits }

// seat gives a free seat.
func (p *part[V]) seat() uint32 {
	if p.taken++; 2*p.taken > len(p.heads) {
		p.grow()
	}
	if i := p.free.seat(); i != 0 {
		p.free = p.seats[i].next
		return i
	}
	if len(p.seats) == cap(p.seats) { // doubled: as append grows, a memory that fills would be copied five times
		p.seats, p.entries = slices.Grow(p.seats, len(p.seats)), slices.Grow(p.entries, len(p.seats))
	}
	p.seats, p.entries = append(p.seats, seat{}), append(p.entries, nil)
	return uint32(len(p.seats) - 1)
}

// leave makes a seat free.
func (p *part[V]) leave(i uint32) {
	p.entries[i] = nil
	p.seats[i].next, p.free = p.free, link(i)
	p.taken--
}
