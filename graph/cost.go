package graph

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// cost estimates how many fields the answer has when every list is as long as its first (or its
// refs) says. It refuses a first above the limit or below zero, and an answer above Limits.Cost.
// fixed reports that no variable was asked, so that the outcome holds for every request.
func cost(op *ast.OperationDefinition, vars map[string]any, l Limits) (fixed bool, err *tutti.Error) {
	c := &coster{limits: l, vars: vars, fixed: true, fragments: map[*ast.FragmentDefinition]int{}}
	n := c.set(op.SelectionSet)
	if c.err == nil && n > l.Cost {
		c.err = &tutti.Error{
			Code: tutti.TooComplex, Message: "the answer could become too large: about " + strconv.Itoa(min(n, math.MaxInt32)) + " fields.",
			Hint: "At most " + strconv.Itoa(l.Cost) + " are allowed. Ask for shorter lists (first) or fewer fields.",
		}
	}
	return c.fixed, c.err
}

type coster struct {
	limits    Limits
	vars      map[string]any
	fixed     bool
	fragments map[*ast.FragmentDefinition]int
	err       *tutti.Error
}

const costCeiling = 1 << 40 // products of two stay within int64

func (c *coster) set(set ast.SelectionSet) int {
	n := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n += 1 + min(costCeiling, c.length(s)*c.set(s.SelectionSet))
		case *ast.InlineFragment:
			n += c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			if s.Definition == nil {
				continue
			}
			of, ok := c.fragments[s.Definition]
			if !ok {
				of = c.set(s.Definition.SelectionSet)
				c.fragments[s.Definition] = of
			}
			n += of
		}
		n = min(n, costCeiling)
	}
	return n
}

// length is how many items a field's list may have; 1 when the field does not say.
func (c *coster) length(f *ast.Field) int {
	n := 1
	for _, a := range f.Arguments {
		switch a.Name {
		case "first":
			v, ok := c.number(a.Value)
			if ok {
				n = c.check(f, "first", v)
			}
		case "refs":
			switch a.Value.Kind {
			case ast.ListValue:
				n = c.check(f, "refs", len(a.Value.Children))
			case ast.Variable:
				c.fixed = false
				if list, ok := c.vars[a.Value.Raw].([]any); ok {
					n = c.check(f, "refs", len(list))
				}
			}
		}
	}
	return n
}

func (c *coster) check(f *ast.Field, arg string, n int) int {
	if n >= 0 && n <= c.limits.First {
		return max(n, 1)
	}
	if c.err == nil {
		field := f.Alias + "." + arg
		if n < 0 {
			c.err = &tutti.Error{Code: tutti.InvalidValue, Field: field, Message: arg + " is below zero.", Hint: "Write a number from 0 to " + strconv.Itoa(c.limits.First) + "."}
		} else {
			c.err = &tutti.Error{
				Code: tutti.TooComplex, Field: field, Message: "more items than one list may have.",
				Hint: "Ask for " + strconv.Itoa(c.limits.First) + " at most, then for the next page.",
			}
		}
	}
	return 1
}

func (c *coster) number(v *ast.Value) (int, bool) {
	switch v.Kind {
	case ast.IntValue:
		n, err := strconv.ParseInt(v.Raw, 10, 64)
		if err != nil {
			return math.MaxInt32, true
		}
		return int(n), true
	case ast.Variable:
		c.fixed = false
		switch n := c.vars[v.Raw].(type) {
		case int64:
			return int(n), true
		case int:
			return n, true
		case json.Number:
			i, err := n.Int64()
			return int(i), err == nil
		}
	}
	return 0, false
}
