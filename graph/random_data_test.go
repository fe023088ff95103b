package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// rootObjects is how many objects of each root type a world has; asking for the one after the
// last is asking for what is not there.
const rootObjects = 6

// world is data for every delivered type of a schema: objects that lead to each other, with nulls
// and errors, also where the schema promises a value. It goes to others as JSON.
type world struct {
	Objects []*worldObject   `json:"objects"`
	Roots   map[string][]int `json:"roots"` // by type: numbers of objects

	calm  bool       // without faults
	mu    sync.Mutex // guards all below
	parts map[int]*tutti.Part
	ready map[string]*Ready
}

type worldObject struct {
	Type   string                 `json:"type"`
	Fields map[string]*worldValue `json:"fields"`
}

// worldValue is what a field has: one of these, or null when it has none of them.
type worldValue struct {
	Leaf    any           `json:"leaf,omitempty"`
	Object  *int          `json:"object,omitempty"`
	List    []*worldValue `json:"list,omitempty"`
	Empty   bool          `json:"empty,omitempty"` // a list of nothing
	Error   string        `json:"error,omitempty"`
	Choices []*worldValue `json:"choices,omitempty"` // one of these, by the field's arguments
	Echo    bool          `json:"echo,omitempty"`    // Leaf and the field's arguments
}

// worldMaker makes worlds over a schema.
type worldMaker struct {
	r          *rand.Rand
	schema     *ast.Schema
	faults     int                          // of 1,000 values, how many are null in a wrong place or an error
	ignoreArgs bool                         // values do not depend on arguments
	mayBeNull  func(typ, field string) bool // whether a promised value may be missing; nil = everywhere
	mayFail    func(typ, field string) bool // nil = everywhere
	nullLists  bool                         // also lists that are promised may be missing
	large      bool                         // numbers may be too large for their type
	byType     map[string][]int
}

var rootTypes = []string{"Experience", "ResourceConnection", "RouteConnection", "Resource", "RouteResult"}

func (m *worldMaker) make() *world {
	w := &world{Roots: map[string][]int{}, calm: m.faults == 0, parts: map[int]*tutti.Part{}, ready: map[string]*Ready{}}
	m.byType = map[string][]int{}
	for _, name := range m.reachable() {
		n := 3
		if name == "Experience" {
			n = rootObjects
		}
		for range n {
			m.byType[name] = append(m.byType[name], len(w.Objects))
			w.Objects = append(w.Objects, &worldObject{Type: name, Fields: map[string]*worldValue{}})
		}
	}
	for _, o := range w.Objects {
		for _, f := range m.schema.Types[o.Type].Fields {
			if !strings.HasPrefix(f.Name, "__") {
				o.Fields[f.Name] = m.field(o.Type, f)
			}
		}
	}
	for _, name := range rootTypes {
		for range rootObjects {
			w.Roots[name] = append(w.Roots[name], *m.object(name).Object)
		}
	}
	return w
}

// reachable are the object types below the roots, in a fixed order.
func (m *worldMaker) reachable() []string {
	seen := map[string]bool{}
	var list []string
	var visit func(name string)
	visit = func(name string) {
		for _, d := range m.schema.GetPossibleTypes(m.schema.Types[name]) {
			if seen[d.Name] {
				continue
			}
			seen[d.Name] = true
			list = append(list, d.Name)
			for _, f := range d.Fields {
				visit(f.Type.Name())
			}
		}
	}
	for _, name := range rootTypes {
		visit(name)
	}
	return list
}

func (m *worldMaker) field(typ string, f *ast.FieldDefinition) *worldValue {
	fault := m.r.IntN(1000) < m.faults
	if fault && m.r.IntN(2) == 0 && (m.mayFail == nil || m.mayFail(typ, f.Name)) {
		return &worldValue{Error: "The field " + f.Name + " is broken."}
	}
	nulls := m.mayBeNull == nil || m.mayBeNull(typ, f.Name)
	if fault && nulls && (f.Type.Elem == nil || m.nullLists) {
		return &worldValue{}
	}
	if len(f.Arguments) == 0 || m.ignoreArgs {
		return m.value(f.Type, nulls)
	}
	d := m.schema.Types[f.Type.Name()]
	if f.Type.Elem == nil && (d.Name == "String" || d.Name == "URL") {
		v := m.value(f.Type, false)
		v.Echo = v.Leaf != nil
		return v
	}
	v := &worldValue{}
	for range 3 {
		v.Choices = append(v.Choices, m.value(f.Type, nulls))
	}
	return v
}

