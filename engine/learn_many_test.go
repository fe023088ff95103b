package engine_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine/enginetest"
)

// TestLearnManyIsLearnForEach compares it with Learn, for contexts of every sort in one go.
func TestLearnManyIsLearnForEach(t *testing.T) {
	d := newDesk(t)
	for n := range 30 {
		name := fmt.Sprint("R-", n)
		d.sources.Put(tutti.Resource{Ref: ref("stay:reservation/" + name), Owner: fmt.Sprint("guest-", n), Fields: tutti.FieldsOf(map[string]any{
			"guestName": fmt.Sprint("Guest ", n), "hotel": ref("stay:hotel/azul"), "status": "confirmed", "checkIn": noon.Add(time.Duration(n) * time.Hour), "supportId": int64(n),
		})})
	}
	c := d.compile(page(arrivalDoc + `
- {id: tickets, type: List, props: {items: {select: {source: support, kind: ticket}}}}
`))
	var all []tutti.Context
	for n := range 30 {
		v := ana()
		v.Visitor, v.Attributes = fmt.Sprint("guest-", n), map[string]any{"reservation": fmt.Sprint("R-", n), "tier": "gold"}
		switch n % 5 {
		case 1:
			v.Consent = nil
		case 2:
			v.Attributes["reservation"] = "R-1007" // another's
		case 3:
			v.Visitor = ""
		case 4:
			v.Locale, v.Attributes["reservation"] = "de", "none"
		}
		all = append(all, v)
	}
	d.sources.Calls()
	got := d.engine.LearnMany(context.Background(), c, atAzul(), all)
	calls := d.sources.Calls()
	if len(calls) > 4 { // hotel and reservations, for each of two languages
		t.Errorf("%d calls: %q", len(calls), calls)
	}
	for i, v := range all {
		facts, problems := d.engine.Learn(context.Background(), c, atAzul(), v)
		if !reflect.DeepEqual(got[i].Facts, facts) || !reflect.DeepEqual(got[i].Problems, problems) {
			t.Errorf("context %d: %+v\nalone: %+v %v", i, got[i], facts, problems)
		}
	}
	if known := got[0].Facts.Values["stay.guestName"]; known != "Guest 0" {
		t.Errorf("nothing was learned: %v", got[0])
	}
}

func TestLearnManyTellsEachWhatItLacks(t *testing.T) {
	d := newDesk(t)
	d.sources.Break("stay", enginetest.Fault{Code: tutti.Unavailable})
	for i, l := range d.engine.LearnMany(context.Background(), d.compile(page(arrivalDoc)), atAzul(), []tutti.Context{ana(), ana()}) {
		if len(l.Problems) != 2 || l.Problems[0].Code != tutti.Unavailable {
			t.Errorf("%d: %v", i, l.Problems)
		}
	}
	if got := d.engine.LearnMany(context.Background(), d.compile(page(arrivalDoc)), atAzul(), nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
