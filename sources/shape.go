package sources

import (
	"encoding/json"
	"slices"
	"strings"
)

// The shape of records: of which JSON types what a mapping reads is, never what stands there. It is
// inferred of a sample of live answers. Elements of a list are one, written *. Of other members not even the name is
// kept: it may be data, as in an object that is a table.

const (
	maxShapePaths = 256
	maxShapeDepth = 8
	maxShapeBytes = 1 << 18 // of a record; larger ones are not looked at
)

// typeSet is a set of JSON types.
type typeSet uint8

const (
	objectType typeSet = 1 << iota
	listType
	textType
	numberType
	truthType
	nullType

	valueTypes = objectType | listType | textType | numberType | truthType
)

var typeNames = []string{"object", "list", "text", "number", "truth value", "null"}

// names are the types of a set.
func (t typeSet) names() []string {
	all := []string{}
	for i, name := range typeNames {
		if t&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return all
}

// String writes a set for people; one without any is what is not there.
func (t typeSet) String() string {
	if t == 0 {
		return "absent"
	}
	return strings.Join(t.names(), " or ")
}

// MarshalJSON writes the names.
func (t typeSet) MarshalJSON() ([]byte, error) { return json.Marshal(t.names()) }

// UnmarshalJSON reads names; those that are unknown are left out.
func (t *typeSet) UnmarshalJSON(b []byte) error {
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for _, name := range all {
		if i := slices.Index(typeNames, name); i >= 0 {
			*t |= 1 << i
		}
	}
	return nil
}

// seenShape is what one record has, by JSON pointer.
type seenShape map[string]typeSet

// bound says which members expressions name. A nil one names none.
type bound map[string]bound

func (b bound) add(path []string) {
	for _, step := range path {
		if b[step] == nil {
			b[step] = bound{}
		}
		b = b[step]
	}
}

// has reports whether a place is, or is on the way to, what expressions name.
func (b bound) has(at string) bool {
	for step := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		if step == "*" || at == "" {
			continue
		}
		below, ok := b[pointerNames.Replace(step)]
		if !ok {
			return false
		}
		b = below
	}
	return true
}

// look infers the shape of a record, which is valid JSON.
func (s seenShape) look(record string, b bound) {
	if len(record) <= maxShapeBytes {
		s.walk("", next(record), b, 0)
	}
}

func (s seenShape) note(at string, t typeSet) {
	if _, known := s[at]; known || len(s) < maxShapePaths {
		s[at] |= t
	}
}

func (s seenShape) walk(at, v string, b bound, depth int) {
	switch v[0] {
	case '{':
		s.note(at, objectType)
		if depth < maxShapeDepth {
			s.object(at, v, b, depth)
		}
	case '[':
		s.note(at, listType)
		if depth == maxShapeDepth {
			return
		}
		for v = next(v[1:]); v[0] != ']'; v = next(v) {
			n := valueEnd(v)
			s.walk(at+"/*", v[:n], b, depth+1)
			v = v[n:]
		}
	case '"':
		s.note(at, textType)
	case 't', 'f':
		s.note(at, truthType)
	case 'n':
		s.note(at, nullType)
	default:
		s.note(at, numberType)
	}
}

// object walks the members that are bound.
func (s seenShape) object(at, v string, b bound, depth int) {
	for v = next(v[1:]); v[0] != '}'; v = next(v) {
		n := stringEnd(v)
		name := unquote(v[:n])
		v = next(v[n:])
		n = valueEnd(v)
		if below, ok := b[name]; ok {
			s.walk(at+"/"+pointerSigns.Replace(name), v[:n], below, depth+1)
		}
		v = v[n:]
	}
}
