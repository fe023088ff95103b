package engine

import (
	"sync"

	"github.com/tuttihq/tutti"
)

// room is the memory that the assembling of one answer takes and nobody sees afterwards, lent to one
// after the other. What is delivered never points into it: that is in a Room.
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
	byRef   refIndex
	got     []tutti.Got // zero while nothing lands
}

var rooms = sync.Pool{New: func() any { return &room{} }}

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
	r.byRef.end()
	rooms.Put(r)
}

// Room is memory for one experience after the other. What is assembled in it lives until it is given
// back; so does all that was read from it but texts. Who keeps something of an experience must not
// give its room back: then the room goes with it.
type Room struct {
	experiences slab[tutti.Experience]
	parts       slab[tutti.Part]
	slots       slab[tutti.Slot]
	components  slab[tutti.Component]
	items       slab[tutti.Delivered]
	pages       slab[pages]

	partPointers      slab[*tutti.Part]
	slotPointers      slab[*tutti.Slot]
	componentPointers slab[*tutti.Component]
	itemPointers      slab[*tutti.Delivered]
	names             slab[string]
	maps              []map[string]any // empty from used on
	used              int
	loose             bool // nobody gives it back
}

var lodgings = sync.Pool{New: func() any { return &Room{} }}

// BorrowRoom gives a room for one experience.
func BorrowRoom() *Room { return lodgings.Get().(*Room) }

// GiveBack ends the use of a room: from then on nobody may look at what was assembled in it.
func (r *Room) GiveBack() {
	r.experiences.end()
	r.parts.end()
	r.slots.end()
	r.components.end()
	r.items.end()
	r.pages.end()
	r.partPointers.end()
	r.slotPointers.end()
	r.componentPointers.end()
	r.itemPointers.end()
	r.names.end()
	for _, m := range r.maps[:r.used] {
		clear(m)
	}
	if r.used = 0; len(r.maps) > maxSlab {
		r.maps = nil
	}
	lodgings.Put(r)
}

// apart is the room of what may be kept: each thing has memory of its own.
var apart = &Room{
	experiences: slab[tutti.Experience]{loose: true}, parts: slab[tutti.Part]{loose: true}, slots: slab[tutti.Slot]{loose: true},
	components: slab[tutti.Component]{loose: true}, items: slab[tutti.Delivered]{loose: true}, pages: slab[pages]{loose: true},
	partPointers: slab[*tutti.Part]{loose: true}, slotPointers: slab[*tutti.Slot]{loose: true},
	componentPointers: slab[*tutti.Component]{loose: true}, itemPointers: slab[*tutti.Delivered]{loose: true}, names: slab[string]{loose: true},
	loose: true,
}

// expect makes room for what a page of so many refs delivers.
func (r *Room) expect(refs int) {
	if !r.loose {
		r.items.expect(refs)
		r.itemPointers.expect(refs)
	}
}

// props gives an empty map for about so many props.
func (r *Room) props(n int) map[string]any {
	if r.loose || n > 8 {
		return make(map[string]any, n)
	}
	if r.used == len(r.maps) {
		r.maps = append(r.maps, make(map[string]any, 8))
	}
	r.used++
	return r.maps[r.used-1]
}

// slab lends values of one type, zero each, until all of them end at once.
type slab[T any] struct {
	all   []T // zero from used on
	used  int
	loose bool // each is made for itself and never ends; then many may use it at once
}

// maxSlab is how many values a slab keeps for who comes next.
const maxSlab = 1024

// take lends n values that stand together.
func (s *slab[T]) take(n int) []T {
	if s.loose {
		return make([]T, n)
	}
	if n > len(s.all)-s.used {
		s.all, s.used = make([]T, max(n, 2*len(s.all), 8)), 0 // those that are lent stay with who has them
	}
	s.used += n
	return s.all[s.used-n : s.used : s.used]
}

func (s *slab[T]) one() *T { return &s.take(1)[0] }

// expect makes room for n values where there is none yet.
func (s *slab[T]) expect(n int) {
	if n > len(s.all)-s.used {
		s.all, s.used = make([]T, n), 0
	}
}

func (s *slab[T]) end() {
	if len(s.all) > maxSlab {
		s.all = nil
	}
	clear(s.all[:min(s.used, len(s.all))])
	s.used = 0
}
