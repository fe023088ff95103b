package expr

import (
	"html"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

var noTags = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.StrictPolicy()
	p.AddSpaceWhenStrippingTag(true)
	return p
})

// plainText takes all marks out of HTML: words with single spaces between them.
func plainText(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(noTags().Sanitize(s))), " ")
}
