package resolvers_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// TestHashIsOfTheContentAlone: it stays the same while content is made, kept, old, read anew and
// made by another replica, and changes with the content and with the deployment.
func TestHashIsOfTheContentAlone(t *testing.T) {
	s := openShop(t)
	x := s.replica("s")
	type slot struct {
		Hash       string
		Components []struct {
			Freshness struct{ State, AsOf string }
			Assembled []string
		}
	}
	ask := func(x *replica, class tutti.KeyClass, had string) slot {
		t.Helper()
		query := `query ($had: [SlotHash!]) { experience(composition: "page-2", channel: "web", ifNoneMatch: $had) { slots { hash components { component freshness { state asOf } ... on Card { title } } } } }`
		if class == tutti.ManagementKey { // who is also told why, and from where
			query = `query ($had: [SlotHash!]) { experience(composition: "page-2", channel: "web", ifNoneMatch: $had) { slots { why { reason } leftOut { component } hash components { component freshness { state asOf } why { variant reason rules { rule result } } assembled origins { ref cached freshness { asOf } } ... on Card { title } } } } }`
		}
		var got struct {
			Data struct {
				Experience struct{ Slots []slot }
			}
		}
		body := x.ask(request{class: class, query: query, variables: map[string]any{"had": []any{map[string]any{"slot": "main", "hash": had}}}})
		if err := json.Unmarshal(body, &got); err != nil || len(got.Data.Experience.Slots) != 1 || len(got.Data.Experience.Slots[0].Hash) != 22 {
			t.Fatalf("%v in %s", err, body)
		}
		return got.Data.Experience.Slots[0]
	}
	first := ask(x, tutti.ServerKey, "")
	editors := ask(x, tutti.ManagementKey, "")
	item := func(s slot) (state, asOf string) {
		return s.Components[1].Freshness.State, s.Components[1].Freshness.AsOf
	}
	same := func(when string, x *replica) {
		t.Helper()
		if got := ask(x, tutti.ServerKey, first.Hash); got.Hash != first.Hash || len(got.Components) > 0 {
			t.Errorf("%s: %+v, was %s", when, got, first.Hash)
		}
		if got := ask(x, tutti.ManagementKey, editors.Hash); got.Hash != editors.Hash || len(got.Components) > 0 {
			t.Errorf("%s, for editors: %+v, was %s", when, got, editors.Hash)
		}
	}
	same("kept", x)
	if cold := ask(s.replica("s"), tutti.ManagementKey, ""); cold.Hash != editors.Hash || cold.Components[1].Assembled[0] != "FRESH" || editors.Components[1].Assembled[0] != "CACHED" {
		t.Errorf("assembled in another way: %+v, %+v", editors, cold)
	}
	s.clock.Add(int64(time.Minute))
	if state, _ := item(ask(x, tutti.ServerKey, "")); state != "STALE_REVALIDATING" {
		t.Errorf("the item is %s", state)
	}
	same("stale", x)
	s.lands(x)
	s.clock.Add(int64(time.Second))
	_, before := item(first)
	if state, asOf := item(ask(x, tutti.ServerKey, "")); state != "FRESH" || asOf == before {
		t.Errorf("the item is %s as of %s", state, asOf)
	}
	same("read anew", x)
	same("on another replica", s.replica("s"))
	if got := ask(s.replica("t"), tutti.ServerKey, first.Hash); got.Hash == first.Hash || len(got.Components) == 0 {
		t.Errorf("another deployment has the same hash: %+v", got)
	}
	s.revision.Store(1)
	x.sources.Forget("shop:item/2")
	if got := ask(x, tutti.ServerKey, first.Hash); got.Hash == first.Hash || len(got.Components) != len(first.Components) {
		t.Errorf("other content has the same hash: %+v", got)
	}
	s.revision.Store(0)
	x.sources.Forget("shop:item/2")
	same("as it was", x)
}
