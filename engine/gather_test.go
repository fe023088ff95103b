package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

// fortyRefs is the page of the figures: 40 refs in 4 sources.
func fortyRefs(h *house) tutti.Plan {
	h.t.Helper()
	var parts []part
	for _, s := range []struct {
		kind string
		n    int
	}{{"dam:asset", 10}, {"catalog:product", 15}, {"social:post", 10}, {"support:article", 5}} {
		for i := range s.n {
			r := fmt.Sprintf("%s/%d", s.kind, i)
			h.put(r, map[string]any{
				"title": "Title of " + r, "link": "https://example.com/" + r, "alt": "What it shows", "caption": "A caption", "sku": "SKU-1", "authorName": "Ana",
				"price": tutti.Money{Amount: "149.90", Currency: "EUR"}, "likes": int64(12),
			})
			parts = append(parts, part{id: fmt.Sprintf("%s-%d", strings.ReplaceAll(s.kind, ":", "-"), i), props: map[string][]tutti.Value{"offer": one(toRef(r)), "headline": one(literal("Hello"))}})
		}
	}
	return plan("web", parts...)
}

func TestFortyRefsInFourSourcesCostFourCalls(t *testing.T) {
	defer goleak.VerifyNone(t)
	h := newHouse(t)
	h.Keep = true
	p := fortyRefs(h)
	x := h.assemble(p, engine.Everything())
	if calls := h.Calls(); len(calls) != 4 {
		t.Errorf("%d calls, want 4:\n%s", len(calls), strings.Join(calls, "\n"))
	}
	if len(x.Components) != 40 || len(x.Problems) != 0 {
		t.Fatalf("%d components, problems %v", len(x.Components), x.Problems)
	}
	for _, c := range x.Components {
		if d, ok := c.Props["offer"].(*tutti.Delivered); !ok || d.Resource.Fields.Get("title") == nil || c.Assembled[0] != tutti.ReasonFresh {
			t.Errorf("%s: %v %v", c.Component, c.Props["offer"], c.Assembled)
		}
	}
	warm := h.assemble(p, engine.Everything())
	h.wantCalls()
	for _, c := range warm.Components {
		if len(c.Assembled) != 1 || c.Assembled[0] != tutti.ReasonCached || !c.Origins[0].Cached {
			t.Errorf("warm %s: %v", c.Component, c.Assembled)
		}
	}
	if warm.ID != x.ID || warm.Freshness != x.Freshness {
		t.Errorf("warm answer differs: %v %v, %v %v", warm.ID, warm.Freshness, x.ID, x.Freshness)
	}
}

func TestCacheOnEqualsCacheOff(t *testing.T) {
	shown := func(keep bool) string {
		h := newHouse(t)
		h.Keep = keep
		putHotel(h)
		h.assemble(arrival(h, "web"), engine.Everything())
		return strings.ReplaceAll(show(h.assemble(arrival(h, "web"), engine.Everything())), "CACHED", "FRESH")
	}
	on, off := strings.ReplaceAll(shown(true), "FRESH FRESH", "FRESH"), shown(false)
	if on != off {
		t.Errorf("on:\n%s\noff:\n%s", on, off)
	}
}

func TestSameRefInManyPlacesIsAskedOnce(t *testing.T) {
	h := newHouse(t)
	h.put("dam:asset/a", nil)
	props := func() map[string][]tutti.Value {
		return map[string][]tutti.Value{"image": one(toRef("dam:asset/a")), "items": one(toRefs("dam:asset/a", "dam:asset/a"))}
	}
	x := h.assemble(plan("web", part{id: "a", props: props()}, part{id: "b", props: props()}), engine.Everything())
	h.wantCalls("dam:asset a")
	if n := len(x.Components[1].Props["items"].(*tutti.List).Nodes); n != 2 {
		t.Errorf("%d items", n)
	}
}

