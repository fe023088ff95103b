package engine

import "time"

// Budgets say how long one page waits, and for whom. Zero means the default.
type Budgets struct {
	Page  time.Duration // for everything; 1.5 s
	Wave  time.Duration // then what is there goes on without those who are late; 400 ms
	Learn time.Duration // for finding out facts; what is not there by then is unknown; 300 ms
	// Source is what one page waits for one source in all. A source that is not there has two
	// thirds of Page, which leaves time for what stands in for it.
	Source map[string]time.Duration
}

func (b Budgets) withDefaults() Budgets {
	fill := func(d *time.Duration, with time.Duration) {
		if *d <= 0 {
			*d = with
		}
	}
	fill(&b.Page, 1500*time.Millisecond)
	fill(&b.Wave, 400*time.Millisecond)
	fill(&b.Learn, 300*time.Millisecond)
	return b
}

// account is what a page has left of a source's budget. Calls at the same time cost their time once.
type account struct {
	source string
	next   *account // of the same page
	left   time.Duration
	since  time.Time // when the first of those under way began
	open   int
}

// of is what one page waits for a source in all.
func (b *Budgets) of(source string) time.Duration {
	if left := b.Source[source]; left > 0 {
		return left
	}
	return b.Page * 2 / 3
}

// begin notes a call, and tells until when to wait for it.
func (a *account) begin(now time.Time) time.Time {
	if a.open++; a.open == 1 {
		a.since = now
	}
	return a.since.Add(a.left)
}

func (a *account) end(now time.Time) {
	if a.open--; a.open == 0 {
		a.left -= now.Sub(a.since)
	}
}
