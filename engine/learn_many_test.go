package engine_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
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

// narrow are sources whose system answers only so many refs at once, as one with a call for each.
type narrow struct {
	*enginetest.Sources
	most  int
	code  tutti.Code
	until time.Time // answers nothing before; zero = answers
	asked []int
}

func (n *narrow) Get(ctx context.Context, refs []tutti.Ref, scope tutti.Scope) []tutti.Got {
	n.asked = append(n.asked, len(refs))
	got := n.Sources.Get(ctx, refs, scope)
	for i := range got {
		if i >= n.most || time.Now().Before(n.until) {
			got[i] = tutti.Got{Err: n.code}
		}
	}
	return got
}

func TestLearnManyAsksASlowSourceInSmallerBites(t *testing.T) {
	for _, c := range []struct {
		code  tutti.Code
		most  int
		asked []int
		known int
	}{
		{tutti.Timeout, 1000, []int{100, 20}, 120},
		{tutti.Timeout, 60, []int{100, 20, 25, 15}, 120},
		{tutti.Timeout, 5, []int{100, 20, 25, 25, 25, 25, 10, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 1}, 0},
		{tutti.Unavailable, 0, []int{100, 20}, 0}, // it answers nothing: it is left alone
	} {
		t.Run(fmt.Sprint(c.code, c.most), func(t *testing.T) {
			d := newDesk(t)
			slow := &narrow{Sources: deskSources(), most: c.most, code: c.code}
			var all []tutti.Context
			for n := range 120 {
				name, v := fmt.Sprint("R-", n), ana()
				slow.Put(tutti.Resource{Ref: ref("stay:reservation/" + name), Owner: v.Visitor, Fields: tutti.FieldsOf(map[string]any{"status": "confirmed"})})
				v.Attributes = map[string]any{"reservation": name}
				all = append(all, v)
			}
			var err error
			if d.engine, err = engine.New(deskConfig(), slow); err != nil {
				t.Fatal(err)
			}
			c2 := d.compile(page(`- {id: a, type: List, props: {size: small}, variants: [{name: v, rule: "stay.status == 'confirmed'", hide: true}]}`))
			known := 0
			for _, l := range d.engine.LearnMany(context.Background(), c2, nil, all) {
				if l.Facts.Values["stay.status"] != nil {
					known++
				} else if len(l.Problems) != 1 || l.Problems[0].Code != c.code {
					t.Errorf("unknown, and told: %v", l.Problems)
				}
			}
			if !slices.Equal(slow.asked, c.asked) {
				t.Errorf("asked for %v, want %v", slow.asked, c.asked)
			}
			if c.known > 0 && known != c.known || c.most == 0 && known > 0 {
				t.Errorf("%d are known", known)
			}
		})
	}
}

func TestLearnManyWaitsForASourceThatAskedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		slow := &narrow{Sources: deskSources(), most: 100, code: tutti.RateLimited, until: time.Now().Add(1500 * time.Millisecond)}
		var err error
		if d.engine, err = engine.New(deskConfig(), slow); err != nil {
			t.Fatal(err)
		}
		learned := d.engine.LearnMany(context.Background(), d.compile(page(arrivalDoc)), atAzul(), []tutti.Context{ana()})
		if learned[0].Facts.Values["stay.guestName"] != anaName {
			t.Errorf("%v", learned[0].Problems)
		}
	})
}
