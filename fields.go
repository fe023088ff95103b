package tutti

import (
	"iter"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Fields are the mapped values of a resource by name, in Go types as FieldType says. A name without
// a value is not there. The zero value has none. They never change, so many may read them at once.
//
// A memory full of resources is walked by the garbage collector again and again: so nearly all values
// of a resource are one object without pointers, its texts are parts of one text, and the names are
// those of its kind.
type Fields struct {
	names  []string // sorted
	text   string   // that texts are parts of
	values []value  // by name
	others *[]any   // values that are neither numbers nor parts of the text
}

// value is how Fields hold one value: three bits tell what it is, the others are a number: an integer, a
// truth value, the microseconds of an instant, where a text stands and how long it is, or where a value
// stands among the others.
type value uint64

const (
	kindBits   = 3
	lengthBits = 30 // of a text, and of where it stands
)

func valueOf(is valueKind, number int64) value { return value(uint64(number)<<kindBits | uint64(is)) }

func (v value) is() valueKind { return valueKind(v & (1<<kindBits - 1)) }

func (v value) number() int64 { return int64(v) >> kindBits }

// holds reports whether a value has room for a number.
func holds(number int64) bool { return number<<kindBits>>kindBits == number }

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
	strayValue // a text that is no part of the text, or a number without room: it stands among the others
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
	if l, ok := v.other.(*later); ok {
		return l.value()
	}
	return v.other
}

// Text gives a string; false for everything else.
func (v Field) Text() (string, bool) { return v.text, v.is == textValue }

// Other gives what is neither a string nor an int64, a bool or an instant: what may hold much. False
// for these, for no value, and for RichTextLater, which holds no marks.
func (v Field) Other() (any, bool) {
	if _, ok := v.other.(*later); ok {
		return nil, false
	}
	return v.other, v.is == otherValue
}

// Int gives an int64; false for everything else.
func (v Field) Int() (int64, bool) { return v.number, v.is == intValue }

// Time gives an instant, in UTC; false for everything else.
func (v Field) Time() (time.Time, bool) {
	if v.is != timeValue {
		return time.Time{}, false
	}
	return time.Unix(v.number, int64(v.nanos)).UTC(), true
}

// Bool gives a truth value; false for everything else.
func (v Field) Bool() (is, ok bool) { return v.number == 1, v.is == boolValue }

// NewFields makes Fields of the values of names, which are sorted. names are the Fields' from then on,
// and may be those of many. Texts that are parts of whole are kept as such, and cost nothing more
// than whole does.
func NewFields(names []string, values []Field, whole string) Fields {
	f := Fields{names: names, text: whole, values: make([]value, len(values))}
	f.expect(values)
	for i := range values {
		f.values[i] = f.kept(&values[i])
	}
	return f
}

// Sheet is one piece of memory without pointers: texts, and room for the values of Fields whose texts are
// parts of them. Of a resource that is made on a sheet there is nothing else to collect.
type Sheet struct {
	text   string
	values []value
}

// NewSheet copies texts, one after the other, and leaves room for n values.
func NewSheet(n int, texts ...string) Sheet {
	const each = int(unsafe.Sizeof(value(0)))
	size := 0
	for _, t := range texts {
		size += len(t)
	}
	all := make([]value, n+(size+each-1)/each)
	if size == 0 {
		return Sheet{values: all}
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&all[n])), size)[:0]
	for _, t := range texts {
		b = append(b, t...)
	}
	return Sheet{text: unsafe.String(unsafe.SliceData(b), size), values: all[:n:n]}
}

// Text gives the texts, one after the other.
func (s *Sheet) Text() string { return s.text }

// Fields is NewFields of the text, on the sheet. It is for one set of Fields.
func (s *Sheet) Fields(names []string, values []Field) Fields {
	f := Fields{names: names, text: s.text, values: append(s.values[:0], make([]value, len(values))...)}
	f.expect(values)
	for i := range values {
		f.values[i] = f.kept(&values[i])
	}
	return f
}

// kept is how a value is held.
func (f *Fields) kept(v *Field) value {
	number := v.number
	switch v.is {
	case noValue:
		return 0
	case textValue:
		at, ok := partOf(f.text, v.text)
		if !ok {
			return valueOf(strayValue, f.add(v.text))
		}
		number = at<<lengthBits | int64(len(v.text))
	case timeValue:
		if v.nanos%1000 != 0 || number != number*1e6/1e6 {
			return valueOf(strayValue, f.add(v.Any()))
		}
		number = number*1e6 + int64(v.nanos/1000)
	case otherValue:
		number = f.add(v.other)
	}
	if !holds(number) {
		return valueOf(strayValue, f.add(v.Any()))
	}
	return valueOf(v.is, number)
}

// expect makes room for the others among values.
func (f *Fields) expect(values []Field) {
	n := 0
	for i := range values {
		if values[i].is == otherValue {
			n++
		}
	}
	if n > 0 {
		others := make([]any, 0, n)
		f.others = &others
	}
}

