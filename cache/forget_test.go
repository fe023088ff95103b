package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

func TestForgottenValueOnlyStandsInForAFailingReload(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "old"}}
		get(c, o, "a")
		c.Forget("tag:a")
		o.fail(tutti.Unavailable)
		r := get(c, o, "a")
		wantValue(t, r, "old", tutti.StaleError)
		if tutti.CodeOf(r.Err) != tutti.Unavailable {
			t.Errorf("got %v", r.Err)
		}
		o.fail(nil)
		o.set("a", "new")
		if r := get(c, o, "a"); r.Value != "old" || r.State != tutti.StaleError || tutti.CodeOf(r.Err) != tutti.Unavailable {
			t.Errorf("right after a failure: %+v", r)
		}
		time.Sleep(retryPause) // then it is tried again behind, though it would have been fresh for long
		wantValue(t, get(c, o, "a"), "old", tutti.StaleError)
		synctest.Wait()
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
		c.Forget("tag:other")
		c.Forget()
		if r := get(c, o, "a"); !r.Cached {
			t.Errorf("forgetting another tag cost a reload: %+v", r)
		}
		c.ForgetAll()
		if r := get(c, o, "a"); r.Cached {
			t.Errorf("forgetting all left %+v", r)
		}
	})
}

func TestForgottenValueIsNeverServedWhereStandInsAreNotWanted(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.StaleIfError = 0
		o := &origin{says: map[string]string{"a": "old"}}
		c.GetMany(t.Context(), keyed("a"), p, o.load)
		c.Forget("tag:a")
		o.fail(tutti.Unavailable)
		wantMissing(t, c.GetMany(t.Context(), keyed("a"), p, o.load)[0], tutti.Unavailable)
	})
}

func TestPurgedValueIsNeverServedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "withdrawn"}}
		get(c, o, "a")
		c.Purge("tag:a")
		o.fail(tutti.Unavailable)
		told := false
		r := c.GetMany(t.Context(), keyed("a"), usual, func(ctx context.Context, asks []Ask[string]) []Loaded[string] {
			told = asks[0].HasOld
			return o.load(ctx, asks)
		})
		wantMissing(t, r[0], tutti.Unavailable)
		if told {
			t.Error("the load was told the purged value")
		}
	})
}

func TestSlowLoadCannotUndoForget(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "old"}, gate: make(chan struct{})}
		slow := o.gate
		first := make(chan Result[string], 1)
		go func() { first <- get(c, o, "a") }()
		synctest.Wait() // it has read "old" and is on its way back
		o.set("a", "new")
		o.gate = nil
		c.Forget("tag:a")
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh) // and did not join the slow one
		synctest.Wait()                                  // the new load has left the list of flights
		close(slow)
		wantValue(t, <-first, "new", tutti.Fresh)
		synctest.Wait()
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
		wantCalls(t, o, []string{"a"}, []string{"a"})
	})
}

func TestReadersJoinTheNewLoadWhileAForgottenOneLands(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "old"}}
		var gates [2]chan struct{}
		got := make(chan Result[string], 3)
		for i := range gates {
			gates[i] = make(chan struct{})
			o.gate = gates[i]
			go func() { got <- get(c, o, "a") }()
			synctest.Wait()
			o.set("a", "new")
			if i == 0 {
				c.Forget("tag:a")
			}
		}
		close(gates[0]) // the first reader needs the new value too, and so does the third
		synctest.Wait()
		go func() { got <- get(c, o, "a") }()
		synctest.Wait()
		close(gates[1])
		for range 3 {
			wantValue(t, <-got, "new", tutti.Fresh)
		}
		wantCalls(t, o, []string{"a"}, []string{"a"})
	})
}

