//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// browse runs a script of e2e/browser on the preview page. Its pictures stay in the cache folder, to be looked at.
func browse(t *testing.T, script, address, key string) {
	t.Helper()
	dir := cacheFolder(t, "browser")
	shots := filepath.Join(dir, "pictures")
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, address, key, shots)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the page does not hold what it promises: %v", err)
	}
}

// TestPreviewPageInABrowser drives the preview page with Chromium: all channels, a wrong key, a
// phone's width, the keyboard alone.
func TestPreviewPageInABrowser(t *testing.T) {
	house := startDemo(t)
	browse(t, "preview.mjs", house.Preview, house.Keys["preview"])
}

// TestAChangedShapeShowsInThePreview: a source renames a member that a field is read from, and whoever previews a
// page that shows the field is told so.
func TestAChangedShapeShowsInThePreview(t *testing.T) {
	var renamed atomic.Bool
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "name"
		if renamed.Load() {
			name = "label"
		}
		items := []any{}
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			items = append(items, map[string]any{"id": id, name: "Item " + id})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
	}))
	t.Cleanup(origin.Close)
	var refs strings.Builder
	for n := range 60 {
		fmt.Fprintf(&refs, "\n              - \"shop:item/%d\"", n)
	}
	h := startHouse(t, house{files: map[string]string{
		"acme.yaml": `name: acme
kinds:
  item:
    type: Record
    batch: {path: /items, query: {ids: {value: "${ids}", encode: csv}}, records: items, maxIds: 100}
    map: {title: record.name}
`,
		"tutti.yaml": `locales: {default: en, names: [en]}
markets: {eu: {currency: EUR}}
sources:
  shop: {connector: ./acme.yaml, url: ` + origin.URL + `, allowPrivate: [127.0.0.1], kinds: {item: {access: public}}}
channels: {web: {}}
componentTypes:
  Shelf: {version: 1, props: {items: {type: resources, first: 60}}}
compositionTypes:
  page: {version: 1, slots: {main: {}}}
`,
		"content/compositions/shelf.yaml": `id: shelf
type: page
title: The shelf
slots:
  - id: main
    name: main
    components:
      - id: shelf
        type: Shelf
        props:
          items:
            refs:` + refs.String() + "\n",
	}})
	read := func() { h.invalidate(t, "shop"); h.experience(t, "shelf", nil) }
	for range 3 { // once a second some records are looked at
		read()
		time.Sleep(1100 * time.Millisecond)
	}
	renamed.Store(true)
	within(t, 15*time.Second, "a member that is renamed is told of", func() (string, bool) {
		read()
		var x struct {
			Sources []struct{ Drifts []struct{ Pointer string } }
		}
		ask(t, h.url, h.management, `{ sources { drifts { pointer } } }`, nil, &x)
		return fmt.Sprint(x), len(x.Sources[0].Drifts) > 0
	})
	browse(t, "drift.mjs", strings.TrimSuffix(h.url, "graphql")+"preview/", h.management)
}

// TestGraphQLOverHTTP runs the audits of the GraphQL-over-HTTP specification.
func TestGraphQLOverHTTP(t *testing.T) {
	house := startDemo(t)
	cmd := exec.CommandContext(t.Context(), "node", "run.mjs", house.GraphQL, house.Keys["server"])
	cmd.Dir = cacheFolder(t, "audit")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("an audit failed: %v", err)
	}
}
