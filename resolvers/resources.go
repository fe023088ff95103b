package resolvers

import (
	"context"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Resource(ctx context.Context, ref tutti.Ref, locale, channel *string, in *graph.ContextInput, preview *graph.PreviewInput) (graph.ResourceAnswer, error) {
	found, err := q.lookUp(ctx, []tutti.Ref{ref}, locale, channel, in, preview)
	if err != nil || found[0] == nil {
		return nil, err
	}
	answer := graph.NewAnswer(ctx, found[0])
	if answer == nil {
		return nil, nil
	}
	return answer, nil
}

func (q query) Resources(ctx context.Context, refs []*tutti.Ref, locale, channel *string, in *graph.ContextInput, preview *graph.PreviewInput) ([]graph.ResourceAnswer, error) {
	if len(refs) > maxPage {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "refs", Message: "at most 100 refs may be asked for at once.", Hint: "Ask in several requests."}
	}
	asked := make([]tutti.Ref, len(refs))
	for i, r := range refs {
		asked[i] = *r
	}
	found, err := q.lookUp(ctx, asked, locale, channel, in, preview)
	if err != nil {
		return nil, err
	}
	list := make([]graph.ResourceAnswer, len(found))
	for i, a := range graph.NewAnswers(ctx, found) {
		if a != nil {
			list[i] = a
		}
	}
	return list, nil
}

// lookUp gives resources in the order asked; nil for what is not there or not for this viewer.
func (q query) lookUp(ctx context.Context, refs []tutti.Ref, locale, channel *string, in *graph.ContextInput, preview *graph.PreviewInput) ([]graph.Object, error) {
	req, err := q.request(ctx, channel, locale, in, preview)
	if err != nil {
		return nil, err
	}
	var private []string
	for _, ref := range refs {
		owned, err := q.exposed(ctx, ref.Source, ref.Kind)
		if err != nil {
			return nil, err
		}
		private = append(private, owned...)
	}
	found, problems, err := q.Engine.Resources(ctx, refs, req.view(q.Engine.Owner(ctx, req.Context, private...)), resourceNeed(ctx))
	if err != nil {
		return nil, err
	}
	for _, p := range problems { // what a source cannot answer is an error; what is not there is null
		if !p.Code.NoItem() && p.Field == "" { // a field that cannot be read is told in place
			return nil, &tutti.Error{Code: p.Code, Message: p.Message}
		}
	}
	sayAsked(ctx, private)
	list := make([]graph.Object, len(found))
	for i, d := range found {
		if d != nil {
			list[i] = resourceObject{d}
		}
	}
	return list, nil
}

// exposed checks that a viewer may ask for items of a kind by ref or search. Where they belong
// to visitors it gives the source, whose name of this visitor is needed then.
func (r *Resolvers) exposed(ctx context.Context, source, kind string) (private []string, err error) {
	k, ok := r.Deps.Sources.Kind(source, kind)
	if !ok {
		return nil, &tutti.Error{Code: tutti.UnknownSource, Message: "no source " + source + " with a kind " + kind + " is configured.", Hint: "The query sources lists them."}
	}
	if !k.Expose && !graph.ViewerFrom(ctx).Editing() {
		return nil, &tutti.Error{
			Code: tutti.Forbidden, Message: "the kind " + source + ":" + kind + " is reached through experiences only.",
			Hint: "Ask for an experience, or let the operator write  expose: delivery  for this kind.",
		}
	}
	if k.Access == tutti.AccessVisitor {
		private = []string{source}
	}
	return private, nil
}

func (q query) Search(ctx context.Context, source, kind string, words *string, first *int, after, locale, channel *string, in *graph.ContextInput) (*graph.Answer, error) {
	n, err := pageSize(first, 20, nextWithAfter)
	if err != nil {
		return nil, err
	}
	req, err := q.request(ctx, channel, locale, in, nil)
	if err != nil {
		return nil, err
	}
	private, err := q.exposed(ctx, source, kind)
	if err != nil {
		return nil, err
	}
	sel := tutti.Selection{Source: source, Kind: kind, Text: valueOf(words), First: n, After: valueOf(after)}
	list, err := q.Engine.Search(ctx, sel, req.view(q.Engine.Owner(ctx, req.Context, private...)), listNeed(ctx))
	if err != nil {
		return nil, err
	}
	sayAsked(ctx, private)
	return graph.NewAnswer(ctx, listObject(list, 0)), nil
}
