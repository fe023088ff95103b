// Package graphtest makes random GraphQL operations, for tests that hold one way of answering
// them against another.
package graphtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Operation is a valid request.
type Operation struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
}

// Variable is an argument's value that each request gives by itself, under this name.
type Variable string

// Operations makes operations over a schema with everything that a selection can hold: fields
// under aliases, the same key several times, arguments as literals and variables, inline and named
// fragments on every type that fits, @include and @skip, __typename. One goroutine uses it.
type Operations struct {
	R        *rand.Rand
	Schema   *ast.Schema
	Roots    []string                                    // fields at the top to take; one named twice is taken twice as often
	Argument func(field, arg string) (v any, given bool) // of a field at the top
	LeaveOut func(t *ast.Definition, field string) bool  // fields that are not selected; nil = none
	Required bool                                        // below the top, only arguments that must be given are
	Nulls    bool                                        // null is sent for some variables that have a default, and must not be null

	// of the operation that is being made
	budget    int
	keys      map[string]string   // what each response key stands for: the same everywhere, so that all selections merge
	byShape   map[string][]string // its inverse
	variables map[string]*variable
	order     []string
	fragments []fragment
}

type variable struct {
	typ, text string // of the definition
	given     bool
	value     any
}

type fragment struct {
	name, on, text string
}

// enumValue is written without quotes as a literal.
type enumValue string

// Make gives the next operation.
func (m *Operations) Make() Operation {
	m.budget = 10 + m.R.IntN(70)
	m.keys, m.byShape, m.variables = map[string]string{}, map[string][]string{}, map[string]*variable{}
	m.order, m.fragments = nil, nil
	body := m.set(m.Schema.Query, 0)
	op := Operation{Variables: map[string]any{}}
	var defs []string
	for _, name := range m.order {
		v := m.variables[name]
		defs = append(defs, v.text)
		if v.given {
			op.Variables[name] = v.value
		}
	}
	head := "query"
	if m.chance(40) || len(defs) > 0 {
		head += " Q"
	}
	if len(defs) > 0 {
		head += "(" + strings.Join(defs, ", ") + ")"
	}
	parts := []string{head + " " + body}
	for _, f := range m.fragments {
		parts = append(parts, "fragment "+f.name+" on "+f.on+" "+f.text)
	}
	if strings.HasPrefix(head, "query Q") && m.chance(10) {
		parts = append(parts, "query Other { __typename }")
		op.OperationName = "Q"
	}
	m.R.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	op.Query = strings.Join(parts, "\n")
	return op
}

func (m *Operations) chance(percent int) bool { return m.R.IntN(100) < percent }

// set writes a selection set on a type.
func (m *Operations) set(t *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	n := 1 + m.R.IntN(5)
	if depth == 0 {
		n = 1 + m.R.IntN(2)
	}
	for range n {
		b.WriteByte(' ')
		switch p := m.R.IntN(100); {
		case p < 12 && m.budget > 0 && depth < 12:
			on := m.overlapping(t)
			if m.chance(15) {
				b.WriteString("..." + m.directives() + " " + m.set(t, depth+1))
				continue
			}
			b.WriteString("... on " + on.Name + m.directives() + " " + m.set(on, depth+1))
		case p < 24 && m.budget > 0 && depth < 12:
			b.WriteString("..." + m.fragment(t, depth) + m.directives())
		default:
			b.WriteString(m.field(t, depth))
		}
	}
	return b.String() + " }"
}

// fragment gives the name of a fragment that fits: one that is complete, so that there are no
// cycles, or a new one.
func (m *Operations) fragment(t *ast.Definition, depth int) string {
	var fit []string
	for _, f := range m.fragments {
		if m.meet(t, m.Schema.Types[f.on]) {
			fit = append(fit, f.name)
		}
	}
	if len(fit) > 0 && m.chance(60) || len(m.fragments) > 6 && len(fit) > 0 {
		return fit[m.R.IntN(len(fit))]
	}
	on := m.overlapping(t)
	text := m.set(on, depth+1)
	f := fragment{name: fmt.Sprintf("F%d", len(m.fragments)), on: on.Name, text: text}
	m.fragments = append(m.fragments, f)
	return f.name
}

func (m *Operations) meet(a, b *ast.Definition) bool {
	for _, x := range m.Schema.GetPossibleTypes(a) {
		if slices.Contains(m.Schema.GetPossibleTypes(b), x) {
			return true
		}
	}
	return false
}

// overlapping gives a type on which a fragment in t may be.
func (m *Operations) overlapping(t *ast.Definition) *ast.Definition {
	var fit []*ast.Definition
	for _, name := range slices.Sorted(maps.Keys(m.Schema.Types)) {
		d := m.Schema.Types[name]
		if d.IsCompositeType() && m.meet(t, d) {
			fit = append(fit, d)
		}
	}
	return fit[m.R.IntN(len(fit))]
}

func (m *Operations) field(t *ast.Definition, depth int) string {
	var leaves, objects []*ast.FieldDefinition
	for _, f := range t.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"), t == m.Schema.Query && !slices.Contains(m.Roots, f.Name), m.LeaveOut != nil && m.LeaveOut(t, f.Name):
		case m.Schema.Types[f.Type.Name()].IsLeafType():
			leaves = append(leaves, f)
		default:
			objects = append(objects, f)
		}
	}
	m.budget--
	from := leaves
	if m.budget > 0 && depth < 12 && len(objects) > 0 && (len(leaves) == 0 || m.chance(45)) {
		from = objects
	}
	if len(from) == 0 || m.chance(5) {
		return m.key("__typename", "String!") + "__typename" + m.directives()
	}
	f := from[m.R.IntN(len(from))]
	if t == m.Schema.Query {
		f = t.Fields.ForName(m.Roots[m.R.IntN(len(m.Roots))])
	}
	args := m.arguments(t, f)
	shape := f.Name + args + " " + m.shape(f.Type)
	text := m.key(f.Name, shape) + f.Name + args + m.directives()
	if sub := m.Schema.Types[f.Type.Name()]; sub.IsCompositeType() {
		text += " " + m.set(sub, depth+1)
	}
	return text
}

