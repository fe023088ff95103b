package sources

import (
	"sync"
	"time"
)

// breaker stops calling a system that fails: opened when at least half of at least 20 calls in 10
// seconds failed, for one second, then two again and again; after each pause one call is let through
// to try. The pauses stay short, so that a system that is well again is used again within five
// seconds: a second for the last try to end at its time limit, two for the pause, one until the next
// reader tries. It also keeps the retry budget, because both count the same calls.
type breaker struct {
	now func() time.Time

	mu      sync.Mutex // guards all below
	buckets [breakerSeconds]breakerBucket
	state   breakerState
	pause   time.Duration // the last pause; 0 = it never opened since it was closed
	until   time.Time     // when an open one lets a call through
	turn    int           // counts the changes of state: a call that began before the last one says nothing
	trying  bool          // a call was let through while half open
}

// breakerBucket counts one second.
type breakerBucket struct {
	second                 int64
	calls, failed, retries int
}

type breakerState int

const (
	closed breakerState = iota
	halfOpen
	open
)

const (
	breakerSeconds  = 10
	breakerCalls    = 20
	breakerFailures = 0.5
	firstPause      = time.Second
	longestPause    = 2 * time.Second
	retryShare      = 0.2
)

// allow reports whether a call may be made. How an allowed call ended must be told with done and
// the turn that came with it.
func (b *breaker) allow() (turn int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case open:
		if b.now().Before(b.until) {
			return 0, false
		}
		b.become(halfOpen)
		b.trying = true
	case halfOpen:
		if b.trying {
			return 0, false
		}
		b.trying = true
	}
	return b.turn, true
}

// verdict is what a call means to the breaker.
type verdict int

const (
	good    verdict = iota // it answered
	bad                    // the system failed: 5xx, no answer, too late, too large
	nothing                // it says nothing: we gave up ourselves
)

// done tells how an allowed call ended. It reports whether the state changed.
func (b *breaker) done(turn int, v verdict) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if turn != b.turn {
		return false
	}
	if b.state == halfOpen {
		b.trying = false
		switch v {
		case good:
			b.pause = 0
			clear(b.buckets[:])
			b.become(closed)
		case bad:
			b.openFor(min(2*b.pause, longestPause))
		}
		return v != nothing
	}
	if v == nothing {
		return false
	}
	w := b.bucket()
	w.calls++
	if v == bad {
		w.failed++
	}
	calls, failed, _ := b.window()
	if calls < breakerCalls || float64(failed) < breakerFailures*float64(calls) {
		return false
	}
	b.openFor(firstPause)
	return true
}

// retry reports whether a failed call may be made again: at most a fifth of the calls of the last
// ten seconds, but always one.
func (b *breaker) retry() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls, _, retries := b.window()
	if b.state != closed || float64(retries) >= max(1, retryShare*float64(calls-retries)) {
		return false
	}
	b.bucket().retries++
	return true
}

func (b *breaker) openFor(d time.Duration) {
	b.pause, b.until = d, b.now().Add(d)
	b.become(open)
}

func (b *breaker) become(s breakerState) { b.state, b.turn = s, b.turn+1 }

// current gives the state as of now: an open breaker whose pause is over counts as half open.
func (b *breaker) current() breakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == open && !b.now().Before(b.until) {
		return halfOpen
	}
	return b.state
}

func (b *breaker) bucket() *breakerBucket {
	sec := b.now().Unix()
	w := &b.buckets[sec%breakerSeconds]
	if w.second != sec {
		*w = breakerBucket{second: sec}
	}
	return w
}

func (b *breaker) window() (calls, failed, retries int) {
	sec := b.now().Unix()
	for i := range b.buckets {
		if w := &b.buckets[i]; w.second > sec-breakerSeconds && w.second <= sec {
			calls, failed, retries = calls+w.calls, failed+w.failed, retries+w.retries
		}
	}
	return calls, failed, retries
}
