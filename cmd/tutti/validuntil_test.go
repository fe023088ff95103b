package main

import (
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestValidUntilIsOfTheRequest: two visitors see the same page, but time will change it for one of
// them only. Neither is told the other's instant, also where the answer is ready.
func TestValidUntilIsOfTheRequest(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.publish("soon", object(t, `{"type": "page", "title": "Soon", "slots": [{"id": "main", "name": "main", "components": [
	  {"id": "story", "type": "Story", "props": {"headline": "Now"}, "variants": [
	    {"name": "later", "rule": "tier == 'gold'", "windows": [{"from": "2999-01-01T00:00", "until": "2999-02-01T00:00", "zone": "Europe/Madrid"}], "props": {"headline": "Then"}}]}]}]}`))
	ask := func(tier string) answer {
		context := map[string]any{"consent": map[string]any{"personalization": true}}
		if tier != "" {
			context["attributes"] = map[string]any{"tier": tier}
		}
		return p.ask(p.key(tutti.ServerKey), "", `query($c: ContextInput) { experience(composition: "soon", channel: "web", context: $c) { id validUntil components { props } } }`, map[string]any{"c": context})
	}
	const then = `"validUntil":"2998-12-31T23:00:00Z"`
	pages := map[string]bool{}
	for range 3 {
		for tier, want := range map[string]string{"gold": then, "silver": `"validUntil":null`, "": `"validUntil":null`} {
			a := ask(tier)
			if !strings.Contains(a.Raw, want) {
				t.Errorf("%q is told %s, want %s", tier, a.Raw, want)
			}
			pages[strings.NewReplacer(then, "", `"validUntil":null`, "").Replace(a.Raw)] = true
		}
	}
	if len(pages) != 1 {
		t.Errorf("the page is not the same for all: %v", pages)
	}
}
