package sources

import (
	"time"

	"github.com/tuttihq/tutti"
)

// withheld are the items that nobody gets, by their ref as the kind spells it, and until when; a
// zero time has no end. A map is never changed once others can see it.
type withheld map[tutti.Ref]time.Time

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
		next[s.canonical(p.Ref)] = p.Until
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

// canonical spells a ref as its kind does; one of no kind stays as it is.
func (s *Sources) canonical(ref tutti.Ref) tutti.Ref {
	if src := s.byName[ref.Source]; src != nil && src.kinds[ref.Kind] != nil {
		if id, ok := src.kinds[ref.Kind].canonical(ref.ID); ok {
			ref.ID = id
		}
	}
	return ref
}

func (w withheld) has(ref tutti.Ref, now time.Time) bool {
	until, ok := w[ref]
	return ok && (until.IsZero() || now.Before(until))
}
