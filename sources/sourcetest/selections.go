package sourcetest

import (
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func selections(t *testing.T, sys *System, kind string, k Kind) {
	h := sys.open(t)
	info, _ := h.Kind(h.name, kind)
	sel := tutti.Selection{Source: h.name, Kind: kind, First: 5, Owner: k.Owner}
	if len(k.IDs) > 0 { // a kind that cannot be listed: it says so without a call
		before := sys.Calls()
		if _, err := h.Select(t.Context(), sel, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue || sys.Calls() != before {
			t.Errorf("listing comes to %v in %d calls; want INVALID_VALUE in none", err, sys.Calls()-before)
		}
		return
	}
	seen := map[string]bool{}
	pages := 0
	var total *int
	for {
		page, err := h.Select(t.Context(), sel, h.scope(kind))
		if err != nil {
			t.Fatalf("page %d: %v", pages+1, err)
		}
		if len(page.Items) > sel.First {
			t.Errorf("page %d has %d items, asked for %d", pages+1, len(page.Items), sel.First)
		}
		for _, g := range page.Items {
			if id := g.Resource.Ref.ID; seen[id] {
				t.Errorf("%s comes twice", id)
			} else {
				seen[id] = true
			}
			if k.Owner != "" && g.Resource.Owner != k.Owner {
				t.Errorf("%s belongs to %q, not to %q", g.Resource.Ref, g.Resource.Owner, k.Owner)
			}
		}
		total = page.Total
		if sel.After = page.Next; sel.After == "" {
			break
		}
		if pages++; pages > 200 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) == 0 || total != nil && *total != len(seen) {
		t.Errorf("all pages hold %d items; the system says %v", len(seen), total)
	}
	primed(t, sys, kind, sel)
	sel.After = ""
	before := sys.Calls()
	if page, err := h.Select(t.Context(), sel, h.scope(kind)); err != nil || !page.Cached || sys.Calls() != before {
		t.Errorf("the same selection again took %d calls, %v", sys.Calls()-before, err)
	}
	refusals(t, sys, h, kind, sel, info)
	if k.Owner != "" {
		owners(t, sys, h, kind, k, sel)
	}
}

// primed makes sure that what a selection brought is kept and equals what comes by its id. The
// cache may show a new entry a moment late; a second selection that brings the same makes sure.
func primed(t *testing.T, sys *System, kind string, sel tutti.Selection) {
	h := sys.open(t)
	sel.After = ""
	var last tutti.Ref
	for _, first := range []int{sel.First, sel.First + 1} {
		sel.First = first
		page, err := h.Select(t.Context(), sel, h.scope(kind))
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("%d items, %v", len(page.Items), err)
		}
		last = page.Items[0].Resource.Ref
	}
	got, calls := h.get(t.Context(), kind, last.ID)
	if calls != 0 {
		t.Errorf("getting what a selection brought took %d calls", calls)
	}
	cold, _ := sys.open(t).get(t.Context(), kind, last.ID)
	same(t, got[0], cold[0])
}

// same compares an item that a selection brought with the one that comes by its id.
func same(t *testing.T, a, b tutti.Got) {
	t.Helper()
	if a.Resource == nil || b.Resource == nil {
		t.Errorf("one of two is missing: %v, %v", a.Err, b.Err)
		return
	}
	for name := range b.Resource.Fields.All() {
		x, y := a.Resource.Fields.Get(name), b.Resource.Fields.Get(name)
		if tx, ok := x.(time.Time); ok {
			if ty, ok := y.(time.Time); !ok || !tx.Equal(ty) {
				t.Errorf("field %s of %s is %v by selection and %v by id", name, a.Resource.Ref, x, y)
			}
		} else if show(x) != show(y) {
			t.Errorf("field %s of %s is %s by selection and %s by id", name, a.Resource.Ref, show(x), show(y))
		}
	}
	if a.Resource.Fields.Len() != b.Resource.Fields.Len() {
		t.Errorf("%s has %d fields by selection and %d by id", a.Resource.Ref, a.Resource.Fields.Len(), b.Resource.Fields.Len())
	}
}

// refusals are selections that the kind does not have: told without a call.
func refusals(t *testing.T, sys *System, h *house, kind string, sel tutti.Selection, info *tutti.Kind) {
	before := sys.Calls()
	wrong := sel
	wrong.Filter = map[string]any{"noSuchFilter": "x"}
	if _, err := h.Select(t.Context(), wrong, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("an unknown filter comes to %v", err)
	}
	wrong = sel
	wrong.Sort = "noSuchSort"
	if _, err := h.Select(t.Context(), wrong, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("an unknown sort comes to %v", err)
	}
	if !info.Search {
		wrong = sel
		wrong.Text = "words"
		if _, err := h.Select(t.Context(), wrong, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("text where there is no search comes to %v", err)
		}
	}
	if sys.Calls() != before {
		t.Errorf("refusing took %d calls", sys.Calls()-before)
	}
}

// owners makes sure that nobody sees another's items.
func owners(t *testing.T, sys *System, h *house, kind string, k Kind, sel tutti.Selection) {
	before := sys.Calls()
	sel.Owner = ""
	if _, err := h.Select(t.Context(), sel, h.scope(kind)); tutti.CodeOf(err) != tutti.Forbidden || sys.Calls() != before {
		t.Errorf("a selection without owner comes to %v in %d calls; want FORBIDDEN in none", err, sys.Calls()-before)
	}
	sel.Owner = k.Other
	page, err := h.Select(t.Context(), sel, h.scope(kind))
	if err != nil || page.Cached || len(page.Items) == 0 {
		t.Errorf("the other's selection comes to %v, cached %v, %d items", err, page.Cached, len(page.Items))
	}
	for _, g := range page.Items {
		if g.Resource.Owner != k.Other {
			t.Errorf("%s belongs to %q, not to %q", g.Resource.Ref, g.Resource.Owner, k.Other)
		}
	}
	for _, trick := range []string{k.Owner + " requester:" + k.Other, k.Owner + "&guest=" + k.Other, "*", "../" + k.Other} {
		sel.Owner = trick
		if page, err := h.Select(t.Context(), sel, h.scope(kind)); len(page.Items) > 0 {
			t.Errorf("an owner that is a trick gets %d items, %v", len(page.Items), err)
		}
	}
}
