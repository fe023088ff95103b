package text

import (
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

const line = "\n--------\n"

// TestForms compares all forms of the texts in testdata: input, a line of dashes, and each form.
func TestForms(t *testing.T) {
	for folder, from := range map[string]func(string) tutti.RichText{"html": FromHTML, "markdown": FromMarkdown, "plain": FromPlain} {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden files in %s: %v", folder, err)
		}
		for _, file := range files {
			t.Run(file, func(t *testing.T) {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				input, want, _ := strings.Cut(string(content), line)
				r := from(input)
				got := "html:     " + r.HTML + "\n\nmarkdown: " + r.Markdown + "\n\nplain:    " + r.Plain + "\n\nssml:     " + r.SSML + "\n"
				if *update {
					if err := os.WriteFile(file, []byte(input+line+got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestShortWayEqualsLongWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-z0-9 \n\t"'.,;#*_>é… +=\-]*(&amp;|&lt;|&nbsp;|&)?[a-zA-Z 1]{0,6}`).Draw(t, "text")
		short, long := fromWords(s), fromTree(parse(sanitise(s)))
		if short.Plain != long.Plain || short.SSML != long.SSML {
			t.Fatalf("%q: short %+v, long %+v", s, short, long)
		}
		if a, b := words(short.HTML), words(long.HTML); a != b {
			t.Fatalf("%q: short HTML reads %q, long %q", s, a, b)
		}
	})
}

// words reads HTML as a browser shows it.
func words(s string) string {
	var b strings.Builder
	for n := range parse(s).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return collapse(b.String())
}

func TestEscapedMarkdownReadsAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching("[a-z0-9 \\\\`*_\\[\\]()<>#+.!|~&;=\"'{}$^é-]{0,40}").Draw(t, "text")
		if got, want := FromMarkdown(EscapeMarkdown(s)).Plain, collapse(s); got != want {
			t.Fatalf("%q escaped is %q, which reads %q", s, EscapeMarkdown(s), got)
		}
	})
}

func TestHoles(t *testing.T) {
	hole := tutti.HoleStart + `stay.name + " *<b>& "` + tutti.HoleEnd
	t.Run("are taken out of text of an origin, written or encoded", func(t *testing.T) {
		for _, s := range []string{"a " + tutti.HoleStart + "x" + tutti.HoleEnd, "a &#xE000;x&#57345;", "<p title=x>a &#xE000;x&#xE001;</p>", "<a href='https://x/&#xE000;'>a x</a>"} {
			r := FromHTML(s)
			if all := r.HTML + r.Markdown + r.Plain + r.SSML; strings.Contains(all, tutti.HoleStart) || strings.Contains(all, tutti.HoleEnd) {
				t.Errorf("%q became %q", s, all)
			}
		}
	})
	t.Run("stay whole in written text, in every form", func(t *testing.T) {
		for _, r := range []tutti.RichText{FromMarkdown("**Hello " + hole + "**, welcome"), FromPlain("Hello " + hole + "\n\nWelcome")} {
			for _, form := range []string{r.HTML, r.Markdown, r.Plain, r.SSML} {
				if strings.Count(form, hole) != 1 {
					t.Errorf("the hole is not whole in %q", form)
				}
			}
		}
		if r := FromMarkdown("[go](https://x.example/" + tutti.HoleStart + "id" + tutti.HoleEnd + ")"); !strings.Contains(r.HTML, `href="https://x.example/`+tutti.HoleStart+"id"+tutti.HoleEnd) {
			t.Errorf("a hole in an address became %q", r.HTML)
		}
	})
	t.Run("are left alone by what is done to the words around them", func(t *testing.T) {
		got := OutsideHoles("a&b "+hole+" c&d"+tutti.HoleEnd, EscapeHTML)
		if want := "a&amp;b " + hole + " c&amp;d"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := StripHoles("a" + hole); strings.Contains(got, tutti.HoleStart) || strings.Contains(got, tutti.HoleEnd) {
			t.Errorf("marks stay in %q", got)
		}
	})
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
		cut  bool
	}{
		{"Hotel Azul", 10, "Hotel Azul", false},
		{"Hotel Azul", 9, "Hotel Az…", true},
		{"Hotel Azul", 7, "Hotel…", true}, // no space before the ellipsis
		{"Hotel", 1, "…", true},
		{"Hotel", 0, "", true},
		{"", 0, "", false},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, "👨‍👩‍👧‍👦👨‍👩‍👧‍👦", false},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, "👨‍👩‍👧‍👦…", true},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…", true},
		{"🇩🇪🇪🇸🇫🇷", 2, "🇩🇪…", true},
	} {
		if got, cut := Cut(c.in, c.max); got != c.want || cut != c.cut {
			t.Errorf("Cut(%q, %d) = %q, %v; want %q, %v", c.in, c.max, got, cut, c.want, c.cut)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("Hotel Azul", 4)
	f.Add("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 1)
	f.Add("a\r\nb\u0600\u200d", 2)
	f.Fuzz(func(t *testing.T, s string, max int) {
		got, cut := Cut(s, max)
		if n := Length(got); n > max && s != "" && (max > 0 || n > 0) {
			t.Fatalf("Cut(%q, %d) = %q has %d", s, max, got, n)
		}
		if cut != (Length(s) > max && s != "") {
			t.Fatalf("Cut(%q, %d) says %v; the text has %d", s, max, cut, Length(s))
		}
		if !cut && got != s {
			t.Fatalf("Cut(%q, %d) changed it to %q", s, max, got)
		}
	})
}

// FuzzFromHTML: whatever comes in, what comes out acts on nothing, is closed, and speaks.
func FuzzFromHTML(f *testing.F) {
	for _, s := range []string{
		"<p>Hello <b>you</b></p>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href=javascript:alert(1)>x</a>",
		"<a href='java&#10;script:alert(1)'>x</a>", "<svg><style><img src=x onerror=alert(1)></style></svg>", "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;<img src=1 onerror=alert(1)>'>",
		"</p></div><div>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "&#xE000;x&#xE001;", "a\x00b\x1bc\xff", "<iframe srcdoc='<script>'></iframe>", "<p style='background:url(x)'>",
		"<ul><li>a<ul><li>b</ul></ul><ol start=3><li>c</ol>", "<a href='data:text/html,<script>'>x</a>", "<form action=x><input name=y></form>", "[x](javascript:alert(1))",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, r := range map[string]tutti.RichText{"FromHTML": FromHTML(s), "FromMarkdown": FromMarkdown(StripHoles(s)), "FromPlain": FromPlain(StripHoles(s))} {
			checkHTML(t, name, r.HTML)
			checkHTML(t, name+" as markdown", trusting(t, r.Markdown))
			checkSSML(t, name, r.SSML)
			for _, form := range []string{r.HTML, r.Markdown, r.Plain, r.SSML} {
				if StripHoles(form) != form {
					t.Fatalf("%s: a hole's mark survives in %q", name, form)
				}
			}
		}
	})
}

// trusting renders Markdown as a client does that trusts it: with HTML and all links.
func trusting(t *testing.T, s string) string {
	var b strings.Builder
	if err := markdown.Convert([]byte(s), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkHTML reads the HTML as a browser does and looks for anything that acts.
func checkHTML(t *testing.T, name, s string) {
	t.Helper()
	body := &html.Node{Type: html.ElementNode, Data: "body"}
	nodes, err := html.ParseFragment(strings.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	for n := range body.Descendants() {
		if n.Type == html.CommentNode || n.Namespace != "" {
			t.Fatalf("%s: a comment or foreign element survives in %q", name, s)
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "iframe", "object", "embed", "form", "input", "button", "link", "meta", "base", "svg", "math", "template", "noscript", "video", "audio", "textarea", "select":
			t.Fatalf("%s: <%s> survives in %q", name, n.Data, s)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "id" || a.Key == "class" {
				t.Fatalf("%s: %s= survives in %q", name, a.Key, s)
			}
			if a.Key == "href" || a.Key == "src" {
				scheme, _, found := strings.Cut(strings.ToLower(strings.Map(func(r rune) rune {
					if r <= ' ' {
						return -1
					}
					return r
				}, a.Val)), ":")
				if found && !strings.ContainsAny(scheme, "/?#") && scheme != "http" && scheme != "https" && scheme != "mailto" {
					t.Fatalf("%s: an address of %s survives in %q", name, scheme, s)
				}
			}
		}
	}
}

// checkSSML reads the inner SSML as XML and looks for elements that are not ours.
func checkSSML(t *testing.T, name, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<speak>" + s + "</speak>"))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%s: the SSML %q is not well formed: %v", name, s, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !strings.Contains(" speak p s break emphasis ", " "+e.Name.Local+" ") {
				t.Fatalf("%s: <%s> in SSML %q", name, e.Name.Local, s)
			}
			depth++
		case xml.EndElement:
			if depth--; depth == 0 {
				return
			}
		}
	}
}

func BenchmarkFromHTML(b *testing.B) {
	for name, s := range map[string]string{"words": "Two nights & breakfast, a sea view room", "marked": strings.Repeat(`<p>Two nights in a <strong>sea view</strong> room &amp; breakfast, <a href="https://x.example/a?b=1">book</a>.</p><ul><li>One</li><li>Two</li></ul>`, 3)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if FromHTML(s).HTML == "" {
					b.Fatal("nothing")
				}
			}
		})
	}
}
