package sources

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// allowance is the time that one call has: for its turn at our own gate, and for the system's
// answer. The one is not taken from the other: a system is not slow because we are busy.
type allowance struct{ turn, answer time.Duration }

// call makes one call of the system, and one more when it failed in a way that may pass: both
// within the hard time limit, the second after a short random pause and within the retry budget.
// Everything that a connector does only reads, so making a call twice does no harm.
func (s *Source) call(ctx context.Context, kind string, do func(context.Context) (until time.Time, err error)) error {
	return s.callFor(ctx, kind, allowance{turn: s.cfg.Limits.Timeout, answer: s.cfg.Limits.Timeout}, do)
}

// callFor is call with another time limit.
func (s *Source) callFor(ctx context.Context, kind string, left allowance, do func(context.Context) (until time.Time, err error)) error {
	made, err := s.try(ctx, kind, &left, do)
	if !made || !mayPass(err) || !s.breaker.retry() {
		return err
	}
	wait := time.Duration(20+rand.IntN(80)) * time.Millisecond
	if left.answer <= wait || pause(ctx, wait) != nil {
		return err
	}
	left.answer -= wait
	_, err = s.try(ctx, kind, &left, do)
	return err
}

// try makes exactly one call, if gate and breaker allow it, and tells everybody how it went.
func (s *Source) try(ctx context.Context, kind string, left *allowance, do func(context.Context) (time.Time, error)) (made bool, err error) {
	if err := s.turn(ctx, left); err != nil {
		s.meter.outcome(s.name, "held")
		return false, err
	}
	defer s.gate.leave()
	turn, ok := s.breaker.allow()
	if !ok {
		s.meter.outcome(s.name, "broken")
		return false, tutti.Errorf(tutti.Unavailable, "calling %s: it failed so often that it is left alone for now", s.name)
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, left.answer)
	until, err := s.guarded(limited, do)
	err = tidy(limited, err)
	cancel()
	took := time.Since(began)
	left.answer -= took

	v := judge(err)
	if err != nil && ctx.Err() != nil {
		v = nothing // our own time was over, not the system's
	}
	if s.breaker.done(turn, v) {
		s.log.Warn("breaker changed", "source", s.name, "state", s.breaker.current().String())
	}
	var refused *Refused
	if errors.As(err, &refused) && (refused.Limit || !refused.Until.IsZero()) {
		s.gate.shut(refused.Until, refused.Long)
	} else if !until.IsZero() {
		s.gate.close(until)
	}
	if v != nothing {
		s.health.note(err, took)
	}
	s.meter.call(s.name, outcome(err), took)
	if err != nil {
		s.log.Warn("calling a source", "source", s.name, "kind", kind, "code", tutti.CodeOf(err), "ms", took.Milliseconds(), "err", err)
	}
	return true, err
}

// turn waits at the gate, and notes how much of the time for that is left.
func (s *Source) turn(ctx context.Context, left *allowance) error {
	if entered, err := s.gate.enterNow(ctx); entered || err != nil {
		return err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, left.turn)
	defer cancel()
	err := s.gate.enter(ctx)
	left.turn -= time.Since(began)
	return err
}

// guarded turns a panic of a connector into an error: it must not end the process.
func (s *Source) guarded(ctx context.Context, do func(context.Context) (time.Time, error)) (until time.Time, err error) {
	defer func() {
		if recover() != nil { // the value may hold content
			err = tutti.Errorf(tutti.Internal, "calling %s: the connector panicked", s.name)
		}
	}()
	return do(ctx)
}

// tidy gives every error a code: what ended because its time was over is a Timeout.
func tidy(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return tutti.Errorf(tutti.Unavailable, "calling the system: nobody waits any more: %w", context.Canceled)
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && tutti.CodeOf(err) != tutti.Timeout, errors.Is(err, context.DeadlineExceeded):
		return tutti.Errorf(tutti.Timeout, "calling the system: it did not answer in time")
	}
	return err
}

// judge says what an outcome means to the breaker. 4xx and answers that cannot be read come from
// a system that is up; what we did not even send says nothing.
func judge(err error) verdict {
	var refused *Refused
	var held *notAsked
	switch {
	case err == nil:
		return good
	case errors.As(err, &held), errors.Is(err, context.Canceled), errors.Is(err, fetch.ErrRefused), errors.Is(err, tutti.Internal):
		return nothing
	case errors.As(err, &refused):
		if refused.Status >= 500 && !refused.Limit {
			return bad
		}
		return good
	case errors.Is(err, tutti.Timeout), errors.Is(err, tutti.TooLarge), errors.Is(err, tutti.Unavailable):
		return bad
	}
	return good
}

// mayPass reports whether the same call may succeed when it is made again at once.
func mayPass(err error) bool {
	return err != nil && judge(err) == bad && !errors.Is(err, tutti.Timeout) && !errors.Is(err, tutti.TooLarge)
}

// outcome is the metrics' word for how a call ended.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	switch tutti.CodeOf(err) {
	case tutti.Timeout:
		return "timeout"
	case tutti.RateLimited:
		return "rate_limited"
	case tutti.TooLarge:
		return "too_large"
	case tutti.BadAnswer:
		return "bad_answer"
	case tutti.Unavailable:
		return "unavailable"
	}
	return "error"
}

func (b breakerState) String() string { return [...]string{"closed", "half-open", "open"}[b] }

func statusText(status int) string {
	if t := http.StatusText(status); t != "" {
		return strconv.Itoa(status) + " " + t
	}
	return strconv.Itoa(status)
}
