package sources

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

const aliasManifest = `
name: acme
graphql: /graphql
kinds:
  item:
    type: Product
    id: {pattern: "[a-z]+"}
    fragment: "fragment Thing on Thing { id name }"
    batch:
      graphql: {each: "thing(id: $id) { ...Thing }"}
      maxIds: 10
    select:
      - graphql: {document: "query { things { ...Thing } }"}
        records: data.things
      - text: required
        graphql: {document: "query($q: String!) { find(q: $q) { id } }", variables: {q: "${words}", nested: {deep: "${cursor}"}}}
        records: data.find
        ids: record.id
    map: {title: record.name}
`

// graphqlOrigin answers with what answer makes of an operation.
func graphqlOrigin(t *testing.T, answer func(query string, variables map[string]any) (int, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Query     string
			Variables map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Method != http.MethodPost {
			t.Errorf("a call that is no GraphQL: %s, %v", r.Method, err)
		}
		status, body := answer(in.Query, in.Variables)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestAliasesFailOneByOne(t *testing.T) {
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(query string, variables map[string]any) (int, string) {
		if !strings.Contains(query, "a1: thing(id: $i1)") || !strings.Contains(query, "fragment Thing") || variables["i1"] != "b" {
			t.Errorf("the operation is %s with %v", query, variables)
		}
		return 200, `{"data": {"a0": {"id": "a", "name": "A"}, "a1": null, "a2": null, "a3": null, "a4": {"id": "other"}},
			"errors": [{"path": ["a2"], "message": "down"}, {"path": ["a3", "name"], "extensions": {"code": "ENTITY_NOT_FOUND"}}]}`
	}))
	got := h.Get(t.Context(), refs("a", "b", "c", "d", "e"), tutti.Scope{})
	for i, want := range []tutti.Code{"", tutti.NotFound, tutti.BadAnswer, tutti.NotFound, tutti.BadAnswer} {
		if tutti.CodeOf(got[i].Err) != want {
			t.Errorf("alias %d comes to %v, want %s", i, got[i].Err, want)
		}
	}
	if h.calls() != 1 {
		t.Errorf("it took %d calls", h.calls())
	}
}

// TestAnErrorWithoutAPathMakesNobodyMissing: one of several is not there, and the system does not say which.
func TestAnErrorWithoutAPathMakesNobodyMissing(t *testing.T) {
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(_ string, variables map[string]any) (int, string) {
		data, errs := []string{}, ""
		for i := range len(variables) {
			id := variables[fmt.Sprintf("i%d", i)].(string)
			if one := fmt.Sprintf(`"a%d": {"id": %q, "name": "A"}`, i, id); id != "gone" {
				data = append(data, one)
			} else {
				data, errs = append(data, fmt.Sprintf(`"a%d": null`, i)), `, "errors": [{"message": "x", "extensions": {"code": "NOT_FOUND"}}]`
			}
		}
		return 200, `{"data": {` + strings.Join(data, ",") + `}` + errs + `}`
	}))
	got := h.Get(t.Context(), refs("a", "b", "gone"), tutti.Scope{})
	for i, want := range []tutti.Code{"", "", tutti.NotFound} {
		if tutti.CodeOf(got[i].Err) != want {
			t.Errorf("alias %d comes to %v, want %s", i, got[i].Err, want)
		}
	}
}

func TestGraphQLErrorsOfTheWhole(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   tutti.Code
	}{
		"no data":           {200, `{"data": null, "errors": [{"message": "x"}]}`, tutti.BadAnswer},
		"validation":        {400, `{"errors": [{"message": "x", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]}`, tutti.BadAnswer},
		"throttled":         {200, `{"data": null, "errors": [{"extensions": {"code": "THROTTLED"}}]}`, tutti.RateLimited},
		"no JSON of theirs": {500, `oops`, tutti.Unavailable},
		"error everywhere":  {200, `{"data": {"a0": {"id": "a"}}, "errors": [{"message": "x"}]}`, tutti.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			h := play(t, aliasManifest, public, graphqlOrigin(t, func(string, map[string]any) (int, string) { return c.status, c.body }))
			if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; tutti.CodeOf(g.Err) != c.want {
				t.Errorf("it comes to %v, want %s", g.Err, c.want)
			}
			if most := 2; h.calls() > most {
				t.Errorf("it took %d calls", h.calls())
			}
		})
	}
}

func TestAListLosesOnlyTheRowThatFailed(t *testing.T) {
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(query string, variables map[string]any) (int, string) {
		return 200, `{"data": {"things": [{"id": "a", "name": "A"}, {"id": "b", "name": null}, null]}, "errors": [{"path": ["things", 1, "name"]}]}`
	}))
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Resource.Ref.ID != "a" {
		t.Errorf("the page is %v, %v", page.Items, err)
	}
}

