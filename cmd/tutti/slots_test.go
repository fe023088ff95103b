package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

const slotsPage = `{"type": "page", "title": "Slots", "params": [{"name": "hotel", "type": "ref", "kinds": ["stay:hotel"], "required": true}],
  "routes": [{"path": "/slots/{hotel}", "params": {"hotel": "'stay:hotel/' + path.hotel"}}],
  "slots": [
    {"id": "top", "name": "top", "components": [
      {"id": "hello", "type": "Hero", "props": {"headline": {"text": "Welcome ${stay.guestName}", "fallback": ["Welcome"]}}}]},
    {"id": "main", "name": "main", "components": [
      {"id": "cards", "type": "Cards", "props": {"headline": "Houses"}, "slots": [{"id": "cards-cards", "name": "cards", "components": [
        {"id": "house", "type": "Card", "props": {"title": {"bind": "hotel.title"}}}]}]},
      {"id": "words", "type": "Story", "props": {"headline": {"value": "Words"}}}]},
    {"id": "more", "name": "more", "components": []}]}`

const slotsFields = `{
  slots { name hash unchanged components { component freshness { state asOf } props slots { name hash unchanged components { id } } } }
  components { component origin: type freshness { asOf } props } }`

const slotsText = `query Slots($had: [SlotHash!], $part: PagePart = ALL, $context: ContextInput) {
  experience(composition: "slots", params: {hotel: "stay:hotel/azul"}, channel: "web", ifNoneMatch: $had, part: $part, context: $context) ` + slotsFields + ` }`

const routedText = `query Slots($had: [SlotHash!], $part: PagePart = ALL, $context: ContextInput) {
  route(path: "/slots/azul", channel: "web", ifNoneMatch: $had, part: $part, context: $context) { ... on RoutePage { experience ` + slotsFields + ` } } }`

// slotted is a page whose slots have hashes.
type slotted struct {
	Slots []struct {
		Name, Hash string
		Unchanged  bool
		Components []struct {
			Component string
			Slots     []struct {
				Hash      *string
				Unchanged bool
			}
		}
	}
	Components []struct{ Component string }
}

// unchanged gives the slots by whether they are, and the components that came.
func (s *slotted) unchanged() (slots map[string]bool, came []string) {
	slots, came = map[string]bool{}, []string{}
	for _, o := range s.Slots {
		slots[o.Name] = o.Unchanged
		for _, c := range o.Components {
			came = append(came, c.Component)
		}
	}
	for _, c := range s.Components {
		came = append(came, "flat "+c.Component)
	}
	return slots, came
}

func (s *slotted) hash(slot string) string {
	for _, o := range s.Slots {
		if o.Name == slot {
			return o.Hash
		}
	}
	return ""
}

// had is what an app sends that has the whole page.
func (s *slotted) had() []any {
	var list []any
	for _, o := range s.Slots {
		list = append(list, map[string]any{"slot": o.Name, "hash": o.Hash})
	}
	return list
}

func consenting(more map[string]any) map[string]any {
	vars := map[string]any{"context": map[string]any{"consent": map[string]any{"personalization": true}}}
	for name, v := range more {
		vars[name] = v
	}
	return vars
}

