package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// spying is a composition that somebody with a management key could write to look at others.
const spying = `{"type": "page", "title": "Spy ${thing.guestName} ${thing.title}", "description": "${thing.room} ${stay.guestName}",
 "params": [{"name": "thing", "type": "ref", "required": true}],
 "routes": [{"path": "/spy/{id}", "params": {"thing": "'stay:reservation/' + path.id"}}],
 "slots": [{"id": "main", "name": "main", "components": [
  {"id": "ticket", "type": "Anything", "props": {"shown": {"ref": "support:ticket/71400"}, "words": {"text": "ticket ${shown.title}"}, "rich": {"bind": "shown.description"}}},
  {"id": "stay", "type": "Anything", "props": {"shown": {"ref": "stay:reservation/R-1007"}, "words": {"bind": "shown.guestName"}, "value": {"bind": "shown.room"}}},
  {"id": "claimed", "type": "Anything", "props": {"shown": {"ref": "='stay:reservation/' + reservation"}, "words": {"text": "Hello ${stay.guestName}, ${stay.room}"}, "value": {"expr": "stay.room"}}},
  {"id": "param", "type": "Anything", "props": {"shown": {"ref": "=params.thing"}, "words": {"bind": "thing.title"}, "value": {"bind": "thing.room"}}},
  {"id": "list", "type": "Anything", "props": {"words": "list", "items": {"select": {"source": "support", "kind": "ticket", "filter": {"status": "open"}, "first": 10}}}},
  {"id": "all", "type": "Anything", "props": {"words": "all", "items": {"select": {"source": "stay", "kind": "reservation", "first": 10}}}},
  {"id": "words", "type": "Anything", "props": {"words": "words", "items": {"select": {"source": "support", "kind": "ticket", "text": "Zticket", "first": 10}}}},
  {"id": "refs", "type": "Anything", "props": {"words": "refs", "items": {"refs": ["support:ticket/71400", "support:ticket/35508", "stay:reservation/R-1007", "=params.thing"]}}},
  {"id": "back", "type": "Anything", "props": {"words": "back", "shown": {"ref": "dam:asset/ffffffffffffffffffffffffffffffff", "fallback": [{"ref": "support:ticket/36588"}, {"bind": "thing"}]}}},
  {"id": "each", "type": "Anything", "each": {"refs": ["support:ticket/71400", "stay:reservation/R-1007", "=params.thing"]}, "props": {"words": {"text": "each ${item.title} ${item.guestName}"}, "shown": {"bind": "item"}}},
  {"id": "every", "type": "Anything", "each": {"select": {"source": "stay", "kind": "reservation", "first": 10}}, "props": {"words": {"bind": "item.guestName"}}},
  {"id": "hint", "type": "Anything", "showWhen": "thing.room == 'Zroom-412'", "props": {"words": "the room is known", "shown": {"ref": "=params.thing"}}},
  {"id": "known", "type": "Anything", "showWhen": "shown.status == 'open'", "props": {"words": "the ticket is open", "shown": {"ref": "support:ticket/71400"}}}
 ]}]}`

func TestCompositionsCannotShowAnothersItems(t *testing.T) {
	t.Parallel()
	p := playPatiently(t)
	p.mark()
	p.reconfigure(anyComponent)
	p.publish("spy", object(t, spying))
	own := p.experience(p.ana(), "spy", "web", "en", map[string]any{"thing": "stay:reservation/R-1007"})
	wants(t, "guest-7's own", own.Raw, anasName, anasRoom, "Zticket subject 71400", "Zticket text 71400", "the room is known", "the ticket is open")
	taken, absent := p.strangers("R-1007"), p.strangers("R-999999999")
	for i, s := range taken {
		for _, channel := range []string{"web", "chat", "voice"} {
			for thing, none := range map[string]string{"stay:reservation/R-1007": "stay:reservation/R-999999999", "support:ticket/35508": "support:ticket/99999999"} {
				what := s.name + " on " + channel + " with " + thing
				a := p.experience(s.on("spy"), "spy", channel, "en", map[string]any{"thing": thing})
				if len(a.Errors) > 0 {
					t.Errorf("%s: %s", what, a.Raw)
				}
				hides(t, what, a.Raw, append(anasWords, "the room is known", "the ticket is open")...)
				b := p.experience(absent[i].on("spy"), "spy", channel, "en", map[string]any{"thing": none})
				if got, want := a.alike(thing, none, "R-1007", "R-999999999"), b.alike(thing, none, "R-1007", "R-999999999"); got != want {
					t.Errorf("%s is told from what does not exist:\n%s", what, differ(got, want))
				}
			}
		}
		route := `query($x: ContextInput) { route(path: "/spy/R-1007", channel: "web", context: $x) { ... on RoutePage { canonical experience { ...E } } } }` + everyField
		a := p.ask(s.key, s.token, route, map[string]any{"x": s.context})
		if !strings.Contains(a.Raw, `"canonical":"/spy/R-1007"`) {
			t.Errorf("%s by route: %s", s.name, a.Raw)
		}
		hides(t, s.name+" by route", a.Raw, anasWords...)
	}
	p.cursorsStay(own)
}

