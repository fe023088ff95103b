package engine_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

func nodes(l *tutti.List) string {
	var ids []string
	for _, n := range l.Nodes {
		ids = append(ids, n.Resource.Ref.ID)
	}
	return strings.Join(ids, " ")
}

func (h *house) list(v tutti.Value, owner tutti.Owner, first int) *tutti.List {
	h.t.Helper()
	x := h.assemble(plan("web", part{id: "c", owner: owner, props: map[string][]tutti.Value{"items": one(v)}}),
		engine.Need{Components: engine.ComponentNeed{Lists: map[string]engine.ListNeed{"items": {First: first}}}})
	h.Calls()
	l, ok := x.Components[0].Props["items"].(*tutti.List)
	if !ok {
		h.t.Fatalf("no list: %s", show(x))
	}
	return l
}

func (h *house) more(cursor string, first int, owner tutti.Owner) *tutti.List {
	h.t.Helper()
	l, err := h.More(context.Background(), cursor, first, owner, engine.ResourceNeed{})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func TestTheNextPageOfASelectionIsOneCall(t *testing.T) {
	h := newHouse(t)
	for i := range 12 {
		h.put(fmt.Sprintf("social:post/%d", i), map[string]any{"authorName": "Ana", "likes": int64(5)})
	}
	l := h.list(selecting(tutti.Selection{Source: "social", Kind: "post", Filter: map[string]any{"likes": int64(5)}}), tutti.Owner{}, 3)
	if nodes(l) != "0 1 2" || *l.Total != 12 {
		t.Fatalf("%s of %d", nodes(l), *l.Total)
	}
	second := h.more(l.Next(), 0, tutti.Owner{})
	h.wantCalls("social:post select first 3 after 3 where map[likes:5]")
	if nodes(second) != "3 4 5" || *second.Total != 12 {
		t.Errorf("%s", nodes(second))
	}
	third := h.more(second.Next(), 10, tutti.Owner{})
	h.wantCalls("social:post select first 10 after 6 where map[likes:5]")
	if nodes(third) != "6 7 8 9 10 11" || third.Next() != "" {
		t.Errorf("%s, next %q", nodes(third), third.Next())
	}
	t.Run("from the middle of a page", func(t *testing.T) {
		rest := h.more(l.CursorAt(1), 3, tutti.Owner{})
		h.wantCalls("social:post select first 4 where map[likes:5]")
		if nodes(rest) != "1 2 3" {
			t.Errorf("%s", nodes(rest))
		}
		after := h.more(rest.Next(), 0, tutti.Owner{})
		if nodes(after) != "4 5 6" {
			t.Errorf("a page after it has %s", nodes(after))
		}
		h.Calls()
	})
	t.Run("the same place has the same cursor", func(t *testing.T) {
		again := h.list(selecting(tutti.Selection{Source: "social", Kind: "post", Filter: map[string]any{"likes": int64(5)}}), tutti.Owner{}, 3)
		if again.Next() != l.Next() || l.CursorAt(3) != l.Next() {
			t.Error("cursors differ")
		}
	})
	t.Run("a dead source", func(t *testing.T) {
		h.Break("social", enginetest.Fault{Code: tutti.Unavailable})
		defer h.Break("social", enginetest.Fault{})
		_, err := h.More(context.Background(), l.Next(), 0, tutti.Owner{}, engine.ResourceNeed{})
		if tutti.CodeOf(err) != tutti.Unavailable || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v", err)
		}
	})
}

