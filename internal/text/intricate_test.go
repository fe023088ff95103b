package text

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// took gives how many megabytes reading takes, all that is given back counted.
func took(read func(string) tutti.RichText, s string) (r tutti.RichText, megabytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r = read(s)
	runtime.ReadMemStats(&after)
	return r, (after.TotalAlloc - before.TotalAlloc) >> 20
}

// TestWhatIsMadeToBeCostlyIsWords reads texts of up to 130 kB that would unfold to gigabytes, or take minutes.
func TestWhatIsMadeToBeCostlyIsWords(t *testing.T) {
	const n = 8000
	table := func(before string) string {
		return before + strings.Repeat("|a", n) + "|\n" + before + strings.Repeat("|-", n) + "|\n" + strings.Repeat(before+"|a\n", n)
	}
	var targets strings.Builder
	for i := range 2 * n {
		fmt.Fprintf(&targets, "[a%d]: u\n", i)
	}
	for what, s := range map[string]string{
		"a table that is filled up": table(""), "in a quote": table("> "), "in a list": table("   "),
		"links without an end": strings.Repeat("[a](", 4*n), "in angle brackets": strings.Repeat("[a](<", 4*n), "brackets": strings.Repeat("[", 8*n) + strings.Repeat("]", 8*n),
		"quotes in quotes": strings.Repeat("> ", 8*n) + "a", "lists in lists": strings.Repeat("- ", 8*n) + "a", "numbers in lists": strings.Repeat("1. - ", 8*n) + "a",
		"far to the right": strings.Repeat("\t", 200) + "- a", "targets of links": targets.String(),
	} {
		if r, mb := took(FromMarkdown, s); mb > 64 || r.Plain != FromPlain(s).Plain {
			t.Errorf("%s: %d bytes take %d MB and become %.60q…", what, len(s), mb, r.Plain)
		}
	}
	var langs strings.Builder
	for i := range 400 {
		fmt.Fprintf(&langs, "<b lang=a%c%c>", 'a'+i%26, 'a'+i/26)
	}
	for what, s := range map[string]string{
		"elements that are opened again":        "<p>" + langs.String() + strings.Repeat("<p>x", n),
		"as XML has them":                       "<p>" + strings.ReplaceAll(langs.String(), ">", "/>") + strings.Repeat("<p>x", n),
		"three of each":                         "<p>" + strings.Repeat("<b><i><u><s><em><strong><small><code><strike>", 3) + strings.Repeat("<p>x", n),
		"lists in lists":                        strings.Repeat("<ul><li>a", 200) + strings.Repeat("<li>x", n),
		"tables in tables":                      strings.Repeat("<table><tr><td>a", 150) + strings.Repeat("x ", n),
		"many parts of one line":                "<p>" + strings.Repeat("<span>a</span>x", n),
		"many cells of one row":                 "<table><tr>" + strings.Repeat("<td>x", n),
		"many backticks":                        "<pre>" + strings.Repeat("`", 4*n) + strings.Repeat("x ", n) + "</pre>",
		"closed by nobody, with others between": "<p>" + strings.Repeat("<b><p>x</i>", n),
	} {
		r, mb := took(FromHTML, s)
		if mb > 64 || strings.Count(r.Plain, "x") != n {
			t.Errorf("%s: %d bytes take %d MB and become %d bytes with %d words", what, len(s), mb, len(r.HTML), strings.Count(r.Plain, "x"))
		}
	}
}

// TestWhatPeopleWriteIsRead: long texts are not intricate.
func TestWhatPeopleWriteIsRead(t *testing.T) {
	links := strings.Repeat("- [A site](https://site.example/a) of many, and [another](https://site.example/b \"b\")\n", 3000)
	for what, s := range map[string]string{
		"a long table":  "|a|b|c|d|e|f|g|h|\n|-|-|-|-|-|-|-|-|\n" + strings.Repeat("|1|2|3|4|5|6|7|8|\n", 3000),
		"many links":    links,
		"links at once": strings.ReplaceAll(links, "\n- ", " and ")[:100_000],
		"rules":         strings.Repeat("-", 500) + "\n\n" + strings.Repeat("* ", 40) + "\n\n" + strings.Repeat(">", 20) + " a",
		"tasks":         strings.Repeat("- [ ] a\n- [x] b\n", 5000),
	} {
		if isIntricateMarkdown(s) {
			t.Errorf("%s: %d bytes are not read as Markdown", what, len(s))
		}
	}
	for what, s := range map[string]string{
		"a long page":                  strings.Repeat("<p>Some <b>bold <i>and</i> other</b> words of <a href=x>a site</a></p>", 20_000),
		"all is bold":                  "<b>" + strings.Repeat("<p>Some <i>words</i></p>", 20_000) + "</b>",
		"a few of which nobody closed": "<p><b><i><font>" + strings.Repeat("<p>Some words<br>", 20_000),
	} {
		if isIntricateHTML(s) {
			t.Errorf("%s: %d bytes are not read as HTML", what, len(s))
		}
	}
}
