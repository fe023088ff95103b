package sources

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	mostAgain   = time.Minute
	mostPending = 10_000 // tags of one source that wait to be forgotten a second time
	againLimit  = 5 * time.Second
)

func (c *compiler) again(src string) time.Duration {
	if src == "" {
		return 0
	}
	d, err := time.ParseDuration(src)
	if err != nil || d < time.Second || d > mostAgain {
		c.wrong("webhook.again", "is no duration from 1s to 1m", "Write how far the system's reads lag behind its events, for example:  again: 5s")
	}
	return d
}

// again forgets things a second time, some time after the first: of a system whose reads lag behind its
// events, what was read in between may be old; and what looks like a repetition may be another change. Nothing else remembers it: when the process ends, what
// waits is lost. Safe for concurrent use.
type again struct {
	every  []string // stands for everything, when too much waits
	forget func(ctx context.Context, tags []string)

	mu      sync.Mutex // guards the rest
	waiting []secondForget
	tags    int // of all that waits
	timer   *time.Timer
	closed  bool
	ctx     context.Context // of forgetting
	end     context.CancelFunc
	running sync.WaitGroup
}

type secondForget struct {
	at    time.Time
	event string
	tags  []string
}

func newAgain(every []string, forget func(ctx context.Context, tags []string)) *again {
	a := &again{every: every, forget: forget}
	a.ctx, a.end = context.WithCancel(context.Background())
	return a
}

// later has the tags of an event forgotten after some time. Nothing is added while the same of that event
// waits. When too much waits, everything is forgotten.
func (a *again) later(d time.Duration, event string, tags []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(tags) == 0 || slices.ContainsFunc(a.waiting, func(w secondForget) bool { return w.event == event }) {
		return
	}
	if a.tags += len(tags); a.tags > mostPending {
		a.waiting, tags, a.tags = nil, a.every, len(a.every)
	}
	at := time.Now().Add(d)
	place, _ := slices.BinarySearchFunc(a.waiting, at, func(w secondForget, at time.Time) int { return w.at.Compare(at) })
	a.waiting = slices.Insert(a.waiting, place, secondForget{at, event, tags})
	if a.timer == nil || place == 0 && a.timer.Stop() { // one that cannot be stopped is about to look itself
		a.timer = time.AfterFunc(d, a.due)
	}
}

// due forgets what has waited long enough.
func (a *again) due() {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	var tags []string
	now := time.Now()
	for len(a.waiting) > 0 && !a.waiting[0].at.After(now) {
		tags = append(tags, a.waiting[0].tags...)
		a.tags -= len(a.waiting[0].tags)
		a.waiting = a.waiting[1:]
	}
	if a.timer = nil; len(a.waiting) > 0 {
		a.timer = time.AfterFunc(a.waiting[0].at.Sub(now), a.due)
	}
	a.running.Add(1)
	a.mu.Unlock()
	defer a.running.Done()
	if len(tags) > 0 {
		slices.Sort(tags)
		ctx, cancel := context.WithTimeout(a.ctx, againLimit)
		defer cancel()
		a.forget(ctx, slices.Compact(tags))
	}
}

// close forgets nothing more, and waits for what is being forgotten.
func (a *again) close() {
	a.mu.Lock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.waiting = nil
	a.end()
	a.mu.Unlock()
	a.running.Wait()
}
