package sources

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// feedSystem plays a system that tells what changed: items with the instant of their last change.
type feedSystem struct {
	mu      sync.Mutex // guards all below
	clock   time.Time
	changes []feedChange // in the order of their instants
	polls   []string     // the queries of the feed
	gets    int
	down    int // the status that is answered; 0 = it is well
}

type feedChange struct {
	id      string
	at      time.Time
	deleted bool
}

func newFeedSystem() *feedSystem {
	return &feedSystem{clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func (s *feedSystem) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *feedSystem) goOn(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

func (s *feedSystem) change(id string, deleted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, feedChange{id, s.clock, deleted})
}

func (s *feedSystem) polled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.polls)
}

// ServeHTTP answers /items/ID, /since?since=, /cursor?start=&cursor= and /newest?cursor=, three a page.
func (s *feedSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != 0 {
		http.Error(w, "{}", s.down)
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/items/"); ok {
		s.gets++
		for i := len(s.changes) - 1; i >= 0; i-- {
			if s.changes[i].id == id && s.changes[i].deleted {
				http.Error(w, "{}", http.StatusNotFound)
				return
			}
		}
		write(w, map[string]any{"id": id, "name": "Item " + id + " " + strconv.Itoa(s.gets)})
		return
	}
	s.polls = append(s.polls, r.URL.RawQuery)
	q := r.URL.Query()
	from, _ := strconv.Atoi(q.Get("cursor"))
	all := slices.Clone(s.changes)
	switch r.URL.Path {
	case "/since":
		since, err := time.Parse(time.RFC3339, q.Get("since"))
		if err != nil {
			http.Error(w, "{}", http.StatusTeapot)
			return
		}
		all = slices.DeleteFunc(all, func(c feedChange) bool { return c.at.Before(since) })
	case "/cursor":
		if q.Get("cursor") == "" {
			start, _ := strconv.ParseInt(q.Get("start"), 10, 64)
			from = slices.IndexFunc(all, func(c feedChange) bool { return c.at.Unix() >= start })
			if from < 0 {
				from = len(all)
			}
		} else if q.Get("cursor") == "-1" {
			http.Error(w, "{}", http.StatusGone)
			return
		}
	case "/newest":
		slices.Reverse(all)
	}
	list := []map[string]any{}
	for _, c := range all[min(from, len(all)):min(from+3, len(all))] {
		list = append(list, map[string]any{"id": c.id, "updated_at": c.at.Format(time.RFC3339), "gone": c.deleted})
	}
	next := map[string]any{"items": list, "end": from+3 >= len(all)}
	if r.URL.Path == "/cursor" || from+3 < len(all) {
		next["next"] = min(from+3, len(all))
	}
	write(w, next)
}

func feedManifest(changes string) string {
	return `
name: acme
kinds:
  item:
    type: Product
    id: {pattern: "[a-z0-9]+"}
    get: {path: "/items/${id}"}
    changes:
      ` + strings.ReplaceAll(strings.TrimSpace(changes), "\n", "\n      ") + `
    map: {title: record.name}
`
}

const sinceFeed = `
path: /since
query: {since: "${since}", cursor: "${cursor}"}
records: items
at: record.updated_at
deleted: record.gone
paging: {type: cursor, next: next}`

const cursorFeed = `
by: cursor
path: /cursor
query: {start: "${int(since)}", cursor: "${cursor}"}
records: items
paging: {type: cursor, next: next, end: end}`

const newestFeed = `
by: newest
path: /newest
query: {cursor: "${cursor}"}
records: items
at: record.updated_at
paging: {type: cursor, next: next}`

// polledHouse is one process that polls a feed.
type polledHouse struct {
	*testHouse
	feed *polling
}

func playFeed(t *testing.T, s *feedSystem, changes string, polls Polls) *polledHouse {
	t.Helper()
	h := play(t, feedManifest(changes), public, s.ServeHTTP, func(c *config.Source, d *Deps) {
		d.Now, d.Polls, d.Secret = s.now, polls, []byte("the deployment's")
		c.Freshness = config.Freshness{Fresh: 24 * time.Hour, Stale: time.Hour, StaleIfError: time.Hour}
	})
	return &polledHouse{h, h.byName["shop"].polled[0]}
}

