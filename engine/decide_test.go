package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

const offers = `
- id: offers
  type: List
  props: {headline: {text: For everyone}, size: small}
  variants:
    - {name: gold, rule: audience.gold, props: {headline: {text: "For ${tier} guests"}}}
    - {name: near, rule: audience.nearby, props: {size: large}}
    - {name: christmas, windows: [{from: "2026-12-01T00:00", until: "2026-12-27T00:00", zone: Europe/Madrid}], hide: true}
`

func TestDecideTakesTheFirstVariantWhoseRuleIsTrue(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(offers))
	v := ana()
	v.Preview.Why = true
	facts, problems := d.engine.Learn(context.Background(), c, atAzul(), v)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plan, why := c.Decide(atAzul(), v, facts)
	cp := first(t, plan)
	if cp.Variant != "gold" || wordsOf(prop(cp, "headline")) != "For gold guests" || prop(cp, "size").Literal != "small" || cp.Private {
		t.Errorf("%+v", cp)
	}
	w := why["offers"]
	if w.Reason != tutti.ReasonTargetingMatch || w.Variant != "gold" || len(w.Rules) != 1 || w.Rules[0].Attributes[0] != (tutti.AttributeRead{Name: "audience.gold", Known: true, Result: tutti.True}) {
		t.Errorf("%+v", w)
	}

	v.Attributes = map[string]any{"tier": "silver"}
	facts, _ = d.engine.Learn(context.Background(), c, atAzul(), v)
	plan, why = c.Decide(atAzul(), v, facts)
	if cp := first(t, plan); cp.Variant != "near" || prop(cp, "size").Literal != "large" || wordsOf(prop(cp, "headline")) != "For everyone" {
		t.Errorf("%+v", cp)
	}
	if w := why["offers"]; len(w.Rules) != 2 || w.Rules[0].Result != tutti.False || w.Rules[1].Result != tutti.True {
		t.Errorf("%+v", w)
	}

	if _, why := c.Decide(atAzul(), anonymous(), tutti.Facts{}); why != nil {
		t.Errorf("nobody asked why: %+v", why)
	}
}

func TestReasons(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(offers + `
- {id: plain, type: List, props: {size: small}}
- {id: spoken, type: List, channels: {only: [voice]}, props: {size: small}}
- {id: written, type: List, channels: {except: [web]}, props: {size: small}}
- id: broken
  type: List
  props: {size: small}
  variants: [{name: odd, rule: 10 / visits > 1, props: {size: large}}]
`))
	v := anonymous()
	v.Preview.Why = true
	v.Attributes = map[string]any{"tier": "gold", "visits": int64(0)}
	facts, _ := d.engine.Learn(context.Background(), c, nil, v)
	plan, why := c.Decide(nil, v, facts)
	for id, want := range map[string]tutti.Reason{
		"offers": tutti.ReasonConsentWithheld, "plain": tutti.ReasonStatic, "spoken": tutti.ReasonChannelExcluded, "written": tutti.ReasonChannelExcluded,
		"broken": tutti.ReasonError, "main": tutti.ReasonStatic,
	} {
		if why[id].Reason != want {
			t.Errorf("%s: %+v, want %s", id, why[id], want)
		}
	}
	if got := why["offers"].Rules[0].Attributes[0]; got.Known || got.Withheld != tutti.Personalization || got.Result != tutti.Unknown {
		t.Errorf("%+v", got)
	}
	if why["broken"].Rules[0].Error != "The rule divides by zero." {
		t.Errorf("%+v", why["broken"])
	}
	if n := len(plan.Slots[1].Components); n != 3 || plan.Slots[1].Components[2].Path != "slots.main[2]" {
		t.Errorf("%d components, the last at %s", n, plan.Slots[1].Components[2].Path)
	}

	v.Consent = tutti.Consent{tutti.Personalization: true}
	v.Attributes = map[string]any{"tier": "silver", "visits": int64(2)}
	facts, _ = d.engine.Learn(context.Background(), c, nil, v)
	if _, why := c.Decide(nil, v, facts); why["offers"].Reason != tutti.ReasonDefault || why["broken"].Reason != tutti.ReasonTargetingMatch {
		t.Errorf("%+v", why)
	}

	v.Preview.Forced = map[string]string{"offers": "gold", "broken": ""}
	plan, why = c.Decide(nil, v, facts)
	if first(t, plan).Variant != "gold" || why["offers"].Reason != tutti.ReasonOverride || why["broken"].Reason != tutti.ReasonOverride || why["broken"].Variant != "" {
		t.Errorf("%+v", why)
	}
	for _, wrong := range []map[string]string{{"ofers": ""}, {"offers": "glod"}} {
		if err := c.CheckForced(wrong); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if err := c.CheckForced(v.Preview.Forced); err != nil {
		t.Error(err)
	}
}

