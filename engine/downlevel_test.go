package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// drawnDesk has component types with down-level forms.
func drawnDesk(t testing.TB) *desk {
	text := func(name string, length int) tutti.PropDefinition {
		return tutti.PropDefinition{Name: name, Type: tutti.PropText, MaxLength: length, Cut: length > 0}
	}
	required := func(p tutti.PropDefinition) tutti.PropDefinition { p.Required = true; return p }
	items := tutti.PropDefinition{Name: "items", Type: tutti.PropResources}
	image := tutti.PropDefinition{Name: "image", Type: tutti.PropResource}
	d := newDesk(t, func(c *engine.Config) {
		c.ComponentTypes = []tutti.ComponentType{
			{
				Name: "Hero", Version: 3, Props: []tutti.PropDefinition{required(text("headline", 0)), {Name: "body", Type: tutti.PropRichText}, image},
				Slots: []tutti.SlotDefinition{{Name: "inner"}},
				Downlevel: []tutti.Downlevel{
					{Version: 2, Props: []tutti.PropDefinition{required(text("title", 9)), text("body", 0), image}, From: map[string]string{"title": "headline"}},
					{Version: 1, Props: []tutti.PropDefinition{text("words", 0), text("badge", 0)}, From: map[string]string{"words": "headline", "badge": ""}},
				},
			},
			{
				Name: "Carousel", Version: 1, Props: []tutti.PropDefinition{text("headline", 0), {Name: "slides", Type: tutti.PropResources}},
				Downlevel: []tutti.Downlevel{{Type: "List", From: map[string]string{"items": "slides"}}},
			},
			{
				Name: "List", Version: 2, Props: []tutti.PropDefinition{text("headline", 0), items},
				Downlevel: []tutti.Downlevel{
					{Type: "Carousel", From: map[string]string{"slides": "items"}},
					{Version: 1, Props: []tutti.PropDefinition{text("title", 0), items}, From: map[string]string{"title": "headline"}},
				},
			},
		}
		c.CompositionTypes = []tutti.CompositionType{{Name: "page", Version: 1, Slots: []tutti.SlotDefinition{{Name: "main"}}}}
	})
	d.sources.Put(tutti.Resource{Ref: ref("dam:asset/a"), Type: tutti.AssetType, Fields: tutti.FieldsOf(map[string]any{"alt": "A pool"})})
	for i := range 4 {
		d.sources.Put(tutti.Resource{Ref: ref(fmt.Sprintf("catalog:product/%d", i)), Type: tutti.ProductType, Fields: tutti.FieldsOf(map[string]any{"title": fmt.Sprintf("Thing %d", i)})})
	}
	return d
}

const drawnPage = `
- id: hero
  type: Hero
  props: {headline: {text: "Welcome to the hotel, ${stay.guestName}"}, body: "**Bold** words", image: {ref: 'dam:asset/a'}}
  slots: [{name: inner, components: [{id: inside, type: List, props: {headline: Inside}}]}]
- id: row
  type: List
  props: {headline: Everybody}
  variants:
    - {name: gold, rule: audience.gold, type: Carousel, props: {headline: Gold, slides: {refs: ['catalog:product/1', 'catalog:product/2', 'catalog:product/3']}}}
    - {name: member, rule: member, props: {headline: Members}}
`

