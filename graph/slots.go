package graph

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Slotted is an object whose slots have a hash: it names what was written of their pieces, so that
// a client which has a slot already gets it without them.
type Slotted interface {
	Object
	// Hash names what a slot holds by its content, in 22 characters that need no escaping: the same
	// for the same content. Nothing can be told from it.
	Hash(slot string, content []byte) string
	// Known reports whether the client has a slot as a hash names it.
	Known(slot, hash string) bool
}

// HashOf and UnchangedOf are the values of the fields hash and unchanged of the slot of a name.
// They are known once all of a Slotted object is written; null and false outside of one.
type (
	HashOf      string
	UnchangedOf string
)

// telling are the types of fields which say how fresh something is, where it came from and why,
// and not what it is.
var telling = map[string]bool{"Freshness": true, "Origin": true, "Reason": true, "Decision": true, "LeftOut": true}

// While an object is written whose slots have hashes, marks stand in what is written, also where it
// is kept: between markFrom and markTo, which no JSON holds (RFC 8259, section 7), a letter and what
// it needs. settle takes all of them out.
const (
	markFrom = 1
	markTo   = 2

	hashMark      = '#' // the slot: its hash comes here
	unchangedMark = '?' // the slot: whether it is comes here
	partMark      = '(' // the sum of a part, or as many dashes, and its slot: the part begins
	partEnds      = ')'
	tellsMark     = '{' // what may change alone begins
	tellsEnds     = '}'
)

// sumLength is that of a sum, SHA-256 in base64url, and hashRoom what is left for a hash.
const (
	sumLength  = 43
	hashLength = 22
	hashRoom   = `"0000000000000000000000"`
)

var (
	noSum     = strings.Repeat("-", sumLength)
	tellsFrom = mark(nil, tellsMark, "")
	tellsTo   = mark(nil, tellsEnds, "")
)

func mark(b []byte, what byte, of string) []byte {
	return append(append(append(b, markFrom, what), of...), markTo)
}

// found is a mark in a text.
type found struct {
	what     byte
	of       []byte
	from, to int
}

// nextMark gives the first mark from a place on; false for none.
func nextMark(b []byte, at int) (found, bool) {
	n := bytes.IndexByte(b[at:], markFrom)
	if n < 0 {
		return found{}, false
	}
	from := at + n
	to := from + bytes.IndexByte(b[from:], markTo) + 1
	return found{what: b[from+1], of: b[from+2 : to-1], from: from, to: to}, true
}

// slotted writes an object with the hashes of its slots. Who records it settles them.
func (p *projector) slotted(obj Slotted, sel *selection) bool {
	start := len(p.out)
	p.slots = obj
	ok := p.object(obj, sel)
	p.slots = nil
	if ok && p.record == nil {
		p.settle(obj, start)
	}
	return ok
}

func (p *projector) hashOf(slot string) {
	if p.slots == nil {
		p.out = append(p.out, "null"...)
		return
	}
	p.out = append(mark(p.out, hashMark, slot), hashRoom...)
}

func (p *projector) unchangedOf(slot string) {
	if p.slots == nil {
		p.out = append(p.out, "false"...)
		return
	}
	p.out = mark(p.out, unchangedMark, slot)
}

// beginPart marks where the part that is being written begins.
func (p *projector) beginPart() {
	if p.slots != nil {
		p.out = mark(p.out, partMark, noSum+p.part.Slot)
	}
}

// endPart marks where it ends. One without personal text is written the same each time, so it gets
// its sum at once.
func (p *projector) endPart(from int) {
	if p.slots == nil {
		return
	}
	p.out = mark(p.out, partEnds, "")
	if p.record != nil && !p.part.Holed {
		p.seal(from)
	}
}

// seal puts the sum of a part into the mark where it begins, and takes out the marks inside it.
func (p *projector) seal(from int) {
	begins, _ := nextMark(p.out, from)
	sum, _ := summed(p.out, begins.to)
	copy(begins.of, sum)
	to := begins.to
	for at := begins.to; ; {
		m, _ := nextMark(p.out, at)
		to += copy(p.out[to:], p.out[at:m.from])
		if at = m.to; m.what == partEnds {
			p.out = append(p.out[:to], p.out[m.from:m.to]...)
			return
		}
	}
}