func TestForgettingATagThatOnlyTheAnswerTellsCountsFromBeforeTheLoad(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		says, gate := "old", make(chan struct{})
		var loads atomic.Int64
		load := func(context.Context, []Ask[string]) []Loaded[string] {
			v := says
			if loads.Add(1) == 1 {
				<-gate
			}
			return []Loaded[string]{{Value: v, Found: true, Tags: []string{"variant:7"}}}
		}
		got := make(chan Result[string], 1)
		go func() { got <- c.GetMany(context.Background(), keyed("a"), usual, load)[0] }()
		synctest.Wait()
		says = "new"
		c.Forget("variant:7")
		close(gate)
		wantValue(t, <-got, "new", tutti.Fresh)
		if loads.Load() != 2 {
			t.Errorf("%d loads, want 2", loads.Load())
		}
		c.Forget("variant:7")
		if r := c.GetMany(context.Background(), keyed("a"), usual, load)[0]; r.Cached {
			t.Errorf("got %+v from memory", r)
		}
	})
}

func TestValueThatIsForgottenAgainAndAgainIsNotCalledFresh(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		for _, forget := range []func(...string){c.Forget, c.Purge} {
			loads := 0
			r := c.GetMany(t.Context(), keyed("a"), usual, func(context.Context, []Ask[string]) []Loaded[string] {
				loads++
				forget("tag:a")
				return []Loaded[string]{{Value: "A", Found: true}}
			})[0]
			if loads != rounds || r.State == tutti.Fresh || loads == 0 {
				t.Errorf("after %d loads got %+v", loads, r)
			}
		}
	})
}

func TestPutIsOldWhenForgottenSinceItsEpochs(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "new"}}
		key := keyed("a")[0]
		put := func(taken Epochs, v string) {
			c.Put(key, taken, Loaded[string]{Value: v, Found: true}, usual)
		}
		put(c.Epochs(key.Tags), "primed")
		if r := get(c, o, "a"); r.Value != "primed" || r.State != tutti.Fresh || !r.Cached {
			t.Fatalf("got %+v", r)
		}
		taken := c.Epochs(nil)
		c.Forget("tag:a")
		put(taken, "late")
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
		synctest.Wait()
		put(taken, "later still") // does not replace what was loaded after the Forget
		if r := get(c, o, "a"); r.Value != "new" || !r.Cached {
			t.Errorf("got %+v", r)
		}
		put(Epochs{}, "of unknown age")
		c.Put(key, c.Epochs(nil), Loaded[string]{Value: "broken", Found: true, Err: tutti.Unavailable}, usual)
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
	})
}

func TestLaterOfTwoValuesStays(t *testing.T) {
	c := open(t)
	for i := range 5000 {
		key := Key{Key: strconv.Itoa(i)}
		for _, v := range []string{"first", "second", "third"} {
			c.Put(key, c.Epochs(nil), Loaded[string]{Value: v, Found: true}, usual)
		}
		r := c.GetMany(t.Context(), []Key{key}, usual, (&origin{}).load)[0]
		wantValue(t, r, "third", tutti.Fresh)
	}
	if s := c.Stats(); s.Items != 5000 {
		t.Errorf("got %+v", s)
	}
}

// In each round the origin changes and the tag is forgotten while readers fill the cache as
// fast and as slowly as they can. A reader that begins after Forget has returned must never get the
// older value as anything but a stand-in.
func TestNoFillRaceServesForgottenValuesAsFresh(t *testing.T) {
	c := open(t)
	var version atomic.Int64
	load := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
		answers := make([]Loaded[string], len(asks))
		for i := range asks {
			v := version.Load()
			for range rand.IntN(4) {
				runtime.Gosched()
			}
			answers[i] = Loaded[string]{Value: strconv.FormatInt(v, 10), Found: true, Tags: []string{"late"}}
		}
		return answers
	}
	tag := []string{"tag:a", "late"}
	wrong, fromMemory := 0, 0
	for round := range int64(3000) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.GetMany(context.Background(), keyed("a", "b"), usual, load) })
		}
		wg.Go(func() {
			taken := c.Epochs(nil)
			c.Put(keyed("a")[0], taken, load(context.Background(), make([]Ask[string], 1))[0], usual)
		})
		for range rand.IntN(6) {
			runtime.Gosched()
		}
		version.Store(round + 1)
		c.Forget(tag[round%2])
		for range 2 {
			r := c.GetMany(context.Background(), keyed("a"), usual, load)[0]
			if v, _ := strconv.ParseInt(r.Value, 10, 64); v <= round && r.State != tutti.StaleError || r.Err != nil {
				wrong++
			}
			if r.Cached {
				fromMemory++
			}
		}
		wg.Wait()
	}
	if wrong != 0 || fromMemory == 0 {
		t.Errorf("%d forgotten values served as fresh; %d answers from memory", wrong, fromMemory)
	}
}

