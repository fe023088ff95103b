package graph

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// decodeJSON reads one JSON value (RFC 8259) from valid UTF-8, as encoding/json reads it into an
// any with numbers as json.Number. Texts without escapes share the memory of s. It exists because
// every request is read, and most are small: see BenchmarkDecodeJSON. FuzzDecodeJSON holds it to
// encoding/json.
func decodeJSON(s string) (any, error) {
	d := jsonDecoder{s: s}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if d.space(); d.at < len(d.s) {
		return nil, errJSON
	}
	return v, nil
}

var errJSON = errors.New("this is not JSON")

// maxJSONDepth is that of encoding/json.
const maxJSONDepth = 10000

type jsonDecoder struct {
	s  string
	at int
}

func (d *jsonDecoder) space() {
	for d.at < len(d.s) {
		switch d.s[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

// take reports whether c comes next, and goes past it then.
func (d *jsonDecoder) take(c byte) bool {
	if d.at < len(d.s) && d.s[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *jsonDecoder) value(depth int) (any, error) {
	if d.at == len(d.s) || depth > maxJSONDepth {
		return nil, errJSON
	}
	switch c := d.s[d.at]; c {
	case '{':
		return d.object(depth + 1)
	case '[':
		return d.array(depth + 1)
	case '"':
		return d.text()
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	}
	return d.number()
}

func (d *jsonDecoder) word(w string) error {
	if !strings.HasPrefix(d.s[d.at:], w) {
		return errJSON
	}
	d.at += len(w)
	return nil
}

func (d *jsonDecoder) object(depth int) (any, error) {
	m := map[string]any{}
	return m, d.each(func(name string) (err error) {
		m[name], err = d.value(depth)
		return err
	})
}

// skip goes past a value, as strict as value, and makes nothing of it.
func (d *jsonDecoder) skip(depth int) error {
	if d.at == len(d.s) || depth > maxJSONDepth {
		return errJSON
	}
	switch d.s[d.at] {
	case '{':
		return d.skipList('}', func() error {
			if err := d.skipText(); err != nil {
				return err
			}
			if d.space(); !d.take(':') {
				return errJSON
			}
			d.space()
			return d.skip(depth + 1)
		})
	case '[':
		return d.skipList(']', func() error { return d.skip(depth + 1) })
	case '"':
		return d.skipText()
	case 't':
		return d.word("true")
	case 'f':
		return d.word("false")
	case 'n':
		return d.word("null")
	}
	_, err := d.digitsOf()
	return err
}

// skipList goes past an object or array that end ends: one goes past what stands between its commas.
func (d *jsonDecoder) skipList(end byte, one func() error) error {
	d.at++
	if d.space(); d.take(end) {
		return nil
	}
	for {
		d.space()
		if err := one(); err != nil {
			return err
		}
		if d.space(); d.take(end) {
			return nil
		}
		if !d.take(',') {
			return errJSON
		}
	}
}

// skipText goes past a string.
func (d *jsonDecoder) skipText() error {
	if d.peek() != '"' {
		return errJSON
	}
	for i := d.at + 1; i < len(d.s); i++ {
		switch c := d.s[i]; {
		case c == '"':
			d.at = i + 1
			return nil
		case c < ' ':
			return errJSON
		case c != '\\':
		case i+1 == len(d.s):
			return errJSON
		case d.s[i+1] == 'u':
			if _, ok := hex4(d.s[i+2:]); !ok {
				return errJSON
			}
			i += 5
		case strings.IndexByte(escapes, d.s[i+1]) < 0:
			return errJSON
		default:
			i++
		}
	}
	return errJSON
}

// members reads a whole text that is one object: value reads what follows each name.
func (d *jsonDecoder) members(value func(name string) error) error {
	if d.space(); d.peek() != '{' {
		return errJSON
	}
	if err := d.each(value); err != nil {
		return err
	}
	if d.space(); d.at < len(d.s) {
		return errJSON
	}
	return nil
}

// peek gives the next byte, 0 at the end.
func (d *jsonDecoder) peek() byte {
	if d.at < len(d.s) {
		return d.s[d.at]
	}
	return 0
}

// stringEnd gives where the string that begins here ends, or the end of everything.
func (d *jsonDecoder) stringEnd() int {
	for i := d.at + 1; i < len(d.s); i++ {
		switch d.s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(d.s)
}

// each reads an object: value reads what follows each name.
func (d *jsonDecoder) each(value func(name string) error) error {
	d.at++
	if d.space(); d.take('}') {
		return nil
	}
	for {
		d.space()
		if d.peek() != '"' {
			return errJSON
		}
		name, err := d.text()
		if err != nil {
			return err
		}
		if d.space(); !d.take(':') {
			return errJSON
		}
		d.space()
		if err := value(name); err != nil {
			return err
		}
		if d.space(); d.take('}') {
			return nil
		}
		if !d.take(',') {
			return errJSON
		}
	}
}

func (d *jsonDecoder) array(depth int) (any, error) {
	d.at++
	l := []any{}
	if d.space(); d.take(']') {
		return l, nil
	}
	for {
		d.space()
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
		if d.space(); d.take(']') {
			return l, nil
		}
		if !d.take(',') {
			return nil, errJSON
		}
	}
}

// text reads a string, the quote first.
func (d *jsonDecoder) text() (string, error) {
	from := d.at + 1
	for i := from; i < len(d.s); i++ {
		switch c := d.s[i]; {
		case c == '"':
			d.at = i + 1
			return d.s[from:i], nil
		case c == '\\':
			return d.escaped(from, i)
		case c < ' ':
			return "", errJSON
		}
	}
	return "", errJSON
}

// escapes are what may follow a backslash, besides u.
const escapes = `"\/bfnrt`

// escaped reads a string whose first escape stands at i.
func (d *jsonDecoder) escaped(from, i int) (string, error) {
	end := i
	for end < len(d.s) && d.s[end] != '"' {
		if d.s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(d.s) {
		return "", errJSON
	}
	out := make([]byte, 0, end-from)
	for i = from; i < end; {
		stop := strings.IndexByte(d.s[i:end], '\\')
		if stop < 0 {
			stop = end - i
		}
		for _, c := range []byte(d.s[i : i+stop]) {
			if c < ' ' {
				return "", errJSON
			}
		}
		out = append(out, d.s[i:i+stop]...)
		if i += stop; i == end {
			break
		}
		c := d.s[i+1]
		i += 2
		if c == 'u' {
			r, n := unicodeEscapes(d.s[i:end])
			if n == 0 {
				return "", errJSON
			}
			out, i = utf8.AppendRune(out, r), i+n
			continue
		}
		at := strings.IndexByte(escapes, c)
		if at < 0 {
			return "", errJSON
		}
		out = append(out, "\"\\/\b\f\n\r\t"[at])
	}
	d.at = end + 1
	return string(out), nil
}

// unicodeEscapes reads what stands after \u, a surrogate pair as one; n is how many bytes it took,
// 0 for what is no escape. Half a pair is U+FFFD, as encoding/json has it.
func unicodeEscapes(s string) (r rune, n int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if r < 0xd800 || r > 0xdfff {
		return r, 4
	}
	if r < 0xdc00 && strings.HasPrefix(s[4:], `\u`) {
		if low, ok := hex4(s[6:]); ok && low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10
		}
	}
	return utf8.RuneError, 4
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range []byte(s[:4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (d *jsonDecoder) number() (any, error) {
	n, err := d.digitsOf()
	if err != nil {
		return nil, err
	}
	return json.Number(n), nil
}

// digitsOf reads a number as it stands there.
func (d *jsonDecoder) digitsOf() (string, error) {
	from := d.at
	d.take('-')
	if !d.take('0') && d.digits() == 0 {
		return "", errJSON
	}
	if d.take('.') && d.digits() == 0 {
		return "", errJSON
	}
	if d.take('e') || d.take('E') {
		if !d.take('+') {
			d.take('-')
		}
		if d.digits() == 0 {
			return "", errJSON
		}
	}
	return d.s[from:d.at], nil
}

func (d *jsonDecoder) digits() (n int) {
	for d.at < len(d.s) && d.s[d.at] >= '0' && d.s[d.at] <= '9' {
		d.at++
		n++
	}
	return n
}
