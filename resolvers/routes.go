package resolvers

import (
	"context"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Route(ctx context.Context, path, channel string, locale *string, in *graph.ContextInput, supports []string, part *graph.PagePart, ifNoneMatch []*graph.SlotHash, preview *graph.PreviewInput) (graph.RouteAnswer, error) {
	req, err := q.request(ctx, &channel, locale, in, preview)
	if err != nil {
		return nil, err
	}
	if err := req.wants(ctx, supports, part, ifNoneMatch); err != nil {
		return nil, err
	}
	m, ok := q.Library.Route(path, req.Locale, req.At)
	if !ok {
		sayAsked(ctx, nil)
		return nil, nil
	}
	if m.Redirect != nil {
		sayAsked(ctx, nil)
		return routeAnswer(graph.NewAnswer(ctx, fields{"RouteRedirect", map[string]any{"to": m.Redirect.To, "permanent": m.Redirect.Permanent}})), nil
	}
	if m.Locale != "" { // the path names the language
		if req.Locale, req.chain, err = q.Engine.ResolveLocale(m.Locale); err != nil {
			return nil, err
		}
	}
	c := m.Compiled
	if req.Preview.Draft {
		if c, err = q.compiled(ctx, c.ID, req); err != nil {
			return nil, err
		}
	}
	x, err := q.assemble(ctx, c, m.Params, req, graph.SelectionOf(ctx), "experience")
	if err != nil {
		return nil, err
	}
	alternates := make([]graph.Object, len(m.Alternates))
	for i, a := range m.Alternates {
		alternates[i] = fields{"Alternate", map[string]any{"locale": a.Locale, "path": a.Path}}
	}
	return routeAnswer(graph.NewAnswer(ctx, fields{"RoutePage", map[string]any{"experience": x, "canonical": m.Canonical, "alternates": alternates}})), nil
}

// routeAnswer gives nil, not a typed nil, for no answer.
func routeAnswer(a *graph.Answer) graph.RouteAnswer {
	if a == nil {
		return nil
	}
	return a
}

func (q query) Routes(ctx context.Context, channel string, locale *string, first *int, after *string) (*graph.Answer, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	req, err := q.request(ctx, &channel, locale, nil, nil)
	if err != nil {
		return nil, err
	}
	found, err := q.Library.Routes(ctx, req.Locale, n, valueOf(after))
	if err != nil {
		return nil, err
	}
	for _, p := range found.Problems { // a site map with holes in it would take pages off the web
		return nil, &tutti.Error{Code: p.Code, Message: p.Message}
	}
	nodes := make([]graph.Object, len(found.Entries))
	for i, e := range found.Entries {
		nodes[i] = fields{"RouteEntry", map[string]any{"path": e.Path, "locale": e.Locale, "composition": e.Composition, "params": e.Params}}
	}
	info := fields{"PageInfo", map[string]any{"endCursor": orNull(found.Next), "hasNextPage": found.Next != ""}}
	return graph.NewAnswer(ctx, fields{"RouteConnection", map[string]any{"nodes": nodes, "pageInfo": info}}), nil
}
