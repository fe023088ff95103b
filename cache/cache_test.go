package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// usual is a policy with room for every state.
var usual = Policy{Fresh: time.Minute, Stale: 10 * time.Minute, StaleIfError: time.Hour, Negative: 10 * time.Second, HardLimit: 5 * time.Second}

func open(t testing.TB) *Cache[string] {
	c := New(Config{}, func(v string) int { return len(v) })
	t.Cleanup(c.Close)
	return c
}

// bubble runs a test in time of its own, with a cache.
func bubble(t *testing.T, f func(t *testing.T, c *Cache[string])) {
	synctest.Test(t, func(t *testing.T) { f(t, open(t)) })
}

// origin is a played origin: what it says can be changed, and its calls are counted.
type origin struct {
	mu    sync.Mutex
	says  map[string]string
	err   error
	calls [][]string
	gate  chan struct{} // when set, a call waits until it is closed
}

func (o *origin) set(key, value string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.says == nil {
		o.says = map[string]string{}
	}
	o.says[key] = value
}

func (o *origin) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *origin) called() [][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

// load reads what the origin says when the call begins and answers when the gate opens.
func (o *origin) load(ctx context.Context, asks []Ask[string]) []Loaded[string] {
	o.mu.Lock()
	var names []string
	answers := make([]Loaded[string], len(asks))
	for i, a := range asks {
		names = append(names, a.Key.Key)
		v, ok := o.says[a.Key.Key]
		answers[i] = Loaded[string]{Value: v, Found: ok, Err: o.err}
	}
	o.calls = append(o.calls, names)
	gate := o.gate
	o.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			for i := range answers {
				answers[i] = Loaded[string]{Err: tutti.Errorf(tutti.Timeout, "playing an origin: %w", ctx.Err())}
			}
		}
	}
	return answers
}

func keyed(names ...string) (keys []Key) {
	for _, n := range names {
		keys = append(keys, Key{Key: n, Tags: []string{"tag:" + n}})
	}
	return keys
}

func get(c *Cache[string], o *origin, name string) Result[string] {
	return c.GetMany(context.Background(), keyed(name), usual, o.load)[0]
}

func wantValue(t testing.TB, r Result[string], value string, state tutti.FreshnessState) {
	t.Helper()
	if r.Value != value || !r.Found || r.State != state {
		t.Fatalf("got %q found %v %s (%v), want %q %s", r.Value, r.Found, r.State, r.Err, value, state)
	}
}

func wantMissing(t testing.TB, r Result[string], code tutti.Code) {
	t.Helper()
	if r.Found || r.Value != "" || r.State != tutti.Missing || tutti.CodeOf(r.Err) != code {
		t.Fatalf("got %q found %v %s (%v), want it missing with %q", r.Value, r.Found, r.State, r.Err, code)
	}
}

func wantCalls(t testing.TB, o *origin, want ...[]string) {
	t.Helper()
	if got := o.called(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("origin calls %v, want %v", got, want)
	}
}

func TestOneCallLoadsAllThatIsMissingAndFreshOnesComeFromMemory(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A", "b": "B", "c": "C"}}
		start := time.Now()
		r := c.GetMany(t.Context(), keyed("b", "a", "b"), usual, o.load)
		for i, want := range []string{"B", "A", "B"} {
			wantValue(t, r[i], want, tutti.Fresh)
			if r[i].Cached || !r[i].AsOf.Equal(start) {
				t.Errorf("%s: cached %v as of %v, want a load of %v", want, r[i].Cached, r[i].AsOf, start)
			}
		}
		time.Sleep(53 * time.Second) // of the bubble
		r = c.GetMany(t.Context(), keyed("a", "c", "b"), usual, o.load)
		for i, want := range []string{"A", "C", "B"} {
			wantValue(t, r[i], want, tutti.Fresh)
			if r[i].Cached != (want != "C") {
				t.Errorf("%s: cached is %v", want, r[i].Cached)
			}
		}
		wantCalls(t, o, []string{"b", "a"}, []string{"c"})
		if len(c.GetMany(t.Context(), nil, usual, o.load)) != 0 {
			t.Error("no keys give answers")
		}
	})
}

func TestThousandReadersMakeOneLoad(t *testing.T) {
	c, o := open(t), &origin{says: map[string]string{"a": "A", "b": "B"}, gate: make(chan struct{})}
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if i == 500 {
				close(o.gate) // some wait already, others come while it lands or later
			}
			for _, r := range c.GetMany(context.Background(), keyed("a", "b"), usual, o.load) {
				if r.State != tutti.Fresh || r.Err != nil {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
	wg.Wait()
	wantCalls(t, o, []string{"a", "b"})
	if s := c.Stats(); s.Loads != 1 || s.Hits+s.Misses != 2000 || s.Coalesced != s.Misses-2 {
		t.Errorf("got %+v", s)
	}
}

func TestReadersOfOverlappingKeysLoadEachOnce(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A", "b": "B", "c": "C"}, gate: make(chan struct{})}
		var wg sync.WaitGroup
		for _, pair := range [][]string{{"a", "b"}, {"b", "c"}, {"a", "c"}} {
			wg.Go(func() {
				for i, r := range c.GetMany(t.Context(), keyed(pair...), usual, o.load) {
					wantValue(t, r, o.says[pair[i]], tutti.Fresh)
				}
			})
			synctest.Wait()
		}
		close(o.gate)
		wg.Wait()
		wantCalls(t, o, []string{"a", "b"}, []string{"c"})
	})
}

