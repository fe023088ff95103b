package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

// begun is a handle, and how often it told that everything has come.
func begun(c *Cache[string], o *origin, p Policy, names ...string) (h *Handle[string], told *int) {
	told = new(int)
	return c.Begin(context.Background(), keyed(names...), p, o.load, func() { *told++ }), told
}

func TestHandleOfWhatIsInMemoryHasLandedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A"}}
		get(c, o, "a")
		h, told := begun(c, o, usual, "a")
		if *told != 1 {
			t.Errorf("told %d times", *told)
		}
		wantValue(t, h.Take(tutti.Timeout)[0], "A", tutti.Fresh)
	})
}

func TestHandleTellsOnceWhenEverythingHasCome(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A", "b": "B"}, gate: make(chan struct{})}
		first, _ := begun(c, o, usual, "a")
		synctest.Wait()
		h, told := begun(c, o, usual, "a", "b", "b") // waits for two loads
		synctest.Wait()
		if *told != 0 {
			t.Error("told before anything came")
		}
		close(o.gate)
		synctest.Wait()
		if *told != 1 {
			t.Errorf("told %d times", *told)
		}
		for i, want := range []string{"A", "B", "B"} {
			wantValue(t, h.Take(tutti.Timeout)[i], want, tutti.Fresh)
		}
		wantValue(t, first.Take(tutti.Timeout)[0], "A", tutti.Fresh)
		wantCalls(t, o, []string{"a"}, []string{"b"})
	})
}

func TestWhoTakesBeforeLeavesAndTheLoadGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"old": "O", "here": "H"}}
		get(c, o, "old")
		get(c, o, "here")
		c.Forget("tag:old")
		o.set("old", "N")
		o.gate = make(chan struct{})
		h, told := begun(c, o, usual, "here", "old", "away")
		time.Sleep(time.Second)
		r := h.Take(tutti.Timeout)
		wantValue(t, r[0], "H", tutti.Fresh)
		wantValue(t, r[1], "O", tutti.StaleError)
		wantMissing(t, r[2], tutti.Timeout)
		if tutti.CodeOf(r[1].Err) != tutti.Timeout {
			t.Errorf("it stands in because of %v", r[1].Err)
		}
		close(o.gate)
		synctest.Wait()
		if again := h.Take(nil); *told != 0 || again[1].Value != "O" || again[2].Found {
			t.Errorf("told %d times, and then it is %+v", *told, again)
		}
		wantValue(t, get(c, o, "old"), "N", tutti.Fresh)
	})
}

func TestHandleOfAClosedCacheHasLanded(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		c.Close()
		h, told := begun(c, &origin{}, usual, "a")
		if *told != 1 {
			t.Errorf("told %d times", *told)
		}
		wantMissing(t, h.Take(nil)[0], tutti.Unavailable)
	})
}