func TestTheNextPageOfAListOfRefs(t *testing.T) {
	h := newHouse(t)
	var all []string
	for i := range 60 {
		r := fmt.Sprintf("dam:asset/a-rather-long-name-of-a-picture-%02d", i)
		if i != 4 && i != 59 {
			h.put(r, map[string]any{"title": fmt.Sprint(i)})
		}
		all = append(all, r)
	}
	l := h.list(toRefs(all...), tutti.Owner{}, 5)
	if len(l.Nodes) != 5 || *l.Total != 59 || l.Nodes[4].Resource.Fields.Get("title") != "5" {
		t.Fatalf("%s of %d", nodes(l), *l.Total)
	}
	seen, total := len(l.Nodes), 59
	for next := l.Next(); next != ""; {
		p := h.more(next, 20, tutti.Owner{})
		if calls := h.Calls(); len(calls) != 1 {
			t.Errorf("%d calls", len(calls))
		}
		if seen += len(p.Nodes); p.Next() == "" { // the other one that is missing is the last
			total = 58
		}
		if *p.Total != total {
			t.Errorf("total %d after %d items, want %d", *p.Total, seen, total)
		}
		next = p.Next()
	}
	if seen != 58 {
		t.Errorf("%d of 58 items came", seen)
	}
	if rest := h.more(l.CursorAt(4), 2, tutti.Owner{}); rest.Nodes[0].Resource.Fields.Get("title") != "5" {
		t.Errorf("%s", nodes(rest))
	}
}

func TestAPrivateListGoesOnOnlyForItsOwner(t *testing.T) {
	h := newHouse(t)
	putTickets(h)
	l := h.list(selecting(tutti.Selection{Source: "support", Kind: "ticket"}), guest(7), 2)
	if got := h.more(l.Next(), 0, guest(7)); nodes(got) != "5" {
		t.Errorf("the owner gets %s", nodes(got))
	}
	h.wantCalls("support:ticket select first 2 after 2 of 20978392")
	for name, owner := range map[string]tutti.Owner{
		"another guest": guest(8), "nobody": {}, "a made-up one": {Visitor: "guest-7"}, "a borrowed number": {Visitor: "guest-8", InSource: map[string]string{"support": "20978392"}},
	} {
		if _, err := h.More(context.Background(), l.Next(), 0, owner, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.wantCalls()
	plain, _ := base64.RawURLEncoding.DecodeString(l.Next())
	if strings.Contains(string(plain), "support") || strings.Contains(string(plain), "20978392") {
		t.Error("the cursor can be read")
	}
}

func TestRelationsOfTheNextPage(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	l := h.list(selecting(tutti.Selection{Source: "catalog", Kind: "product"}), tutti.Owner{}, 2)
	next, err := h.More(context.Background(), l.Next(), 2, tutti.Owner{}, engine.ResourceNeed{Relations: map[string]engine.ResourceNeed{"image": {}}})
	if err != nil || len(next.Nodes[1].Related["image"]) != 1 {
		t.Fatalf("%v %v", next, err)
	}
	h.wantCalls("catalog:product select first 2 after 2", "dam:asset azul")
	if url := next.Nodes[1].Related["image"][0].PictureURL(500, 0, ""); url != "https://dam.example/azul/960x0.avif" {
		t.Errorf("not fitted to the channel: %s", url)
	}
}

func TestWhatIsNoCursor(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	good := h.list(selecting(tutti.Selection{Source: "catalog", Kind: "product"}), tutti.Owner{}, 2).Next()
	other, err := engine.New(engine.Config{Channels: houseChannels(), Secret: []byte("another secret")}, h.Sources)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.More(context.Background(), good, 0, tutti.Owner{}, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("a cursor of another deployment: %v", err)
	}
	for _, c := range []string{"", "x", "!!!", good[:len(good)-2], good + "AA", "B" + good[1:], strings.Repeat("A", 100_000)} {
		if _, err := h.More(context.Background(), c, 0, tutti.Owner{}, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("%.20s: %v", c, err)
		}
	}
	fewer, err := engine.New(engine.Config{Channels: houseChannels()[1:], Secret: []byte("the deployment's secret")}, h.Sources)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fewer.More(context.Background(), good, 0, tutti.Owner{}, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("a channel that is no longer there: %v", err)
	}
	for _, first := range []int{-1, 101} {
		if _, err := h.More(context.Background(), good, first, tutti.Owner{}, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("first %d: %v", first, err)
		}
	}
	h.wantCalls()
}

func FuzzCursor(f *testing.F) {
	h := newHouse(f)
	putHotel(h)
	good := h.list(selecting(tutti.Selection{Source: "catalog", Kind: "product"}), tutti.Owner{}, 2).Next()
	f.Add("")
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := h.More(context.Background(), cursor, 0, tutti.Owner{}, engine.ResourceNeed{})
		if (err == nil) != (cursor == good) || err != nil && tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("%q: %v", cursor, err)
		}
	})
}

