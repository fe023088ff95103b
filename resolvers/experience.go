package resolvers

import (
	"context"
	"errors"
	"slices"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Experience(ctx context.Context, id string, params any, channel string, locale *string, in *graph.ContextInput, supports []string, part *graph.PagePart, ifNoneMatch []*graph.SlotHash, preview *graph.PreviewInput) (*graph.Answer, error) {
	req, err := q.request(ctx, &channel, locale, in, preview)
	if err != nil {
		return nil, err
	}
	if err := req.wants(ctx, supports, part, ifNoneMatch); err != nil {
		return nil, err
	}
	c, err := q.compiled(ctx, id, req)
	if err != nil {
		return nil, err
	}
	checked, err := checkParams(c, params)
	if err != nil {
		return nil, err
	}
	return q.deliver(ctx, c, checked, req)
}

// checkParams checks what a request gives as params.
func checkParams(c *engine.Compiled, params any) (tutti.Params, error) {
	given, ok := params.(map[string]any)
	if params != nil && !ok {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "params", Message: "params must be an object.", Hint: `Write, for example, {hotel: "stay:hotel/azul"}.`}
	}
	return c.CheckParams(given)
}

// compiled gives a composition as the request looks at it: published, or its draft where there
// is one.
func (r *Resolvers) compiled(ctx context.Context, id string, req *request) (*engine.Compiled, error) {
	if req.Preview.Draft {
		d, err := r.Store.Draft(ctx, tutti.CompositionDocument, id)
		if err == nil {
			return r.draft(ctx, d, req)
		}
		if !errors.Is(err, tutti.NotFound) {
			return nil, err
		}
	}
	return r.Library.Composition(id, req.At)
}

// draft compiles a composition's draft, with the audiences as they are being edited.
func (r *Resolvers) draft(ctx context.Context, d tutti.Draft, req *request) (*engine.Compiled, error) {
	drafts, err := r.Store.Drafts(ctx, tutti.AudienceDocument)
	if err != nil {
		return nil, err
	}
	audiences := make([]engine.Doc, len(drafts))
	for i, a := range drafts {
		audiences[i] = document(a)
	}
	return r.Library.Draft(document(d), audiences, req.At)
}

func document(d tutti.Draft) engine.Doc {
	return engine.Doc{Kind: d.Kind, Name: d.Name, Version: d.Revision, Body: d.Body}
}

// wants notes what of a page is wanted, and in which form.
func (q *request) wants(ctx context.Context, supports []string, part *graph.PagePart, ifNoneMatch []*graph.SlotHash) (err error) {
	if part != nil && *part != graph.PagePartAll {
		q.part = tutti.PagePart(*part)
	}
	if q.Supports, err = tutti.ParseSupports(supports); err != nil {
		return err
	}
	if len(ifNoneMatch) == 0 {
		return nil
	}
	return q.have(ifNoneMatch, graph.SelectionOf(ctx))
}

// assemble goes the way of one query: learn, decide, gather and shape, fill. path leads from the
// selected object to the experience.
func (r *Resolvers) assemble(ctx context.Context, c *engine.Compiled, params tutti.Params, req *request, sel *graph.Selection, path ...string) (graph.Object, error) {
	if err := c.CheckForced(req.Preview.Forced); err != nil {
		return nil, err
	}
	facts, problems := r.Engine.Learn(ctx, c, params, req.Context)
	plan, why := c.Decide(params, req.Context, facts)
	engine.Only(&plan, req.part)
	need := needOf(sel, path...)
	x, err := r.Engine.Assemble(ctx, plan, need)
	if err != nil {
		return nil, err
	}
	fills := c.FillsOf(&plan, facts)
	r.say(ctx, said{c: c, facts: facts, freshness: x.Freshness, basis: x.Basis, until: plan.Until, personal: private(x) || naming(fills), lacking: len(req.problems)+len(problems)+len(x.Problems) > 0})
	x = r.Engine.FillMade(x, fills)
	if len(req.problems)+len(problems) > 0 {
		x.Problems = slices.Concat(req.problems, problems, x.Problems)
	}
	o := &experienceObject{x: x, why: why, channel: plan.Channel, locale: plan.Locale, until: plan.Until, holds: holds(need, c, plan.Until, params, req.Context, facts), props: r.props}
	return r.whole(o, sel, req), nil
}

func (q query) More(ctx context.Context, cursor string, first *int, in *graph.ContextInput) (*graph.Answer, error) {
	n, err := pageSize(first, 0, "Leave it out for as many as before.")
	if err != nil {
		return nil, err
	}
	req, err := q.request(ctx, nil, nil, in, nil)
	if err != nil {
		return nil, err
	}
	private, err := q.mayGoOn(ctx, cursor)
	if err != nil {
		return nil, err
	}
	list, err := q.Engine.More(ctx, cursor, n, q.Engine.Owner(ctx, req.Context, private...), listNeed(ctx))
	if err != nil {
		return nil, err
	}
	sayAsked(ctx, private)
	return graph.NewAnswer(ctx, listObject(list, 0)), nil
}

// mayGoOn checks that this viewer may have what a cursor goes on in, whoever got the cursor: a
// search as searches are checked, a draft as previews are. Where the list belongs to a visitor it
// gives the source, whose name of this visitor is needed then.
func (r *Resolvers) mayGoOn(ctx context.Context, cursor string) (private []string, err error) {
	of, ok := r.Engine.Cursor(cursor)
	if !ok {
		return nil, nil // More says what is wrong with it
	}
	if of.Search {
		if _, err := r.exposed(ctx, of.Source, of.Kind); err != nil {
			return nil, err
		}
	}
	if of.Draft && !graph.ViewerFrom(ctx).Editing() {
		return nil, &tutti.Error{Code: tutti.Forbidden, Field: "cursor", Message: "this cursor belongs to a draft.", Hint: "Ask with a preview key, or for the published experience."}
	}
	if of.Private {
		private = []string{of.Source}
	}
	return private, nil
}
