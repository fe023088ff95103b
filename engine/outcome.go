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
// nobody followed; of what failed because of one field, its *tutti.Unread.
type outcome struct {
	state  state
	wave   int // of the farthest item that it was made of
	v      any
	locale string     // of words
	code   tutti.Code // of what failed,
	ref    *tutti.Ref // and its ref, of a selection only its source; nil for what has none
}

// listing is a list of resources that was looked for.
type listing struct {
	entries []*entry
	at      []int  // where each entry stands among what was asked for; nil where they stand in a row
	total   int    // how many there are
	counted bool   // false when nobody says how many
	found   *found // of a selection; nil for a list of refs
	refs    []tutti.Ref
	seen    int // how many of refs were looked for
	gone    int // how many of those are not there, or withdrawn
	wanted  int // how many were asked for
	shown   int // how many props and templates show; 0 = all
	size    int // how many a page shows, where that differs; 0 = wanted
}

// add adds the entry that was asked for at a place.
func (l *listing) add(e *entry, at int) {
	if l.at == nil && at != len(l.entries) {
		l.number()
	}
	if l.entries = append(l.entries, e); l.at != nil {
		l.at = append(l.at, at)
	}
}

// number notes that the entries stand in a row so far.
func (l *listing) number() {
	l.at = make([]int, len(l.entries), cap(l.entries))
	for i := range l.at {
		l.at[i] = i
	}
}

// place is where an entry stands among what was asked for.
func (l *listing) place(i int) int {
	if l.at == nil {
		return i
	}
	return l.at[i]
}

// skip leaves out what was asked for before a place.
func (l *listing) skip(before int) {
	n := 0
	for n < len(l.entries) && l.place(n) < before {
		n++
	}
	if l.at == nil && n > 0 {
		l.number()
	}
	if l.entries = l.entries[n:]; l.at != nil {
		l.at = l.at[n:]
	}
}

func value(v any, wave int) outcome { return outcome{state: have, v: v, wave: wave} }

func failing(code tutti.Code, ref tutti.Ref) outcome {
	if ref == (tutti.Ref{}) {
		return outcome{state: failed, code: code}
	}
	of := ref
	return outcome{state: failed, code: code, ref: &of}
}

// of tells what failed: an item, or a selection of a source.
func (o *outcome) of() (ref tutti.Ref, source string) {
	switch {
	case o.ref == nil:
		return tutti.Ref{}, ""
	case o.ref.Kind == "":
		return tutti.Ref{}, o.ref.Source
	}
	return *o.ref, ""
}
