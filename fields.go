package tutti

import (
	"iter"
	"slices"
	"time"
)

// Fields are the mapped values of a resource by name, in Go types as FieldType says. A name without
// a value is not there. The zero value has none. They never change, so many may read them at once.
//
// A memory full of resources is walked by the garbage collector again and again: so all values of a
// resource are one object, texts and numbers included, and the names are those of its kind.
type Fields struct {
	names  []string // sorted
	values []Field  // by name
}

// Field is one mapped value, or none.
type Field struct {
	is     valueKind
	nanos  int32
	number int64 // an integer, a truth value, or the seconds of an instant
	text   string
	other  any
}

type valueKind uint8

const (
	noValue valueKind = iota
	textValue
	intValue
	boolValue
	timeValue
	otherValue
)

// TextField makes a value of a string.
func TextField(s string) Field { return Field{is: textValue, text: s} }

// IntField makes a value of an int64.
func IntField(i int64) Field { return Field{is: intValue, number: i} }

// BoolField makes a value of a bool.
func BoolField(b bool) Field {
	v := Field{is: boolValue}
	if b {
		v.number = 1
	}
	return v
}

// TimeField makes a value of an instant. What comes back is in UTC.
func TimeField(t time.Time) Field {
	return Field{is: timeValue, number: t.Unix(), nanos: int32(t.Nanosecond())}
}

// FieldOf makes a value of anything that FieldType names; nil is none.
func FieldOf(v any) Field {
	switch v := v.(type) {
	case nil:
		return Field{}
	case string:
		return TextField(v)
	case int64:
		return IntField(v)
	case bool:
		return BoolField(v)
	case time.Time:
		return TimeField(v)
	}
	return Field{is: otherValue, other: v}
}

// Any gives the value in the Go type that it was made of; nil when there is none.
func (v Field) Any() any {
	switch v.is {
	case textValue:
		return v.text
	case intValue:
		return v.number
	case boolValue:
		return v.number == 1
	case timeValue:
		return time.Unix(v.number, int64(v.nanos)).UTC()
	}
	return v.other
}

// Text gives a string; false for everything else.
func (v Field) Text() (string, bool) { return v.text, v.is == textValue }

// Other gives what is neither a string nor an int64, a bool or an instant: what may hold much. False
// for these, and for no value.
func (v Field) Other() (any, bool) { return v.other, v.is == otherValue }

// Int gives an int64; false for everything else.
func (v Field) Int() (int64, bool) { return v.number, v.is == intValue }

// NewFields takes values as those of names, which are sorted. Both are the Fields' from then on; names
// may be those of many.
func NewFields(names []string, values []Field) Fields { return Fields{names: names, values: values} }

// FieldsOf makes Fields of a map's values.
func FieldsOf(m map[string]any) Fields {
	f := Fields{names: make([]string, 0, len(m)), values: make([]Field, len(m))}
	for name := range m {
		f.names = append(f.names, name)
	}
	slices.Sort(f.names)
	for i, name := range f.names {
		f.values[i] = FieldOf(m[name])
	}
	return f
}

// Field gives the value of a name, which may be none.
func (f Fields) Field(name string) Field {
	for i, n := range f.names {
		if n == name {
			return f.values[i]
		}
	}
	return Field{}
}

// Get gives the value of a name in its Go type, nil when there is none.
func (f Fields) Get(name string) any { return f.Field(name).Any() }

// Text gives the string of a name, "" when there is none.
func (f Fields) Text(name string) string {
	s, _ := f.Field(name).Text()
	return s
}

// Int gives the int64 of a name, 0 when there is none.
func (f Fields) Int(name string) int64 {
	i, _ := f.Field(name).Int()
	return i
}

// Len counts the values that are there.
func (f Fields) Len() (n int) {
	for _, v := range f.values {
		if v.is != noValue {
			n++
		}
	}
	return n
}

// All gives every name that has a value, in order, with it in its Go type.
func (f Fields) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i, v := range f.values {
			if v.is != noValue && !yield(f.names[i], v.Any()) {
				return
			}
		}
	}
}

// Values is All without making the values into their Go types.
func (f Fields) Values() iter.Seq2[string, Field] {
	return func(yield func(string, Field) bool) {
		for i, v := range f.values {
			if v.is != noValue && !yield(f.names[i], v) {
				return
			}
		}
	}
}

// With gives Fields in which some values are others. The names must be there already.
func (f Fields) With(values map[string]any) Fields {
	f.values = slices.Clone(f.values)
	for i, name := range f.names {
		if v, ok := values[name]; ok {
			f.values[i] = FieldOf(v)
		}
	}
	return f
}