func (f *Fields) add(v any) int64 {
	if f.others == nil {
		f.others = new([]any)
	}
	*f.others = append(*f.others, v)
	return int64(len(*f.others) - 1)
}

// partOf gives where a part stands in the memory of a text; false when it is elsewhere.
func partOf(whole, part string) (at int64, ok bool) {
	if len(part) == 0 {
		return 0, true
	}
	at = int64(uintptr(unsafe.Pointer(unsafe.StringData(part))) - uintptr(unsafe.Pointer(unsafe.StringData(whole))))
	return at, at >= 0 && at+int64(len(part)) <= int64(len(whole)) && len(whole) < 1<<lengthBits
}

// FieldsOf makes Fields of a map's values.
func FieldsOf(m map[string]any) Fields {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	values := make([]Field, len(names))
	for i, name := range names {
		values[i] = FieldOf(m[name])
	}
	return NewFields(names, values, "")
}

// at gives the value at a position.
func (f *Fields) at(i int) Field {
	v := f.values[i]
	n := v.number()
	switch is := v.is(); is {
	case textValue:
		at, length := n>>lengthBits, n&(1<<lengthBits-1)
		return Field{is: textValue, text: f.text[at : at+length]}
	case timeValue:
		t := time.UnixMicro(n)
		return Field{is: timeValue, number: t.Unix(), nanos: int32(t.Nanosecond())}
	case otherValue:
		return Field{is: otherValue, other: (*f.others)[n]}
	case strayValue:
		return FieldOf((*f.others)[n])
	default:
		return Field{is: is, number: n}
	}
}

// Field gives the value of a name, which may be none.
func (f *Fields) Field(name string) Field {
	for i, n := range f.names {
		if n == name {
			return f.at(i)
		}
	}
	return Field{}
}

// Get gives the value of a name in its Go type, nil when there is none.
func (f *Fields) Get(name string) any { return f.Field(name).Any() }

// Text gives the string of a name, "" when there is none.
func (f *Fields) Text(name string) string {
	s, _ := f.Field(name).Text()
	return s
}

// Int gives the int64 of a name, 0 when there is none.
func (f *Fields) Int(name string) int64 {
	i, _ := f.Field(name).Int()
	return i
}

// Len counts the values that are there.
func (f *Fields) Len() (n int) {
	for _, v := range f.values {
		if v.is() != noValue {
			n++
		}
	}
	return n
}

// All gives every name that has a value, in order, with it in its Go type.
func (f *Fields) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range f.values {
			if f.values[i].is() == noValue {
				continue
			}
			at := f.at(i)
			if v := at.Any(); v != nil && !yield(f.names[i], v) {
				return
			}
		}
	}
}

// Lack reports whether surely no text of the values holds some words. It looks once at the text that
// most are parts of; false where there are other values.
func (f *Fields) Lack(words string) bool {
	return f.others == nil && !strings.Contains(f.text, words)
}

// Values is All without making the values into their Go types.
func (f *Fields) Values() iter.Seq2[string, Field] {
	return func(yield func(string, Field) bool) {
		for i := range f.values {
			if f.values[i].is() != noValue && !yield(f.names[i], f.at(i)) {
				return
			}
		}
	}
}

// Bytes estimates the memory of the values, that of the whole text included, which they keep.
func (f *Fields) Bytes() int {
	n := int(unsafe.Sizeof(value(0)))*len(f.values) + len(f.text)
	if f.others == nil {
		return n
	}
	n += 24 + 16*len(*f.others)
	for _, v := range *f.others {
		switch v := v.(type) {
		case string:
			n += 16 + len(v)
		case *later: // once it is made
			n += 96 + 4*len(v.source)
		case RichText:
			n += 64 + len(v.HTML) + len(v.Markdown) + len(v.Plain) + len(v.SSML)
		case []Ref:
			n += 24 + 48*len(v)
		case []string:
			n += 24 + 16*len(v)
		case Money, Place, Focal, Ref, float64, int64, time.Time:
			n += 48
		case *Tongues: // once all languages were asked for
			n += 96 + v.most*(400+24*len(f.values))
		case []Unread:
			n += 24 + 32*len(v) // its texts are the manifest's
		default: // json: about twice its text, which is a part of the record
			n += 2 * len(f.text)
		}
	}
	return n
}

// Keep reports whether a text is a part of the one that the values keep.
func (f *Fields) Keep(text string) bool {
	_, ok := partOf(f.text, text)
	return ok
}

// With gives Fields in which some values are others. The names must be there already.
func (f *Fields) With(values map[string]any) Fields {
	all := make([]Field, len(f.values))
	for i, name := range f.names {
		if v, ok := values[name]; ok {
			all[i] = FieldOf(v)
		} else {
			all[i] = f.at(i)
		}
	}
	return NewFields(f.names, all, f.text).WithUnread(f.Unread())
}