func TestOnlyWhatIsNeededIsFetched(t *testing.T) {
	h := newHouse(t)
	h.put("dam:asset/a", nil)
	h.put("dam:asset/b", nil)
	h.put("catalog:product/p", map[string]any{"title": "Suite", "image": ref("dam:asset/a"), "images": []tutti.Ref{ref("dam:asset/a"), ref("dam:asset/b"), ref("dam:asset/gone")}})
	p := plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p")), "image": one(toRef("dam:asset/b")), "headline": one(literal("Hi"))}})

	t.Run("nothing without a selected prop", func(t *testing.T) {
		x := h.assemble(p, engine.Need{})
		h.wantCalls()
		if len(x.Components) != 1 || len(x.Components[0].Props) != 0 {
			t.Errorf("%v", x.Components[0].Props)
		}
	})
	t.Run("one prop", func(t *testing.T) {
		h.assemble(p, engine.Need{Components: engine.ComponentNeed{Resources: map[string]engine.ResourceNeed{"offer": {}}}})
		h.wantCalls("catalog:product p")
	})
	t.Run("a prop of another component type", func(t *testing.T) {
		h.assemble(p, engine.Need{ByType: map[string]engine.ComponentNeed{"Card": {Props: true}}})
		h.wantCalls()
	})
	t.Run("a selected relation, in a second wave", func(t *testing.T) {
		x := h.assemble(p, engine.Need{ByType: map[string]engine.ComponentNeed{"Plain": {Resources: map[string]engine.ResourceNeed{
			"offer": {Relations: map[string]engine.ResourceNeed{"image": {}, "images": {}}},
		}}}})
		h.wantCalls("catalog:product p", "dam:asset a b gone")
		d := x.Components[0].Props["offer"].(*tutti.Delivered)
		if len(d.Related["image"]) != 1 || len(d.Related["images"]) != 2 || d.Related["images"][1].Resource.Ref.ID != "b" {
			t.Errorf("relations %v", d.Related)
		}
		if len(x.Problems) != 1 || x.Problems[0].Path != "slots.main[0].props.offer.images[2]" || x.Problems[0].Code != tutti.NotFound {
			t.Errorf("problems %v", x.Problems)
		}
	})
	t.Run("a relation that is selected of items of one type", func(t *testing.T) {
		image := engine.ResourceNeed{Relations: map[string]engine.ResourceNeed{"image": {}}}
		for of, want := range map[tutti.ResourceType][]string{tutti.ProductType: {"catalog:product p", "dam:asset a"}, tutti.ArticleType: {"catalog:product p"}} {
			h.assemble(p, engine.Need{Components: engine.ComponentNeed{Resources: map[string]engine.ResourceNeed{"offer": {ByType: map[tutti.ResourceType]engine.ResourceNeed{of: image}}}}})
			h.wantCalls(want...)
		}
	})
	t.Run("what a text reads", func(t *testing.T) {
		q := plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p")), "headline": one(h.words("${offer.title} with ${offer.image.title}"))}})
		x := h.assemble(q, engine.Need{Components: engine.ComponentNeed{Resources: map[string]engine.ResourceNeed{"headline": {}}}})
		h.wantCalls("catalog:product p", "dam:asset a")
		if x.Components[0].Props["headline"] != "Suite with a" {
			t.Errorf("%q", x.Components[0].Props["headline"])
		}
	})
}

func TestRelationsGoThreeWavesDeep(t *testing.T) {
	h := newHouse(t)
	for i := range 5 {
		h.put(fmt.Sprintf("catalog:product/%d", i), map[string]any{"title": fmt.Sprint(i), "image": ref(fmt.Sprintf("catalog:product/%d", i+1))})
	}
	deep := engine.ResourceNeed{}
	for range 4 {
		deep = engine.ResourceNeed{Relations: map[string]engine.ResourceNeed{"image": deep}}
	}
	x := h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/0"))}}),
		engine.Need{Components: engine.ComponentNeed{Resources: map[string]engine.ResourceNeed{"offer": deep}}})
	h.wantCalls("catalog:product 0", "catalog:product 1", "catalog:product 2")
	if len(x.Problems) != 1 || x.Problems[0].Code != tutti.TooManyRefs || x.Problems[0].Path != "slots.main[0].props.offer.image.image.image" {
		t.Errorf("%v", x.Problems)
	}
}

func TestARingOfRelationsEnds(t *testing.T) {
	h := newHouse(t)
	h.put("catalog:product/a", map[string]any{"title": "a", "image": ref("catalog:product/b")})
	h.put("catalog:product/b", map[string]any{"title": "b", "image": ref("catalog:product/a")})
	x := h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/a")), "headline": one(bound("offer.image.image.image.image.title"))}}), engine.Everything())
	h.wantCalls("catalog:product a", "catalog:product b")
	if x.Components[0].Props["headline"] != "a" {
		t.Errorf("%v %v", x.Components[0].Props["headline"], x.Problems)
	}
}

