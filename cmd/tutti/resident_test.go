package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// TestASmallHeapIsCollectedSooner: while the process serves, the room of its heap follows what lives; where the
// environment says how much, nothing is changed.
func TestASmallHeapIsCollectedSooner(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 70}, {smallHeap, 70}, {smallHeap + 1, 100}, {1 << 30, 100}} {
		if got := roomFor(c.live); got != c.want {
			t.Errorf("with %d bytes that live it gives %d %%, want %d %%", c.live, got, c.want)
		}
	}
	for _, env := range []map[string]string{{}, {"GOGC": ""}, {"GOGC": "100"}, {"GOMEMLIMIT": "1GiB"}} {
		before := debug.SetGCPercent(300)
		runtime.GC() // so that it is known what lives
		r := newRoom(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		r.fit()
		said := env["GOGC"]+env["GOMEMLIMIT"] != ""
		if got := debug.SetGCPercent(before); (got == 300) != said {
			t.Errorf("with %v the collector gets %d %%", env, got)
		}
	}
}

// TestPagesAreGivenBackWhileBusyAndOnceAfter: who is asked now and then does not map them again each time.
func TestPagesAreGivenBackWhileBusyAndOnceAfter(t *testing.T) {
	var w work
	spent := time.Duration(0)
	for i, second := range []struct {
		took time.Duration
		want bool
	}{{busyFrom, true}, {giveBackEvery, true}, {busyFrom - 1, true}, {busyFrom - 1, false}, {0, false}, {busyFrom, true}, {0, true}, {0, false}} {
		spent += second.took
		if got := w.since(spent); got != second.want {
			t.Errorf("second %d, with %v of processor time: %v", i, second.took, got)
		}
	}
}

// TestStayingSmallEnds: with the context.
func TestStayingSmallEnds(t *testing.T) {
	t.Setenv("GOGC", "100")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := staySmall(ctx)
		time.Sleep(3 * giveBackEvery)
		select {
		case <-done:
			t.Error("it ended by itself")
		default:
		}
		stop()
		<-done
	})
}
