package sources

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

var genericKinds = map[string]config.KindConfig{"article": {Access: tutti.AccessPublic}, "product": {Access: tutti.AccessPublic}}

func generic(t *testing.T, connector string, settings map[string]string, origin http.HandlerFunc) *testHouse {
	t.Helper()
	return play(t, "", genericKinds, origin, func(c *config.Source, _ *Deps) {
		c.Connector, c.Settings, c.Secrets = connector, settings, map[string]tutti.Secret{"token": tutti.NewSecret("t0p")}
	})
}

func (h *testHouse) titles(t *testing.T, kind string, s tutti.Selection) (titles string) {
	t.Helper()
	s.Source, s.Kind = "shop", kind
	for range 10 {
		page, err := h.Select(t.Context(), s, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.Items {
			titles += g.Resource.Fields.Text("title") + " "
		}
		if s.After = page.Next; page.Next == "" {
			break
		}
	}
	return strings.TrimSpace(titles)
}

// TestAPlainSystemNeedsNoManifest asks a system with ids in a parameter and pages by number.
func TestAPlainSystemNeedsNoManifest(t *testing.T) {
	post := func(n int) map[string]any {
		return map[string]any{"_id": n, "name": "Post " + strconv.Itoa(n), "text": "<p>Words</p>", "photo": map[string]any{"src": "/p.jpg"}, "price": "12.50", "changed": "2026-11-22T10:00:00Z"}
	}
	h := generic(t, "rest", map[string]string{
		"list": "/api/posts?state=live", "item": "/api/post", "suffix": ".json", "record": "post", "records": "data.posts", "total": "data.count", "ids": "id", "idsAs": "bracket",
		"size": "per_page", "paging": "page", "position": "p", "search": "q", "id": "_id", "title": "name", "body": "text", "image": "photo.src", "updated": "changed", "base": "https://www.example.com/",
	}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0p" || r.Header["X-Api-Key"] != nil {
			t.Errorf("credentials: %v", r.Header)
		}
		q := r.URL.Query()
		if r.URL.Path != "/api/posts" || q.Get("state") != "live" {
			t.Errorf("asked for %s", r.URL)
		}
		rows, size := []map[string]any{}, 0
		switch size, _ = strconv.Atoi(q.Get("per_page")); {
		case q.Get("q") != "":
			rows = append(rows, post(3))
		case q["id[]"] != nil:
			for _, id := range q["id[]"] {
				if n, _ := strconv.Atoi(id); n < 6 {
					rows = append(rows, post(n))
				}
			}
		default:
			p, _ := strconv.Atoi(q.Get("p"))
			for n := (p-1)*size + 1; n <= min(p*size, 5); n++ {
				rows = append(rows, post(n))
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"posts": rows, "count": 5}})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"posts": rows, "count": len(rows)}})
	})
	ref := func(kind, id string) tutti.Ref { return tutti.Ref{Source: "shop", Kind: kind, ID: id} }
	got := h.Get(t.Context(), []tutti.Ref{ref("article", "2"), ref("article", "9"), ref("article", "4")}, tutti.Scope{})
	if got[0].Resource == nil || tutti.CodeOf(got[1].Err) != tutti.NotFound || got[2].Resource == nil || h.calls() != 1 {
		t.Fatalf("%d calls gave %+v", h.calls(), got)
	}
	f := got[0].Resource.Fields
	if f.Text("title") != "Post 2" || f.Text("picture") != "https://www.example.com/p.jpg" || f.Get("body").(tutti.RichText).Plain != "Words" || f.Get("updatedAt") == nil {
		t.Errorf("the record became %v of %s", f, got[0].Resource.Raw)
	}
	p := h.Get(t.Context(), []tutti.Ref{ref("product", "1")}, tutti.Scope{})[0]
	if p.Resource == nil || p.Resource.Fields.Get("price") != (tutti.Money{Amount: "12.50", Currency: "EUR"}) {
		t.Errorf("the product is %+v", p)
	}
	if got := h.titles(t, "article", tutti.Selection{First: 2}); got != "Post 1 Post 2 Post 3 Post 4 Post 5" {
		t.Errorf("the list is %s", got)
	}
	if got := h.titles(t, "article", tutti.Selection{Text: "three"}); got != "Post 3" {
		t.Errorf("the search gives %s", got)
	}
}

// TestAProductWithoutAPriceIsWhole, and one that counts cents has the right one.
func TestAProductWithoutAPriceIsWhole(t *testing.T) {
	for body, want := range map[string]any{
		`{"id": "1", "title": "One", "cents": 1250}`: tutti.Money{Amount: "12.50", Currency: "USD"},
		`{"id": "1", "title": "One"}`:                nil,
	} {
		h := generic(t, "rest", map[string]string{"list": "/items", "price": "cents", "priceIn": "minor", "currency": "USD"}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(body))
		})
		p := h.Get(t.Context(), []tutti.Ref{{Source: "shop", Kind: "product", ID: "1"}}, tutti.Scope{})[0]
		if p.Resource == nil || p.Resource.Fields.Get("price") != want || len(p.Resource.Fields.Unread()) > 0 {
			t.Errorf("%s became %+v: %v", body, p.Resource, p.Err)
		}
	}
}

