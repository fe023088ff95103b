package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// partsDesk has a type of component with room for any others, and a picture for each of two rooms.
func partsDesk(t *testing.T) *desk {
	d := newDesk(t, func(c *engine.Config) {
		c.ComponentTypes = append(slices.Clone(c.ComponentTypes), tutti.ComponentType{
			Name: "Shelf", Version: 1, Props: []tutti.PropDefinition{{Name: "headline", Type: tutti.PropText}}, Slots: []tutti.SlotDefinition{{Name: "inner"}},
		})
	})
	for _, room := range []string{anaRoom, "7"} {
		d.sources.Put(tutti.Resource{Ref: ref("dam:asset/" + room), Type: tutti.AssetType, Fields: tutti.FieldsOf(map[string]any{"alt": "Room " + room})})
	}
	return d
}

const (
	ownPicture = `{id: %s, type: Hero, props: {headline: Yours, image: {ref: "='dam:asset/' + stay.room"}}}`
	anybodys   = `{id: %s, type: Hero, props: {headline: {bind: hotel.title}}}`
	named      = `{id: %s, type: Hero, props: {headline: {text: "Hello ${stay.guestName}"}}}`
)

// shelf is a component with others inside.
func shelf(id, more string, inside ...string) string {
	return "{id: " + id + ", type: Shelf" + more + ", slots: [{id: " + id + "-inner, name: inner, components: [" + strings.Join(inside, ", ") + "]}]}"
}

func as(component, id string) string { return fmt.Sprintf(component, id) }

// TestWhichPartsAPageHas: those at the top, and below what has something of one visitor's alone
// inside. What others share has one key for everybody, and the same as its parent has.
func TestWhichPartsAPageHas(t *testing.T) {
	d := partsDesk(t)
	for name, c := range map[string]struct {
		page   string
		shared []string // by the components that they are of
		own    []string
	}{
		"nothing of his":         {shelf("box", "", as(anybodys, "a"), as(named, "b")), []string{"box"}, nil},
		"at the top":             {shelf("box", "", as(anybodys, "a")) + "\n- " + as(ownPicture, "his"), []string{"box"}, []string{"his"}},
		"inside":                 {shelf("box", "", as(anybodys, "a"), as(ownPicture, "his"), as(named, "b")), []string{"a", "b"}, []string{"his"}},
		"deeper":                 {shelf("box", "", shelf("deep", "", as(anybodys, "a"), as(ownPicture, "his")), shelf("other", "", as(anybodys, "b"))), []string{"a", "other"}, []string{"his"}},
		"inside of what is his":  {shelf("box", `, props: {headline: Yours}, each: {refs: ["='dam:asset/' + stay.room"]}`, as(anybodys, "a"), as(ownPicture, "his")), nil, []string{"box"}},
		"inside of what is many": {shelf("box", `, each: {select: {source: stay, kind: hotel}}`, as(anybodys, "a"), as(ownPicture, "his")), nil, []string{"box"}},
		"inside of what has his name": {
			shelf("box", `, props: {headline: {text: "Hello ${stay.guestName}"}}`, as(anybodys, "a"), as(ownPicture, "his")), nil, []string{"box"},
		},
	} {
		compiled := d.compile(page("- " + c.page))
		keys := func(room string) (all map[string]string, apart []string) {
			all = map[string]string{}
			plan, _ := compiled.Decide(atAzul(), anonymous(), tutti.Facts{Values: map[string]any{"stay.room": room, "stay.guestName": "Guest " + room}})
			engine.EachPart(nil, &plan, true, func(key []byte, cp *tutti.ComponentPlan) {
				all[cp.Component] = string(key)
				if cp.Apart {
					apart = append(apart, cp.Component)
				}
			})
			return all, apart
		}
		one, apart := keys(anaRoom)
		other, _ := keys("7")
		var shared, own []string
		for id, key := range one {
			if other[id] == key {
				shared = append(shared, id)
			} else {
				own = append(own, id)
			}
			if strings.Contains(key, anaRoom) {
				t.Errorf("%s: the key of %s tells of the visitor: %q", name, id, key)
			}
		}
		slices.Sort(shared)
		slices.Sort(own)
		if !slices.Equal(shared, c.shared) || !slices.Equal(own, c.own) || len(one) != len(other) {
			t.Errorf("%s: shared %v, own %v, want %v and %v", name, shared, own, c.shared, c.own)
		}
		if top := strings.HasPrefix(name, "at") || strings.HasPrefix(name, "nothing") || strings.HasPrefix(name, "inside of"); top != (apart == nil) {
			t.Errorf("%s: apart are %v", name, apart)
		}
	}
}

