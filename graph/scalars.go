package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tuttihq/tutti"
)

// MarshalRef writes a ref as a string.
func MarshalRef(r tutti.Ref) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { io.WriteString(w, strconv.Quote(r.String())) })
}

// UnmarshalRef reads source:kind/id.
func UnmarshalRef(v any) (tutti.Ref, error) {
	s, ok := v.(string)
	if !ok {
		return tutti.Ref{}, &tutti.Error{Code: tutti.MalformedRef, Message: "a ref is a string.", Hint: "Write source:kind/id."}
	}
	return tutti.ParseRef(s)
}

// MarshalJSON writes any JSON value.
func MarshalJSON(v any) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte("null")
		}
		w.Write(b)
	})
}

// UnmarshalJSON takes any value as it was parsed.
func UnmarshalJSON(v any) (any, error) { return v, nil }

// Attributes are the attributes of a context, by the names that the config declares.
type Attributes map[string]any

// UnmarshalGQL takes the object.
func (a *Attributes) UnmarshalGQL(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("attributes must be an object")
	}
	*a = m
	return nil
}

// MarshalGQL is never called: attributes are input only.
func (a Attributes) MarshalGQL(w io.Writer) { io.WriteString(w, "null") }
