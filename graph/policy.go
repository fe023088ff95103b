package graph

import (
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// classes is a set of key classes.
type classes uint8

const allClasses classes = 1<<4 - 1

func classBit(c tutti.KeyClass) classes {
	for i, k := range tutti.KeyClasses {
		if k == c {
			return 1 << i
		}
	}
	return 0
}

// names lists the classes for a person: "preview and management keys".
func (c classes) names() string {
	var list []string
	for i, k := range tutti.KeyClasses {
		if c&(1<<i) != 0 {
			list = append(list, string(k))
		}
	}
	switch len(list) {
	case 0:
		return "no keys"
	case 1:
		return list[0] + " keys"
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1] + " keys"
}

// policies says for every part of a schema who may ask for it. It is made once per generation
// and only read after that.
type policies struct {
	schema        *ast.Schema
	introspection bool
	types         map[string]classes // objects, interfaces, unions, and input objects that have a list
	fields        map[*ast.FieldDefinition]classes
	arguments     map[*ast.ArgumentDefinition]classes
	guardedInputs map[string]bool // input types in which, at some depth, something has a list
}

// newPolicies reads @access from a schema. It gives the names of what has no policy: such a
// schema must not be served.
func newPolicies(schema *ast.Schema, introspection bool) (*policies, []string) {
	p := &policies{
		schema: schema, introspection: introspection, types: map[string]classes{}, fields: map[*ast.FieldDefinition]classes{},
		arguments: map[*ast.ArgumentDefinition]classes{}, guardedInputs: map[string]bool{},
	}
	var missing []string
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		own, has := accessOf(def.Directives)
		switch def.Kind {
		case ast.Object, ast.Interface:
			p.types[name] = own
			if !has {
				p.types[name] = allClasses
			}
			for _, f := range def.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				to, ok := accessOf(f.Directives)
				if !ok && !has {
					missing = append(missing, name+"."+f.Name)
					continue
				}
				if !ok {
					to = own
				}
				p.fields[f] = to
				for _, a := range f.Arguments {
					if to, ok := accessOf(a.Directives); ok {
						p.arguments[a] = to
					}
				}
			}
		case ast.Union:
			p.types[name] = own
			if !has {
				missing = append(missing, name)
			}
		case ast.InputObject:
			if has {
				p.types[name] = own
			}
			for _, f := range def.Fields {
				if to, ok := accessOf(f.Directives); ok {
					p.fields[f] = to
				}
			}
		}
	}
	missing = append(missing, p.looser()...)
	for name, def := range schema.Types {
		if def.Kind == ast.InputObject {
			p.guardedInputs[name] = p.guarded(def, map[string]bool{})
		}
	}
	sort.Strings(missing)
	return p, missing
}

// looser names fields of objects whose list differs from that of their interface: one could be
// asked for by way of the other.
func (p *policies) looser() []string {
	var bad []string
	for name, def := range p.schema.Types {
		if def.Kind != ast.Object {
			continue
		}
		for _, i := range def.Interfaces {
			for _, f := range p.schema.Types[i].Fields {
				own := def.Fields.ForName(f.Name)
				if own != nil && p.fields[own] != p.fields[f] {
					bad = append(bad, name+"."+f.Name+" (differs from "+i+")")
				}
			}
		}
	}
	return bad
}

func (p *policies) guarded(def *ast.Definition, seen map[string]bool) bool {
	if seen[def.Name] {
		return false
	}
	seen[def.Name] = true
	if _, ok := p.types[def.Name]; ok {
		return true
	}
	for _, f := range def.Fields {
		if _, ok := p.fields[f]; ok {
			return true
		}
		if in := p.schema.Types[f.Type.Name()]; in != nil && in.Kind == ast.InputObject && p.guarded(in, seen) {
			return true
		}
	}
	return false
}

func accessOf(list ast.DirectiveList) (classes, bool) {
	d := list.ForName("access")
	if d == nil {
		return 0, false
	}
	var c classes
	for _, v := range d.Arguments.ForName("to").Value.Children {
		c |= classBit(tutti.KeyClass(strings.ToLower(v.Value.Raw)))
	}
	return c, true
}

