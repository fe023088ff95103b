package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
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

// TestAStoredOperationOutlivesTheTypesThatItNames: apps in the field go on when a component type
// or a prop is taken out of the config, and nobody else sees what is gone.
func TestAStoredOperationOutlivesTheTypesThatItNames(t *testing.T) {
	t.Parallel()
	p := play(t)
	const text = `query Kept { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") { components { __typename
		... on Hero { headline text { html } } ... on Requests { headline items(first: 1) { nodes { title } } } } } }`
	store := p.server.house.store
	op := tutti.Operation{ID: tutti.OperationID(text), Name: "Kept", Text: text, CreatedBy: "test", CreatedAt: time.Now()}
	if _, err := store.AddOperations(t.Context(), []tutti.Operation{op}); err != nil {
		t.Fatal(err)
	}
	remove := func(c *config.Config) {
		var types []tutti.ComponentType
		for _, of := range c.ComponentTypes {
			if of.Name == "Requests" {
				continue
			}
			of.Props = slices.DeleteFunc(slices.Clone(of.Props), func(d tutti.PropDefinition) bool { return of.Name == "CheckIn" && d.Name == "until" })
			types = append(types, of)
		}
		c.ComponentTypes = types
	}
	p.reconfigure(remove)
	for range 2 {
		if a := p.ask(p.key(tutti.ServerKey), "", text, nil); a.code() == tutti.BadRequest {
			t.Errorf("the stored operation is refused: %s", a.Raw)
		}
	}
	a := p.ask(p.key(tutti.ServerKey), "", `{ __type(name: "Requests") { description fields(includeDeprecated: true) { name isDeprecated } } }`, nil)
	if !strings.Contains(a.Raw, "Deprecated: the config no longer defines") || !strings.Contains(a.Raw, `{"name":"items","isDeprecated":true}`) {
		t.Errorf("introspection says %s", a.Raw)
	}
	if a := p.ask(p.key(tutti.ServerKey), "", `{ experience(composition: "hotel-arrival", channel: "web") { components { ... on CheckIn { until } } } }`, nil); a.code() != tutti.BadRequest {
		t.Errorf("a prop that no stored operation names is still there: %s", a.Raw)
	}
	if _, err := store.RemoveOperations(t.Context(), []string{op.ID}); err != nil {
		t.Fatal(err)
	}
	p.reconfigure(remove)
	if a := p.ask(p.key(tutti.ServerKey), "", text, nil); a.code() != tutti.BadRequest {
		t.Errorf("a type that no operation names any more is still there: %s", a.Raw)
	}
}

// TestReloadsSwapTypesUnderRequests: while configs change, every answer is of one of them.
func TestReloadsSwapTypesUnderRequests(t *testing.T) {
	t.Parallel()
	p := play(t)
	var asking sync.WaitGroup
	ended := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				a := p.ask(p.key(tutti.ServerKey), "", `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") { components { ... on Hero { words: headline again } } } }`, nil)
				if ok := a.code() == "" && strings.Contains(a.Raw, `"again":null`); !ok && a.code() != tutti.BadRequest {
					t.Errorf("answered %s", a.Raw)
				}
			}
		})
	}
	for i := range 8 {
		p.reconfigure(func(c *config.Config) {
			types := slices.Clone(c.ComponentTypes)
			for j := range types {
				if types[j].Name != "Hero" {
					continue
				}
				types[j].Props = slices.DeleteFunc(slices.Clone(types[j].Props), func(d tutti.PropDefinition) bool { return d.Name == "again" })
				if i%2 == 0 {
					types[j].Props = append(types[j].Props, tutti.PropDefinition{Name: "again", Type: tutti.PropText})
				}
			}
			c.ComponentTypes = types
		})
	}
	close(ended)
	asking.Wait()
}

// TestTypedQueriesOfTheDocsRun asks what configuration.md shows, of the demo's page.
func TestTypedQueriesOfTheDocsRun(t *testing.T) {
	t.Parallel()
	p := play(t)
	queries := blocks(t, docs+"configuration.md", "graphql")
	if len(queries) == 0 {
		t.Fatal("there is no query")
	}
	for _, query := range queries {
		a := p.ask(p.key(tutti.BrowserKey), "", strings.Replace(query, `composition: "home"`, `composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}`, 1), nil)
		if a.code() != "" || !strings.Contains(a.Raw, `"headline":`) {
			t.Errorf("%s answers %.300s", query, a.Raw)
		}
	}
}

// TestNumbersTooLargeForAnIntAreErrors: in their place, with the rest of the page; what else can say
// them does.
func TestNumbersTooLargeForAnIntAreErrors(t *testing.T) {
	t.Parallel()
	p := playPatiently(t)
	type post struct {
		Ref   string
		Likes *int64
	}
	ask := func() (posts []post, a answer) {
		a = p.ask(p.key(tutti.ServerKey), "", `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") {
			components { ... on Nearby { items { nodes { ref ... on SocialPost { likes } } } } } } }`, nil)
		var data struct {
			Experience struct {
				Components []struct{ Items struct{ Nodes []post } }
			}
		}
		if err := json.Unmarshal(a.Data, &data); err != nil {
			t.Fatalf("%v in %s", err, a.Raw)
		}
		for _, c := range data.Experience.Components {
			posts = append(posts, c.Items.Nodes...)
		}
		return posts, a
	}
	first, a := ask()
	if len(first) < 2 || len(a.Errors) > 0 {
		t.Fatal(a.Raw)
	}
	source, id, _ := strings.Cut(first[0].Ref, ":post/")
	for likes, fits := range map[int64]bool{1<<31 - 1: true, 1 << 31: false} {
		p.change(source, "post", id, map[string]any{"favourites_count": likes})
		for range 3 { // made, kept, and from what is kept
			posts, a := ask()
			if len(posts) != len(first) || posts[1].Likes == nil || *posts[1].Likes != *first[1].Likes {
				t.Fatalf("the rest is lost: %s", a.Raw)
			}
			if fits && (len(a.Errors) > 0 || posts[0].Likes == nil || *posts[0].Likes != likes) {
				t.Errorf("%d: %s", likes, a.Raw)
			}
			if !fits && (posts[0].Likes != nil || len(a.Errors) != 1 || a.code() != tutti.InvalidValue || a.Errors[0].Path[len(a.Errors[0].Path)-1] != "likes") {
				t.Errorf("%d: %s", likes, a.Raw)
			}
		}
	}
}