// summed gives the sum of the part that begins at a place, without what may change alone, and where
// the mark of its end ends.
func summed(b []byte, at int) (sum []byte, end int) {
	h := sha256.New()
	for depth := 0; ; {
		m, _ := nextMark(b, at)
		if depth == 0 {
			h.Write(b[at:m.from])
		}
		switch at = m.to; m.what {
		case tellsMark:
			depth++
		case tellsEnds:
			depth--
		case partEnds:
			return base64.RawURLEncoding.AppendEncode(nil, h.Sum(nil)), m.to
		}
	}
}

// settle works out the hashes of what was written from a place on, writes them where they belong,
// and takes out the marks and the parts of slots that the client has.
func (p *projector) settle(of Object, start int) {
	s, ok := of.(Slotted)
	if !ok || !p.hashes {
		return
	}
	slots := slotsIn(p.out, start)
	for name, slot := range slots {
		slot.hash = s.Hash(name, slot.sums)
		slot.known = s.Known(name, slot.hash)
	}
	out, to, from := p.out, start, start
	for {
		m, more := nextMark(out, from)
		if !more {
			to += copy(out[to:], out[from:])
			p.out = out[:to]
			return
		}
		to += copy(out[to:], out[from:m.from])
		from = m.to
		switch m.what {
		case hashMark:
			hash := slots[string(m.of)].hash
			from += len(hashRoom)
			to += copy(out[to:], `"`)
			to += copy(out[to:], hash)
			to += copy(out[to:], `"`)
		case unchangedMark:
			if slots[string(m.of)].known {
				to += copy(out[to:], "true")
			} else {
				to += copy(out[to:], "false")
			}
		case partMark:
			if !slots[string(m.of[sumLength:])].known {
				continue
			}
			for m.what != partEnds {
				m, _ = nextMark(out, m.to)
			}
			switch from = m.to; { // and the comma between it and another
			case out[to-1] == ',':
				to--
			case out[from] == ',':
				from++
			}
		}
	}
}

// slotState is what is known of a slot when all is written.
type slotState struct {
	sums  []byte // of its parts
	hash  string
	known bool
}

// slotsIn finds the slots of what was written, by their names.
func slotsIn(b []byte, at int) map[string]*slotState {
	slots := map[string]*slotState{}
	of := func(name []byte) *slotState {
		s := slots[string(name)]
		if s == nil {
			s = &slotState{}
			slots[string(name)] = s
		}
		return s
	}
	for {
		m, more := nextMark(b, at)
		if !more {
			return slots
		}
		switch at = m.to; m.what {
		case hashMark, unchangedMark:
			of(m.of)
		case partMark:
			s, sum := of(m.of[sumLength:]), m.of[:sumLength]
			if string(sum) == noSum {
				sum, at = summed(b, at)
			}
			s.sums = append(s.sums, sum...)
		}
	}
}

// Hashes reports whether a slot's hash, or whether it is unchanged, is selected.
func (s *Selection) Hashes() bool { return s.hashes }

// selectsHashes looks for the fields hash and unchanged of slots.
func selectsHashes(set ast.SelectionSet, vars map[string]any, fragments map[string]bool) bool {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if !Included(s.Directives, vars) {
				continue
			}
			if (s.Name == "hash" || s.Name == "unchanged") && s.ObjectDefinition != nil && s.ObjectDefinition.Name == "Slot" {
				return true
			}
			if selectsHashes(s.SelectionSet, vars, fragments) {
				return true
			}
		case *ast.InlineFragment:
			if Included(s.Directives, vars) && selectsHashes(s.SelectionSet, vars, fragments) {
				return true
			}
		case *ast.FragmentSpread:
			if fragments[s.Name] || !Included(s.Directives, vars) {
				continue
			}
			fragments[s.Name] = true
			if selectsHashes(s.Definition.SelectionSet, vars, fragments) {
				return true
			}
		}
	}
	return false
}
