// Package sourcetest runs the contract suite of connectors in tests, on a running system, played or real, and
// asks what can only be asked of one that can be changed: whether what was forgotten is gone.
//
// The other questions are those of sources/contract. Who runs it starts a system, says how to make it fail,
// and names what its kinds hold.
package sourcetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
)

// System is a running origin system and how to speak to it.
type System struct {
	Source config.Source // with address and secrets; its kinds are filled in
	Dir    string        // where a relative manifest path starts
	Kinds  map[string]Kind

	Calls   func() int                                                                // how many calls it got so far
	Fault   func(f Fault) error                                                       // makes every call fail until Heal
	Heal    func()                                                                    //
	Change  func(ctx context.Context, record, id string, fields map[string]any) error // changes a record and posts its webhook
	SetHook func(url string)                                                          // where webhooks go
	Skip    map[string]string                                                         // tests that cannot be, by name, with the reason; one that could be after all fails
}

// Fault is something that goes wrong.
type Fault = contract.Fault

// Kind says what a kind of item holds.
type Kind struct {
	IDs     []string // that exist; none = the first that the kind lists
	Missing string   // well formed, but not there
	Field   string   // a field that every item has
	Locale  string

	Owner, Other string // of a kind that belongs to people: two who have items; the kind is opened with access visitor

	Record string                       // what to change, where it is another record than the item: a product's variant
	Of     func(*tutti.Resource) string // the id of that record; nil = the item's
	Change map[string]any               // in the origin's words
	Reads  func(*tutti.Resource) any    // what of it shows the change
	Want   any
}

// house is one opened set of sources with a clock that the test moves.
type house struct {
	*sources.Sources
	sys  *System
	name string

	mu    sync.Mutex // guards ahead
	ahead time.Duration
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	h.ahead += d
	h.mu.Unlock()
}

// open opens the source with nothing kept. set may change the config first.
func (sys *System) open(t *testing.T, set ...func(*config.Source)) *house {
	t.Helper()
	h := &house{sys: sys, name: sys.Source.Name}
	c := sys.Source
	c.Kinds = map[string]config.KindConfig{}
	for name, k := range sys.Kinds {
		access := tutti.AccessPublic
		if k.Owner != "" {
			access = tutti.AccessVisitor
		}
		c.Kinds[name] = config.KindConfig{Access: access}
	}
	c.Limits = config.SourceLimits{Timeout: 20 * time.Second, SoftTimeout: 20 * time.Second, Concurrency: 16, MaxBytes: 4 << 20}
	for _, s := range set {
		s(&c)
	}
	all, err := sources.Open([]config.Source{c}, sources.Deps{Cache: 32 << 20, Now: h.now, Dir: sys.Dir})
	if err != nil {
		t.Fatalf("opening %s: %v", c.Name, err)
	}
	h.Sources = all
	t.Cleanup(all.Close)
	return h
}

func (h *house) ref(kind, id string) tutti.Ref {
	return tutti.Ref{Source: h.name, Kind: kind, ID: id}
}

func (h *house) scope(kind string) tutti.Scope {
	return tutti.Scope{Locale: h.sys.Kinds[kind].Locale}
}

// get asks for ids and counts the calls that it took.
func (h *house) get(ctx context.Context, kind string, ids ...string) (got []tutti.Got, calls int) {
	refs := make([]tutti.Ref, len(ids))
	for i, id := range ids {
		refs[i] = h.ref(kind, id)
	}
	before := h.sys.Calls()
	got = h.Get(ctx, refs, h.scope(kind))
	return got, h.sys.Calls() - before
}

// ids are items that exist, as many as the kind has up to n.
func (h *house) ids(t *testing.T, kind string, n int) []string {
	t.Helper()
	k := h.sys.Kinds[kind]
	if len(k.IDs) > 0 {
		return k.IDs[:min(n, len(k.IDs))]
	}
	var ids []string
	for after := ""; len(ids) < n; {
		page, err := h.Select(t.Context(), tutti.Selection{Source: h.name, Kind: kind, First: n, After: after, Owner: k.Owner}, h.scope(kind))
		if err != nil {
			t.Fatalf("listing %s: %v", kind, err)
		}
		for _, g := range page.Items {
			ids = append(ids, g.Resource.Ref.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(ids) == 0 {
		t.Fatalf("the system has no %s to test with", kind)
	}
	return ids[:min(n, len(ids))]
}
