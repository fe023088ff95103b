package sources

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
	"github.com/tuttihq/tutti/internal/config"
)

// slowly is a connector whose calls take a second; it keeps what they asked for.
type slowly struct {
	mu    sync.Mutex
	calls []string // the ids of each
	fails func(ids string) error
}

func (c *slowly) Fetch(_ context.Context, asks []Ask, s tutti.Scope) (Batch, error) {
	b := Batch{Replies: make([]Reply, len(asks))}
	var ids []string
	for i, a := range asks {
		ids = append(ids, a.Ref.ID)
		b.Replies[i].Record.Resource = &tutti.Resource{Ref: a.Ref}
	}
	said := strings.Join(ids, " ") + s.Locale
	c.mu.Lock()
	c.calls = append(c.calls, said)
	c.mu.Unlock()
	time.Sleep(time.Second) // of the bubble
	if c.fails != nil {
		if err := c.fails(said); err != nil {
			return Batch{}, err
		}
	}
	return b, nil
}

func room(asks []Ask) []cache.Loaded[*entry] { return make([]cache.Loaded[*entry], len(asks)) }

// loaded asks for each of the lists at the same time, in their order, in a source of which one call is
// made at a time. It fails the test when an answer is not what was asked for.
func loaded(t *testing.T, conn *slowly, def Definition, scopes []tutti.Scope, lists ...string) (errs []error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: time.Minute, Concurrency: 1})
		s.conn = conn
		k := &kind{def: def, veil: newVeil([]byte("secret"), nil), limit: time.Minute}
		errs = make([]error, len(lists))
		var all sync.WaitGroup
		for i, list := range lists {
			all.Go(func() {
				var asks []Ask
				for _, id := range strings.Fields(list) {
					asks = append(asks, Ask{Ref: tutti.Ref{ID: id}})
				}
				out := s.load(t.Context(), k, asks, scopes[i%len(scopes)], room(asks))
				if len(out) != len(asks) {
					t.Errorf("%s: %d answers came", list, len(out))
					return
				}
				for j, l := range out {
					if l.Err != nil {
						errs[i] = l.Err
					} else if l.Value.resource.Ref != asks[j].Ref {
						t.Errorf("%s: got %s", asks[j].Ref.ID, l.Value.resource.Ref.ID)
					}
				}
			})
			synctest.Wait() // it has got as far as it can
		}
		all.Wait()
		if len(k.lanes.by) != 0 {
			t.Errorf("somebody still waits: %v", k.lanes.by)
		}
	})
	return errs
}

func wantAsked(t *testing.T, conn *slowly, want ...string) {
	t.Helper()
	if !slices.Equal(conn.calls, want) {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(conn.calls, "\n"), strings.Join(want, "\n"))
	}
}

var oneScope = []tutti.Scope{{}}

func TestLoadsThatWaitForTheirTurnGoTogether(t *testing.T) {
	conn := &slowly{}
	loaded(t, conn, Definition{MaxIDs: 100}, oneScope, "a b", "c", "d e", "f")
	wantAsked(t, conn, "a b", "c d e f")
}

func TestACallTakesAlongNoMoreThanTheSystemTakes(t *testing.T) {
	conn := &slowly{}
	loaded(t, conn, Definition{MaxIDs: 4}, oneScope, "a", "b c", "d e f", "g", "h", "i j k l", "m")
	wantAsked(t, conn, "a", "b c g h", "i j k l", "d e f m")

	conn = &slowly{}
	loaded(t, conn, Definition{MaxIDs: 100, MaxIDBytes: 12}, oneScope, "a", "b", "c", "d", "e")
	wantAsked(t, conn, "a", "b c d", "e")

	conn = &slowly{}
	loaded(t, conn, Definition{}, oneScope, "a", "b", "c")
	wantAsked(t, conn, "a", "b", "c")
}

func TestLoadsOfAnotherScopeGoAlone(t *testing.T) {
	conn := &slowly{}
	loaded(t, conn, Definition{MaxIDs: 100}, []tutti.Scope{{Locale: "-de"}, {Locale: "-en"}}, "a", "b", "c", "d", "e")
	wantAsked(t, conn, "a-de", "b d-en", "c e-de")
}

func TestWhatIsAskedForTwiceIsInTwoCalls(t *testing.T) {
	conn := &slowly{}
	loaded(t, conn, Definition{MaxIDs: 100}, oneScope, "a", "b c", "c d", "e")
	wantAsked(t, conn, "a", "b c e", "c d")
}

