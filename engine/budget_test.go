package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

// budgeted is a house whose pages wait as long as these budgets say.
func budgeted(t *testing.T, b engine.Budgets) *house {
	return newHouse(t, func(c *engine.Config) { c.Budgets = b })
}

func (h *house) timed(p tutti.Plan) (*tutti.Experience, time.Duration) {
	h.t.Helper()
	began := time.Now()
	x := h.assemble(p, engine.Everything())
	return x, time.Since(began)
}

func TestASlotLeavesASourceThatIsOverItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := budgeted(t, engine.Budgets{Source: map[string]time.Duration{"social": 200 * time.Millisecond}})
		h.put("social:post/x", nil)
		h.put("catalog:product/p", nil)
		h.Break("social", enginetest.Fault{Delay: 900 * time.Millisecond})
		h.Break("catalog", enginetest.Fault{Delay: 700 * time.Millisecond}) // slow, but it may
		x, took := h.timed(plan("web",
			part{id: "slow", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"))}},
			part{id: "hidden", required: "offer", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"))}},
			part{id: "stood-in", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"), toRef("catalog:product/p"))}},
		))
		if took != 900*time.Millisecond {
			t.Errorf("took %v, want 200 ms and then 700 ms", took)
		}
		if got := fmt.Sprint(x.Components[0].Assembled, x.Components[1].Assembled); got != "[MISSING OVER_BUDGET] [FRESH FALLBACK OVER_BUDGET]" {
			t.Errorf("the reasons are %s", got)
		}
		if len(x.Hidden) != 1 || fmt.Sprint(x.Hidden[0].Reasons) != "[HIDDEN MISSING OVER_BUDGET]" {
			t.Errorf("hidden is %+v", x.Hidden)
		}
		for _, p := range x.Problems {
			if p.Code != tutti.Timeout {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestTheBudgetOfASourceIsForAllWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := budgeted(t, engine.Budgets{})
		h.put("catalog:product/1", map[string]any{"title": "1", "image": ref("catalog:product/2")})
		h.put("catalog:product/2", map[string]any{"title": "2"})
		h.put("dam:asset/a", nil)
		h.Break("catalog", enginetest.Fault{Delay: 600 * time.Millisecond})
		x, took := h.timed(plan("web", part{id: "c", props: map[string][]tutti.Value{
			"offer": one(toRef("catalog:product/1")), "headline": one(bound("offer.image.title"), literal("none")), "image": one(toRef("dam:asset/a")),
		}}))
		if c := x.Components[0]; took != time.Second || c.Props["offer"] == nil || c.Props["image"] == nil || c.Props["headline"] != "none" {
			t.Errorf("after %v: %v", took, c.Props)
		}
	})
}

func TestAfterThePagesTimeComesWhatIsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := budgeted(t, engine.Budgets{Page: 500 * time.Millisecond, Source: map[string]time.Duration{"social": time.Second}})
		h.Keep = true
		h.put("social:post/x", nil)
		h.put("dam:asset/known", nil)
		h.put("dam:asset/unknown", nil)
		h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("dam:asset/known"))}}), engine.Everything())
		h.Calls()
		h.Break("social", enginetest.Fault{Delay: time.Minute})
		x, took := h.timed(plan("web",
			part{id: "known", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"), toRef("dam:asset/known"))}},
			part{id: "unknown", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"), toRef("dam:asset/unknown"))}},
		))
		if took != 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if x.Components[0].Props["offer"] == nil || x.Components[1].Props["offer"] != nil {
			t.Errorf("the offers are %v and %v", x.Components[0].Props["offer"], x.Components[1].Props["offer"])
		}
		h.wantCalls("social:post x")
	})
}
