package sources

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// TestTheQueryOfASettingIsThePaths asks for one item of a list whose path, a setting, ends with a query.
func TestTheQueryOfASettingIsThePaths(t *testing.T) {
	const manifest = `
name: acme
settings: {list: {description: The list., required: true, example: /items}}
kinds:
  item:
    type: Record
    get: {path: "${settings.list}/${id}.json", query: {full: "1"}}
    select: [{path: "${settings.list}", records: items}]
    map: {title: record.name}
`
	h := play(t, manifest, public, func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"id": "1&lang=de", "name": "One"})
	}, func(c *config.Source, _ *Deps) { c.Settings = map[string]string{"list": "/posts?lang=en&state=live"} })
	if g := h.Get(t.Context(), refs("1&lang=de"), tutti.Scope{})[0]; g.Resource == nil {
		t.Error(g.Err)
	}
	if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{}); err == nil {
		t.Error("an object is taken for a list")
	}
	if got, want := strings.Join(h.asked, " "), "/posts/1&lang=de.json?lang=en&state=live&full=1 /posts?lang=en&state=live"; got != want {
		t.Errorf("it asks for\n%s, want\n%s", got, want)
	}
}

// TestAKindWithAWrongNameIsToldAndNotMore reads a query of a kind whose name looks like a path.
func TestAKindWithAWrongNameIsToldAndNotMore(t *testing.T) {
	_, err := ParseManifest("acme.yaml", []byte(`
name: acme
protocol: sql
url: postgres://db.example
kinds: {a.b: {type: Record, batch: {sql: "select * from t where id = any($ids)", maxIds: 5}, map: {title: record.name}}}
`))
	if err == nil || !strings.HasPrefix(err.Error(), "acme.yaml:5:9: kinds.a.b is no name") || strings.Contains(err.Error(), "\n") {
		t.Errorf("it says %v", err)
	}
}

// TestOnlyTheWholeNameIsTheID writes aliases of a field that has a variable of a similar name.
func TestOnlyTheWholeNameIsTheID(t *testing.T) {
	g := &graphqlCall{each: "thing(id: $id, like: $idea)", idType: "ID!"}
	body, err := g.body(map[string]any{"ids": []string{"x"}})
	if query := body.(map[string]any)["query"]; err != nil || query != "query($i0: ID! ) {\na0: thing(id: $i0, like: $idea)\n}" {
		t.Errorf("it writes %v (%v)", query, err)
	}
}