func TestStaleComesAtOnceWhileOneRefreshRuns(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "old", "b": "B"}}
		get(c, o, "a")
		o.set("a", "new")
		o.gate = make(chan struct{})
		time.Sleep(2 * time.Minute)
		before := time.Now()
		for range 10 {
			r := get(c, o, "a")
			wantValue(t, r, "old", tutti.StaleRevalidating)
			if r.Err != nil || !r.Cached || time.Now() != before {
				t.Fatalf("got %+v after %v", r, time.Since(before))
			}
		}
		close(o.gate)
		synctest.Wait()
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
		wantCalls(t, o, []string{"a"}, []string{"a"})

		time.Sleep(2 * time.Minute)
		r := c.GetMany(t.Context(), keyed("a", "b"), usual, o.load)
		wantValue(t, r[0], "new", tutti.StaleRevalidating)
		wantValue(t, r[1], "B", tutti.Fresh)
		wantCalls(t, o, []string{"a"}, []string{"a"}, []string{"a", "b"}) // the refresh goes with the load
	})
}

func TestOldAnswerStandsInWhileTheOriginFails(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A"}}
		get(c, o, "a")
		asOf := time.Now()
		o.fail(tutti.Errorf(tutti.RateLimited, "asking"))
		time.Sleep(20 * time.Minute) // past stale-while-revalidate
		r := get(c, o, "a")
		wantValue(t, r, "A", tutti.StaleError)
		if tutti.CodeOf(r.Err) != tutti.RateLimited || !r.AsOf.Equal(asOf) || !r.Cached {
			t.Fatalf("got %+v", r)
		}
		wantMissing(t, get(c, o, "b"), tutti.RateLimited)
		time.Sleep(time.Hour)
		wantMissing(t, get(c, o, "a"), tutti.RateLimited)
		o.fail(nil) // errors are not kept
		wantValue(t, get(c, o, "a"), "A", tutti.Fresh)
	})
}

func TestFailedRefreshKeepsTheStaleAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A"}}
		get(c, o, "a")
		o.fail(tutti.Unavailable)
		time.Sleep(2 * time.Minute)
		wantValue(t, get(c, o, "a"), "A", tutti.StaleRevalidating)
		synctest.Wait()
		for range 3 { // now it is known that nothing comes
			if r := get(c, o, "a"); r.Value != "A" || r.State != tutti.StaleError || tutti.CodeOf(r.Err) != tutti.Unavailable {
				t.Errorf("got %+v", r)
			}
			synctest.Wait()
		}
		wantCalls(t, o, []string{"a"}, []string{"a"})
	})
}

func TestNotFoundIsKeptForItsOwnTime(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{}
		wantMissing(t, get(c, o, "a"), "")
		o.set("a", "A")
		time.Sleep(9 * time.Second)
		r := get(c, o, "a")
		wantMissing(t, r, "")
		if !r.Cached {
			t.Error("it was asked again")
		}
		time.Sleep(2 * time.Second)
		wantValue(t, get(c, o, "a"), "A", tutti.Fresh)
		if s := c.Stats(); s.Negative != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestNotFoundCoversTheOlderValueEvenWhenItIsNotKept(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.Negative = 0
		o := &origin{says: map[string]string{"a": "A"}}
		ask := func() Result[string] { return c.GetMany(t.Context(), keyed("a"), p, o.load)[0] }
		wantValue(t, ask(), "A", tutti.Fresh)
		delete(o.says, "a")
		c.Forget("tag:a")
		wantMissing(t, ask(), "")
		synctest.Wait()
		o.fail(tutti.Unavailable)
		wantMissing(t, ask(), tutti.Unavailable) // and not the value from before
	})
}

func TestUnchangedMakesTheOldValueFresh(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		first := true
		load := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
			if first {
				first = false
				return []Loaded[string]{{Value: "A", Found: true, Validator: `"1"`, Tags: []string{"late"}, Fresh: 2 * time.Minute}}
			}
			if a := asks[0]; !a.HasOld || a.Old != "A" || a.Validator != `"1"` {
				t.Errorf("the load is told %+v", a)
			}
			return []Loaded[string]{{Unchanged: true}}
		}
		ask := func() Result[string] { return c.GetMany(t.Context(), keyed("a"), usual, load)[0] }
		ask()
		time.Sleep(107 * time.Second) // of the load's own two minutes
		wantValue(t, ask(), "A", tutti.Fresh)
		c.Forget("tag:a")
		r := ask()
		wantValue(t, r, "A", tutti.Fresh)
		if !r.AsOf.Equal(time.Now()) || r.Cached {
			t.Errorf("as of %v, want now", r.AsOf)
		}
		c.Forget("late") // its late tags stay with it
		if wantValue(t, ask(), "A", tutti.Fresh); c.Stats().Loads != 3 {
			t.Errorf("got %+v", c.Stats())
		}
	})
}

