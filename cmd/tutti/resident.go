package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// giveBackEvery is how often memory that nobody needs is given back.
const giveBackEvery = time.Second

// staySmall keeps what is resident of this process small, until ctx ends; then the channel is closed.
func staySmall(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var work work
		own, room := ownProgram(), newRoom(os.LookupEnv)
		tick := time.NewTicker(giveBackEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if work.since(processorTime()) {
					own.release()
				}
				room.fit()
			case <-ctx.Done():
				return
			}
		}
	}()
	return done
}

// work is how much processor time the process has taken, and whether it was busy when that was last looked at.
type work struct {
	spent time.Duration
	busy  bool
}

// busyFrom is with how much processor time between two looks a process is busy.
const busyFrom = giveBackEvery / 20

// since reports, for what was spent up to now, whether pages are to be given back: while the process is busy, where some
// hundred of them that are mapped again are nothing, and once when it has become calm. A process that is asked now and
// then keeps what its answers need.
func (w *work) since(spent time.Duration) bool {
	was := w.busy
	w.busy = spent-w.spent >= busyFrom
	w.spent = spent
	return was || w.busy
}

// room is how much the heap may grow before garbage is collected, in hundredths of what lives.
type room struct {
	percent int
	live    []metrics.Sample
}

// newRoom gives nil where the environment says how much: GOGC or GOMEMLIMIT.
func newRoom(lookup func(string) (string, bool)) *room {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if v, _ := lookup(name); v != "" {
			return nil
		}
	}
	return &room{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
}

// fit sets it for what lives now.
func (r *room) fit() {
	if r == nil {
		return
	}
	metrics.Read(r.live)
	if p := roomFor(r.live[0].Value.Uint64()); p != r.percent {
		r.percent = p
		debug.SetGCPercent(p)
	}
}

// smallHeap is up to how many bytes that live a heap is small.
const smallHeap = 32 << 20

// roomFor gives a small heap less than Go does: it is collected quickly, so it can be more often. A larger one
// gets as much again as lives.
func roomFor(live uint64) int {
	if live <= smallHeap {
		return 70
	}
	return 100
}
