package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// whole writes everything of an experience that answers are made of.
func whole(x *tutti.Experience) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %q %v\n%s", x.ID, x.Title, x.Description, x.Freshness, show(x))
	var slots func(list []*tutti.Slot)
	slots = func(list []*tutti.Slot) {
		for _, s := range list {
			for _, c := range s.Components {
				fmt.Fprintf(&b, "%s %s %s of %s %v\n", s.Name, c.ID, c.Path, c.Parent, c.Origins)
				for _, name := range c.Order {
					if l, ok := c.Props[name].(*tutti.List); ok {
						fmt.Fprintf(&b, " %d %s %s\n", len(l.Nodes), l.CursorAt(1), l.Next())
					}
				}
				slots(c.Slots)
			}
		}
	}
	slots(x.Slots)
	return b.String()
}

// TestARoomIsNobodysOnceItIsGivenBack: many assemble different pages at once, each in the room of
// another before it, and what they write is what is written of a page with memory of its own.
func TestARoomIsNobodysOnceItIsGivenBack(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	var pages []tutti.Plan
	for _, channel := range []string{"web", "mobile", "voice", "chat"} {
		pages = append(pages, arrival(h, channel), markedPlan(h, channel))
	}
	pages = append(pages, ticketPage(h, guest(7), "R-1007"), ticketPage(h, guest(8), "R-1007"))
	fills := func(i int) tutti.Fills {
		return tutti.Fills{"name": fmt.Sprint("Guest ", i), "other": fmt.Sprint("Another ", i), "url/name": "n", "url?name": "m"}
	}
	want := make([]string, len(pages))
	for i, p := range pages {
		want[i] = whole(h.Fill(h.assemble(p, engine.Everything()), fills(i)))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 3 * len(pages) {
				i %= len(pages)
				room := engine.BorrowRoom()
				x, err := h.AssembleIn(context.Background(), room, pages[i], engine.Everything())
				if err != nil {
					t.Error(err)
					return
				}
				if got := whole(h.FillMade(x, fills(i))); got != want[i] {
					t.Errorf("page %d:\n%s\nwith memory of its own:\n%s", i, got, want[i])
				}
				room.GiveBack()
			}
		})
	}
	all.Wait()
}

// TestAPlanIsNobodysOnceItIsForgotten: the same of plans.
func TestAPlanIsNobodysOnceItIsForgotten(t *testing.T) {
	d := newDesk(t)
	var compiled []*engine.Compiled
	for _, doc := range []string{offers, offersWithout} {
		compiled = append(compiled, d.compile(page(doc)))
	}
	v, params := ana(), atAzul()
	var facts []tutti.Facts
	var want []string
	var held []tutti.Plan // that were not forgotten
	for _, c := range compiled {
		f, _ := d.engine.Learn(context.Background(), c, params, v)
		plan, _ := c.Decide(params, v, f)
		facts, want, held = append(facts, f), append(want, dump(plan)), append(held, plan)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 20 {
				i %= len(compiled)
				deciding := compiled[i].Deciding(params, v, facts[i])
				deciding.Sign(nil)
				plan, _ := deciding.Decide()
				if got := dump(plan); got != want[i] {
					t.Errorf("plan %d:\n%s\nwith memory of its own:\n%s", i, got, want[i])
				}
				deciding.Forget()
				deciding.End()
			}
		})
	}
	all.Wait()
	for i, plan := range held {
		if got := dump(plan); got != want[i] {
			t.Errorf("plan %d, that was held, became\n%s\nof\n%s", i, got, want[i])
		}
	}
}
