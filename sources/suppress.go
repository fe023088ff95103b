package sources

import (
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// withheld are the items that nobody gets, by their ref as the kind spells it, and until when; a
// zero time has no end. A map is never changed once others can see it.
type withheld map[tutti.Ref]time.Time

// suppressed is what comes of a ref that nobody gets. It is old when that ends.
func suppressed(ref tutti.Ref) tutti.Got {
	g := missing(errSuppressed)
	g.Marks = []uint32{cache.Mark(ref.Tag())}
	return g
}

var errSuppressed = &tutti.Error{Code: tutti.Suppressed, Message: "This item is withdrawn."}

// Suppress makes these the items that nobody gets: Get answers with code Suppressed, and no
// selection holds them. It counts for every call that begins after it returns, and for those
// under way that have not read the item yet. What was kept of an item that is new among them is
// purged, and so are the lists of its kind; where one is no longer among them, the lists are old.
func (s *Sources) Suppress(list []tutti.Suppression) {
	s.suppressing.Lock()
	defer s.suppressing.Unlock()
	next := withheld{}
	for _, p := range list {
		if ref, err := s.Canonical(p.Ref); err == nil { // else nobody can ask for it
			next[ref] = p.Until
		}
	}
	before, _ := s.doubts.withheld()
	if len(next) == 0 {
		s.doubts.suppressed.Store(nil)
	} else {
		s.doubts.suppressed.Store(&next)
	}
	for ref := range next {
		if _, was := before[ref]; !was {
			s.cache.Purge(s.tagsOf(ref.Tag())...)
		}
	}
	for ref := range before {
		if _, is := next[ref]; !is {
			s.cache.Forget(s.tagsOf(ref.Tag())...)
		}
	}
}

// Canonical spells a ref as its kind does. Codes: UnknownSource for a kind that is not there,
// InvalidValue for an id that no item of the kind can have.
func (s *Sources) Canonical(ref tutti.Ref) (tutti.Ref, error) {
	if _, ok := s.Kind(ref.Source, ref.Kind); !ok {
		return ref, s.unknown(ref.Source, ref.Kind)
	}
	k := s.byName[ref.Source].kinds[ref.Kind]
	id, ok := k.canonical(ref.ID)
	if _, isName := k.nameIn(ref.ID); !ok && isName {
		return ref, &tutti.Error{Code: tutti.InvalidValue, Message: ref.ID + " is another name of a " + ref.KindTag() + ", which may come to stand for another.", Hint: "Write its own id."}
	}
	if !ok {
		return ref, &tutti.Error{Code: tutti.InvalidValue, Message: "no " + ref.KindTag() + " can have the id " + ref.ID + "."}
	}
	ref.ID = id
	return ref, nil
}

func (w withheld) has(ref tutti.Ref, now time.Time) bool {
	until, ok := w[ref]
	return ok && (until.IsZero() || now.Before(until))
}
