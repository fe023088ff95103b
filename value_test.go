package tutti_test

import (
	"testing"

	"github.com/tuttihq/tutti"
	"pgregory.net/rapid"
)

// A place is never farther from what plans hold of it than told, and the told figure says no more
// about the place than that.
func TestQuantisedPlacesAreAsNearAsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tutti.Place{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon")}
		n := rapid.IntRange(1, 9).Draw(t, "precision")
		q := p.Quantise(n)
		if off := p.QuantisedOff(n); q.DistanceTo(p) > off || off != q.QuantisedOff(n) {
			t.Fatalf("%v is %g m from %v, told %g and %g", p, q.DistanceTo(p), q, off, q.QuantisedOff(n))
		}
	})
}
