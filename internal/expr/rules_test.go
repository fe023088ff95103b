package expr_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

func rules(t testing.TB) *expr.Rules {
	r, err := expr.NewRules([]tutti.Attribute{
		{Name: "tier", Type: tutti.StringType, Values: []string{"silver", "gold"}},
		{Name: "distance", Type: tutti.DoubleType},
		{Name: "visits", Type: tutti.IntType},
		{Name: "member", Type: tutti.BoolType},
		{Name: "interests", Type: tutti.ListType},
		{Name: "location", Type: tutti.PlaceType},
		{Name: "hotel.location", Type: tutti.PlaceType},
		{Name: "stay.checkIn", Type: tutti.TimestampType},
		{Name: "stay.guest", Type: tutti.StringType},
	}, []string{"gold", "nearby"}, []tutti.Param{{Name: "hotel", Type: "ref"}, {Name: "count", Type: "int"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRulesAreThreeValued(t *testing.T) {
	r := rules(t)
	all := map[string]any{
		"tier": "gold", "distance": 800.0, "visits": int64(3), "member": true, "interests": []string{"sea", "spa"},
		"location": tutti.Place{Lat: 43.2630, Lon: -2.9350}, "hotel.location": tutti.Place{Lat: 43.2630, Lon: -2.9250},
		"stay.checkIn": time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC), "audience.gold": true, "params.hotel": "stay:hotel/azul", "params.count": int64(2),
	}
	for _, c := range []struct {
		src    string
		absent string
		want   tutti.Tri
	}{
		{`tier == 'gold'`, "", tutti.True},
		{`tier == 'silver'`, "", tutti.False},
		{`tier == 'gold'`, "tier", tutti.Unknown},
		{`tier != 'gold'`, "tier", tutti.Unknown},
		{`tier == 'gold' || distance < 1000`, "tier", tutti.True},
		{`tier == 'silver' && distance < 1000`, "distance", tutti.False},
		{`distance < 1000 && tier == 'silver'`, "distance", tutti.False},
		{`tier == 'gold' && distance < 1000`, "distance", tutti.Unknown},
		{`member || !member`, "member", tutti.Unknown},
		{`'sea' in interests`, "", tutti.True},
		{`'sea' in interests`, "interests", tutti.Unknown},
		{`interests.exists(i, i == 'spa')`, "", tutti.True},
		{`interests.exists(i, i == 'spa')`, "interests", tutti.Unknown},
		{`size(interests) > 1`, "interests", tutti.Unknown},
		{`tier in ['gold', 'silver']`, "", tutti.True},
		{`tier in []`, "tier", tutti.False},
		{`geo.distance(location, hotel.location) < 1000`, "", tutti.True},
		{`geo.distance(location, hotel.location) < 1000`, "location", tutti.Unknown},
		{`geo.distance(location, hotel.location) < 1000`, "hotel.location", tutti.Unknown},
		{`location.lat > 43`, "", tutti.True},
		{`location.lat > 43`, "location", tutti.Unknown},
		{`stay.checkIn < timestamp('2026-11-22T00:00:00Z')`, "", tutti.True},
		{`stay.checkIn < timestamp('2026-11-22T00:00:00Z')`, "stay.checkIn", tutti.Unknown},
		{`audience.gold && params.count == 2`, "", tutti.True},
		{`audience.nearby`, "", tutti.Unknown},
		{`audience.nearby || audience.gold`, "", tutti.True},
		{`params.hotel == 'stay:hotel/azul'`, "", tutti.True},
		{`visits >= 3 && visits < 3.5 && 2 < visits`, "", tutti.True},
		{`stay.guest == 'x' ? true : false`, "", tutti.Unknown},
		{`member ? tier == 'gold' : false`, "member", tutti.Unknown},
	} {
		p, err := r.Compile(c.src, tutti.BoolType)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		known := map[string]any{}
		for k, v := range all {
			if k != c.absent {
				known[k] = v
			}
		}
		if _, got, err := p.Eval(known); got != c.want || err != nil {
			t.Errorf("%s without %q is %s, %v; want %s", c.src, c.absent, got, err, c.want)
		}
	}
}

func TestRuleErrorsAreToldApartFromUnknown(t *testing.T) {
	p, err := rules(t).Compile(`10 / visits > 1`, tutti.BoolType)
	if err != nil {
		t.Fatal(err)
	}
	if v, state, err := p.Eval(map[string]any{"visits": int64(0)}); !errors.Is(err, tutti.Invalid) || state != tutti.Unknown || v != nil {
		t.Errorf("dividing by zero: %v %v %v", v, state, err)
	}
	if _, state, err := p.Eval(nil); err != nil || state != tutti.Unknown {
		t.Errorf("unknown: %v %v", state, err)
	}
}

func TestRuleReads(t *testing.T) {
	p, err := rules(t).Compile(`interests.exists(i, i == params.hotel) && audience.gold || stay.checkIn > timestamp(0) || location.lat > 1.0`, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Reads(), []string{"audience.gold", "interests", "location", "params.hotel", "stay.checkIn"}; !reflect.DeepEqual(got, want) {
		t.Errorf("reads %v, want %v", got, want)
	}
}

func TestMistakesTeach(t *testing.T) {
	r := rules(t)
	for _, c := range []struct {
		src          string
		line, column int
		message      string
		hint         string
	}{
		{`teir == 'gold'`, 1, 1, "teir", "“tier”"},
		{`tier = 'gold'`, 1, 6, "=", "tier == 'gold'"},
		{`tier == 'glod'`, 1, 9, "never", "'gold'"},
		{`tier in ['gold', 'bronze']`, 1, 18, "never", "'silver', 'gold'"},
		{`tier == 'gold' and member`, 1, 16, "and", "&&"},
		{`not member`, 1, 1, "not", "!"},
		{"member &&\n  tier <> 'gold'", 2, 8, "<>", "!="},
		{`tier == “gold”`, 1, 9, "“", "straight"},
		{`tier == 'gold`, 1, 9, "", "quote"},
		{`member & tier == 'gold'`, 1, 8, "&", "&&"},
		{`distance < '1000'`, 1, 10, "double and text", "quotes"},
		{`stay.checkIn < '2026-01-01'`, 1, 14, "timestamp", "timestamp("},
		{`checkIn < timestamp('2026-01-01T00:00:00Z')`, 1, 1, "checkIn", "stay.checkIn"},
		{`audience.glod`, 1, 1, "audience.glod", "audience.gold"},
		{`member || checkin.x`, 1, 11, "checkin", ""},
		{`gold`, 1, 1, "gold", "audience.gold"},
		{`hotel`, 1, 1, "hotel", "There is: hotel.location"},
		{`has(stay.checkIn)`, 1, 5, "", "has()"},
		{`tier`, 1, 1, "yes or no", "tier == 'silver'"},
		{`visits == 3.0`, 1, 8, "", "whole numbers"},
		{`member == 'yes'`, 1, 8, "", "alone"},
		{`uper(tier) == 'GOLD'`, 1, 1, "uper", "upper"},
		{`tier == 'gold' &&`, 1, 18, "too early", ""},
		{``, 1, 1, "no expression", ""},
		{`now > timestamp('2026-01-01T00:00:00Z')`, 1, 1, "now", "windows"},
		{strings.Repeat("(", 100) + "member" + strings.Repeat(")", 100), 1, 1, "nested", ""},
		{`interests.exists(a, interests.exists(b, interests.exists(c, interests.exists(d, a + b == c + d))))`, 1, 1, "too long", "lists inside lists"},
	} {
		_, err := r.Compile(c.src, tutti.BoolType)
		var e *tutti.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an error that teaches", c.src, err)
			continue
		}
		if e.Code != tutti.Invalid || e.Line != c.line || c.column > 0 && e.Column != c.column || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %d:%d %q %q; want %d:%d %q %q", c.src, e.Line, e.Column, e.Message, e.Hint, c.line, c.column, c.message, c.hint)
		}
	}
}

func TestAnAudienceWhereThereIsNoneSaysWhatIsMissing(t *testing.T) {
	r, err := expr.NewRules(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Compile("audience.gold", tutti.BoolType)
	var e *tutti.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "no audience here that is published") {
		t.Errorf("it says: %v", err)
	}
}
