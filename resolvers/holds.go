package resolvers

import (
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// holds tells until when and where the decisions for a request hold; nil where nobody asks.
func holds(need engine.Need, c *engine.Compiled, until time.Time, params tutti.Params, v tutti.Context, f tutti.Facts) *tutti.Holds {
	if !need.Holds {
		return nil
	}
	h := c.Holds(until, params, v, f)
	return &h
}

func holdsObject(h *tutti.Holds) any {
	if h == nil {
		return nil
	}
	var within any
	switch h.Place {
	case tutti.PlaceNone, tutti.PlaceByDistance:
		circles := make([]graph.Object, len(h.Within))
		for i, c := range h.Within {
			circles[i] = fields{"Circle", map[string]any{"lat": c.Centre.Lat, "lon": c.Centre.Lon, "radiusMeters": c.Radius, "inside": c.Inside}}
		}
		within = circles
	}
	return fields{"Holds", map[string]any{"until": instant(h.Until), "within": within, "place": string(h.Place)}}
}
