package text

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tuttihq/tutti"
)

// Rich text that systems keep as a tree of nodes is written as HTML and read as such: so it is
// sanitised like every other, and has all the forms. What is none of the known nodes or marks gives
// what stands inside it; what only points elsewhere (an embedded entry, a block) gives nothing.

// grammar says how one system writes its trees.
type grammar struct {
	kind, children, words string            // the members of a node
	elements              map[string]string // by kind of node; "" = left out with all that is in it
	marks                 map[string]string // by kind of mark
	open                  func(kind string, node map[string]any) (element, attributes string)
	mark                  func(kind string, mark map[string]any) (element, attributes string)
}

var contentful = grammar{
	kind: "nodeType", children: "content", words: "value",
	elements: map[string]string{
		"paragraph": "p", "heading-1": "h1", "heading-2": "h2", "heading-3": "h3", "heading-4": "h4", "heading-5": "h5", "heading-6": "h6",
		"ordered-list": "ol", "unordered-list": "ul", "list-item": "li", "blockquote": "blockquote", "hr": "hr",
		"table": "table", "table-row": "tr", "table-cell": "td", "table-header-cell": "th",
		"embedded-entry-block": "", "embedded-entry-inline": "", "embedded-asset-block": "", "embedded-resource-block": "", "embedded-resource-inline": "",
	},
	marks: map[string]string{"bold": "strong", "italic": "em", "underline": "u", "code": "code", "superscript": "sup", "subscript": "sub", "strikethrough": "s"},
	open: func(kind string, node map[string]any) (element, attributes string) {
		if kind != "hyperlink" { // entry-hyperlink and asset-hyperlink lead to what has no address
			return "", ""
		}
		data, _ := node["data"].(map[string]any)
		return link(data["uri"])
	},
}

var storyblok = grammar{
	kind: "type", children: "content", words: "text",
	elements: map[string]string{
		"paragraph": "p", "bullet_list": "ul", "list_item": "li", "blockquote": "blockquote", "code_block": "pre",
		"hard_break": "br", "horizontal_rule": "hr", "table": "table", "tableRow": "tr", "tableCell": "td", "tableHeader": "th", "blok": "",
	},
	marks: map[string]string{
		"bold": "strong", "italic": "em", "underline": "u", "strike": "s", "code": "code", "superscript": "sup", "subscript": "sub", "highlight": "mark",
	},
	open: func(kind string, node map[string]any) (element, attributes string) {
		attrs, _ := node["attrs"].(map[string]any)
		switch kind {
		case "heading":
			if l, _ := scalar(attrs["level"]); len(l) == 1 && l >= "1" && l <= "6" {
				return "h" + l, ""
			}
			return "p", ""
		case "ordered_list":
			return "ol", attr("start", attrs["order"])
		case "image":
			return "img", attr("src", attrs["src"]) + attr("alt", attrs["alt"])
		}
		return "", ""
	},
	mark: func(kind string, mark map[string]any) (element, attributes string) {
		attrs, _ := mark["attrs"].(map[string]any)
		if kind != "link" {
			return "", ""
		}
		href, _ := attrs["href"].(string)
		if attrs["linktype"] == "email" && href != "" && !strings.HasPrefix(href, "mailto:") {
			href = "mailto:" + href
		}
		if anchor, _ := attrs["anchor"].(string); anchor != "" {
			href += "#" + anchor
		}
		return link(href)
	},
}

// FromContentful makes all forms of rich text out of a document of Contentful (JSON, decoded). False
// for what is no document.
func FromContentful(v any) (tutti.RichText, bool) { return contentful.read(v, "document") }

// FromStoryblok makes all forms of rich text out of a document of Storyblok, which is one of tiptap
// (JSON, decoded). False for what is no document.
func FromStoryblok(v any) (tutti.RichText, bool) { return storyblok.read(v, "doc") }

func (g *grammar) read(v any, root string) (r tutti.RichText, ok bool) {
	doc, _ := v.(map[string]any)
	if doc[g.kind] != root {
		return r, false
	}
	var b strings.Builder
	g.inside(&b, doc, 0)
	return fromTree(unwrapOne(parse(sanitise(b.String())))), true
}

// maxNodeDepth is deeper than any editor goes. What is deeper is left out.
const maxNodeDepth = 100

func (g *grammar) inside(b *strings.Builder, node map[string]any, depth int) {
	list, _ := node[g.children].([]any)
	if depth == maxNodeDepth {
		return
	}
	for _, c := range list {
		if child, ok := c.(map[string]any); ok {
			g.write(b, child, depth+1)
		}
	}
}

func (g *grammar) write(b *strings.Builder, node map[string]any, depth int) {
	kind, _ := node[g.kind].(string)
	if kind == "text" {
		g.text(b, node)
		return
	}
	element, known := g.elements[kind]
	if known && element == "" {
		return
	}
	attributes := ""
	if !known {
		element, attributes = g.open(kind, node)
	}
	if emoji, ok := node["attrs"].(map[string]any); ok && kind == "emoji" {
		words, _ := emoji["emoji"].(string)
		b.WriteString(EscapeHTML(words))
	}
	if element == "" {
		g.inside(b, node, depth)
		return
	}
	b.WriteString("<" + element + attributes + ">")
	if element == "br" || element == "hr" || element == "img" {
		return
	}
	g.inside(b, node, depth)
	b.WriteString("</" + element + ">")
}

func (g *grammar) text(b *strings.Builder, node map[string]any) {
	words, _ := node[g.words].(string)
	marks, _ := node["marks"].([]any)
	var around []string
	for _, m := range marks {
		mark, _ := m.(map[string]any)
		kind, _ := mark["type"].(string)
		element, attributes := g.marks[kind], ""
		if element == "" && g.mark != nil {
			element, attributes = g.mark(kind, mark)
		}
		if element != "" {
			b.WriteString("<" + element + attributes + ">")
			around = append(around, element)
		}
	}
	b.WriteString(broken(EscapeHTML(words)))
	for i := len(around) - 1; i >= 0; i-- {
		b.WriteString("</" + around[i] + ">")
	}
}

// broken writes line ends as HTML has them.
func broken(s string) string { return strings.ReplaceAll(s, "\n", "<br/>") }

// link is an element that leads to an address; none where there is no address. What could run in a
// page is taken away afterwards, with everything else that sanitising takes.
func link(to any) (element, attributes string) {
	if href, _ := to.(string); href != "" {
		return "a", attr("href", href)
	}
	return "", ""
}

func attr(name string, v any) string {
	if s, ok := scalar(v); ok {
		return " " + name + `="` + EscapeHTML(s) + `"`
	}
	return ""
}

// scalar writes a text or a number.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case int64, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}
