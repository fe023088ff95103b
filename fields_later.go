package tutti

import "sync/atomic"

// later is rich text that is made when it is first asked for: most of what is mapped is kept and never
// shown, and making all forms of a formatted text takes longer than reading the rest of its record.
type later struct {
	source string
	make   func(source string) RichText
	made   atomic.Pointer[RichText]
}

// RichTextLater makes a value of rich text that is written as source, out of which make makes it. make must give
// the same each time, no marks of holes among it; who asks at the same time may make it twice. What turns out to
// be nothing is no value.
func RichTextLater(source string, make func(source string) RichText) Field {
	return Field{is: otherValue, other: &later{source: source, make: make}}
}

// value gives the rich text, nil when there is nothing in it.
func (l *later) value() any {
	r := l.made.Load()
	if r == nil {
		made := l.make(l.source)
		r = &made
		l.made.Store(r)
	}
	if r.Plain == "" && r.HTML == "" {
		return nil
	}
	return *r
}
