package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
)

const arrivalPage = `{
  "type": "Page", "title": {"en": "Arrival at ${hotel.title}"},
  "params": [{"name": "hotel", "type": "ref", "kinds": ["stay:hotel"], "required": true}],
  "slots": [{"id": "main", "name": "main", "components": [
    {"id": "welcome", "type": "Card",
     "props": {"headline": {"text": {"en": "Welcome, ${guest.name}!", "de": "Willkommen, ${guest.name}!"}}, "image": {"bind": "hotel.image"},
               "body": {"text": {"en": "See [your room](/rooms?for=${guest.name}) **${guest.name}** at ${hotel.title}."}}},
     "actions": [{"label": "Check in", "intent": "CHECK_IN", "href": "/check-in?guest=${guest.name}", "deepLink": "stay://check-in/${guest.name}"}]},
    {"id": "reservation", "type": "Card", "props": {"offer": {"ref": "='stay:reservation/' + reservation"}, "headline": {"bind": "offer.title"}}},
    {"id": "tickets", "type": "Card", "each": {"select": {"source": "support", "kind": "ticket"}}, "props": {"headline": {"text": {"en": "Your request: ${item.title}"}}}},
    {"id": "offers", "type": "Card", "props": {"headline": "Offers", "items": {"select": {"source": "catalog", "kind": "product", "first": 2}}},
     "variants": [{"name": "gold", "rule": "tier == 'gold'", "props": {"headline": "Gold offers"}}]}
  ]}]
}`

