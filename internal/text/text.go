// Package text owns what happens to words on their way from an origin or an editor to a channel:
// sanitising, the four forms of rich text, escaping, counting and cutting.
//
// It knows nothing of channels, templates or locales; who calls it decides which form is wanted.
// Everything here is safe for concurrent use.
package text

import (
	"bytes"
	"html"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	gohtml "github.com/yuin/goldmark/renderer/html"
)

// FromHTML makes all forms of rich text out of HTML that strangers may have written. What comes
// back is safe to insert: no scripts, styles or handlers, links to http, https, mailto and
// relative addresses only, and every element closed. Marks of holes are removed. Words without
// any block element around them stay words: no <p> is added in HTML and SSML.
func FromHTML(s string) tutti.RichText {
	if !strings.ContainsRune(s, '<') {
		return fromWords(s)
	}
	return fromTree(parse(sanitise(s)))
}

// fromWords is the short way for HTML without elements: one run of words.
func fromWords(s string) tutti.RichText {
	if strings.ContainsRune(s, '&') {
		s = html.UnescapeString(s)
	}
	s = collapse(StripHoles(clean(s)))
	if !needsEscape(s) {
		return tutti.RichText{HTML: s, Markdown: s, Plain: s, SSML: s}
	}
	return tutti.RichText{HTML: EscapeHTML(s), Markdown: EscapeMarkdown(s), Plain: s, SSML: EscapeSSML(s)}
}

// needsEscape reports whether some form of one line of words differs from the words.
func needsEscape(s string) bool {
	return strings.ContainsAny(s, "&<>\"'\\`*_[]|~") || s != "" && strings.ContainsRune("#+-=:0123456789", rune(s[0]))
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(gohtml.WithUnsafe()))

// FromMarkdown makes all forms of rich text out of CommonMark with tables and strikethrough.
// HTML inside is sanitised as FromHTML does. Holes are kept as they are, wherever they stand.
func FromMarkdown(s string) tutti.RichText {
	s, holes := takeHoles(clean(s))
	var b bytes.Buffer
	if isIntricateMarkdown(s) {
		return FromPlain(holes.back(s))
	}
	if err := markdown.Convert([]byte(s), &b); err != nil { // writing into memory does not fail
		return FromPlain(holes.back(s))
	}
	return holes.backAll(fromTree(unwrapOne(parse(sanitise(b.String())))))
}

// FromPlain makes all forms of rich text out of plain text: an empty line starts a paragraph, a
// single line end breaks the line. One paragraph stays words, without <p>. Holes are kept.
func FromPlain(s string) tutti.RichText {
	s, holes := takeHoles(clean(s))
	var paragraphs []string
	for _, p := range splitParagraphs(s) {
		lines := strings.Split(p, "\n")
		for i := range lines {
			lines[i] = collapse(lines[i])
		}
		paragraphs = append(paragraphs, strings.Join(lines, "\n"))
	}
	join := func(open, lineEnd, end, between string, escape func(string) string) string {
		if len(paragraphs) == 1 {
			open, end = "", ""
		}
		var b strings.Builder
		for i, p := range paragraphs {
			if i > 0 {
				b.WriteString(between)
			}
			b.WriteString(open)
			for j, line := range strings.Split(p, "\n") {
				if j > 0 {
					b.WriteString(lineEnd)
				}
				b.WriteString(escape(line))
			}
			b.WriteString(end)
		}
		return b.String()
	}
	same := func(s string) string { return s }
	return holes.backAll(tutti.RichText{
		HTML:     join("<p>", "<br/>", "</p>", "", EscapeHTML),
		Markdown: join("", "  \n", "", "\n\n", EscapeMarkdown),
		Plain:    join("", "\n", "", "\n\n", same),
		SSML:     join("<p>", ssmlBreak, "</p>", "", EscapeSSML),
	})
}

func splitParagraphs(s string) []string {
	var out []string
	var cur []string
	flush := func() {
		if len(cur) > 0 {
			out = append(out, strings.Join(cur, "\n"))
		}
		cur = nil
	}
	for _, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			flush()
			continue
		}
		cur = append(cur, line)
	}
	flush()
	return out
}
