package expr

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// reads finds what an expression reads: the longest field paths from its variables, elements of
// a list counting as the list (hotel.images.map(i, i.alt) reads hotel.images and
// hotel.images.alt).
type reads struct {
	paths [][]string
	bound map[string][][]string // comprehension variables → the paths that they stand for
}

func pathsOf(e ast.Expr) [][]string {
	r := reads{bound: map[string][][]string{}}
	r.note(r.walk(e))
	slices.SortFunc(r.paths, func(a, b []string) int { return slices.Compare(a, b) })
	return slices.CompactFunc(r.paths, func(a, b []string) bool { return slices.Equal(a, b) })
}

func (r *reads) note(paths [][]string) { r.paths = append(r.paths, paths...) }

// walk notes what is read below e and gives the paths that e itself stands for, not noted yet.
func (r *reads) walk(e ast.Expr) [][]string {
	switch e.Kind() {
	case ast.IdentKind:
		name := strings.TrimPrefix(e.AsIdent(), ".")
		if paths, ok := r.bound[name]; ok {
			return paths
		}
		return [][]string{{name}}
	case ast.SelectKind:
		s := e.AsSelect()
		return step(r.walk(s.Operand()), s.FieldName())
	case ast.CallKind:
		return r.call(e.AsCall())
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			r.note(r.walk(x))
		}
	case ast.MapKind:
		for _, x := range e.AsMap().Entries() {
			r.note(r.walk(x.AsMapEntry().Key()))
			r.note(r.walk(x.AsMapEntry().Value()))
		}
	case ast.StructKind:
		for _, x := range e.AsStruct().Fields() {
			r.note(r.walk(x.AsStructField().Value()))
		}
	case ast.ComprehensionKind:
		r.comprehension(e.AsComprehension())
	}
	return nil
}

func (r *reads) call(c ast.CallExpr) [][]string {
	args := c.Args()
	switch c.FunctionName() {
	case "_[_]", "_[?_]", "_?._":
		at := r.walk(args[0])
		if args[1].Kind() == ast.LiteralKind {
			if s, ok := args[1].AsLiteral().(types.String); ok {
				return step(at, string(s))
			}
			return at
		}
		r.note(r.walk(args[1]))
		return at
	case "path":
		at := r.walk(args[0])
		if len(args) == 2 && args[1].Kind() == ast.LiteralKind {
			if s, ok := args[1].AsLiteral().(types.String); ok {
				for _, name := range strings.Split(string(s), ".") {
					if _, err := strconv.Atoi(name); err != nil && name != "*" {
						at = step(at, name)
					}
				}
			}
		}
		return at
	case "_?_:_":
		r.note(r.walk(args[0]))
		return append(slices.Clone(r.walk(args[1])), r.walk(args[2])...)
	case "first", "last", "value", "orValue", "or", "slice", "sort", "distinct", "reverse", "optional.of", "optional.ofNonZeroValue":
		var at [][]string
		if c.IsMemberFunction() {
			at = slices.Clone(r.walk(c.Target()))
		}
		for _, x := range args {
			at = append(at, r.walk(x)...)
		}
		return at
	}
	if c.IsMemberFunction() {
		r.note(r.walk(c.Target()))
	}
	for _, x := range args {
		r.note(r.walk(x))
	}
	return nil
}

func (r *reads) comprehension(c ast.ComprehensionExpr) {
	over := r.walk(c.IterRange())
	r.note(over)
	init := r.walk(c.AccuInit())
	r.note(init)
	defer r.bind(c.IterVar(), over)()
	if c.HasIterVar2() {
		defer r.bind(c.IterVar2(), over)()
	}
	defer r.bind(c.AccuVar(), init)() // cel.bind(x, hotel.image, x.alt) is an accumulator
	r.note(r.walk(c.LoopCondition()))
	r.note(r.walk(c.LoopStep()))
	r.note(r.walk(c.Result()))
}

func (r *reads) bind(name string, to [][]string) (undo func()) {
	was, had := r.bound[name]
	r.bound[name] = to
	return func() {
		if had {
			r.bound[name] = was
		} else {
			delete(r.bound, name)
		}
	}
}

func step(paths [][]string, name string) [][]string {
	longer := make([][]string, len(paths))
	for i, p := range paths {
		longer[i] = append(slices.Clone(p), name)
	}
	return longer
}

// plainPath gives the steps when the expression is nothing but a variable and fields of it.
func plainPath(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{strings.TrimPrefix(e.AsIdent(), ".")}, true
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return nil, false
		}
		head, ok := plainPath(s.Operand())
		return append(head, s.FieldName()), ok
	}
	return nil, false
}
