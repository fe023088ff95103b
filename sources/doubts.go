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
	verdicts   atomic.Pointer[verdicts] // nil = nobody told yet
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

// judged gives the verdicts in force; nil before the first were told.
func (d *doubts) judged() verdicts {
	if p := d.verdicts.Load(); p != nil {
		return *p
	}
	return nil
}

// items takes out what is kept back or was suppressed meanwhile, and calls the rest no fresher than
// it may be.
func (d *doubts) items(k *kind, scope tutti.Scope, got []tutti.Got) {
	d.suppress(got)
	d.hold(k, scope, got)
	if d.stale == nil || !d.stale() {
		return
	}
	for i := range got {
		got[i].Freshness, got[i].Until = doubted(got[i].Freshness), time.Time{}
	}
}

// hold takes out what its kind keeps back. What stands by the clock counts no longer than that.
func (d *doubts) hold(k *kind, scope tutti.Scope, got []tutti.Got) {
	if k.hold == nil {
		return
	}
	judged, now := d.judged(), d.now()
	for i := range got {
		g := &got[i]
		if g.Resource == nil {
			continue
		}
		next, why := k.hold.of(g.Resource, scope.Market, judged, now)
		if !next.IsZero() && next.Before(g.Until) {
			g.Until = next
		}
		if why != nil {
			g.Resource, g.Err, g.Freshness.State = nil, why, tutti.Missing
		}
	}
}

func (d *doubts) suppress(got []tutti.Got) {
	if w, now := d.withheld(); w != nil {
		for i, g := range got {
			if g.Resource != nil && w.has(g.Resource.Ref, now) {
				got[i] = suppressed(g.Resource.Ref)
			}
		}
	}
}

// page leaves out what is kept back or suppressed, also of the total, and calls the rest no fresher than it may
// be. What is suppressed on other pages stays in the total: nobody here knows that it matches.
func (d *doubts) page(k *kind, scope tutti.Scope, p tutti.Page) tutti.Page {
	d.items(k, scope, p.Items)
	kept := p.Items[:0]
	for _, g := range p.Items {
		if k.hold != nil && g.Until.Before(p.Until) {
			p.Until = g.Until // with it the list changes
		}
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
