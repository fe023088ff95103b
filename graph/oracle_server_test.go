package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// worldOf is the data of one request.
type worldOf struct {
	w      *world
	schema *ast.Schema
}

type worldKey struct{}

// object gives what a root argument names; nil when there is none.
func (w worldOf) object(typ, argument string) Object {
	if o := w.w.root(typ, argument); o != nil {
		return worldView{w.w, o, w.schema, false}
	}
	return nil
}

// answer writes what a root argument names; an error when there is none.
func (w worldOf) answer(ctx context.Context, typ, argument string) (*Answer, error) {
	o := w.object(typ, argument)
	if o == nil {
		return nil, &tutti.Error{Code: tutti.NotFound, Message: "Nothing there."}
	}
	return NewAnswer(ctx, o), nil
}

// worldRoot resolves from the world of the request.
type worldRoot struct{ ResolverRoot }

func (worldRoot) Query() QueryResolver { return worldQuery{} }

type worldQuery struct{ QueryResolver }

func worldIn(ctx context.Context) worldOf {
	w, _ := ctx.Value(worldKey{}).(worldOf)
	return w
}

func (worldQuery) Experience(ctx context.Context, composition string, _ any, _ string, _ *string, _ *ContextInput, _ []string, _ *PagePart, _ []*SlotHash, _ *PreviewInput) (*Answer, error) {
	w := worldIn(ctx)
	sel := SelectionOf(ctx)
	if o := w.w.root("Experience", composition); o != nil && w.w.calm && sel.Keeps() {
		return w.kept(ctx, sel, o), nil
	}
	return w.answer(ctx, "Experience", composition)
}

// kept sends the answer that an earlier request left, or makes one and leaves it.
func (w worldOf) kept(ctx context.Context, sel *Selection, o *worldObject) *Answer {
	whole, key := wholeView{worldView{w.w, o, w.schema, true}}, fmt.Sprintf("%d of %p", sel.number, o)
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	if r := w.w.ready[key]; r != nil {
		return r.Answer(ctx, sel, whole)
	}
	a, r := NewReadyAnswer(ctx, sel, whole)
	if r == nil {
		if d := directFrom(ctx); d != nil && len(d.errors) == 0 || d == nil && len(graphql.GetErrors(ctx)) == 0 {
			panic("nothing is missing, and still it is not kept")
		}
		return a // a variable was null where a value must be
	}
	ready := r.on(nil)
	w.w.ready[key] = &ready
	return a
}

func (worldQuery) Search(ctx context.Context, source, _ string, _ *string, _ *int, _, _, _ *string, _ *ContextInput) (*Answer, error) {
	return worldIn(ctx).answer(ctx, "ResourceConnection", source)
}

func (worldQuery) Routes(ctx context.Context, channel string, _ *string, _ *int, _ *string) (*Answer, error) {
	return worldIn(ctx).answer(ctx, "RouteConnection", channel)
}

func (worldQuery) More(ctx context.Context, cursor string, _ *int, _ *ContextInput) (*Answer, error) {
	return NewAnswer(ctx, worldIn(ctx).object("ResourceConnection", cursor)), nil
}

func (worldQuery) Route(ctx context.Context, path, _ string, _ *string, _ *ContextInput, _ []string, _ *PagePart, _ []*SlotHash, _ *PreviewInput) (RouteAnswer, error) {
	if a := NewAnswer(ctx, worldIn(ctx).object("RouteResult", path)); a != nil {
		return a, nil
	}
	return nil, nil //nolint:nilnil // no route
}

func (worldQuery) Resource(ctx context.Context, ref tutti.Ref, _, _ *string, _ *ContextInput, _ *PreviewInput) (ResourceAnswer, error) {
	if a := NewAnswer(ctx, worldIn(ctx).object("Resource", ref.String())); a != nil {
		return a, nil
	}
	return nil, nil
}

func (worldQuery) Resources(ctx context.Context, refs []*tutti.Ref, _, _ *string, _ *ContextInput, _ *PreviewInput) ([]ResourceAnswer, error) {
	w := worldIn(ctx)
	list := make([]Object, len(refs))
	for i, r := range refs {
		list[i] = w.object("Resource", r.String())
	}
	out := make([]ResourceAnswer, len(refs))
	for i, a := range NewAnswers(ctx, list) {
		if a != nil {
			out[i] = a
		}
	}
	return out, nil
}