// TestAPlainerSystemGivesItemsOneByOne asks one that has a list without pages, and no search.
func TestAPlainerSystemGivesItemsOneByOne(t *testing.T) {
	h := generic(t, "rest", map[string]string{"list": "/items"}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/items":
			_, _ = w.Write([]byte(`[{"id": "a b", "title": "One"}, {"id": "b", "title": "Two"}]`))
		case "/items/a%20b":
			_, _ = w.Write([]byte(`{"id": "a b", "title": "One"}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	got := h.Get(t.Context(), []tutti.Ref{{Source: "shop", Kind: "article", ID: "a b"}, {Source: "shop", Kind: "article", ID: "x/../y"}}, tutti.Scope{})
	if got[0].Resource == nil || got[0].Resource.Fields.Text("title") != "One" || tutti.CodeOf(got[1].Err) != tutti.NotFound {
		t.Errorf("it gives %+v", got)
	}
	if got := h.titles(t, "article", tutti.Selection{}); got != "One Two" {
		t.Errorf("the list is %s", got)
	}
	if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "article", Text: "x"}, tutti.Scope{}); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Errorf("a search is %v", err)
	}
}

// TestAPlainGraphQLSystemNeedsNoManifest has errors of some aliases, nulls in place, and pages by cursor.
func TestAPlainGraphQLSystemNeedsNoManifest(t *testing.T) {
	answer := ""
	h := generic(t, "graphql", map[string]string{
		"item": "post(id: $id) { id title body }", "list": "query($first: Int!, $after: String) { posts(first: $first, after: $after) { nodes { id title } } }",
		"records": "data.posts.nodes", "paging": "cursor", "next": "data.posts.pageInfo.endCursor", "more": "data.posts.pageInfo.hasNextPage",
	}, func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query     string
			Variables map[string]any
		}
		_ = json.NewDecoder(r.Body).Decode(&q)
		switch {
		case answer != "":
			_, _ = w.Write([]byte(answer))
		case strings.Contains(q.Query, "posts("):
			more := q.Variables["after"] == nil
			_, _ = fmt.Fprintf(w, `{"data": {"posts": {"nodes": [{"id": "%v", "title": "After %v"}], "pageInfo": {"endCursor": "c1", "hasNextPage": %v}}}}`, more, q.Variables["after"], more)
		default:
			_, _ = w.Write([]byte(`{"data": {"a0": {"id": "1", "title": "One"}, "a1": null, "a2": null}, "errors": [{"message": "CANARY", "path": ["a2"]}]}`))
		}
	})
	ref := func(id string) tutti.Ref { return tutti.Ref{Source: "shop", Kind: "article", ID: id} }
	got := h.Get(t.Context(), []tutti.Ref{ref("1"), ref("2"), ref("3")}, tutti.Scope{})
	if got[0].Resource == nil || tutti.CodeOf(got[1].Err) != tutti.NotFound || tutti.CodeOf(got[2].Err) != tutti.BadAnswer || h.calls() != 1 {
		t.Errorf("%d calls gave %+v", h.calls(), got)
	}
	if got := h.titles(t, "article", tutti.Selection{First: 1}); got != "After <nil> After c1" {
		t.Errorf("the list is %s", got)
	}
	answer = `{"data": null, "errors": [{"message": "CANARY"}]}`
	if g := h.Get(t.Context(), []tutti.Ref{ref("7")}, tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.BadAnswer {
		t.Errorf("data: null is %v", g.Err)
	}
	answer = `{"errors": [{"message": "CANARY", "extensions": {"code": "THROTTLED"}}]}`
	if g := h.Get(t.Context(), []tutti.Ref{ref("8")}, tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.RateLimited {
		t.Errorf("throttled is %v", g.Err)
	}
	if strings.Contains(h.log.String(), "CANARY") {
		t.Error("the log tells what the system said")
	}
}

const nodesManifest = `
name: acme
graphql: /graphql
kinds:
  item:
    type: Record
    batch:
      graphql: {document: "query($ids: [ID!]!) { nodes(ids: $ids) { id name } }", variables: {ids: "${ids}"}}
      records: data.nodes
      maxIds: 10
    map: {title: record.name}
`

// TestGraphQLNodesComeInPlace: null in place without an error is not there; with one, nobody knows.
func TestGraphQLNodesComeInPlace(t *testing.T) {
	answers := []string{
		`{"data": {"nodes": [{"id": "a", "name": "A"}, null, {"id": "c", "name": "C"}]}}`,
		`{"data": {"nodes": [{"id": "d", "name": "D"}, null]}, "errors": [{"message": "x", "path": ["nodes", 1]}]}`,
	}
	h := play(t, nodesManifest, public, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(answers[0]))
		answers = answers[1:]
	})
	got := h.Get(t.Context(), refs("a", "b", "c"), tutti.Scope{})
	if got[0].Resource == nil || tutti.CodeOf(got[1].Err) != tutti.NotFound || got[2].Resource == nil {
		t.Errorf("nodes with a null came as %+v", got)
	}
	got = h.Get(t.Context(), refs("d", "e"), tutti.Scope{})
	if got[0].Resource == nil || tutti.CodeOf(got[1].Err) != tutti.BadAnswer {
		t.Errorf("nodes with an error came as %+v", got)
	}
}

func TestSettingsThatMakeNoManifestAreTold(t *testing.T) {
	_, err := Open([]config.Source{{
		Name: "shop", Connector: "rest", URL: "https://acme.example", Kinds: genericKinds,
		Settings: map[string]string{"list": "/x", "records": "a..b", "paging": "cursor"},
	}}, Deps{})
	if err == nil || !strings.Contains(err.Error(), "kinds.article.select.0.records is no path") || !strings.Contains(err.Error(), "paging.next") {
		t.Errorf("it says %v", err)
	}
}
