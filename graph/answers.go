package graph

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// Ground is what kept answers stand on: where the sources' cache notes what is forgotten.
type Ground interface {
	Moment() uint64
	Forgotten(marks []uint32, after uint64) bool
}

// Kept holds ready answers, and the parts of pages that they are made of, within a byte
// budget. Nothing is given of which the ground was forgotten, or whose time is over. Safe for
// concurrent use. Close it.
type Kept struct {
	ground  Ground
	now     func() time.Time
	answers *cache.Shelf[*KeptAnswer]
	parts   *cache.Shelf[*KeptPart]
	noted   *noted // nil = everything is worth keeping
}

// noted remembers what was asked for lately, as well as a fixed room allows: what nobody asks for a second
// time is not worth keeping.
type noted struct {
	seed maphash.Seed
	room [1 << 16]atomic.Uint32
}

// before notes a key, and reports whether it was noted already.
func (n *noted) before(key []byte) bool {
	h := maphash.Bytes(n.seed, key)
	mark := uint32(h>>32) | 1 // no mark is 0
	return n.room[h%uint64(len(n.room))].Swap(mark) == mark
}

// staleFor is how long an answer is kept of which something was stale already.
const staleFor = time.Second

// renewingFor is the same where newer content is on its way: it mostly takes less than a second.
const renewingFor = 100 * time.Millisecond

// privateFor is how long the part of a page is kept that is for one visitor alone.
const privateFor = 10 * time.Second

// NewKept makes a store for so many bytes: three quarters for parts, which hold the text, and
// the rest for answers, which join them.
func NewKept(maxBytes int64, ground Ground, now func() time.Time) *Kept {
	return &Kept{
		ground: ground, now: now, noted: &noted{seed: maphash.MakeSeed()},
		answers: cache.NewShelf[*KeptAnswer](maxBytes/4, nil),
		parts:   cache.NewShelf(maxBytes/4*3, (*KeptPart).leave),
	}
}

// Close lets go of everything. Later calls find and keep nothing.
func (a *Kept) Close() {
	a.answers.Close()
	a.parts.Close()
}

// lasting tells whether what something was made of still holds.
type lasting struct {
	marks []uint32
	until int64         // nanoseconds since 1970; 0 = no end
	since atomic.Uint64 // nothing of it was forgotten up to this moment
}

func (l *lasting) begin(b tutti.Basis, moment uint64, now time.Time) {
	l.marks = slices.Clone(b.Marks)
	slices.Sort(l.marks)
	l.marks = slices.Clip(slices.Compact(l.marks))
	until := b.Until
	switch {
	case b.Renewing:
		until = sooner(until, now.Add(renewingFor))
	case b.Stale:
		until = sooner(until, now.Add(staleFor))
	}
	if !until.IsZero() {
		l.until = until.UnixNano()
	}
	l.since.Store(moment)
}

// holds reports whether nothing of it was forgotten and its time is not over; parts must hold too.
func (l *lasting) holds(g Ground, now int64, parts []partAt) bool {
	if l.until != 0 && now >= l.until {
		return false
	}
	moment, since := g.Moment(), l.since.Load()
	if moment == since {
		return true
	}
	if g.Forgotten(l.marks, since) {
		return false
	}
	for _, p := range parts {
		if !p.part.holds(g, now, nil) {
			return false
		}
	}
	l.since.Store(moment) // taken before looking: what is forgotten from now on counts
	return true
}

// KeptAnswer is a ready answer with what the next request needs of the one that made it. It holds as
// long as its parts do, and what it is made of besides.
type KeptAnswer struct {
	Ready Ready
	Value any // of whoever put it
	lasting
}

// share leaves the marks of its parts to them.
func (k *KeptAnswer) share() {
	k.marks = slices.Clone(slices.DeleteFunc(k.marks, func(mark uint32) bool {
		return slices.ContainsFunc(k.Ready.parts, func(p partAt) bool {
			_, found := slices.BinarySearch(p.part.marks, mark)
			return found
		})
	}))
}

