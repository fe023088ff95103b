package demo

import (
	"sync"
	"time"
)

// limiter counts calls in windows, for the headers in which vendors tell how many are left. It
// refuses nothing: a fault of kind rate-limited does.
type limiter struct {
	limit  int
	window time.Duration
	now    func() time.Time

	mu   sync.Mutex
	used int
	ends time.Time
}

func newLimiter(limit int, window time.Duration, now func() time.Time) *limiter {
	return &limiter{limit: limit, window: window, now: now}
}

// take counts a call and gives how many are left in this window, and when it ends.
func (l *limiter) take() (left int, reset time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); !now.Before(l.ends) {
		l.used, l.ends = 0, now.Truncate(l.window).Add(l.window)
	}
	l.used++
	return max(1, l.limit-l.used), l.ends
}