func (m *worldMaker) value(t *ast.Type, nulls bool) *worldValue {
	if !t.NonNull && m.r.IntN(5) == 0 || nulls && (t.Elem == nil || m.nullLists) && m.r.IntN(2000) < m.faults {
		return &worldValue{}
	}
	if t.Elem != nil {
		v := &worldValue{List: []*worldValue{}}
		for range m.r.IntN(4) {
			e := m.value(t.Elem, nulls)
			if e.Object != nil && slices.ContainsFunc(v.List, func(o *worldValue) bool { return o.Object != nil && *o.Object == *e.Object }) {
				continue // no component stands in a list twice
			}
			v.List = append(v.List, e)
		}
		v.Empty = len(v.List) == 0
		return v
	}
	if m.schema.Types[t.NamedType].IsCompositeType() {
		return m.object(t.NamedType)
	}
	return &worldValue{Leaf: m.leaf(m.schema.Types[t.NamedType])}
}

// object leads to an object of a type, or of one of its possible types.
func (m *worldMaker) object(name string) *worldValue {
	types := m.schema.GetPossibleTypes(m.schema.Types[name])
	of := m.byType[types[m.r.IntN(len(types))].Name]
	n := of[m.r.IntN(len(of))]
	return &worldValue{Object: &n}
}

var hardTexts = []string{
	"", "Lobby", "Grüße aus Linz", "日本の宿", "👩‍👩‍👧 family", `say "hi" \ bye`, "<script>alert(1)</script>", "tab\tline\nreturn\r",
	"\u2028\u2029", "\x00\x1f\x7f", "a/b:c&d", "null", "\ue000name\ue001", "🏨",
}

func (m *worldMaker) leaf(d *ast.Definition) any {
	text := hardTexts[m.r.IntN(len(hardTexts))]
	switch d.Name {
	case "Int":
		if m.large && m.r.IntN(20) == 0 { // none that the type Int can say
			return []any{1 << 31, -1<<31 - 1, 1 << 53, 0.5, 1e21}[m.r.IntN(5)]
		}
		return []int{0, 1, -7, 42, 1<<31 - 1, -1 << 31}[m.r.IntN(6)]
	case "Float":
		return []float64{0, 1, -0.5, 48.30694, 1e21, 1e-7, 100000000000000000000}[m.r.IntN(7)]
	case "Boolean":
		return m.r.IntN(2) == 0
	case "DateTime":
		return noon.Add(time.Duration(m.r.IntN(1000)) * 1001 * time.Millisecond).Format(time.RFC3339Nano)
	case "Ref":
		return "w:k/" + text
	case "JSON":
		return []any{text, 1.5, true, []any{text, nil}, map[string]any{"b": 1, "a": []any{text}}, map[string]any{}}[m.r.IntN(6)]
	}
	if d.Kind == ast.Enum {
		return d.EnumValues[m.r.IntN(len(d.EnumValues))].Name
	}
	return text
}

var digits = regexp.MustCompile(`[0-9]+$`)

// root finds the object that a root argument names; nil when there is none.
func (w *world) root(typ, argument string) *worldObject {
	n, err := strconv.Atoi(digits.FindString(argument))
	if err != nil || n >= len(w.Roots[typ]) {
		return nil
	}
	return w.Objects[w.Roots[typ][n]]
}

// worldView is an object of a world as the projector sees it.
type worldView struct {
	w      *world
	o      *worldObject
	schema *ast.Schema
	pieced bool // lists of components are lists of pieces
}

func (v worldView) TypeName() string { return v.o.Type }

