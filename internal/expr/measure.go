package expr

import (
	"cel.dev/cel-go/common/ast"

	"github.com/tuttihq/tutti"
)

// Distances between a place that is known of the visitor and a fixed one, or one that is learned,
// are measured here; TestMeasuredDistancesAgreeWithCEL holds this and CEL together.

// measuring is a distance between two places. Nil needs CEL.
type measuring [2]placed

// placed is a place: fixed, or the value of a name when there is one.
type placed struct {
	name  string
	fixed tutti.Place
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
			if m[i].fixed, ok = fixedPlace(arg); !ok {
				return nil
			}
		}
		m[i].name = name
	}
	return &m
}

// fixedPlace reads {'lat': 43.26, 'lon': -2.93}.
func fixedPlace(e ast.Expr) (p tutti.Place, ok bool) {
	if e.Kind() != ast.MapKind || len(e.AsMap().Entries()) != 2 {
		return p, false
	}
	found := map[string]bool{}
	for _, entry := range e.AsMap().Entries() {
		m := entry.AsMapEntry()
		name, _ := constant(m.Key())
		var n float64
		switch v, _ := constant(m.Value()); v := v.(type) {
		case float64:
			n = v
		case int64:
			n = float64(v)
		default:
			return p, false
		}
		switch name {
		case "lat":
			p.Lat = n
		case "lon":
			p.Lon = n
		default:
			return p, false
		}
		found[name.(string)] = true
	}
	return p, len(found) == 2 && p.Valid()
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
	var places [2]tutti.Place
	for i, p := range m {
		places[i] = p.fixed
		if p.name == "" {
			continue
		}
		v, ok := k.ResolveName(p.name)
		if !ok {
			return 0, dunno
		}
		if places[i], ok = v.(tutti.Place); !ok || !places[i].Valid() {
			return 0, askCEL
		}
	}
	return places[0].DistanceTo(places[1]), yes
}
