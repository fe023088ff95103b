package tutti

import (
	"slices"
	"strings"
)

// Channel is a delivery target and its profile: what fits there.
type Channel struct {
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Widths      []int        `json:"widths,omitempty"`     // allowed picture widths in pixels, ascending; none = pictures are left as they are
	Formats     []string     `json:"formats,omitempty"`    // allowed picture formats, best first: avif, webp, jpeg, png
	Items       int          `json:"items,omitempty"`      // most items of one list; 0 = as the prop says
	Components  int          `json:"components,omitempty"` // most components of one slot; 0 = all
	RichText    RichTextForm `json:"richText,omitempty"`   // the form of rich text in props; "" = html
	Links       string       `json:"links,omitempty"`      // relative (default) or absolute
	BaseURL     string       `json:"baseUrl,omitempty"`    // what absolute links start with
	DeepLinks   bool         `json:"deepLinks,omitempty"`
	Buttons     int          `json:"buttons,omitempty"` // most buttons of the message; 0 = none
	Speech      bool         `json:"speech,omitempty"`  // the experience has speech
	Message     bool         `json:"message,omitempty"` // the experience has a message
	MaxText     int          `json:"maxText,omitempty"` // longest text or speech of the whole answer in grapheme clusters; 0 = no limit
}

// RichTextForm is the form in which a channel takes rich text.
type RichTextForm string

const (
	HTMLForm     RichTextForm = "html"
	MarkdownForm RichTextForm = "markdown"
	PlainForm    RichTextForm = "plain"
	SSMLForm     RichTextForm = "ssml"
)

// Locales are the configured languages and how one falls back on another.
type Locales struct {
	Default string              `json:"default"`
	Names   []string            `json:"names"`            // all configured, BCP 47
	Chains  map[string][]string `json:"chains,omitempty"` // de-AT → [de, en]; where absent: the language without region, then the default
}

// AllChains gives, by the lower-case name of every locale that may be asked for, the locales to try in turn,
// that one first.
func (l Locales) AllChains() map[string][]string {
	chains := map[string][]string{}
	for name, rest := range l.Chains {
		chains[strings.ToLower(name)] = distinct(append([]string{name}, rest...))
	}
	for _, name := range l.Names {
		if chains[strings.ToLower(name)] != nil {
			continue
		}
		chain := []string{name}
		for p := ParentLocale(name); p != ""; p = ParentLocale(p) {
			if i := slices.IndexFunc(l.Names, func(n string) bool { return strings.EqualFold(n, p) }); i >= 0 {
				chain = append(chain, l.Names[i])
			}
		}
		if l.Default != "" {
			chain = append(chain, l.Default)
		}
		chains[strings.ToLower(name)] = distinct(chain)
	}
	return chains
}

// ParentLocale is a locale without its last part; "" where that is all of it.
func ParentLocale(l string) string {
	if i := strings.LastIndexByte(l, '-'); i > 0 {
		return l[:i]
	}
	return ""
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Market is where one sells and what it costs there; apart from the language.
type Market struct {
	Name     string `json:"name"`
	Currency string `json:"currency"` // ISO 4217
}
