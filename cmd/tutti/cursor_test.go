package main

import (
	"testing"

	"github.com/tuttihq/tutti"
)

// TestACursorOpensNothingByItself: whoever gets hold of a cursor may go on only in what the own
// key may ask for.
func TestACursorOpensNothingByItself(t *testing.T) {
	t.Parallel()
	p := play(t)
	const more = `query($c: String!) { more(cursor: $c) { nodes { ref title } } }`
	cursors := map[string]string{}
	var found struct {
		Search struct{ PageInfo struct{ EndCursor string } }
	}
	p.ask(p.key(tutti.PreviewKey), "", `{ search(source: "social", kind: "post", first: 2) { nodes { ref } pageInfo { endCursor } } }`, nil).into(t, &found)
	cursors["of a search in a kind that is not exposed"] = found.Search.PageInfo.EndCursor
	var x struct {
		Experience struct {
			Components []struct {
				Items *struct{ PageInfo struct{ EndCursor *string } }
			}
		}
	}
	p.whole(tutti.PreviewKey, `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", preview: {perspective: {state: DRAFT}}) {
		problems { message } components { items: resources(prop: "items", first: 1) { nodes { ref } pageInfo { endCursor } } } } }`, nil).into(t, &x)
	for _, c := range x.Experience.Components {
		if c.Items != nil && c.Items.PageInfo.EndCursor != nil {
			cursors["of a draft"] = *c.Items.PageInfo.EndCursor
		}
	}
	if len(cursors) != 2 || cursors["of a search in a kind that is not exposed"] == "" {
		t.Fatalf("the cursors are %v", cursors)
	}
	for name, cursor := range cursors {
		for _, class := range []tutti.KeyClass{tutti.BrowserKey, tutti.ServerKey} {
			p.origins.ResetCalls()
			if a := p.ask(p.key(class), "", more, map[string]any{"c": cursor}); a.code() != tutti.Forbidden || len(p.calls()) > 0 {
				t.Errorf("a cursor %s, with a %s key: %s", name, class, a.Raw)
			}
		}
		if a := p.ask(p.key(tutti.PreviewKey), "", more, map[string]any{"c": cursor}); len(a.Errors) > 0 {
			t.Errorf("a cursor %s, with the key that got it: %s", name, a.Raw)
		}
	}
}
