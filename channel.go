package tutti

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

// Market is where one sells and what it costs there; apart from the language.
type Market struct {
	Name     string `json:"name"`
	Currency string `json:"currency"` // ISO 4217
}
