package engine_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

const arrivalDoc = `
- id: check-in
  type: Hero
  props: {headline: {text: "Check in, ${stay.guestName}"}}
  variants:
    - {name: arriving, rule: audience.arriving && stay.hotel == params.hotel, props: {headline: {text: Now}}}
    - {name: others, hide: true}
`

func TestLearnReadsOnlyWhatIsNeeded(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, doc string
		calls     []string
		values    []string
	}{
		{"nothing from an origin", page(offersWithout), []string{}, []string{"tier"}},
		{"a fact of the param", page(`- {id: a, type: List, props: {headline: {text: "${hotel.tag}"}}}`), []string{"stay:hotel [en] azul"}, []string{"hotel.tag"}},
		{
			"through audiences, in one wave", page(arrivalDoc),
			[]string{"stay:hotel [en] azul", "stay:reservation R-1007"},
			[]string{"distance", "hotel.location", "location", "reservation", "stay.guestName", "stay.hotel", "stay.status"},
		},
		{
			"how a source calls the visitor", page(`- {id: a, type: List, props: {items: {select: {source: support, kind: ticket}}}}`),
			[]string{"stay:reservation R-1007"},
			[]string{"reservation", "stay.supportId"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.sources.Calls()
			facts, problems := d.engine.Learn(context.Background(), d.compile(c.doc), atAzul(), ana())
			if len(problems) > 0 {
				t.Error(problems)
			}
			if calls := d.sources.Calls(); !reflect.DeepEqual(calls, c.calls) {
				t.Errorf("calls %v, want %v", calls, c.calls)
			}
			var names []string
			for name := range facts.Values {
				names = append(names, name)
			}
			if !sameSet(names, c.values) {
				t.Errorf("known %v, want %v", names, c.values)
			}
		})
	}
}

const offersWithout = `
- {id: a, type: List, props: {size: small}, variants: [{name: v, rule: audience.gold, props: {size: large}}]}
`

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[string]bool{}
	for _, x := range a {
		in[x] = true
	}
	for _, x := range b {
		if !in[x] {
			return false
		}
	}
	return true
}

func TestConsentComesFirst(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(arrivalDoc))
	v := ana()
	v.Consent = nil
	facts, problems := d.engine.Learn(context.Background(), c, atAzul(), v)
	if calls := d.sources.Calls(); !reflect.DeepEqual(calls, []string{"stay:hotel [en] azul"}) || len(problems) > 0 {
		t.Errorf("calls %v, problems %v", calls, problems)
	}
	if len(facts.Values) != 1 || facts.Values["hotel.location"] == nil {
		t.Errorf("known: %v", facts.Values)
	}
	for _, name := range []string{"reservation", "location", "distance", "stay.status", "stay.guestName"} {
		if facts.Withheld[name] != tutti.Personalization {
			t.Errorf("%s is withheld for %q", name, facts.Withheld[name])
		}
	}
}

func TestWhatIsMadeOfWithheldFactsIsWithheld(t *testing.T) {
	d := newDesk(t, func(c *engine.Config) {
		c.Attributes = append(c.Attributes, tutti.Attribute{Name: "close", Type: tutti.BoolType, Derive: "distance < 500.0", Purpose: tutti.Necessary, Sensitivity: tutti.Segment})
	})
	v := ana()
	v.Consent = nil
	facts, _ := d.engine.Learn(context.Background(), d.compile(page(`- {id: a, type: List, props: {size: small}, variants: [{name: v, rule: close, hide: true}]}`)), atAzul(), v)
	if facts.Withheld["close"] != tutti.Personalization {
		t.Errorf("%+v", facts)
	}
}

