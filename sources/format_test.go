package sources

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

func TestXMLBecomesJSON(t *testing.T) {
	lists := &xmlLists{}
	for _, path := range []string{"r.item", "r.item.tag", "r.none.deep", "r.box.in"} {
		lists.add(strings.Split(path, "."))
	}
	for name, tt := range map[string]struct{ xml, want string }{
		"text":           {`<r>a &lt;b&gt; &#233; "q" \</r>`, `{"r":{"#text":"a <b> é \"q\" \\","item":[]}}`},
		"one of a list":  {`<r><item>1</item></r>`, `{"r":{"item":[{"#text":"1","tag":[]}]}}`},
		"some of a list": {`<r><item><tag>a</tag><tag>b</tag></item><item/></r>`, `{"r":{"item":[{"tag":["a","b"]},{"tag":[]}]}}`},
		"none of a list": {`<r/>`, `{"r":{"item":[]}}`},
		"a list below":   {`<r><box><in>1</in></box></r>`, `{"r":{"box":{"in":["1"]},"item":[]}}`},
		"repeated":       {`<x><a>1</a><b/><a>2</a></x>`, `{"x":{"a":["1","2"],"b":""}}`},
		"attributes":     {`<x xmlns="urn:x" xmlns:p="urn:p" id="1" p:id="2"><p:a p:b="c">t</p:a></x>`, `{"x":{"@id":"1","a":{"@b":"c","#text":"t"}}}`},
		"left out":       {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><x>\n <a>1</a><!-- c --><?p i?>\n</x>\n", `{"x":{"a":"1"}}`},
		"CDATA":          {`<x><![CDATA[<b>&amp;]]></x>`, `{"x":"<b>&amp;"}`},
		"space in text":  {"<x> a\n\tb </x>", `{"x":" a\n\tb "}`},
		"a mark first":   {"\ufeff<?xml version=\"1.0\"?><x>a</x>", `{"x":"a"}`},
		"Latin 1":        {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><x>\xe9</x>", `{"x":"é"}`},
		"between":        {`<x>a<b>1</b>c</x>`, `{"x":{"b":"1","#text":"ac"}}`},
	} {
		got, err := xmlToJSON([]byte(tt.xml), lists)
		if err != nil || !sameJSON(t, string(got), tt.want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Errorf("%s is no JSON: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Errorf("%s is no JSON: %v", b, err)
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

func TestBadXMLIsRefused(t *testing.T) {
	const canary = "canary"
	for name, tt := range map[string]struct {
		xml  string
		code tutti.Code
	}{
		"nothing":         {"", tutti.BadAnswer},
		"text":            {canary, tutti.BadAnswer},
		"not closed":      {"<" + canary + "><b>", tutti.BadAnswer},
		"two roots":       {"<a/><b/>", tutti.BadAnswer},
		"text beside":     {"<a/>" + canary, tutti.BadAnswer},
		"DTD":             {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, tutti.BadAnswer},
		"bomb":            {`<!DOCTYPE a [<!ENTITY x "` + canary + `"><!ENTITY y "&x;&x;">]><a>&y;</a>`, tutti.BadAnswer},
		"entity":          {"<a>&" + canary + ";</a>", tutti.BadAnswer},
		"other encoding":  {`<?xml version="1.0" encoding="EBCDIC"?><a/>`, tutti.BadAnswer},
		"not UTF-8":       {"<a>\xff</a>", tutti.BadAnswer},
		"deep":            {strings.Repeat("<a>", 100_000), tutti.BadAnswer},
		"many":            {"<a>" + strings.Repeat("<b/>", 100_000) + "</a>", tutti.TooLarge},
		"many attributes": {"<a " + strings.Repeat(`b="" `, 200) + "/>", tutti.BadAnswer},
	} {
		if _, err := xmlToJSON([]byte(tt.xml), nil); tutti.CodeOf(err) != tt.code || strings.Contains(err.Error(), canary) {
			t.Errorf("%s comes to %v, want %s", name, err, tt.code)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{`<a b="c">d<e/></a>`, "<a>&#xD;\x85</a>", `<r><item/></r>`, "<a:b xmlns:a='x'/>"} {
		f.Add(s)
	}
	lists := &xmlLists{}
	lists.add([]string{"r", "item"})
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := xmlToJSON([]byte(s), lists); err == nil && !json.Valid(b) {
			t.Errorf("%q becomes %s", s, b)
		}
	})
}

func TestHeadersBecomeJSON(t *testing.T) {
	got := headersToJSON(http.Header{
		"Content-Type": {"image/jpeg"}, "X-Amz-Meta-Alt": {"=?UTF-8?B?RsOkbmVu?= in \"the\" wind"}, "Vary": {"a", "b"}, "Set-Cookie": {"canary"}, "X-Odd": {"\xff=?nothing?="},
	})
	if want := `{"content-type":"image/jpeg","vary":"a, b","x-amz-meta-alt":"Fänen in \"the\" wind","x-odd":"�=?nothing?="}`; string(got) != want {
		t.Errorf("they become %s, want %s", got, want)
	}
}

const bucketManifest = `
name: acme
kinds:
  item:
    type: Asset
    id: {path: true}
    get: {method: HEAD, path: "/pics/${id}", format: headers, conditional: etag}
    recordId: id
    filters: {prefix: {type: string}}
    select:
      - {optional: [prefix], path: /pics, query: {prefix: "${filter.prefix}", after: "${cursor}"}, format: xml, records: List.Contents, ids: record.Key, paging: {type: cursor, next: List.Next}}
    map:
      title: id.split('/')[size(id.split('/'))-1]
      alt: "record[?'x-meta-alt']"
      mediaType: "record['content-type']"
      bytes: "record['content-length']"
      original: "'https://cdn.example/' + id"
`

func TestABucketIsHeadersAndXML(t *testing.T) {
	h := play(t, bucketManifest, public, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		switch {
		case r.URL.Path == "/pics" && r.URL.Query().Get("prefix") == "none/":
			fmt.Fprint(w, `<List/>`)
		case r.URL.Path == "/pics" && r.URL.Query().Get("after") == "":
			fmt.Fprint(w, `<List><Contents><Key>a/b c.jpg</Key></Contents><Contents><Key>a/</Key></Contents><Contents><Key>/x</Key></Contents><Next>2</Next></List>`)
		case r.URL.Path == "/pics":
			fmt.Fprint(w, `<List><Contents><Key>a/é?#&amp;.jpg</Key></Contents></List>`)
		case r.Method != http.MethodHead:
			t.Errorf("%s %s", r.Method, r.URL)
		case r.URL.EscapedPath() == "/pics/gone":
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "image/jpeg")
			w.Header().Set("Content-Length", "1234")
			w.Header().Set("X-Meta-Alt", r.URL.EscapedPath())
			w.Header().Set("ETag", `"1"`)
		}
	})
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
	if err != nil || len(page.Items) != 1 || page.Next == "" {
		t.Fatalf("the first page is %+v, %v; want one item, for two keys are no paths", page, err)
	}
	f := page.Items[0].Resource.Fields
	if f.Get("title") != "b c.jpg" || f.Get("alt") != "/pics/a/b%20c.jpg" || f.Get("mediaType") != "image/jpeg" || f.Get("bytes") != int64(1234) || f.Get("original") != "https://cdn.example/a/b c.jpg" {
		t.Errorf("the item is %v", f)
	}
	page, err = h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", After: page.Next}, tutti.Scope{})
	if err != nil || len(page.Items) != 1 || page.Next != "" || page.Items[0].Resource.Fields.Get("alt") != "/pics/a/%C3%A9%3F%23&.jpg" {
		t.Fatalf("the last page is %+v, %v; want one item", page, err)
	}
	if page, err = h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Filter: map[string]any{"prefix": "none/"}}, tutti.Scope{}); err != nil || len(page.Items) != 0 {
		t.Errorf("an empty list is %+v, %v", page, err)
	}
	before := h.calls()
	for _, id := range []string{"..", "a/../b", "a//b", "/a", "a/", "./a", "a/.", "a\n"} {
		if g := h.Get(t.Context(), refs(id), tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.NotFound {
			t.Errorf("%q comes to %v", id, g.Err)
		}
	}
	if h.calls() != before {
		t.Error("an id that is no path was asked for")
	}
	if g := h.Get(t.Context(), refs("gone"), tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.NotFound {
		t.Errorf("a key that is not there comes to %v", g.Err)
	}
}

func TestAnotherFormatIsABadAnswer(t *testing.T) {
	for body, contentType := range map[string]string{`{"List": {}}`: "application/json", "<List": "text/xml", "<!DOCTYPE x><List/>": "application/xml"} {
		h := play(t, bucketManifest, public, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, body)
		})
		if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{}); tutti.CodeOf(err) != tutti.BadAnswer {
			t.Errorf("%s comes to %v", body, err)
		}
	}
}

func TestAFormIsABody(t *testing.T) {
	const manifest = `
name: acme
kinds:
  item:
    type: Record
    dimensions: [locale]
    batch: {path: /search, form: {ids: {value: "${ids}", encode: repeat}, lang: "${locale}", fixed: a b&c}, records: items, maxIds: 10}
    map: {title: record.name}
`
	h := play(t, manifest, map[string]config.KindConfig{"item": {Access: tutti.AccessPublic}}, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.URL.RawQuery != "" || r.PostForm.Encode() != "fixed=a+b%26c&ids=a%26x%3D1&ids=b" {
			t.Errorf("the form is %v of %s %s", r.PostForm, r.Method, r.URL)
		}
		items(w, 1, r.PostForm["ids"]...)
	})
	for _, g := range h.Get(t.Context(), refs("a&x=1", "b"), tutti.Scope{}) {
		if g.Resource == nil {
			t.Error(g.Err)
		}
	}
}