func TestOverTwoHundredRefsTheRestOfThePageComes(t *testing.T) {
	h := newHouse(t)
	var parts []part
	for i := range 230 {
		r := fmt.Sprintf("dam:asset/%03d", i)
		h.put(r, nil)
		parts = append(parts, part{id: fmt.Sprintf("c%d", i), props: map[string][]tutti.Value{"image": one(toRef(r)), "headline": one(literal("Hi"))}})
	}
	x := h.assemble(plan("web", parts...), engine.Everything())
	if calls := h.Calls(); len(calls) != 1 || len(strings.Fields(calls[0])) != 201 {
		t.Errorf("%d calls", len(calls))
	}
	if len(x.Components) != 230 || len(x.Problems) != 30 {
		t.Fatalf("%d components, %d problems", len(x.Components), len(x.Problems))
	}
	if p := x.Problems[0]; p.Code != tutti.TooManyRefs || p.Path != "slots.main[200].props.image" || p.Ref != "dam:asset/200" {
		t.Errorf("%+v", p)
	}
	if x.Components[229].Props["headline"] != "Hi" || x.Components[199].Props["image"] == nil {
		t.Error("the rest of the page is not there")
	}
}

func TestDeadThingsBecomeProblems(t *testing.T) {
	h := newHouse(t)
	h.put("dam:asset/good", map[string]any{"title": "Good", "alt": "A good picture"})
	h.put("catalog:product/p", map[string]any{"title": "Suite"})
	h.put("social:post/old", map[string]any{"authorName": "Ana"})
	h.Break("catalog", enginetest.Fault{Code: tutti.Unavailable})
	h.Break("social", enginetest.Fault{Code: tutti.RateLimited, Stale: true})
	x := h.assemble(plan("web",
		part{id: "dead-ref", props: map[string][]tutti.Value{"image": one(toRef("dam:asset/gone")), "headline": one(literal("Still here"))}},
		part{id: "fallback", props: map[string][]tutti.Value{"image": one(toRef("dam:asset/gone"), bound("offer.image"), toRef("dam:asset/good"))}},
		part{id: "dead-source", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p")), "headline": one(bound("offer.title"), literal("An offer"))}},
		part{id: "required", required: "offer", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p"))}},
		part{id: "stale", props: map[string][]tutti.Value{"offer": one(toRef("social:post/old"))}},
		part{id: "list", props: map[string][]tutti.Value{"items": one(toRefs("dam:asset/good", "dam:asset/gone"))}},
		part{id: "unknown", props: map[string][]tutti.Value{"image": one(toRef("nowhere:asset/x"))}},
		part{id: "internal", props: map[string][]tutti.Value{"offer": one(toRef("stay:rate/r"))}},
		part{id: "wrong-type", props: map[string][]tutti.Value{"image": one(toRef("social:post/old"))}},
	), engine.Everything())
	wantGolden(t, x, "dead-things")
	if x.Freshness != (tutti.Freshness{State: tutti.Missing, AsOf: asOf}) {
		t.Errorf("freshness %v", x.Freshness)
	}
	if strings.Contains(fmt.Sprintf("%+v", x.Problems), "SECRET") {
		t.Error("a problem tells what only the log may know")
	}
}

func TestSlowSourceHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.put("dam:asset/a", map[string]any{"title": "A"})
		h.put("catalog:product/p", map[string]any{"title": "Suite", "image": ref("dam:asset/a")})
		h.Break("social", enginetest.Fault{Delay: time.Minute})
		p := plan("web",
			part{id: "slow", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x")), "headline": one(literal("Posts"))}},
			part{id: "stood-in", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"), toRef("catalog:product/p"))}},
			part{id: "selection", props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "social", Kind: "post"}))}},
			part{id: "quick", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p")), "image": one(bound("offer.image"))}},
		)
		start := time.Now()
		x := h.assemble(p, engine.Everything())
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		by := map[string]*tutti.Component{}
		for _, c := range x.Components {
			by[c.Component] = c
		}
		if by["quick"].Props["image"] == nil || by["stood-in"].Props["offer"] == nil || by["slow"].Props["headline"] != "Posts" {
			t.Errorf("what is there did not come:\n%s", show(x))
		}
		if fmt.Sprint(by["slow"].Assembled) != "[MISSING OVER_BUDGET]" || fmt.Sprint(by["stood-in"].Assembled) != "[FRESH FALLBACK OVER_BUDGET]" {
			t.Errorf("reasons %v %v", by["slow"].Assembled, by["stood-in"].Assembled)
		}
		var timeouts []string
		for _, p := range x.Problems {
			if p.Code != tutti.Timeout {
				t.Errorf("%+v", p)
			}
			timeouts = append(timeouts, p.Path)
		}
		if len(timeouts) != 3 {
			t.Errorf("timeouts at %v", timeouts)
		}
	})
}

func TestRelationsDoNotWaitForTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.put("social:post/x", map[string]any{"authorName": "Ana"})
		h.put("dam:asset/a", map[string]any{"title": "A"})
		h.put("catalog:product/p", map[string]any{"title": "Suite", "image": ref("dam:asset/a")})
		h.Break("social", enginetest.Fault{Delay: 900 * time.Millisecond})
		h.Break("dam", enginetest.Fault{Delay: 450 * time.Millisecond})
		start := time.Now()
		x := h.assemble(plan("web",
			part{id: "slow", props: map[string][]tutti.Value{"offer": one(toRef("social:post/x"))}},
			part{id: "two-waves", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/p")), "image": one(bound("offer.image"))}},
		), engine.Everything())
		if took := time.Since(start); took != 900*time.Millisecond || len(x.Problems) != 0 {
			t.Errorf("took %v, problems %v", took, x.Problems)
		}
	})
}

func TestCancelledAssemblyLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t)
	h := newHouse(t)
	h.Break("dam", enginetest.Fault{Delay: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := h.Assemble(ctx, plan("web", part{id: "c", props: map[string][]tutti.Value{"image": one(toRef("dam:asset/a"))}}), engine.Everything())
	if err == nil || tutti.CodeOf(err) != tutti.Timeout {
		t.Errorf("%v", err)
	}
}

func TestUnknownChannelIsAnError(t *testing.T) {
	h := newHouse(t)
	_, err := h.Assemble(context.Background(), plan("fax"), engine.Need{})
	if tutti.CodeOf(err) != tutti.UnknownChannel {
		t.Errorf("%v", err)
	}
}

func TestOtherLanguagesStandIn(t *testing.T) {
	h := newHouse(t)
	h.putAs(tutti.Resource{Ref: ref("stay:hotel/both"), Locale: "de", Fields: tutti.FieldsOf(map[string]any{"title": "Das Hotel"})})
	h.putAs(tutti.Resource{Ref: ref("stay:hotel/both"), Locale: "en", Fields: tutti.FieldsOf(map[string]any{"title": "The hotel"})})
	h.putAs(tutti.Resource{Ref: ref("stay:hotel/english"), Locale: "en", Fields: tutti.FieldsOf(map[string]any{"title": "The other"})})
	h.put("dam:asset/a", nil)
	p := plan("web",
		part{id: "both", props: map[string][]tutti.Value{"offer": one(toRef("stay:hotel/both"))}},
		part{id: "english", props: map[string][]tutti.Value{"headline": one(bound("offer.title")), "offer": one(toRef("stay:hotel/english"))}},
		part{id: "words", props: map[string][]tutti.Value{"headline": one(tutti.Value{Kind: tutti.TextValue, Locale: "en", Text: []tutti.TextPart{{Words: "Hi"}}})}},
		part{id: "gone", props: map[string][]tutti.Value{"offer": one(toRef("stay:hotel/gone")), "image": one(toRef("dam:asset/gone"))}},
	)
	p.Locale, p.Scope.Locale, p.Chain = "de-AT", "de-AT", []string{"de-AT", "de", "en"}
	x := h.assemble(p, engine.Everything())
	h.wantCalls("dam:asset gone", "stay:hotel [de-AT] both english gone", "stay:hotel [de] both english gone", "stay:hotel [en] english gone")
	wantGolden(t, x, "other-languages")
}

func TestDistinctSelectionsCostOneCallEach(t *testing.T) {
	h := newHouse(t)
	for i := range 20 {
		h.put(fmt.Sprintf("social:post/%d", i), map[string]any{"authorName": fmt.Sprint(i % 2)})
	}
	all := selecting(tutti.Selection{Source: "social", Kind: "post"})
	again := selecting(tutti.Selection{Source: "social", Kind: "post", First: 6})
	some := selecting(tutti.Selection{Source: "social", Kind: "post", Filter: map[string]any{"authorName": "1"}})
	x := h.assemble(plan("web",
		part{id: "a", props: map[string][]tutti.Value{"items": one(all)}}, part{id: "b", props: map[string][]tutti.Value{"items": one(again)}},
		part{id: "c", props: map[string][]tutti.Value{"items": one(some)}},
	), engine.Everything())
	h.wantCalls("social:post select first 4 where map[authorName:1]", "social:post select first 6")
	for i, want := range []int{4, 6, 4} {
		if l := x.Components[i].Props["items"].(*tutti.List); len(l.Nodes) != want || *l.Total < 10 || l.Next() == "" {
			t.Errorf("%s: %d nodes, total %v", x.Components[i].Component, len(l.Nodes), *l.Total)
		}
	}
}