// restriction is a part of an operation that not everybody may ask for.
type restriction struct {
	what string // "The field Query.sources"
	to   classes
	at   *ast.Position
}

func (r restriction) refusal(class tutti.KeyClass) *tutti.Error {
	e := &tutti.Error{Code: tutti.Forbidden, Field: r.what, Message: r.what + " is not for " + string(class) + " keys."}
	if r.to == 0 {
		e.Hint = "It is switched off here. The operator can print the schema: tutti schema graphql"
	} else {
		e.Hint = "Ask with one of: " + r.to.names() + "."
	}
	return e
}

// restrictions lists what in a validated operation is not for all classes. Each fragment is
// walked once.
func (p *policies) restrictions(op *ast.OperationDefinition) []restriction {
	w := &policyWalk{policies: p, seen: map[*ast.FragmentDefinition]bool{}}
	w.set(op.SelectionSet)
	return w.found
}

type policyWalk struct {
	*policies
	seen  map[*ast.FragmentDefinition]bool
	found []restriction
}

func (w *policyWalk) need(what string, to classes, at *ast.Position) {
	if to != allClasses {
		w.found = append(w.found, restriction{what, to, at})
	}
}

func (w *policyWalk) set(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			w.field(s)
		case *ast.InlineFragment:
			w.condition(s.TypeCondition, s.Position)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			if d := s.Definition; d != nil && !w.seen[d] {
				w.seen[d] = true
				w.condition(d.TypeCondition, d.Position)
				w.set(d.SelectionSet)
			}
		}
	}
}

func (w *policyWalk) condition(name string, at *ast.Position) {
	if name == "" || strings.HasPrefix(name, "__") {
		return
	}
	w.need(name, w.types[name], at) // an unknown type has the zero set: nobody
}

func (w *policyWalk) field(f *ast.Field) {
	switch {
	case f.Name == "__typename":
		return
	case f.Name == "__schema" || f.Name == "__type":
		if !w.introspection {
			w.need("introspection", 0, f.Position)
		}
		return // what the schema says about itself is for everybody who may ask at all
	}
	name := f.ObjectDefinition.Name + "." + f.Name
	w.need(name, w.fields[f.Definition], f.Position) // a field without a policy has the zero set: nobody
	for _, a := range f.Arguments {
		def := f.Definition.Arguments.ForName(a.Name)
		if to, ok := w.arguments[def]; ok {
			w.need(name+"("+a.Name+":)", to, a.Position)
		}
		w.value(a.Value)
	}
	w.set(f.SelectionSet)
}

// value checks literals of guarded input types. Variables are checked with their values.
func (w *policyWalk) value(v *ast.Value) {
	if v.Definition == nil || !w.guardedInputs[v.Definition.Name] {
		return
	}
	if v.Kind == ast.ObjectValue {
		if to, ok := w.types[v.Definition.Name]; ok {
			w.need(v.Definition.Name, to, v.Position)
		}
	}
	for _, c := range v.Children {
		if v.Kind == ast.ObjectValue {
			if to, ok := w.fields[v.Definition.Fields.ForName(c.Name)]; ok {
				w.need(v.Definition.Name+"."+c.Name, to, c.Position)
			}
		}
		w.value(c.Value)
	}
}

// variables lists what in the values of variables is not for all classes.
func (p *policies) variables(op *ast.OperationDefinition, vars map[string]any) []restriction {
	w := &policyWalk{policies: p}
	for _, d := range op.VariableDefinitions {
		if v, ok := vars[d.Variable]; ok && p.guardedInputs[d.Type.Name()] {
			w.variable(p.schema.Types[d.Type.Name()], v, d.Position)
		}
	}
	return w.found
}

func (w *policyWalk) variable(def *ast.Definition, v any, at *ast.Position) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			w.variable(def, e, at)
		}
	case map[string]any:
		if to, ok := w.types[def.Name]; ok {
			w.need(def.Name, to, at)
		}
		for name, e := range v {
			f := def.Fields.ForName(name)
			if f == nil {
				continue
			}
			if to, ok := w.fields[f]; ok {
				w.need(def.Name+"."+name, to, at)
			}
			if w.guardedInputs[f.Type.Name()] {
				w.variable(w.schema.Types[f.Type.Name()], e, at)
			}
		}
	}
}
