package sources

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti/internal/config"
)

// visitors ask a source so many times, one each 10 ms of the bubble, each in a goroutine of its own, and
// wait for the last.
func visitors(t *testing.T, s *Source, n int, do func(context.Context) (time.Time, error)) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { _ = s.call(t.Context(), "item", do) })
		time.Sleep(10 * time.Millisecond)
	}
	wg.Wait()
}

// failing is a system that answers 503 in 5 ms, and counts.
func failing(calls *atomic.Int64) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		calls.Add(1)
		_ = pause(ctx, 5*time.Millisecond)
		return time.Time{}, &Refused{Status: http.StatusServiceUnavailable}
	}
}

// TestASystemThatFailsIsSpared lets a system answer every call with 503 for a minute, while a hundred
// visitors a second want something of it.
func TestASystemThatFailsIsSpared(t *testing.T) {
	const asked = 6000
	t.Run("by the retry budget alone", func(t *testing.T) {
		c := newClock()
		b, calls := &breaker{now: c.now}, 0
		for range asked {
			for tries := 0; tries == 0 || tries == 1 && b.retry(); tries++ {
				turn, _ := b.allow()
				b.done(turn, bad)
				b.become(closed) // as if there were no breaker
				calls++
			}
			c.t = c.t.Add(10 * time.Millisecond)
		}
		share := float64(calls) / asked
		t.Logf("without a breaker %d visitors are %d calls, %.3f", asked, calls, share)
		if share < 1.1 || share > 1.2 {
			t.Errorf("without a breaker there are %.3f times the calls", share)
		}
	})
	t.Run("by the breaker", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 1000})
			var calls atomic.Int64
			visitors(t, s, asked, failing(&calls))
			share := float64(calls.Load()) / asked
			t.Logf("with a breaker %d visitors are %d calls, %.3f", asked, calls.Load(), share)
			if calls.Load() < breakerCalls || share > 0.05 {
				t.Errorf("with a breaker there are %.3f times the calls", share)
			}
		})
	})
}

// TestNoCallComesBeforeRetryAfter lets a system refuse with Retry-After, by 429 and by 503, while visitors
// want something of it: none of them gets through, not even the second try of the first.
func TestNoCallComesBeforeRetryAfter(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(statusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 1000})
				var mu sync.Mutex
				var not time.Time // no call before it
				calls := 0
				visitors(t, s, 3000, func(context.Context) (time.Time, error) {
					mu.Lock()
					defer mu.Unlock()
					if calls++; time.Now().Before(not) {
						t.Errorf("a call came %v too early", time.Until(not))
					}
					not = time.Now().Add(7 * time.Second)
					return time.Time{}, &Refused{Status: status, Until: not, Limit: status == http.StatusTooManyRequests}
				})
				if calls != 5 { // at 0, 7, 14, 21 and 28 s
					t.Errorf("in 30 seconds there were %d calls", calls)
				}
			})
		})
	}
}

// TestASystemThatHealsIsUsedAgain lets a system fail for so long that the breaker's pauses are at their
// longest, and looks how long after it heals the first visitor gets something of it.
func TestASystemThatHealsIsUsedAgain(t *testing.T) {
	for _, fault := range []string{"503", "no answer"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 1000})
				var well atomic.Bool
				var first atomic.Int64
				do := func(ctx context.Context) (time.Time, error) {
					switch {
					case well.Load():
						first.CompareAndSwap(0, time.Now().UnixNano())
						return time.Time{}, nil
					case fault == "503":
						return time.Time{}, &Refused{Status: http.StatusServiceUnavailable}
					}
					return time.Time{}, pause(ctx, time.Hour)
				}
				var worst time.Duration
				for round := range 8 {
					well.Store(false)
					visitors(t, s, 2000+37*round, do)
					healed := time.Now()
					well.Store(true)
					first.Store(0)
					visitors(t, s, 600, do)
					if first.Load() == 0 {
						t.Fatal("after six seconds nobody got anything")
					}
					worst = max(worst, time.Duration(first.Load()-healed.UnixNano()))
				}
				t.Logf("at worst %v after it healed", worst)
				if worst > 5*time.Second {
					t.Errorf("it is used again %v after it healed", worst)
				}
				if err := s.call(t.Context(), "item", do); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