func TestUntilIsTheNextWindowEdgeThatMatters(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(offers + `
- id: gold-only
  type: List
  props: {size: small}
  variants: [{name: x, rule: tier == 'gold', windows: [{from: "2026-11-25"}], props: {size: large}}]
`))
	madrid := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		name  string
		tier  any
		at    time.Time
		until time.Time
		n     int
	}{
		{"before the window", "silver", noon, madrid, 2},
		{"in it the component is hidden", "silver", madrid, time.Date(2026, 12, 26, 23, 0, 0, 0, time.UTC), 1},
		{"after it nothing changes any more", "silver", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}, 2},
		{"who gets an earlier variant does not look at it", "gold", noon, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), 2},
	} {
		v := anonymous()
		v.At = step.at
		plan, _ := c.Decide(nil, v, tutti.Facts{Values: map[string]any{"tier": step.tier}})
		if !plan.Until.Equal(step.until) || len(plan.Slots[1].Components) != step.n {
			t.Errorf("%s: until %v with %d components", step.name, plan.Until, len(plan.Slots[1].Components))
		}
	}
}

func TestTextsFollowTheLocaleChain(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(`
- id: a
  type: Hero
  props:
    headline: {text: {en: Hello, de: Hallo}}
    text: {text: {en: Only English}, locales: {es: {text: {es: Solo}}}, channels: {voice: {text: Spoken, fallback: [{text: x}]}}}
`))
	for _, step := range []struct{ locale, channel, headline, headlineLocale, text string }{
		{"", "web", "Hello", "en", "Only English"},
		{"de", "web", "Hallo", "de", "Only English"},
		{"de-AT", "web", "Hallo", "de", "Only English"},
		{"de-CH", "web", "Hallo", "de", "Only English"},
		{"es", "web", "Hello", "en", "Solo"},
		{"es", "voice", "Hello", "en", "Spoken"},
	} {
		plan, _ := c.Decide(nil, tutti.Context{Locale: step.locale, Channel: step.channel, At: noon}, tutti.Facts{})
		cp := first(t, plan)
		h := prop(cp, "headline")
		if wordsOf(h) != step.headline || h.Locale != step.headlineLocale || wordsOf(prop(cp, "text")) != step.text {
			t.Errorf("%s on %s: %q in %s, %q", step.locale, step.channel, wordsOf(h), h.Locale, wordsOf(prop(cp, "text")))
		}
	}
}

func TestPersonalValuesAreHoles(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(`
- id: hello
  type: Hero
  props:
    headline: {text: "Welcome, ${stay.guestName}!", fallback: [{text: Welcome!}]}
    text: {text: "Room ${stay.room} at ${hotel.title}, ${tier}"}
  actions:
    - {label: "Check in, ${stay.guestName}", intent: CHECK_IN, href: "/stays/${reservation}?email=${stay.guestName}", deepLink: "app://${reservation}"}
`))
	v := ana()
	facts, _ := d.engine.Learn(context.Background(), c, atAzul(), v)
	plan, _ := c.Decide(atAzul(), v, facts)
	cp := first(t, plan)
	if cp.Private {
		t.Error("a hole makes nothing private")
	}
	if got := wordsOf(prop(cp, "headline")); got != "Welcome, {stay.guestName}!" {
		t.Error(got)
	}
	if got := wordsOf(prop(cp, "text")); got != "Room {stay.room} at <hotel.title>, gold" {
		t.Error(got)
	}
	a := cp.Actions[0]
	if got := wordsOf(a.Href); got != "/stays/{url/reservation}?email={url?stay.guestName}" {
		t.Error(got)
	}
	fills := c.FillsOf(&plan, facts)
	for hole, want := range map[string]string{"stay.guestName": anaName, "stay.room": anaRoom, "url/reservation": reservation, "url?stay.guestName": "Ana+Canary"} {
		if fills[hole] != want {
			t.Errorf("%s fills %q, want %q", hole, fills[hole], want)
		}
	}

	v.Consent = nil
	facts, _ = d.engine.Learn(context.Background(), c, atAzul(), v)
	plan, _ = c.Decide(atAzul(), v, facts)
	cp = first(t, plan)
	if got := wordsOf(prop(cp, "headline")); got != "Welcome!" {
		t.Errorf("without consent: %q", got)
	}
	if got := wordsOf(prop(cp, "text")); got != "Room at <hotel.title>" {
		t.Errorf("without consent: %q", got)
	}
	if len(cp.Actions) != 0 {
		t.Errorf("a link without its id: %+v", cp.Actions)
	}
}

