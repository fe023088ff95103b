package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tuttihq/tutti"
)

// learnManyBudget is how long finding out the facts of many contexts may take. Nobody looks at a
// screen meanwhile, and there is more to read than for one.
const learnManyBudget = 10 * time.Second

// Learned is what Learn found out for one context.
type Learned struct {
	Facts    tutti.Facts
	Problems []tutti.Problem
}

// LearnMany gives for each context, in their order, what Learn gives for it. The records of all are
// read together, for each scope and wave: a hundred in one call of Sources.Get, and fewer where an
// origin that answers cannot keep up. What cannot be had within 10 s is unknown, with a Problem. Whose record it is, is checked for each context by itself.
func (e *Engine) LearnMany(ctx context.Context, c *Compiled, params tutti.Params, contexts []tutti.Context) []Learned {
	ctx, cancel := context.WithTimeout(ctx, learnManyBudget)
	defer cancel()
	learners, scopes := make([]*learner, len(contexts)), make([]tutti.Scope, len(contexts))
	for i, v := range contexts {
		learners[i], scopes[i] = e.learner(c, params, v), e.scopeOf(v)
	}
	asks, nameless := make([][]*ask, len(contexts)), make([][]*ask, len(contexts))
	for range maxLearnWaves {
		wanted := map[tutti.Scope]*records{}
		for i, l := range learners {
			asks[i], nameless[i] = l.asks()
			for _, k := range asks[i] {
				r := wanted[scopes[i]]
				if r == nil {
					r = &records{}
					wanted[scopes[i]] = r
				}
				r.want(k.ref)
			}
		}
		if len(wanted) == 0 {
			break
		}
		for scope, r := range wanted {
			r.getMany(ctx, e.sources, scope)
		}
		for i, l := range learners {
			for _, k := range asks[i] {
				l.take(ctx, k, wanted[scopes[i]].of(k.ref))
			}
			if len(asks[i]) > 0 {
				l.derive()
			}
		}
	}
	out := make([]Learned, len(learners))
	for i, l := range learners {
		l.end(nameless[i])
		out[i] = Learned{Facts: l.facts, Problems: l.problems}
	}
	return out
}

// bites are how many records are asked for at once, one after the other. A source whose system takes
// one id a call cannot answer a hundred within its time limit: what was too much at once comes in the
// next, smaller bite.
var bites = []int{100, 25, 6}

// getMany is get for more records than a page ever reads. It does not press a source that answers
// nothing at all, and waits a moment for one that asked to.
func (r *records) getMany(ctx context.Context, sources Sources, scope tutti.Scope) {
	r.got = make([]tutti.Got, len(r.refs))
	todo := make([]int, len(r.refs))
	for i := range todo {
		todo[i], r.got[i].Err = i, tutti.Timeout
	}
	for _, bite := range bites {
		var held []int
		for some := range slices.Chunk(todo, bite) {
			if ctx.Err() != nil {
				return
			}
			refs := make([]tutti.Ref, len(some))
			for i, at := range some {
				refs[i] = r.refs[at]
			}
			for i, g := range sources.Get(ctx, refs, scope) {
				r.got[some[i]] = g
				if g.Resource == nil && mayPass(tutti.CodeOf(g.Err)) {
					held = append(held, some[i])
				}
			}
		}
		asked := len(held) > 0 && tutti.CodeOf(r.got[held[0]].Err) == tutti.RateLimited
		if len(held) == 0 || len(held) == len(todo) && !asked {
			return
		}
		if todo = held; asked {
			pause(ctx, time.Second)
		}
	}
}

func mayPass(code tutti.Code) bool {
	return code == tutti.RateLimited || code == tutti.Timeout || code == tutti.Unavailable
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
