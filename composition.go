package tutti

import "encoding/json"

// Text is words per locale. The key "" holds words that are the same in every locale.
// Words may hold values as ${…} (CEL).
type Text map[string]string

// UnmarshalJSON takes a plain string or an object of locale → string.
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = Text{"": s}
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return Errorf(Invalid, "reading a text: %s is neither a string nor an object of locale to string", b)
	}
	*t = m
	return nil
}

// MarshalJSON writes a plain string where there is only one for all locales.
func (t Text) MarshalJSON() ([]byte, error) {
	if s, ok := t[""]; ok && len(t) == 1 {
		return json.Marshal(s)
	}
	return json.Marshal(map[string]string(t))
}

// Composition is the stored tree of one page, screen or message.
type Composition struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"` // of a CompositionType
	Title       Text              `json:"title"`
	Description Text              `json:"description,omitempty"`
	Params      []Param           `json:"params,omitempty"`
	Routes      []Route           `json:"routes,omitempty"`
	Slots       []CompositionSlot `json:"slots"`
}

// Param is a typed input of a composition.
type Param struct {
	Name        string          `json:"name"`
	Type        string          `json:"type"`            // string, int, float, boolean, ref
	Kinds       []string        `json:"kinds,omitempty"` // for refs: source:kind, one of them
	Required    bool            `json:"required,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Description string          `json:"description,omitempty"`
}

// Route is a path pattern that leads to the composition. {name} stands for one path segment.
type Route struct {
	Path    string            `json:"path"`              // "/hotels/{hotel}/arrival"; "{locale}" is the locale of the page
	Params  map[string]string `json:"params,omitempty"`  // CEL over path.<name>, for params that are not the segment itself: 'stay:hotel/' + path.hotel
	List    *Selection        `json:"list,omitempty"`    // for static builds: what the page exists for; "item" is each resource
	Segment map[string]string `json:"segment,omitempty"` // CEL over item, for each segment, when List is set; default item.id
}

// CompositionSlot is a named place in a composition or component that holds components.
type CompositionSlot struct {
	ID         string                 `json:"id"`
	Name       string                 `json:"name"`
	Components []CompositionComponent `json:"components,omitempty"`
	Variants   []SlotVariant          `json:"variants,omitempty"`
}

// CompositionComponent is one stored component. ID is unique in its composition and stable
// across edits.
type CompositionComponent struct {
	ID       string              `json:"id"`
	Type     string              `json:"type"`
	Props    map[string]Prop     `json:"props,omitempty"`
	Actions  []CompositionAction `json:"actions,omitempty"`
	Slots    []CompositionSlot   `json:"slots,omitempty"`
	Variants []Variant           `json:"variants,omitempty"`
	Channels *ChannelChoice      `json:"channels,omitempty"`
	Each     *Each               `json:"each,omitempty"`
	ShowWhen string              `json:"showWhen,omitempty"` // CEL over the component's resources (by prop name), item, and params
}

// Each repeats a component for every item of a selection (or of a list of refs), as "item".
type Each struct {
	Select *Selection `json:"select,omitempty"`
	Refs   []string   `json:"refs,omitempty"`
}

// ChannelChoice limits a component to channels: only those in Only (none = all), not those in Except.
type ChannelChoice struct {
	Only   []string `json:"only,omitempty"`
	Except []string `json:"except,omitempty"`
}

// Variant is an alternative of a component with a rule. The first variant whose rule is true
// wins; where none is, the baseline. Props given here replace the baseline's of the same name.
type Variant struct {
	Name    string              `json:"name"`
	Rule    string              `json:"rule,omitempty"`    // CEL over attributes and audiences (audience.gold); "" = true
	Windows []StoredWindow      `json:"windows,omitempty"` // true in one of them; none = always
	Type    string              `json:"type,omitempty"`    // another component type; then Props are all its props
	Hide    bool                `json:"hide,omitempty"`    // shows nothing
	Props   map[string]Prop     `json:"props,omitempty"`
	Actions []CompositionAction `json:"actions,omitempty"` // replaces the baseline's when given
}

// SlotVariant is an alternative content of a whole slot.
type SlotVariant struct {
	Name       string                 `json:"name"`
	Rule       string                 `json:"rule,omitempty"`
	Windows    []StoredWindow         `json:"windows,omitempty"`
	Components []CompositionComponent `json:"components"`
}

// StoredWindow is [From, Until) as local times in a named zone, e.g. 2026-12-01T00:00 in Europe/Madrid.
type StoredWindow struct {
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	Zone  string `json:"zone,omitempty"` // IANA name; "" = UTC
}

// Prop says where the value of a prop comes from. Exactly one of Value, Text, Bind, Ref, Refs,
// Select, Expr is set. In YAML and JSON a scalar is short for Value.
//
// In Ref, Refs and selection arguments a string that starts with '=' is CEL over params,
// attributes and, under Each, item.
type Prop struct {
	Value    json.RawMessage `json:"value,omitempty"`
	Text     Text            `json:"text,omitempty"` // words with ${…}
	Bind     string          `json:"bind,omitempty"` // a path to a resource's field: hotel.image (a param), item.name, or another prop's resource: offer.price
	Ref      string          `json:"ref,omitempty"`  // "dam:asset/x" or "=params.hotel"
	Refs     []string        `json:"refs,omitempty"`
	Select   *Selection      `json:"select,omitempty"`
	Expr     string          `json:"expr,omitempty"`     // CEL over params and attributes
	Fallback []Prop          `json:"fallback,omitempty"` // tried in turn when the value is missing
	Channels map[string]Prop `json:"channels,omitempty"` // written differently for a channel
	Locales  map[string]Prop `json:"locales,omitempty"`  // written differently for a locale
}

// UnmarshalJSON takes the object form, or any scalar or array as a literal value.
func (p *Prop) UnmarshalJSON(b []byte) error {
	for _, c := range b {
		if c == '{' {
			type plain Prop
			return json.Unmarshal(b, (*plain)(p))
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			break
		}
	}
	*p = Prop{Value: append(json.RawMessage(nil), b...)}
	return nil
}

// CompositionAction is a stored action.
type CompositionAction struct {
	Label     Text   `json:"label"`
	Intent    string `json:"intent"`              // a name in capitals: CHECK_IN
	Href      string `json:"href,omitempty"`      // a path or URL with ${…}
	DeepLink  string `json:"deepLink,omitempty"`  // with ${…}
	ExpiresAt string `json:"expiresAt,omitempty"` // RFC 3339, or "=" and CEL that gives a timestamp
	When      string `json:"when,omitempty"`      // CEL over attributes; not true = the action is left out
}

// Selection is a stored query instead of a fixed ref.
type Selection struct {
	Source string         `json:"source"`
	Kind   string         `json:"kind"`
	Filter map[string]any `json:"filter,omitempty"` // by filter names that the manifest declares; strings may start with '='
	Text   string         `json:"text,omitempty"`   // full-text search
	Sort   string         `json:"sort,omitempty"`   // a sort name that the manifest declares, '-' in front for descending
	First  int            `json:"first,omitempty"`  // 0 = the prop's or channel's count
	After  string         `json:"after,omitempty"`  // the origin's own cursor; never stored
	Owner  string         `json:"-"`                // what the source calls the visitor; only for kinds with access visitor
}

// PropType is the closed list of types that a declared prop can have.
type PropType string

const (
	PropText      PropType = "text"
	PropRichText  PropType = "richText"
	PropString    PropType = "string"
	PropInt       PropType = "int"
	PropFloat     PropType = "float"
	PropBoolean   PropType = "boolean"
	PropDateTime  PropType = "dateTime"
	PropMoney     PropType = "money"
	PropURL       PropType = "url"
	PropPlace     PropType = "place"
	PropJSON      PropType = "json"
	PropResource  PropType = "resource"
	PropResources PropType = "resources"
)

// PropDefinition declares one prop of a component type.
type PropDefinition struct {
	Name        string         `json:"name"`
	Type        PropType       `json:"type"`
	Description string         `json:"description,omitempty"`
	Deprecated  string         `json:"deprecated,omitempty"` // why not to use it any more, and what instead
	Required    bool           `json:"required,omitempty"`   // missing at the end: the component is hidden, with a Problem
	Values      []string       `json:"values,omitempty"`     // for strings: the allowed ones
	Accepts     []ResourceType `json:"accepts,omitempty"`    // for resource and resources; none = all
	MaxLength   int            `json:"maxLength,omitempty"`  // for texts, in grapheme clusters, the ellipsis included; 0 = no limit
	Cut         bool           `json:"cut,omitempty"`        // a longer text is cut; else it stays whole, with a Problem
	First       int            `json:"first,omitempty"`      // for resources: how many; 0 = 10
}

// ComponentType defines a kind of component.
type ComponentType struct {
	Name        string              `json:"name"`
	Version     int                 `json:"version"`
	Description string              `json:"description,omitempty"`
	Deprecated  string              `json:"deprecated,omitempty"` // why not to use it any more, and what instead
	Props       []PropDefinition    `json:"props,omitempty"`
	Slots       []SlotDefinition    `json:"slots,omitempty"`
	Migrations  []Migration         `json:"migrations,omitempty"` // oldest first
	Downlevel   []Downlevel         `json:"downlevel,omitempty"`  // for apps that cannot draw it as it is; the first that they can draw counts
	Templates   map[string]Template `json:"templates,omitempty"`  // by channel
}

// Downlevel declares a down-level form: an older version of the component type, or another one.
type Downlevel struct {
	Version int               `json:"version,omitempty"` // of this component type; with Props
	Props   []PropDefinition  `json:"props,omitempty"`   // as that version had them
	Type    string            `json:"type,omitempty"`    // another component type, as it is now
	From    map[string]string `json:"from,omitempty"`    // a prop of the form → the prop of this component type that it is made of, "" = of none; else the one of the same name
}

// Prop finds a prop's definition by name.
func (t *ComponentType) Prop(name string) (PropDefinition, bool) {
	for _, p := range t.Props {
		if p.Name == name {
			return p, true
		}
	}
	return PropDefinition{}, false
}

// SlotDefinition says what a slot may hold.
type SlotDefinition struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Allowed     []string `json:"allowed,omitempty"` // component types; none = all
	Min         int      `json:"min,omitempty"`
	Max         int      `json:"max,omitempty"` // 0 = no limit
}

// CompositionType defines which slots a composition has.
type CompositionType struct {
	Name        string           `json:"name"`
	Version     int              `json:"version"`
	Description string           `json:"description,omitempty"`
	Slots       []SlotDefinition `json:"slots"`
	Params      []Param          `json:"params,omitempty"`
}

// Template says how a component type speaks or writes on a channel without screens. Texts are
// CEL templates over props: ${props.headline}.
type Template struct {
	Speech   Text   `json:"speech,omitempty"`
	Reprompt Text   `json:"reprompt,omitempty"`
	Text     Text   `json:"text,omitempty"`
	Image    string `json:"image,omitempty"`   // the prop that holds the picture
	Buttons  bool   `json:"buttons,omitempty"` // the component's actions become buttons
}