// As above with Purge, and every other round the origin fails after it: what was purged does not
// even stand in.
func TestNoFillRaceServesPurgedValuesAtAll(t *testing.T) {
	c := open(t)
	var version atomic.Int64
	load := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
		answers := make([]Loaded[string], len(asks))
		for i, a := range asks {
			v := version.Load()
			for range rand.IntN(4) {
				runtime.Gosched()
			}
			answers[i] = Loaded[string]{Value: strconv.FormatInt(v, 10), Found: true, Tags: []string{"late"}}
			if a.HasOld { // an origin may say that nothing changed, of what it knew before
				if old, _ := strconv.ParseInt(a.Old, 10, 64); old == v {
					answers[i] = Loaded[string]{Unchanged: true, Tags: []string{"late"}}
				}
			}
		}
		return answers
	}
	failing := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
		answers := make([]Loaded[string], len(asks))
		for i := range answers {
			answers[i].Err = tutti.Errorf(tutti.Unavailable, "asking an origin that is down")
		}
		return answers
	}
	tag := []string{"tag:a", "late"}
	wrong := 0
	for round := range int64(3000) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.GetMany(context.Background(), keyed("a", "b"), usual, load) })
		}
		for range rand.IntN(6) {
			runtime.Gosched()
		}
		version.Store(round + 1)
		c.Purge(tag[round%2])
		ask := load
		if round%2 == 0 {
			ask = failing
		}
		for range 2 {
			r := c.GetMany(context.Background(), keyed("a"), usual, ask)[0]
			if v, _ := strconv.ParseInt(r.Value, 10, 64); r.Found && v <= round {
				wrong++
			}
		}
		wg.Wait()
	}
	if wrong != 0 {
		t.Errorf("%d purged values served", wrong)
	}
}

func TestEveryForgetIsSeenAndFewTagsShareSlots(t *testing.T) {
	e := newEpochs()
	var slots [][]slot
	for i := range 50_000 {
		slots = append(slots, slotsOf(nil, []string{fmt.Sprint("tag", i)}))
	}
	taken := e.now()
	for i := range 1000 {
		e.forget([]string{fmt.Sprint("tag", i)}, i%2 == 0)
	}
	others := 0
	for i, s := range slots {
		seen := e.forgottenSince(s, taken)
		if i < 1000 && (!seen || e.purgedSince(s, taken) && i%2 == 1 && !shared(slots[:1000], i)) {
			t.Fatalf("tag %d: forgotten %v, purged %v", i, seen, e.purgedSince(s, taken))
		}
		if i >= 1000 && seen {
			others++
		}
		if e.forgottenSince(s, e.now()) {
			t.Fatalf("tag %d is old for a load that begins now", i)
		}
	}
	if others > 49_000/200 {
		t.Errorf("%d of 49,000 tags look forgotten that are not", others)
	}
}

// shared says whether the slots of i are covered by others.
func shared(slots [][]slot, i int) bool {
	var low, high bool
	for j, s := range slots {
		if j != i {
			low, high = low || s[0]&slotMask == slots[i][0]&slotMask, high || s[0]>>slotBits == slots[i][0]>>slotBits
		}
	}
	return low && high
}
