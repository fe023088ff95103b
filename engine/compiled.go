package engine

import (
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// Compiled is a composition that passed its checks, ready to decide: every expression compiled,
// every place named. It never changes; all methods are safe for concurrent use.
type Compiled struct {
	ID      string
	Type    string
	Version int // 0 for a draft

	engine      *Engine
	params      []tutti.Param
	defaults    tutti.Params
	title       *words
	description *words
	slots       []slotNode
	routes      []*route
	audiences   *Audiences
	names       []string      // what the expressions read: attributes, audience.<name>
	reads       []string      // the attributes that any part reads, through audiences too
	holes       []*expression // the personal values that stand in texts
	owners      []string      // sources whose name of the visitor is needed
	until       time.Time     // when a publication changes it; zero = not known to
	number      uint64        // of this compiled composition in this process
	head        inputs        // of title and description
	headMoves   bool          // some of these depend on the visitor's place
	reach       reach         // of title and description
	needs       *needs        // what learning finds out
	most        size          // of a plan
	nodes       int           // slots and components, numbered from 0
}

// slotNode is a slot with its alternatives.
type slotNode struct {
	id, name   string
	number     int
	spot       spot
	components []*componentNode
	variants   []slotVariant

	alternatives []alternative // of variants
}

// alternative is what choosing looks at of a variant.
type alternative struct {
	name string
	when *condition
}

type slotVariant struct {
	name       string
	when       condition
	components []*componentNode
}

// componentNode is a stored component with its alternatives.
type componentNode struct {
	id       string
	path     string
	channels *tutti.ChannelChoice
	baseline *body
	variants []variant
	each     *eachNode
	showWhen *expression
	slots    []slotNode

	alternatives []alternative // of variants
	number       int
	spot         spot
}

type variant struct {
	name string
	when condition
	hide bool
	body *body
}

// condition is a rule and the windows in which it counts.
type condition struct {
	rule       *expr.Rule // nil = true
	windows    []tutti.Window
	attributes []string // that the rule reads, through audiences too
	moves      bool     // some of them depend on the visitor's place
}

// body is everything that a variant may say otherwise than the baseline.
type body struct {
	definition *tutti.ComponentType
	props      []propNode // in the order of the definition; those without a value left out
	actions    []actionNode
	private    bool     // whatever is decided: a part is of a kind that belongs to visitors
	dims       []string // the scope dimensions that its kinds have
	allDims    bool     // a kind is not known, or leads to others
	reach      reach
	inputs     inputs
	moves      bool // a value or condition in it depends on the visitor's place
}

type propNode struct {
	definition tutti.PropDefinition
	choice     *choice
}

// choice is a prop's value with its fallbacks, and what stands there for a channel or locale.
type choice struct {
	values   []valueNode
	fixed    []tutti.Value // what they come to, where nothing is to be decided
	channels map[string]*choice
	locales  map[string]*choice
}

// valueNode decides one value; false when it has none for this request.
type valueNode interface {
	decide(d *decider) (tutti.Value, bool)
	// inputs tells what it is made of.
	inputs(in *inputs)
}

type eachNode struct {
	value valueNode
	reach reach
}

type actionNode struct {
	label    *words
	intent   string
	href     *words
	deepLink *words
	expires  valueNode // nil = never
	when     *expr.Rule
}
