package engine

import (
	"strconv"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine/enginetest"
)

// fortyItems is a page of four rows with ten items each, every row from another source, behind a
// cache that has them all.
func fortyItems(b *testing.B) (*assembly, *tutti.Plan) {
	b.Helper()
	row := tutti.ComponentType{Name: "Row", Version: 1, Props: []tutti.PropDefinition{{Name: "items", Type: tutti.PropResources, First: 20}}}
	sources := &enginetest.Sources{Keep: true}
	p := &tutti.Plan{Composition: "page", Locale: "en", Slots: []tutti.SlotPlan{{ID: "main", Name: "main"}}}
	for i, kind := range []tutti.ResourceType{tutti.AssetType, tutti.ProductType, tutti.SocialPostType, tutti.ArticleType} {
		source := "s" + strconv.Itoa(i)
		sources.Add(tutti.Kind{Source: source, Name: "item", Type: kind, Access: tutti.AccessPublic})
		items := tutti.Value{Kind: tutti.RefsValue}
		for n := range 10 {
			ref := tutti.Ref{Source: source, Kind: "item", ID: strconv.Itoa(n)}
			sources.Put(tutti.Resource{Ref: ref, Fields: tutti.FieldsOf(map[string]any{"title": "The title of " + ref.ID, "link": "/" + ref.ID})})
			items.Refs = append(items.Refs, ref)
		}
		p.Slots[0].Components = append(p.Slots[0].Components, tutti.ComponentPlan{
			Key: source, Component: source, Type: "Row", Version: 1, Path: "slots.main[" + strconv.Itoa(i) + "]",
			Props: []tutti.PropPlan{{Definition: &row.Props[0], Values: []tutti.Value{items}}},
		})
	}
	e, err := New(Config{
		ComponentTypes: []tutti.ComponentType{row},
		Locales:        tutti.Locales{Default: "en", Names: []string{"en"}}, Secret: []byte("the deployment's secret"),
	}, sources)
	if err != nil {
		b.Fatal(err)
	}
	a, err := e.assembling.assembly(p, &Need{Components: ComponentNeed{Lists: map[string]ListNeed{"items": {First: 100}}}})
	if err != nil {
		b.Fatal(err)
	}
	return a, p
}

// Gathering alone: 40 refs of four sources that have them in memory, one wave.
func BenchmarkGather(b *testing.B) {
	a, p := fortyItems(b)
	gather := func() (there int) {
		r := rooms.Get().(*room)
		defer r.giveBack()
		g := newGathering(a.g.sources, a.g.budgets, a.g.scope, a.g.chain, 40, r)
		g.run(b.Context(), func() {
			there = 0
			for i := range p.Slots[0].Components {
				for _, ref := range p.Slots[0].Components[i].Props[0].Values[0].Refs {
					kind, _ := g.sources.Kind(ref.Source, ref.Kind)
					if e := g.lookup(ref, kind, 1); e.done && e.got.Resource != nil {
						there++
					}
				}
			}
		})
		return there
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := gather(); n != 40 {
			b.Fatalf("%d items are there", n)
		}
	}
}

// Shaping alone: the same page when everything is gathered, to what the projector gets.
func BenchmarkShape(b *testing.B) {
	a, p := fortyItems(b)
	shape := func() *tutti.Experience {
		a.room = rooms.Get().(*room) // that of the gathering stays
		defer a.room.giveBack()
		slot := a.slotJobs(&p.Slots[0], nil)
		a.g.run(b.Context(), func() { a.visit(slot) })
		d := delivery{a: a, x: &tutti.Experience{}, part: &tutti.Part{}}
		d.top(slot)
		d.finish()
		return d.x
	}
	if x := shape(); len(x.Components) != 4 || len(x.Problems) > 0 {
		b.Fatalf("%d components, problems %v", len(x.Components), x.Problems)
	}
	asked := a.g.asked
	b.Run("to be kept", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if x := shape(); len(x.Components) != 4 {
				b.Fatalf("%d components", len(x.Components))
			}
		}
	})
	b.Run("in a room that is lent", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			a.out = BorrowRoom()
			if x := shape(); len(x.Components) != 4 {
				b.Fatalf("%d components", len(x.Components))
			}
			a.out.GiveBack()
		}
	})
	if a.g.asked != asked {
		b.Fatal("something was gathered")
	}
}
