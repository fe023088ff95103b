package cache

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// epochs remembers when tags were last forgotten, in a table of fixed size.
//
// There is one sequence. Each Forget is its next number, written to the tag's two slots. A load
// takes the number before it starts, and its values are old once both slots of one of their tags hold a later
// one. So tags that only the answer tells need nothing taken beforehand, and a tag costs no memory. Tags that share
// slots can only make a value look forgotten that is not, which costs a reload: with 1,000
// tags forgotten during a value's life the chance is 1 in 1,000 for each of its tags. No Forget is ever missed.
type epochs struct {
	mu  sync.Mutex // orders writers
	seq atomic.Uint64
	all atomic.Uint64 // the last ForgetAll

	forgotten, purge table
}

const (
	slotBits = 15
	slotMask = 1<<slotBits - 1
)

// table has two halves; a slot is a place in each.
type table [2][1 << slotBits]atomic.Uint64

// slot is one place in each half of a table: 30 bits.
type slot = uint32

func newEpochs() *epochs { return &epochs{} }

// now gives the number of the last Forget that is complete.
func (e *epochs) now() uint64 { return e.seq.Load() }

// Mark is where every cache, in every process, notes that a tag is forgotten: 30 bits of its
// XXH64. It names the tag outside, where its text is too long. Two tags may share one.
func Mark(tag string) uint32 { return uint32(xxhash.Sum64String(tag) & (1<<(2*slotBits) - 1)) }

// forget writes the slots before it raises the sequence: whoever takes the new number can rely
// on every slot.
func (e *epochs) forget(tags []string, purge bool) {
	if len(tags) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := e.seq.Load() + 1
	for _, tag := range tags {
		s := Mark(tag)
		e.forgotten.write(s, next)
		if purge {
			e.purge.write(s, next)
		}
	}
	e.seq.Store(next)
}

func (e *epochs) forgetAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := e.seq.Load() + 1
	e.all.Store(next)
	e.seq.Store(next)
}

// forgottenSince says whether one of the slots was forgotten after taken.
func (e *epochs) forgottenSince(slots []slot, taken uint64) bool {
	return e.all.Load() > taken || e.forgotten.after(slots, taken)
}

// purgedSince says whether one of the slots was purged after taken.
func (e *epochs) purgedSince(slots []slot, taken uint64) bool { return e.purge.after(slots, taken) }

func (t *table) write(s slot, n uint64) {
	t[0][s&slotMask].Store(n)
	t[1][s>>slotBits].Store(n)
}

func (t *table) after(slots []slot, taken uint64) bool {
	for _, s := range slots {
		if t[0][s&slotMask].Load() > taken && t[1][s>>slotBits].Load() > taken {
			return true
		}
	}
	return false
}

// slotsOf adds the slots of tags that are not among them yet.
func slotsOf(slots []slot, tags []string) []slot {
	for _, tag := range tags {
		if s := Mark(tag); !slices.Contains(slots, s) {
			slots = append(slots, s)
		}
	}
	return slots
}
