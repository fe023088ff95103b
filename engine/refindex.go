package engine

import (
	"hash/maphash"

	"github.com/tuttihq/tutti"
)

// refIndex finds entries by their refs. It is a table of numbers, which is emptied without telling the
// garbage collector of anything, as a map with refs as keys is not. The zero value is empty.
type refIndex struct {
	slots   []int32  // one more than the number of an entry; 0 = free. A power of two, at most half of them taken
	entries []*entry // by number
}

// refSeed is chosen anew by each process, so that nobody knows which ids meet in one slot.
var refSeed = maphash.MakeSeed()

// find gives the entry of a ref; nil when there is none.
func (x *refIndex) find(ref *tutti.Ref) *entry {
	if len(x.entries) == 0 {
		return nil
	}
	for i := x.slot(ref); ; i = (i + 1) & (len(x.slots) - 1) {
		n := x.slots[i]
		if n == 0 {
			return nil
		}
		if e := x.entries[n-1]; e.ref == *ref {
			return e
		}
	}
}

// add takes in an entry of a ref that has none.
func (x *refIndex) add(e *entry) {
	x.entries = append(x.entries, e)
	if 2*len(x.entries) <= len(x.slots) {
		x.put(e, len(x.entries))
		return
	}
	x.slots = make([]int32, max(64, 2*len(x.slots)))
	for i, e := range x.entries {
		x.put(e, i+1)
	}
}

func (x *refIndex) put(e *entry, number int) {
	i := x.slot(&e.ref)
	for x.slots[i] != 0 {
		i = (i + 1) & (len(x.slots) - 1)
	}
	x.slots[i] = int32(number)
}

// slot is where the search for a ref begins. Items of different kinds seldom have one id.
func (x *refIndex) slot(ref *tutti.Ref) int {
	return int(maphash.String(refSeed, ref.ID)) & (len(x.slots) - 1)
}

// end takes all entries out.
func (x *refIndex) end() {
	if len(x.entries) > 2*maxRefs {
		*x = refIndex{}
	}
	clear(x.slots)
	clear(x.entries)
	x.entries = x.entries[:0]
}
