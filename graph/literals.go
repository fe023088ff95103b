package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

const valuesRule = "ValuesOfCorrectType"

// validationErrors gives the mistakes of a document with codes. What the validator says about
// literals of AttributesInput is replaced by what we know better: which attributes there are.
func (g *Generation) validationErrors(doc *ast.QueryDocument, list gqlerror.List) gqlerror.List {
	t := &attributeLiterals{generation: g, told: map[gqlerror.Location]bool{}}
	for _, op := range doc.Operations {
		for _, v := range op.VariableDefinitions {
			if v.DefaultValue != nil {
				t.value(v.Variable, v.DefaultValue)
			}
		}
		t.set(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		t.set(f.SelectionSet)
	}
	out := t.errs
	for _, e := range list {
		if e.Rule == valuesRule && len(e.Locations) > 0 && t.told[e.Locations[0]] {
			continue
		}
		code := tutti.BadRequest
		if e.Rule == valuesRule {
			code = tutti.InvalidValue
		}
		public := &tutti.Error{Code: code, Message: shorten(e.Message, 300)}
		out = append(out, &gqlerror.Error{Err: public, Message: public.Message, Locations: e.Locations})
	}
	if len(out) > g.limits.Errors {
		out = out[:g.limits.Errors]
	}
	return out
}

// shorten cuts a text that quotes a request, at a character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

// attributeLiterals finds mistakes in AttributesInput written out in a document.
type attributeLiterals struct {
	generation *Generation
	told       map[gqlerror.Location]bool // where the validator may have complained about the same
	errs       gqlerror.List
}

func (t *attributeLiterals) set(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				t.value(a.Name, a.Value)
			}
			t.set(s.SelectionSet)
		case *ast.InlineFragment:
			t.set(s.SelectionSet)
		}
	}
}

func (t *attributeLiterals) value(path string, v *ast.Value) {
	attributes := v.Definition != nil && v.Definition.Name == attributesInput && v.Kind == ast.ObjectValue
	for _, c := range v.Children {
		if v.Kind != ast.ObjectValue {
			t.value(path, c.Value)
			continue
		}
		if !attributes {
			t.value(path+"."+c.Name, c.Value)
			continue
		}
		var value any // stays nil, which fits every attribute, when a variable is in it
		if !hasVariable(c.Value) {
			value, _ = c.Value.Value(nil)
		}
		if err := t.generation.checkAttribute(c.Name, value); err != nil {
			err.Field = path + "." + c.Name
			t.errs = append(t.errs, &gqlerror.Error{Err: err, Message: err.Message, Locations: []gqlerror.Location{location(c.Position)}})
			t.told[location(c.Position)] = true
			t.tell(c.Value)
		}
	}
}

func (t *attributeLiterals) tell(v *ast.Value) {
	t.told[location(v.Position)] = true
	for _, c := range v.Children {
		t.told[location(c.Position)] = true
		t.tell(c.Value)
	}
}

func hasVariable(v *ast.Value) bool {
	if v.Kind == ast.Variable {
		return true
	}
	for _, c := range v.Children {
		if hasVariable(c.Value) {
			return true
		}
	}
	return false
}

func location(p *ast.Position) gqlerror.Location {
	if p == nil {
		return gqlerror.Location{}
	}
	return gqlerror.Location{Line: p.Line, Column: p.Column}
}
