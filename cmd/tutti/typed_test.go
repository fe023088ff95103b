package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestTypedPropsAreTheSameProps: a prop's own field gives what props, resource(prop:) and
// resources(prop:) give, at the same number of origin calls.
func TestTypedPropsAreTheSameProps(t *testing.T) {
	t.Parallel()
	p := play(t)
	ask := func(selection string) []map[string]any {
		t.Helper()
		var x struct {
			Experience struct{ Components []map[string]any }
		}
		p.whole(tutti.ServerKey, `query($channel: ID!, $locale: Locale, $context: ContextInput) {
			experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: $channel, locale: $locale, context: $context) {
				components { __typename `+selection+` } } }`, ana("web", "en")).into(t, &x)
		return x.Experience.Components
	}
	typed := ask(`component
		... on Hero { headline words: text { html } image { ref alt url(width: 480) } }
		... on CheckIn { headline from until }
		... on Offers { headline items(first: 2) { nodes { ref title ... on Product { price { amount currency } image { ref } } } pageInfo { hasNextPage } } }
		... on Nearby { items { nodes { ref } } }
		... on Facts { address rating at { lat lon } }`)
	old := ask(`component props image: resource(prop: "image") { ref ... on Asset { alt url(width: 480) } }
		two: resources(prop: "items", first: 2) { nodes { ref title ... on Product { price { amount currency } image { ref } } } pageInfo { hasNextPage } }
		items: resources(prop: "items") { nodes { ref } }`)
	if len(typed) != len(old) || len(typed) < 4 {
		t.Fatalf("%d components by their fields, %d by props", len(typed), len(old))
	}
	seen := map[string]int{}
	same := func(component any, name string, got, want any) {
		t.Helper()
		seen[name]++
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v.%s is %v, want %v", component, name, got, want)
		}
	}
	for i, c := range typed {
		props, _ := old[i]["props"].(map[string]any)
		for name, v := range c {
			switch name {
			case "__typename", "component":
			case "words":
				same(c["component"], name, v.(map[string]any)["html"], props["text"])
			case "image":
				same(c["component"], name, v, old[i]["image"])
			case "items":
				if c["__typename"] == "Offers" {
					same(c["component"], name, v, old[i]["two"])
				} else {
					same(c["component"], name, v, old[i]["items"])
				}
			default:
				same(c["component"], name, v, props[name])
			}
		}
	}
	for _, name := range []string{"headline", "words", "image", "items", "from"} {
		if seen[name] == 0 {
			t.Errorf("no component had %s", name)
		}
	}
}

// TestOnlyTypedPropsThatAreAskedAreGathered: the Need follows the fields of the component types.
func TestOnlyTypedPropsThatAreAskedAreGathered(t *testing.T) {
	t.Parallel()
	p := play(t)
	const query = `query { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") { components { __typename SELECTION } } }`
	for _, c := range []struct {
		selection string
		called    []string
		not       []string
	}{
		{"... on Hero { headline }", nil, []string{"dam", "social", "support"}},
		{"... on Hero { image { alt } }", []string{"dam"}, []string{"social", "support"}},
		{"... on Nearby { items(first: 1) { nodes { title } } }", []string{"social"}, []string{"support"}},
	} {
		p.reopen(nil)
		p.origins.ResetCalls()
		a := p.ask(p.key(tutti.ServerKey), "", strings.Replace(query, "SELECTION", c.selection, 1), nil)
		if a.code() != "" {
			t.Fatalf("%s: %s", c.selection, a.Raw)
		}
		calls := p.calls()
		for _, name := range c.called {
			if calls[name] == 0 {
				t.Errorf("%s calls %v, not %s", c.selection, calls, name)
			}
		}
		for _, name := range c.not {
			if calls[name] > 0 {
				t.Errorf("%s calls %v, also %s", c.selection, calls, name)
			}
		}
	}
}

// TestTypedPropsTellOfBadArguments: as resources(prop:, first:) does.
func TestTypedPropsTellOfBadArguments(t *testing.T) {
	t.Parallel()
	p := play(t)
	a := p.ask(p.key(tutti.ServerKey), "", `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") {
		components { ... on Nearby { items(first: 0) { nodes { ref } } } } } }`, nil)
	if a.code() != tutti.InvalidValue {
		t.Errorf("first: 0 answers %s", a.Raw)
	}
	var data struct {
		Experience struct{ Components []map[string]json.RawMessage }
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Experience.Components) < 3 {
		t.Errorf("the other components are lost: %s", a.Raw)
	}
}

// TestAppsGetWhatTheySupport: posts are shown as cards by apps that know no posts, and what cannot
// be drawn is left out and explained.
func TestAppsGetWhatTheySupport(t *testing.T) {
	t.Parallel()
	p := play(t)
	const query = `query($supports: [String!]) { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", supports: $supports) {
		components { __typename component type version } problems { path } slots { name WHY } } }`
	ask := func(class tutti.KeyClass, why string, list ...string) (types map[string]int, leftOut map[string]string, a answer) {
		t.Helper()
		a = p.ask(p.key(class), "", strings.Replace(query, "WHY", why, 1), map[string]any{"supports": list})
		var x struct {
			Experience struct {
				Components []struct {
					Typename string `json:"__typename"`
					Type     string
					Version  int
				}
				Slots []struct {
					LeftOut []struct {
						Component string
						Why       struct{ Reason string }
					}
				}
			}
		}
		if len(a.Errors) > 0 {
			return nil, nil, a
		}
		a.into(t, &x)
		types, leftOut = map[string]int{}, map[string]string{}
		for _, c := range x.Experience.Components {
			if c.Type != c.Typename || c.Version != 1 {
				t.Errorf("%+v", c)
			}
			types[c.Type]++
		}
		for _, s := range x.Experience.Slots {
			for _, l := range s.LeftOut {
				leftOut[l.Component] = l.Why.Reason
			}
		}
		return types, leftOut, a
	}
	all, _, _ := ask(tutti.BrowserKey, "", "Hero", "CheckIn", "Offers", "Nearby", "Requests", "Articles", "Cards", "Card", "PostCard", "Facts", "ProductDetail", "Story")
	few, left, _ := ask(tutti.ManagementKey, "leftOut { component why { reason } }", "Hero@1", "Nearby@1", "Hero@7")
	for name, n := range few {
		if name != "Hero" && name != "Nearby" || all[name] != n {
			t.Errorf("%d %s of %d", n, name, all[name])
		}
	}
	if len(few) != 2 || len(all) < 4 {
		t.Errorf("got %v of %v", few, all)
	}
	n := 0
	for _, reason := range left {
		if reason == "UNSUPPORTED" {
			n++
		}
	}
	if n == 0 {
		t.Errorf("nothing is said to be unsupported: %v", left)
	}
	for _, list := range [][]string{{}, {"Hero@x"}} {
		if _, _, a := ask(tutti.BrowserKey, "", list...); a.code() != tutti.InvalidValue {
			t.Errorf("%q answers %s", list, a.Raw)
		}
	}
	if _, _, a := ask(tutti.BrowserKey, "leftOut { component }", "Hero"); a.code() != tutti.Forbidden {
		t.Errorf("a browser key is told what is left out: %s", a.Raw)
	}
}
