package graph

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// attributeType is how one type of attribute stands in the schema, and how a value that came as
// JSON or as a literal becomes the Go value that tutti.AttributeType promises.
type attributeType struct {
	graphQL string
	right   string // what would be right, for hints
	read    func(v any) (any, bool)
}

var attributeTypes = map[tutti.AttributeType]attributeType{
	tutti.StringType: {"String", `Write a string, for example "gold".`, func(v any) (any, bool) { _, ok := v.(string); return v, ok }},
	tutti.BoolType:   {"Boolean", "Write true or false.", func(v any) (any, bool) { _, ok := v.(bool); return v, ok }},
	tutti.IntType:    {"Int", "Write a whole number, for example 3.", readInt},
	tutti.DoubleType: {"Float", "Write a number, for example 1.5.", readFloat},
	tutti.TimestampType: {"DateTime", `Write an instant with a zone, for example "2026-11-21T09:00:00Z".`, func(v any) (any, bool) {
		s, _ := v.(string)
		t, err := time.Parse(time.RFC3339Nano, s)
		return t, err == nil
	}},
	tutti.PlaceType: {"PlaceInput", "Write {lat: …, lon: …} in degrees, for example {lat: 43.26, lon: -2.93}.", readPlace},
	tutti.ListType:  {"[String!]", `Write a list of strings, for example ["spa", "pool"].`, readList},
}

// readAttribute makes the Go value of an attribute from v. The error names no value: it may be
// personal. Its Field is empty.
func readAttribute(a tutti.Attribute, v any) (any, *tutti.Error) {
	t := attributeTypes[a.Type]
	got, ok := t.read(v)
	if !ok {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Message: "the attribute " + a.Name + " is of type " + string(a.Type) + ".", Hint: t.right}
	}
	if len(a.Values) > 0 && !allowed(got, a.Values) {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Message: "the attribute " + a.Name + " does not take this value.", Hint: "One of: " + strings.Join(a.Values, ", ") + "."}
	}
	return got, nil
}

func allowed(v any, values []string) bool {
	in := func(s string) bool {
		for _, x := range values {
			if x == s {
				return true
			}
		}
		return false
	}
	switch v := v.(type) {
	case string:
		return in(v)
	case []string:
		for _, s := range v {
			if !in(s) {
				return false
			}
		}
	}
	return true
}

func readInt(v any) (any, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case json.Number:
		if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
			return i, true
		}
		f, err := n.Float64()
		return readWhole(f, err == nil)
	case float64:
		return readWhole(n, true)
	}
	return nil, false
}

func readWhole(f float64, ok bool) (any, bool) {
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return nil, false
	}
	return int64(f), true
}

func readFloat(v any) (any, bool) {
	switch n := v.(type) {
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return nil, false
}

func readPlace(v any) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 2 {
		return nil, false
	}
	lat, latOK := readFloat(m["lat"])
	lon, lonOK := readFloat(m["lon"])
	if !latOK || !lonOK {
		return nil, false
	}
	p := tutti.Place{Lat: lat.(float64), Lon: lon.(float64)}
	return p, p.Valid()
}

func readList(v any) (any, bool) {
	switch l := v.(type) {
	case string: // a single value stands for a list of one, as GraphQL has it
		return []string{l}, true
	case []string:
		return l, true
	case []any:
		list := make([]string, len(l))
		for i, e := range l {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			list[i] = s
		}
		return list, true
	}
	return nil, false
}
