package graph

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

// Object is a delivered object that the projector can write. Field gives the value of one field:
// nil, bool, string, int, int64, float64, time.Time, tutti.Ref, a pointer to a string or Ref that
// lives longer than the answer (it is read at once and saves a copy), tutti.Money and the like as
// an Object, []Object, Objects, []string, []int, Raw (ready JSON), or for fields of type JSON a JSON or
// anything that encoding/json takes. It does no I/O. Safe for concurrent reads.
type Object interface {
	TypeName() string
	Field(name string, args Args) (any, error)
}

// Objects is a list of objects that are made as they are written.
type Objects interface {
	Len() int
	At(i int) Object
}

// Direct is an Object that can write values of plain fields itself, so that they need no box.
type Direct interface {
	Object
	// AppendField writes the value of a field without arguments, as the projector writes what Field
	// gives. ok is false, and nothing written, where it leaves that to the projector: for null, lists,
	// objects, and for fields that it does not know.
	AppendField(b []byte, name string) (out []byte, ok bool)
}

// Args are a field's arguments, defaults and variables filled in.
type Args map[string]any

// Int gives a number, or otherwise when the argument is absent or null.
func (a Args) Int(name string, otherwise int) int {
	switch v := a[name].(type) {
	case int64:
		return int(v)
	case int:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
	case float64:
		return int(v)
	}
	return otherwise
}

// String gives a text, "" when the argument is absent or null.
func (a Args) String(name string) string {
	s, _ := a[name].(string)
	return s
}

// Raw is ready JSON.
type Raw []byte

// JSON is a value of a field of type JSON that writes itself.
type JSON interface {
	AppendJSON(b []byte) ([]byte, error)
}

type schemaKey struct{}

// WithSchema makes the schema of a generation known to the projector.
func WithSchema(ctx context.Context, s *ast.Schema) context.Context {
	return context.WithValue(ctx, schemaKey{}, s)
}

func schemaFrom(ctx context.Context) *ast.Schema {
	s, _ := ctx.Value(schemaKey{}).(*ast.Schema)
	return s
}

type pathIndex = ast.PathIndex

// projector writes objects by the selection sets of one operation, after the rules of the
// GraphQL specification (October 2021, section 6.4): CollectFields, CompleteValue, and a null
// in a non-null place taking away its parent.
type projector struct {
	ctx     context.Context
	vars    map[string]any
	schema  *ast.Schema
	path    ast.Path
	out     []byte
	top     *selection                // of the object that the answer is
	record  *record                   // nil when nobody keeps the answer
	made    map[*tutti.Part]*partText // what was written of parts
	part    *tutti.Part               // that is being written
	lists   []longList                // long ones in it, that can be shared
	joined  int                       // where components were written last
	splices []splice                  // that stand in out
	spliced bool                      // some may
	sparse  int                       // where a text begins that may be null
	hashes  bool                      // of slots are selected
	slots   Slotted                   // that is being written; nil outside of one, and where no hash is selected
}

// selection is a merged selection set, with the fields collected for each object type once.
// Safe for concurrent use: it only ever learns more types.
type selection struct {
	set    ast.SelectionSet
	byType atomic.Pointer[map[string][]collected]
}

type collected struct {
	key   string
	name  []byte          // key as JSON, with the colon
	at    ast.PathElement // key, once for all objects
	field *ast.Field
	args  Args       // nil when the field takes none
	sub   *selection // nil when nothing is selected below
	tells bool       // how fresh something is, or why: see telling

	refused *tutti.Error // why it has an error; with no field, why all of the object has
}

func (p *projector) push(e ast.PathElement) { p.path = append(p.path, e) }
func (p *projector) pop()                   { p.path = p.path[:len(p.path)-1] }

func (p *projector) fail(err error) {
	if p.record != nil {
		p.record.broken = true
	}
	e := gqlerror.WrapPath(append(ast.Path(nil), p.path...), err)
	addError(p.ctx, e)
}

