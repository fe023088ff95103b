package sources

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

// call makes one call with an outcome, if it is allowed.
func (b *breaker) testCall(v verdict) bool {
	turn, ok := b.allow()
	if ok {
		b.done(turn, v)
	}
	return ok
}

func TestBreakerOpensAtHalfOfTwentyCalls(t *testing.T) {
	b := &breaker{now: newClock().now}
	for i := range 19 {
		b.testCall(verdict(i % 2)) // ten good, nine bad
		if b.current() != closed {
			t.Fatalf("it opened after %d calls", i+1)
		}
	}
	b.testCall(bad)
	if b.current() != open || b.testCall(good) {
		t.Error("10 of 20 failed, and it still lets calls through")
	}
}

func TestBreakerForgetsOldFailures(t *testing.T) {
	c := newClock()
	b := &breaker{now: c.now}
	for range 19 {
		b.testCall(bad)
	}
	c.t = c.t.Add(10 * time.Second)
	b.testCall(bad)
	if b.current() != closed {
		t.Error("failures of more than 10 seconds ago count")
	}
}

func TestBreakerPauseDoublesToTwoSeconds(t *testing.T) {
	c := newClock()
	b := &breaker{now: c.now}
	for range 20 {
		b.testCall(bad)
	}
	for _, pause := range []time.Duration{1, 2, 2, 2} {
		c.t = c.t.Add(pause*time.Second - time.Millisecond)
		if b.testCall(bad) {
			t.Fatalf("a call went through before %d s", pause)
		}
		c.t = c.t.Add(time.Millisecond)
		if !b.testCall(bad) {
			t.Fatalf("no call went through after %d s", pause)
		}
	}
	c.t = c.t.Add(2 * time.Second)
	turn, ok := b.allow()
	if _, second := b.allow(); !ok || second {
		t.Error("half open, it must let exactly one call through")
	}
	b.done(turn, good)
	if b.current() != closed || !b.testCall(good) {
		t.Error("a good call does not close it")
	}
}

func TestBreakerTakesNoWordOfCallsFromBefore(t *testing.T) {
	c := newClock()
	b := &breaker{now: c.now}
	early, _ := b.allow()
	for range 20 {
		b.testCall(bad)
	}
	c.t = c.t.Add(time.Second)
	if _, ok := b.allow(); !ok {
		t.Fatal("no call to try")
	}
	b.done(early, good)
	if b.current() == closed {
		t.Error("a call that began before the breaker opened has closed it")
	}
}

func TestRetriesStayWithinAFifth(t *testing.T) {
	b := &breaker{now: newClock().now}
	retries := 0
	for range 15 { // fewer than the breaker needs
		b.testCall(bad)
		if b.retry() {
			retries++
			b.testCall(bad)
		}
		if b.current() != closed {
			break
		}
	}
	if retries == 0 || retries > 3 {
		t.Errorf("%d retries for 15 calls", retries)
	}
	for range 20 {
		b.testCall(bad)
	}
	if b.retry() {
		t.Error("an open breaker allows a retry")
	}
}

func TestGateStaysClosedUntilTheNamedInstant(t *testing.T) {
	c := newClock()
	g := newGate(c.now, 1, 0)
	g.close(c.t.Add(20 * time.Second))
	g.close(time.Time{}) // says less than before: the longer one counts
	c.t = c.t.Add(19 * time.Second)
	if err := g.enter(context.Background()); tutti.CodeOf(err) != tutti.RateLimited {
		t.Errorf("a closed gate: %v", err)
	}
	c.t = c.t.Add(time.Second)
	if err := g.enter(context.Background()); err != nil {
		t.Errorf("an open gate: %v", err)
	}
	g.leave()
	g.close(c.t.Add(1000 * time.Hour))
	c.t = c.t.Add(time.Hour)
	if g.closed() {
		t.Error("a gate stays closed for more than an hour")
	}
}

func TestWhoWaitsAtAGateThatClosesIsNotLetThrough(t *testing.T) {
	for name, rate := range map[string]float64{"for a place": 0, "for the rate": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(time.Now, 1, rate)
				if err := g.enter(t.Context()); err != nil {
					t.Fatal(err)
				}
				waiting := make(chan error, 1)
				go func() { waiting <- g.enter(t.Context()) }()
				synctest.Wait()
				g.close(time.Now().Add(time.Minute)) // the first call was answered 429
				g.leave()
				if err := <-waiting; tutti.CodeOf(err) != tutti.RateLimited {
					t.Errorf("who waited %s while the gate closed: %v", name, err)
				}
				if len(g.slots) != 0 {
					t.Errorf("%d places are taken", len(g.slots))
				}
			})
		})
	}
}

func TestGateLimitsRateAndNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Now, 2, 10)
		began := time.Now()
		for range 3 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.leave()
		}
		if took := time.Since(began); took != 200*time.Millisecond { // the clock of the bubble is exact
			t.Errorf("three calls at ten a second took %v", took)
		}
		for range 2 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.enter(ctx); tutti.CodeOf(err) != tutti.Unavailable {
			t.Errorf("a third call at the same time: %v", err)
		}
	})
}
