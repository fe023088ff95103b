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
	}{{0, 60}, {smallHeap, 60}, {smallHeap + 1, 100}, {1 << 30, 100}} {
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
