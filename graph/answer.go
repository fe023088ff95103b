package graph

import (
	"context"
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// Answer is a delivered object, already written to bytes with the selection it was asked with.
// gqlgen passes it on untouched.
type Answer struct {
	data []byte
	sent bool // it stands in the response already
}

// ResourceAnswer is a delivered resource: always an *Answer.
type ResourceAnswer interface{ IsResource() }

// RouteAnswer is what a path leads to: always an *Answer.
type RouteAnswer interface{ IsRouteResult() }

// PlansAnswer is one event of plans: always an *Answer.
type PlansAnswer interface{ IsPlansEvent() }

// IsResource says that an answer may stand where a Resource is expected.
func (*Answer) IsResource() {}

// IsRouteResult says that an answer may stand where a RouteResult is expected.
func (*Answer) IsRouteResult() {}

// IsPlansEvent says that an answer may stand where a PlansEvent is expected.
func (*Answer) IsPlansEvent() {}

// NewAnswer writes obj with the selection set of the field that is being resolved. It gives nil
// when obj is nil, and an answer of null when a null in it reaches the top. Errors inside are
// added to the response with their paths. Call it in a resolver, before it returns: later errors would be lost.
func NewAnswer(ctx context.Context, obj Object) *Answer {
	if obj == nil {
		return nil
	}
	w := writing(ctx, SelectionOf(ctx))
	defer w.end()
	if !w.object(obj) {
		return &Answer{}
	}
	return w.answer()
}

// NewAnswers writes a list of objects, nil for nil, each with its index in error paths.
func NewAnswers(ctx context.Context, objs []Object) []*Answer {
	list := make([]*Answer, len(objs))
	for i, o := range objs {
		if o != nil {
			list[i] = answerAt(ctx, o, i)
		}
	}
	return list
}

func answerAt(ctx context.Context, obj Object, index int) *Answer {
	w := writing(ctx, SelectionOf(ctx))
	defer w.end()
	w.p.push(pathIndex(index))
	if !w.object(obj) {
		return &Answer{}
	}
	return w.answer()
}

// nullAsNull is a resolver middleware. For an answer of null it gives gqlgen's own null, which goes
// up to the next place that may be null. A nil would get a second error where one is told already.
func nullAsNull(ctx context.Context, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	if a, ok := v.(*Answer); ok && a != nil && a.data == nil && !a.sent {
		return graphql.Null, err
	}
	return v, err
}

// MarshalGQL writes the bytes; null for nil and for an answer of null.
func (a *Answer) MarshalGQL(w io.Writer) {
	if a == nil || a.data == nil {
		_, _ = io.WriteString(w, "null")
		return
	}
	_, _ = w.Write(a.data)
}

// UnmarshalGQL refuses: an answer is never an input.
func (a *Answer) UnmarshalGQL(any) error { return errors.New("an answer is not an input") }
