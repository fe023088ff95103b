package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"pgregory.net/rapid"
)

// anyProps draws props of a List: some personal, some of the segment, some of resources.
func anyProps(t *rapid.T) string {
	text := rapid.SampledFrom([]string{
		"Hello ${stay.guestName}", "${stay.room}", "${email} and ${tier}", "${hotel.title} for ${stay.guestName}", "${tier == 'gold' ? stay.room : email}", "${visits}", "plain", "${params.sku}",
	})
	var props []string
	add := func(name string, values ...string) {
		if v := rapid.SampledFrom(append(values, "")).Draw(t, name); v != "" {
			props = append(props, name+": "+v)
		}
	}
	add("headline", `{text: "`+text.Draw(t, "text")+`"}`, `{text: "`+text.Draw(t, "text")+`", fallback: [{text: "`+text.Draw(t, "text")+`"}]}`, `{expr: stay.room}`, `{expr: tier}`, `{bind: hotel.title}`)
	add("items", `{select: {source: catalog, kind: product, filter: {collection: "=tier"}}}`, `{select: {source: catalog, kind: product, filter: {collection: "=stay.room"}}}`,
		`{select: {source: support, kind: ticket}}`, `{refs: ["='catalog:product/' + tier", "='catalog:product/' + email"]}`)
	add("hotel", `{ref: "='stay:reservation/' + reservation"}`, `{ref: "=params.hotel"}`, `{bind: hotel}`)
	add("count", `{expr: visits}`, "5")
	if len(props) == 0 {
		props = append(props, "size: small")
	}
	return "{" + strings.Join(props, ", ") + "}"
}

func anyPage(t *rapid.T) string {
	var components []string
	for i := range rapid.IntRange(1, 4).Draw(t, "components") {
		c := fmt.Sprintf("- id: c%d\n  type: List\n  props: %s", i, anyProps(t))
		if rapid.Bool().Draw(t, "variant") {
			rule := rapid.SampledFrom([]string{"audience.gold", "email == 'x'", "stay.room != ''", "distance < 1000 || member"}).Draw(t, "rule")
			c += fmt.Sprintf("\n  variants: [{name: v, rule: %q, props: %s}]", rule, anyProps(t))
		}
		if rapid.Bool().Draw(t, "action") {
			c += "\n  actions: [{label: \"For ${stay.guestName} ${tier}\", intent: GO, href: \"/x/${reservation}?room=${stay.room}&t=${tier}\"}]"
		}
		components = append(components, c)
	}
	return page(strings.Join(components, "\n"))
}

// What a shared component plan holds could have been anybody's.
func TestPlansHoldNoPersonalValue(t *testing.T) {
	d := newDesk(t)
	rapid.Check(t, func(rt *rapid.T) {
		doc := anyPage(rt)
		c, problems, _ := d.engine.Compile("", yamlJSON(t, doc), 1, d.set)
		if len(problems) > 0 {
			rt.Fatalf("%v in\n%s", problems, doc)
		}
		v := ana()
		v.Preview.Why = rapid.Bool().Draw(rt, "why")
		if rapid.Bool().Draw(rt, "marketing") {
			v.Consent[tutti.Marketing] = true
		}
		facts, _ := d.engine.Learn(context.Background(), c, atAzul(), v)
		plan, why := c.Decide(atAzul(), v, facts)
		seen := 0
		for _, s := range plan.Slots {
			for i := range s.Components {
				cp := &s.Components[i]
				if cp.Private {
					if cp.Owner.Visitor != "guest-7" || !strings.HasPrefix(cp.Key, "private:") {
						rt.Fatalf("private, but owner %+v and key %q", cp.Owner, cp.Key)
					}
					continue
				}
				seen++
				noCanary(rt, fmt.Sprintf("%+v %s %s", *cp, dump(cp), cp.Key), doc)
			}
		}
		noCanary(rt, dump(plan.Title)+dump(plan.Description), doc)
		noCanary(rt, dump(why), doc)

		// The same decisions for somebody else with other personal facts: the same shared keys.
		other := facts
		other.Values = map[string]any{}
		for k, x := range facts.Values {
			if s, ok := x.(string); ok && (k == "email" || k == "reservation" || strings.HasPrefix(k, "stay.guest") || k == "stay.room") {
				x = "other" + s
			}
			other.Values[k] = x
		}
		if other.Values["email"] == nil { // whether a fact is known is a decision
			delete(other.Values, "email")
		}
		again, _ := c.Decide(atAzul(), v, other)
		for i, s := range plan.Slots {
			for j := range s.Components {
				a, b := s.Components[j], again.Slots[i].Components[j]
				if !a.Private && a.Key != b.Key {
					rt.Fatalf("a shared key depends on a personal value in\n%s\n%q\n%q", doc, a.Key, b.Key)
				}
			}
		}

		// Deciding again gives the same, whatever the order of maps.
		same, _ := c.Decide(atAzul(), v, facts)
		if dump(same) != dump(plan) {
			rt.Fatal("deciding twice gives two plans")
		}
	})
}

