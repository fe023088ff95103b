package sources

import (
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// Health is how a source has been doing for the last minute.
type Health struct {
	Source        string
	State         HealthState
	Calls         int
	Failures      int
	MedianLatency time.Duration // 0 without calls
	LastError     tutti.Code    // "" when there was none since the start
	LastSuccess   time.Time     // zero when there was none since the start
	LastPoll      time.Time     // when it was last asked what changed, of the kind where that is longest ago; zero = it never was
}

// HealthState is the closed list of how a source can be.
type HealthState string

const (
	Up       HealthState = "UP"       // it answers
	Degraded HealthState = "DEGRADED" // some calls fail, it asks to wait, or what changed there is not known
	Down     HealthState = "DOWN"     // the breaker is open
	Idle     HealthState = "IDLE"     // not called yet
)

// Health tells how every source has been doing, in the order of the config.
func (s *Sources) Health() []Health {
	all := make([]Health, len(s.order))
	for i, src := range s.order {
		all[i] = src.healthNow()
	}
	return all
}

func (s *Source) healthNow() Health {
	h := s.health.now60()
	h.Source = s.name
	late := false
	for _, f := range s.polled {
		last, isLate := f.lastPoll()
		if late = late || isLate; h.LastPoll.IsZero() || last.Before(h.LastPoll) {
			h.LastPoll = last
		}
	}
	switch {
	case s.breaker.current() != closed:
		h.State = Down
	case s.gate.closed() || h.Failures > 0 || late:
		h.State = Degraded
	case h.LastSuccess.IsZero() && h.LastError == "":
		h.State = Idle
	case h.Calls == 0 && h.LastSuccess.IsZero():
		h.State = Degraded // all that is known is that it failed
	default:
		h.State = Up
	}
	return h
}

// health keeps the calls of the last minute.
type health struct {
	now func() time.Time

	mu          sync.Mutex // guards all below
	calls       [256]healthCall
	next        int
	seconds     [60]healthSecond
	lastError   tutti.Code
	lastSuccess time.Time
}

type healthCall struct {
	at   time.Time
	took time.Duration
}

type healthSecond struct {
	second          int64
	calls, failures int
}

func (h *health) note(err error, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.now()
	s := &h.seconds[at.Unix()%60]
	if s.second != at.Unix() {
		*s = healthSecond{second: at.Unix()}
	}
	s.calls++
	if err != nil {
		s.failures++
		h.lastError = tutti.CodeOf(err)
	} else {
		h.lastSuccess = at
	}
	h.calls[h.next%len(h.calls)] = healthCall{at, took}
	h.next++
}

// now60 sums the last minute up. The median is of its last 256 calls.
func (h *health) now60() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.now()
	sum := Health{LastError: h.lastError, LastSuccess: h.lastSuccess}
	for _, s := range h.seconds {
		if s.second > at.Unix()-60 && s.second <= at.Unix() {
			sum.Calls += s.calls
			sum.Failures += s.failures
		}
	}
	var took []time.Duration
	for _, c := range h.calls[:min(h.next, len(h.calls))] {
		if at.Sub(c.at) < time.Minute {
			took = append(took, c.took)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		sum.MedianLatency = took[len(took)/2]
	}
	return sum
}
