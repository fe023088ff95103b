package resolvers

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

const (
	decidedAtOnce   = 500 // contexts whose facts are learned together
	assembledAtOnce = 4   // groups: most of the time goes into waiting for origins
	mostAgain       = 50  // how often groups of one request are assembled again because an origin did not answer
)

// Plans decides for many and delivers once for each plan: see graph.Planner. Groups that a visitor
// alone may see are delivered before the next contexts are looked at, and forgotten.
func (r *Resolvers) Plans(ctx context.Context, ask graph.PlansAsk, emit func(graph.Object) error) error {
	p, err := r.planning(ctx, ask, emit)
	if err != nil {
		return err
	}
	if err := p.tell(false); err != nil {
		return err
	}
	some := make([]graph.PlanAsker, 0, decidedAtOnce)
	for asker := range ask.Members {
		if some = append(some, asker); len(some) < decidedAtOnce {
			continue
		}
		if err := p.decide(ctx, some); err != nil {
			return err
		}
		some = some[:0]
	}
	if err := p.decide(ctx, some); err != nil {
		return err
	}
	if err := p.deliver(ctx, p.groups); err != nil {
		return err
	}
	return p.tell(true)
}

// planning is the state of making plans for many. One goroutine uses it.
type planning struct {
	r      *Resolvers
	ask    graph.PlansAsk
	emit   func(graph.Object) error
	at     time.Time // the moment that counts for all
	c      *engine.Compiled
	params tutti.Params
	draws  tutti.Supports // what the app of all can draw
	need   engine.Need

	groups    []*planGroup          // of everybody, in the order of their first members
	bySign    map[string]*planGroup // by what was decided
	byPlan    map[string]*planGroup // by the plan that came of it: what was decided otherwise may have made no difference
	sign      []byte                // reused
	decided   int
	refused   int
	made      int // groups, those of one visitor included
	delivered int
	again     atomic.Int32 // how often a group was assembled again
}

type planGroup struct {
	key     string
	plan    tutti.Plan
	holds   *tutti.Holds // of all members; nil where nobody asks
	private bool
	members []planMember
}

type planMember struct {
	index    int
	id       string
	fills    tutti.Fills
	problems []tutti.Problem
}

// planning checks what is asked for all; what is wrong with it is an error of the whole.
func (r *Resolvers) planning(ctx context.Context, ask graph.PlansAsk, emit func(graph.Object) error) (*planning, error) {
	if _, err := r.Engine.ResolveChannel(ask.Channel); err != nil {
		return nil, err
	}
	if _, _, err := r.Engine.ResolveLocale(valueOf(ask.Locale)); err != nil {
		return nil, err
	}
	p := &planning{r: r, ask: ask, emit: emit, at: r.Now(), need: needOf(graph.SelectionOf(ctx), "experience"), bySign: map[string]*planGroup{}, byPlan: map[string]*planGroup{}}
	var err error
	if p.draws, err = tutti.ParseSupports(ask.Supports); err != nil {
		return nil, err
	}
	if p.c, err = r.Library.Composition(ask.Composition, p.at); err != nil {
		return nil, err
	}
	p.params, err = checkParams(p.c, ask.Params)
	return p, err
}

// decide takes all decisions for some contexts, and delivers what one visitor alone may see.
func (p *planning) decide(ctx context.Context, some []graph.PlanAsker) error {
	askers, requests, contexts := make([]graph.PlanAsker, 0, len(some)), make([]*request, 0, len(some)), make([]tutti.Context, 0, len(some))
	for _, a := range some {
		req, err := p.request(ctx, a)
		if err != nil {
			p.decided, p.refused = p.decided+1, p.refused+1
			if err := p.emit(refusalObject(a, err)); err != nil {
				return err
			}
			continue
		}
		askers, requests, contexts = append(askers, a), append(requests, req), append(contexts, req.Context)
	}
	learned := p.r.Engine.LearnMany(ctx, p.c, p.params, contexts)
	var alone []*planGroup
	for i, l := range learned {
		g := p.group(contexts[i], l.Facts)
		if g.private {
			alone = append(alone, g)
		}
		g.members = append(g.members, planMember{
			index: askers[i].Index, id: askers[i].ID, fills: p.c.FillsOf(&g.plan, l.Facts), problems: append(requests[i].problems, l.Problems...),
		})
	}
	p.decided += len(askers)
	if err := ctx.Err(); err != nil {
		return tutti.Errorf(tutti.Timeout, "deciding for many: %w", err)
	}
	if err := p.deliver(ctx, alone); err != nil {
		return err
	}
	return p.tell(false)
}

// request checks one context.
func (p *planning) request(ctx context.Context, a graph.PlanAsker) (*request, error) {
	if a.Err != nil {
		return nil, a.Err
	}
	locale := a.Locale
	if locale == nil {
		locale = p.ask.Locale
	}
	req, err := p.r.request(ctx, &p.ask.Channel, locale, a.Context, nil)
	if err == nil {
		req.At, req.Supports = p.at, p.draws
	}
	return req, err
}

