package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
)

// reopen takes the demo's config again with cold caches; healthy sources get all the time that a
// busy machine may need, the named ones give up soon.
func (p *played) reopen(change func(*config.Source), hurried ...string) {
	p.t.Helper()
	p.reconfigure(func(cfg *config.Config) {
		cfg.Sources = slices.Clone(cfg.Sources)
		for i := range cfg.Sources {
			s := &cfg.Sources[i]
			s.Limits.Timeout = 30 * time.Second
			if slices.Contains(hurried, s.Name) {
				s.Limits.Timeout = 50 * time.Millisecond
			}
			s.Limits.SoftTimeout = s.Limits.Timeout
			if change != nil {
				change(s)
			}
		}
	})
}

// broken says, for a fault, which code its problems have.
var broken = map[string]tutti.Code{
	"error": tutti.Unavailable, "slow": tutti.Timeout, "garbage": tutti.BadAnswer, "wrong-type": tutti.BadAnswer, "oversize": tutti.TooLarge,
	"rate-limited": tutti.RateLimited, "reset": tutti.Unavailable, "black-hole": tutti.Timeout, "gone": tutti.NotFound,
}

// TestAFaultCostsItsPartOfThePage lets each origin fail in each way while nothing is remembered.
func TestAFaultCostsItsPartOfThePage(t *testing.T) {
	for source, lost := range map[string]struct {
		components []string // left out
		problem    string   // where it is told
		gone       tutti.Code
	}{
		"dam":     {nil, "slots.top[0].props.image", tutti.NotFound},
		"catalog": {[]string{"offers"}, "slots.main[1].props.items", tutti.BadAnswer}, // GraphQL knows no 410
		"social":  {[]string{"nearby"}, "slots.main[3].props.items", ""},
		"support": {[]string{"request"}, "slots.main[2].props.items", ""},
		"stay":    {[]string{"check-in", "offers", "request", "nearby"}, "params.hotel", tutti.NotFound},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			p := play(t)
			whole := p.settled(ana("mobile", "en"))
			for kind, code := range broken {
				if kind == "gone" {
					code = lost.gone
				}
				var late []string
				if code == tutti.Timeout {
					late = []string{source}
				}
				p.reopen(nil, late...)
				if err := p.origins.Fault(source, demo.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
				x := p.settled(ana("mobile", "en"), late...)
				for _, c := range whole.Components {
					if is := x.has(c.Component) != nil; is == slices.Contains(lost.components, c.Component) {
						t.Errorf("%s: component %s is there: %v", kind, c.Component, is)
					}
				}
				if hero := x.component(t, "welcome"); source == "stay" && hero.Props["headline"] != "Welcome" || source == "dam" && hero.ImageRef != nil {
					t.Errorf("%s: the hero is %+v", kind, hero)
				}
				if x.Freshness.State != "MISSING" && code != "" {
					t.Errorf("%s: the page is %s", kind, x.Freshness.State)
				}
				if i := slices.IndexFunc(x.Problems, func(f problem) bool { return f.Path == lost.problem }); (i >= 0) != (code != "") || i >= 0 && (x.Problems[i].Code != code || x.Problems[i].Stale) {
					t.Errorf("%s: the problems are %+v", kind, x.Problems)
				}
				for _, f := range x.Problems {
					if strings.Contains(f.Message, "127.0.0.1") || strings.Contains(f.Message, "http") {
						t.Errorf("%s: tells too much: %s", kind, f.Message)
					}
				}
			}
			p.origins.ClearFaults()
			p.reopen(nil)
			if x := p.settled(ana("mobile", "en")); len(x.Components) != len(whole.Components) || x.Freshness.State != "FRESH" || len(x.Problems) > 0 {
				t.Errorf("healed, the page is %s with %d components: %+v", x.Freshness.State, len(x.Components), x.Problems)
			}
		})
	}
}

// settled asks the README's query again while a source that is well is late: this machine may be
// busy, and what came too late is remembered for the next time.
func (p *played) settled(vars map[string]any, hurried ...string) page {
	p.t.Helper()
	for range 50 {
		x := p.arrive(vars)
		if !slices.ContainsFunc(x.Problems, func(f problem) bool {
			return f.Code == tutti.Timeout && strings.HasPrefix(f.Message, "The source ") && !slices.Contains(hurried, strings.Fields(f.Message)[2])
		}) {
			return x
		}
	}
	p.t.Fatal("the page does not come whole")
	return page{}
}
