package engine

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// here is the attribute that is the visitor's place.
const here = "location"

// Holds says until when and where the plan of a request stays the same, while all else that is known
// does. until is Plan.Until; the other input is that of Decide. Only what was looked at in deciding
// counts. The centres of circles are places in rules, and facts that are not personal, never where the
// visitor is. Pure, does no I/O; it costs about as much as Sign where rules of the composition read
// the place, else next to nothing.
func (c *Compiled) Holds(until time.Time, params tutti.Params, v tutti.Context, f tutti.Facts) tutti.Holds {
	e := c.engine
	if !c.needs.placed || !v.Consent.Given(e.attributes[here].Purpose) {
		return tutti.NewHolds(until, tutti.PlaceNone, nil)
	}
	d := c.Deciding(params, v, f).d
	defer d.giveBack()
	w := &watch{decider: d, consent: v.Consent, known: map[string]expr.Footing{}}
	d.watch = w
	if e.movingVisitors && len(c.needs.sources) > 0 {
		w.all.How = expr.Loose
	}
	if c.headMoves {
		d.words(c.title)
		d.words(c.description)
	}
	w.slots(c.slots, nil)
	return tutti.NewHolds(until, dependences[w.all.How], w.all.Circles)
}

// watch notes, while decisions are taken, what they depend on of the visitor's place.
type watch struct {
	*decider
	consent tutti.Consent
	known   map[string]expr.Footing // by name
	all     expr.Footing
}

var dependences = map[expr.How]tutti.PlaceDependence{
	expr.Firm: tutti.PlaceNone, expr.OnCircles: tutti.PlaceByDistance, expr.Placeless: tutti.PlaceNotGiven, expr.Loose: tutti.PlaceAnyMove,
}

// slots goes the way of Decide, and decides values only where some depend on the place.
func (w *watch) slots(nodes []slotNode, of *taken) {
	for i := range nodes {
		n := &nodes[i]
		if !of.has(n.name) {
			continue
		}
		components := n.components
		if taken, _ := w.choose(n.id, n.number, n.alternatives, nil); taken >= 0 {
			components = n.variants[taken].components
		}
		for _, c := range components {
			w.component(c)
		}
	}
}

func (w *watch) component(n *componentNode) {
	if n.excluded(w.channel) {
		return
	}
	t, shown := w.take(n)
	if !shown || t.body.moves && !w.body(n, t.body, &tutti.ComponentPlan{}) {
		return
	}
	w.slots(n.slots, &t)
}

// rule notes a condition that was tried; nil is none.
func (w *watch) rule(rule *expr.Rule) {
	if rule != nil {
		w.all = w.all.With(rule.Footing(w))
	}
}

// value notes a value that goes into the plan: quantised, or exactly where it is personal.
func (w *watch) value(x *expression) {
	for _, name := range x.reads {
		f := w.Footing(name)
		if a := w.c.engine.attributes[name]; f.How == expr.OnDistance && !x.personal && a.Step > 0 {
			v, _ := w.decider.ResolveName(name)
			metres, _ := v.(float64)
			from := math.Floor(metres/a.Step) * a.Step
			f = f.Between(from, from+a.Step)
		}
		w.all = w.all.With(f)
	}
}

// Footing says how a fact depends on the visitor's place.
func (w *watch) Footing(name string) expr.Footing {
	f, ok := w.known[name]
	if !ok {
		f = w.footing(name)
		w.known[name] = f
	}
	return f
}

func (w *watch) footing(name string) expr.Footing {
	if other, ok := strings.CutPrefix(name, "audience."); ok {
		if a := w.c.audiences.byName[other]; a != nil && a.rule != nil {
			return a.rule.Footing(w)
		}
		return expr.Footing{}
	}
	e := w.c.engine
	a := e.attributes[name]
	if !e.moving[name] || !w.consent.Given(a.Purpose) {
		return expr.Footing{}
	}
	if rule := e.derived[name]; rule != nil {
		return rule.Footing(w)
	}
	_, placed := w.facts.Values[here]
	switch {
	case !placed:
		return expr.Footing{How: expr.Placeless}
	case name == here:
		return expr.Footing{How: expr.OnPlace}
	}
	return expr.Footing{How: expr.Loose}
}

// Centre gives a place as it may be told: a public one exactly, one of a segment as plans hold it,
// a personal one never.
func (w *watch) Centre(name string) (told tutti.Place, off float64, ok bool) {
	v, _ := w.decider.ResolveName(name)
	p, ok := v.(tutti.Place)
	a := w.c.engine.attributes[name]
	if !ok || !p.Valid() || a == nil || a.Sensitivity == tutti.Personal {
		return tutti.Place{}, 0, false
	}
	if a.Sensitivity == tutti.Public {
		return p, 0, true
	}
	return p.Quantise(precision(a)), p.QuantisedOff(precision(a)), true
}

// findMoving notes which attributes depend on the visitor's place: what is derived of it, and what
// stands in records that are found by it, or under a name of the visitor that is.
func (e *Engine) findMoving() {
	e.moving = map[string]bool{here: true}
	moves := func(reads []string) bool {
		for _, name := range reads {
			if e.moving[name] {
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for _, x := range e.visitors {
			e.movingVisitors = e.movingVisitors || moves(x.reads)
		}
		for name, a := range e.attributes {
			if e.moving[name] {
				continue
			}
			x := e.enrichers[a.Enricher]
			if moves(e.reads(name)) || x != nil && (e.movingVisitors || moves(x.reads)) {
				e.moving[name], again = true, true
			}
		}
	}
}

// moves reports whether something that values are made of depends on the visitor's place.
func (c *Compiled) moves(in *inputs) bool {
	names := slices.Clone(in.names)
	for _, x := range slices.Concat(in.holes, in.owning) {
		names = append(names, x.reads...)
	}
	return c.move(names)
}

func (c *Compiled) move(names []string) bool {
	return slices.ContainsFunc(c.audiences.attributesOf(names), func(name string) bool { return c.engine.moving[name] })
}

func (b *body) noteMoves(c *Compiled) {
	if b == nil {
		return
	}
	b.moves = c.moves(&b.inputs)
	for i := range b.actions {
		if when := b.actions[i].when; when != nil {
			b.moves = b.moves || c.move(when.Reads())
		}
	}
}
