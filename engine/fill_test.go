package engine_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/text"
)

// elements lists the elements of HTML with their attributes' names: what a value must not change.
func elements(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			token := z.Token()
			b.WriteString("<" + token.Data)
			for _, a := range token.Attr {
				b.WriteString(" " + a.Key)
				if a.Key == "href" && (strings.HasPrefix(a.Val, "javascript:") || !strings.HasPrefix(a.Val, "/for/") && !strings.HasPrefix(a.Val, "https://x.example/")) {
					t.Errorf("href %q", a.Val)
				}
			}
			b.WriteString(">")
		}
	}
}

// FuzzFill holds that no value gets out of its hole: not out of HTML, SSML, addresses or JSON,
// and not over the length of its prop.
func FuzzFill(f *testing.F) {
	h := newHouse(f)
	p := plan("voice", part{id: "c", kind: "Said", props: map[string][]tutti.Value{
		"headline": one(h.words("Hi @{name}")), "short": one(h.words("Hi @{name}!")),
		"body": one(h.words("Dear **@{name}**, see [this](/for/@{name}/x) or [that](https://x.example/?q=@{name}).\n\n- @{name}")),
		"link": one(h.words("/for/@{name}?q=@{name}")),
	}, actions: []tutti.ActionPlan{{Label: h.words("@{name}"), Intent: "GO", Href: h.words("/for/@{name}")}}})
	ready := h.assemble(p, engine.Everything())
	for _, s := range []string{
		"Ana", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "a](b) <b>", "]]>&amp;", "\x00\x1b", "\xff", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "${name}",
		tutti.HoleStart + "name" + tutti.HoleEnd, "`*_{}[]#+-.!|~", "\n# heading", "' onload='x", "/../../admin?x=y#z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		x := h.Fill(ready, tutti.Fills{"name": value})
		plain := h.Fill(ready, tutti.Fills{"name": "x"})
		c, same := x.Components[0], plain.Components[0]
		got, want := c.Props["body"].(tutti.RichText), same.Props["body"].(tutti.RichText)
		if elements(t, got.HTML) != elements(t, want.HTML) {
			t.Errorf("HTML %q", got.HTML)
		}
		if back := text.FromMarkdown(got.Markdown); elements(t, back.HTML) == "" {
			t.Errorf("Markdown %q", got.Markdown)
		}
		d := xml.NewDecoder(strings.NewReader(x.Speech.SSML))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %q", err, x.Speech.SSML)
			}
		}
		if strings.Count(x.Speech.SSML, "<") > strings.Count(plain.Speech.SSML, "<") {
			t.Errorf("SSML %q", x.Speech.SSML)
		}
		for _, address := range []string{c.Props["link"].(string), c.Actions[0].Href} {
			if !strings.HasPrefix(address, "/for/") || strings.ContainsAny(address, " <>\"'\\#\n") || strings.Count(address, "?") > 1 || strings.Count(address, "/") != 2 {
				t.Errorf("address %q", address)
			}
		}
		if n := text.Length(c.Props["short"].(string)); n > 8 {
			t.Errorf("%q has %d characters", c.Props["short"], n)
		}
		if n := text.Length(x.Speech.Text); n > 120 {
			t.Errorf("speech of %d characters", n)
		}
		if !json.Valid(c.PropsJSON()) {
			t.Errorf("%s", c.PropsJSON())
		}
		if strings.Contains(show(x), tutti.HoleStart) {
			t.Error("a hole is left")
		}
	})
}
