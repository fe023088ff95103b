package sources

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// bare is a source without a system, for what stands around calls.
func bare(limits config.SourceLimits) *Source {
	return &Source{
		name: "shop", cfg: config.Source{Limits: limits}, log: slog.New(slog.DiscardHandler),
		breaker: &breaker{now: time.Now}, gate: newGate(time.Now, limits.Concurrency, limits.Rate), health: &health{now: time.Now},
	}
}

// answersAfter plays a system.
func answersAfter(d time.Duration) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) { return time.Time{}, pause(ctx, d) }
}

func TestTheWaitAtOurOwnGateIsNotTheSystemsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 1})
		first := make(chan error)
		go func() { first <- s.call(t.Context(), "item", answersAfter(900*time.Millisecond)) }()
		synctest.Wait()
		if err := s.call(t.Context(), "item", answersAfter(900*time.Millisecond)); err != nil { // 900 ms for its turn, and 900 ms
			t.Errorf("who had to wait for its turn: %v", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		if h := s.healthNow(); h.Failures != 0 || h.Calls != 2 {
			t.Errorf("health is %+v", h)
		}
	})
}

func TestWhoGetsNoTurnSaysNothingAboutTheSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 1})
		_ = s.gate.enter(t.Context())
		began := time.Now()
		err := s.call(t.Context(), "item", answersAfter(0))
		if tutti.CodeOf(err) != tutti.Unavailable || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if h := s.healthNow(); h.Calls != 0 {
			t.Errorf("health is %+v", h)
		}
	})
}

func TestACallThatWeEndOurselvesDoesNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bare(config.SourceLimits{Timeout: time.Second, Concurrency: 30})
		for range 30 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if err := s.call(ctx, "item", answersAfter(time.Minute)); tutti.CodeOf(err) != tutti.Timeout {
				t.Fatal(err)
			}
			cancel()
		}
		if s.breaker.current() != closed {
			t.Error("it is open")
		}
		for range 30 {
			go func() { _ = s.call(t.Context(), "item", answersAfter(time.Minute)) }()
		}
		time.Sleep(2 * time.Second) // of the bubble
		if s.breaker.current() == closed {
			t.Error("a system that does not answer within its time must open it")
		}
	})
}

func TestWhoLeavesFindsTheAnswerNextTime(t *testing.T) {
	answer := make(chan struct{})
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		<-answer
		items(w, 2, asked(r)...)
	})
	landed := make(chan struct{}, 1)
	take := h.Begin(t.Context(), refs("1", "2"), tutti.Scope{}, func() { landed <- struct{}{} })
	for _, g := range take(nil) {
		if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.Timeout {
			t.Errorf("got %+v", g)
		}
	}
	close(answer)
	for _, g := range h.Get(t.Context(), refs("1", "2"), tutti.Scope{}) {
		if g.Resource == nil {
			t.Errorf("got %v", g.Err)
		}
	}
	if len(landed) != 0 {
		t.Error("who left is told")
	}
	take = h.Begin(t.Context(), refs("1", "2"), tutti.Scope{}, func() { landed <- struct{}{} })
	<-landed
	for i, g := range take(nil) {
		if g.Resource == nil || g.Resource.Ref != refs("1", "2")[i] {
			t.Errorf("got %+v", g)
		}
	}
	if calls := h.calls(); calls != 1 {
		t.Errorf("there were %d calls", calls)
	}
	take = h.Begin(t.Context(), []tutti.Ref{{Source: "none", Kind: "item", ID: "1"}}, tutti.Scope{}, func() { landed <- struct{}{} })
	<-landed
	if g := take(nil); len(g) != 1 || tutti.CodeOf(g[0].Err) != tutti.UnknownSource {
		t.Errorf("got %+v", g)
	}
}
