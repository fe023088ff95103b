package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// binding compiles a path to a resource's field.
func (s *scope) binding(path string, d *tutti.PropDefinition, source string, b *body) valueNode {
	steps := strings.Split(source, ".")
	root, rest := steps[0], steps[1:]
	sibling, isProp := s.props[root]
	isProp = isProp && root != d.Name
	param := s.c.param(root)
	isParam := param != nil && param.Type == "ref"
	switch {
	case slices.Contains(steps, ""):
		s.c.wrong(path, fmt.Sprintf("“%s” is no path.", short(source)), "Write names joined by dots: hotel.image.")
		return nil
	case root == "item" && !s.item:
		s.c.wrong(path, "There is no item here.", "Repeat the component with each, or bind to a param or prop.")
		return nil
	case root == "params":
		s.c.wrong(path, "A binding leads to a resource's field.", "Leave “params.” out for ref params; for other params write expr: "+source+".")
		return nil
	case root != "item" && !isProp && !isParam:
		var names []string
		for name, p := range s.props {
			if p.resource && name != d.Name {
				names = append(names, name)
			}
		}
		for _, p := range s.c.params {
			if p.Type == "ref" {
				names = append(names, p.Name)
			}
		}
		if s.item {
			names = append(names, "item")
		}
		slices.Sort(names)
		hint := expr.DidYouMean(root, names)
		if s.c.nameAt(steps) != "" {
			hint = "For attributes write expr: " + source + "."
		}
		s.c.wrong(path, fmt.Sprintf("“%s” is no ref param and no prop with a resource.", short(root)), hint)
		return nil
	case isProp && !isParam && !sibling.resource:
		s.c.wrong(path, fmt.Sprintf("The prop “%s” holds no resource.", root), "")
		return nil
	case isProp && isParam && sibling.param != root:
		s.c.warn(path, fmt.Sprintf("“%s” is both a param and another prop here: the param counts.", root), "Rename one of them.")
	}
	isProp = isProp && !isParam
	kinds := s.kindsOf(root)
	if len(rest) > 0 {
		if err := fieldOf(kinds, rest); err != nil {
			s.c.wrongError(path, err)
			return nil
		}
		s.checkBoundType(path, d, kinds, rest)
	}
	if root != "item" && (len(kinds) > 0 || !isProp) {
		s.c.useKinds(path, b, kinds, true, false)
	}
	switch {
	case isProp: // notes itself what it is made of
	case len(rest) > 0 && (d.Type == tutti.PropResource || d.Type == tutti.PropResources):
		b.reach.note(nil) // where the field leads
		b.reach.note(kinds, rest...)
	default:
		b.reach.note(kinds, rest...)
	}
	if len(rest) == 0 && isParam {
		return paramRef{name: root, list: d.Type == tutti.PropResources}
	}
	return fixed{tutti.Value{Kind: tutti.BindValue, Bind: tutti.BindPath{From: root, Path: rest}}}
}

// checkBoundType warns of a field that can never fit the prop.
func (s *scope) checkBoundType(path string, d *tutti.PropDefinition, kinds []*tutti.Kind, steps []string) {
	if len(kinds) == 0 || len(steps) > 1 {
		return
	}
	want := map[tutti.PropType][]tutti.FieldType{
		tutti.PropInt: {tutti.FieldInt, tutti.FieldFloat, tutti.FieldJSON}, tutti.PropFloat: {tutti.FieldFloat, tutti.FieldInt, tutti.FieldMoney, tutti.FieldJSON},
		tutti.PropBoolean: {tutti.FieldBool, tutti.FieldJSON}, tutti.PropDateTime: {tutti.FieldTime, tutti.FieldString, tutti.FieldJSON},
		tutti.PropMoney: {tutti.FieldMoney, tutti.FieldJSON}, tutti.PropPlace: {tutti.FieldPlace, tutti.FieldJSON},
		tutti.PropResource: {tutti.FieldRef, tutti.FieldRefs, tutti.FieldString, tutti.FieldJSON}, tutti.PropResources: {tutti.FieldRefs, tutti.FieldRef, tutti.FieldString, tutti.FieldStrings, tutti.FieldJSON},
	}[d.Type]
	if want == nil {
		return
	}
	for _, k := range kinds {
		t, ok := k.Fields[steps[0]]
		if !ok || slices.Contains(want, t) {
			return
		}
	}
	s.c.wrong(path, fmt.Sprintf("The field “%s” is a %s, and the prop a %s.", steps[0], kinds[0].Fields[steps[0]], d.Type), "Bind another field, or compute the value with expr.")
}
