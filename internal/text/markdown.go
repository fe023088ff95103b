package text

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// toMarkdown writes a sanitised tree as CommonMark with tables and strikethrough. It is our own
// because a general converter took four times as long as all the rest and left HTML comments.
func toMarkdown(body *html.Node) string {
	return strings.Join(mdBlocks(body), "\n\n")
}

// mdBlocks gives the blocks of an element. Inline children that stand together make one.
func mdBlocks(n *html.Node) []string {
	var out []string
	var run inlineWriter
	flush := func() {
		if s := run.String(); s != "" {
			out = append(out, s)
		}
		run = inlineWriter{}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode || !mdIsBlock(c.DataAtom) && !holdsBlock(c) {
			run.node(c)
			continue
		}
		flush()
		out = append(out, mdBlock(c)...)
	}
	flush()
	return separateLists(out)
}

func mdIsBlock(a atom.Atom) bool {
	switch a {
	case atom.Ul, atom.Ol, atom.Li, atom.Pre, atom.Hr, atom.Thead, atom.Tbody, atom.Tfoot, atom.Td, atom.Th:
		return true
	}
	return isBlock(a)
}

// holdsBlock reports whether an inline element has a block inside: then its marks are left out.
func holdsBlock(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && mdIsBlock(d.DataAtom) {
			return true
		}
	}
	return false
}

func mdBlock(n *html.Node) []string {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if holdsBlock(n) {
			return mdBlocks(n)
		}
		w := inlineWriter{oneLine: true}
		w.children(n)
		if s := string(w.b); s != "" {
			if strings.HasSuffix(s, "#") {
				s = s[:len(s)-1] + `\#`
			}
			return []string{strings.Repeat("#", int(n.Data[1]-'0')) + " " + s}
		}
		return nil
	case atom.Hr:
		return []string{"* * *"}
	case atom.Pre:
		return mdPre(n)
	case atom.Blockquote:
		if inner := strings.Join(mdBlocks(n), "\n\n"); inner != "" {
			return []string{"> " + strings.ReplaceAll(strings.ReplaceAll(inner, "\n", "\n> "), "\n> \n", "\n>\n")}
		}
		return nil
	case atom.Ul, atom.Ol:
		return mdList(n)
	case atom.Table:
		return mdTable(n)
	}
	return mdBlocks(n)
}

func mdPre(n *html.Node) []string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.DataAtom == atom.Br:
			b.WriteByte('\n')
		}
	}
	s := strings.Trim(strings.ReplaceAll(b.String(), "\r", ""), "\n")
	if strings.TrimSpace(s) == "" {
		return nil
	}
	fence := fenceFor(s, 3)
	return []string{fence + "\n" + s + "\n" + fence}
}

func mdList(n *html.Node) []string {
	next, err := strconv.Atoi(attribute(n, "start"))
	if err != nil {
		next = 1
	}
	var items []string
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		var blocks []string
		if c.DataAtom == atom.Li {
			blocks = mdBlocks(c)
		} else if c.Type == html.ElementNode {
			blocks = mdBlock(c)
		} else if s := collapse(c.Data); s != "" {
			blocks = []string{EscapeMarkdown(s)}
		}
		if len(blocks) == 0 {
			continue
		}
		marker := "- "
		if n.DataAtom == atom.Ol {
			marker = strconv.Itoa(next) + ". "
			next++
		}
		between := "\n\n"
		if len(blocks) == 2 && isList(blocks[1]) {
			between = "\n" // keeps the list tight
		}
		items = append(items, marker+indent(strings.Join(blocks, between), len(marker)))
	}
	if len(items) == 0 {
		return nil
	}
	return []string{strings.Join(items, "\n")}
}

func isList(s string) bool {
	rest := strings.TrimLeft(s, "0123456789")
	return strings.HasPrefix(s, "- ") || rest != s && strings.HasPrefix(rest, ". ")
}

// separateLists gives a list that follows another list another bullet, or they would be one.
func separateLists(blocks []string) []string {
	for i := 1; i < len(blocks); i++ {
		if strings.HasPrefix(blocks[i], "- ") && strings.HasPrefix(blocks[i-1], "- ") {
			blocks[i] = "* " + strings.ReplaceAll(blocks[i][2:], "\n- ", "\n* ")
		} else if isList(blocks[i]) && !strings.HasPrefix(blocks[i], "- ") && isList(blocks[i-1]) && !strings.HasPrefix(blocks[i-1], "- ") {
			blocks[i-1] += "\n\n* * *"
		}
	}
	return blocks
}

func indent(s string, n int) string {
	lines := strings.Split(s, "\n")
	for i := 1; i < len(lines); i++ {
		if lines[i] != "" {
			lines[i] = strings.Repeat(" ", n) + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// mdTable writes a table with its first row as the head, which is all that Markdown knows.
func mdTable(n *html.Node) []string {
	var caption, rows []string
	columns := 0
	for d := range n.Descendants() {
		switch d.DataAtom {
		case atom.Caption:
			caption = append(caption, mdBlocks(d)...)
		case atom.Tr:
			var cells []string
			for c := range d.ChildNodes() {
				if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
					w := inlineWriter{oneLine: true}
					w.children(c)
					cells = append(cells, string(w.b))
				}
			}
			if len(cells) == 0 {
				continue
			}
			rows = append(rows, "| "+strings.Join(cells, " | ")+" |")
			if columns == 0 {
				columns = len(cells)
				rows = append(rows, "|"+strings.Repeat(" --- |", columns))
			}
		}
	}
	if len(rows) == 0 {
		return caption
	}
	return append(caption, strings.Join(rows, "\n"))
}
