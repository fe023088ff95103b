package tutti

import "time"

// Experience is the assembled result of one plan, still with holes where personal text goes.
type Experience struct {
	ID          string
	Composition string
	Version     int
	Title       string
	Description string
	Slots       []*Slot
	Components  []*Component // all of them, depth first
	Problems    []Problem
	Freshness   Freshness
	Locales     []LocaleUsed // only where a fallback was used
	Speech      *Speech      // nil where the channel has none
	Message     *Message     // nil where the channel has none
}

// Slot is a delivered slot.
type Slot struct {
	ID         string
	Name       string
	Components []*Component
}

// Component is a delivered component.
type Component struct {
	ID        string // changes with everything that shaped it
	Component string // the stable name: the stored component's id; with Each, "#" and the item's ref follow
	Type      string
	Version   int
	Variant   string
	Parent    string // ID of the component it stands in; "" at the top
	Slot      string // name of the slot it stands in
	Path      string
	Private   bool
	Props     map[string]any // by prop name: what Shape made of it. Text → string, RichText → RichText, resources as *Delivered and *List
	Order     []string       // prop names in the order of the definition
	Actions   []Action
	Slots     []*Slot
	Freshness Freshness
	Assembled []Reason // FRESH, CACHED, STALE, FALLBACK, … without repeats
	Problems  []Problem
}

// Delivered is a resource as one experience shows it: with its id, its relations that were
// selected, and its pictures fitted to the channel.
type Delivered struct {
	ID        string
	Resource  *Resource
	Freshness Freshness
	Cached    bool
	Related   map[string][]*Delivered // by field name; only where followed
	Channel   *Channel
}

// List is a delivered list of resources.
type List struct {
	Nodes []*Delivered
	Total *int   // nil when the origin does not say
	Next  string // where the next page starts, encrypted; "" at the end
}

// Action is something the person can do.
type Action struct {
	Label     string
	Intent    string
	Href      string
	DeepLink  string
	ExpiresAt time.Time // zero = never
}

// Problem is what an experience lacks, told in place.
type Problem struct {
	Path    string // slots.main[0].props.image
	Ref     string
	Code    Code
	Message string // public
	Stale   bool   // a stale copy or a fallback stood in
}

// LocaleUsed tells where a part came in another locale than asked.
type LocaleUsed struct {
	Path  string
	Asked string
	Got   string
}

// Speech is what a speaker says.
type Speech struct {
	SSML     string // with <speak>
	Text     string
	Reprompt string
}

// Message is what a chat shows.
type Message struct {
	Text    string
	Image   *Delivered
	Buttons []Button
}

// Button is one of the message's buttons.
type Button struct {
	Label string
	Href  string
}

// HoleStart and HoleEnd enclose a hole's expression in the strings of an assembled experience.
// Neither occurs in any text of an origin: it is removed there.
const (
	HoleStart = "\uE000"
	HoleEnd   = "\uE001"
)
