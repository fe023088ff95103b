package tutti

import "time"

// AttributeType is the closed list of types that a declared attribute can have.
type AttributeType string

// Go values by type: string → string, bool → bool, int → int64, double → float64,
// timestamp → time.Time, place → Place, list → []string.
const (
	StringType    AttributeType = "string"
	BoolType      AttributeType = "bool"
	IntType       AttributeType = "int"
	DoubleType    AttributeType = "double"
	TimestampType AttributeType = "timestamp"
	PlaceType     AttributeType = "place"
	ListType      AttributeType = "list"
)

// Purpose says what a fact is used for; consent is given per purpose.
type Purpose string

const (
	Necessary       Purpose = "necessary"
	Personalization Purpose = "personalization"
	Analytics       Purpose = "analytics"
	Marketing       Purpose = "marketing"
)

// Trust says who may assert a fact. Higher is stronger.
type Trust int

const (
	TrustClient Trust = iota // anybody, also an app with a browser key
	TrustSigned              // a verified visitor token
	TrustServer              // a server key, an enricher
)

func (t Trust) String() string { return [...]string{"client", "signed", "server"}[t] }

// Sensitivity says how far a fact may go.
type Sensitivity string

const (
	Public   Sensitivity = "public"   // may stand in plans, keys and explanations
	Segment  Sensitivity = "segment"  // may stand in plans and keys: many people share it
	Personal Sensitivity = "personal" // only in holes and in private component plans; never in keys, logs, tags
)

// Attribute declares one typed fact. Exactly one of Derive, Param/Field, Enricher/Field or none
// of them is set: none means that the request or the visitor token gives it.
type Attribute struct {
	Name        string        `json:"name"` // a name, or names joined by dots: stay.checkIn
	Type        AttributeType `json:"type"`
	Description string        `json:"description,omitempty"`
	Purpose     Purpose       `json:"purpose"`
	Trust       Trust         `json:"trust"`
	Sensitivity Sensitivity   `json:"sensitivity"`
	Values      []string      `json:"values,omitempty"`    // the allowed strings; none = all
	Step        float64       `json:"step,omitempty"`      // int, double: rounded down to a multiple; timestamp: seconds. 0 = exact
	Precision   int           `json:"precision,omitempty"` // place: geohash characters in a plan; 0 = 6
	Deprecated  string        `json:"deprecated,omitempty"`

	Claim    string `json:"claim,omitempty"`    // the visitor-token claim that gives it
	Derive   string `json:"derive,omitempty"`   // a CEL expression over other attributes
	Param    string `json:"param,omitempty"`    // a ref param of the composition; with Field: a declared fact of what it refers to
	Enricher string `json:"enricher,omitempty"` // with Field: a fact of the enricher's record
	Field    string `json:"field,omitempty"`
}

// Enricher turns one attribute into a record of a source, whose fields become attributes.
// A record of a kind with access visitor is used only when it belongs to the proven visitor.
type Enricher struct {
	Name string `json:"name"`
	Ref  string `json:"ref"` // CEL, gives the ref: 'stay:reservation/' + reservation
}

// Consent is what the visitor agreed to. Necessary is always given; an absent purpose is not.
type Consent map[Purpose]bool

// Given reports whether facts of a purpose may be read.
func (c Consent) Given(p Purpose) bool { return p == Necessary || c[p] }

// Context is all facts of one request, already checked: declared, typed, and of enough trust.
type Context struct {
	Visitor    string         // the proven visitor's id; "" for an anonymous one
	Claims     map[string]any // of the verified visitor token; nil without one
	Location   *Place
	Market     string // "" = the default market
	Currency   string // "" = the market's currency
	Locale     string // as asked; "" = the default locale
	Channel    string
	Attributes map[string]any // Go values as AttributeType says
	Consent    Consent
	Supports   Supports  // what the app can draw; nil = everything
	At         time.Time // the moment that counts; in preview it may be another than now
	Preview    Preview
}

// Preview is what a preview or management key may look at besides the published state.
type Preview struct {
	Draft  bool              // look at drafts
	Forced map[string]string // component id → variant name, "" = baseline
	Why    bool              // explain decisions
}

// Facts are the attributes that Learn found out. An attribute that is not in Values is unknown.
type Facts struct {
	Values   map[string]any
	Withheld map[string]Purpose // unknown because consent for the purpose is missing
	Owner    Owner
	Basis    Basis // the records that they were read from
}

// Owner says who the proven visitor is, and what each source calls that person.
type Owner struct {
	Visitor  string            // "" = nobody proven
	InSource map[string]string // by source name; absent = that source knows nobody of that name
}

// Params are the values of a composition's params: string, int64, float64, bool or Ref.
type Params map[string]any

// Audience is a named, reusable condition over attributes and other audiences.
type Audience struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Rule        string `json:"rule"` // CEL, bool
}

// Persona is a saved context, for preview and tests.
type Persona struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Visitor     string         `json:"visitor,omitempty"`
	Location    *Place         `json:"location,omitempty"`
	Market      string         `json:"market,omitempty"`
	Currency    string         `json:"currency,omitempty"`
	Locale      string         `json:"locale,omitempty"`
	Attributes  map[string]any `json:"attributes,omitempty"`
	Consent     Consent        `json:"consent,omitempty"`
}

// Redirect leads a path to another one or to an absolute URL.
type Redirect struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Permanent bool   `json:"permanent,omitempty"`
}
