package contract

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

// house is one opened set of sources with a clock that the suite moves and a log that it reads.
type house struct {
	*sources.Sources
	sys  *System
	name string

	mu    sync.Mutex // guards ahead, log and told
	ahead time.Duration
	log   strings.Builder
	told  [][]string // the tags of each message that was taken
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

// Write takes the log.
func (h *house) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(b)
}

func (h *house) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// lost gives the fields that could not be read, as the log tells.
func (h *house) lost() []string {
	var all []string
	for line := range strings.Lines(h.logged()) {
		if strings.Contains(line, "a field could not be read") {
			if _, rest, ok := strings.Cut(line, " field="); ok {
				name, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
				all = append(all, name)
			}
		}
	}
	return all
}

// seen is how the house notes a webhook: as in memory, and for the suite.
func (h *house) seen() func(context.Context, string, string, []string, time.Duration) (bool, error) {
	have := map[string]bool{}
	return func(_ context.Context, _, id string, tags []string, _ time.Duration) (bool, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if have[id] {
			return false, nil
		}
		have[id] = true
		h.told = append(h.told, tags)
		return true, nil
	}
}

// open opens the source with nothing kept. set may change the config first.
func (t *asking) open(set ...func(*config.Source)) *house {
	sys := t.sys
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
	c.Limits = config.SourceLimits{Timeout: 5 * time.Second, SoftTimeout: 5 * time.Second, Concurrency: 16, MaxBytes: 4 << 20}
	for _, s := range set {
		s(&c)
	}
	all, err := sources.Open([]config.Source{c}, sources.Deps{
		Cache: 32 << 20, Now: h.now, Log: slog.New(slog.NewTextHandler(h, nil)), Dir: sys.Dir, Manifest: sys.Manifest, Through: sys.front.through, Database: sys.front.opens(sys.Database), Seen: h.seen(), Secret: []byte("of the suite"),
	})
	if err != nil {
		t.stop("opening %s: %v", c.Name, err)
	}
	h.Sources = all
	t.end(all.Close)
	return h
}

func (h *house) ref(kind, id string) tutti.Ref {
	return tutti.Ref{Source: h.name, Kind: kind, ID: id}
}

func (h *house) scope(kind string) tutti.Scope {
	k := h.sys.Kinds[kind]
	s := tutti.Scope{Market: k.Market, Currency: k.Currency}
	if len(k.Locales) > 0 {
		s.Locale = k.Locales[0]
	}
	return s
}

func (h *house) count() int { return int(h.sys.front.calls.Load()) }

// get asks for ids and counts the calls that it took.
func (h *house) get(ctx context.Context, kind string, ids ...string) (got []tutti.Got, calls int) {
	return h.getIn(ctx, h.scope(kind), kind, ids...)
}

func (h *house) getIn(ctx context.Context, s tutti.Scope, kind string, ids ...string) (got []tutti.Got, calls int) {
	refs := make([]tutti.Ref, len(ids))
	for i, id := range ids {
		refs[i] = h.ref(kind, id)
	}
	before := h.count()
	got = h.Get(ctx, refs, s)
	return got, h.count() - before
}

// calls is how many calls n cold items take at best.
func (h *house) calls(kind string, n int) int {
	most := max(1, h.MaxIDs(h.name, kind))
	return (n + most - 1) / most
}

// list is the selection of everything that the suite may see of a kind.
func (h *house) list(kind string) tutti.Selection {
	k := h.sys.Kinds[kind]
	first := k.First
	if first == 0 {
		first = 5
	}
	return tutti.Selection{Source: h.name, Kind: kind, First: first, Owner: k.Owner}
}