func TestASearchThatKnowsOnlyIDsCallsNoForgottenItemFresh(t *testing.T) {
	var down atomic.Bool
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(query string, _ map[string]any) (int, string) {
		switch {
		case strings.Contains(query, "find("):
			return 200, `{"data": {"find": [{"id": "a"}]}}`
		case down.Load():
			return 500, `{}`
		}
		return 200, `{"data": {"a0": {"id": "a", "name": "old"}}}`
	}))
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	down.Store(true)
	h.Forget("shop:item/a")
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Text: "a"}, tutti.Scope{})
	if err != nil {
		if tutti.CodeOf(err) != tutti.Unavailable {
			t.Errorf("got %v", err)
		}
		return
	}
	for _, g := range page.Items {
		t.Errorf("what was fetched before the change comes as %s: %v", g.Freshness.State, g.Resource.Fields.Get("title"))
	}
}

func TestASearchThatKnowsOnlyIDs(t *testing.T) {
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(query string, variables map[string]any) (int, string) {
		if strings.Contains(query, "find(") {
			if variables["q"] != "late arrival or" || len(variables) != 1 || strings.Contains(query, "fragment") {
				t.Errorf("the search is %s with %v", query, variables)
			}
			return 200, `{"data": {"find": [{"id": "b"}, {"id": "NOT AN ID"}, {"id": "a"}, {"id": "b"}]}}`
		}
		return 200, `{"data": {"a0": {"id": "b", "name": "B"}, "a1": {"id": "a", "name": "A"}}}`
	}))
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Text: `late-arrival" OR *`}, tutti.Scope{})
	if err != nil || len(page.Items) != 2 || page.Items[0].Resource.Fields.Get("title") != "B" || h.calls() != 2 {
		t.Errorf("the page is %v, %v in %d calls", page.Items, err, h.calls())
	}
}

// TestASearchThatKnowsOnlyIDsIsAsFreshAsItsItems lets an item grow old before a search finds it.
func TestASearchThatKnowsOnlyIDsIsAsFreshAsItsItems(t *testing.T) {
	c := newClock()
	var reads atomic.Int32
	var down atomic.Bool
	h := play(t, aliasManifest, public, graphqlOrigin(t, func(query string, _ map[string]any) (int, string) {
		switch {
		case strings.Contains(query, "find("):
			return 200, `{"data": {"find": [{"id": "a"}]}}`
		case down.Load():
			return 500, `{}`
		}
		return 200, fmt.Sprintf(`{"data": {"a0": {"id": "a", "name": "reading %d"}}}`, reads.Add(1))
	}), func(s *config.Source, d *Deps) {
		s.Freshness = config.Freshness{Fresh: time.Minute, Stale: time.Hour, StaleIfError: time.Hour}
		d.Now = c.now
	})
	search := func(words string) tutti.Page {
		t.Helper()
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Text: words}, tutti.Scope{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("the page is %v, %v", page.Items, err)
		}
		return page
	}
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	began := c.t
	c.t = c.t.Add(20 * time.Second)
	page := search("one")
	if g := page.Items[0]; reads.Load() != 1 || !g.Freshness.AsOf.Equal(began) || !page.Freshness.AsOf.Equal(began) {
		t.Errorf("the page is as of %s, its item as of %s", page.Freshness.AsOf, g.Freshness.AsOf)
	}
	if left := page.Until.Sub(c.t); left <= 0 || left > 40*time.Second {
		t.Errorf("with an item that is fresh for 40 s more the page is fresh for %s", left)
	}
	c.t = c.t.Add(20 * time.Second)
	if page := search("two"); reads.Load() != 2 || page.Freshness.State != tutti.Fresh || page.Items[0].Resource.Fields.Get("title") != "reading 2" {
		t.Errorf("an item without much time left: %d readings, %+v", reads.Load(), page.Items[0])
	}
	c.t = c.t.Add(10 * time.Minute)
	if page := search("three"); page.Freshness.State != tutti.Fresh || page.Items[0].Resource.Fields.Get("title") != "reading 3" {
		t.Errorf("an aged item: %+v", page.Items[0])
	}
	c.t = c.t.Add(10 * time.Minute)
	down.Store(true)
	if page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Text: "four"}, tutti.Scope{}); err == nil {
		t.Errorf("an aged item that cannot be read comes as %s", page.Freshness.State)
	}
}

// TestAListThatIsNotFoundIsAskedForInHalves: a system that says of all ids at once that one of them is not
// there loses that one alone.
func TestAListThatIsNotFoundIsAskedForInHalves(t *testing.T) {
	h := play(t, nodesManifest, public, graphqlOrigin(t, func(_ string, variables map[string]any) (int, string) {
		var rows []string
		for _, id := range variables["ids"].([]any) {
			if id == "c" {
				return 200, `{"data": {"nodes": null}, "errors": [{"message": "x", "path": ["nodes"], "extensions": {"code": "NODE_NOT_FOUND"}}]}`
			}
			rows = append(rows, fmt.Sprintf(`{"id": %q, "name": "N"}`, id))
		}
		return 200, `{"data": {"nodes": [` + strings.Join(rows, ",") + `]}}`
	}))
	for i, g := range h.Get(t.Context(), refs("a", "b", "c", "d"), tutti.Scope{}) {
		if (g.Resource == nil) != (i == 2) || i == 2 && tutti.CodeOf(g.Err) != tutti.NotFound {
			t.Errorf("item %d: %+v", i, g)
		}
	}
}
