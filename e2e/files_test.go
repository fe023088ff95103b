//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRealFolder assembles a page of the files of a folder, which somebody writes while the server runs.
func TestRealFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "guides")
	put := func(name, content string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("city/bilbao.md", "---\ntitle: Bilbao\ndate: 2026-11-01\ntags: [city]\n---\nA day by the **river**. ![The bridge](bridge.jpg)\n")
	put("coast.json", `{"title": "The coast", "date": "2026-10-01", "body": "Bring a *coat*."}`)
	put("hills.yaml", "title: Hills\ndate: 2026-09-01\n")
	put("later.md", "---\ntitle: Not yet\ndraft: true\n---\n")
	put("broken.yaml", "title: [\n")
	h := startHouse(t, house{
		env:   []string{"GUIDES=" + folder},
		files: map[string]string{"tutti.yaml": guidesConfig, "content/compositions/guides.yaml": guidesPage},
	})
	shows := func(what, want string) (x realPage) {
		t.Helper()
		within(t, 5*time.Second, what, func() (string, bool) {
			x = h.experience(t, "guides", nil)
			var titles []string
			for _, i := range x.Components[1].Resources.Nodes {
				titles = append(titles, i.Title)
			}
			is := fmt.Sprintf("%s; %s", x.Freshness.State, strings.Join(titles, ", "))
			return is, is == want
		})
		return x
	}
	x := shows("the folder is there", "FRESH; Bilbao, The coast, Hills")
	if one := x.Components[0].Resource; one == nil || one.Title != "Bilbao" || one.Body == nil || one.Body.Plain != "A day by the river. The bridge" || len(one.Tags) != 1 {
		t.Errorf("the guide is %+v", x.Components[0].Resource)
	}
	put("city/bilbao.md", "---\ntitle: Bilbao by night\ndate: 2026-11-01\n---\nStay up.\n")
	put("islands.md", "---\ntitle: Islands\ndate: 2026-12-01\n---\n")
	if one := shows("what was written is there", "FRESH; Islands, Bilbao by night, The coast, Hills").Components[0].Resource; one.Title != "Bilbao by night" {
		t.Errorf("the guide is %+v", one)
	}
	if err := os.Remove(filepath.Join(folder, "coast.json")); err != nil {
		t.Fatal(err)
	}
	shows("what was removed is gone", "FRESH; Islands, Bilbao by night, Hills")
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	h.invalidate(t, "guides")
	x = shows("without the folder, what is kept stands in", "STALE_ERROR; Islands, Bilbao by night, Hills")
	if len(x.Problems) == 0 || x.Problems[0].Code != "UNAVAILABLE" || !x.Problems[0].Stale || strings.Contains(fmt.Sprint(x.Problems), folder) {
		t.Errorf("the problems are %+v", x.Problems)
	}
	if err := os.Rename(folder+"-away", folder); err != nil {
		t.Fatal(err)
	}
	shows("the folder is back", "FRESH; Islands, Bilbao by night, Hills")
}

const guidesConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en]}
markets:
  eu: {currency: EUR}
sources:
  guides:
    connector: files
    settings: {folder: "${GUIDES}", base: https://www.example.com/guides}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    kinds:
      article: {access: public}
` + storyTypes

const guidesPage = `
id: guides
type: page
title: From the folder
slots:
  - id: main
    name: main
    components:
      - {id: one, type: Story, props: {item: {ref: "guides:article/city/bilbao"}}}
      - {id: all, type: Stories, props: {items: {select: {source: guides, kind: article, sort: -date, first: 9}}}}
`
