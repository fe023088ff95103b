package engine

import "github.com/tuttihq/tutti"

// state says what came of looking for a value.
type state int

const (
	unlooked state = iota
	have           // v holds it
	absent         // it is not there, and that is nobody's fault
	failed         // it should be there; code tells why it is not
	pending        // it was wished for and is not there yet
)

// outcome is what came of looking for a value. In v stand Go values as tutti.Value has them, an
// *entry for a resource, a *listing for resources, a tutti.Ref or []tutti.Ref for relations that
// nobody followed.
type outcome struct {
	state  state
	v      any
	code   tutti.Code
	ref    tutti.Ref // of what failed
	source string    // of a selection that failed
	locale string    // of words
	wave   int       // of the farthest item that it was made of
}

// listing is a list of resources that was looked for.
type listing struct {
	entries []*entry
	at      []int  // where each entry stands among what was asked for
	total   *int   // nil when nobody says
	found   *found // of a selection; nil for a list of refs
	refs    []tutti.Ref
	seen    int // how many of refs were looked for
	gone    int // how many of those are not there, or withdrawn
	wanted  int // how many were asked for
	shown   int // how many props and templates show; 0 = all
	size    int // how many a page shows, where that differs; 0 = wanted
}

func value(v any, wave int) outcome { return outcome{state: have, v: v, wave: wave} }

func failing(code tutti.Code, ref tutti.Ref) outcome {
	return outcome{state: failed, code: code, ref: ref}
}
