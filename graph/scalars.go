package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tuttihq/tutti"
)

// checkScalar checks a value of a custom scalar, before any resolver runs.
func checkScalar(name string, v any) *tutti.Error {
	var err error
	switch name {
	case "Ref":
		_, err = UnmarshalRef(v)
	case "DateTime":
		_, err = UnmarshalDateTime(v)
	case "Locale":
		_, err = UnmarshalLocale(v)
	case "URL":
		_, err = UnmarshalURL(v)
	}
	public, _ := err.(*tutti.Error)
	return public
}

// MarshalRef writes a ref as a string.
func MarshalRef(r tutti.Ref) graphql.Marshaler { return writeString(r.String()) }

// UnmarshalRef reads source:kind/id; anything else is an *tutti.Error with code MALFORMED_REF.
func UnmarshalRef(v any) (tutti.Ref, error) {
	s, ok := v.(string)
	if !ok {
		return tutti.Ref{}, &tutti.Error{Code: tutti.MalformedRef, Message: "a ref is a string.", Hint: "Write source:kind/id, for example stay:hotel/azul."}
	}
	return tutti.ParseRef(s)
}

// MarshalDateTime writes an instant; null for the zero one.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return writeString(t.Format(time.RFC3339Nano))
}

// UnmarshalDateTime reads RFC 3339 with a zone.
func UnmarshalDateTime(v any) (time.Time, error) {
	if s, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &tutti.Error{Code: tutti.InvalidValue, Message: "not an instant.", Hint: "Write RFC 3339 with a zone, for example 2026-11-21T09:00:00Z."}
}

// MarshalLocale writes a language tag.
func MarshalLocale(s string) graphql.Marshaler { return writeString(s) }

// UnmarshalLocale reads what has the form of a BCP 47 tag. Whether it is configured, others check.
func UnmarshalLocale(v any) (string, error) {
	if s, ok := v.(string); ok && localeShaped(s) {
		return s, nil
	}
	return "", &tutti.Error{Code: tutti.InvalidValue, Message: "not a language tag.", Hint: "Write BCP 47, for example en or de-AT."}
}

func localeShaped(s string) bool {
	if len(s) < 2 || len(s) > 35 {
		return false
	}
	for i, part := range strings.Split(s, "-") {
		if part == "" || len(part) > 8 || i == 0 && (len(part) < 2 || strings.ContainsAny(part, "0123456789")) {
			return false
		}
		for _, r := range part {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
				return false
			}
		}
	}
	return true
}

// MarshalURL writes an address.
func MarshalURL(s string) graphql.Marshaler { return writeString(s) }

// UnmarshalURL reads an address as a string.
func UnmarshalURL(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", &tutti.Error{Code: tutti.InvalidValue, Message: "an address is a string.", Hint: "Write, for example, /hotels/azul."}
}

// MarshalJSON writes any JSON value.
func MarshalJSON(v any) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte("null")
		}
		_, _ = w.Write(b)
	})
}

// UnmarshalJSON takes any value as it was parsed. Numbers of variables are json.Number.
func UnmarshalJSON(v any) (any, error) { return v, nil }

// Attributes are the attributes of a context, by the names that the config declares, as they
// came: CheckContext makes typed values of them.
type Attributes map[string]any

// UnmarshalGQL takes the object.
func (a *Attributes) UnmarshalGQL(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return &tutti.Error{Code: tutti.InvalidValue, Message: "the attributes are not an object.", Hint: "Write {name: value, …}."}
	}
	*a = m
	return nil
}

// MarshalGQL is never called: attributes are input only.
func (a Attributes) MarshalGQL(w io.Writer) { _, _ = fmt.Fprint(w, "null") }

func writeString(s string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(quoteJSON(s)) })
}

// quoteJSON writes a JSON string.
func quoteJSON(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(strconv.Quote(""))
	}
	return b
}
