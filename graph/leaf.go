package graph

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/tuttihq/tutti"
)

// isInt reports whether a number is one that the type Int can say (specification, section 3.5.1).
func isInt(v any) bool {
	switch n := v.(type) {
	case int:
		return n >= math.MinInt32 && n <= math.MaxInt32
	case int64:
		return n >= math.MinInt32 && n <= math.MaxInt32
	case float64:
		return n == math.Trunc(n) && n >= math.MinInt32 && n <= math.MaxInt32
	}
	return true
}

func appendLeaf(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return AppendString(b, v), nil
	case *string:
		return AppendString(b, *v), nil
	case Sparse:
		return AppendString(b, string(v)), nil
	case *tutti.Ref:
		return AppendRef(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		j, err := json.Marshal(v)
		return append(b, j...), err
	case time.Time:
		return AppendTime(b, v), nil
	case Raw:
		return append(b, v...), nil
	case JSON:
		return v.AppendJSON(b)
	case fmt.Stringer:
		return AppendString(b, v.String()), nil
	}
	j, err := json.Marshal(v)
	return append(b, j...), err
}

// AppendRef writes a ref as JSON.
func AppendRef(b []byte, r *tutti.Ref) []byte {
	if r.IsZero() {
		return append(b, `""`...)
	}
	b = append(append(append(append(b, '"'), r.Source...), ':'), r.Kind...) // names: nothing to escape
	return append(appendText(append(b, '/'), r.ID), '"')
}

// AppendTime writes an instant as JSON.
func AppendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

const hexDigits = "0123456789abcdef"

// AppendString writes a JSON string (RFC 8259). Invalid UTF-8 becomes U+FFFD; U+2028 and U+2029
// are escaped, so that the answer is also safe inside a script.
func AppendString(b []byte, s string) []byte {
	return append(appendText(append(b, '"'), s), '"')
}

// plainText gives where the first byte from i on stands that may need an escape, looking at eight at a
// time; behind the last eight it only says where to look.
func plainText(s string, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		slash := x ^ (ones * '\\')
		angle := (x | ones*2) ^ (ones * '>') // '<' and '>' differ in this bit
		quote := (x | ones*4) ^ (ones * '&') // and so do '"' and '&' in this one
		// the lowest set bit is right; those above may be borrowed
		special := (x | (x - ones*' ') | (slash - ones) | (angle - ones) | (quote - ones)) & high
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	return i
}

// appendText is what stands between the quotes.
func appendText(b []byte, s string) []byte {
	from := 0
	for i := plainText(s, 0); i < len(s); i = plainText(s, i) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[from:i]...)
			if n == 1 {
				b = append(b, "\\ufffd"...)
			} else {
				b = append(b, "\\u202"...)
				b = append(b, hexDigits[r&15])
			}
			from = i + n
		}
		i += n
	}
	return append(b, s[from:]...)
}
