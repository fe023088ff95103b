package engine

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/tuttihq/tutti"
)

// TestAnIndexOfRefsIsAMap: with ids that several kinds have, and after it was emptied.
func TestAnIndexOfRefsIsAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var x refIndex
		for range 3 {
			model := map[tutti.Ref]*entry{}
			for range rapid.IntRange(0, 500).Draw(rt, "steps") {
				ref := tutti.Ref{
					Source: rapid.SampledFrom([]string{"shop", "stay"}).Draw(rt, "source"), Kind: rapid.SampledFrom([]string{"item", "room"}).Draw(rt, "kind"),
					ID: strconv.Itoa(rapid.IntRange(0, 200).Draw(rt, "id")),
				}
				got := x.find(&ref)
				if got != model[ref] {
					rt.Fatalf("%v is %v, and should be %v", ref, got, model[ref])
				}
				if got == nil {
					e := &entry{ref: ref}
					x.add(e)
					model[ref] = e
				}
			}
			x.end()
		}
	})
}
