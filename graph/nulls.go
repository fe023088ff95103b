package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

// A variable of a nullable type that has a default may stand where null may not (GraphQL
// specification, October 2021, section 5.8.5). When a request sends null for it, what stands there
// has an error (section 6.4.1): a field its own, a directive that of the object around it.

// nullAt finds a variable that is null where a value must be; nil when there is none.
func nullAt(v *ast.Value, vars map[string]any) *tutti.Error {
	if v.Kind == ast.Variable {
		if x, given := vars[v.Raw]; !given || x != nil || !needsValue(v) {
			return nil
		}
		return &tutti.Error{Code: tutti.InvalidValue, Field: v.Raw, Message: "the variable is null where a value must be.", Hint: "Leave it out to have its default, or send a value."}
	}
	for _, c := range v.Children {
		if err := nullAt(c.Value, vars); err != nil {
			return err
		}
	}
	return nil
}

func needsValue(v *ast.Value) bool { return v.ExpectedType != nil && v.ExpectedType.NonNull }

func nullArgument(args ast.ArgumentList, vars map[string]any) *tutti.Error {
	for _, a := range args {
		if err := nullAt(a.Value, vars); err != nil {
			return err
		}
	}
	return nil
}

// nullDirective does the same for the directives that decide whether something is included: @skip
// first, and @include only when that lets it stand.
func nullDirective(ds ast.DirectiveList, vars map[string]any) *tutti.Error {
	if len(ds) == 0 {
		return nil
	}
	skip, include := ds.ForName("skip"), ds.ForName("include")
	if skip != nil {
		if err := nullArgument(skip.Arguments, vars); err != nil {
			return err
		}
		if !Included(ast.DirectiveList{skip}, vars) {
			return nil
		}
	}
	if include != nil {
		return nullArgument(include.Arguments, vars)
	}
	return nil
}

// mayBeNull reports whether some variable of an operation may be null where a value must be.
func mayBeNull(op *ast.OperationDefinition) bool {
	nullable := map[string]bool{}
	for _, d := range op.VariableDefinitions {
		nullable[d.Variable] = !d.Type.NonNull
	}
	seen := map[string]bool{}
	var value func(v *ast.Value) bool
	value = func(v *ast.Value) bool {
		if v.Kind == ast.Variable {
			return nullable[v.Raw] && needsValue(v)
		}
		for _, c := range v.Children {
			if value(c.Value) {
				return true
			}
		}
		return false
	}
	arguments := func(args ast.ArgumentList) bool {
		for _, a := range args {
			if value(a.Value) {
				return true
			}
		}
		return false
	}
	directives := func(ds ast.DirectiveList) bool {
		for _, d := range ds {
			if arguments(d.Arguments) {
				return true
			}
		}
		return false
	}
	var set func(ast.SelectionSet) bool
	set = func(s ast.SelectionSet) bool {
		for _, s := range s {
			switch s := s.(type) {
			case *ast.Field:
				if arguments(s.Arguments) || directives(s.Directives) || set(s.SelectionSet) {
					return true
				}
			case *ast.InlineFragment:
				if directives(s.Directives) || set(s.SelectionSet) {
					return true
				}
			case *ast.FragmentSpread:
				if directives(s.Directives) {
					return true
				}
				if !seen[s.Name] {
					seen[s.Name] = true
					if set(s.Definition.SelectionSet) {
						return true
					}
				}
			}
		}
		return false
	}
	return set(op.SelectionSet)
}

// projected are the types that the projector writes: it finds nulls itself.
var projected = map[string]bool{"Experience": true, "ResourceConnection": true, "RouteConnection": true, "Resource": true, "RouteResult": true, "PlansEvent": true}

// nulls finds what the generic executor would not: it takes null for what it is not, or panics.
type nulls struct {
	vars    map[string]any
	refused map[*ast.Field]*tutti.Error // fields at the top that must not be resolved
	whole   *tutti.Error                // of the whole operation
}

// withoutNulls gives an operation that the generic executor can take; fields at the top whose
// arguments have a null stand in it without arguments, and are noted as refused.
func withoutNulls(op *ast.OperationDefinition, vars map[string]any) (*ast.OperationDefinition, *nulls) {
	n := &nulls{vars: vars, refused: map[*ast.Field]*tutti.Error{}}
	clean := *op
	clean.SelectionSet = n.top(op.SelectionSet)
	return &clean, n
}

func (n *nulls) included(ds ast.DirectiveList) bool {
	if err := nullDirective(ds, n.vars); err != nil {
		if n.whole == nil {
			n.whole = err
		}
		return false
	}
	return Included(ds, n.vars)
}

func (n *nulls) top(set ast.SelectionSet) ast.SelectionSet {
	var out ast.SelectionSet
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if !n.included(s.Directives) {
				continue
			}
			if err := nullArgument(s.Arguments, n.vars); err != nil {
				f := *s
				f.Arguments = nil
				n.refused[&f] = err
				s = &f
			} else if s.Definition != nil && !projected[s.Definition.Type.Name()] {
				n.below(s.SelectionSet)
			}
			out = append(out, s)
		case *ast.InlineFragment:
			if n.included(s.Directives) {
				out = append(out, n.top(s.SelectionSet)...)
			}
		case *ast.FragmentSpread:
			if n.included(s.Directives) {
				out = append(out, n.top(s.Definition.SelectionSet)...)
			}
		}
	}
	return out
}

// below looks for directives inside of what the generic executor writes.
func (n *nulls) below(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if n.included(s.Directives) && s.Definition != nil && !projected[s.Definition.Type.Name()] {
				n.below(s.SelectionSet)
			}
		case *ast.InlineFragment:
			if n.included(s.Directives) {
				n.below(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if n.included(s.Directives) {
				n.below(s.Definition.SelectionSet)
			}
		}
	}
}

// resolver is the resolver middleware for an operation with refused fields.
func (n *nulls) resolver(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx).Field.Field
	if err := n.refused[field]; err != nil {
		return nil, &gqlerror.Error{Err: err, Message: err.Message, Path: graphql.GetPath(ctx), Locations: []gqlerror.Location{location(field.Position)}}
	}
	return nullAsNull(ctx, next)
}