func noCanary(t *rapid.T, s, doc string) {
	for _, canary := range []string{anaName, "Ana+Canary", "Ana%20Canary", anaRoom, reservation, "canary.example", "guest-7", "43.263,", "-2.935,"} {
		if strings.Contains(s, canary) {
			t.Fatalf("%q stands in %s\nof\n%s", canary, s, doc)
		}
	}
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

// Two components that can show different things never have one key.
func TestKeysTellThingsApart(t *testing.T) {
	d := newDesk(t)
	keys := map[string]string{}
	note := func(what, key string) {
		t.Helper()
		if other, twice := keys[key]; twice && other != what {
			t.Errorf("%s and %s have one key", what, other)
		}
		keys[key] = what
	}
	decide := func(props string, params tutti.Params, v tutti.Context, facts map[string]any) string {
		t.Helper()
		c := d.compile(page("- {id: a, type: List, props: {" + props + "}}"))
		plan, _ := c.Decide(params, v, tutti.Facts{Values: facts})
		return first(t, plan).Key
	}
	de := anonymous()
	de.Locale = "de"
	us := anonymous()
	us.Market = "us"
	other := tutti.Params{"hotel": ref("stay:hotel/brisa"), "count": int64(3)}
	for what, key := range map[string]string{
		"refs ab c":        decide(`items: {refs: ["catalog:product/ab", "catalog:product/c"]}`, nil, anonymous(), nil),
		"refs a bc":        decide(`items: {refs: ["catalog:product/a", "catalog:product/bc"]}`, nil, anonymous(), nil),
		"refs, in dollars": decide(`items: {refs: ["catalog:product/a", "catalog:product/bc"]}`, nil, us, nil),
		"one ref":          decide(`items: {refs: ["catalog:product/abc"]}`, nil, anonymous(), nil),
		"a text":           decide(`headline: {text: "1"}`, nil, anonymous(), nil),
		"a literal text":   decide(`headline: "1"`, nil, anonymous(), nil),
		"a number":         decide(`count: 1`, nil, anonymous(), nil),
		"another number":   decide(`count: 11`, nil, anonymous(), nil),
		"a binding":        decide(`headline: {bind: hotel.title}`, atAzul(), anonymous(), nil),
		"of another hotel": decide(`headline: {bind: hotel.title}`, other, anonymous(), nil),
		"in German":        decide(`headline: {bind: hotel.title}`, atAzul(), de, nil),
		"a program":        decide(`headline: {text: "${hotel.title}"}`, atAzul(), anonymous(), nil),
		"a bound program":  decide(`headline: {text: "${hotel.title + tier}"}`, atAzul(), anonymous(), map[string]any{"tier": "gold"}),
		"bound to another": decide(`headline: {text: "${hotel.title + tier}"}`, atAzul(), anonymous(), map[string]any{"tier": "silver"}),
		"a selection":      decide(`items: {select: {source: social, kind: post, filter: {tag: a}}}`, nil, anonymous(), nil),
		"another filter":   decide(`items: {select: {source: social, kind: post, filter: {tag: b}}}`, nil, anonymous(), nil),
		"another count":    decide(`items: {select: {source: social, kind: post, filter: {tag: b}, first: 3}}`, nil, anonymous(), nil),
		"no filter":        decide(`items: {select: {source: social, kind: post}}`, nil, anonymous(), nil),
	} {
		note(what, key)
	}
	if decide(`items: {select: {source: social, kind: post}}`, nil, us, nil) != decide(`items: {select: {source: social, kind: post}}`, nil, anonymous(), nil) {
		// posts lead to places: what those depend on is not known before they are fetched
		t.Log("a kind with relations depends on every dimension")
	}
	if decide(`size: small`, atAzul(), anonymous(), nil) != decide(`size: small`, other, us, nil) {
		t.Error("a component that uses no param and no kind depends on them")
	}
}

// Whatever editors write: compiling never panics, and what compiles decides.
func FuzzCompileComposition(f *testing.F) {
	for _, doc := range []string{page(offers), page(arrivalDoc), hotelPage, page("- {id: a, type: Hero, each: {refs: [x]}, props: {headline: {text: \"${item.title\"}}}")} {
		f.Add([]byte(yamlJSON(f, doc)))
	}
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, problems, _ := d.engine.Compile("x", body, 1, d.set)
		if c == nil && len(problems) == 0 {
			t.Fatal("refused without a reason")
		}
		if c != nil {
			c.Decide(atAzul(), anonymous(), tutti.Facts{})
		}
	})
}
