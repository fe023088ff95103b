package text

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
)

// FromFacets makes all forms of rich text out of plain text and facets of app.bsky.richtext.facet
// (JSON, decoded): links, mentions and tags, each over a range of UTF-8 bytes. A facet that is out of
// range, cuts a character, overlaps one before it, or is of no known kind is dropped; its words stay.
func FromFacets(s string, facets []any) tutti.RichText {
	var b strings.Builder
	b.WriteString("<p>")
	at := 0
	for _, f := range orderly(s, facets) {
		b.WriteString(paragraphs(s[at:f.from]))
		b.WriteString(`<a` + attr("href", f.href) + `>` + broken(EscapeHTML(s[f.from:f.to])) + `</a>`)
		at = f.to
	}
	b.WriteString(paragraphs(s[at:]) + "</p>")
	return fromTree(unwrapOne(parse(sanitise(b.String()))))
}

// paragraphs writes words in which an empty line starts a paragraph.
func paragraphs(s string) string {
	return broken(strings.ReplaceAll(EscapeHTML(s), "\n\n", "</p><p>"))
}

type facet struct {
	from, to int
	href     string
}

// orderly gives the facets that can be written, in their order.
func orderly(s string, facets []any) []facet {
	var all []facet
	for _, v := range facets {
		if f, ok := facetOf(s, v); ok {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b facet) int { return a.from - b.from })
	end := 0
	return slices.DeleteFunc(all, func(f facet) bool {
		if f.from < end {
			return true
		}
		end = f.to
		return false
	})
}

func facetOf(s string, v any) (f facet, ok bool) {
	m, _ := v.(map[string]any)
	index, _ := m["index"].(map[string]any)
	from, ok := byteAt(index["byteStart"])
	to, ok2 := byteAt(index["byteEnd"])
	if !ok || !ok2 || from >= to || to > len(s) || !utf8.RuneStart(s[from]) || to < len(s) && !utf8.RuneStart(s[to]) {
		return f, false
	}
	features, _ := m["features"].([]any)
	for _, x := range features {
		if href := facetLink(x); href != "" {
			return facet{from: from, to: to, href: href}, true
		}
	}
	return f, false
}

func byteAt(v any) (int, bool) {
	s, ok := scalar(v)
	i, err := strconv.Atoi(s)
	return i, ok && err == nil && i >= 0
}

// facetLink gives where a feature leads; "" for one that leads nowhere.
func facetLink(v any) string {
	m, _ := v.(map[string]any)
	text := func(name string) string { s, _ := m[name].(string); return s }
	switch m["$type"] {
	case "app.bsky.richtext.facet#link":
		return text("uri")
	case "app.bsky.richtext.facet#mention":
		if did := text("did"); strings.HasPrefix(did, "did:") {
			return "https://bsky.app/profile/" + url.PathEscape(did)
		}
	case "app.bsky.richtext.facet#tag":
		if tag := text("tag"); tag != "" {
			return "https://bsky.app/hashtag/" + url.PathEscape(tag)
		}
	}
	return ""
}