// title gets an item, of which each answer of the system has another title.
func (h *polledHouse) title(t *testing.T, id string) string {
	t.Helper()
	g := h.Get(t.Context(), refs(id), tutti.Scope{})[0]
	if g.Resource == nil {
		return string(tutti.CodeOf(g.Err))
	}
	return g.Resource.Fields.Get("title").(string)
}

func (h *polledHouse) poll(t *testing.T) time.Duration {
	t.Helper()
	return h.feed.once(t.Context())
}

func TestWhatChangedIsReadAgain(t *testing.T) {
	for name, feed := range map[string]string{"since": sinceFeed, "cursor": cursorFeed, "newest": newestFeed} {
		t.Run(name, func(t *testing.T) {
			s := newFeedSystem()
			s.change("old", false)
			s.goOn(time.Hour)
			h := playFeed(t, s, feed, nil)
			if wait := h.poll(t); s.polled() != 0 || wait < 54*time.Second || wait > 66*time.Second {
				t.Fatalf("a new feed began with %d calls, and goes on after %v", s.polled(), wait)
			}
			a, b := h.title(t, "a"), h.title(t, "b")
			if wait := h.poll(t); s.polled() != 0 || wait <= 0 {
				t.Fatalf("it was polled before it was due, %d times", s.polled())
			}
			s.goOn(70 * time.Second)
			s.change("a", false)
			h.poll(t)
			if got := h.title(t, "a"); got == a {
				t.Error("what changed is what it was")
			}
			if got := h.title(t, "b"); got != b {
				t.Error("what did not change was read again")
			}
			a = h.title(t, "a")
			for range 3 { // it is told again and again, because of the overlap
				s.goOn(67 * time.Second)
				h.poll(t)
			}
			if got := h.title(t, "a"); got != a {
				t.Error("one change was taken for several")
			}
			s.change("b", false) // in the same instant: one before the poll, one after it
			s.goOn(67 * time.Second)
			s.change("a", false)
			h.poll(t)
			if got := h.title(t, "b"); got == b {
				t.Error("a change is missing")
			}
			a, b = h.title(t, "a"), h.title(t, "b")
			s.change("b", false) // in the instant of the last change
			s.goOn(67 * time.Second)
			h.poll(t)
			if h.title(t, "b") == b || h.title(t, "a") != a {
				t.Errorf("of two changes in one instant the second is missing: %s, %s", h.title(t, "a"), h.title(t, "b"))
			}
		})
	}
}

// TestARecordFromTheFutureHidesNoChange lets a system tell of a change in some years: what changes after that is read
// again all the same.
func TestARecordFromTheFutureHidesNoChange(t *testing.T) {
	for name, feed := range map[string]string{"since": sinceFeed, "newest": newestFeed} {
		t.Run(name, func(t *testing.T) {
			s := newFeedSystem()
			h := playFeed(t, s, feed, nil)
			h.poll(t)
			first := h.title(t, "a")
			s.goOn(time.Minute)
			s.changes = append(s.changes, feedChange{id: "x", at: s.clock.AddDate(80, 0, 0)})
			h.poll(t)
			for range 3 {
				s.goOn(30 * time.Second)
				s.mu.Lock() // it stays the newest
				s.changes = slices.Insert(s.changes, len(s.changes)-1, feedChange{id: "a", at: s.clock})
				s.mu.Unlock()
				s.goOn(40 * time.Second)
				h.poll(t)
				again := h.title(t, "a")
				if again == first {
					t.Fatal("it changed 40 seconds before the poll, and is still the same")
				}
				first = again
			}
		})
	}
}

func TestManyChangesComeInPages(t *testing.T) {
	for name, feed := range map[string]string{"since": sinceFeed, "cursor": cursorFeed, "newest": newestFeed} {
		t.Run(name, func(t *testing.T) {
			s := newFeedSystem()
			h := playFeed(t, s, feed, nil)
			h.poll(t)
			before := map[string]string{}
			for i := range 10 {
				id := fmt.Sprint("i", i)
				before[id] = h.title(t, id)
			}
			s.goOn(70 * time.Second)
			for i := range 10 {
				s.change(fmt.Sprint("i", i), false)
				s.goOn(time.Second)
			}
			h.poll(t)
			if s.polled() != 4 {
				t.Errorf("ten changes, three a page, took %d calls", s.polled())
			}
			for id, was := range before {
				if h.title(t, id) == was {
					t.Errorf("%s is what it was", id)
				}
			}
			s.goOn(70 * time.Second)
			h.poll(t)
			if name == "newest" && s.polled() != 5 {
				t.Errorf("nothing is new, and it took %d calls to know", s.polled()-4)
			}
		})
	}
}