// TestOnlyChangedSlotsCome asks for a page as an app that has it, for a guest and for nobody known,
// from what is kept and made anew.
func TestOnlyChangedSlotsCome(t *testing.T) {
	t.Parallel()
	p := playPatiently(t)
	p.publish("slots", object(t, slotsPage))
	server, browser := p.key(tutti.ServerKey), p.key(tutti.BrowserKey)
	read := func(a answer) (s slotted) {
		t.Helper()
		var data struct {
			Experience *slotted
			Route      struct{ Experience slotted }
		}
		a.into(t, &data)
		if data.Experience != nil {
			return *data.Experience
		}
		return data.Route.Experience
	}
	want := func(s slotted, slots map[string]bool, came ...string) {
		t.Helper()
		got, parts := s.unchanged()
		if !reflect.DeepEqual(got, slots) || strings.Join(parts, ",") != strings.Join(came, ",") {
			t.Errorf("unchanged %v with %v, want %v with %v", got, parts, slots, came)
		}
	}
	all := []string{"hello", "cards", "words", "flat hello", "flat cards", "flat house", "flat words"}
	none := map[string]bool{"top": false, "main": false, "more": false}
	every := map[string]bool{"top": true, "main": true, "more": true}
	shaped := regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)
	for name, who := range map[string]struct{ key, token string }{"nobody known": {server, ""}, "a guest": {browser, p.token("guest-7")}} {
		for way, text := range map[string]string{"experience": slotsText, "route": routedText} {
			t.Run(name+" by "+way, func(t *testing.T) {
				first := read(p.ask(who.key, who.token, text, consenting(nil)))
				want(first, none, all...)
				seen := map[string]bool{}
				for _, s := range first.Slots {
					if !shaped.MatchString(s.Hash) || seen[s.Hash] {
						t.Errorf("the hash of %s is %q", s.Name, s.Hash)
					}
					seen[s.Hash] = true
					for _, c := range s.Components {
						for _, inner := range c.Slots {
							if inner.Hash != nil || inner.Unchanged {
								t.Errorf("a slot inside a component has a hash: %+v", inner)
							}
						}
					}
				}
				for range 2 {
					again := read(p.ask(who.key, who.token, text, consenting(map[string]any{"had": first.had()})))
					want(again, every)
					if !reflect.DeepEqual(again.had(), first.had()) {
						t.Errorf("the hashes are other ones: %v, %v", first.had(), again.had())
					}
				}
				main := []any{map[string]any{"slot": "main", "hash": "no hash of ours"}, map[string]any{"slot": "main", "hash": first.hash("main")}, map[string]any{"slot": "gone", "hash": first.hash("top")}}
				want(read(p.ask(who.key, who.token, text, consenting(map[string]any{"had": main}))), map[string]bool{"top": false, "main": true, "more": false}, "hello", "flat hello")
				top := map[string]any{"slot": "top", "hash": first.hash("top")} // one stands for a list of it
				want(read(p.ask(who.key, who.token, text, consenting(map[string]any{"had": top}))), map[string]bool{"top": true, "main": false, "more": false}, "cards", "words", "flat cards", "flat house", "flat words")
				other := map[string]any{"slot": "top", "hash": first.hash("main")}
				want(read(p.ask(who.key, who.token, text, consenting(map[string]any{"had": other}))), none, all...)
			})
		}
	}
	t.Run("the slot of an item that changed comes", func(t *testing.T) {
		first := read(p.ask(browser, p.token("guest-7"), slotsText, consenting(nil)))
		p.change("stay", "hotel", "azul", map[string]any{"name": "Hotel Blau"})
		then := read(p.ask(browser, p.token("guest-7"), slotsText, consenting(map[string]any{"had": first.had()})))
		want(then, map[string]bool{"top": true, "main": false, "more": true}, "cards", "words", "flat cards", "flat house", "flat words")
		p.change("stay", "hotel", "azul", map[string]any{"name": "Hotel Azul"})
		want(read(p.ask(browser, p.token("guest-7"), slotsText, consenting(map[string]any{"had": first.had()}))), every)
	})
	t.Run("another guest has another slot only where he is named", func(t *testing.T) {
		first := read(p.ask(browser, p.token("guest-7"), slotsText, consenting(nil)))
		for range 2 {
			other := p.ask(browser, p.token("guest-8"), slotsText, consenting(map[string]any{"had": first.had()}))
			want(read(other), map[string]bool{"top": false, "main": true, "more": true}, "hello", "flat hello")
		}
	})
	t.Run("the parts of a page", func(t *testing.T) {
		for part, came := range map[string][]string{"SHARED": {"cards", "words", "flat cards", "flat house", "flat words"}, "PERSONAL": {"hello", "flat hello"}} {
			for _, text := range []string{slotsText, routedText} {
				first := read(p.ask(browser, p.token("guest-7"), text, consenting(map[string]any{"part": part})))
				want(first, none, came...)
				want(read(p.ask(browser, p.token("guest-7"), text, consenting(map[string]any{"part": part, "had": first.had()}))), every)
			}
		}
	})
	t.Run("by GET", func(t *testing.T) {
		ask := func(had any) answer {
			vars, err := json.Marshal(map[string]any{"had": had})
			if err != nil {
				t.Fatal(err)
			}
			return p.send(http.MethodGet, "/graphql?"+url.Values{"query": {slotsText}, "variables": {string(vars)}}.Encode(), http.Header{"Authorization": {"Bearer " + browser}}, nil)
		}
		first := ask(nil)
		page := read(first)
		want(page, none, all...)
		second := ask(page.had())
		want(read(second), every)
		if first.Header.Get("Surrogate-Key") == "" || second.Header.Get("Surrogate-Key") != first.Header.Get("Surrogate-Key") || first.Header.Get("ETag") == second.Header.Get("ETag") {
			t.Errorf("headers of the whole and the unchanged page: %v, %v", first.Header, second.Header)
		}
	})
	t.Run("with other aliases, and twice in one operation", func(t *testing.T) {
		const text = `query ($a: [SlotHash!], $b: [SlotHash!]) {
		  a: experience(composition: "slots", params: {hotel: "stay:hotel/azul"}, channel: "web", ifNoneMatch: $a) { places: slots { what: hash same: unchanged name stands: components { component } } }
		  b: experience(composition: "slots", params: {hotel: "stay:hotel/azul"}, channel: "web", ifNoneMatch: $b) { slots { name components { component type } } slots { hash } } }`
		var got struct {
			A struct {
				Places []struct {
					Name, What string
					Same       bool
					Stands     []any
				}
			}
			B slotted
		}
		p.ask(server, "", text, nil).into(t, &got)
		had := []any{map[string]any{"slot": "main", "hash": got.A.Places[1].What}}
		p.ask(server, "", text, map[string]any{"a": had, "b": []any{map[string]any{"slot": "top", "hash": got.B.hash("top")}}}).into(t, &got)
		if !got.A.Places[1].Same || len(got.A.Places[1].Stands) > 0 || got.A.Places[0].Same || len(got.A.Places[0].Stands) != 1 {
			t.Errorf("a: %+v", got.A)
		}
		if len(got.B.Slots[0].Components) > 0 || len(got.B.Slots[1].Components) != 2 {
			t.Errorf("b: %+v", got.B)
		}
		if got.A.Places[1].What == got.B.hash("main") {
			t.Error("two selections have one hash")
		}
	})
	t.Run("what cannot be told apart is refused", func(t *testing.T) {
		const text = `query ($had: [SlotHash!]) { experience(composition: "slots", params: {hotel: "stay:hotel/azul"}, channel: "web", ifNoneMatch: $had) { slots { name components { id } } } }`
		one := map[string]any{"slot": "main", "hash": "x"}
		if a := p.ask(server, "", text, map[string]any{"had": []any{one}}); a.code() != tutti.BadRequest || a.Errors[0].Extensions.Field != "ifNoneMatch" || !strings.Contains(a.Errors[0].Extensions.Hint, "unchanged") {
			t.Error(a.Raw)
		}
		if a := p.ask(server, "", text, map[string]any{"had": []any{}}); a.code() != "" {
			t.Error(a.Raw)
		}
		many := make([]any, 101)
		for i := range many {
			many[i] = one
		}
		if a := p.ask(server, "", slotsText, map[string]any{"had": many}); a.code() != tutti.InvalidValue || a.Errors[0].Extensions.Field != "ifNoneMatch" {
			t.Error(a.Raw)
		}
		if a := p.ask(server, "", slotsText, map[string]any{"had": many[:100]}); a.code() != "" {
			t.Error(a.Raw)
		}
		for _, had := range []any{map[string]any{"slot": "main"}, map[string]any{"slot": "main", "hash": nil}, map[string]any{"slot": "main", "hash": 7}, "main"} {
			if a := p.ask(server, "", slotsText, map[string]any{"had": had}); a.code() != tutti.InvalidValue {
				t.Errorf("%v: %s", had, a.Raw)
			}
		}
	})
}

// TestPlansHaveNoHashes: what a group gets is not yet what anybody sees.
func TestPlansHaveNoHashes(t *testing.T) {
	t.Parallel()
	p := playPatiently(t)
	p.publish("slots", object(t, slotsPage))
	groups := 0
	for _, r := range p.subscribe(p.key(tutti.ServerKey), `subscription ($c: [MemberContextInput!]!) { plans(composition: "slots", channel: "web", params: {hotel: "stay:hotel/azul"}, contexts: $c) {
		... on PlanGroup { experience { slots { name hash unchanged components { component freshness { state } } } } } } }`, map[string]any{"c": []any{map[string]any{"id": "one"}}}) {
		if raw := string(r.Data); strings.Contains(raw, `"slots"`) {
			if groups++; strings.Count(raw, `"hash":null,"unchanged":false,"components":[`) != 3 {
				t.Error(raw)
			}
		}
	}
	if groups != 1 {
		t.Errorf("%d groups", groups)
	}
}
