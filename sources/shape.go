package sources

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// The shape of records: which members there are and of which JSON types, never what stands in them.
// It is inferred of a sample of live answers. Elements of a list are one, written *; so are the members
// of an object that is used as a table, for their names may be data.

const (
	maxShapePaths = 256
	maxShapeDepth = 8
	maxShapeNames = 32      // of one object; more than that are a table
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

// bound says which members expressions name: their names are the manifest's, so they are kept wherever
// they stand. A nil one names none.
type bound map[string]bound

func (b bound) add(path []string) {
	for _, step := range path {
		if b[step] == nil {
			b[step] = bound{}
		}
		b = b[step]
	}
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

// object walks the members: first those that are bound, so that they have a place.
func (s seenShape) object(at, v string, b bound, depth int) {
	type member struct{ name, value string }
	var others []member
	for v = next(v[1:]); v[0] != '}'; v = next(v) {
		n := stringEnd(v)
		name := unquote(v[:n])
		v = next(v[n:])
		n = valueEnd(v)
		if below, ok := b[name]; ok {
			s.walk(at+"/"+pointerSigns.Replace(name), v[:n], below, depth+1)
		} else {
			others = append(others, member{name, v[:n]})
		}
		v = v[n:]
	}
	table := len(others) > maxShapeNames || slices.ContainsFunc(others, func(m member) bool { return isData(m.name) })
	for _, m := range others {
		name := pointerSigns.Replace(m.name)
		if table {
			name = "*"
		}
		s.walk(at+"/"+name, m.value, nil, depth+1)
	}
}

// isData reports whether the name of a member looks like data: an id, an address, a date, words of a person.
func isData(name string) bool {
	digits := 0
	for i, r := range name {
		switch {
		case r >= '0' && r <= '9':
			if digits++; digits > 2 || i == 0 {
				return true
			}
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == '$':
		case r == '-', r == ':', r == '.', r == '@' && i == 0: // content-type, sys:id, @type
		default:
			return true
		}
	}
	return name == "" || utf8.RuneCountInString(name) > 40
}
