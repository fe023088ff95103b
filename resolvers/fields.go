package resolvers

import (
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// fields is a small delivered object: its type's name and its values, null where absent.
type fields struct {
	name   string
	values map[string]any
}

func (f fields) TypeName() string { return f.name }

func (f fields) Field(name string, _ graph.Args) (any, error) {
	v, ok := f.values[name]
	if !ok {
		return nil, noField(f.name, name)
	}
	return v, nil
}

// noField is the error of a schema field that an object does not know: a mistake of ours.
func noField(typeName, field string) error {
	return tutti.Errorf(tutti.Internal, "resolving %s.%s: no such field", typeName, field)
}

// orNull gives nil for "", and for a text that may become it.
func orNull(s string) any {
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, tutti.HoleStart):
		return graph.Sparse(s)
	}
	return s
}

// instant gives nil for the zero time.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