func supports(t testing.TB, list ...string) tutti.Supports {
	t.Helper()
	s, err := tutti.ParseSupports(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawn assembles the page of drawnPage for an app and writes what it got, one component a line.
func (d *desk) drawn(facts map[string]any, s tutti.Supports, n engine.Need) (string, tutti.Why) {
	d.t.Helper()
	c := d.compile(page(drawnPage))
	v := anonymous()
	v.Supports, v.Preview.Why = s, true
	f := tutti.Facts{Values: facts}
	plan, why := c.Decide(atAzul(), v, f)
	x, err := d.engine.Assemble(context.Background(), plan, n)
	if err != nil {
		d.t.Fatal(err)
	}
	x = d.engine.Fill(x, c.FillsOf(&plan, f))
	var b strings.Builder
	for _, c := range x.Components {
		variant := c.Variant
		if variant != "" {
			variant = " " + variant
		}
		fmt.Fprintf(&b, "%s%s: %s@%d", c.Component, variant, c.Type, c.Version)
		for _, name := range c.Order {
			switch v := c.Props[name].(type) {
			case *tutti.Delivered:
				fmt.Fprintf(&b, " %s=%s", name, v.Resource.Ref)
			case *tutti.List:
				fmt.Fprintf(&b, " %s=%d", name, len(v.Nodes))
			case tutti.RichText:
				fmt.Fprintf(&b, " %s=%q", name, v.HTML)
			default:
				fmt.Fprintf(&b, " %s=%q", name, v)
			}
		}
		b.WriteByte('\n')
	}
	for _, p := range x.Problems {
		fmt.Fprintln(&b, p.Path, p.Message)
	}
	return b.String(), why
}

func TestAnAppGetsWhatItCanDraw(t *testing.T) {
	gold := map[string]any{"tier": "gold", "stay.guestName": "Ana"}
	for _, c := range []struct {
		name     string
		facts    map[string]any
		supports tutti.Supports
		want     string
	}{
		{"everything", gold, nil, `hero: Hero@3 headline="Welcome to the hotel, Ana" body="<strong>Bold</strong> words" image=dam:asset/a
inside: List@2 headline="Inside"
row gold: Carousel@1 headline="Gold" slides=3
`},
		{"everything, said by name", gold, supports(t, "Hero", "List@2", "Carousel@1"), `hero: Hero@3 headline="Welcome to the hotel, Ana" body="<strong>Bold</strong> words" image=dam:asset/a
inside: List@2 headline="Inside"
row gold: Carousel@1 headline="Gold" slides=3
`},
		{"an older version, cut to its length", gold, supports(t, "Hero@2", "List@2", "Carousel"), `hero: Hero@2 title="Welcome…" body="Bold words" image=dam:asset/a
inside: List@2 headline="Inside"
row gold: Carousel@1 headline="Gold" slides=3
`},
		{"the oldest one, without what it had alone", gold, supports(t, "Hero@1"), `hero: Hero@1 words="Welcome to the hotel, Ana"
`},
		{"another component type", gold, supports(t, "List@2"), `row gold: List@2 headline="Gold" items=3
`},
		{"an older version of another component type", gold, supports(t, "List@1"), `row gold: List@1 items=3 title="Gold"
`},
		{"another component type than before", map[string]any{"member": true}, supports(t, "Carousel"), `row member: Carousel@1 headline="Members"
`},
		{"nothing of it", gold, supports(t, "Teaser"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := drawnDesk(t).drawn(c.facts, c.supports, engine.Need{Props: true})
			if sorted(got) != sorted(c.want) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// sorted orders the words of each line, but for the first.
func sorted(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		w := strings.Split(l, " ")
		slices.Sort(w)
		lines[i] = strings.Join(w, " ")
	}
	return strings.Join(lines, "\n")
}

func TestAVariantThatCannotBeDrawnMakesRoomForTheNext(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(`
- id: a
  type: Hero
  props: {headline: {text: Everybody}}
  variants:
    - {name: gold, rule: audience.gold, type: List, props: {headline: Gold}}
    - {name: member, rule: member, props: {headline: {text: Members}}}
    - {name: none, rule: visits > 100, hide: true}
- {id: b, type: List, props: {headline: {text: List}}}
- {id: c, type: List, channels: {only: [voice]}, props: {headline: {text: Spoken}}}
`))
	v := anonymous()
	v.Supports, v.Preview.Why = supports(t, "Hero@1"), true
	decide := func(facts map[string]any) (tutti.Plan, tutti.Why) {
		return c.Decide(atAzul(), v, tutti.Facts{Values: facts})
	}
	plan, why := decide(map[string]any{"tier": "gold", "member": true})
	if cp := first(t, plan); cp.Variant != "member" || cp.Type != "Hero" || cp.Form != nil {
		t.Errorf("%+v", cp)
	}
	if w := why["a"]; w.Reason != tutti.ReasonTargetingMatch || len(w.Rules) != 2 || !w.Rules[0].Undrawable || w.Rules[0].Result != tutti.True || w.Rules[1].Undrawable || w.Slot != "" {
		t.Errorf("%+v", w)
	}
	plan, why = decide(map[string]any{"tier": "gold"})
	if cp := first(t, plan); cp.Variant != "" || why["a"].Reason != tutti.ReasonDefault {
		t.Errorf("%+v, %+v", cp, why["a"])
	}
	if n := len(plan.Slots[1].Components); n != 1 {
		t.Errorf("the plan has %d components", n)
	}
	if w := why["b"]; w.Reason != tutti.ReasonUnsupported || w.Slot != "main" || w.Place != 1 {
		t.Errorf("what cannot be drawn: %+v", w)
	}
	if w := why["c"]; w.Reason != tutti.ReasonChannelExcluded || w.Slot != "main" || w.Place != 2 {
		t.Errorf("what is for another channel: %+v", w)
	}
	plan, why = decide(map[string]any{"visits": int64(200)})
	if n := len(plan.Slots[1].Components); n != 0 || why["a"].Variant != "none" || why["a"].Slot != "main" {
		t.Errorf("%d components, %+v", n, why["a"])
	}
}

func TestTheDecisionNamesTheForm(t *testing.T) {
	_, why := drawnDesk(t).drawn(map[string]any{"tier": "gold"}, supports(t, "Hero@2", "List@1"), engine.Need{Props: true})
	if w := why["hero"]; w.Form != "Hero@2" || w.Reason != tutti.ReasonStatic {
		t.Errorf("%+v", w)
	}
	if w := why["row"]; w.Form != "List@1" || w.Reason != tutti.ReasonTargetingMatch || w.Variant != "gold" || w.Rules[0].Undrawable {
		t.Errorf("%+v", w)
	}
}

// TestAFormIsAskedForByItsOwnNames: gathering follows the fields of what is delivered.
func TestAFormIsAskedForByItsOwnNames(t *testing.T) {
	d := drawnDesk(t)
	need := func(of string, c engine.ComponentNeed) engine.Need {
		return engine.Need{ByType: map[string]engine.ComponentNeed{of: c}}
	}
	got, _ := d.drawn(map[string]any{"tier": "gold"}, supports(t, "Hero@2", "List@2"), need("Hero", engine.ComponentNeed{Values: map[string]bool{"title": true}}))
	if want := "hero: Hero@2 title=\"Welcome…\"\ninside: List@2\nrow gold: List@2\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	if calls := d.sources.Calls(); len(calls) > 0 {
		t.Errorf("asked for %v", calls)
	}
	got, _ = d.drawn(map[string]any{"tier": "gold"}, supports(t, "List@2"), need("List", engine.ComponentNeed{Lists: map[string]engine.ListNeed{"items": {First: 2}}}))
	if want := "row gold: List@2 items=2\n"; got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestFormsAreOtherThings: ids and keys differ by the form.
func TestFormsAreOtherThings(t *testing.T) {
	d := drawnDesk(t)
	c := d.compile(page(drawnPage))
	keys, ids := map[string]string{}, map[string]string{}
	for _, s := range []tutti.Supports{nil, supports(t, "Hero@2"), supports(t, "Hero@1")} {
		v := anonymous()
		v.Supports = s
		plan, _ := c.Decide(atAzul(), v, tutti.Facts{})
		x, err := d.engine.Assemble(context.Background(), plan, engine.Need{})
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprint(s)
		key, id := first(t, plan).Key, x.Components[0].ID
		if keys[key] != "" || ids[id] != "" {
			t.Errorf("%s has the key or id of %s%s", what, keys[key], ids[id])
		}
		keys[key], ids[id] = what, what
	}
}

// TestAFormWithoutWhatItRequiresIsLeftOut: as every component without a required prop.
func TestAFormWithoutWhatItRequiresIsLeftOut(t *testing.T) {
	d := drawnDesk(t)
	c := d.compile(page("- {id: hero, type: Hero, props: {headline: {text: '${props.image.alt}'}, image: {ref: 'dam:asset/none'}}}"))
	v := anonymous()
	v.Supports = supports(t, "Hero@2")
	plan, _ := c.Decide(atAzul(), v, tutti.Facts{})
	x, err := d.engine.Assemble(context.Background(), plan, engine.Need{Props: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Components) != 0 || len(x.Problems) == 0 {
		t.Errorf("%d components, problems %v", len(x.Components), x.Problems)
	}
}