// Marks are those of everything that the answer was made of.
func (k *KeptAnswer) Marks() []uint32 {
	all := slices.Clone(k.marks)
	for _, p := range k.Ready.parts {
		all = append(all, p.part.marks...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// KeptPart is a part of pages that is kept. When it leaves the store, its text goes with it, also
// from the answers that it stands in.
type KeptPart struct {
	part  atomic.Pointer[tutti.Part]
	texts atomic.Pointer[partText] // nil for one with personal text in it
	lasting
}

func (k *KeptPart) leave() {
	k.part.Store(nil)
	k.texts.Store(nil)
}

// text is what was written of the part there; nil once it left.
func (p partAt) text() *keptText { return p.part.texts.Load().at(p.site) }

// Key names what is kept for one selection and key class: of is a signature, or the key of a part.
// It appends to b.
func (s *Selection) Key(b []byte, what byte, class tutti.KeyClass, of []byte) []byte {
	b = append(b, what)
	b = binary.AppendUvarint(b, uint64(len(class)))
	b = append(b, class...)
	b = binary.AppendUvarint(b, s.number)
	return append(b, of...)
}

// Keeps reports whether anything can be kept for this selection.
func (s *Selection) Keeps() bool { return s.number != 0 }

// Moment is the present moment of the ground. Take it before assembling what is kept.
func (a *Kept) Moment() uint64 { return a.ground.Moment() }

// Answer gives the answer that is kept under a key; nil when there is none that holds.
func (a *Kept) Answer(key []byte) *KeptAnswer {
	k, ok := a.answers.Get(key)
	if !ok || !k.holds(a.ground, a.now().UnixNano(), k.Ready.parts) {
		return nil
	}
	return k
}

// Again notes that something is asked for that is not kept, and reports whether it was before: then it
// is worth keeping.
func (a *Kept) Again(key []byte) bool { return a.noted == nil || a.noted.before(key) }

// AtOnce lets everything be kept from the first time on: more than serves anybody, and all that can go
// wrong with keeping.
func (a *Kept) AtOnce() *Kept {
	a.noted = nil
	return a
}

// KeepAnswer keeps an answer. basis is what it was made of after moment, parts are those of its
// parts that are kept: they hold the text for it.
func (a *Kept) KeepAnswer(key []byte, w *Written, parts map[*tutti.Part]*KeptPart, value any, basis tutti.Basis, moment uint64) {
	k := &KeptAnswer{Ready: w.on(parts), Value: value}
	now := a.now()
	k.begin(basis, moment, now)
	k.share()
	if ttl := k.ttl(now); ttl >= 0 {
		a.answers.Put(key, k, k.Ready.size()+4*len(k.marks)+512, ttl)
	}
}

// ttl is how long something may be kept; negative when its time is over.
func (l *lasting) ttl(now time.Time) time.Duration {
	if l.until == 0 {
		return 0
	}
	if left := time.Duration(l.until - now.UnixNano()); left > 0 {
		return left
	}
	return -1
}

// Part gives the part that is kept under a key; nil when there is none that holds.
func (a *Kept) Part(key []byte) (*KeptPart, *tutti.Part) {
	k, ok := a.parts.Get(key)
	if !ok || !k.holds(a.ground, a.now().UnixNano(), nil) {
		return nil, nil
	}
	p := k.part.Load()
	if p == nil {
		return nil, nil
	}
	return k, p
}

// KeepPart keeps a part that was written: one with personal text in it as it is, of others only
// what was written. It gives nil for one that cannot be kept.
func (a *Kept) KeepPart(key []byte, p *tutti.Part, moment uint64) *KeptPart {
	if p.Written == nil && !p.Holed || len(p.Problems) > 0 {
		return nil
	}
	now := a.now()
	p.Of = nil             // it is of this request
	p.Basis.Called = false // nobody is called for it again
	k := &KeptPart{}
	k.begin(p.Basis, moment, now)
	p.Basis.Marks = k.marks
	size := 1024 * len(p.All)
	if p.Holed {
		k.part.Store(p)
	} else {
		k.part.Store(p.Slim())
		texts := p.Written.(*partText)
		k.texts.Store(texts)
		size = 256*len(p.All) + texts.size()
	}
	if soon := now.Add(privateFor).UnixNano(); p.Private && (k.until == 0 || soon < k.until) {
		k.until = soon
	}
	ttl := k.ttl(now)
	if ttl < 0 {
		return nil
	}
	a.parts.Put(key, k, size+4*len(k.marks)+512, ttl)
	return k
}