func TestUnchangedWithoutAnOldValueIsAnError(t *testing.T) {
	r := open(t).GetMany(t.Context(), keyed("a"), usual, func(context.Context, []Ask[string]) []Loaded[string] { return []Loaded[string]{{Unchanged: true}} })
	wantMissing(t, r[0], tutti.BadAnswer)
}

func TestBrokenLoadsBecomeErrors(t *testing.T) {
	for name, load := range map[string]func(context.Context, []Ask[string]) []Loaded[string]{
		"panic":       func(context.Context, []Ask[string]) []Loaded[string] { panic("ouch") },
		"nil panic":   func(context.Context, []Ask[string]) []Loaded[string] { panic(nil) },
		"goexit":      func(context.Context, []Ask[string]) []Loaded[string] { runtime.Goexit(); return nil },
		"too few":     func(context.Context, []Ask[string]) []Loaded[string] { return []Loaded[string]{{Found: true}} },
		"none at all": func(context.Context, []Ask[string]) []Loaded[string] { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, o := open(t), &origin{says: map[string]string{"a": "A"}}
			for _, r := range c.GetMany(t.Context(), keyed("a", "b"), usual, load) {
				wantMissing(t, r, tutti.Internal)
				var p *Panic
				if name == "panic" && (!errors.As(r.Err, &p) || p.Value != "ouch" || len(p.Stack) == 0) {
					t.Errorf("got %v", r.Err)
				}
			}
			wantValue(t, get(c, o, "a"), "A", tutti.Fresh)
		})
	}
}

func TestByteBudgetHolds(t *testing.T) {
	const budget = 1 << 20
	c := New(Config{MaxBytes: budget}, func(v string) int { return len(v) })
	defer c.Close()
	value := string(make([]byte, 1000))
	load := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
		return slices.Repeat([]Loaded[string]{{Value: value, Found: true}}, len(asks))
	}
	for i := range 200 {
		var names []string
		for j := range 50 {
			names = append(names, fmt.Sprintf("%03d-%02d", i, j))
		}
		for _, r := range c.GetMany(t.Context(), keyed(names...), usual, load) {
			wantValue(t, r, value, tutti.Fresh)
		}
		c.running.Wait()
		if s := c.Stats(); s.Bytes > budget {
			t.Fatalf("holds %d bytes of %d", s.Bytes, budget)
		}
	}
	s := c.Stats()
	if each := int64(1000 + 6 + overhead); s.Items != s.Bytes/each || s.Items < budget/each*9/10 || s.Evicted == 0 {
		t.Errorf("got %+v", s)
	}
	huge := string(make([]byte, 2*budget))
	r := c.GetMany(t.Context(), keyed("huge"), usual, func(context.Context, []Ask[string]) []Loaded[string] {
		return []Loaded[string]{{Value: huge, Found: true}}
	})
	wantValue(t, r[0], huge, tutti.Fresh) // answered, though it cannot be kept
}

func TestCloseIsSafeBesideEverything(t *testing.T) {
	for range 100 {
		c, o := New(Config{}, func(v string) int { return len(v) }), &origin{says: map[string]string{"a": "A"}}
		var wg sync.WaitGroup
		var begun atomic.Int64
		for i := range 8 {
			wg.Go(func() {
				for j := range 50 {
					name := fmt.Sprint(i, j%7)
					if begun.Add(1) == 100 {
						go c.Close()
					}
					c.GetMany(context.Background(), keyed("a", name), usual, o.load)
					c.Put(keyed(name)[0], c.Epochs(nil), Loaded[string]{Value: "x", Found: true}, usual)
					c.Forget("tag:" + name)
					c.Stats()
				}
			})
		}
		wg.Wait()
		c.Close()
		wantMissing(t, get(c, o, "a"), tutti.Unavailable)
		if s := c.Stats(); s.Bytes != 0 {
			t.Fatalf("got %+v", s)
		}
	}
}

func TestCloseEndsLoadsAndWaitsForThem(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{gate: make(chan struct{})}
		landed := false
		got := make(chan Result[string], 1)
		go func() {
			got <- c.GetMany(t.Context(), keyed("a"), usual, func(ctx context.Context, asks []Ask[string]) []Loaded[string] {
				answers := o.load(ctx, asks)
				time.Sleep(time.Second) // of the bubble: tidying up
				landed = true
				return answers
			})[0]
		}()
		synctest.Wait()
		start := time.Now()
		c.Close()
		if d := time.Since(start); !landed || d != time.Second {
			t.Errorf("closed after %v, the load has landed: %v", d, landed)
		}
		wantMissing(t, <-got, tutti.Timeout)
	})
}