func TestWhatIsAboutNothingOfOursIsPassedOver(t *testing.T) {
	s := newFeedSystem()
	h := playFeed(t, s, sinceFeed+"\nids: \"record.id == 'other' ? dyn(null) : dyn(record.id)\"", nil)
	h.poll(t)
	a := h.title(t, "a")
	s.goOn(70 * time.Second)
	s.change("other", false)
	if h.poll(t); h.title(t, "a") != a || h.feed.told() != 0 {
		t.Errorf("it is taken for %d changes", h.feed.told())
	}
}

func TestAFeedThatDoesNotEndMakesAllOld(t *testing.T) {
	for name, feed := range map[string]string{"since": sinceFeed, "newest": newestFeed} {
		t.Run(name, func(t *testing.T) {
			s := newFeedSystem()
			h := playFeed(t, s, strings.Replace(feed, "next: next", "next: next, maxPages: 2", 1), nil)
			h.poll(t)
			untouched := h.title(t, "z")
			s.goOn(70 * time.Second)
			for i := range 50 {
				s.change(fmt.Sprint("i", i), false)
			}
			h.poll(t)
			if s.polled() != 2 || h.title(t, "z") == untouched {
				t.Errorf("after %d calls %s is %s", s.polled(), untouched, h.title(t, "z"))
			}
			s.goOn(70 * time.Second)
			s.change("z", false)
			untouched = h.title(t, "z")
			if h.poll(t); h.title(t, "z") == untouched {
				t.Error("it does not go on from there")
			}
		})
	}
	t.Run("of records that other kinds are made of, too", func(t *testing.T) {
		s := newFeedSystem()
		parts := strings.Replace(sinceFeed, "next: next", "next: next, maxPages: 2", 1) + "\nkind: part"
		manifest := feedManifest(parts) + "    tags: {part: record.part}\n" + `  offer:
    type: Product
    id: {pattern: "[a-z0-9]+"}
    get: {path: "/items/${id}"}
    map: {title: record.name}
    tags: {part: record.part}
`
		h := play(t, manifest, map[string]config.KindConfig{"item": {Access: tutti.AccessPublic}, "offer": {Access: tutti.AccessPublic}}, s.ServeHTTP, func(c *config.Source, d *Deps) {
			d.Now = s.now
			c.Freshness = config.Freshness{Fresh: 24 * time.Hour, Stale: time.Hour, StaleIfError: time.Hour}
		})
		offer := func() any {
			return h.Get(t.Context(), []tutti.Ref{{Source: "shop", Kind: "offer", ID: "z"}}, tutti.Scope{})[0].Resource.Fields.Get("title")
		}
		feed := h.byName["shop"].polled[0]
		feed.once(t.Context())
		untouched := offer()
		s.goOn(70 * time.Second)
		for i := range 50 {
			s.change(fmt.Sprint("i", i), false)
		}
		if feed.once(t.Context()); offer() == untouched {
			t.Error("what is made of the same records is as it was")
		}
	})
	t.Run("by cursor it goes on at once", func(t *testing.T) {
		s := newFeedSystem()
		h := playFeed(t, s, strings.Replace(cursorFeed, "next: next", "next: next, maxPages: 2", 1), nil)
		h.poll(t)
		was := h.title(t, "i19")
		s.goOn(70 * time.Second)
		for i := range 20 {
			s.change(fmt.Sprint("i", i), false)
		}
		rounds := 1
		for ; h.poll(t) <= 0 && rounds < 10; rounds++ {
		}
		if rounds != 4 || h.title(t, "i19") == was {
			t.Errorf("after %d polls it is at the end", rounds)
		}
	})
}

