package expr

import (
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
)

// Most rules compare attributes with constants and join that with && || !. Those run here, in a
// few nanoseconds and without allocating; TestSimpleRulesAgreeWithCEL holds the two together.

// truth is three-valued, and a fourth value sends the whole rule to CEL: a Go value that the
// attribute's type does not promise.
type truth uint8

const (
	no truth = iota
	yes
	dunno
	askCEL
)

type node interface {
	eval(Known) truth
	// footing is eval, and how the truth depends on the visitor's place.
	footing(Moving) (truth, Footing)
}

// simplify gives the fast form of a condition, nil when it has none.
func simplify(a *ast.AST, e ast.Expr) node {
	if name, ok := nameIn(a, e); ok {
		return isTrue{name}
	}
	if e.Kind() != ast.CallKind {
		return nil
	}
	c := e.AsCall()
	args := c.Args()
	switch f := c.FunctionName(); f {
	case "_&&_", "_||_":
		x, y := simplify(a, args[0]), simplify(a, args[1])
		if x == nil || y == nil {
			return nil
		}
		if f == "_&&_" {
			return both{x, y}
		}
		return either{x, y}
	case "!_":
		if x := simplify(a, args[0]); x != nil {
			return negate{x}
		}
	case "@in":
		return simplifyIn(a, args[0], args[1])
	case "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_":
		return simplifyComparison(a, f, args[0], args[1])
	}
	return nil
}

func simplifyComparison(a *ast.AST, f string, left, right ast.Expr) node {
	name, ok := nameIn(a, left)
	if other, both := nameIn(a, right); ok && both && (f == "_==_" || f == "_!=_") {
		return sameAs{name, other, f == "_!=_"}
	}
	value, fixed := constant(right)
	if !fixed {
		if value, fixed = constant(left); !fixed {
			return nil
		}
		left = right
		name, ok = nameIn(a, left)
		f = map[string]string{"_==_": "_==_", "_!=_": "_!=_", "_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}[f]
	}
	c := comparison{name: name, value: value}
	switch f {
	case "_==_":
		c.equal = true
	case "_!=_":
		c.less, c.greater = true, true
	case "_<_":
		c.less = true
	case "_<=_":
		c.less, c.equal = true, true
	case "_>_":
		c.greater = true
	case "_>=_":
		c.greater, c.equal = true, true
	}
	if ok {
		return c
	}
	if m := measure(a, left); m != nil {
		return nearness{m, c}
	}
	return nil
}

func simplifyIn(a *ast.AST, what, where ast.Expr) node {
	if name, ok := nameIn(a, where); ok {
		if s, ok := constant(what); ok {
			if s, ok := s.(string); ok {
				return contains{name, s}
			}
		}
		return nil
	}
	name, ok := nameIn(a, what)
	if !ok {
		return nil
	}
	var elements []any
	switch where.Kind() {
	case ast.ListKind:
		for _, x := range where.AsList().Elements() {
			v, ok := constant(x)
			if !ok {
				return nil
			}
			elements = append(elements, v)
		}
	case ast.LiteralKind:
		l, ok := where.AsLiteral().(traits.Lister)
		if !ok {
			return nil
		}
		for it := l.Iterator(); it.HasNext() == types.True; {
			elements = append(elements, it.Next().Value())
		}
	default:
		return nil
	}
	if len(elements) == 0 {
		return nil // false whatever the name stands for: CEL folds it
	}
	one := oneOf{name: name}
	for _, v := range elements {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		one.values = append(one.values, s)
	}
	return one
}

// nameIn gives the declared name that e is, when it is nothing else.
func nameIn(a *ast.AST, e ast.Expr) (string, bool) {
	if e.Kind() != ast.IdentKind && (e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly()) {
		return "", false
	}
	ref, ok := a.ReferenceMap()[e.ID()]
	if !ok || ref.Name == "" || ref.Value != nil || len(ref.OverloadIDs) > 0 {
		return "", false
	}
	return ref.Name, true
}

func constant(e ast.Expr) (any, bool) {
	if e.Kind() != ast.LiteralKind {
		return nil, false
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return string(v), true
	case types.Bool:
		return bool(v), true
	case types.Int:
		return int64(v), true
	case types.Double:
		return float64(v), v == v
	}
	return nil, false
}

type isTrue struct{ name string }

func (n isTrue) eval(k Known) truth {
	v, ok := k.ResolveName(n.name)
	if !ok {
		return dunno
	}
	switch v {
	case true:
		return yes
	case false:
		return no
	}
	return askCEL
}

type both struct{ x, y node }

func (n both) eval(k Known) truth {
	x := n.x.eval(k)
	if x == no || x == askCEL {
		return x
	}
	if y := n.y.eval(k); y != yes {
		return y
	}
	return x
}

type either struct{ x, y node }

func (n either) eval(k Known) truth {
	x := n.x.eval(k)
	if x == yes || x == askCEL {
		return x
	}
	if y := n.y.eval(k); y != no {
		return y
	}
	return x
}

type negate struct{ x node }

func (n negate) eval(k Known) truth {
	switch t := n.x.eval(k); t {
	case yes:
		return no
	case no:
		return yes
	default:
		return t
	}
}

type comparison struct {
	name                 string
	value                any
	less, equal, greater bool // the outcomes for which it is true
}

func (n comparison) eval(k Known) truth {
	v, ok := k.ResolveName(n.name)
	if !ok {
		return dunno
	}
	return n.compared(v)
}

// compared compares a value with the constant.
func (n comparison) compared(v any) truth {
	c, ok := compare(v, n.value)
	if !ok {
		return askCEL
	}
	if c < 0 && n.less || c == 0 && n.equal || c > 0 && n.greater {
		return yes
	}
	return no
}

// sameAs compares the values of two names.
type sameAs struct {
	name, other string
	not         bool
}

func (n sameAs) eval(k Known) truth {
	v, ok := k.ResolveName(n.name)
	w, ok2 := k.ResolveName(n.other)
	if !ok || !ok2 {
		return dunno
	}
	c, ok := compare(v, w)
	if !ok {
		return askCEL
	}
	if (c == 0) != n.not {
		return yes
	}
	return no
}

// compare orders two values of one type, and numbers of two; false when CEL knows better.
func compare(a, b any) (int, bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case bool:
		b, ok := b.(bool)
		return truthRank(a) - truthRank(b), ok
	case int64:
		switch b := b.(type) {
		case int64:
			return sign(a, b), true
		case float64:
			return sign(float64(a), b), exactFloat(a)
		}
	case float64:
		if a != a {
			return 0, false
		}
		switch b := b.(type) {
		case float64:
			return sign(a, b), b == b
		case int64:
			return sign(a, float64(b)), exactFloat(b)
		}
	case time.Time:
		b, ok := b.(time.Time)
		return a.Compare(b), ok
	}
	return 0, false
}

func exactFloat(i int64) bool { return i <= 1<<53 && i >= -(1<<53) }

func sign[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func truthRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

type oneOf struct {
	name   string
	values []string
}

func (n oneOf) eval(k Known) truth {
	v, ok := k.ResolveName(n.name)
	if !ok {
		return dunno
	}
	s, ok := v.(string)
	if !ok {
		return askCEL
	}
	for _, x := range n.values {
		if x == s {
			return yes
		}
	}
	return no
}

type contains struct{ name, value string }

func (n contains) eval(k Known) truth {
	v, ok := k.ResolveName(n.name)
	if !ok {
		return dunno
	}
	list, ok := v.([]string)
	if !ok {
		return askCEL
	}
	for _, s := range list {
		if s == n.value {
			return yes
		}
	}
	return no
}
