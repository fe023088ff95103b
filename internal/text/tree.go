package text

import (
	"strings"

	"github.com/tuttihq/tutti"
	"golang.org/x/net/html"
)

// fromTree writes all forms of a sanitised tree.
func fromTree(body *html.Node) tutti.RichText {
	bs := readBlocks(body)
	return tutti.RichText{HTML: treeHTML(body), Plain: plain(bs), SSML: ssml(bs), Markdown: toMarkdown(body)}
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