func TestAllOfACallLearnHowItFailed(t *testing.T) {
	conn := &slowly{fails: func(ids string) error {
		if ids == "a" {
			return nil
		}
		return tutti.Errorf(tutti.BadAnswer, "reading")
	}}
	for i, err := range loaded(t, conn, Definition{MaxIDs: 100}, oneScope, "a", "b", "c", "d") {
		if (i == 0) != (err == nil) || i > 0 && tutti.CodeOf(err) != tutti.BadAnswer {
			t.Errorf("load %d: %v", i, err)
		}
	}
	wantAsked(t, conn, "a", "b c d")
}

func TestOneBadIDOfACallDoesNoHarmToTheOthers(t *testing.T) {
	conn := &slowly{fails: func(ids string) error {
		if strings.Contains(ids, "bad") {
			return &Refused{Status: 400}
		}
		return nil
	}}
	for i, err := range loaded(t, conn, Definition{MaxIDs: 100}, oneScope, "a", "b c", "bad", "d e f") {
		if (i == 2) != (err != nil) {
			t.Errorf("load %d: %v", i, err)
		}
	}
}

// However many of those who go along ask for bad ids: nobody fails for what others ask for.
func TestManyBadIDsOfACallDoNoHarmToTheOthers(t *testing.T) {
	conn := &slowly{fails: func(ids string) error {
		if strings.Contains(ids, "bad") {
			return &Refused{Status: 400}
		}
		return nil
	}}
	lists := []string{"a", "b", "c d"}
	for i := range 24 {
		lists = append(lists, fmt.Sprint("bad", i))
	}
	lists = append(lists, "e")
	for i, err := range loaded(t, conn, Definition{MaxIDs: 100}, oneScope, lists...) {
		if strings.Contains(lists[i], "bad") != (err != nil) {
			t.Errorf("%s: %v", lists[i], err)
		}
	}
	if most := 2 * len(lists); len(conn.calls) > most {
		t.Errorf("%d calls, and at most %d are needed", len(conn.calls), most)
	}
}

func TestWhatIsTooLargeTogetherIsAskedForApart(t *testing.T) {
	conn := &slowly{fails: func(ids string) error {
		if len(strings.Fields(ids)) > 3 {
			return tutti.Errorf(tutti.TooLarge, "reading")
		}
		return nil
	}}
	for i, err := range loaded(t, conn, Definition{MaxIDs: 100}, oneScope, "a", "b c d", "e f g", "h i j k") {
		if (i == 3) != (err != nil) {
			t.Errorf("load %d: %v", i, err)
		}
	}
}

// However many wait: a call has room for what the system takes.
func TestACallTakesNoMoreRoomThanItNeeds(t *testing.T) {
	var l lanes
	k := &kind{def: Definition{MaxIDs: 100}}
	var asks []Ask
	for i := range 90 {
		asks = append(asks, Ask{Ref: tutti.Ref{ID: fmt.Sprint("a", i)}})
	}
	c := l.enter(k, tutti.Scope{}, &share{asks: asks})
	for i := range 1000 {
		l.enter(k, tutti.Scope{}, &share{asks: []Ask{{Ref: tutti.Ref{ID: fmt.Sprint("b", i)}}}})
	}
	if got := c.leave(); len(got) != 100 || cap(got) > 5000 { // it may be lent by somebody who asked for more
		t.Errorf("%d asks in room for %d", len(got), cap(got))
	}
}

// A half of which nothing came must not be taken for the other.
func TestTooFewRepliesAreNobodys(t *testing.T) {
	var l lanes
	k := &kind{def: Definition{MaxIDs: 100}, veil: newVeil([]byte("secret"), nil)}
	shares := make([]*share, 2)
	for i, id := range []string{"a", "b"} {
		asks := []Ask{{Ref: tutti.Ref{ID: id}}}
		shares[i] = &share{asks: asks, room: room(asks)}
	}
	c := l.enter(k, tutti.Scope{}, shares[0])
	l.enter(k, tutti.Scope{}, shares[1])
	c.leave()
	c.landed([]Reply{{Record: Record{Resource: &tutti.Resource{Ref: tutti.Ref{ID: "b"}}}}}, false)
	for _, s := range shares {
		if s.loaded != nil {
			t.Errorf("%s is %v", s.asks[0].Ref.ID, s.loaded[0].Value.resource.Ref)
		}
	}
}

// ending is a connector that ends the goroutine of who asks for one id.
type ending struct{ at string }

