package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tuttihq/tutti"
)

// The two parts of a page are the page: no component is in both, none is missing, and each has the
// id that it has in the whole.
func TestThePartsOfAPageAreThePage(t *testing.T) {
	p := playPatiently(t)
	ask := func(part string) (ids []string, personal []bool) {
		t.Helper()
		got := p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `query ($part: PagePart) { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "mobile", part: $part,
			context: {location: {lat: 43.263, lon: -2.935}, consent: {personalization: true}}) { components { id personal props actions { label href } } } }`, map[string]any{"part": part})
		var data struct {
			Experience struct {
				Components []struct {
					ID       string
					Personal bool
				}
			}
		}
		if err := json.Unmarshal(got.Data, &data); err != nil || len(got.Errors) > 0 {
			t.Fatalf("%s: %v %v", part, err, got.Errors)
		}
		for _, c := range data.Experience.Components {
			ids, personal = append(ids, c.ID), append(personal, c.Personal)
		}
		return ids, personal
	}
	for range 2 { // made, and from what is kept
		all, personal := ask("ALL")
		shared, sharedPersonal := ask("SHARED")
		own, ownPersonal := ask("PERSONAL")
		if slices.Contains(sharedPersonal, true) || slices.Contains(ownPersonal, false) || !slices.Contains(personal, true) || !slices.Contains(personal, false) {
			t.Errorf("personal: all %v, shared %v, own %v", personal, sharedPersonal, ownPersonal)
		}
		both := append(slices.Clone(shared), own...)
		slices.Sort(both)
		slices.Sort(all)
		if !slices.Equal(all, both) {
			t.Errorf("the page has %v, its parts have %v", all, both)
		}
	}
}
