package sources

import (
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

// doubts are what stands between a kept thing and whoever asks for it, beside its age: what an
// operator withdrew, and that this process may have missed what others were told.
type doubts struct {
	now        func() time.Time
	stale      func() bool              // nothing may be called fresh; nil = never
	suppressed atomic.Pointer[withheld] // nil = nothing is
}

func newDoubts(now func() time.Time, stale func() bool) *doubts {
	return &doubts{now: now, stale: stale}
}

// withheld gives what nobody gets now.
func (d *doubts) withheld() (w withheld, now time.Time) {
	if p := d.suppressed.Load(); p != nil {
		return *p, d.now()
	}
	return nil, now
}

// items takes out what was suppressed meanwhile, and calls the rest no fresher than it may be.
func (d *doubts) items(got []tutti.Got) {
	if w, now := d.withheld(); w != nil {
		for i, g := range got {
			if g.Resource != nil && w.has(g.Resource.Ref, now) {
				got[i] = suppressed(g.Resource.Ref)
			}
		}
	}
	if d.stale == nil || !d.stale() {
		return
	}
	for i := range got {
		got[i].Freshness, got[i].Until = doubted(got[i].Freshness), time.Time{}
	}
}

// page leaves out what is suppressed, also of the total, and calls the rest no fresher than it may
// be. What is suppressed on other pages stays in the total: nobody here knows that it matches.
func (d *doubts) page(p tutti.Page) tutti.Page {
	d.items(p.Items)
	kept := p.Items[:0]
	for _, g := range p.Items {
		if g.Resource != nil {
			kept = append(kept, g)
		}
	}
	p.Items, p.Total = kept, less(p.Total, len(p.Items)-len(kept))
	if d.stale != nil && d.stale() {
		p.Freshness, p.Until = doubted(p.Freshness), time.Time{}
	}
	return p
}

// less is a total without items that it counts and nobody gets.
func less(total *int, n int) *int {
	if total == nil || n == 0 {
		return total
	}
	return new(max(*total-n, 0))
}

// doubted is a state of what may be older than a change that was acknowledged elsewhere.
func doubted(f tutti.Freshness) tutti.Freshness {
	if f.State == tutti.Fresh || f.State == tutti.StaleRevalidating {
		f.State = tutti.StaleError
	}
	return f
}
