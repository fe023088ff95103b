package tutti

import "time"

// Plan is the outcome of all decisions for one request: everything that assembling may depend
// on, and nothing else. It holds no personal value and no time; a private component plan holds
// the owner. A plan is read by many at once and never changed.
type Plan struct {
	Composition string
	Version     int // 0 for a draft
	Channel     string
	Locale      string   // the locale asked for
	Chain       []string // the locales to try, Locale first
	Scope       Scope
	Params      Params
	Title       Value
	Description Value
	Slots       []SlotPlan
	Until       time.Time // the next instant at which time alone changes the outcome; zero = never. Not part of the key
}

// PagePart is which part of a page is wanted.
type PagePart string

// The parts of a page.
const (
	WholePage    PagePart = ""
	SharedPart   PagePart = "SHARED"   // the same for everybody with the same decisions
	PersonalPart PagePart = "PERSONAL" // one visitor's alone, or naming him
)

// SlotPlan is a slot with its decided components.
type SlotPlan struct {
	ID         string // stable, of the stored slot
	Name       string
	Variant    string // "" = baseline
	Components []ComponentPlan
}

// ComponentPlan is the outcome for one stored component.
type ComponentPlan struct {
	Component string // stable id of the stored component
	Type      string
	Version   int        // of the component type
	Variant   string     // "" = baseline
	Path      string     // slots.main[0]: for Problems
	Props     []PropPlan // in the order of the component type's definition
	Actions   []ActionPlan
	Slots     []SlotPlan
	Form      *DownlevelForm // what it is delivered as, instead of Type and Version; nil = as it is
	Each      *Value         // a selection or refs to repeat over; nil = once
	ShowWhen  Program        // nil = always; over props (resources' fields), item, params
	Private   bool           // depends on the visitor: keyed by an HMAC, kept in memory only
	Owner     Owner          // only when Private
	Key       string         // canonical, length-prefixed; an HMAC when Private
	Apart     bool           // made as a part of its own, although it does not stand at the top of the page
	Ready     *Part          // what assembling this plan came to before, and still would; nil = assemble it. Only at the top of a page, or Apart
}

// PropPlan is one prop with its value and what to try when that is missing.
type PropPlan struct {
	Definition *PropDefinition // of the component type: never changed
	Values     []Value         // tried in turn: the value, then the fallbacks
}

// ActionPlan is a decided action.
type ActionPlan struct {
	Label     Value
	Intent    string
	Href      Value
	DeepLink  Value
	ExpiresAt time.Time // zero = never
}

// ValueKind says which field of a Value counts.
type ValueKind int

const (
	NoValue      ValueKind = iota
	LiteralValue           // Literal: string, bool, int64, float64, time.Time, Money, Place, []any, map[string]any
	TextValue              // Text
	RefValue               // Refs[0]
	RefsValue              // Refs
	SelectValue            // Select
	BindValue              // Bind
	ShapeValue             // Program, evaluated by Shape over item and resources
)

// Value is a decided value, before assembling.
type Value struct {
	Kind    ValueKind
	Literal any
	Text    []TextPart
	Locale  string // of Text: the locale of the chain that had words
	Refs    []Ref
	Select  *Selection
	Bind    BindPath
	Program Program // for RefValue under Each: computes the ref from item
	Private bool    // made from a personal attribute or the owner
}

// BindPath points to a resource's field: From is "item", a ref param or another prop; Path are
// the fields after it. A Path that passes a ref is a relation and is followed (next wave).
type BindPath struct {
	From string
	Path []string
}

// TextPart is a piece of a text: literal words, a hole (personal, filled last), or a program
// over resources (evaluated by Shape). Values of public and segment attributes are literal here.
type TextPart struct {
	Words   string
	Hole    string  // the source of the expression; its value comes from Fills
	Program Program // over item, params' and props' resources
}

// Fills are the personal values of holes, by the expression's source. Never cached, never logged.
type Fills map[string]string

// Program is a compiled expression that Shape evaluates. Safe for concurrent use.
type Program interface {
	// Eval gives the value (string, bool, int64, float64, time.Time, Ref as string, []any,
	// map[string]any). A name that is not in vars, and a field that is not in a resource, is
	// absent: an error with code NotFound.
	Eval(vars map[string]any) (any, error)
	// Vars are the names that the expression reads: "item", "hotel", "props".
	Vars() []string
	// Paths are the field paths that it reads, such as ["hotel","image","alt"].
	Paths() [][]string
	// String is its source, which is part of keys.
	String() string
}

// Reason is the closed list of why something is as it is.
type Reason string

const (
	// Of a decision.
	ReasonStatic          Reason = "STATIC"
	ReasonDefault         Reason = "DEFAULT"
	ReasonTargetingMatch  Reason = "TARGETING_MATCH"
	ReasonSplit           Reason = "SPLIT"
	ReasonOverride        Reason = "OVERRIDE"
	ReasonConsentWithheld Reason = "CONSENT_WITHHELD"
	ReasonChannelExcluded Reason = "CHANNEL_EXCLUDED"
	ReasonHoldout         Reason = "HOLDOUT"
	ReasonUnsupported     Reason = "UNSUPPORTED"
	ReasonError           Reason = "ERROR"
	// Of assembling.
	ReasonFresh      Reason = "FRESH"
	ReasonCached     Reason = "CACHED"
	ReasonStale      Reason = "STALE"
	ReasonFallback   Reason = "FALLBACK"
	ReasonHidden     Reason = "HIDDEN"
	ReasonMissing    Reason = "MISSING"
	ReasonOverBudget Reason = "OVER_BUDGET"
)

// Tri is a three-valued truth.
type Tri string

const (
	True    Tri = "TRUE"
	False   Tri = "FALSE"
	Unknown Tri = "UNKNOWN"
)

// Why explains the decisions of a plan, by component id (and slot id). It holds attribute names
// and truth values, never an attribute's value.
type Why map[string]Decision

// Decision tells which variant was taken for one component or slot, and why.
type Decision struct {
	Variant string // "" = baseline
	Reason  Reason
	Rules   []RuleResult // in the order in which they were tried
	Form    string       // Hero@1: the down-level form that was taken; "" = as it is
	Slot    string       // the id of the slot that the component is left out of; "" = it is in the plan
	Place   int          // where in that slot it would be
}

// RuleResult is what one variant's rule came to.
type RuleResult struct {
	Variant    string
	Rule       string // its source
	Result     Tri
	InWindow   bool
	Undrawable bool // the app can draw neither the variant nor a form of it
	Attributes []AttributeRead
	Error      string // when evaluating failed
}

// AttributeRead is an attribute (or audience) that a rule read.
type AttributeRead struct {
	Name     string
	Known    bool
	Withheld Purpose // "" unless consent is missing
	Result   Tri     // for audiences and booleans; "" else
}
