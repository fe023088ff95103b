package sources

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// mappedKind gives the kind item of a manifest, and a connector that reads it.
func mappedKind(t *testing.T, spec string, l tutti.Locales) (*compiledKind, *manifestConnector) {
	t.Helper()
	m, err := ParseManifest("acme.yaml", []byte("name: acme\nkinds:\n  item:\n    type: Product\n    get: {path: \"/items/${id}\"}\n"+spec))
	if err != nil {
		t.Fatal(err)
	}
	return m.compiled.kinds["item"], &manifestConnector{compiled: m.compiled, manifest: m, source: "shop", locales: localesOf(l), now: time.Now, log: slog.New(slog.DiscardHandler)}
}

func mapped(t *testing.T, spec, record, locale string) map[string]any {
	t.Helper()
	k, c := mappedKind(t, spec, tutti.Locales{Default: "en", Names: []string{"en", "de", "de-CH", "fr"}, Chains: map[string][]string{"fr": {"de"}}})
	rec, ok, err := k.readAlone(c, raw(record), locale)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	all := map[string]any{}
	for name, v := range rec.Resource.Fields.All() {
		all[name] = v
	}
	return all
}

func TestWordsOfTheOriginBecomeOurs(t *testing.T) {
	const spec = "    map:\n      a: {value: record.a, values: {2: open, IN: in stock, \"true\": yes, \"*\": other}}\n      b: {value: record.b, values: {IN: in stock}}\n"
	for in, want := range map[string]string{`2`: "open", `"2"`: "open", `"IN"`: "in stock", `true`: "yes", `"X"`: "other", `"\u0049N"`: "in stock", `""`: "", `null`: ""} {
		got := mapped(t, spec, `{"id":"1","a":`+in+`,"b":`+in+`}`, "en")
		if a, _ := got["a"].(string); a != want {
			t.Errorf("%s is called %q, want %q", in, a, want)
		}
		if b, ok := got["b"]; ok != (want == "in stock") {
			t.Errorf("%s, which the table does not name, is called %v", in, b)
		}
	}
}

func TestLocalesStandInForOneAnother(t *testing.T) {
	const spec = "    dimensions: [locale]\n    map:\n      title: lang(record.name, locales)\n"
	for locale, want := range map[string]any{"de-CH": "Meer", "fr": "Meer", "en": "Sea", "it": nil} {
		if got := mapped(t, spec, `{"id":"1","name":{"en-US":"Sea","de-DE":"Meer"}}`, locale)["title"]; got != want {
			t.Errorf("in %s the title is %v, want %v", locale, got, want)
		}
	}
}

func TestHelpersFillFields(t *testing.T) {
	const spec = `    map:
      price: money.major(record.price, record.currency)
      updatedAt: date(record.at, 'dd.MM.yyyy HH:mm', 'Europe/Berlin')
      description: {value: record.body, from: storyblok}
      link: url(record.path, 'https://shop.example/en/')
      note: {value: "rich(record.note, record.form)", as: richText}
      tags: path(record, 'v.*.sku')
`
	got := mapped(t, spec, `{"id":"1","price":19.9,"currency":"EUR","at":"21.11.2026 10:00","body":{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"Sea"}]}]},
		"path":"x","note":"*a*","form":"markdown","v":[{"sku":"a"},{"sku":"b"}]}`, "en")
	want := map[string]any{
		"price": tutti.Money{Amount: "19.90", Currency: "EUR"}, "updatedAt": time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), "description": tutti.RichText{HTML: "Sea", Markdown: "Sea", Plain: "Sea", SSML: "Sea"},
		"link": "https://shop.example/en/x", "note": tutti.RichText{HTML: "<em>a</em>", Markdown: "*a*", Plain: "a", SSML: `<emphasis level="moderate">a</emphasis>`}, "tags": []string{"a", "b"},
	}
	if show(got) != show(want) {
		t.Errorf("it is\n%s\nwant\n%s", show(got), show(want))
	}
	got = mapped(t, spec, `{"id":"1","price":"1.234,00","currency":"EUR","at":"2026-11-21","body":"text","path":7,"note":"a","form":"rtf","v":null}`, "en")
	if strings.Trim(show(got), "{}") != "" {
		t.Errorf("what does not fit comes to %s", show(got))
	}
}

// TestLinksOfSeveralKindsBecomeRefs is what docs/manifests.md shows.
func TestLinksOfSeveralKindsBecomeRefs(t *testing.T) {
	const spec = "    map:\n      related: {value: \"record.links.map(l, (l.type == 'Asset' ? 'dam' : source) + {'Asset': ':asset/', 'Entry': ':article/'}[l.type] + l.id)\", as: refs}\n"
	got := mapped(t, spec, `{"id":"1","links":[{"type":"Asset","id":"a/1"},{"type":"Entry","id":"e"}]}`, "en")["related"]
	if want := []tutti.Ref{{Source: "dam", Kind: "asset", ID: "a/1"}, {Source: "shop", Kind: "article", ID: "e"}}; show(got) != show(want) {
		t.Errorf("they are %s, want %s", show(got), show(want))
	}
	if got := mapped(t, spec, `{"id":"1"}`, "en"); len(got) != 0 {
		t.Errorf("without links it is %v", got)
	}
}