// group finds the group of one context, or makes it. One that is private is in no list.
func (p *planning) group(v tutti.Context, f tutti.Facts) *planGroup {
	g := p.grouped(v, f)
	if h := holds(p.need, p.c, g.plan.Until, p.params, v, f); h != nil {
		if g.holds != nil {
			*h = h.Join(*g.holds)
		}
		g.holds = h
	}
	return g
}

func (p *planning) grouped(v tutti.Context, f tutti.Facts) *planGroup {
	sign, shared := p.c.Sign(p.sign[:0], p.params, v, f)
	p.sign = sign.Key
	if g := p.bySign[string(sign.Key)]; shared && g != nil {
		g.until(sign.Until)
		return g
	}
	plan, _ := p.c.Decide(p.params, v, f)
	g := &planGroup{key: p.r.Engine.PlanKey(&plan), plan: plan, private: !shared}
	if g.private {
		p.made++
		return g
	}
	if known := p.byPlan[g.key]; known != nil {
		known.until(plan.Until)
		g = known
	} else {
		p.made++
		p.byPlan[g.key] = g
		p.groups = append(p.groups, g)
	}
	p.bySign[string(sign.Key)] = g
	return g
}

// until brings the group's next change forward.
func (g *planGroup) until(t time.Time) {
	if !t.IsZero() && (g.plan.Until.IsZero() || t.Before(g.plan.Until)) {
		g.plan.Until = t
	}
}

// deliver assembles each group once, a few at the same time, and tells of them in their order.
func (p *planning) deliver(ctx context.Context, groups []*planGroup) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type made struct {
		m   *engine.Marked
		err error
	}
	coming := make(chan chan made, assembledAtOnce-1)
	go func() {
		defer close(coming)
		for _, g := range groups {
			one := make(chan made, 1)
			select {
			case coming <- one:
			case <-ctx.Done():
				return
			}
			go func() {
				m, err := p.assemble(ctx, g)
				one <- made{m, err}
			}()
		}
	}()
	var failed error
	for i := 0; ; i++ { // to the end, so that nobody goes on after this
		one, more := <-coming
		if !more {
			break
		}
		m := <-one
		if failed != nil {
			continue
		}
		if failed = m.err; failed == nil {
			failed = p.emit(p.groupObject(groups[i], m.m))
			p.delivered++
		}
		groups[i].members = nil
		if failed != nil {
			cancel()
		}
	}
	return failed
}

// assemble makes what a group gets. Many get it, and nobody waits at a screen: where an origin did
// not answer, it is tried again, twice at most. A panic becomes an error: it must not end the process.
func (p *planning) assemble(ctx context.Context, g *planGroup) (m *engine.Marked, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = tutti.Errorf(tutti.Internal, "assembling %s in bulk: %v", g.plan.Composition, v)
		}
	}()
	x, err := p.r.Engine.Assemble(ctx, g.plan, p.need)
	for try := 1; try <= 2 && err == nil && mayPass(x.Problems) && p.again.Add(1) <= mostAgain; try++ {
		select {
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		case <-ctx.Done():
		}
		x, err = p.r.Engine.Assemble(ctx, g.plan, p.need)
	}
	if err != nil {
		return nil, err
	}
	return p.r.Engine.Mark(x), nil
}

// mayPass reports whether something is missing that may be there in a moment.
func mayPass(problems []tutti.Problem) bool {
	return slices.ContainsFunc(problems, func(p tutti.Problem) bool {
		return !p.Stale && (p.Code == tutti.Timeout || p.Code == tutti.Unavailable || p.Code == tutti.RateLimited)
	})
}

// tell says how far it is.
func (p *planning) tell(done bool) error {
	return p.emit(fields{"PlansProgress", map[string]any{
		"composition": p.c.ID, "version": p.c.Version, "total": p.ask.Total, "decided": p.decided, "refused": p.refused,
		"groups": p.made, "delivered": p.delivered, "done": done,
	}})
}

func (p *planning) groupObject(g *planGroup, m *engine.Marked) graph.Object {
	members := make([]graph.Object, len(g.members))
	for i, one := range g.members {
		members[i] = fields{"PlanMember", map[string]any{"index": one.index, "id": orNull(one.id), "fills": m.Words(one.fills), "problems": problemObjects(one.problems)}}
	}
	holes := make([]graph.Object, len(m.Holes))
	for i, h := range m.Holes {
		holes[i] = fields{"Hole", map[string]any{"token": h.Token, "name": h.Name, "form": string(h.Form)}}
	}
	x := &experienceObject{x: m.Experience, channel: g.plan.Channel, locale: g.plan.Locale, until: g.plan.Until, holds: g.holds, props: p.r.props}
	return fields{"PlanGroup", map[string]any{"key": g.key, "private": g.private, "members": members, "holes": holes, "experience": x}}
}

func refusalObject(a graph.PlanAsker, err error) graph.Object {
	told := graph.PublicErrors(err)
	errs := make([]graph.Object, len(told))
	for i, e := range told {
		errs[i] = fields{"PlanError", map[string]any{"code": string(e.Code), "message": e.Message, "field": orNull(e.Field), "hint": orNull(e.Hint)}}
	}
	return fields{"PlanRefusal", map[string]any{"index": a.Index, "id": orNull(a.ID), "errors": errs}}
}
