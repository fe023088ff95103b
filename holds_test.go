package tutti_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"pgregory.net/rapid"
)

var somePlaces = []tutti.Place{{}, {Lat: 0.001}, {Lat: 0.002, Lon: 0.001}, {Lon: 0.004}}

func anyHolds(t *rapid.T, label string) (tutti.Holds, []tutti.Circle) {
	var circles []tutti.Circle
	for range rapid.IntRange(0, 5).Draw(t, label+" circles") {
		circles = append(circles, tutti.Circle{
			Centre: rapid.SampledFrom(somePlaces[:2]).Draw(t, label+" centre"), Radius: float64(rapid.IntRange(0, 5).Draw(t, label+" radius")) * 100, Inside: rapid.Bool().Draw(t, label+" inside"),
		})
	}
	place, until := tutti.PlaceByDistance, time.Time{}
	if len(circles) == 0 {
		place = rapid.SampledFrom([]tutti.PlaceDependence{tutti.PlaceNone, tutti.PlaceNotGiven, tutti.PlaceAnyMove}).Draw(t, label)
	}
	if hour := rapid.IntRange(0, 3).Draw(t, label+" until"); hour > 0 {
		until = time.Date(2026, 11, 21, hour, 0, 0, 0, time.UTC)
	}
	return tutti.NewHolds(until, place, circles), circles
}

// Circles that others imply are left out, and what is joined holds no longer and nowhere else than
// both do.
func TestHoldsAreJoined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, circles := anyHolds(t, "a")
		b, _ := anyHolds(t, "b")
		both := a.Join(b)
		for _, p := range somePlaces {
			at := time.Date(2026, 11, 21, rapid.IntRange(0, 3).Draw(t, "hour"), 30, 0, 0, time.UTC)
			in := !slices.ContainsFunc(circles, func(c tutti.Circle) bool { return !c.Holds(p) })
			if sooner := a.Until.IsZero() || at.Before(a.Until); len(circles) > 0 && a.Hold(&p, at) != (in && sooner) {
				t.Fatalf("%+v of %+v at %v", a, circles, p)
			}
			if both.Hold(&p, at) != (a.Hold(&p, at) && b.Hold(&p, at)) || both.Hold(nil, at) != (a.Hold(nil, at) && b.Hold(nil, at)) {
				t.Fatalf("%+v and %+v make %+v at %v", a, b, both, p)
			}
		}
		if n := len(both.Within); n > 4 || both.Place != tutti.PlaceByDistance && n > 0 {
			t.Fatalf("%+v", both)
		}
	})
}