func TestWhatIsGoneDoesNotStandIn(t *testing.T) {
	s := newFeedSystem()
	h := playFeed(t, s, sinceFeed, nil)
	h.poll(t)
	h.title(t, "a")
	s.goOn(70 * time.Second)
	s.change("a", true)
	h.poll(t)
	s.mu.Lock()
	s.down = http.StatusServiceUnavailable
	s.mu.Unlock()
	if got := h.title(t, "a"); got != string(tutti.Unavailable) {
		t.Errorf("what the feed calls gone is %s", got)
	}
}

func TestAPollThatFailsMissesNothing(t *testing.T) {
	s := newFeedSystem()
	h := playFeed(t, s, sinceFeed, nil)
	h.poll(t)
	a := h.title(t, "a")
	s.goOn(70 * time.Second)
	s.change("a", false)
	s.mu.Lock()
	s.down = http.StatusInternalServerError
	s.mu.Unlock()
	h.poll(t)
	if state := h.Health()[0]; state.State != Degraded || !state.LastPoll.Equal(s.now().Add(-70*time.Second)) {
		t.Errorf("it is %v, polled %v", state.State, state.LastPoll)
	}
	s.goOn(10 * time.Minute)
	s.mu.Lock()
	s.down = 0
	s.mu.Unlock()
	if h.Health()[0].State != Degraded {
		t.Error("that nobody knows what changed for ten minutes does not degrade it")
	}
	h.poll(t)
	if h.title(t, "a") == a {
		t.Error("what changed before the poll that failed is what it was")
	}
	if h.Health()[0].State != Up {
		t.Errorf("it is well again, and %v", h.Health()[0].State)
	}
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	for name, feed := range map[string]string{"since": sinceFeed, "cursor": cursorFeed, "newest": newestFeed} {
		t.Run(name, func(t *testing.T) {
			s, polls := newFeedSystem(), &ownPolls{by: map[[2]string]tutti.Poll{}}
			first := playFeed(t, s, feed, polls)
			first.poll(t)
			s.goOn(70 * time.Second)
			s.change("secretid", false)
			first.poll(t)
			kept := polls.by[[2]string{"shop", "item"}].Cursor
			if kept == "" || strings.Contains(kept, "secretid") {
				t.Fatalf("what is kept holds an id: %s", kept)
			}
			second := playFeed(t, s, feed, polls)
			polls.by[[2]string{"shop", "item"}] = tutti.Poll{Cursor: strings.Replace(kept, first.feed.digest(), second.feed.digest(), 1)} // its address is another here
			a := second.title(t, "a")
			s.goOn(5 * time.Minute)
			s.change("a", false)
			if second.poll(t); second.title(t, "a") == a {
				t.Error("a change while nobody ran is missing")
			}
			if second.feed.told() != 1 {
				t.Errorf("it was told of %d changes", second.feed.told())
			}
		})
	}
	t.Run("but not of another system", func(t *testing.T) {
		s, polls := newFeedSystem(), &ownPolls{by: map[[2]string]tutti.Poll{}}
		polls.by[[2]string{"shop", "item"}] = tutti.Poll{Cursor: `{"of": "another", "cursor": "77"}`}
		h := playFeed(t, s, cursorFeed, polls)
		h.poll(t)
		if len(s.polls) != 1 || strings.Contains(s.polls[0], "77") {
			t.Errorf("it asks %v", s.polls)
		}
	})
}

func TestACursorThatIsTooOldMakesAllOld(t *testing.T) {
	s, polls := newFeedSystem(), &ownPolls{by: map[[2]string]tutti.Poll{}}
	h := playFeed(t, s, cursorFeed, polls)
	a := h.title(t, "a")
	polls.by[[2]string{"shop", "item"}] = tutti.Poll{Cursor: `{"of": "` + h.feed.digest() + `", "cursor": "-1"}`}
	h.poll(t)
	if h.title(t, "a") == a {
		t.Error("what was kept before the gap counts as fresh")
	}
	s.goOn(70 * time.Second)
	s.change("b", false)
	b := h.title(t, "b")
	if h.poll(t); h.title(t, "b") == b {
		t.Error("the feed does not go on")
	}
}

