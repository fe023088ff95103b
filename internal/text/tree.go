package text

import (
	"strings"

	htmltomarkdown "github.com/JohannesKaufmann/html-to-markdown/v2"
	"github.com/tuttihq/tutti"
	"golang.org/x/net/html"
)

// fromTree writes all forms of a sanitised tree.
func fromTree(body *html.Node) tutti.RichText {
	bs := readBlocks(body)
	return tutti.RichText{HTML: treeHTML(body), Plain: plain(bs), SSML: ssml(bs), Markdown: treeMarkdown(body)}
}

func treeHTML(body *html.Node) string {
	var b strings.Builder
	for n := range body.ChildNodes() {
		if html.Render(&b, n) != nil { // the tree is too deep to write
			return ""
		}
	}
	return strings.TrimSpace(b.String())
}

// treeMarkdown changes the tree: call it last.
func treeMarkdown(body *html.Node) string {
	md, err := htmltomarkdown.ConvertNode(body)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(md))
}
