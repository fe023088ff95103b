package text

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var policy = newPolicy()

// newPolicy allows what text of an origin needs to be read, and nothing that acts.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(
		"p", "div", "section", "article", "aside", "header", "footer", "main", "address", "center", "br", "wbr", "hr", "span",
		"h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "figure", "figcaption", "details", "summary",
		"b", "strong", "i", "em", "u", "s", "del", "ins", "strike", "mark", "small", "sub", "sup", "code", "kbd", "samp", "var", "cite", "q", "abbr", "time",
		"ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "a", "img",
	)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.RequireNoFollowOnFullyQualifiedLinks(true) // strangers' links gain nothing from being here
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	number := regexp.MustCompile(`^[0-9]{1,4}$`)
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("td", "th")
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$`)).Globally()
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(ltr|rtl|auto)$`)).Globally()
	return p
}

func sanitise(s string) string { return policy.Sanitize(clean(s)) }

// parse reads sanitised HTML into a tree under one body element, so that every element is
// closed when it is written again. Words that only came to be by decoding are cleaned too.
func parse(s string) *html.Node {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	if isIntricateHTML(s) {
		s = html.EscapeString(wordsOf(s))
	}
	nodes, err := html.ParseFragment(strings.NewReader(s), body)
	if err != nil { // reading from memory does not fail; without a tree there is nothing to show
		return body
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	for n := range body.Descendants() {
		if n.Type == html.TextNode {
			n.Data = StripHoles(clean(n.Data))
		}
		for i := range n.Attr {
			n.Attr[i].Val = StripHoles(clean(n.Attr[i].Val))
		}
	}
	return body
}

// unwrapOne takes away the paragraph around a single paragraph, so that one line of an editor
// stays a line.
func unwrapOne(body *html.Node) *html.Node {
	var only *html.Node
	for n := range body.ChildNodes() {
		if n.Type == html.TextNode && strings.TrimSpace(n.Data) == "" {
			continue
		}
		if only != nil || n.DataAtom != atom.P {
			return body
		}
		only = n
	}
	if only == nil {
		return body
	}
	inner := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	for n := only.FirstChild; n != nil; n = only.FirstChild {
		only.RemoveChild(n)
		inner.AppendChild(n)
	}
	return inner
}

// clean leaves only characters that XML 1.0 allows: it makes the text valid UTF-8 and removes
// control characters other than tab and line ends. A byte order mark before it is no part of it.
func clean(s string) string {
	s = strings.TrimPrefix(s, "\ufeff")
	if !dirty(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if forbidden(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func dirty(s string) bool {
	ascii := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return true
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return !ascii && (!utf8.ValidString(s) || strings.ContainsFunc(s, forbidden))
}

func forbidden(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return true
	case r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef: // not characters
		return true
	}
	return false
}

// collapse makes one space of every run of white space, none at the ends; hard spaces
// count as spaces.
func collapse(s string) string {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\t', c == '\n', c == '\r', c == '\f', c == 0xc2, c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' '):
			return strings.Join(strings.FieldsFunc(s, isSpace), " ")
		}
	}
	return s
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' || r == '\u00a0'
}