// Whoever names another guest's reservation learns no more than for one that does not exist.
func TestAnotherGuestsRecordReadsAsNotFound(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(arrivalDoc))
	ben := ana()
	ben.Visitor = "guest-8"
	facts, problems := d.engine.Learn(context.Background(), c, atAzul(), ben)
	nobody := ana()
	nobody.Visitor = ""
	d.sources.Calls()
	facts2, problems2 := d.engine.Learn(context.Background(), c, atAzul(), nobody)
	if calls := d.sources.Calls(); !reflect.DeepEqual(calls, []string{"stay:hotel [en] azul"}) {
		t.Errorf("nobody's request asks the origin: %v", calls)
	}
	missing := ana()
	missing.Attributes["reservation"] = "R-9999"
	facts3, problems3 := d.engine.Learn(context.Background(), c, atAzul(), missing)
	for i, f := range []tutti.Facts{facts, facts2, facts3} {
		for name := range f.Values {
			if strings.HasPrefix(name, "stay.") {
				t.Errorf("%d: knows %s", i, name)
			}
		}
	}
	want := []tutti.Problem{{Path: "context.stay", Code: tutti.NotFound, Message: "There is no such item, or it is not for you."}}
	for i, p := range [][]tutti.Problem{problems, problems2, problems3} {
		if !reflect.DeepEqual(p, want) {
			t.Errorf("%d: %+v", i, p)
		}
	}
}

func TestLearnHasABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.sources.Break("stay", enginetest.Fault{Delay: 5 * time.Second})
		c := d.compile(page(arrivalDoc))
		start := time.Now()
		facts, problems := d.engine.Learn(context.Background(), c, atAzul(), ana())
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if len(problems) != 2 || problems[0].Code != tutti.Timeout || problems[1].Code != tutti.Timeout {
			t.Errorf("%+v", problems)
		}
		if facts.Values["tier"] != nil || facts.Values["location"] == nil || facts.Values["distance"] != nil {
			t.Errorf("%+v", facts.Values)
		}
		plan, _ := c.Decide(atAzul(), ana(), facts)
		if len(plan.Slots[1].Components) != 0 {
			t.Error("who arrives is unknown, so the component is hidden")
		}
	})
}

func TestLearnTellsWhatFailed(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(arrivalDoc))
	d.sources.Break("stay", enginetest.Fault{Code: tutti.Unavailable})
	_, problems := d.engine.Learn(context.Background(), c, atAzul(), ana())
	want := []tutti.Problem{
		{Path: "context.stay", Code: tutti.Unavailable, Message: "The source stay does not answer."},
		{Path: "params.hotel", Ref: "stay:hotel/azul", Code: tutti.Unavailable, Message: "The source stay does not answer."},
	}
	if !reflect.DeepEqual(problems, want) {
		t.Errorf("%+v", problems)
	}
	d.sources.Break("stay", enginetest.Fault{Code: tutti.Unavailable, Stale: true})
	facts, _ := d.engine.Learn(context.Background(), c, atAzul(), ana())
	if facts.Values["stay.status"] != "confirmed" {
		t.Error("a stale copy is better than nothing")
	}
}

func TestClaimsAndTypes(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page(`
- {id: a, type: List, props: {size: small}, variants: [{name: v, rule: tier == 'gold' && visits > 1 && score > 1.0 && member, hide: true}]}
`))
	v := anonymous()
	v.Consent = tutti.Consent{tutti.Personalization: true}
	v.Claims = map[string]any{"tier": "platinum"}
	v.Attributes = map[string]any{"tier": "gold", "visits": 3.0, "score": int64(4), "member": "yes"}
	facts, _ := d.engine.Learn(context.Background(), c, nil, v)
	if want := map[string]any{"tier": "platinum", "visits": int64(3), "score": 4.0}; !reflect.DeepEqual(facts.Values, want) {
		t.Errorf("%v, want %v", facts.Values, want)
	}
	v.Claims["tier"] = "diamond"
	if facts, _ = d.engine.Learn(context.Background(), c, nil, v); facts.Values["tier"] != nil {
		t.Error("a value that is not allowed counts")
	}
}