func TestOfTwoProcessesOnePolls(t *testing.T) {
	s, polls := newFeedSystem(), &ownPolls{by: map[[2]string]tutti.Poll{}}
	one, other := playFeed(t, s, sinceFeed, polls), playFeed(t, s, sinceFeed, polls)
	one.poll(t)
	other.poll(t)
	for range 5 {
		s.goOn(70 * time.Second)
		one.poll(t)
		other.poll(t)
	}
	if s.polled() != 5 {
		t.Errorf("five intervals took %d polls", s.polled())
	}
	if last := other.Health()[0].LastPoll; !last.Equal(s.now()) {
		t.Errorf("the other one knows of a poll at %v", last)
	}
}

// TestAClockThatRunsAheadIsSeen: where a process whose clock is a day ahead took the last turn, nobody polls until then;
// the others say so.
func TestAClockThatRunsAheadIsSeen(t *testing.T) {
	s, polls := newFeedSystem(), &ownPolls{by: map[[2]string]tutti.Poll{}}
	ahead := newFeedSystem()
	ahead.goOn(24 * time.Hour)
	playFeed(t, ahead, sinceFeed, polls).poll(t)
	h := playFeed(t, s, sinceFeed, polls)
	for range 5 {
		h.poll(t)
		s.goOn(70 * time.Second)
	}
	if state := h.Health()[0].State; state != Degraded || s.polled() != 0 {
		t.Errorf("after %d polls the source is %s", s.polled(), state)
	}
}

func TestPollingEndsWithItsSources(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := newFeedSystem()
	asked, hang := make(chan struct{}, 1), make(chan struct{})
	var calls atomic.Int32
	h := play(t, feedManifest(sinceFeed), map[string]config.KindConfig{"item": {Access: tutti.AccessPublic, Poll: new(time.Millisecond)}}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}, func(_ *config.Source, d *Deps) { d.Now = func() time.Time { s.goOn(time.Second); return s.now() } })
	h.StartPolling()
	h.StartPolling() // no more than the first
	<-asked
	h.StopPolling()
	h.StopPolling()
	n := calls.Load()
	h.StartPolling() // as after a config that was not taken
	<-asked
	h.StopPolling()
	if calls.Load() != n+1 {
		t.Errorf("%d calls after it was stopped", calls.Load()-n-1)
	}
	close(hang)
	h.byName["shop"].close() // its connections
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"), goleak.IgnoreAnyFunction("net/http.(*Server).Serve"), goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"))
}

func TestPollingIsOffWhereTheConfigOrWebhooksSaySo(t *testing.T) {
	const webhook = "\nwebhook: {scheme: hook, changes: [{kind: item, ids: event.ids}]}\n"
	needs := strings.Replace(feedManifest(sinceFeed+"\nneeds: [actor]"), "name: acme", "name: acme\nsettings: {actor: {description: Whose., example: x}}", 1)
	for _, test := range []struct {
		name, manifest string
		poll           *time.Duration
		secret         string
		settings       map[string]string
		want           time.Duration // 0 = it is not polled
	}{
		{"by default", feedManifest(sinceFeed), nil, "", nil, time.Minute},
		{"the manifest's interval", feedManifest(sinceFeed + "\ninterval: 5m"), nil, "", nil, 5 * time.Minute},
		{"the config's interval", feedManifest(sinceFeed), new(10 * time.Second), "", nil, 10 * time.Second},
		{"off by the config", feedManifest(sinceFeed), new(time.Duration(0)), "", nil, 0},
		{"off where webhooks tell", feedManifest(sinceFeed) + webhook, nil, "s3cret", nil, 0},
		{"on where no webhook is set up", feedManifest(sinceFeed) + webhook, nil, "", nil, time.Minute},
		{"both, where the config says so", feedManifest(sinceFeed) + webhook, new(time.Hour), "s3cret", nil, time.Hour},
		{"off without what it needs", needs, nil, "", nil, 0},
		{"on with what it needs", needs, nil, "", map[string]string{"actor": "ana"}, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := play(t, test.manifest, map[string]config.KindConfig{"item": {Access: tutti.AccessPublic, Poll: test.poll}}, nil, func(c *config.Source, _ *Deps) {
				c.Webhook.Secret, c.Settings = tutti.NewSecret(test.secret), test.settings
			})
			polled := h.byName["shop"].polled
			if len(polled) > 0 != (test.want > 0) || len(polled) > 0 && polled[0].every != test.want {
				t.Errorf("it is polled: %v", polled)
			}
		})
	}
}

func TestPollsYieldToVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Now, 4, 2)
		if !g.quiet() {
			t.Error("nobody calls, and it is not quiet")
		}
		for range 3 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if g.quiet() {
			t.Error("three of four places are taken, and it is quiet")
		}
		g.leave()
		g.leave()
		if g.quiet() {
			t.Error("the rate allows no call now, and it is quiet")
		}
		time.Sleep(time.Second)
		if !g.quiet() {
			t.Error("it does not become quiet")
		}
	})
}

// pagesOf is a connector whose system tells of that many pages of changes.
type pagesOf int

func (pagesOf) Fetch(context.Context, []Ask, tutti.Scope) (Batch, error) { return Batch{}, nil }
func (pagesOf) Polls(string) (Polling, bool)                             { return Polling{}, true }

func (n pagesOf) Poll(ctx context.Context, kind string, from PollFrom) (c Changed, err error) {
	if err := pause(ctx, time.Millisecond); err != nil {
		return c, err
	}
	page, _ := strconv.Atoi(from.Page)
	if page+1 < int(n) {
		c.Next = strconv.Itoa(page + 1)
	}
	c.Records = []ChangedRecord{{Change: Change{Kind: kind, IDs: []string{strconv.Itoa(page)}}, At: time.Now()}}
	return c, nil
}

// TestAPollComesToItsEndWhereItIsNeverQuiet: visitors keep most places of a source for themselves, and a poll of many
// pages comes through all the same.
func TestAPollComesToItsEndWhereItIsNeverQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 3})
		s.now, s.conn, s.kinds, s.veil = time.Now, pagesOf(15), map[string]*kind{"item": {Kind: tutti.Kind{Source: "shop", Name: "item"}}}, newVeil([]byte("secret"), nil)
		for range 2 {
			if err := s.gate.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f := &polling{Polling: Polling{MaxPages: 20, Overlap: time.Second}, s: s, k: s.kinds["item"], every: time.Minute}
		began := time.Now()
		_, stale, _, err := f.read(t.Context(), place{Since: began}, false)
		if err != nil || !slices.Contains(stale, "shop:item/14") {
			t.Errorf("after %v it comes to %v, with %d tags", time.Since(began), err, len(stale))
		}
	})
}

// manyAtOnce tells of that many changes in one page.
type manyAtOnce int

func (manyAtOnce) Fetch(context.Context, []Ask, tutti.Scope) (Batch, error) { return Batch{}, nil }
func (manyAtOnce) Polls(string) (Polling, bool)                             { return Polling{}, true }

func (n manyAtOnce) Poll(_ context.Context, kind string, _ PollFrom) (c Changed, err error) {
	for i := range int(n) {
		c.Records = append(c.Records, ChangedRecord{Change: Change{Kind: kind, IDs: []string{strconv.Itoa(i)}}, At: time.Now()})
	}
	return c, nil
}

// TestSoManyChangesAreOfTheKind: what a poll tells to other processes stays small, however much a page holds.
func TestSoManyChangesAreOfTheKind(t *testing.T) {
	for n, want := range map[int]int{1000: 1001, 100_000: 3} { // each and the kind; the kind, its items, and the kind again
		s := bare(config.SourceLimits{Timeout: time.Minute, Concurrency: 3})
		s.now, s.conn, s.kinds, s.veil = time.Now, manyAtOnce(n), map[string]*kind{"item": {Kind: tutti.Kind{Source: "shop", Name: "item"}}}, newVeil([]byte("secret"), nil)
		f := &polling{Polling: Polling{MaxPages: 20, Overlap: time.Second}, s: s, k: s.kinds["item"], every: time.Minute}
		_, stale, _, err := f.read(t.Context(), place{Since: time.Now()}, false)
		if err != nil || len(stale) != want || !slices.Contains(stale, "shop:item") {
			t.Errorf("%d changes are %d tags, %v", n, len(stale), err)
		}
	}
}

