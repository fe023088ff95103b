package engine

import (
	"context"
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
// read together: at most one call of Sources.Get for each scope and wave. What cannot be had within
// 10 s is unknown, with a Problem. Whose record it is, is checked for each context by itself.
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
			r.get(ctx, e.sources, scope)
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
