package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

type toldHolds struct {
	Until  *time.Time
	Place  tutti.PlaceDependence
	Within []struct {
		Lat, Lon, RadiusMeters float64
		Inside                 bool
	}
}

// promise is what the app makes of it.
func (h toldHolds) promise() tutti.Holds {
	out := tutti.Holds{Place: h.Place}
	if h.Until != nil {
		out.Until = *h.Until
	}
	for _, c := range h.Within {
		out.Within = append(out.Within, tutti.Circle{Centre: tutti.Place{Lat: c.Lat, Lon: c.Lon}, Radius: c.RadiusMeters, Inside: c.Inside})
	}
	return out
}

const holdsSelection = `holds { until within { lat lon radiusMeters inside } place }`

// TestAnAppAsksOnceAndAgainWhereItWasTold walks away from a hotel: the app asks only where what it
// was told ends, and would have got the same at each step in between.
func TestAnAppAsksOnceAndAgainWhereItWasTold(t *testing.T) {
	t.Parallel()
	p := play(t)
	at := func(metres float64) *tutti.Place {
		return &tutti.Place{Lat: 43.2701 + metres/111_195.08, Lon: -2.9338}
	}
	ask := func(from *tutti.Place) (page string, h toldHolds) {
		a := p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `query($at: PlaceInput!) { experience(composition: "hotel-arrival", channel: "mobile", params: {hotel: "stay:hotel/azul"}, context: {location: $at, consent: {personalization: true}}) { id slots { components { component variant } } `+holdsSelection+` } }`,
			map[string]any{"at": from})
		var got struct {
			Experience struct {
				ID    string
				Slots json.RawMessage
				Holds toldHolds
			}
		}
		a.into(t, &got)
		return got.Experience.ID + string(got.Experience.Slots), got.Experience.Holds
	}
	page, told := ask(at(0))
	var asked []string
	for metres := 10.0; metres <= 8000; metres += 250 {
		is, now := ask(at(metres))
		if told.promise().Hold(at(metres), time.Now()) {
			if is != page {
				t.Fatalf("%g m away it is another page, though %+v was told", metres, told)
			}
			continue
		}
		if is == page {
			t.Errorf("%g m away nothing has changed, though only %+v was told", metres, told)
		}
		asked = append(asked, fmt.Sprint(metres))
		page, told = is, now
	}
	if got := strings.Join(asked, " "); got != "3010" {
		t.Errorf("the app asked again at %s m", got)
	}
	if told.Place != tutti.PlaceByDistance || len(told.Within) != 1 || told.Within[0].Inside {
		t.Errorf("from far away it is told %+v", told)
	}
}

// TestHoldsIsOfTheRequest: two visitors see the same page, for different reasons. Neither is told
// what holds for the other, also where the answer is ready.
func TestHoldsIsOfTheRequest(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.publish("close", object(t, `{"type": "page", "title": "Close", "slots": [{"id": "main", "name": "main", "components": [
	  {"id": "story", "type": "Story", "props": {"headline": "Far"}, "variants": [
	    {"name": "gold", "rule": "tier == 'gold' && geo.distance(location, {'lat': 43.2, 'lon': -2.9}) < 500.0", "props": {"headline": "Close"}}]}]}]}`))
	const circle, nothing, untold = `{"until":null,"within":[{"lat":43.2,"lon":-2.9,"radiusMeters":500,"inside":false}],"place":"DISTANCE"}`, `{"until":null,"within":[],"place":"NONE"}`, `{"until":null,"within":null,"place":"NOT_GIVEN"}`
	far, consent := map[string]any{"lat": 43.3, "lon": -2.9}, map[string]any{"personalization": true}
	pages := map[string]bool{}
	for range 3 {
		for _, c := range []struct {
			context map[string]any
			want    string
		}{
			{map[string]any{"location": far, "consent": consent, "attributes": map[string]any{"tier": "gold"}}, circle},
			{map[string]any{"location": far, "consent": consent, "attributes": map[string]any{"tier": "silver"}}, nothing},
			{map[string]any{"consent": consent, "attributes": map[string]any{"tier": "gold"}}, untold},
			{map[string]any{"location": far, "attributes": map[string]any{"tier": "gold"}}, nothing},
		} {
			for _, query := range []string{
				`query($c: ContextInput) { experience(composition: "close", channel: "web", context: $c) { id ` + holdsSelection + ` components { props } } }`,
				`query($c: ContextInput) { experience(composition: "close", channel: "web", context: $c) { id components { props } ...H } } fragment H on Experience { ` + holdsSelection + ` }`,
			} {
				a := p.ask(p.key(tutti.ServerKey), "", query, map[string]any{"c": c.context})
				if !strings.Contains(a.Raw, `"holds":`+c.want) {
					t.Errorf("%v is told %s, want %s", c.context, a.Raw, c.want)
				}
				rest := strings.Replace(a.Raw, `"holds":`+c.want, "", 1)
				pages[strings.NewReplacer(",,", ",", ",}", "}").Replace(rest)] = true
			}
		}
	}
	if len(pages) != 1 {
		t.Errorf("the page is not the same for all: %v", pages)
	}
}

// TestHoldsOfRoutesAndOfMany: what holds comes with a route's page, and in bulk it holds for all.
func TestHoldsOfRoutesAndOfMany(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reconfigure(patient)
	inside := map[string]any{"lat": 43.263, "lon": -2.93}
	consent := map[string]any{"personalization": true}
	a := p.ask(p.key(tutti.BrowserKey), "", `query($c: ContextInput) { route(path: "/en/hotels/azul/arrival", channel: "web", context: $c) { ... on RoutePage { experience { `+holdsSelection+` } } } }`, map[string]any{"c": map[string]any{"location": inside, "consent": consent}})
	if !strings.Contains(a.Raw, `"holds":{"until":null,"within":[{"lat":43.2701,"lon":-2.9338,"radiusMeters":3000,"inside":true}],"place":"DISTANCE"}`) {
		t.Errorf("a route tells %s", a.Raw)
	}
	_, lines := p.plans("application/x-ndjson", ndjson(t, map[string]any{"composition": "hotel-arrival", "channel": "email", "params": map[string]any{"hotel": "stay:hotel/azul"}, "select": "{ " + holdsSelection + " }"}, []map[string]any{
		{"location": map[string]any{"lat": 43.5, "lon": -2.9}, "consent": consent},
		{"location": map[string]any{"lat": 43.6, "lon": -2.9}, "consent": consent},
		{"consent": consent},
		{},
		{"location": inside, "consent": consent},
	}))
	told := map[int]string{}
	for _, l := range lines {
		if l.Group != nil {
			holds, _ := json.Marshal(l.Group.Experience["holds"])
			told[len(l.Group.Members)] = string(holds)
		}
	}
	if !strings.Contains(told[4], `"place":"NOT_GIVEN"`) || !strings.Contains(told[1], `"inside":true`) || len(told) != 2 {
		t.Errorf("in bulk it tells %v", told)
	}
}