func (c ending) Fetch(_ context.Context, asks []Ask, _ tutti.Scope) (Batch, error) {
	if slices.ContainsFunc(asks, func(a Ask) bool { return a.Ref.ID == c.at }) {
		runtime.Goexit()
	}
	return Batch{Replies: make([]Reply, len(asks))}, nil
}

// What was not asked for to the end is not missing.
func TestACallThatEndedItsGoroutineSaysNothing(t *testing.T) {
	s := bare(config.SourceLimits{Timeout: time.Minute, Concurrency: 3})
	s.conn = ending{"c"}
	k := &kind{def: Definition{MaxIDs: 2}, veil: newVeil([]byte("secret"), nil)}
	var asks []Ask
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		asks = append(asks, Ask{Ref: tutti.Ref{ID: id}})
	}
	if out := s.load(t.Context(), k, asks, tutti.Scope{}, room(asks)); out != nil {
		t.Errorf("it says %+v", out)
	}
}

func TestWhoGetsNoTurnFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: 2 * time.Second, Concurrency: 1})
		conn := &slowly{}
		s.conn = conn
		k := &kind{def: Definition{MaxIDs: 100}, veil: newVeil([]byte("secret"), nil)}
		_ = s.gate.enter(t.Context())
		errs := make([]error, 3)
		var all sync.WaitGroup
		for i, id := range []string{"a", "b", "c"} {
			all.Go(func() {
				errs[i] = s.load(t.Context(), k, []Ask{{Ref: tutti.Ref{ID: id}}}, tutti.Scope{}, room([]Ask{{}}))[0].Err
			})
			synctest.Wait()
			time.Sleep(time.Second) // of the bubble
		}
		s.gate.leave() // a waited for two seconds, b as long as it led: one
		all.Wait()
		if tutti.CodeOf(errs[0]) != tutti.Unavailable || errs[1] != nil || errs[2] != nil {
			t.Errorf("got %v", errs)
		}
		wantAsked(t, conn, "b c")
	})
}

// A connector that panics is no such thing: the gate tells of it.
func TestNobodyWaitsForALeaderThatFell(t *testing.T) {
	for _, left := range []bool{false, true} {
		var l lanes
		k := &kind{def: Definition{MaxIDs: 100}}
		c := l.enter(k, tutti.Scope{}, &share{asks: []Ask{{Ref: tutti.Ref{ID: "a"}}}, room: room([]Ask{{}})})
		other := &share{asks: []Ask{{Ref: tutti.Ref{ID: "b"}}}, room: room([]Ask{{}})}
		if l.enter(k, tutti.Scope{}, other) != nil {
			t.Fatal("two lead")
		}
		if left {
			c.leave()
		}
		if c.landed(nil, false); c.lead.loaded != nil {
			t.Errorf("got %v", c.lead.loaded)
		}
		if lead := <-other.turn; lead == left || other.loaded != nil {
			t.Errorf("the call left: %v, the other leads: %v, with %v", left, lead, other.loaded)
		}
	}
}

func TestManyLoadsAtOnceGetWhatTheyAskedFor(t *testing.T) {
	s := bare(config.SourceLimits{Timeout: time.Minute, Concurrency: 3})
	s.conn = quick{}
	k := &kind{def: Definition{MaxIDs: 20}, veil: newVeil([]byte("secret"), nil), limit: time.Minute}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 200 {
				var asks []Ask
				for n := range 1 + (i+j)%30 {
					asks = append(asks, Ask{Ref: tutti.Ref{ID: fmt.Sprintf("%d-%d", i*(j%2), n)}})
				}
				for n, l := range s.load(t.Context(), k, asks, tutti.Scope{Draft: i%3 == 0}, room(asks)) {
					if l.Err != nil || l.Value.resource.Ref != asks[n].Ref {
						t.Errorf("got %+v for %s", l, asks[n].Ref.ID)
						return
					}
				}
			}
		})
	}
	all.Wait()
}

// quick is a connector that has everything at once, and tells of what it may not be asked.
type quick struct{}

func (quick) Fetch(_ context.Context, asks []Ask, _ tutti.Scope) (Batch, error) {
	b := Batch{Replies: make([]Reply, len(asks))}
	seen := map[string]bool{}
	for i, a := range asks {
		if seen[a.Ref.ID] || len(asks) > 20 {
			return b, tutti.Errorf(tutti.Internal, "asked twice for %s, or for %d", a.Ref.ID, len(asks))
		}
		seen[a.Ref.ID] = true
		b.Replies[i].Record.Resource = &tutti.Resource{Ref: a.Ref}
	}
	return b, nil
}
