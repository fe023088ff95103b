package text

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
)

func decoded(t *testing.T, s string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDocumentsBecomeRichText(t *testing.T) {
	for name, c := range map[string]struct {
		read func(any) (tutti.RichText, bool)
		in   string
		html string
	}{
		"contentful": {
			FromContentful, `{"nodeType":"document","data":{},"content":[
			{"nodeType":"heading-2","data":{},"content":[{"nodeType":"text","value":"Rooms & <rates>","marks":[],"data":{}}]},
			{"nodeType":"paragraph","content":[{"nodeType":"text","value":"A ","marks":[]},{"nodeType":"text","value":"quiet","marks":[{"type":"bold"},{"type":"italic"}]},
				{"nodeType":"hyperlink","data":{"uri":"https://a.example/x?y=1&z=2"},"content":[{"nodeType":"text","value":" place"}]},
				{"nodeType":"embedded-entry-inline","data":{"target":{"sys":{"id":"x"}}},"content":[]}]},
			{"nodeType":"unordered-list","content":[{"nodeType":"list-item","content":[{"nodeType":"paragraph","content":[{"nodeType":"text","value":"one"}]}]}]},
			{"nodeType":"embedded-asset-block","data":{},"content":[{"nodeType":"text","value":"never"}]},
			{"nodeType":"of-tomorrow","content":[{"nodeType":"text","value":"kept"}]}]}`,
			`<h2>Rooms &amp; &lt;rates&gt;</h2><p>A <strong><em>quiet</em></strong><a href="https://a.example/x?y=1&amp;z=2" rel="nofollow"> place</a></p><ul><li><p>one</p></li></ul>kept`,
		},
		"contentful, one line":         {FromContentful, `{"nodeType":"document","content":[{"nodeType":"paragraph","content":[{"nodeType":"text","value":"a\nb"}]}]}`, `a<br/>b`},
		"contentful, a link that runs": {FromContentful, `{"nodeType":"document","content":[{"nodeType":"paragraph","content":[{"nodeType":"hyperlink","data":{"uri":"javascript:alert(1)"},"content":[{"nodeType":"text","value":"x"}]}]}]}`, `x`},
		"contentful, odd":              {FromContentful, `{"nodeType":"document","content":[7,null,{"nodeType":"text"},{"nodeType":"paragraph","content":{"a":1}},{"content":[{"nodeType":"text","value":"x","marks":[3,{"type":7}]}]}]}`, `<p></p>x`},
		"storyblok": {
			FromStoryblok, `{"type":"doc","content":[
			{"type":"heading","attrs":{"level":3},"content":[{"type":"text","text":"Hi"}]},
			{"type":"paragraph","content":[{"type":"text","text":"See ","marks":[{"type":"bold"}]},{"type":"text","text":"us","marks":[{"type":"link","attrs":{"href":"/about","linktype":"story","anchor":"team"}}]},
				{"type":"hard_break"},{"type":"text","text":"mail","marks":[{"type":"link","attrs":{"href":"a@b.example","linktype":"email"}}]},{"type":"emoji","attrs":{"name":"smile","emoji":"🙂"}}]},
			{"type":"ordered_list","attrs":{"order":3},"content":[{"type":"list_item","content":[{"type":"paragraph","content":[{"type":"text","text":"c"}]}]}]},
			{"type":"blok","attrs":{"body":[{"component":"button","text":"never"}]}},
			{"type":"image","attrs":{"src":"https://a.storyblok.com/x.jpg","alt":"A \"field\""}},
			{"type":"code_block","content":[{"type":"text","text":"1 < 2"}]}]}`,
			`<h3>Hi</h3><p><strong>See </strong><a href="/about#team">us</a><br/><a href="mailto:a@b.example">mail</a>🙂</p><ol start="3"><li><p>c</p></li></ol><img src="https://a.storyblok.com/x.jpg" alt="A &#34;field&#34;"/><pre>1 &lt; 2</pre>`,
		},
		"storyblok, hidden HTML": {FromStoryblok, `{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"<script>x</script>"}]}]}`, `&lt;script&gt;x&lt;/script&gt;`},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := c.read(decoded(t, c.in))
			if !ok || r.HTML != c.html {
				t.Errorf("%v, it is\n%s\nwant\n%s", ok, r.HTML, c.html)
			}
		})
	}
	for _, v := range []any{nil, "text", map[string]any{}, map[string]any{"nodeType": "paragraph"}, []any{}} {
		if _, ok := FromContentful(v); ok {
			t.Errorf("%v is a document", v)
		}
	}
	deep := map[string]any{"type": "text", "text": "x"}
	for range 100_000 {
		deep = map[string]any{"type": "blockquote", "content": []any{deep}}
	}
	if r, ok := FromStoryblok(map[string]any{"type": "doc", "content": []any{deep}}); !ok || len(r.HTML) > 1<<16 {
		t.Error(ok, len(r.HTML))
	}
}

