package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
	"go.yaml.in/yaml/v3"
)

// desk is an editor's desk: a config, played sources, and what is needed to compile and decide.
type desk struct {
	t       testing.TB
	sources *enginetest.Sources
	engine  *engine.Engine
	set     *engine.Audiences
}

const (
	anaRoom     = "412-canary"
	anaName     = "Ana Canary"
	anaSupport  = "20978392"
	reservation = "R-1007"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func deskSources() *enginetest.Sources {
	s := &enginetest.Sources{AsOf: noon}
	for _, k := range []tutti.Kind{
		{
			Source: "stay", Name: "hotel", Type: tutti.PlaceResourceType, Access: tutti.AccessPublic, Dimensions: []string{"locale"}, Sorts: []string{"name"},
			Fields: map[string]tutti.FieldType{"title": "string", "location": "place", "tag": "string", "image": "ref", "rating": "float", "description": "richText"}, Filters: []string{"town"},
		},
		{
			Source: "stay", Name: "reservation", Type: tutti.RecordType, Access: tutti.AccessVisitor,
			Fields: map[string]tutti.FieldType{"guestName": "string", "room": "string", "hotel": "ref", "status": "string", "checkIn": "time", "supportId": "int"},
		},
		{Source: "dam", Name: "asset", Type: tutti.AssetType, Access: tutti.AccessPublic, Fields: map[string]tutti.FieldType{"alt": "string", "width": "int"}},
		{
			Source: "catalog", Name: "product", Type: tutti.ProductType, Access: tutti.AccessPublic, Dimensions: []string{"locale", "currency"}, Search: true,
			Fields: map[string]tutti.FieldType{"title": "string", "price": "money", "inStock": "bool"}, Filters: []string{"collection", "near"}, Sorts: []string{"price"},
		},
		{Source: "social", Name: "post", Type: tutti.SocialPostType, Access: tutti.AccessPublic, Fields: map[string]tutti.FieldType{"title": "string", "place": "ref"}, Filters: []string{"tag"}},
		{Source: "support", Name: "ticket", Type: tutti.SupportTicketType, Access: tutti.AccessVisitor, OwnerFilter: true, Fields: map[string]tutti.FieldType{"title": "string"}, Filters: []string{"status"}},
		{Source: "crm", Name: "note", Type: tutti.RecordType, Access: tutti.AccessInternal, Fields: map[string]tutti.FieldType{"title": "string"}},
	} {
		s.Add(k)
	}
	s.Put(tutti.Resource{Ref: ref("stay:hotel/azul"), Locale: "en", Fields: tutti.FieldsOf(map[string]any{"title": "Hotel Azul", "location": tutti.Place{Lat: 43.2630, Lon: -2.9250}, "tag": "hotelazul", "rating": 4.5})})
	s.Put(tutti.Resource{Ref: ref("stay:reservation/" + reservation), Owner: "guest-7", Fields: tutti.FieldsOf(map[string]any{
		"guestName": anaName, "room": anaRoom, "hotel": ref("stay:hotel/azul"), "status": "confirmed", "checkIn": noon.Add(3 * time.Hour), "supportId": int64(20978392),
	})})
	return s
}

func deskConfig() engine.Config {
	at := func(name string, t tutti.AttributeType, s tutti.Sensitivity, more func(*tutti.Attribute)) tutti.Attribute {
		a := tutti.Attribute{Name: name, Type: t, Purpose: tutti.Personalization, Sensitivity: s}
		if more != nil {
			more(&a)
		}
		return a
	}
	from := func(field string) func(*tutti.Attribute) {
		return func(a *tutti.Attribute) { a.Enricher, a.Field = "stay", field }
	}
	fact := func(field string) func(*tutti.Attribute) {
		return func(a *tutti.Attribute) { a.Param, a.Field, a.Purpose = "hotel", field, tutti.Necessary }
	}
	return engine.Config{
		Attributes: []tutti.Attribute{
			at("tier", tutti.StringType, tutti.Segment, func(a *tutti.Attribute) {
				a.Values, a.Claim, a.Trust = []string{"silver", "gold", "platinum"}, "tier", tutti.TrustSigned
			}),
			at("reservation", tutti.StringType, tutti.Personal, func(a *tutti.Attribute) { a.Claim, a.Trust = "reservation", tutti.TrustSigned }),
			at("email", tutti.StringType, tutti.Personal, func(a *tutti.Attribute) { a.Purpose = tutti.Marketing }),
			at("visits", tutti.IntType, tutti.Segment, func(a *tutti.Attribute) { a.Purpose, a.Step = tutti.Necessary, 10 }),
			at("score", tutti.DoubleType, tutti.Segment, func(a *tutti.Attribute) { a.Purpose = tutti.Necessary }),
			at("member", tutti.BoolType, tutti.Segment, func(a *tutti.Attribute) { a.Purpose = tutti.Necessary }),
			at("stay.guestName", tutti.StringType, tutti.Personal, from("guestName")),
			at("stay.room", tutti.StringType, tutti.Personal, from("room")),
			at("stay.supportId", tutti.StringType, tutti.Personal, from("supportId")),
			at("stay.hotel", tutti.StringType, tutti.Segment, from("hotel")),
			at("stay.status", tutti.StringType, tutti.Segment, from("status")),
			at("stay.checkIn", tutti.TimestampType, tutti.Segment, func(a *tutti.Attribute) { from("checkIn")(a); a.Step = 3600 }),
			at("hotel.location", tutti.PlaceType, tutti.Public, fact("location")),
			at("hotel.tag", tutti.StringType, tutti.Public, fact("tag")),
			at("distance", tutti.DoubleType, tutti.Segment, func(a *tutti.Attribute) { a.Derive, a.Step = "geo.distance(location, hotel.location)", 100 }),
		},
		Enrichers: []tutti.Enricher{{Name: "stay", Ref: "'stay:reservation/' + reservation"}},
		Channels:  []tutti.Channel{{Name: "web"}, {Name: "mobile", DeepLinks: true}, {Name: "voice", Speech: true}},
		Locales:   tutti.Locales{Default: "en", Names: []string{"en", "de", "es"}, Chains: map[string][]string{"de-AT": {"de", "en"}}},
		Markets:   []tutti.Market{{Name: "eu", Currency: "EUR"}, {Name: "us", Currency: "USD"}},
		ComponentTypes: []tutti.ComponentType{
			{Name: "Hero", Version: 1, Props: []tutti.PropDefinition{
				{Name: "headline", Type: tutti.PropText, Required: true}, {Name: "text", Type: tutti.PropText}, {Name: "image", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}},
			}},
			{Name: "List", Version: 2, Props: []tutti.PropDefinition{
				{Name: "headline", Type: tutti.PropText},
				{Name: "items", Type: tutti.PropResources},
				{Name: "size", Type: tutti.PropString, Values: []string{"small", "large"}},
				{Name: "count", Type: tutti.PropInt},
				{Name: "at", Type: tutti.PropPlace},
				{Name: "from", Type: tutti.PropDateTime},
				{Name: "price", Type: tutti.PropMoney},
				{Name: "hotel", Type: tutti.PropResource},
			}},
			{Name: "Box", Version: 1, Slots: []tutti.SlotDefinition{{Name: "inner", Allowed: []string{"Box", "Hero"}, Max: 2}}},
		},
		CompositionTypes: []tutti.CompositionType{{Name: "page", Version: 1, Slots: []tutti.SlotDefinition{{Name: "top", Allowed: []string{"Hero"}, Max: 1}, {Name: "main"}}}},
		SourceVisitors:   map[string]string{"stay": "visitor", "support": "stay.supportId"},
		Secret:           []byte("deployment"), Generation: "1", Now: func() time.Time { return noon },
	}
}

