package cache

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

func TestWhatIsReadNearItsEndIsRenewedOnceAndNeverGrowsOld(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "old"}}
		began := time.Now()
		get(c, o, "a")
		time.Sleep(53 * time.Second)
		r := get(c, o, "a")
		wantValue(t, r, "old", tutti.Fresh)
		if until := r.Until.Sub(began); until != 54*time.Second {
			t.Errorf("it should be read again after %v", until)
		}
		synctest.Wait()
		wantCalls(t, o, []string{"a"}) // not near enough

		time.Sleep(2 * time.Second)
		o.set("a", "new")
		o.gate = make(chan struct{})
		var readers sync.WaitGroup
		for range 1000 {
			readers.Go(func() {
				before := time.Now()
				if r := get(c, o, "a"); r.Value != "old" || r.State != tutti.Fresh || time.Now() != before {
					t.Errorf("got %+v after %v", r, time.Since(before))
				}
			})
		}
		readers.Wait()
		wantCalls(t, o, []string{"a"}, []string{"a"})
		if until := get(c, o, "a").Until.Sub(began); until != 56*time.Second { // by then it is here, or it is tried again
			t.Errorf("then it should be read again after %v", until)
		}
		close(o.gate)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		wantValue(t, get(c, o, "a"), "new", tutti.Fresh)
		wantCalls(t, o, []string{"a"}, []string{"a"})
		if s := c.Stats(); s.Early != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestAFailedRenewalIsTriedAgainOnceASecond(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A"}}
		get(c, o, "a")
		o.fail(tutti.Unavailable)
		time.Sleep(54 * time.Second)
		fresh, stale := 0, 0
		for range 200 { // 20 s, over the end of its fresh time
			switch r := get(c, o, "a"); r.State {
			case tutti.Fresh:
				fresh++
			case tutti.StaleError:
				stale++
			}
			time.Sleep(100 * time.Millisecond)
		}
		if fresh != 60 || stale != 140 {
			t.Errorf("%d fresh and %d stale answers", fresh, stale)
		}
		if n := len(o.called()); n < 20 || n > 22 {
			t.Errorf("%d calls in 20 s", n)
		}
		o.fail(nil)
		time.Sleep(time.Second)
		get(c, o, "a")
		synctest.Wait()
		wantValue(t, get(c, o, "a"), "A", tutti.Fresh)
	})
}

func TestNobodyWaitsAgainForWhatHasJustFailed(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.Stale = 0
		o := &origin{says: map[string]string{"a": "A"}}
		ask := func() (Result[string], time.Duration) {
			began := time.Now()
			return c.GetMany(t.Context(), keyed("a"), p, o.load)[0], time.Since(began)
		}
		ask()
		time.Sleep(2 * time.Minute)
		o.gate = make(chan struct{}) // it does not answer any more
		r, took := ask()
		wantValue(t, r, "A", tutti.StaleError)
		if took != p.HardLimit {
			t.Errorf("the first one left after %v", took)
		}
		for range 30 {
			r, took := ask()
			wantValue(t, r, "A", tutti.StaleError)
			if tutti.CodeOf(r.Err) != tutti.Timeout || took != 0 {
				t.Fatalf("got %v after %v", r.Err, took)
			}
			time.Sleep(200 * time.Millisecond)
		}
		c.Forget("tag:a")
		if _, took := ask(); took == 0 {
			t.Error("nobody waits for what was forgotten since")
		}
		time.Sleep(patience + p.HardLimit)
		if _, took := ask(); took == 0 {
			t.Error("nobody waits long after")
		}
		o.set("a", "new")
		close(o.gate)
		time.Sleep(time.Second)
		ask()
		synctest.Wait()
		r, _ = ask()
		wantValue(t, r, "new", tutti.Fresh)
	})
}

func TestASlowLoadIsWaitedForByOneReaderOnly(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.Stale, p.SoftLimit = 0, 300*time.Millisecond
		o := &origin{says: map[string]string{"a": "A"}}
		ask := func() (Result[string], time.Duration) {
			began := time.Now()
			return c.GetMany(t.Context(), keyed("a"), p, o.load)[0], time.Since(began)
		}
		ask()
		time.Sleep(2 * time.Minute)
		o.gate = make(chan struct{})
		if r, took := ask(); r.Value != "A" || took != p.SoftLimit {
			t.Errorf("got %+v after %v", r, took)
		}
		if r, took := ask(); r.Value != "A" || r.State != tutti.StaleRevalidating || took != 0 {
			t.Errorf("got %+v after %v", r, took)
		}
		close(o.gate)
		synctest.Wait()
		if r, _ := ask(); r.State != tutti.Fresh {
			t.Errorf("got %+v", r)
		}
	})
}

func TestWhoNeedsTimeLeftWaitsForTheRest(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.AtLeast = 30 * time.Second
		o := &origin{says: map[string]string{"a": "A", "b": "B"}}
		ask := func(names ...string) []Result[string] { return c.GetMany(t.Context(), keyed(names...), p, o.load) }
		get(c, o, "a")
		time.Sleep(30 * time.Second)
		get(c, o, "b")
		if r := ask("a", "b"); !r[0].Cached || !r[1].Cached {
			t.Errorf("both had enough: %+v", r)
		}
		time.Sleep(time.Second)
		o.set("a", "A2")
		r := ask("a", "b")
		wantValue(t, r[0], "A2", tutti.Fresh)
		if r[0].Cached || !r[1].Cached {
			t.Errorf("the one had not enough left, the other had: %+v", r)
		}
		time.Sleep(2 * time.Minute) // served at once to others
		o.fail(tutti.Unavailable)
		wantValue(t, ask("a")[0], "A2", tutti.StaleError)
		o.fail(nil)
		wantValue(t, ask("a")[0], "A2", tutti.Fresh) // it waits, though the last load failed
	})
}