// shape is what selections of the same response key must have in common.
func (m *Operations) shape(t *ast.Type) string {
	if t.Elem != nil {
		return "[" + m.shape(t.Elem) + "]" + strings.Repeat("!", btoi(t.NonNull))
	}
	name := t.NamedType
	if m.Schema.Types[name].IsCompositeType() {
		name = "{}"
	}
	return name + strings.Repeat("!", btoi(t.NonNull))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// key gives the alias for a field of a shape: "" where its own name is free or stands for the
// same, often one that came before.
func (m *Operations) key(name, shape string) string {
	shape = name + ":" + shape
	if known := m.byShape[shape]; len(known) > 0 && m.chance(70) {
		if k := known[m.R.IntN(len(known))]; k != name {
			return k + ": "
		}
		return ""
	}
	k := name
	if owner, taken := m.keys[name]; taken && owner != shape || m.chance(30) {
		k = fmt.Sprintf("k%d", len(m.keys))
	}
	if m.keys[k] == "" {
		m.byShape[shape] = append(m.byShape[shape], k)
	}
	m.keys[k] = shape
	if k == name {
		return ""
	}
	return k + ": "
}

func (m *Operations) directives() string {
	if !m.chance(18) {
		return ""
	}
	truth := ast.NonNullNamedType("Boolean", nil)
	directive := func(name string, mostly bool) string {
		return " @" + name + "(if: " + m.value(truth, m.chance(75) == mostly) + ")"
	}
	switch m.R.IntN(5) {
	case 0:
		return directive("skip", false) + directive("include", true)
	case 1, 2:
		return directive("skip", false)
	}
	return directive("include", true)
}

func (m *Operations) arguments(t *ast.Definition, f *ast.FieldDefinition) string {
	var given []string
	for _, a := range f.Arguments {
		v, ok := m.argument(t, f, a)
		if ok {
			given = append(given, a.Name+": "+m.value(a.Type, v))
		}
	}
	if len(given) == 0 {
		return ""
	}
	m.R.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
	return "(" + strings.Join(given, ", ") + ")"
}

func (m *Operations) argument(t *ast.Definition, f *ast.FieldDefinition, a *ast.ArgumentDefinition) (v any, given bool) {
	if t == m.Schema.Query {
		return m.Argument(f.Name, a.Name)
	}
	if !a.Type.NonNull && (m.Required || m.chance(50)) {
		return nil, false
	}
	if !a.Type.NonNull && m.chance(8) {
		return nil, true
	}
	d := m.Schema.Types[a.Type.Name()]
	switch {
	case a.Type.Elem != nil:
		return []any{}, true
	case a.Type.NamedType == "Int":
		return []any{1, 2, 3, 5, 100}[m.R.IntN(5)], true
	case a.Type.NamedType == "Float":
		return []any{0.5, 1, 2e3}[m.R.IntN(3)], true
	case a.Type.NamedType == "Boolean":
		return m.chance(50), true
	case d.Kind == ast.Enum:
		return enumValue(d.EnumValues[m.R.IntN(len(d.EnumValues))].Name), true
	case d.Kind == ast.InputObject:
		return map[string]any{}, true
	}
	return []any{"image", "offers", "grüße", "", `"q\`}[m.R.IntN(5)], true
}

// value writes v as a literal or as a variable.
func (m *Operations) value(t *ast.Type, v any) string {
	if own, ok := v.(Variable); ok {
		if m.variables[string(own)] == nil {
			m.variables[string(own)] = &variable{text: "$" + string(own) + ": " + t.String()}
			m.order = append(m.order, string(own))
		}
		return "$" + string(own)
	}
	if !m.chance(45) {
		if list, ok := v.([]any); ok && len(list) > 0 && m.chance(50) {
			parts := make([]string, len(list))
			for i := range list {
				parts[i] = m.value(t.Elem, list[i])
			}
			return "[" + strings.Join(parts, ", ") + "]"
		}
		return graphQLLiteral(v)
	}
	for _, name := range m.order { // often one that is there
		known := m.variables[name]
		if known.typ == t.String() && m.chance(40) && fmt.Sprint(known.value) == fmt.Sprint(v) {
			return "$" + name
		}
	}
	x := &variable{typ: t.String(), given: true, value: v}
	name := fmt.Sprintf("v%d", len(m.order))
	x.text = "$" + name + ": " + x.typ
	switch p := m.R.IntN(10); {
	case v == nil:
		if p < 3 { // no value at all: the argument is as if it were not there
			x.given = false
		}
	case p < 2 && !t.NonNull:
		x.typ += "!"
		x.text += "!"
	case p < 4 && t.NonNull: // a default makes it fit
		nullable := *t
		nullable.NonNull = false
		x.typ = nullable.String() + " with a default"
		x.text = "$" + name + ": " + nullable.String() + " = " + graphQLLiteral(v)
		x.given = m.chance(50)
		if m.Nulls && m.chance(20) {
			x.given, x.value = true, nil
		}
	case p < 6:
		x.text += " = " + graphQLLiteral(v)
		x.typ += " with a default"
		x.given = m.chance(50)
	}
	m.variables[name] = x
	m.order = append(m.order, name)
	return "$" + name
}

func graphQLLiteral(v any) string {
	switch v := v.(type) {
	case enumValue:
		return string(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = graphQLLiteral(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
