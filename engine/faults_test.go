package engine_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

// TestWhateverIsMissingTheRestComes tries pages whose items and sources are there or not at
// random: what is there comes, what is not is told exactly once in its place, and no source is
// called twice for a kind.
func TestWhateverIsMissingTheRestComes(t *testing.T) {
	kinds := []string{"dam:asset", "catalog:product", "social:post", "support:article"}
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t)
		down := map[string]tutti.Code{}
		for _, source := range []string{"dam", "catalog", "social", "support"} {
			if code := rapid.SampledFrom([]tutti.Code{"", "", "", tutti.Unavailable, tutti.Timeout, tutti.BadAnswer}).Draw(rt, source); code != "" {
				down[source] = code
				h.Break(source, enginetest.Fault{Code: code})
			}
		}
		there := map[tutti.Ref]bool{}
		var parts []part
		var refs []tutti.Ref
		for i := range rapid.IntRange(0, 30).Draw(rt, "components") {
			r := ref(fmt.Sprintf("%s/%d", rapid.SampledFrom(kinds).Draw(rt, "kind"), rapid.IntRange(0, 9).Draw(rt, "id")))
			if _, known := there[r]; !known {
				there[r] = rapid.Bool().Draw(rt, "there")
				if there[r] {
					h.put(r.String(), nil)
				}
			}
			refs = append(refs, r)
			parts = append(parts, part{id: fmt.Sprint("c", i), props: map[string][]tutti.Value{"offer": one(tutti.Value{Kind: tutti.RefValue, Refs: []tutti.Ref{r}}), "headline": one(literal("x"))}})
		}
		x := h.assemble(plan("web", parts...), engine.Everything())
		if len(x.Components) != len(parts) {
			rt.Fatalf("%d components of %d", len(x.Components), len(parts))
		}
		told := map[string]tutti.Problem{}
		for _, p := range x.Problems {
			if _, twice := told[p.Path]; twice {
				rt.Fatalf("told twice: %+v", p)
			}
			told[p.Path] = p
		}
		missing := 0
		for i, c := range x.Components {
			code, isDown := down[refs[i].Source]
			if !isDown && !there[refs[i]] {
				code = tutti.NotFound
			}
			_, came := c.Props["offer"]
			p := told[fmt.Sprintf("slots.main[%d].props.offer", i)]
			if came != (code == "") || p.Code != code || c.Props["headline"] != "x" {
				rt.Fatalf("%s: came %v, problem %+v, want %q", refs[i], came, p, code)
			}
			if code != "" {
				missing++
			}
		}
		if missing != len(x.Problems) {
			rt.Fatalf("%d missing, %d told", missing, len(x.Problems))
		}
		if calls := h.Calls(); len(calls) > len(kinds) {
			rt.Fatalf("%d calls", len(calls))
		}
	})
}