func TestResourcesAndSearchOutsideOfAnExperience(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	putTickets(h)
	v := engine.View{Scope: tutti.Scope{Locale: "de"}, Chain: []string{"de", "en"}, Channel: "web", Owner: guest(7)}
	got, problems, err := h.Resources(context.Background(), []tutti.Ref{
		ref("catalog:product/0"), ref("stay:reservation/R-1008"), ref("stay:hotel/azul"), ref("stay:reservation/R-1007"), ref("stay:rate/r"), ref("nowhere:x/y"),
	}, v, engine.ResourceNeed{Relations: map[string]engine.ResourceNeed{"image": {}}})
	if err != nil || got[0] == nil || got[1] != nil || got[2] == nil || got[3] == nil || got[4] != nil || got[5] != nil || len(problems) != 3 {
		t.Fatalf("%v %v %v", got, problems, err)
	}
	if got[0].Related["image"][0].Resource.Ref.ID != "azul" || problems[0].Path != "[1]" || problems[0].Code != tutti.NotFound {
		t.Errorf("%v %v", got[0].Related, problems)
	}
	h.Calls()
	sel := tutti.Selection{Source: "support", Kind: "ticket", First: 2}
	page, err := h.Search(context.Background(), sel, v, engine.ResourceNeed{})
	if err != nil || nodes(page) != "1 3" || *page.Total != 3 {
		t.Fatalf("%v %v", page, err)
	}
	sel.After = page.Next()
	if page, err = h.Search(context.Background(), sel, v, engine.ResourceNeed{}); err != nil || nodes(page) != "5" || page.Next() != "" {
		t.Errorf("%v %v", page, err)
	}
	v.Owner = guest(8)
	if _, err = h.Search(context.Background(), sel, v, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("another guest goes on: %v", err)
	}
	sel.After = ""
	if page, err = h.Search(context.Background(), sel, engine.View{}, engine.ResourceNeed{}); err != nil || len(page.Nodes) != 0 || page.Total != nil {
		t.Errorf("nobody gets %v %v", page, err)
	}
	if _, err = h.Search(context.Background(), tutti.Selection{Source: "nowhere", Kind: "x"}, v, engine.ResourceNeed{}); tutti.CodeOf(err) != tutti.UnknownSource {
		t.Errorf("%v", err)
	}
}

func TestACursorOfWhatOriginsHoldAsDraftsIsOneOfADraft(t *testing.T) {
	h := newHouse(t)
	for i := range 4 {
		h.put(fmt.Sprintf("social:post/%d", i), map[string]any{"likes": int64(5)})
	}
	for _, draft := range []bool{false, true} {
		p := plan("web", part{id: "c", props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "social", Kind: "post"}))}})
		p.Version, p.Scope.Draft = 3, draft // a published composition, with the origins' drafts
		x := h.assemble(p, engine.Need{Components: engine.ComponentNeed{Lists: map[string]engine.ListNeed{"items": {First: 2}}}})
		of, ok := h.Cursor(x.Components[0].Props["items"].(*tutti.List).Next())
		if !ok || of.Draft != draft {
			t.Errorf("with drafts %v the cursor is of a draft: %v, %v", draft, of.Draft, ok)
		}
	}
}