func (v worldView) Field(name string, args Args) (any, error) {
	x, f := v.o.Fields[name], v.schema.Types[v.o.Type].Fields.ForName(name)
	if x == nil {
		return nil, fmt.Errorf("%s has no field %s", v.o.Type, name)
	}
	var given string
	if len(x.Choices) > 0 || x.Echo {
		given = written(args)
	}
	if len(x.Choices) > 0 {
		sum := 0
		for _, c := range []byte(given) {
			sum += int(c)
		}
		x = x.Choices[sum%len(x.Choices)]
	}
	switch {
	case x.Error != "":
		return nil, &tutti.Error{Code: tutti.Unavailable, Message: x.Error}
	case x.Echo:
		return x.Leaf.(string) + given, nil
	}
	return v.value(x, f.Type), nil
}

// written gives arguments as JSON, by name.
func written(args Args) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if args == nil {
		args = Args{}
	}
	if err := e.Encode(args); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// value gives a value in the forms that an Object may use, now one and now another.
func (v worldView) value(x *worldValue, t *ast.Type) any {
	switch {
	case x.Object != nil:
		return worldView{v.w, v.w.Objects[*x.Object], v.schema, v.pieced}
	case t.Elem != nil && x.List == nil:
		return nil
	case t.Elem != nil && v.schema.Types[t.Name()].IsCompositeType():
		list := make([]Object, len(x.List))
		for i, e := range x.List {
			if o, ok := v.value(e, t.Elem).(Object); ok {
				list[i] = o
			}
		}
		if t.Name() == componentInterface && v.pieced {
			return pieces(list)
		}
		return list
	case t.Elem != nil:
		return v.leaves(x, t)
	case x.Leaf == nil:
		return nil
	}
	switch leaf := x.Leaf; t.NamedType {
	case "DateTime":
		at, err := time.Parse(time.RFC3339Nano, leaf.(string))
		if err != nil {
			panic(err)
		}
		return at
	case "Ref":
		ref := refOf(leaf.(string))
		return &ref
	case "JSON":
		b, err := json.Marshal(leaf)
		if err != nil {
			panic(err)
		}
		return Raw(b)
	case "ID":
		s := leaf.(string)
		return &s
	default:
		return leaf
	}
}

func (v worldView) leaves(x *worldValue, t *ast.Type) any {
	texts := make([]string, 0, len(x.List))
	all := make([]any, len(x.List))
	for i, e := range x.List {
		all[i] = v.value(e, t.Elem)
		if s, ok := all[i].(string); ok {
			texts = append(texts, s)
		}
	}
	if len(texts) == len(all) {
		return texts
	}
	return all
}

func refOf(s string) tutti.Ref {
	source, rest, _ := strings.Cut(s, ":")
	kind, id, _ := strings.Cut(rest, "/")
	return tutti.Ref{Source: source, Kind: kind, ID: id}
}

// rootArguments name objects of a world: the digits are the number.
func rootArguments(r *rand.Rand) func(field, arg string) (v any, given bool) {
	return func(field, arg string) (v any, given bool) {
		n := r.IntN(rootObjects + 1) // one more than there are
		switch field + "." + arg {
		case "experience.composition", "routes.channel", "search.source":
			return fmt.Sprintf("w%d", n), true
		case "route.path", "more.cursor":
			return fmt.Sprintf("/%d", n), true
		case "resource.ref":
			return fmt.Sprintf("w:k/%d", n), true
		case "resources.refs":
			refs := make([]any, 1+r.IntN(3))
			for i := range refs {
				refs[i] = fmt.Sprintf("w:k/%d", r.IntN(rootObjects+1))
			}
			return refs, true
		case "search.kind", "experience.channel", "route.channel":
			return "web", true
		}
		return nil, false
	}
}

// pieceView is a component of a calm world: a part by itself.
type pieceView struct {
	worldView
	part *tutti.Part
}

func (v pieceView) Part() *tutti.Part { return v.part }

func pieces(list []Object) []Piece {
	out := make([]Piece, len(list))
	for i, o := range list {
		v := o.(worldView)
		n := slices.Index(v.w.Objects, v.o)
		if v.w.parts[n] == nil {
			v.w.parts[n] = &tutti.Part{}
		}
		out[i] = pieceView{v, v.w.parts[n]}
	}
	return out
}

// wholeView is an experience of which the answer is kept, but for two fields.
type wholeView struct{ worldView }

func (wholeView) Varies(field string) bool { return field == "title" || field == "meta" }
func (wholeView) Word(int) string          { panic("there are no tokens") }