// cursorsStay asks for more with the cursors of guest-7's lists.
func (p *played) cursorsStay(own answer) {
	p.t.Helper()
	const first = `query($x: ContextInput) { experience(composition: "spy", params: {thing: "stay:reservation/R-1007"}, channel: "web", context: $x) { components { component items: resources(prop: "items", first: 1) { nodes { ref } pageInfo { endCursor } } } } }`
	var got struct {
		Experience struct {
			Components []struct {
				Component string
				Items     *struct{ PageInfo struct{ EndCursor *string } }
			}
		}
	}
	ana := p.ana()
	p.ask(ana.key, ana.token, first, map[string]any{"x": ana.context}).into(p.t, &got)
	const more = `query($c: String!, $x: ContextInput) { more(cursor: $c, first: 10, context: $x) { nodes { ref title fields } totalCount pageInfo { endCursor hasNextPage } } }`
	tried := 0
	for _, c := range got.Experience.Components {
		if c.Items == nil || c.Items.PageInfo.EndCursor == nil {
			continue
		}
		tried++
		cursor := *c.Items.PageInfo.EndCursor
		hides(p.t, "a cursor", cursor, append(anasWords, anasTickets...)...)
		mine := p.ask(ana.key, ana.token, more, map[string]any{"c": cursor, "x": ana.context})
		if len(mine.Errors) > 0 {
			p.t.Errorf("guest-7 gets no more of %s: %s", c.Component, mine.Raw)
		}
		for _, s := range p.strangers("R-1007") {
			a := p.ask(s.key, s.token, more, map[string]any{"c": cursor, "x": s.context})
			if a.code() != tutti.NotFound {
				p.t.Errorf("%s gets more of guest-7's %s: %s", s.name, c.Component, a.Raw)
			}
			hides(p.t, s.name+" with a cursor", a.Raw, anasWords...)
		}
	}
	if tried == 0 {
		p.t.Errorf("no list of guest-7 has a next page: %s", own.Raw)
	}
}

// TestRelationsCannotShowAnothersItems lets a public hotel name guest-7's ticket as its picture.
func TestRelationsCannotShowAnothersItems(t *testing.T) {
	p := playPatiently(t)
	p.mark()
	p.reconfigure(anyComponent)
	pictures := func(kind, id string) {
		p.reconfigure(func(cfg *config.Config) {
			cfg.Sources = slices.Clone(cfg.Sources)
			cfg.Source("stay").Settings = map[string]string{"imageKind": kind}
		})
		p.change("stay", "hotel", "azul", map[string]any{"image": id})
	}
	p.publish("related", object(t, `{"type": "page", "title": "${hotel.image.title}", "params": [{"name": "hotel", "type": "ref", "kinds": ["stay:hotel"], "required": true}], "slots": [{"id": "main", "name": "main", "components": [
	  {"id": "a", "type": "Anything", "props": {"shown": {"ref": "=params.hotel"}, "words": {"text": "of ${shown.image.title}"}, "rich": {"bind": "shown.image.description"}}},
	  {"id": "b", "type": "Anything", "props": {"shown": {"bind": "hotel.image"}, "words": {"bind": "hotel.image.title"}}},
	  {"id": "c", "type": "Anything", "each": {"select": {"source": "stay", "kind": "hotel", "sort": "name", "first": 10}}, "props": {"shown": {"bind": "item.image"}, "words": {"bind": "item.image.title"}}},
	  {"id": "d", "type": "Anything", "showWhen": "hotel.image.status == 'open'", "props": {"words": "the ticket is open"}}
	]}]}`))
	const byRef = `query($x: ContextInput) { resource(ref: "stay:hotel/azul", context: $x) { ref ... on Place { image { ...R } } } search(source: "stay", kind: "hotel", first: 20, context: $x) { nodes { ... on Place { image { ...R } } } } }`
	pictures("support:article", "360001000")
	wants(t, "what belongs to nobody", p.experience(p.ana(), "related", "web", "en", map[string]any{"hotel": "stay:hotel/azul"}).Raw, "of Checking in online", `"item":{"__typename":"Article"`)
	pictures("support:ticket", "71400")
	for _, s := range append(p.strangers("R-1007"), seer{name: "nobody at all", key: p.key(tutti.ServerKey)}) {
		for _, channel := range []string{"web", "voice"} {
			a := p.experience(s.on("related"), "related", channel, "en", map[string]any{"hotel": "stay:hotel/azul"})
			if len(a.Errors) > 0 {
				t.Error(a.Raw)
			}
			hides(t, s.name+" on "+channel, a.Raw, append(anasWords, "the ticket is open")...)
		}
		a := p.ask(s.key, s.token, byRef+everyField[strings.Index(everyField, "fragment R"):], map[string]any{"x": s.context})
		wants(t, s.name+" by ref", a.Raw, `"ref":"stay:hotel/azul"`)
		hides(t, s.name+" by ref", a.Raw, anasWords...)
	}
}