func newDesk(t testing.TB, change ...func(*engine.Config)) *desk {
	t.Helper()
	d := &desk{t: t, sources: deskSources()}
	cfg := deskConfig()
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if d.engine, err = engine.New(cfg, d.sources); err != nil {
		t.Fatal(err)
	}
	var problems []engine.Problem
	d.set, problems = d.engine.CompileAudiences([]tutti.Audience{
		{Name: "gold", Rule: "tier == 'gold'"}, {Name: "nearby", Rule: "distance < 1000"}, {Name: "arriving", Rule: "audience.nearby && stay.status == 'confirmed'"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}

// yamlJSON reads YAML, as compositions are written in files.
func yamlJSON(t testing.TB, s string) json.RawMessage {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// page wraps components of the slot main into a composition with the param hotel.
func page(components string) string {
	return "id: arrival\ntype: page\ntitle: Arrival\nparams: [{name: hotel, type: ref, kinds: [stay:hotel]}, {name: sku, type: string}, {name: count, type: int, default: 3}]\n" +
		"slots:\n  - name: main\n    components:\n" + indent(components, "      ")
}

func indent(s, by string) string {
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = by + strings.ReplaceAll(l, "\t", "  ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func (d *desk) compile(doc string) *engine.Compiled {
	d.t.Helper()
	c, problems, _ := d.engine.Compile("", yamlJSON(d.t, doc), 1, d.set)
	if len(problems) > 0 {
		d.t.Fatalf("compiling: %v", problems)
	}
	return c
}

func (d *desk) problems(doc string) []string {
	d.t.Helper()
	_, problems, _ := d.engine.Compile("", yamlJSON(d.t, doc), 1, d.set)
	var list []string
	for _, p := range problems {
		list = append(list, p.String())
	}
	return list
}

// ana is the guest of the story, with consent, 800 m from the hotel.
func ana() tutti.Context {
	return tutti.Context{
		Visitor: "guest-7", Location: &tutti.Place{Lat: 43.2630, Lon: -2.9350}, Channel: "mobile", Locale: "en", At: noon,
		Attributes: map[string]any{"tier": "gold", "reservation": reservation, "email": "ana@canary.example", "visits": int64(17)},
		Consent:    tutti.Consent{tutti.Personalization: true},
	}
}

func anonymous() tutti.Context { return tutti.Context{Channel: "web", Locale: "en", At: noon} }

func atAzul() tutti.Params { return tutti.Params{"hotel": ref("stay:hotel/azul"), "count": int64(3)} }

// first gives the first component of the slot main.
func first(t testing.TB, p tutti.Plan) tutti.ComponentPlan {
	t.Helper()
	for _, s := range p.Slots {
		if s.Name == "main" && len(s.Components) > 0 {
			return s.Components[0]
		}
	}
	t.Fatal("the plan has no component in main")
	return tutti.ComponentPlan{}
}

func prop(cp tutti.ComponentPlan, name string) tutti.Value {
	for _, p := range cp.Props {
		if p.Definition.Name == name && len(p.Values) > 0 {
			return p.Values[0]
		}
	}
	return tutti.Value{}
}

// wordsOf writes a text as a person reads a plan: holes as {…}, programs as <…>.
func wordsOf(v tutti.Value) string {
	var b strings.Builder
	for _, p := range v.Text {
		switch {
		case p.Hole != "":
			b.WriteString("{" + p.Hole + "}")
		case p.Program != nil:
			b.WriteString("<" + p.Program.String() + ">")
		default:
			b.WriteString(p.Words)
		}
	}
	return b.String()
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