// object writes obj and reports false, with nothing written, when a null must go further up.
func (p *projector) object(obj Object, sel *selection) bool {
	if p.hashes && p.slots == nil {
		if s, ok := obj.(Slotted); ok {
			return p.slotted(s, sel)
		}
	}
	start := len(p.out)
	p.out = append(p.out, '{')
	fields := p.collect(sel, obj.TypeName())
	direct, _ := obj.(Direct)
	top := p.record != nil && sel == p.top
	for i := range fields {
		c := &fields[i]
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, c.name...)
		if c.refused != nil {
			if !p.refuse(c) {
				p.out = p.out[:start]
				return false
			}
			continue
		}
		from := len(p.out)
		tells := c.tells && p.slots != nil && p.part != nil
		if tells {
			p.out = append(p.out, tellsFrom...)
		}
		if direct != nil && !top && !tells && c.args == nil && c.sub == nil {
			if out, ok := direct.AppendField(p.out, c.field.Name); ok {
				p.out = out
				continue
			}
		}
		if !p.field(obj, c) {
			p.out = p.out[:start]
			return false
		}
		if tells {
			p.out = append(p.out, tellsTo...)
		}
		if top && p.record.whole.Varies(c.field.Name) {
			p.record.vary(p.out, from, len(p.out), stretch{kind: anewField, field: c})
		}
	}
	p.out = append(p.out, '}')
	return true
}

// refuse tells why a field has no value, and reports false when a null must go further up.
func (p *projector) refuse(c *collected) bool {
	if c.field == nil {
		p.fail(c.refused)
		return false
	}
	p.push(c.at)
	defer p.pop()
	p.fail(c.refused)
	return p.value(nil, c.field.Definition.Type, nil, true)
}

// field writes one field's value and reports false when a null must go further up.
func (p *projector) field(obj Object, c *collected) bool {
	if c.field.Name == "__typename" {
		p.out = AppendString(p.out, obj.TypeName())
		return true
	}
	p.push(c.at)
	defer p.pop()
	v, err := obj.Field(c.field.Name, c.args)
	if err != nil {
		p.fail(err)
		v = nil
	}
	return p.value(v, c.field.Definition.Type, c.sub, err != nil)
}

// value writes v as a value of type t. failed tells that an error already stands for a null.
func (p *projector) value(v any, t *ast.Type, sub *selection, failed bool) bool {
	if v == nil {
		if t.NonNull {
			if !failed {
				p.fail(tutti.Errorf(tutti.Internal, "writing a null where %s is promised", t))
			}
			return false
		}
		p.out = append(p.out, "null"...)
		return true
	}
	start := len(p.out)
	if p.present(v, t, sub) {
		return true
	}
	p.out = p.out[:start]
	if t.NonNull {
		return false
	}
	p.out = append(p.out, "null"...)
	return true
}

func (p *projector) present(v any, t *ast.Type, sub *selection) bool {
	if t.Elem != nil {
		switch l := v.(type) {
		case []Piece:
			return p.pieces(l, sub)
		case []Object:
			return p.list(len(l), t.Elem, sub, func(i int) any {
				if l[i] == nil {
					return nil
				}
				return l[i]
			})
		case Objects:
			return p.list(l.Len(), t.Elem, sub, func(i int) any { return l.At(i) })
		case []string:
			return p.list(len(l), t.Elem, sub, func(i int) any { return l[i] })
		case []int:
			return p.list(len(l), t.Elem, sub, func(i int) any { return l[i] })
		case []any:
			return p.list(len(l), t.Elem, sub, func(i int) any { return l[i] })
		}
		p.fail(tutti.Errorf(tutti.Internal, "writing %T where a list is promised", v))
		return false
	}
	if obj, ok := v.(Object); ok {
		return p.object(obj, sub)
	}
	switch s := v.(type) {
	case Sparse:
		if p.record != nil {
			p.out = p.record.sparse(p.out, string(s))
			return true
		}
	case HashOf:
		p.hashOf(string(s))
		return true
	case UnchangedOf:
		p.unchangedOf(string(s))
		return true
	}
	if t.NamedType == "Int" && !isInt(v) {
		p.fail(&tutti.Error{Code: tutti.InvalidValue, Message: "the number does not fit into a GraphQL Int.", Hint: "It would have to be whole, and of 32 bits."})
		return false
	}
	b, err := appendLeaf(p.out, v)
	if err != nil {
		p.fail(tutti.Errorf(tutti.Internal, "writing a value: %w", err))
		return false
	}
	p.out = b
	return true
}

func (p *projector) list(n int, elem *ast.Type, sub *selection, at func(int) any) bool {
	start := len(p.out)
	p.out = append(p.out, '[')
	for i := range n {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.push(ast.PathIndex(i))
		ok := p.value(at(i), elem, sub, false)
		p.pop()
		if !ok {
			return false
		}
	}
	p.out = append(p.out, ']')
	p.listed(start)
	return true
}