func TestWordsThatFallAwayTakeTheirCommaAlong(t *testing.T) {
	d := newDesk(t)
	for stored, want := range map[string]string{
		"Hello, ${tier}!":          "Hello!",
		"Hello ${tier}, welcome":   "Hello, welcome",
		"${tier}, welcome":         "welcome",
		"For ${tier} guests":       "For guests",
		"Hello ${tier}":            "Hello",
		"${tier}":                  "",
		"a ${tier} ${score} b":     "a b",
		"${tier}${score}":          "",
		"Nothing here":             "Nothing here",
		"costs $${tier} (${tier})": "costs ${tier} ()",
	} {
		doc := page("- {id: a, type: Hero, props: {headline: {text: " + string(mustJSON(t, stored)) + "}}}")
		plan, _ := d.compile(doc).Decide(nil, anonymous(), tutti.Facts{})
		if got := wordsOf(prop(first(t, plan), "headline")); got != want {
			t.Errorf("%q became %q, want %q", stored, got, want)
		}
	}
}

func TestWhatIsMadeOfPersonalThingsIsPrivate(t *testing.T) {
	d := newDesk(t)
	for name, props := range map[string]string{
		"a computed ref":               `{hotel: {ref: "='stay:reservation/' + reservation"}}`,
		"a literal":                    `{headline: {expr: stay.room}}`,
		"a selection's argument":       `{items: {select: {source: catalog, kind: product, filter: {collection: "=stay.room"}}}}`,
		"a kind of visitors, by ref":   `{hotel: {ref: "stay:reservation/R-1007"}}`,
		"a kind of visitors, selected": `{items: {select: {source: support, kind: ticket, filter: {status: open}}}}`,
	} {
		c := d.compile(page("- {id: a, type: List, props: " + props + "}"))
		v := ana()
		facts, problems := d.engine.Learn(context.Background(), c, atAzul(), v)
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		plan, _ := c.Decide(atAzul(), v, facts)
		cp := first(t, plan)
		if !cp.Private || cp.Owner.Visitor != "guest-7" || len(cp.Key) != len("private:")+43 {
			t.Errorf("%s: private %v, owner %+v, key %q", name, cp.Private, cp.Owner, cp.Key)
		}
	}
	c := d.compile(page(`- {id: a, type: List, props: {items: {select: {source: support, kind: ticket}}}}`))
	v := ana()
	facts, _ := d.engine.Learn(context.Background(), c, nil, v)
	if facts.Owner.InSource["support"] != anaSupport {
		t.Errorf("support calls the visitor %+v", facts.Owner)
	}
}

func TestPlacesAndNumbersEnterPlansQuantised(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(`
- id: a
  type: List
  props:
    headline: {text: "${distance} m after ${visits} visits"}
    at: {expr: location}
    from: {expr: stay.checkIn}
    items: {select: {source: catalog, kind: product, filter: {near: "=location"}}}
`))
	v := ana()
	v.Attributes["visits"] = int64(17)
	facts, _ := d.engine.Learn(context.Background(), c, atAzul(), v)
	plan, _ := c.Decide(atAzul(), v, facts)
	cp := first(t, plan)
	if got := wordsOf(prop(cp, "headline")); got != "800 m after 10 visits" {
		t.Error(got)
	}
	cell := v.Location.Quantise(6)
	if got := prop(cp, "at").Literal; got != cell || cell == *v.Location {
		t.Errorf("%v", got)
	}
	if got := prop(cp, "items").Select.Filter["near"]; got != cell {
		t.Errorf("%v", got)
	}
	if got := facts.Values["distance"].(float64); got < 800 || got > 820 || got == 800 {
		t.Errorf("rules see %v", got)
	}
}

func TestDecideIsDeterministicAndShared(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(offers))
	one, two := anonymous(), anonymous()
	two.Visitor, two.Attributes = "guest-9", map[string]any{"email": "x@canary.example"}
	facts, _ := d.engine.Learn(context.Background(), c, atAzul(), one)
	facts2, _ := d.engine.Learn(context.Background(), c, atAzul(), two)
	p, _ := c.Decide(atAzul(), one, facts)
	q, _ := c.Decide(atAzul(), two, facts2)
	if first(t, p).Key != first(t, q).Key {
		t.Error("two visitors with the same decisions have two keys")
	}
	two.Channel = "mobile"
	if q, _ = c.Decide(atAzul(), two, facts2); first(t, p).Key == first(t, q).Key {
		t.Error("two channels have one key")
	}
}