// TestAPartInsideStandsForWhatItWasMadeOf: the page of one visitor, made with what was made for
// another, is that of the first alone.
func TestAPartInsideStandsForWhatItWasMadeOf(t *testing.T) {
	d := partsDesk(t)
	compiled := d.compile(page("- " + shelf("box", "", as(anybodys, "a"), shelf("deep", "", as(ownPicture, "his"), as(anybodys, "b")), as(named, "c"))))
	type made struct {
		plan  tutti.Plan
		keys  map[*tutti.ComponentPlan]string
		parts map[string]*tutti.Part
		x     *tutti.Experience
	}
	make := func(room string, ready map[string]*tutti.Part) made {
		t.Helper()
		m := made{keys: map[*tutti.ComponentPlan]string{}, parts: map[string]*tutti.Part{}}
		m.plan, _ = compiled.Decide(atAzul(), anonymous(), tutti.Facts{Values: map[string]any{"stay.room": room, "stay.guestName": "Guest " + room}})
		engine.EachPart(nil, &m.plan, true, func(key []byte, cp *tutti.ComponentPlan) {
			m.keys[cp] = string(key)
			cp.Ready = ready[string(key)]
		})
		var err error
		if m.x, err = d.engine.Assemble(t.Context(), m.plan, engine.Everything()); err != nil || len(m.x.Problems) > 0 {
			t.Fatal(err, m.x)
		}
		for _, p := range m.x.Made {
			if key, ok := m.keys[p.Of]; ok {
				m.parts[key] = p
			}
		}
		return m
	}
	write := func(x *tutti.Experience) string {
		var b strings.Builder
		for _, c := range x.Components {
			fmt.Fprintf(&b, "%s %s in %s of %s, %v: %v %v\n", c.Component, c.ID, c.Slot, c.Parent, c.Private, c.Props["headline"], c.Props["image"] != nil)
			for _, s := range c.Slots {
				for _, inside := range s.Components {
					fmt.Fprintf(&b, "  %s %s\n", s.Name, inside.ID)
				}
			}
		}
		return b.String() + x.ID
	}
	ana, alone := make(anaRoom, nil), make("7", nil)
	together := make("7", ana.parts)
	if got, want := write(together.x), write(alone.x); got != want {
		t.Errorf("with parts of another\n%s\nalone\n%s", got, want)
	}
	if len(ana.parts) != 4 || len(alone.parts) != 4 || len(together.parts) != 1 { // a, b, c and his; only his is made
		t.Errorf("made %d, %d and %d parts", len(ana.parts), len(alone.parts), len(together.parts))
	}
	for _, p := range together.x.Parts {
		if !p.Mixed || !p.Private {
			t.Errorf("the part at the top is mixed %v, private %v", p.Mixed, p.Private)
		}
	}
	for key, p := range ana.parts {
		if p.Private != strings.Contains(key, "private:") {
			t.Errorf("the part %q is private: %v", key, p.Private)
		}
	}
}

// TestWhatWasMadeIsFilledWhereItIs: filling in place comes to what Fill comes to, also where parts were
// ready, and leaves those as they are.
func TestWhatWasMadeIsFilledWhereItIs(t *testing.T) {
	d := partsDesk(t)
	compiled := d.compile(page("- " + shelf("box", `, props: {headline: {text: "For ${stay.guestName}"}}, actions: [{intent: GO, label: {en: "${stay.guestName}, go", de: geh}, href: "/for/${stay.guestName}"}]`, as(named, "a"), as(anybodys, "b")) +
		"\n- " + as(named, "c") + "\n- " + shelf("plain", "", as(named, "d"))))
	facts := tutti.Facts{Values: map[string]any{"stay.guestName": "Ana"}}
	assembled := func(ready map[string]*tutti.Part) (*tutti.Experience, tutti.Fills, map[string]*tutti.Part) {
		plan, _ := compiled.Decide(atAzul(), anonymous(), facts)
		for i := range plan.Slots[0].Components {
			cp := &plan.Slots[0].Components[i]
			cp.Ready = ready[cp.Component]
		}
		x, err := d.engine.Assemble(t.Context(), plan, engine.Everything())
		if err != nil {
			t.Fatal(err)
		}
		parts := map[string]*tutti.Part{}
		for _, p := range x.Made {
			parts[p.Of.Component] = p
		}
		return x, compiled.FillsOf(&plan, facts), parts
	}
	write := func(x *tutti.Experience) string {
		var b strings.Builder
		var all func(slots []*tutti.Slot)
		all = func(slots []*tutti.Slot) {
			for _, s := range slots {
				for _, c := range s.Components {
					fmt.Fprintf(&b, "%s %s of %s, %v: %v %v\n", c.Component, c.ID, c.Parent, c.Filled, c.Props["headline"], c.Actions)
					all(c.Slots)
				}
			}
		}
		all(x.Slots)
		for _, c := range x.Components {
			fmt.Fprintf(&b, "%s %s of %s, %v: %v %v\n", c.Component, c.ID, c.Parent, c.Filled, c.Props["headline"], c.Actions)
		}
		return b.String() + x.ID
	}
	holed, fills, parts := assembled(nil)
	before := write(holed)
	want := write(d.engine.Fill(holed, fills))
	if strings.Contains(want, tutti.HoleStart) || strings.Count(want, "Hello Ana") != 6 || !strings.Contains(want, "/for/Ana") {
		t.Fatalf("filled %s", want)
	}
	for _, ready := range [][]string{nil, {"box"}, {"c"}, {"c", "plain"}, {"box", "c", "plain"}} {
		some := map[string]*tutti.Part{}
		for _, id := range ready {
			some[id] = parts[id]
		}
		x, fills, _ := assembled(some)
		if got := write(d.engine.FillMade(x, fills)); got != want {
			t.Errorf("with %v ready:\n%s\nFill makes\n%s", ready, got, want)
		}
		if got := write(holed); got != before {
			t.Fatalf("with %v ready, it became\n%s\nof\n%s", ready, got, before)
		}
	}
}