func TestFacetsAreRangesOfBytes(t *testing.T) {
	facet := func(from, to int, feature string) string {
		return `{"index":{"byteStart":` + scalarOf(from) + `,"byteEnd":` + scalarOf(to) + `},"features":[` + feature + `]}`
	}
	link := `{"$type":"app.bsky.richtext.facet#link","uri":"https://a.example/"}`
	for name, c := range map[string]struct{ text, facets, html string }{
		"bytes, not characters": {"é link", facet(3, 7, link), `é <a href="https://a.example/" rel="nofollow">link</a>`},
		"mention and tag": {
			"@ana #sea", facet(0, 4, `{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:abc"}`) + "," + facet(5, 9, `{"$type":"app.bsky.richtext.facet#tag","tag":"sea side"}`),
			`<a href="https://bsky.app/profile/did:plc:abc" rel="nofollow">@ana</a> <a href="https://bsky.app/hashtag/sea%20side" rel="nofollow">#sea</a>`,
		},
		"overlap":                   {"abcdef", facet(2, 5, link) + "," + facet(0, 3, link), `<a href="https://a.example/" rel="nofollow">abc</a>def`},
		"beyond the end":            {"abc", facet(1, 4, link), `abc`},
		"empty and backwards":       {"abc", facet(1, 1, link) + "," + facet(2, 1, link), `abc`},
		"negative":                  {"abc", facet(-1, 2, link), `abc`},
		"in a character":            {"aé", facet(0, 2, link), `aé`},
		"of no known kind":          {"abc", facet(0, 1, `{"$type":"x.y#z"}`), `abc`},
		"a link that runs":          {"abc", facet(0, 1, `{"$type":"app.bsky.richtext.facet#link","uri":"javascript:x"}`), `abc`},
		"the first that counts":     {"abc", facet(0, 1, `{"$type":"x"},`+link), `<a href="https://a.example/" rel="nofollow">a</a>bc`},
		"words that look like HTML": {"<b> & x", facet(6, 7, link), `&lt;b&gt; &amp; <a href="https://a.example/" rel="nofollow">x</a>`},
		"lines and paragraphs":      {"a\nb\n\nc", "", `<p>a<br/>b</p><p>c</p>`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := FromFacets(c.text, decoded(t, "["+c.facets+"]").([]any)).HTML; got != c.html {
				t.Errorf("it is\n%s\nwant\n%s", got, c.html)
			}
		})
	}
	FromFacets("abc", []any{nil, 1, "x", map[string]any{"index": 3}, map[string]any{"index": map[string]any{"byteStart": "0", "byteEnd": 1.5}}})
}

func scalarOf(i int) string { s, _ := scalar(int64(i)); return s }

func FuzzFromFacets(f *testing.F) {
	f.Add("é @ana", 3, 7, 0, 2)
	f.Fuzz(func(t *testing.T, s string, a, b, c, d int) {
		if !utf8.ValidString(s) {
			t.Skip() // a text in JSON is valid
		}
		one := func(from, to int) any {
			return map[string]any{"index": map[string]any{"byteStart": int64(from), "byteEnd": int64(to)}, "features": []any{map[string]any{"$type": "app.bsky.richtext.facet#tag", "tag": s}}}
		}
		want, got := FromFacets(s, nil).Plain, FromFacets(s, []any{one(a, b), one(c, d)}).Plain
		if squeeze(want) != squeeze(got) {
			t.Errorf("words changed: %q, want %q", got, want)
		}
	})
}

// squeeze leaves out white space, which elements may join or part.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
