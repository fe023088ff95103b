package sources

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// What an origin answered is checked once, by json.Valid. Everything here relies on that: it finds
// the parts of valid JSON, and reads each byte of a record one more time, without reflection.
// FuzzJSON holds it to what encoding/json says.

// valueEnd gives the length of the value at the start of b.
func valueEnd[T raw | string](b T) int {
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		depth := 0
		for i := 0; i < len(b); i++ {
			switch b[i] {
			case '"':
				i += stringEnd(b[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(b)
	}
	for i := range len(b) {
		switch b[i] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return len(b)
}

// stringEnd gives the length of the string at the start of b, quotes included.
func stringEnd[T raw | string](b T) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// next skips spaces and the commas and colons between parts.
func next[T raw | string](b T) T {
	for i := range len(b) {
		switch b[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return b[i:]
		}
	}
	return b[len(b):]
}

// member gives the value of an object's key, of the last one when it stands there twice.
func member[T raw | string](b T, key string) (v T, ok bool) {
	for b = next(b[1:]); b[0] != '}'; b = next(b) {
		n := stringEnd(b)
		name := b[:n]
		b = next(b[n:])
		end := valueEnd(b)
		if string(name[1:n-1]) == key || strings.IndexByte(string(name), '\\') >= 0 && unquote(string(name)) == key {
			v, ok = b[:end], true
		}
		b = b[end:]
	}
	return v, ok
}

// elements gives the values of a list.
func elements(b raw) []raw {
	list := []raw{}
	for b = next(b[1:]); b[0] != ']'; b = next(b) {
		n := valueEnd(b)
		list = append(list, b[:n])
		b = b[n:]
	}
	return list
}

// unquote reads a string as it stands in JSON. One without escapes shares the memory of s.
func unquote(s string) string {
	inner := s[1 : len(s)-1]
	if strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
		return inner
	}
	var out string
	_ = json.Unmarshal([]byte(s), &out) // it is valid
	return out
}

// decode gives the Go value of valid JSON: what encoding/json gives, with numbers as json.Number.
// Its texts share the memory of s.
func decode(s string) any {
	v, _ := decodeNext(next(s))
	return v
}

// decodePart is decode of what is wanted: of objects only the members that lead there. An element of a
// list counts as the list does.
func decodePart(s string, t *tree) any {
	v, _ := decodePartNext(next(s), t)
	return v
}

func decodePartNext(s string, t *tree) (v any, rest string) {
	if t.slot >= 0 {
		return decodeNext(s)
	}
	switch s[0] {
	case '{':
		m := map[string]any{}
		for s = next(s[1:]); s[0] != '}'; s = next(s) {
			n := stringEnd(s)
			name := unquote(s[:n])
			s = next(s[n:])
			if i := slices.IndexFunc(t.below, func(b *tree) bool { return b.name == name }); i >= 0 {
				m[name], s = decodePartNext(s, t.below[i])
			} else {
				s = s[valueEnd(s):]
			}
		}
		return m, s[1:]
	case '[':
		list := []any{}
		for s = next(s[1:]); s[0] != ']'; s = next(s) {
			v, s = decodePartNext(s, t)
			list = append(list, v)
		}
		return list, s[1:]
	}
	return decodeNext(s)
}

func decodeNext(s string) (v any, rest string) {
	switch s[0] {
	case '{':
		m := map[string]any{}
		for s = next(s[1:]); s[0] != '}'; s = next(s) {
			n := stringEnd(s)
			name := unquote(s[:n])
			m[name], s = decodeNext(next(s[n:]))
		}
		return m, s[1:]
	case '[':
		list := []any{}
		for s = next(s[1:]); s[0] != ']'; s = next(s) {
			v, s = decodeNext(s)
			list = append(list, v)
		}
		return list, s[1:]
	}
	n := valueEnd(s)
	switch token := s[:n]; token[0] {
	case '"':
		v = unquote(token)
	case 't':
		v = true
	case 'f':
		v = false
	case 'n':
		v = nil
	default:
		v = json.Number(token)
	}
	return v, s[n:]
}
