package sources

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

func suppress(ids ...string) []tutti.Suppression {
	var list []tutti.Suppression
	for _, r := range refs(ids...) {
		list = append(list, tutti.Suppression{Ref: r})
	}
	return list
}

// listed are the ids of a selection's page, and their number as the total says.
func listed(t *testing.T, h *testHouse) []string {
	t.Helper()
	p, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, g := range p.Items {
		ids = append(ids, g.Resource.Ref.ID)
	}
	if p.Total == nil || *p.Total != len(ids) {
		t.Errorf("the total of %v is not their number", ids)
	}
	return ids
}

func TestSuppressedIsNotGiven(t *testing.T) {
	clock := newClock()
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/list") {
			items(w, 3, "a", "b", "c")
			return
		}
		items(w, len(asked(r)), asked(r)...)
	}, func(_ *config.Source, d *Deps) { d.Now = clock.now })
	wants := func(what string, given, list []string) {
		t.Helper()
		got := []string{}
		for i, g := range h.Get(t.Context(), refs("a", "b", "c"), tutti.Scope{}) {
			if g.Resource != nil {
				got = append(got, g.Resource.Ref.ID)
			} else if !errors.Is(g.Err, tutti.Suppressed) || g.Freshness.State != tutti.Missing {
				t.Errorf("%s: item %d is %v, %s", what, i, g.Err, g.Freshness.State)
			}
		}
		if !slices.Equal(got, given) {
			t.Errorf("%s: given are %v, want %v", what, got, given)
		}
		if got := listed(t, h); !slices.Equal(got, list) {
			t.Errorf("%s: listed are %v, want %v", what, got, list)
		}
	}
	all := []string{"a", "b", "c"}
	wants("at first", all, all)
	ends := suppress("b")
	ends[0].Until = clock.t.Add(time.Hour)
	h.Suppress(append(ends, suppress("nowhere")...))
	calls := h.calls()
	h.Get(t.Context(), refs("b"), tutti.Scope{})
	if h.calls() != calls {
		t.Error("the origin is asked for what is suppressed")
	}
	wants("suppressed", []string{"a", "c"}, []string{"a", "c"})
	clock.t = clock.t.Add(time.Hour)
	wants("when it has ended", all, all)
	h.Suppress(suppress("a"))
	wants("another one", []string{"b", "c"}, []string{"b", "c"})
	h.Suppress(nil)
	wants("taken back", all, all)
}

// TestTotalsCountWhatSomebodyMayGet: what is taken out of a page is out of its total, for each way
// in which a page comes; and a total that counts other people's items is not told.
func TestTotalsCountWhatSomebodyMayGet(t *testing.T) {
	total := func(h *testHouse, q tutti.Selection) string {
		t.Helper()
		q.Source, q.Kind = "shop", "item"
		p, err := h.Select(t.Context(), q, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Total == nil {
			return fmt.Sprintf("%d of unknown", len(p.Items))
		}
		return fmt.Sprintf("%d of %d", len(p.Items), *p.Total)
	}
	wants := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	records := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 40, "a", "b", "c") })
	wants("at first", total(records, tutti.Selection{}), "3 of 40")
	records.Suppress(suppress("b", "elsewhere"))
	for range 2 { // from the origin, and from memory
		wants("one of the page is suppressed", total(records, tutti.Selection{}), "2 of 39")
	}
	records.Suppress(nil)
	wants("taken back", total(records, tutti.Selection{}), "3 of 40")

	counting := strings.Replace(aliasManifest, "        ids: record.id", "        ids: record.id\n        total: data.count", 1)
	ids := play(t, counting, public, graphqlOrigin(t, func(query string, variables map[string]any) (int, string) {
		if strings.Contains(query, "find(") {
			return 200, `{"data": {"count": 40, "find": [{"id": "a"}, {"id": "b"}, {"id": "gone"}]}}`
		}
		var data []string
		for name, id := range variables { // i0, i1, …
			data = append(data, fmt.Sprintf(`"a%s": {"id": "%s", "name": "Thing"}`, name[1:], id))
			if id == "gone" {
				data[len(data)-1] = fmt.Sprintf(`"a%s": null`, name[1:])
			}
		}
		return 200, `{"data": {` + strings.Join(data, ", ") + `}}`
	}))
	found := tutti.Selection{Text: "any"}
	wants("the index knows what the system does not", total(ids, found), "2 of 39")
	ids.Suppress(suppress("a"))
	wants("another is suppressed", total(ids, found), "1 of 38")

	foreign := strings.Replace(itemManifest, `query: {owner: "${owner}"}, records: items}`, `query: {owner: "${owner}"}, records: items, total: total}`, 1)
	owned := play(t, foreign, map[string]config.KindConfig{"item": {Access: tutti.AccessVisitor}}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("owner") == "ana" {
			_, _ = w.Write([]byte(`{"items": [{"id": "a", "owner": "ana"}], "total": 1}`))
			return
		}
		_, _ = w.Write([]byte(`{"items": [{"id": "a", "owner": "ana"}, {"id": "b", "owner": "ben"}], "total": 2}`))
	})
	wants("the origin keeps people apart", total(owned, tutti.Selection{Owner: "ana"}), "1 of 1")
	wants("the origin does not", total(owned, tutti.Selection{Owner: "ben"}), "1 of unknown")
}

