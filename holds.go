package tutti

import (
	"cmp"
	"slices"
	"time"
)

// Holds says until when and where the decisions about a page stay as they are, while all else that
// is known stays the same.
type Holds struct {
	Until  time.Time       // the next instant at which time alone changes them; zero = never
	Place  PlaceDependence // how they depend on the visitor's place
	Within []Circle        // of PlaceByDistance: they hold as long as the place stays on the told side of each
}

// PlaceDependence is how decisions depend on the visitor's place.
type PlaceDependence string

// The ways to depend on a place. The later ones say less.
const (
	PlaceNone       PlaceDependence = "NONE"      // not at all
	PlaceByDistance PlaceDependence = "DISTANCE"  // by distances from places that are known
	PlaceNotGiven   PlaceDependence = "NOT_GIVEN" // somehow, and no place was given
	PlaceAnyMove    PlaceDependence = "ANY_MOVE"  // in another way: any move may change them
)

var placeDependences = []PlaceDependence{PlaceNone, PlaceByDistance, PlaceNotGiven, PlaceAnyMove}

// Circle is one side of a circle on the earth: what is nearer to the centre than the radius, or what
// is farther. The line itself belongs to neither.
type Circle struct {
	Centre Place
	Radius float64 // in metres, as Place.DistanceTo measures
	Inside bool
}

// Holds reports whether a place is on this side.
func (c Circle) Holds(p Place) bool {
	if d := c.Centre.DistanceTo(p); c.Inside {
		return d < c.Radius
	} else {
		return d > c.Radius
	}
}

// Hold reports whether the decisions are promised to be the same at a place (nil: none is given) and
// an instant not before the one that they were taken at.
func (h Holds) Hold(p *Place, at time.Time) bool {
	if !h.Until.IsZero() && !at.Before(h.Until) {
		return false
	}
	switch h.Place {
	case PlaceNone:
		return true
	case PlaceByDistance:
		return p != nil && !slices.ContainsFunc(h.Within, func(c Circle) bool { return !c.Holds(*p) })
	}
	return false
}

// NewHolds puts circles in a fixed order, without those that others imply.
func NewHolds(until time.Time, place PlaceDependence, within []Circle) Holds {
	h := Holds{Until: until, Place: place}
	if place != PlaceByDistance {
		return h
	}
	within = slices.Clone(within)
	slices.SortFunc(within, func(a, b Circle) int {
		return cmp.Or(cmp.Compare(a.Centre.Lat, b.Centre.Lat), cmp.Compare(a.Centre.Lon, b.Centre.Lon), sides(a, b), cmp.Compare(a.Radius, b.Radius))
	})
	for i, c := range within {
		last := len(h.Within) - 1
		switch {
		case i == 0 || within[i-1].Centre != c.Centre || within[i-1].Inside != c.Inside:
			h.Within = append(h.Within, c)
		case !c.Inside:
			h.Within[last] = c // farther from one centre than the longest of all radiuses
		}
	}
	return h
}

func sides(a, b Circle) int {
	switch {
	case a.Inside == b.Inside:
		return 0
	case a.Inside:
		return 1
	}
	return -1
}

// Join is what holds as long as both do.
func (h Holds) Join(o Holds) Holds {
	if h.Until.IsZero() || !o.Until.IsZero() && o.Until.Before(h.Until) {
		h.Until = o.Until
	}
	if slices.Index(placeDependences, o.Place) > slices.Index(placeDependences, h.Place) {
		h.Place = o.Place
	}
	return NewHolds(h.Until, h.Place, append(slices.Clip(h.Within), o.Within...))
}
