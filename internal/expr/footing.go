package expr

import (
	"slices"

	"cel.dev/cel-go/common/ast"

	"github.com/tuttihq/tutti"
)

// How is how a value depends on the visitor's place. The later ones say less.
type How uint8

// The ways to depend on the visitor's place.
const (
	Firm       How = iota // not at all: it is the same wherever the visitor is, and when nobody knows
	OnCircles             // it is the same while the place stays on the told side of some circles
	OnDistance            // it is the distance from a fixed place
	OnPlace               // it is the place
	Placeless             // somehow, and no place is known
	Loose                 // in another way: any move may change it
)

// Footing says how a value depends on the visitor's place. The zero value: not at all.
type Footing struct {
	How     How
	Circles []tutti.Circle // of OnCircles

	centre tutti.Place // of OnDistance: from where, as it may be told
	off    float64     // how far the true centre may be from there
	metres float64     // how far the visitor is from there
}

// Moving is what is known of one request whose visitor may move.
type Moving interface {
	Known
	// Footing says how the value of a name depends on the visitor's place.
	Footing(name string) Footing
	// Centre gives a place that distances are measured from, as it may be told, and how many metres
	// that is off at most; false when it may not be told.
	Centre(name string) (told tutti.Place, off float64, ok bool)
}

// Footing says how the outcome depends on the visitor's place. Where the outcome of a condition is
// sure without a part of it, that part does not count. It never says that less matters than does.
func (p *Rule) Footing(k Moving) Footing {
	switch {
	case p.simple != nil:
		_, f := p.simple.footing(k)
		return f
	case p.single != "":
		return k.Footing(p.single)
	case p.measured != nil:
		return p.measured.footing(k)
	}
	var all Footing
	for _, n := range p.rests {
		_, f := n.footing(k)
		all = all.With(f)
	}
	for _, name := range p.loose {
		all = all.With(k.Footing(name))
	}
	return all
}

// divide notes the largest conditions in an expression that run fast, and what is read besides. As
// long as these conditions and names are the same, so is the outcome.
func (p *Rule) divide(a *ast.AST) {
	var seen []string
	var walk func(e ast.NavigableExpr, within bool)
	walk = func(e ast.NavigableExpr, within bool) {
		if name, ok := nameIn(a, e); ok {
			seen = append(seen, name)
			if !within {
				p.loose = append(p.loose, name)
			}
			return
		}
		if e.Kind() == ast.CallKind && !within {
			if n := simplify(a, e); n != nil {
				p.rests, within = append(p.rests, n), true
			}
		}
		for _, child := range e.Children() {
			walk(child, within)
		}
	}
	walk(ast.NavigateAST(a), false)
	for _, name := range p.reads {
		if !slices.Contains(seen, name) {
			p.loose = append(p.loose, name)
		}
	}
}

// With joins what two values depend on, where neither is told more exactly than by circles.
func (f Footing) With(g Footing) Footing {
	f, g = f.Same(), g.Same()
	if g.How > f.How {
		f, g = g, f
	}
	if f.How == OnCircles {
		f.Circles = append(slices.Clip(f.Circles), g.Circles...)
	}
	return f
}

// Same says how it depends on the place whether the value is exactly the same.
func (f Footing) Same() Footing {
	if f.How == OnDistance || f.How == OnPlace {
		return Footing{How: Loose}
	}
	return f
}

// Between says how it depends on the place whether a distance is from ≤ … < to.
func (f Footing) Between(from, to float64) Footing {
	if f.How != OnDistance {
		return f.Same()
	}
	return f.circle(from).With(f.circle(to))
}

// halfway is more than the longest distance on the earth.
const halfway = 20_015_200

// circle says how it depends on the place whether a distance is less than so much, as much, or more.
func (f Footing) circle(metres float64) Footing {
	if metres < 0 || metres > halfway {
		return Footing{}
	}
	c := tutti.Circle{Centre: f.centre, Radius: metres, Inside: f.metres < metres}
	if f.off > 0 {
		c.Radius += f.off
		if c.Inside {
			c.Radius = metres - f.off
		}
		if c.Inside != (f.metres < c.Radius) {
			return Footing{How: Loose} // too near to the line to tell the side
		}
	}
	return Footing{How: OnCircles, Circles: []tutti.Circle{c}}
}

func (m *measuring) footing(k Moving) Footing {
	var from, to *placed
	missing := false
	for i := range m {
		how := Firm
		if m[i].name != "" {
			how = k.Footing(m[i].name).How
		} // params are as firm as numbers
		switch how {
		case Firm:
			if _, known := m[i].at(k); known == dunno {
				return Footing{} // wherever the visitor is
			}
			from = &m[i]
		case Placeless:
			missing = true
		case OnPlace:
			to = &m[i]
		default:
			return Footing{How: Loose}
		}
	}
	switch {
	case missing:
		return Footing{How: Placeless}
	case to == nil:
		return Footing{}
	case from == nil:
		return Footing{How: Loose}
	}
	return m.from(from, to, k)
}

// from is the footing of the distance of a fixed place from the visitor's.
func (m *measuring) from(from, to *placed, k Moving) Footing {
	f := Footing{How: OnDistance}
	var known truth
	if f.centre, known = from.at(k); known == yes && from.name != "" {
		var ok bool
		if f.centre, f.off, ok = k.Centre(from.name); !ok {
			known = askCEL
		}
	}
	here, placed := to.at(k)
	if known != yes || placed != yes {
		return Footing{How: Loose}
	}
	f.metres = f.centre.DistanceTo(here)
	return f
}

func (n nearness) footing(k Moving) (truth, Footing) {
	return n.eval(k), n.beside(n.of.footing(k))
}

func (n comparison) footing(k Moving) (truth, Footing) {
	return n.eval(k), n.beside(k.Footing(n.name))
}

// beside says how comparing a value with the constant depends on the place.
func (n comparison) beside(f Footing) Footing {
	if f.How == OnDistance {
		switch v := n.value.(type) {
		case float64:
			return f.circle(v)
		case int64:
			return f.circle(float64(v))
		}
	}
	return f.Same()
}

func (n isTrue) footing(k Moving) (truth, Footing)   { return n.eval(k), k.Footing(n.name).Same() }
func (n oneOf) footing(k Moving) (truth, Footing)    { return n.eval(k), k.Footing(n.name).Same() }
func (n contains) footing(k Moving) (truth, Footing) { return n.eval(k), k.Footing(n.name).Same() }

func (n sameAs) footing(k Moving) (truth, Footing) {
	return n.eval(k), k.Footing(n.name).With(k.Footing(n.other))
}

func (n negate) footing(k Moving) (truth, Footing) {
	_, f := n.x.footing(k)
	return n.eval(k), f
}

func (n both) footing(k Moving) (truth, Footing) {
	return n.eval(k), joint(n.x, n.y, no, k)
}

func (n either) footing(k Moving) (truth, Footing) {
	return n.eval(k), joint(n.x, n.y, yes, k)
}

// joint is the footing of two conditions, of which one that is decisive is enough.
func joint(x, y node, decisive truth, k Moving) Footing {
	tx, fx := x.footing(k)
	ty, fy := y.footing(k)
	switch {
	case tx == decisive && (ty != decisive || fx.How < fy.How || fx.How == fy.How && len(fx.Circles) <= len(fy.Circles)):
		return fx
	case ty == decisive:
		return fy
	}
	return fx.With(fy)
}
