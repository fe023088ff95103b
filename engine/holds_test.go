package engine_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"pgregory.net/rapid"
)

var azul = tutti.Place{Lat: 43.2630, Lon: -2.9250}

// movingDesk has attributes that depend on the visitor's place in every way that there is.
func movingDesk(t testing.TB) *desk {
	t.Helper()
	d := newDesk(t, func(c *engine.Config) {
		double, text, truth, place := tutti.DoubleType, tutti.StringType, tutti.BoolType, tutti.PlaceType
		for _, a := range []tutti.Attribute{
			{Name: "near", Type: truth, Derive: "distance < 500.0 || email == 'x'"},
			{Name: "zone", Type: text, Derive: "distance < 300.0 ? 'door' : distance < 900.0 ? 'street' : 'town'"},
			{Name: "metres", Type: double, Derive: "distance"},
			{Name: "secret", Type: double, Derive: "distance", Sensitivity: tutti.Personal},
			{Name: "north", Type: double, Derive: "location.lat"},
			{Name: "there", Type: place, Derive: "location"},
			{Name: "office", Type: place, Sensitivity: tutti.Segment},
			{Name: "home", Type: place, Sensitivity: tutti.Personal},
			{Name: "toOffice", Type: double, Step: 50, Derive: "geo.distance(office, there)"},
			{Name: "toHome", Type: double, Derive: "geo.distance(there, home)"},
			{Name: "around", Type: text, Enricher: "around", Field: "status"},
			{Name: "paid", Type: truth, Purpose: tutti.Marketing, Derive: "distance < 700.0"},
		} {
			if a.Sensitivity == "" {
				a.Sensitivity = tutti.Segment
			}
			if a.Purpose == "" {
				a.Purpose = tutti.Personalization
			}
			c.Attributes = append(c.Attributes, a)
		}
		c.Enrichers = append(c.Enrichers, tutti.Enricher{Name: "around", Ref: "'stay:reservation/' + (location.lat > 43.263 ? 'R-1007' : 'R-1')"})
	})
	var problems []engine.Problem
	d.set, problems = d.engine.CompileAudiences([]tutti.Audience{
		{Name: "gold", Rule: "tier == 'gold'"},
		{Name: "nearby", Rule: "distance < 1000"},
		{Name: "arriving", Rule: "audience.nearby && stay.status == 'confirmed'"},
		{Name: "downtown", Rule: "geo.distance({'lat': 43.258, 'lon': -2.93}, location) <= 650.0 && !audience.nearby"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}

// movingPage is a page with a place as params, and downtown are its params.
func movingPage(components string) string {
	return strings.Replace(page(components), "{name: count,", "{name: lat, type: float}, {name: lon, type: float}, {name: count,", 1)
}

func downtown() tutti.Params {
	params := atAzul()
	params["lat"], params["lon"] = 43.258, -2.93
	return params
}

func told(h tutti.Holds) string {
	s := string(h.Place)
	for _, c := range h.Within {
		side := "out of"
		if c.Inside {
			side = "in"
		}
		s += fmt.Sprintf(", %s %g m of %.4f %.4f", side, c.Radius, c.Centre.Lat, c.Centre.Lon)
	}
	if !h.Until.IsZero() {
		s += ", until " + h.Until.Format("15:04")
	}
	return s
}

// What an app is told about the place where it has to ask again.
func TestHoldsTellTheCirclesOfTheRulesThatDecided(t *testing.T) {
	d := movingDesk(t)
	const nearAzul = ", in 1000 m of 43.2630 -2.9250"
	for _, c := range []struct {
		what, component, want string
		change                func(*tutti.Context)
	}{
		{what: "no rule", component: "props: {size: small}", want: "NONE"},
		{what: "a rule about something else", component: "variants: [{name: v, rule: tier == 'gold'}]", want: "NONE"},
		{what: "an audience", component: "variants: [{name: v, rule: audience.nearby}]", want: "DISTANCE" + nearAzul},
		{what: "its contrary, over two names", component: "variants: [{name: v, rule: '!audience.nearby'}]", want: "DISTANCE" + nearAzul},
		{
			what: "from outside", component: "variants: [{name: v, rule: audience.nearby}]", want: "DISTANCE, out of 1000 m of 43.2630 -2.9250",
			change: func(v *tutti.Context) { v.Location = &tutti.Place{Lat: 43.2630, Lon: -2.9000} },
		},
		{what: "without consent", component: "variants: [{name: v, rule: audience.nearby}]", want: "NONE", change: func(v *tutti.Context) { v.Consent = nil }},
		{what: "without a place", component: "variants: [{name: v, rule: audience.nearby}]", want: "NOT_GIVEN", change: func(v *tutti.Context) { v.Location = nil }},
		{what: "without a place, where none counts", component: "variants: [{name: v, rule: tier == 'silver' && audience.nearby}]", want: "NONE", change: func(v *tutti.Context) { v.Location = nil }},
		{what: "a rule that fails elsewhere", component: "variants: [{name: v, rule: tier == 'silver' && audience.nearby}]", want: "NONE"},
		{what: "a rule that is true elsewhere", component: "variants: [{name: v, rule: audience.nearby || tier == 'gold'}]", want: "NONE"},
		{what: "a rule after the one that counts", component: "variants: [{name: v, rule: tier == 'gold'}, {name: w, rule: audience.nearby}]", want: "NONE"},
		{what: "a rule before it", component: "variants: [{name: v, rule: distance < 100.0}, {name: w, rule: tier == 'gold'}]", want: "DISTANCE, out of 100 m of 43.2630 -2.9250"},
		{what: "a component that is hidden", component: "variants: [{name: v, rule: audience.nearby, hide: true}]", want: "DISTANCE" + nearAzul},
		{
			what: "one circle in another", component: "variants: [{name: u, rule: distance < 100.0}, {name: v, rule: distance < 500.0}, {name: w, rule: distance < 2000.0}]",
			want: "DISTANCE, out of 500 m of 43.2630 -2.9250, in 2000 m of 43.2630 -2.9250",
		},
		{what: "a place that the rule names", component: "variants: [{name: v, rule: 'geo.distance(location, {\"lat\": 43.26, \"lon\": -2.93}) > 300'}]", want: "DISTANCE, out of 300 m of 43.2600 -2.9300"},
		{what: "a place of params", component: "variants: [{name: v, rule: 'geo.distance(location, {\"lat\": params.lat, \"lon\": params.lon}) < 300.0'}]", want: "DISTANCE, out of 300 m of 43.2580 -2.9300"},
		{what: "what only CEL evaluates", component: "variants: [{name: v, rule: 'tier.startsWith(\"g\") && distance < 900.0'}]", want: "DISTANCE, in 900 m of 43.2630 -2.9250"},
		{what: "a derived text", component: "variants: [{name: v, rule: zone == 'street'}]", want: "DISTANCE, out of 300 m of 43.2630 -2.9250, in 900 m of 43.2630 -2.9250"},
		{what: "a distance in words, by its step", component: "props: {headline: {text: '${distance} m'}}", want: "DISTANCE, out of 800 m of 43.2630 -2.9250, in 900 m of 43.2630 -2.9250"},
		{what: "a truth in words", component: "props: {headline: {text: '${audience.nearby ? \"a\" : \"b\"}'}}", want: "DISTANCE" + nearAzul},
		{what: "a window that is open", component: "variants: [{name: v, rule: audience.nearby, windows: [{until: '2026-11-21T18:00'}]}]", want: "DISTANCE" + nearAzul + ", until 18:00"},
		{what: "a window that is closed", component: "variants: [{name: v, rule: audience.nearby, windows: [{from: '2026-11-21T18:00'}]}]", want: "NONE, until 18:00"},
		{what: "a window that is closed, from outside", component: "variants: [{name: v, rule: distance < 100.0, windows: [{from: '2026-11-21T18:00'}]}]", want: "DISTANCE, out of 100 m of 43.2630 -2.9250"},
		{what: "an action", component: "actions: [{label: Go, intent: GO, href: /go, when: audience.nearby}]", want: "DISTANCE" + nearAzul},
		{what: "a distance that no place has", component: "variants: [{name: v, rule: distance < 30000000.0 || distance < -1.0}]", want: "NONE"},
		{what: "a fact that is not known", component: "variants: [{name: v, rule: 'geo.distance(location, home) < 100.0'}]", want: "NONE"},
		{what: "a personal place", component: "variants: [{name: v, rule: toHome < 100.0}]", want: "ANY_MOVE", change: func(v *tutti.Context) { v.Attributes["home"] = azul }},
		{what: "a place of a segment", component: "variants: [{name: v, rule: toOffice < 5000.0}]", want: "DISTANCE, in 4460 m of 43.2614 -2.9279", change: func(v *tutti.Context) { v.Attributes["office"] = azul }},
		{what: "from outside", component: "variants: [{name: v, rule: toOffice < 50.0}]", want: "DISTANCE, out of 590 m of 43.2614 -2.9279", change: func(v *tutti.Context) { v.Attributes["office"] = azul }},
		{what: "too near to the line to tell on which side", component: "variants: [{name: v, rule: toOffice < 800.0}]", want: "ANY_MOVE", change: func(v *tutti.Context) { v.Attributes["office"] = azul }},
		{what: "an exact distance in words", component: "props: {headline: {text: '${secret} m'}}", want: "ANY_MOVE"},
		{what: "the place itself", component: "props: {at: {expr: location}}", want: "ANY_MOVE"},
		{what: "the place in a selection", component: "props: {items: {select: {source: catalog, kind: product, filter: {near: '=string(location.lat)'}}}}", want: "ANY_MOVE"},
		{what: "a comparison of latitudes", component: "variants: [{name: v, rule: location.lat < 43.5}]", want: "ANY_MOVE"},
		{what: "a record that is found by the place", component: "variants: [{name: v, rule: around == 'confirmed'}]", want: "ANY_MOVE"},
		{what: "a sum with a distance", component: "variants: [{name: v, rule: distance + 1.0 < 1000.0}]", want: "ANY_MOVE"},
	} {
		t.Run(c.what, func(t *testing.T) {
			compiled := d.compile(movingPage("- {id: a, type: List, " + c.component + "}"))
			v := ana()
			if c.change != nil {
				c.change(&v)
			}
			facts, _ := d.engine.Learn(context.Background(), compiled, downtown(), v)
			plan, _ := compiled.Decide(downtown(), v, facts)
			if got := told(compiled.Holds(plan.Until, downtown(), v, facts)); got != c.want {
				t.Errorf("told %s\nwant %s", got, c.want)
			}
		})
	}
}

// aPlace draws a place of the town, often near a line that a rule draws.
func aPlace(t *rapid.T, label string) tutti.Place {
	centre := rapid.SampledFrom([]tutti.Place{azul, {Lat: 43.258, Lon: -2.93}, {Lat: 43.266, Lon: -2.934}}).Draw(t, label+" around")
	metres := float64(rapid.SampledFrom([]int{0, 50, 100, 300, 400, 500, 650, 700, 800, 900, 1000, 5000}).Draw(t, label+" metres")) + rapid.Float64Range(-60, 60).Draw(t, label+" off")
	angle := rapid.Float64Range(0, 2*math.Pi).Draw(t, label+" towards")
	const degree = 111_195.08
	return tutti.Place{Lat: centre.Lat + metres*math.Cos(angle)/degree, Lon: centre.Lon + metres*math.Sin(angle)/degree/math.Cos(centre.Lat*math.Pi/180)}
}

// aMovingRule draws a rule. A wild one may depend on the place in ways that circles do not tell.
func aMovingRule(t *rapid.T, wild bool, depth int) string {
	if depth > 0 && rapid.IntRange(0, 2).Draw(t, "deeper") > 0 {
		x, y := aMovingRule(t, wild, depth-1), aMovingRule(t, wild, depth-1)
		return rapid.SampledFrom([]string{"(" + x + " && " + y + ")", "(" + x + " || " + y + ")", "!(" + x + ")", "[" + x + ", " + y + "].exists(b, b)", "(" + x + " ? " + y + " : member)"}).Draw(t, "join")
	}
	op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
	if wild && rapid.Bool().Draw(t, "untold") {
		return rapid.SampledFrom([]string{"toHome " + op + " 500.0", "around == 'confirmed'", "north < 43.262", "distance / 2.0 " + op + " 200.0"}).Draw(t, "leaf")
	}
	return rapid.SampledFrom([]string{
		"tier == 'gold'", "tier == 'silver'", "member", "visits > 5", "stay.status == 'confirmed'", "audience.nearby", "audience.arriving", "audience.downtown", "audience.gold", "near", "paid",
		"distance " + op + " 400.0", "300.0 " + op + " metres", "toOffice " + op + " 800.0", "zone == 'street'", "zone in ['door', 'street']",
		"geo.distance(location, {'lat': 43.258, 'lon': -2.93}) " + op + " 700.0", "geo.distance({'lon': params.lon, 'lat': params.lat}, there) " + op + " 300.0", "geo.distance(there, office) " + op + " 900.0", "near == audience.nearby", "visits / (visits - 17) > 0",
	}).Draw(t, "leaf")
}

func aMovingPage(t *rapid.T) string {
	wild := rapid.IntRange(0, 4).Draw(t, "wild") == 0
	rule := func() string { return fmt.Sprintf("%q", aMovingRule(t, wild, 2)) }
	maybe := func(name string, values ...string) string {
		if !wild {
			values = slices.DeleteFunc(values, func(s string) bool {
				return strings.Contains(s, "location") || strings.Contains(s, "secret") || strings.Contains(s, "around")
			})
		}
		return rapid.SampledFrom(append(values, "", "")).Draw(t, name)
	}
	component := func(id string) string {
		c := "- id: " + id + "\n  type: List\n  props: {size: small" +
			maybe("headline", `, headline: {text: "${distance} m"}`, `, headline: {text: "${zone} ${secret > 500.0}"}`, `, headline: {text: "${near} ${toOffice}", fallback: [{text: "${audience.downtown}"}]}`, `, headline: {text: "${hotel.title} ${zone}"}`) +
			maybe("items", `, items: {select: {source: catalog, kind: product, filter: {collection: "=zone"}}}`, `, items: {select: {source: catalog, kind: product, filter: {near: "=string(location.lat)"}}}`, `, items: {refs: ["='catalog:product/' + around", "catalog:product/1"]}`) +
			maybe("at", ", at: {expr: location}", ", at: {expr: office}") + "}"
		if rapid.Bool().Draw(t, "action") {
			c += "\n  actions: [{label: Go, intent: GO, href: /go, when: " + rule() + maybe("expires", ", expiresAt: 2026-11-21T13:30:00Z") + "}]"
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "variants") {
			if i == 0 {
				c += "\n  variants:"
			}
			c += fmt.Sprintf("\n  - {name: v%d, rule: %s", i, rule()) + maybe("windows", ", windows: [{from: '2026-11-21T13:00'}]", ", windows: [{until: '2026-11-21T14:00'}]", ", windows: [{from: '2026-11-21T10:00', until: '2026-11-21T15:00'}, {from: '2026-11-21T16:00'}]")
			c += maybe("hide", ", hide: true", `, props: {headline: {text: "${distance}"}}`) + "}"
		}
		return c
	}
	var list []string
	for i := range rapid.IntRange(1, 3).Draw(t, "components") {
		list = append(list, component(fmt.Sprintf("c%d", i)))
	}
	if rapid.Bool().Draw(t, "box") { // a box of which all depends on a repetition
		list = append(list, `- {id: box, type: Box`+maybe("each", `, each: {refs: ["='catalog:product/' + zone"]}`, `, each: {refs: ["=stay.hotel", "=audience.nearby ? 'stay:hotel/azul' : ''"]}`)+`, variants: [{name: v, hide: true, rule: `+rule()+`}], slots: [{name: inner, components: [
    {id: inside, type: Hero, props: {headline: {value: Hi}`+maybe("text", `, text: {text: {en: "${zone}", de: "${tier}"}}`)+`}, variants: [{name: v, rule: `+rule()+`, props: {text: {value: There}}}]}]}]}`)
	}
	doc := strings.Replace(movingPage(strings.Join(list, "\n")), "title: Arrival", "title: "+rapid.SampledFrom([]string{"Arrival", `"${zone}"`, `{en: Arrival, de: "${near}"}`}).Draw(t, "title"), 1)
	if rapid.Bool().Draw(t, "slot variant") {
		doc += "    variants:\n      - name: other\n        rule: " + rule() + "\n        components:\n" + indent(component("other"), "          ")
	}
	return doc
}

// As long as the time and the place are within what was told, whoever asks again gets the same.
func TestDecisionsHoldAsLongAsTold(t *testing.T) {
	d := movingDesk(t)
	seen := map[tutti.PlaceDependence]int{}
	kept, changed := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		doc := aMovingPage(rt)
		c, problems, _ := d.engine.Compile("", yamlJSON(t, doc), 1, d.set)
		if len(problems) > 0 {
			rt.Fatalf("%v in\n%s", problems, doc)
		}
		v := ana()
		v.Consent[tutti.Marketing] = rapid.Bool().Draw(rt, "marketing")
		v.Consent[tutti.Personalization] = rapid.IntRange(0, 7).Draw(rt, "consent") > 0
		for name, values := range map[string][]any{"tier": {"gold", "silver", nil}, "member": {true, false, nil}, "office": {tutti.Place{Lat: 43.266, Lon: -2.934}, nil}, "home": {azul, nil}, "visits": {int64(3), int64(17), nil}} {
			v.Attributes[name] = rapid.SampledFrom(values).Draw(rt, name)
			if v.Attributes[name] == nil {
				delete(v.Attributes, name)
			}
		}
		v.Locale = rapid.SampledFrom([]string{"en", "de"}).Draw(rt, "locale")
		v.Supports = rapid.SampledFrom([]tutti.Supports{nil, nil, nil, {"List": {2}}, {"Hero": {}, "Box": {}}}).Draw(rt, "supports")
		at := func(p *tutti.Place, when time.Time) (tutti.Facts, tutti.Plan, string) {
			v.Location, v.At = p, when
			facts, _ := d.engine.Learn(context.Background(), c, downtown(), v)
			plan, _ := c.Decide(downtown(), v, facts)
			same := plan
			same.Until = time.Time{}
			return facts, plan, dump(same) + dump(c.FillsOf(&plan, facts))
		}
		var from *tutti.Place
		if rapid.IntRange(0, 7).Draw(rt, "placed") > 0 {
			p := aPlace(rt, "from")
			from = &p
		}
		start := noon.Add(time.Duration(rapid.IntRange(-3, 5).Draw(rt, "hour")) * time.Hour)
		facts, plan, was := at(from, start)
		h := c.Holds(plan.Until, downtown(), v, facts)
		seen[h.Place]++
		if h.Place != tutti.PlaceByDistance && len(h.Within) > 0 || h.Place == tutti.PlaceByDistance && len(h.Within) == 0 || !h.Until.Equal(plan.Until) {
			rt.Fatalf("told %s of a plan until %v", told(h), plan.Until)
		}
		for _, circle := range h.Within {
			if !circle.Holds(*from) && math.Abs(circle.Centre.DistanceTo(*from)-circle.Radius) > 1e-6 {
				rt.Fatalf("told %s to somebody at %v in\n%s", told(h), *from, doc)
			}
		}
		for i := range 12 {
			p, when := aPlace(rt, fmt.Sprint("to ", i)), start.Add(time.Duration(rapid.IntRange(0, 360).Draw(rt, "minutes"))*time.Minute)
			to := &p
			if rapid.IntRange(0, 9).Draw(rt, "nowhere") == 0 {
				to = nil
			}
			_, _, is := at(to, when)
			if h.Hold(to, when) {
				kept++
				if is != was {
					rt.Fatalf("at %v, %v told\n%s,\nbut at %v, %v this changes in\n%s\n%s\n%s", from, start, told(h), to, when, doc, was, is)
				}
			} else if is != was {
				changed++
			}
		}
	})
	if kept == 0 || changed == 0 || seen[tutti.PlaceNone] == 0 || seen[tutti.PlaceByDistance] == 0 || seen[tutti.PlaceNotGiven] == 0 || seen[tutti.PlaceAnyMove] == 0 {
		t.Errorf("too little was drawn: %v, %d kept, %d changed", seen, kept, changed)
	}
	t.Logf("%v, %d kept, %d changed", seen, kept, changed)
}
