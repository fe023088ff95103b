package text

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// inlineWriter writes words and what marks them as Markdown. The zero value is ready.
type inlineWriter struct {
	b        []byte
	space    bool     // a space is due before the next words
	lineEnd  bool     // a line break is due before the next words
	pending  []string // opening marks, written with the next words so that no space follows them
	around   []string // marks that are open, pending ones included
	closed   string   // the mark that was closed last
	closedAt int      // where that ends in b
	oneLine  bool     // for headings and cells: line breaks become spaces
	inLink   bool
}

// String gives what was written, with what would mark something at the start of a line escaped.
func (w *inlineWriter) String() string { return escapeLineStarts(string(w.b)) }

func (w *inlineWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c)
	}
}

func (w *inlineWriter) node(n *html.Node) {
	if n.Type == html.TextNode {
		w.words(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Br:
		w.lineEnd = true
	case atom.Em, atom.I:
		w.marked(n, "*")
	case atom.Strong, atom.B:
		w.marked(n, "**")
	case atom.Del, atom.S, atom.Strike:
		w.marked(n, "~~")
	case atom.Code, atom.Kbd, atom.Samp:
		w.code(n)
	case atom.A:
		w.link(n)
	case atom.Img:
		if src := attribute(n, "src"); src != "" {
			w.put("![" + escapeInLine(collapse(attribute(n, "alt"))) + "](" + address(src) + ")")
		} else {
			w.words(attribute(n, "alt"))
		}
	default:
		w.children(n)
	}
}

func (w *inlineWriter) words(s string) {
	fields := strings.FieldsFunc(s, isSpace)
	if len(fields) == 0 {
		w.space = w.space || s != ""
		return
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	w.space = w.space || isSpace(first)
	w.put(escapeInLine(strings.Join(fields, " ")))
	w.space = isSpace(last)
}

// put writes ready Markdown, after the space, line break and opening marks that are due.
func (w *inlineWriter) put(s string) {
	due := ""
	switch {
	case len(w.b) == 0:
	case w.lineEnd && !w.oneLine:
		due = "  \n"
	case w.lineEnd || w.space:
		due = " "
	}
	w.b = append(w.b, due...)
	if len(w.pending) == 1 && w.closed == w.pending[0] && w.closedAt == len(w.b) && w.closedAt > 0 {
		w.b = w.b[:len(w.b)-len(w.closed)] // **a****b** would not be read as meant: go on with **ab**
	} else {
		w.b = append(w.b, strings.Join(w.pending, "")...)
	}
	w.pending, w.space, w.lineEnd = nil, false, false
	w.b = append(w.b, s...)
}

func (w *inlineWriter) marked(n *html.Node, mark string) {
	for _, m := range w.around {
		if m == mark {
			w.children(n)
			return
		}
	}
	w.around, w.pending = append(w.around, mark), append(w.pending, mark)
	w.children(n)
	w.around = w.around[:len(w.around)-1]
	if len(w.pending) > 0 { // no words came
		w.pending = w.pending[:len(w.pending)-1]
		return
	}
	w.b = append(w.b, mark...)
	w.closed, w.closedAt = mark, len(w.b)
}

func (w *inlineWriter) code(n *html.Node) {
	s := collapse(textOf(n))
	if s == "" || w.oneLine && strings.Contains(s, "|") {
		w.words(s)
		return
	}
	fence := fenceFor(s, 1)
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	w.put(fence + s + fence)
}

// fenceFor gives more backticks, and at least so many, than stand in a row in s.
func fenceFor(s string, least int) string {
	row, longest := 0, least-1
	for i := range len(s) {
		if s[i] != '`' {
			row = 0
		} else if row++; row > longest {
			longest = row
		}
	}
	return strings.Repeat("`", longest+1)
}

func (w *inlineWriter) link(n *html.Node) {
	href := attribute(n, "href")
	inner := inlineWriter{oneLine: true, inLink: true, around: w.around}
	inner.children(n)
	if href == "" || w.inLink || len(inner.b) == 0 {
		w.children(n)
		return
	}
	text := textOf(n)
	if text != "" && isSpace(rune(text[0])) {
		w.space = true
	}
	w.put("[" + string(inner.b) + "](" + address(href) + ")")
	w.space = inner.space
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

var (
	unfit  = strings.NewReplacer(" ", "%20", "\t", "%09", "\n", "%0A", "\r", "%0D", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", `\`, "%5C", `"`, "%22", "|", "%7C", "\u00a0", "%C2%A0")
	entity = regexp.MustCompile(`&(#?[a-zA-Z0-9]+;)`)
)

// address makes an address fit between the parentheses of a link.
func address(s string) string { return entity.ReplaceAllString(unfit.Replace(s), `\&$1`) }
