package engine

import (
	"sync"

	"github.com/tuttihq/tutti"
)

// room is the memory that the assembling of one answer takes and nobody sees afterwards, lent to one
// after the other. What is delivered never points into it: it is made for itself.
type room struct {
	jobs       slab[job]
	slots      slab[slotJobs]
	pointers   slab[*job]
	shapers    slab[shaper]
	outcomes   slab[outcome]
	waits      slab[waiting]
	listings   slab[listing]
	lists      slab[*entry] // in listings and calls
	accounts   slab[account]
	values     slab[tutti.Value]
	components slab[*tutti.Component]

	entries slab[entry]
	byRef   map[tutti.Ref]*entry
	got     []tutti.Got // zero while nothing lands
}

var rooms = sync.Pool{New: func() any { return &room{byRef: map[tutti.Ref]*entry{}} }}

// giveBack ends the use of a room: from then on nobody may look at anything in it.
func (r *room) giveBack() {
	r.jobs.end()
	r.slots.end()
	r.pointers.end()
	r.shapers.end()
	r.outcomes.end()
	r.waits.end()
	r.listings.end()
	r.lists.end()
	r.accounts.end()
	r.values.end()
	r.components.end()
	r.entries.end()
	if len(r.byRef) > maxRefs {
		r.byRef = map[tutti.Ref]*entry{}
	}
	clear(r.byRef)
	rooms.Put(r)
}

// slab lends values of one type, zero each, until all of them end at once.
type slab[T any] struct {
	all  []T // zero from used on
	used int
}

// maxSlab is how many values a slab keeps for who comes next.
const maxSlab = 1024

// take lends n values that stand together.
func (s *slab[T]) take(n int) []T {
	if n > len(s.all)-s.used {
		s.all, s.used = make([]T, max(n, 2*len(s.all), 8)), 0 // those that are lent stay with who has them
	}
	s.used += n
	return s.all[s.used-n : s.used : s.used]
}

func (s *slab[T]) one() *T { return &s.take(1)[0] }

func (s *slab[T]) end() {
	if len(s.all) > maxSlab {
		s.all = nil
	}
	clear(s.all[:min(s.used, len(s.all))])
	s.used = 0
}