// TestWhatIsMadeWithoutASuppressedItemEnds: lists and items tell by their marks that they are
// old, both when an item is taken out and when it comes back.
func TestSuppressingMakesOldWhatWasMade(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/list") {
			items(w, 2, "a", "b")
			return
		}
		items(w, len(asked(r)), asked(r)...)
	})
	for _, step := range []struct {
		name string
		list []tutti.Suppression
	}{{"suppressing", suppress("a")}, {"taking back", nil}} {
		moment := h.Moment()
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		other := h.Get(t.Context(), refs("b"), tutti.Scope{})[0]
		h.Suppress(step.list)
		if !h.Forgotten(page.Marks, moment) {
			t.Errorf("%s: a list is not old", step.name)
		}
		if h.Forgotten(other.Marks, moment) {
			t.Errorf("%s: another item is old", step.name)
		}
		again := h.Moment()
		h.Suppress(step.list)
		if h.Moment() != again {
			t.Errorf("%s: the same again makes things old", step.name)
		}
	}
}

// TestSuppressedWhileOnItsWay: what is suppressed while its load is under way is not given by
// that load, nor kept by it. 3,000 races.
func TestSuppressedWhileOnItsWay(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/list") {
			items(w, 2, "a", "b")
			return
		}
		items(w, len(asked(r)), asked(r)...)
	})
	for i := range 3000 {
		id := fmt.Sprintf("x%d", i)
		var suppressed sync.WaitGroup
		var during tutti.Got
		suppressed.Go(func() { during = h.Get(context.Background(), refs(id), tutti.Scope{})[0] })
		h.Suppress(suppress(id))
		after := h.Get(t.Context(), refs(id), tutti.Scope{})[0]
		suppressed.Wait()
		if after.Resource != nil {
			t.Fatalf("race %d: it is given after it was suppressed", i)
		}
		if during.Resource == nil && !errors.Is(during.Err, tutti.Suppressed) {
			t.Fatalf("race %d: who asked meanwhile got %v", i, during.Err)
		}
		h.Suppress(nil)
		if again := h.Get(t.Context(), refs(id), tutti.Scope{})[0]; again.Resource == nil || again.Cached && during.Resource != nil && again.Resource == during.Resource {
			t.Fatalf("race %d: taken back, it is %v, or what was loaded before it was suppressed", i, again.Err)
		}
	}
}

func TestNothingIsCalledFreshWithoutContact(t *testing.T) {
	silent := false
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/list") {
			items(w, 1, "a")
			return
		}
		items(w, 1, "b")
	}, func(_ *config.Source, d *Deps) { d.Stale = func() bool { return silent } })
	for _, want := range []tutti.FreshnessState{tutti.Fresh, tutti.StaleError, tutti.Fresh} {
		got := h.Get(t.Context(), refs("b", "nowhere"), tutti.Scope{})
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for what, f := range map[string]tutti.Freshness{"an item": got[0].Freshness, "a list": page.Freshness, "an item of it": page.Items[0].Freshness} {
			if f.State != want {
				t.Errorf("%s is %s, want %s", what, f.State, want)
			}
		}
		if silent && (!got[0].Until.IsZero() || !page.Until.IsZero()) {
			t.Error("something that is not fresh says until when it is")
		}
		if got[1].Freshness.State != tutti.Missing {
			t.Errorf("what is not there is %s", got[1].Freshness.State)
		}
		silent = !silent
	}
}

// TestOthersForgetWhatAnotherProcessTold: the tags that one process writes for others work there,
// and hold no id of an item that is not public.
func TestOthersForgetWhatAnotherProcessTold(t *testing.T) {
	for _, access := range []tutti.Access{tutti.AccessPublic, tutti.AccessInternal, tutti.AccessVisitor} {
		t.Run(string(access), func(t *testing.T) {
			kinds := map[string]config.KindConfig{"item": {Access: access}}
			origin := func(w http.ResponseWriter, r *http.Request) { items(w, len(asked(r)), asked(r)...) }
			deployed := func(_ *config.Source, d *Deps) { d.Secret = []byte("the deployment's secret, 32 bytes") }
			one, other := play(t, itemManifest, kinds, origin, deployed), play(t, itemManifest, kinds, origin, deployed)
			cached := func() []bool {
				var was []bool
				for _, g := range other.Get(t.Context(), refs("guest7", "guest8"), tutti.Scope{}) {
					was = append(was, g.Cached)
				}
				return was
			}
			for _, tag := range []string{"shop:item/guest7", "shop:part/pguest7"} {
				cached()
				tags := one.Outward(tag)
				if told := strings.Contains(strings.Join(tags, " "), "guest7"); told != (access == tutti.AccessPublic) {
					t.Errorf("%s: others are told %v", tag, tags)
				}
				other.Heard(false, tags)
				if got := cached(); got[0] || !got[1] {
					t.Errorf("after %s: from memory come %v, want the second alone", tag, got)
				}
			}
			other.Heard(true, one.Outward("shop:item"))
			if got := cached(); got[0] || got[1] {
				t.Errorf("after a change of the whole kind: from memory come %v", got)
			}
			cached()
			other.ForgetAll()
			if got := cached(); got[0] || got[1] {
				t.Errorf("after all was forgotten: from memory come %v", got)
			}
		})
	}
}