// wholeHouse is an engine whose plans are decided from a stored composition.
func wholeHouse(t testing.TB) (*house, *engine.Compiled) {
	s := &enginetest.Sources{AsOf: asOf}
	title := map[string]tutti.FieldType{"title": tutti.FieldString}
	s.Add(tutti.Kind{Source: "dam", Name: "asset", Type: tutti.AssetType, Access: tutti.AccessPublic, Fields: title})
	s.Add(tutti.Kind{Source: "catalog", Name: "product", Type: tutti.ProductType, Access: tutti.AccessPublic, Fields: title})
	s.Add(tutti.Kind{Source: "stay", Name: "hotel", Type: tutti.PlaceResourceType, Access: tutti.AccessPublic, Fields: map[string]tutti.FieldType{"title": tutti.FieldString, "image": tutti.FieldRef}, Dimensions: []string{tutti.LocaleDimension}})
	s.Add(tutti.Kind{Source: "stay", Name: "reservation", Type: tutti.RecordType, Access: tutti.AccessVisitor, OwnerFilter: true, Fields: title})
	s.Add(tutti.Kind{Source: "support", Name: "ticket", Type: tutti.SupportTicketType, Access: tutti.AccessVisitor, OwnerFilter: true, Fields: title})
	definitions := houseTypes()
	definitions[1].Templates = nil
	e, err := engine.New(engine.Config{
		Channels: houseChannels(), ComponentTypes: definitions, Secret: []byte("the deployment's secret"), Generation: "1",
		CompositionTypes: []tutti.CompositionType{{Name: "Page", Slots: []tutti.SlotDefinition{{Name: "main"}}}},
		Locales:          tutti.Locales{Default: "en", Names: []string{"en", "de"}},
		Markets:          []tutti.Market{{Name: "es", Currency: "EUR"}},
		Attributes: []tutti.Attribute{
			{Name: "tier", Type: tutti.StringType, Purpose: tutti.Necessary, Sensitivity: tutti.Segment},
			{Name: "reservation", Type: tutti.StringType, Purpose: tutti.Necessary, Sensitivity: tutti.Personal},
			{Name: "guest.name", Type: tutti.StringType, Purpose: tutti.Necessary, Sensitivity: tutti.Personal},
		},
		SourceVisitors: map[string]string{"stay": "visitor", "support": "visitor"},
		Now:            func() time.Time { return asOf },
	}, s)
	if err != nil {
		t.Fatal(err)
	}
	c, problems, _ := e.Compile("arrival", json.RawMessage(arrivalPage), 1, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	h := &house{Engine: e, Sources: s, t: t}
	h.putAs(tutti.Resource{Ref: ref("stay:hotel/azul"), Locale: "en", Fields: tutti.FieldsOf(map[string]any{"title": "Hotel Azul", "image": ref("dam:asset/azul")})})
	h.put("dam:asset/azul", map[string]any{"title": "Azul"})
	for i := range 3 {
		h.put(fmt.Sprintf("catalog:product/%d", i), nil)
	}
	for n := 7; n <= 8; n++ {
		owner := fmt.Sprint("guest-", n)
		h.putAs(tutti.Resource{Ref: ref(fmt.Sprint("stay:reservation/R-100", n)), Owner: owner, Fields: tutti.FieldsOf(map[string]any{"title": "Stay of " + owner})})
		h.putAs(tutti.Resource{Ref: ref(fmt.Sprint("support:ticket/", n)), Owner: owner, Fields: tutti.FieldsOf(map[string]any{"title": "Request of " + owner})})
	}
	return h, c
}

func (h *house) experience(c *engine.Compiled, v tutti.Context) (*tutti.Experience, tutti.Plan) {
	h.t.Helper()
	ctx := context.Background()
	params, err := c.CheckParams(map[string]any{"hotel": "stay:hotel/azul"})
	if err != nil {
		h.t.Fatal(err)
	}
	v.At = asOf
	facts, _ := h.Learn(ctx, c, params, v)
	p, _ := c.Decide(params, v, facts)
	x := h.assemble(p, engine.Everything())
	return h.Fill(x, c.FillsOf(&p, facts)), p
}

func TestFromTheStoredCompositionToTheAnswer(t *testing.T) {
	h, c := wholeHouse(t)
	guest := func(visitor, reservation, name, tier, locale string) tutti.Context {
		v := tutti.Context{Visitor: visitor, Channel: "mobile", Locale: locale, Attributes: map[string]any{"guest.name": name}}
		if reservation != "" {
			v.Attributes["reservation"] = reservation
		}
		if tier != "" {
			v.Attributes["tier"] = tier
		}
		return v
	}
	x, _ := h.experience(c, guest("guest-7", "R-1007", "Ana & <Co>", "gold", "en"))
	wantGolden(t, x, "whole-guest-7")
	h.wantCalls("catalog:product select first 2", "dam:asset azul", "stay:hotel [en] azul", "stay:reservation R-1007", "support:ticket select first 3 of guest-7")

	x, _ = h.experience(c, guest("guest-8", "R-1007", "Ben", "", "de"))
	wantGolden(t, x, "whole-guest-8-asks-for-7")
	if strings.Contains(show(x), "guest-7") {
		t.Error("something of guest-7 came")
	}
	h.Calls()

	anonymous := tutti.Context{Channel: "web", Locale: "en"}
	x, _ = h.experience(c, anonymous)
	wantGolden(t, x, "whole-anonymous")
	for _, call := range h.Calls() {
		if strings.Contains(call, "reservation") || strings.Contains(call, "ticket") {
			t.Errorf("called for nobody: %s", call)
		}
	}
}

func TestSharedPartsAreTheSameForEverybody(t *testing.T) {
	h, c := wholeHouse(t)
	ids := func(n int) map[string]string {
		m := map[string]string{}
		_, p := h.experience(c, tutti.Context{Visitor: fmt.Sprint("guest-", n), Channel: "web", Attributes: map[string]any{"reservation": fmt.Sprint("R-100", n), "guest.name": fmt.Sprint("Guest ", n)}})
		for _, component := range h.assemble(p, engine.Everything()).Components {
			m[component.Component] = component.ID
		}
		return m
	}
	seven, eight := ids(7), ids(8)
	for _, shared := range []string{"welcome", "offers"} {
		if seven[shared] != eight[shared] || seven[shared] == "" {
			t.Errorf("%s: %q and %q before it is filled", shared, seven[shared], eight[shared])
		}
	}
	if seven["reservation"] == eight["reservation"] {
		t.Error("two guests' reservations share an id")
	}
}
