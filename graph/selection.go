package graph

import (
	"context"
	"encoding/json"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Selection is what an operation selects of one field: compiled once for an operation and a
// generation, and for the variables that stand in it. It never changes; safe for concurrent use.
type Selection struct {
	number uint64 // tells selections apart; 0 for one that only this request knows
	root   *selection
	vars   map[string]any // those that stand in the selection
	schema *ast.Schema
	hashes bool // of slots are in it
	needed sync.Once
	need   any
}

// selections numbers what is compiled.
var selections atomic.Uint64

// SelectionOf gives the selection of the field that is being resolved.
func SelectionOf(ctx context.Context) *Selection {
	if d := directFrom(ctx); d != nil {
		return d.op.fields[d.field].selection(schemaFrom(ctx), d.vars.values)
	}
	field := graphql.GetFieldContext(ctx)
	vars := graphql.GetOperationContext(ctx).Variables
	if op := operationFrom(ctx); op != nil {
		if f := op.fields[field.Field.Field]; f != nil {
			return f.selection(schemaFrom(ctx), vars)
		}
	}
	return newSelection(schemaFrom(ctx), field.Field.Selections, vars, 0)
}

func newSelection(s *ast.Schema, set ast.SelectionSet, vars map[string]any, number uint64) *Selection {
	return &Selection{number: number, root: &selection{set: set}, vars: vars, schema: s, hashes: selectsHashes(set, vars, map[string]bool{})}
}

// Set is the selection set, and Vars the variables that stand in it. Do not change them.
func (s *Selection) Set() (ast.SelectionSet, map[string]any) { return s.root.set, s.vars }

// Need gives what make made of the selection, made once.
func (s *Selection) Need(make func(*Selection) any) any {
	s.needed.Do(func() { s.need = make(s) })
	return s.need
}

// rootField is one field at the top of an operation, with its selections by the variables in them.
type rootField struct {
	set   ast.SelectionSet
	names []string // of the variables that stand in the selection

	mu    sync.RWMutex
	known map[string]*Selection // by the variables as JSON
	only  atomic.Pointer[Selection]
}

// maxSelections is how many selections of one field are kept: more than that are different for
// each request, and keeping them helps nobody.
const maxSelections = 32

func newRootField(f *ast.Field) *rootField {
	r := &rootField{set: f.SelectionSet, known: map[string]*Selection{}}
	seen := map[string]bool{}
	variablesIn(f.SelectionSet, seen, map[string]bool{})
	r.names = sortedNames(seen)
	return r
}

func (r *rootField) selection(s *ast.Schema, vars map[string]any) *Selection {
	if len(r.names) == 0 {
		if only := r.only.Load(); only != nil {
			return only
		}
		r.only.CompareAndSwap(nil, newSelection(s, r.set, nil, selections.Add(1)))
		return r.only.Load()
	}
	own := make(map[string]any, len(r.names))
	for _, name := range r.names {
		if v, given := vars[name]; given {
			own[name] = v
		}
	}
	key, err := json.Marshal(own)
	if err != nil {
		return newSelection(s, r.set, own, 0)
	}
	r.mu.RLock()
	known := r.known[string(key)]
	r.mu.RUnlock()
	if known != nil {
		return known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known = r.known[string(key)]; known != nil {
		return known
	}
	if len(r.known) >= maxSelections {
		return newSelection(s, r.set, own, 0)
	}
	known = newSelection(s, r.set, own, selections.Add(1))
	r.known[string(key)] = known
	return known
}

// variablesIn notes the names of all variables in a selection set.
func variablesIn(set ast.SelectionSet, names, fragments map[string]bool) {
	var value func(v *ast.Value)
	value = func(v *ast.Value) {
		if v == nil {
			return
		}
		if v.Kind == ast.Variable {
			names[v.Raw] = true
		}
		for _, c := range v.Children {
			value(c.Value)
		}
	}
	directives := func(ds ast.DirectiveList) {
		for _, d := range ds {
			for _, a := range d.Arguments {
				value(a.Value)
			}
		}
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			directives(s.Directives)
			for _, a := range s.Arguments {
				value(a.Value)
			}
			variablesIn(s.SelectionSet, names, fragments)
		case *ast.InlineFragment:
			directives(s.Directives)
			variablesIn(s.SelectionSet, names, fragments)
		case *ast.FragmentSpread:
			directives(s.Directives)
			if !fragments[s.Name] {
				fragments[s.Name] = true
				variablesIn(s.Definition.SelectionSet, names, fragments)
			}
		}
	}
}

func sortedNames(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// fieldsAtTop are the fields at the top of an operation, but for those whose response key comes
// twice: their selections are merged for each request.
func fieldsAtTop(op *ast.OperationDefinition) map[*ast.Field]*rootField {
	byKey := map[string][]*ast.Field{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				byKey[s.Alias] = append(byKey[s.Alias], s)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				walk(s.Definition.SelectionSet)
			}
		}
	}
	walk(op.SelectionSet)
	fields := map[*ast.Field]*rootField{}
	for _, list := range byKey {
		if len(list) == 1 && len(list[0].SelectionSet) > 0 {
			fields[list[0]] = newRootField(list[0])
		}
	}
	return fields
}

type operationKey struct{}

func withOperation(ctx context.Context, op *operation) context.Context {
	return context.WithValue(ctx, operationKey{}, op)
}

func operationFrom(ctx context.Context) *operation {
	op, _ := ctx.Value(operationKey{}).(*operation)
	return op
}