func TestWhatIsToldOfIsKeptLonger(t *testing.T) {
	for _, test := range []struct {
		name, feed string
		assumed    bool
		kind       config.KindConfig
		want       time.Duration
	}{
		{"a complete feed", sinceFeed + "\ncomplete: true", true, config.KindConfig{}, 10 * time.Minute},
		{"a feed that is not complete", sinceFeed, true, config.KindConfig{}, time.Minute},
		{"the config says how long", sinceFeed + "\ncomplete: true", false, config.KindConfig{}, time.Minute},
		{"the config says it of the kind", sinceFeed + "\ncomplete: true", true, config.KindConfig{Freshness: &config.DefaultFreshness}, time.Minute},
		{"it is not polled", sinceFeed + "\ncomplete: true", true, config.KindConfig{Poll: new(time.Duration(0))}, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.kind.Access = tutti.AccessPublic
			h := play(t, feedManifest(test.feed), map[string]config.KindConfig{"item": test.kind}, nil, func(c *config.Source, _ *Deps) { c.FreshAssumed = test.assumed })
			if got := h.byName["shop"].kinds["item"].policy.Fresh; got != test.want {
				t.Errorf("it is fresh for %v, want %v", got, test.want)
			}
		})
	}
}

// TestWhatWebhooksTellAllOfIsKeptLonger: where the config says that they are set up, and not how long.
func TestWhatWebhooksTellAllOfIsKeptLonger(t *testing.T) {
	manifest := strings.Replace(itemManifest, "  changes:", "  complete: [item]\n  changes:", 1)
	for _, test := range []struct {
		name, manifest string
		secret         string
		assumed        bool
		want           time.Duration
	}{
		{"all is told", manifest, ownSecret, true, 10 * time.Minute},
		{"not all is told", itemManifest, ownSecret, true, time.Minute},
		{"it is not set up", manifest, "", true, time.Minute},
		{"the config says how long", manifest, ownSecret, false, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := play(t, test.manifest, public, nil, func(c *config.Source, _ *Deps) {
				c.FreshAssumed = test.assumed
				if test.secret != "" {
					c.Webhook.Secret = tutti.NewSecret(test.secret)
				}
			})
			if got := h.byName["shop"].kinds["item"].policy.Fresh; got != test.want {
				t.Errorf("it is fresh for %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhatEndsIsNotShownLonger(t *testing.T) {
	s := newFeedSystem()
	manifest := strings.Replace(feedManifest(sinceFeed), "    map:", "    maxAge: 2h\n    map:", 1)
	h := play(t, manifest, public, s.ServeHTTP, func(c *config.Source, d *Deps) {
		d.Now = s.now
		c.Freshness = config.Freshness{Fresh: time.Hour, Stale: 12 * time.Hour, StaleIfError: 24 * time.Hour}
	})
	get := func() tutti.Got { return h.Get(t.Context(), refs("a"), tutti.Scope{})[0] }
	get()
	s.mu.Lock()
	s.down = http.StatusServiceUnavailable
	s.mu.Unlock()
	s.goOn(2*time.Hour - time.Second)
	if g := get(); g.Resource == nil {
		t.Errorf("before two hours are over it is gone: %v", g.Err)
	}
	s.goOn(2 * time.Second)
	if g := get(); g.Resource != nil {
		t.Errorf("after two hours it is shown: %v", g.Freshness)
	}
}

// TestADatabaseThatNotifiesIsPolledWhereTheConfigSaysSo: what can be heard is not asked for besides.
func TestADatabaseThatNotifiesIsPolledWhereTheConfigSaysSo(t *testing.T) {
	minute := time.Minute
	for want, written := range []*time.Duration{nil, &minute} {
		open := 0
		s, err := Open([]config.Source{{
			Name: "content", Connector: "postgres", Secrets: map[string]tutti.Secret{"url": tutti.NewSecret("postgres://db.example/content")},
			Kinds: map[string]config.KindConfig{"article": {Access: tutti.AccessPublic, Poll: written}},
		}}, Deps{Database: func(DatabaseConfig) (Database, error) { return heldDatabase{&open}, nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := len(s.order[0].polled); got != want {
			t.Errorf("with poll %v %d kinds are polled, want %d", written, got, want)
		}
	}
}
