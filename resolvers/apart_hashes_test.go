package resolvers_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
)

// hashes are what slots of a page were delivered as, by hash, and the last of them.
type hashes struct {
	mu      sync.Mutex // guards all below
	content map[string][]answeredComponent
	last    []string
}

// had is what an app has that was anybody's before.
func (h *hashes) had() []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]any, len(h.last))
	for i, hash := range h.last {
		list[i] = map[string]any{"slot": "main", "hash": hash}
	}
	return list
}

// take puts in what an app has of an unchanged slot, and notes what came of another. One hash stands
// for one content.
func (h *hashes) take(s *answeredSlot) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, is := h.content[s.Hash]
	switch {
	case s.Unchanged && (!is || len(s.Components) > 0):
		return "unchanged, of what nobody had: " + s.Hash
	case s.Unchanged:
		s.Components = known
		return ""
	case is && !reflect.DeepEqual(withoutFreshness(s.Components), known):
		return fmt.Sprintf("one hash for two contents: %+v", known)
	case !is:
		if h.content == nil {
			h.content = map[string][]answeredComponent{}
		}
		h.content[s.Hash] = withoutFreshness(s.Components)
		if h.last = append(h.last, s.Hash); len(h.last) > 20 {
			h.last = h.last[1:]
		}
	}
	return ""
}

func withoutFreshness(list []answeredComponent) []answeredComponent {
	list = slices.Clone(list)
	for i := range list {
		list[i].Freshness.State = ""
	}
	return list
}
