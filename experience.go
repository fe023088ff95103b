package tutti

import (
	"slices"
	"time"
)

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
	Hidden      []Hidden     // components that were decided but not delivered
	Pieces      []Piece      // what speech and message were joined from, with holes still in them; Fill joins them anew
	Channel     *Channel
	Parts       []*Part // what Components, Problems, Locales and Hidden were joined from, in page order
	Made        []*Part // those of them, and of those inside them, that were made now
	Basis       Basis   // of all of it
}

// Part is one component plan at the top of a page, or one that stands Apart inside it, with everything
// that came of it. It never changes, and may stand in many experiences: Assemble puts it in where the
// plan names it as Ready.
type Part struct {
	Of         *ComponentPlan // what it was made of; nil once it is kept
	Slot       string         // at the top of the page, that it stands in
	Components []*Component   // as their slot has them
	All        []*Component   // with what stands in them, depth first
	Problems   []Problem
	Locales    []LocaleUsed
	Hidden     []Hidden
	Freshness  Freshness
	Holed      bool // personal text goes into it
	Private    bool // for one visitor alone
	Mixed      bool // parts of their own are inside it: their components are in All, and name them as Part
	Basis      Basis
	Written    any // for whoever writes answers: what he made of it; nil without
}

// Basis is what something was made of: as long as none of it is forgotten and its time is not
// over, the same would come of it.
type Basis struct {
	Marks    []uint32  // where the cache notes that some of it is forgotten
	Until    time.Time // when the first of it stops being fresh; zero = never
	Stale    bool      // some of it was stale already
	Renewing bool      // some of it was STALE_REVALIDATING: newer content is on its way
	Asked    int       // how many refs and selections it took
	Called   bool      // an origin was waited for
}

// Add joins what a source gave: when it stops being fresh, zero for what is not fresh, its state,
// and whether it came from memory.
func (b *Basis) Add(marks []uint32, until time.Time, state FreshnessState, cached bool) {
	b.Marks = append(b.Marks, marks...)
	b.Renewing = b.Renewing || state == StaleRevalidating
	b.Asked++
	b.Called = b.Called || !cached
	switch {
	case until.IsZero():
		b.Stale = true
	case b.Until.IsZero() || until.Before(b.Until):
		b.Until = until
	}
}

// Join adds another basis.
func (b *Basis) Join(o Basis) {
	if b.Marks == nil {
		b.Marks = slices.Clip(o.Marks) // what is added goes into a copy
	} else {
		b.Marks = append(b.Marks, o.Marks...)
	}
	b.Stale, b.Renewing, b.Called = b.Stale || o.Stale, b.Renewing || o.Renewing, b.Called || o.Called
	b.Asked += o.Asked
	if b.Until.IsZero() || !o.Until.IsZero() && o.Until.Before(b.Until) {
		b.Until = o.Until
	}
}

// Hidden tells of a component that the plan holds and the experience does not.
type Hidden struct {
	Component string // the stable name
	Path      string
	Reasons   []Reason // HIDDEN, and what led to it
}

// Piece is what one component says and writes on a channel without screens.
type Piece struct {
	SSML   string // without <speak>
	Speech string // the same as plain text
	Text   string // for the message
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
	Private   bool           // decided or gathered for the visitor alone
	Filled    bool           // personal text was put into it
	Props     map[string]any // by prop name: what Shape made of it. Text → string, RichText → RichText, resources as *Delivered and *List
	Order     []string       // prop names in the order of the definition
	Actions   []Action
	Slots     []*Slot
	Freshness Freshness
	Assembled []Reason // FRESH, CACHED, STALE, FALLBACK, … without repeats
	Problems  []Problem
	Origins   []Origin       // the items it was made of, without repeats
	Limits    map[string]int // by prop name: how long a text with holes may be once they are filled, in grapheme clusters
	Channel   *Channel       // what it is fitted to
	Part      *Part          // that it belongs to
}

// Origin is one item that a component was made of.
type Origin struct {
	Source    string
	Ref       Ref
	Prop      string // the prop that it came into; "" for what it was repeated over
	Freshness Freshness
	Cached    bool
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
	Total *int // nil when the origin does not say
	Shown int  // how many of Nodes stand where nobody gives a number; 0 = all

	Cursors Cursors // nil when nothing follows; use CursorAt
}

// Cursors write where the next page of a list may start, encrypted; "" where nothing follows. Safe for
// concurrent use.
type Cursors interface {
	At(n int) string // after the first n nodes, for n of 1 to all
	Next() string    // after everything that was asked for
}

// CursorAt gives the cursor after the first n nodes, "" when nothing follows them. What is asked
// beyond the nodes is the end of the list, as Next.
func (l *List) CursorAt(n int) string {
	switch {
	case l.Cursors == nil:
		return ""
	case n >= len(l.Nodes) || n < 1:
		return l.Cursors.Next()
	}
	return l.Cursors.At(n)
}

// Next gives the cursor to the next page; "" when there is none.
func (l *List) Next() string { return l.CursorAt(len(l.Nodes)) }

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
	Field   string // of the item, where it alone could not be read
	Pointer string // where in the origin's record that field was looked for, as Unread has it
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

// Slim gives the part without what only writing it takes: for who has it written already.
func (p *Part) Slim() *Part {
	slim := *p
	slim.Of = nil
	slim.Components = slimComponents(p.Components, &slim)
	if slim.All = slim.Components; len(p.All) == len(p.Components) {
		return &slim
	}
	slim.All = make([]*Component, 0, len(p.All))
	var all func(list []*Component)
	all = func(list []*Component) {
		for _, c := range list {
			slim.All = append(slim.All, c)
			for _, s := range c.Slots {
				all(s.Components)
			}
		}
	}
	all(slim.Components)
	return &slim
}

func slimComponents(list []*Component, of *Part) []*Component {
	out := make([]*Component, len(list))
	for i, c := range list {
		out[i] = &Component{
			ID: c.ID, Component: c.Component, Type: c.Type, Version: c.Version, Variant: c.Variant, Parent: c.Parent, Slot: c.Slot, Path: c.Path,
			Private: c.Private, Freshness: c.Freshness, Part: of,
		}
		for _, s := range c.Slots {
			out[i].Slots = append(out[i].Slots, &Slot{ID: s.ID, Name: s.Name, Components: slimComponents(s.Components, of)})
		}
	}
	return out
}
