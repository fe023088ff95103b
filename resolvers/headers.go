package resolvers

import (
	"context"
	"slices"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// said is what headers are told of one experience.
type said struct {
	c         *engine.Compiled
	facts     tutti.Facts
	freshness tutti.Freshness
	basis     tutti.Basis // of what was assembled; of a kept answer, as it was then
	until     time.Time   // of the plan
	personal  bool
	lacking   bool // something could not be found out
}

// say tells what an experience is, where headers are made of it.
func (r *Resolvers) say(ctx context.Context, s said) {
	if !graph.WantsDelivery(ctx) {
		return
	}
	s.basis.Join(s.facts.Basis)
	d := graph.Delivery{
		Shared: !s.personal, Personal: s.personal, FreshUntil: r.freshUntil(s.basis), ValidUntil: s.until,
		AsOf: s.freshness.AsOf, State: s.freshness.State, Hit: !s.basis.Called,
	}
	if s.lacking {
		d.FreshUntil = time.Time{}
	}
	if !s.personal {
		d.Marks = append(slices.Clone(s.basis.Marks), graph.CompositionMark(s.c.ID))
	}
	graph.Deliver(ctx, d)
}

// lasting stands for what no origin can change.
const lasting = 24 * time.Hour

// freshUntil is when the first of what something was made of stops being fresh; zero when some of
// it is not.
func (r *Resolvers) freshUntil(b tutti.Basis) time.Time {
	switch {
	case b.Stale, r.doubts():
		return time.Time{}
	case b.Until.IsZero():
		return r.Now().Add(lasting)
	}
	return b.Until
}

// sayAsked tells of items that were asked for by themselves: how long they stay fresh is not
// said, so that whoever keeps them asks again each time.
func sayAsked(ctx context.Context, private []string) {
	graph.Deliver(ctx, graph.Delivery{Shared: len(private) == 0, Personal: len(private) > 0, State: tutti.Fresh})
}

// naming reports whether personal text stands in an answer. Holes that nobody filled are the same
// for everybody.
func naming(fills tutti.Fills) bool {
	for _, words := range fills {
		if words != "" {
			return true
		}
	}
	return false
}
