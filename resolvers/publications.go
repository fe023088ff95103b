package resolvers

import (
	"context"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Publications(ctx context.Context, kind *graph.DocumentKind, name *string, first *int, after *string) (*graph.PublicationConnection, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	before, err := readNumberCursor(after)
	if err != nil {
		return nil, err
	}
	log, err := q.Store.Publications(ctx, tutti.DocumentKind(strings.ToLower(string(valueOf(kind)))), valueOf(name), n+1, before)
	if err != nil {
		return nil, err
	}
	more := len(log) > n
	if more {
		log = log[:n]
	}
	out := &graph.PublicationConnection{Nodes: []*graph.Publication{}, PageInfo: pageInfo(false, 0)}
	for _, p := range log {
		line := &graph.Publication{
			Kind: graph.DocumentKind(strings.ToUpper(string(p.Kind))), Name: p.Name, Version: p.Version, From: p.From, CreatedBy: p.CreatedBy,
		}
		if !p.Until.IsZero() {
			line.Until = &p.Until
		}
		out.Nodes = append(out.Nodes, line)
		out.PageInfo = pageInfo(more, p.ID)
	}
	return out, nil
}
