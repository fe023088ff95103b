package engine

import (
	"math"
	"time"

	"github.com/tuttihq/tutti"
)

// quantise makes an exact fact into what a plan may hold: numbers rounded down to a multiple of
// the declared step, instants to a multiple of seconds, places to the centre of their geohash
// cell. Rules see exact facts: only their truth goes into the plan.
func quantise(a *tutti.Attribute, v any) any {
	switch v := v.(type) {
	case int64:
		if step := int64(a.Step); step > 1 {
			down := v - v%step
			if v%step < 0 {
				down -= step
			}
			return down
		}
	case float64:
		if a.Step > 0 {
			return math.Floor(v/a.Step) * a.Step
		}
	case time.Time:
		if a.Step > 0 {
			return v.UTC().Truncate(time.Duration(a.Step * float64(time.Second)))
		}
	case tutti.Place:
		return v.Quantise(precision(a))
	}
	return v
}

// precision is the length of the geohashes that stand for places of an attribute.
func precision(a *tutti.Attribute) int {
	if a.Precision <= 0 {
		return 6
	}
	return a.Precision
}

// fine reports whether a value of the attribute in a plan makes about one page per visitor.
func fine(a *tutti.Attribute) bool {
	switch a.Type {
	case tutti.IntType, tutti.DoubleType, tutti.TimestampType:
		return a.Step == 0 && a.Param == ""
	case tutti.PlaceType:
		return a.Precision > 7
	}
	return false
}
