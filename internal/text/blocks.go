package text

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A block is a paragraph, heading, list item or table row: what stands on lines of its own.
type block struct {
	marker string // of list items: "- ", "2. ", with two spaces for each level above
	rule   bool   // a line across, nothing else
	bare   bool   // words with no block element around them
	spans  []span
}

// A span is a run of words with one emphasis, or a line break.
type span struct {
	first    string
	more     *strings.Builder // the first and what came after it; nil = nothing did
	emphasis emphasis
	lineEnd  bool
}

// words are those of the span.
func (s *span) words() string {
	if s.more != nil {
		return s.more.String()
	}
	return s.first
}

func (s *span) add(words string) {
	if s.more == nil {
		s.more = &strings.Builder{}
		s.more.WriteString(s.first)
	}
	s.more.WriteString(words)
}

type emphasis int

const (
	noEmphasis emphasis = iota
	moderate
	strong
)

// blockReader walks a sanitised tree and gathers its blocks.
type blockReader struct {
	blocks   []block
	open     bool // the last block takes more words
	space    bool // a space is due before the next words
	emphasis emphasis
	pre      bool
	lists    []list
	inside   int // how many block elements are around
	marker   string
}

type list struct {
	ordered bool
	next    int
}

func readBlocks(body *html.Node) []block {
	r := &blockReader{}
	r.children(body)
	return r.blocks
}

func (r *blockReader) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.node(c)
	}
}

func (r *blockReader) node(n *html.Node) {
	if n.Type == html.TextNode {
		r.words(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Br:
		r.lineEnd()
	case atom.Hr:
		r.close()
		r.blocks = append(r.blocks, block{rule: true})
	case atom.Img:
		r.words(attribute(n, "alt"))
	case atom.Ul, atom.Ol:
		start, err := strconv.Atoi(attribute(n, "start"))
		if err != nil {
			start = 1
		}
		r.lists = append(r.lists, list{n.DataAtom == atom.Ol, start})
		r.around(n)
		r.lists = r.lists[:len(r.lists)-1]
	case atom.Li:
		r.item(n)
	case atom.Td, atom.Th:
		if r.open {
			r.words(" | ")
		}
		r.children(n)
	case atom.Pre:
		was := r.pre
		r.pre = true
		r.around(n)
		r.pre = was
	case atom.Em, atom.I, atom.Mark:
		r.emphasised(n, moderate)
	case atom.Strong, atom.B:
		r.emphasised(n, strong)
	default:
		if isBlock(n.DataAtom) {
			r.around(n)
		} else {
			r.children(n)
		}
	}
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Aside, atom.Header, atom.Footer, atom.Main, atom.Address, atom.Center,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Figure, atom.Figcaption, atom.Details, atom.Summary,
		atom.Dl, atom.Dt, atom.Dd, atom.Table, atom.Caption, atom.Tr:
		return true
	}
	return false
}

// around reads a block element: its words stand apart from those before and after.
func (r *blockReader) around(n *html.Node) {
	r.close()
	r.inside++
	r.children(n)
	r.inside--
	r.close()
}

func (r *blockReader) item(n *html.Node) {
	depth := max(len(r.lists)-1, 0)
	r.marker = strings.Repeat("  ", depth) + "- "
	if len(r.lists) > 0 && r.lists[depth].ordered {
		r.marker = strings.Repeat("  ", depth) + strconv.Itoa(r.lists[depth].next) + ". "
		r.lists[depth].next++
	}
	r.around(n)
	r.marker = ""
}

func (r *blockReader) emphasised(n *html.Node, e emphasis) {
	was := r.emphasis
	r.emphasis = max(was, e)
	r.children(n)
	r.emphasis = was
}

// close ends the open block and takes away what stands at its end without words.
func (r *blockReader) close() {
	if r.open {
		b := &r.blocks[len(r.blocks)-1]
		for len(b.spans) > 0 && b.spans[len(b.spans)-1].lineEnd {
			b.spans = b.spans[:len(b.spans)-1]
		}
		if len(b.spans) == 0 {
			r.blocks = r.blocks[:len(r.blocks)-1]
		}
	}
	r.open, r.space = false, false
}

func (r *blockReader) words(s string) {
	if r.pre {
		r.preformatted(s)
		return
	}
	fields := strings.FieldsFunc(s, isSpace)
	if len(fields) == 0 {
		r.space = r.space || s != ""
		return
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	r.space = r.space || isSpace(first)
	r.add(strings.Join(fields, " "))
	r.space = isSpace(last)
}

func (r *blockReader) preformatted(s string) {
	for i, line := range strings.Split(strings.ReplaceAll(s, "\r", ""), "\n") {
		if i > 0 {
			r.lineEnd()
		}
		if line != "" {
			r.add(line)
		}
	}
}

// add appends words to the open block, opening one where there is none.
func (r *blockReader) add(words string) {
	if !r.open {
		r.blocks = append(r.blocks, block{marker: r.marker, bare: r.inside == 0})
		r.open, r.space, r.marker = true, false, ""
	}
	b := &r.blocks[len(r.blocks)-1]
	last := len(b.spans) - 1
	if r.space && last >= 0 && !b.spans[last].lineEnd {
		if b.spans[last].emphasis > noEmphasis && r.emphasis != b.spans[last].emphasis {
			words = " " + words // the space stands outside the emphasis where it can
		} else {
			b.spans[last].add(" ")
		}
	}
	r.space = false
	if last >= 0 && !b.spans[last].lineEnd && b.spans[last].emphasis == r.emphasis {
		b.spans[last].add(words)
		return
	}
	b.spans = append(b.spans, span{first: words, emphasis: r.emphasis})
}

func (r *blockReader) lineEnd() {
	r.space = false
	if r.open { // a break before any words breaks nothing
		b := &r.blocks[len(r.blocks)-1]
		b.spans = append(b.spans, span{lineEnd: true})
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
