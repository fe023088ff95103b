package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"pgregory.net/rapid"
)

// anyFacts draws facts from few values, so that two draws often agree in what counts.
func anyFacts(t *rapid.T, learned tutti.Facts, label string) tutti.Facts {
	f := tutti.Facts{Values: map[string]any{}, Withheld: learned.Withheld, Owner: learned.Owner}
	for name, values := range map[string][]any{
		"tier": {"gold", "silver"}, "visits": {int64(3), int64(4), int64(30)}, "member": {true, false}, "distance": {500.0, 501.0, 5000.0}, "email": {"x", "y", ""},
		"stay.room": {"12", ""}, "stay.guestName": {"Ana", "Bo"}, "reservation": {"r1", "r2"}, "score": {1.0, 9.0},
	} {
		if v := rapid.SampledFrom(append(values, nil)).Draw(t, label+name); v != nil {
			f.Values[name] = v
		}
	}
	return f
}

// A signature stands for its plan: requests with one signature have one plan.
func TestOneSignatureOnePlan(t *testing.T) {
	d := newDesk(t, func(c *engine.Config) {
		c.ComponentTypes[1].Downlevel = []tutti.Downlevel{{Version: 1, Props: c.ComponentTypes[1].Props[:1]}, {Type: "Hero"}}
	})
	learned, _ := d.engine.Learn(context.Background(), d.compile(page(offers)), atAzul(), ana())
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	private, shared, same := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		doc := anyPage(rt)
		c, problems, _ := d.engine.Compile("", yamlJSON(t, doc), 1, d.set)
		if len(problems) > 0 {
			rt.Fatalf("%v in\n%s", problems, doc)
		}
		plans := map[string]string{}
		for i := range 8 {
			v := ana()
			v.At = at
			v.Locale = rapid.SampledFrom([]string{"en", "de"}).Draw(rt, "locale")
			v.Supports = rapid.SampledFrom([]tutti.Supports{nil, {"List": {1}}, {"List": {1, 2}}, {"Hero": {}}, {"Box": {}}}).Draw(rt, "supports")
			label := string(rune('a' + i))
			f := anyFacts(rt, learned, label)
			s, ok := c.Sign(nil, atAzul(), v, f)
			plan, _ := c.Decide(atAzul(), v, f)
			deciding := c.Deciding(atAzul(), v, f)
			again, _ := deciding.Sign(nil)
			signed, _ := deciding.Decide()
			deciding.End()
			if got, want := dump(signed), dump(plan); got != want || ok && string(again.Key) != string(s.Key) {
				rt.Fatalf("decided after signing\n%s\nat once\n%s", got, want)
			}
			if !ok {
				private++
				continue
			}
			shared++
			if !s.Until.Equal(plan.Until) {
				rt.Fatalf("the signature counts until %v, the plan until %v", s.Until, plan.Until)
			}
			noCanary(rt, string(s.Key), doc)
			got := dump(plan)
			if was, twice := plans[string(s.Key)]; twice {
				same++
				if was != got {
					rt.Fatalf("one signature, two plans of\n%s\n%s\n%s", doc, was, got)
				}
			}
			plans[string(s.Key)] = got
		}
	})
	if private == 0 || shared == 0 || same == 0 {
		t.Errorf("too little was drawn: %d private, %d shared, %d with the signature of another", private, shared, same)
	}
}

// What is not the same plan has not the same signature, and other compositions never share one.
func TestSignaturesTellCompositionsApart(t *testing.T) {
	d := newDesk(t)
	a, b := d.compile(page(offers)), d.compile(page(offers))
	s, _ := a.Sign(nil, atAzul(), anonymous(), tutti.Facts{})
	other, _ := b.Sign(nil, atAzul(), anonymous(), tutti.Facts{})
	if string(s.Key) == string(other.Key) {
		t.Error("two compiled compositions share a signature")
	}
}
