package cache

import (
	"context"
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

// Handles and batches lend their memory to those who come after. Nobody may get what another asked for,
// whoever left early, joined, was told to load again, or came from memory.
func TestWhatIsFreedIsNobodysAnyMore(t *testing.T) {
	c := New[string](Config{MaxBytes: 40 << 10}, nil)
	defer c.Close()
	load := func(_ context.Context, asks []Ask[string]) []Loaded[string] {
		answers := make([]Loaded[string], len(asks))
		for i, a := range asks {
			runtime.Gosched()
			switch a.Key.Key[0] {
			case 'f':
				answers[i].Err = tutti.Unavailable
			case 'n':
			default:
				answers[i] = Loaded[string]{Value: a.Key.Key, Found: true, Unchanged: a.HasOld && a.Old == a.Key.Key}
			}
		}
		return answers
	}
	policy := Policy{Fresh: time.Hour, Stale: time.Hour, StaleIfError: time.Hour}
	var all sync.WaitGroup
	var wrong, right atomic.Int64
	for worker := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 2000 {
				names := make([]string, 1+random.IntN(12))
				for i := range names {
					names[i] = string("afnxyz"[random.IntN(6)]) + strconv.Itoa(random.IntN(40))
				}
				landed := make(chan struct{})
				h := c.Begin(context.Background(), keyed(names...), policy, load, func() { close(landed) })
				switch random.IntN(4) {
				case 0: // leaves
				case 1:
					c.Forget("tag:" + names[0])
					fallthrough
				default:
					<-landed
				}
				for i, r := range h.Take(tutti.Timeout) {
					switch {
					case r.Found != (r.Err == nil && names[i][0] != 'n') && r.State != tutti.StaleError, r.Found && r.Value != names[i], names[i][0] == 'f' && r.Found:
						wrong.Add(1)
						t.Errorf("%s is %+v", names[i], r)
					case r.Found:
						right.Add(1)
					}
				}
				h.Free()
			}
		})
	}
	all.Wait()
	if right.Load() < 10_000 || wrong.Load() > 0 {
		t.Errorf("%d right, %d wrong", right.Load(), wrong.Load())
	}
}
