package engine

import "github.com/tuttihq/tutti/internal/text"

// Form says how words are written where a hole stands.
type Form string

// The forms of holes.
const (
	FormText     Form = "TEXT"     // as they are
	FormHTML     Form = "HTML"     // between tags
	FormMarkdown Form = "MARKDOWN" // CommonMark
	FormSSML     Form = "SSML"     // between tags
	FormURL      Form = "URL"      // a piece of an address
)

// form writes words so that they cannot get out of their hole.
type form struct {
	name  Form
	write func(words string) string
}

var (
	asText     = &form{FormText, asIs}
	asHTML     = &form{FormHTML, text.EscapeHTML}
	asMarkdown = &form{FormMarkdown, text.EscapeMarkdown}
	asSSML     = &form{FormSSML, text.EscapeSSML}
	asAddress  = &form{FormURL, escapeAddress}
	asReady    = &form{FormURL, asIs} // escaped when the fill was made
)

func asIs(words string) string { return words }
