package expr

import (
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/tuttihq/tutti"
)

// Distances between a place that is known of the visitor and a fixed one, or one that is learned,
// are measured here; TestMeasuredDistancesAgreeWithCEL holds this and CEL together.

// measuring is a distance between two places. Nil needs CEL.
type measuring [2]placed

// placed is a place: fixed, or the value of a name when there is one.
type placed struct {
	name     string
	fixed    tutti.Place
	lat, lon string // params that stand for the numbers of fixed; "" for none
}

// measure gives the fast form of an expression that is a distance, nil when it is something else.
func measure(a *ast.AST, e ast.Expr) *measuring {
	if e.Kind() != ast.CallKind {
		return nil
	}
	ref, args := a.ReferenceMap()[e.ID()], e.AsCall().Args()
	if ref == nil || len(ref.OverloadIDs) != 1 || ref.OverloadIDs[0] != "geo_distance_map_map" || len(args) != 2 {
		return nil
	}
	var m measuring
	for i, arg := range args {
		name, ok := nameIn(a, arg)
		if !ok {
			if m[i], ok = fixedPlace(a, arg); !ok {
				return nil
			}
			continue
		}
		m[i].name = name
	}
	return &m
}

// fixedPlace reads {'lat': 43.26, 'lon': -2.93}, where params may stand for the numbers.
func fixedPlace(a *ast.AST, e ast.Expr) (p placed, ok bool) {
	if e.Kind() != ast.MapKind || len(e.AsMap().Entries()) != 2 {
		return p, false
	}
	found := map[any]bool{}
	for _, entry := range e.AsMap().Entries() {
		m := entry.AsMapEntry()
		axis, _ := constant(m.Key())
		found[axis] = true
		number, name := &p.fixed.Lat, &p.lat
		if axis == "lon" {
			number, name = &p.fixed.Lon, &p.lon
		}
		param, isName := nameIn(a, m.Value())
		switch v, _ := constant(m.Value()); v := v.(type) {
		case float64:
			*number = v
		case int64:
			*number = float64(v)
		default:
			if !isName || !strings.HasPrefix(param, "params.") {
				return p, false
			}
			*name = param
		}
	}
	return p, found["lat"] && found["lon"] && p.fixed.Valid()
}

// at gives the place, and askCEL or dunno instead of yes when it does not know.
func (p *placed) at(k Known) (place tutti.Place, known truth) {
	place = p.fixed
	if p.name != "" {
		v, ok := k.ResolveName(p.name)
		if !ok {
			return place, dunno
		}
		if place, ok = v.(tutti.Place); !ok {
			return place, askCEL
		}
	}
	if known = paramNumber(k, p.lat, &place.Lat); known == yes {
		known = paramNumber(k, p.lon, &place.Lon)
	}
	if known == yes && !place.Valid() {
		known = askCEL
	}
	return place, known
}

// paramNumber puts in what a name stands for; "" stands for nothing.
func paramNumber(k Known, name string, into *float64) truth {
	if name == "" {
		return yes
	}
	switch v, ok := k.ResolveName(name); n := v.(type) {
	case float64:
		*into = n
	case int64:
		*into = float64(n)
	default:
		if ok {
			return askCEL
		}
		return dunno
	}
	return yes
}

// nearness compares a distance with a constant.
type nearness struct {
	of *measuring
	comparison
}

func (n nearness) eval(k Known) truth {
	metres, known := n.of.eval(k)
	if known != yes {
		return known
	}
	return n.compared(metres)
}

// eval gives the distance in metres, and askCEL or dunno instead of yes when it does not know.
func (m *measuring) eval(k Known) (float64, truth) {
	from, known := m[0].at(k)
	if known != yes {
		return 0, known
	}
	to, known := m[1].at(k)
	if known != yes {
		return 0, known
	}
	return from.DistanceTo(to), yes
}
