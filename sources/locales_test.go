package sources

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

const tonguesManifest = `
name: acme
kinds:
  item:
    type: Product
    id: {pattern: "[a-z0-9]+"}
    dimensions: [locale]
    languages: record
    batch: {path: /items, query: {ids: {value: "${ids}", encode: csv}}, records: items, maxIds: 8}
    select:
      - {path: /items, query: {n: "${first}"}, records: items}
      - {text: required, path: /items, query: {q: "${text}"}, records: items, ids: record.id}
    map:
      title: lang(record.name, locales)
      description: lang(record.text, locales)
      weight: {value: "lang(record.weight, [locale])", as: float}
      sku: record.sku
`

// TestRecordsThatHoldAllLanguagesAreKeptOnce: one call, one kept item, whatever language is asked for.
func TestRecordsThatHoldAllLanguagesAreKeptOnce(t *testing.T) {
	h := play(t, tonguesManifest, public, func(w http.ResponseWriter, r *http.Request) {
		ids := r.URL.Query().Get("ids")
		if ids == "" {
			ids = "b"
		}
		var rows []string
		for id := range strings.SplitSeq(ids, ",") {
			rows = append(rows, fmt.Sprintf(`{"id":%q,"sku":"s-%s","name":{"en":"Sea \ud83d\ude00 %s","de-DE":"Meer %s"},"text":{"en":"<p>a</p><p>b</p>"},"weight":{"en":1.5,"de":"schwer"}}`, id, id, id, id))
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(rows, ","))
	}, func(_ *config.Source, d *Deps) {
		d.Locales = tutti.Locales{Default: "en", Names: []string{"en", "de", "fr", "de-CH"}, Chains: map[string][]string{"fr": {"de"}}}
	})
	title := func(id, locale string) string {
		t.Helper()
		g := h.Get(t.Context(), refs(id), tutti.Scope{Locale: locale})[0]
		if g.Resource == nil || g.Resource.Locale != locale || g.Resource.Fields.Text("sku") != "s-"+id || g.Resource.Ref.ID != id || len(g.Resource.Tags) != 1 {
			t.Fatalf("in %s it is %+v", locale, g)
		}
		return g.Resource.Fields.Text("title")
	}
	title("a", "de") // as many languages are kept as are configured, the first that are asked for
	var wg sync.WaitGroup
	for range 4 {
		for locale, want := range map[string]string{"en": "Sea 😀 a", "de": "Meer a", "fr": "Meer a", "de-CH": "Meer a", "it": ""} {
			wg.Go(func() {
				if got := title("a", locale); got != want {
					t.Errorf("in %s the title is %q, want %q", locale, got, want)
				}
			})
		}
	}
	wg.Wait()
	for tries := 0; h.cache.Stats().Items == 0 && tries < 1_000_000; tries++ { // who asks has it a moment before it counts
		runtime.Gosched()
	}
	if h.calls() != 1 || h.cache.Stats().Items != 1 {
		t.Errorf("five languages took %d calls and keep %d items: %v", h.calls(), h.cache.Stats().Items, h.asked)
	}
	one := h.Get(t.Context(), refs("a"), tutti.Scope{Locale: "de"})[0].Resource
	if again := h.Get(t.Context(), refs("a"), tutti.Scope{Locale: "de"})[0].Resource; again != one {
		t.Error("it is mapped each time")
	}
	if u := one.Fields.Unread(); len(u) != 1 || u[0].Field != "weight" {
		t.Errorf("in German it could not read %v", u)
	}
	if en := h.Get(t.Context(), refs("a"), tutti.Scope{Locale: "en"})[0].Resource; en.Fields.Get("weight") != 1.5 || en.Fields.Unread() != nil || en.Fields.Get("description").(tutti.RichText).Plain != "a\n\nb" {
		t.Errorf("in English it is %+v", en.Fields)
	}
	for _, locale := range []string{"en", "de"} {
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", First: 5}, tutti.Scope{Locale: locale})
		if err != nil || len(page.Items) != 1 || page.Items[0].Resource.Locale != locale || (page.Items[0].Resource.Fields.Text("title") == "Meer b") != (locale == "de") {
			t.Errorf("the page in %s is %+v, %v", locale, page, err)
		}
	}
	for _, locale := range []string{"de", "en"} { // by ids, which are then read
		page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Text: "sea", First: 5}, tutti.Scope{Locale: locale})
		if err != nil || len(page.Items) != 1 || (page.Items[0].Resource.Fields.Text("title") == "Meer b") != (locale == "de") {
			t.Errorf("what is found in %s is %+v, %v", locale, page, err)
		}
	}
	if title("b", "de") != "Meer b" || h.calls() != 3 {
		t.Errorf("a list in two languages and its item took %d calls", h.calls()-1)
	}
	h.Forget("shop:item/a")
	if title("a", "de"); h.calls() != 4 {
		t.Error("forgotten in no language")
	}
}
