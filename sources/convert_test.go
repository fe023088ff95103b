package sources

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func TestValuesBecomeTheirTypes(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	gone := any(nil) // absent
	for _, c := range []struct {
		as   tutti.FieldType
		in   any
		want any
		bad  bool
	}{
		{as: tutti.FieldString, in: json.Number("12345678901234567890"), want: "12345678901234567890"},
		{as: tutti.FieldString, in: "a\ue000b\ue001", want: "ab"},
		{as: tutti.FieldString, in: "", want: gone},
		{as: tutti.FieldString, in: map[string]any{}, bad: true},
		{as: tutti.FieldInt, in: json.Number("9007199254740993"), want: int64(9007199254740993)},
		{as: tutti.FieldInt, in: json.Number("1.5"), bad: true},
		{as: tutti.FieldInt, in: json.Number("5.0"), want: int64(5)},
		{as: tutti.FieldFloat, in: json.Number("1e999"), bad: true},
		{as: tutti.FieldTime, in: "2026-11-21T10:00:00+01:00", want: at},
		{as: tutti.FieldTime, in: "2026-11-21T09:00:00", want: at},
		{as: tutti.FieldTime, in: json.Number("1795251600"), want: at},
		{as: tutti.FieldTime, in: json.Number("1795251600000"), want: at},
		{as: tutti.FieldTime, in: "", want: gone},
		{as: tutti.FieldTime, in: "yesterday", bad: true},
		{as: tutti.FieldMoney, in: map[string]any{"amount": json.Number("149.90"), "currency": "eur"}, want: tutti.Money{Amount: "149.90", Currency: "EUR"}},
		{as: tutti.FieldMoney, in: map[string]any{"amount": "1e3", "currency": "EUR"}, bad: true},
		{as: tutti.FieldMoney, in: map[string]any{"amount": 0.1 + 0.2, "currency": "EUR"}, want: tutti.Money{Amount: "0.30", Currency: "EUR"}},
		{as: tutti.FieldMoney, in: map[string]any{"amount": 1e15, "currency": "EUR"}, bad: true},
		{as: tutti.FieldTime, in: "9999-12-31T23:59:59-05:00", bad: true},
		{as: tutti.FieldPlace, in: map[string]any{"lat": json.Number("43.25"), "lng": json.Number("-2.5")}, want: tutti.Place{Lat: 43.25, Lon: -2.5}},
		{as: tutti.FieldPlace, in: map[string]any{"lat": json.Number("91"), "lon": json.Number("0")}, bad: true},
		{as: tutti.FieldRef, in: "dam:asset/x", want: tutti.Ref{Source: "dam", Kind: "asset", ID: "x"}},
		{as: tutti.FieldRef, in: "x", bad: true},
		{as: tutti.FieldStrings, in: []any{"a", nil, json.Number("1")}, want: []string{"a", "1"}},
	} {
		f := field{name: "f", kind: c.as}
		got, absent, err := f.convert(c.in, "", "", "s")
		if absent {
			got = nil
		}
		if (err != nil) != c.bad || !c.bad && show(got) != show(c.want) {
			t.Errorf("%v as %s comes to %v, %v; want %v", c.in, c.as, got, err, c.want)
		}
	}
}

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestAddressesThatCouldRunAreLeftOut(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x?y=1": "https://a.example/x?y=1", "/path": "/path", "mailto:a@b.example": "mailto:a@b.example",
		"javascript:alert(1)": "", " JavaScript:alert(1)": "", "data:text/html,x": "", "java\nscript:x": "", "https:x": "", `\\evil.example`: "", "vbscript:x": "",
	} {
		if got := address(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestLinksBecomeRelations(t *testing.T) {
	for in, want := range map[string]string{
		`<a href="https://stay.example/places/old-market">`: "old-market", "see https://stay.example/places/a%20b?x=1 now": "a b", "(https://stay.example/places/x).": "x",
		"https://other.example/places/x": "", "https://stay.example/places/": "", "https://stay.example/places/ https://stay.example/places/y": "y",
	} {
		if got := linked(in, "https://stay.example/places/"); got != want {
			t.Errorf("%q leads to %q, want %q", in, got, want)
		}
	}
}

func TestRenditionsOfCloudinary(t *testing.T) {
	m, err := ReadManifest("cloudinary", ".")
	if err != nil {
		t.Fatal(err)
	}
	k := m.compiled.kinds["asset"]
	c := &manifestConnector{source: "dam", settings: map[string]any{"cloud": "demo", "delivery": "https://res.cloudinary.com"}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	record := map[string]any{"asset_id": strings.Repeat("0", 32), "resource_type": "image", "type": "upload", "version": json.Number("1763700000"), "public_id": "spring/hero ?01", "format": "jpg"}
	of := func() *tutti.Renditions {
		rec, ok, err := k.readAlone(c, raw(show(record)), "en")
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		return rec.Resource.Assets
	}
	a := of()
	for want, got := range map[string]string{
		"https://res.cloudinary.com/demo/image/upload/c_limit,w_480/f_webp/q_auto/v1763700000/spring/hero%20%3F01.jpg":             a.URL(480, 0, "webp"),
		"https://res.cloudinary.com/demo/image/upload/c_fill,g_auto,w_480,h_270/f_auto/q_auto/v1763700000/spring/hero%20%3F01.jpg": a.URL(480, 270, ""),
		"": a.URL(480, 0, "tiff"),
	} {
		if got != want {
			t.Errorf("it is %s, want %s", got, want)
		}
	}
	record["public_id"] = "../../other/secret"
	if of() != nil {
		t.Error("an id that leads elsewhere makes an address")
	}
	record["resource_type"] = "video"
	if of() != nil {
		t.Error("a film has renditions")
	}
}

// TestWordsOfCloudinaryAreInTheNextLanguage reads an alternative text that is written per language, for one that stands in for
// another, and for one that nothing stands in for.
func TestWordsOfCloudinaryAreInTheNextLanguage(t *testing.T) {
	m, err := ReadManifest("cloudinary", ".")
	if err != nil {
		t.Fatal(err)
	}
	c := &manifestConnector{source: "dam", settings: map[string]any{}, locales: locales{"de-ch": {"de-CH", "de", "en"}}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	for _, tt := range [][3]string{{"de-CH", `{"alt":"A","alt_de":"Ein A"}`, "Ein A"}, {"de", `{"alt":"A","alt_de":"Ein A"}`, "Ein A"}, {"fr", `{"alt":"A","alt_de":"Ein A"}`, "A"}, {"fr", `{}`, ""}} {
		rec, ok, err := m.compiled.kinds["asset"].readAlone(c, raw(`{"asset_id":"`+strings.Repeat("0", 32)+`","resource_type":"raw","context":{"custom":`+tt[1]+`}}`), tt[0])
		if !ok || err != nil || rec.Resource.Fields.Text("alt") != tt[2] {
			t.Errorf("in %s it is %q (%v, %v), want %q", tt[0], rec.Resource.Fields.Text("alt"), ok, err, tt[2])
		}
	}
}

// TestARenditionHasNoFragment makes a picture smaller whose address has one.
func TestARenditionHasNoFragment(t *testing.T) {
	m, err := ReadManifest("vendure", ".")
	if err != nil {
		t.Fatal(err)
	}
	c := &manifestConnector{source: "shop", settings: map[string]any{}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	rec, ok, err := m.compiled.kinds["picture"].readAlone(c, raw(`{"id":"1","name":"A","featuredAsset":{"id":"2","preview":"https://shop.example/a.jpg#top"}}`), "en")
	if !ok || err != nil || rec.Resource.Assets.URL(100, 0, "webp") != "https://shop.example/a.jpg?w=100&format=webp" {
		t.Errorf("it is %s (%v, %v)", rec.Resource.Assets.URL(100, 0, "webp"), ok, err)
	}
}

// TestPricesOfVendureHaveItsDigits reads prices in a currency that has no digits: Vendure stores all amounts multiplied
// by a hundred.
func TestPricesOfVendureHaveItsDigits(t *testing.T) {
	m, err := ReadManifest("vendure", ".")
	if err != nil {
		t.Fatal(err)
	}
	c := &manifestConnector{source: "shop", settings: map[string]any{"precision": "2"}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	for currency, want := range map[string]string{"JPY": "1500", "EUR": "1500.00", "KWD": "1500.000"} {
		record := raw(`{"id":"1","variants":[{"priceWithTax":150000,"currencyCode":"` + currency + `"}],"facetValues":[]}`)
		rec, ok, err := m.compiled.kinds["product"].readAlone(c, record, "en")
		if !ok || err != nil || rec.Resource.Fields.Get("price") != (tutti.Money{Amount: want, Currency: currency}) {
			t.Errorf("it is %v (%v, %v), want %s %s", rec.Resource.Fields.Get("price"), ok, err, want, currency)
		}
	}
}

func TestLimitHeaders(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	h := http.Header{"R": {"0"}, "S": {"30"}, "U": {"1795262430"}, "I": {"2026-11-21T12:00:30Z"}, "D": {"Sat, 21 Nov 2026 12:00:30 GMT"}}
	for reset, as := range map[string]string{"S": "", "U": "unix", "I": "time", "D": "time"} {
		if got := (&limits{LimitSpec: LimitSpec{Remaining: "R", Reset: reset, ResetAs: as}}).left(h, now).until; !got.Equal(now.Add(30 * time.Second)) {
			t.Errorf("%s as %q holds until %v", reset, as, got)
		}
	}
	h.Set("R", "1")
	if got := (&limits{LimitSpec: LimitSpec{Remaining: "R", Reset: "S"}}).left(h, now).until; !got.IsZero() {
		t.Errorf("with calls left it holds until %v", got)
	}
	for in, want := range map[string]time.Time{"30": now.Add(30 * time.Second), "Sat, 21 Nov 2026 12:00:30 GMT": now.Add(30 * time.Second), "soon": {}, "-1": {}} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, now); !got.Equal(want) {
			t.Errorf("Retry-After: %s is %v", in, got)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	m, err := ReadManifest("vendure", ".")
	if err != nil {
		b.Fatal(err)
	}
	k := m.compiled.kinds["product"]
	c := &manifestConnector{compiled: m.compiled, source: "catalog", settings: map[string]any{}, before: map[*field]string{}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	record := raw(`{"id":"3","languageCode":"en","slug":"mouse","name":"Mouse","description":"A mouse.","updatedAt":"2026-11-21T19:35:44.000Z","featuredAsset":{"id":"3"},"variants":[{"id":"7","sku":"834444","priceWithTax":2279,"currencyCode":"USD","stockLevel":"IN_STOCK"}],"facetValues":[{"code":"electronics"},{"code":"computers"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := k.readAlone(c, record, "en"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

// TestOneMemberOfEachIsTakenAsCELDoes: with everything that may stand in such a list.
func TestOneMemberOfEachIsTakenAsCELDoes(t *testing.T) {
	m, err := ParseManifest("acme.yaml", []byte("name: acme\nkinds: {item: {type: Product, get: {path: '/${id}'}, map: {tags: 'record.a.list.map(x, x.b.c)'}, tags: {part: 'record.parts.map( p, p.id )'}}}"))
	if err != nil {
		t.Fatal(err)
	}
	k := m.compiled.kinds["item"]
	if k.fields[0].value.listAt == nil || k.tags[0].id.listAt == nil {
		t.Fatal("it is not seen that one member is taken")
	}
	c := &manifestConnector{compiled: m.compiled, source: "s", settings: map[string]any{}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	for list, want := range map[string]string{
		`[{"b":{"c":"x"}},{"b":{"c":"y\n","c":"z"},"d":1}]`: `["x","z"]`, `[]`: `null`, `[{"b":{"c":"x"}},{"b":{"c":7}}]`: `["x","7"]`, `[{"b":{"c":1.50}}]`: `["1.5"]`,
		`[{"b":{"c":"x"}},{"b":{}}]`: `null`, `[{"b":{"c":"x"}},{"b":null}]`: `null`, `[{"b":{"c":"x"}},7]`: `null`, `null`: `null`, `{"k":{"b":{"c":"x"}}}`: `null`, `"text"`: `null`, `[{"b":{"c":"\ue000a"}}]`: `["a"]`,
	} {
		b := raw(`{"id":"1","a":{"list":` + list + `},"parts":[{"id":"p1"},{"id":"p2"}]}`)
		fast, ok, err := k.readAlone(c, b, "")
		slow, slowOK, slowErr := k.readSlowly(c, b, "")
		if !ok || err != nil || !slowOK || slowErr != nil {
			t.Fatalf("%s: %v, %v; %v, %v", list, ok, err, slowOK, slowErr)
		}
		if got := show(fast.Resource.Fields.Get("tags")); got != want || got != show(slow.Resource.Fields.Get("tags")) {
			t.Errorf("%s comes to %s, by CEL to %s, want %s", list, got, show(slow.Resource.Fields.Get("tags")), want)
		}
		if got := show(fast.Resource.Tags); got != `["s:item/1","s:part/p1","s:part/p2"]` {
			t.Errorf("%s has the tags %s", list, got)
		}
	}
}
