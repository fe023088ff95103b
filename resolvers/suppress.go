package resolvers

import (
	"context"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

func (m mutation) Suppress(ctx context.Context, ref tutti.Ref, until *time.Time, reason string) (*graph.SuppressPayload, error) {
	ref, err := m.Sources.Canonical(ref)
	if err != nil {
		return nil, err
	}
	s := tutti.Suppression{Ref: ref, Until: valueOf(until), Reason: reason, CreatedBy: keyID(ctx), CreatedAt: m.Now()}
	if err := m.Store.Suppress(ctx, s, m.Sources.Outward(ref.Tag())); err != nil {
		return nil, err
	}
	if err := m.Reload(ctx); err != nil {
		return nil, err
	}
	return &graph.SuppressPayload{Suppression: suppression(s), Touches: touched(m.Library.Touches(engine.Target{Refs: []tutti.Ref{ref}}))}, nil
}

func (m mutation) Unsuppress(ctx context.Context, ref tutti.Ref, reason string) (bool, error) {
	if spelled, err := m.Sources.Canonical(ref); err == nil { // else its kind was taken out of the config since
		ref = spelled
	}
	if err := m.Store.Unsuppress(ctx, ref, m.Sources.Outward(ref.Tag()), reason, keyID(ctx), m.Now()); err != nil {
		return false, err
	}
	return true, m.Reload(ctx)
}

func (q query) Suppressions(ctx context.Context) ([]*graph.Suppression, error) {
	list, err := q.Store.Suppressions(ctx, q.Now())
	if err != nil {
		return nil, err
	}
	out := []*graph.Suppression{}
	for _, s := range list {
		out = append(out, suppression(s))
	}
	return out, nil
}

func suppression(s tutti.Suppression) *graph.Suppression {
	out := &graph.Suppression{Ref: s.Ref, Reason: s.Reason, CreatedBy: s.CreatedBy, CreatedAt: s.CreatedAt}
	if !s.Until.IsZero() {
		out.Until = &s.Until
	}
	return out
}

func (q query) Audit(ctx context.Context, first *int, after *string) (*graph.AuditConnection, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	before, err := readNumberCursor(after)
	if err != nil {
		return nil, err
	}
	lines, err := q.Store.Audit(ctx, n+1, before)
	if err != nil {
		return nil, err
	}
	more := len(lines) > n
	if more {
		lines = lines[:n]
	}
	out := &graph.AuditConnection{Nodes: []*graph.AuditEntry{}, PageInfo: pageInfo(false, 0)}
	for _, l := range lines {
		out.Nodes = append(out.Nodes, &graph.AuditEntry{
			Action: graph.AuditAction(strings.ToUpper(string(l.Action))), Subject: l.Subject, Detail: text(l.Detail), Reason: text(l.Reason), By: l.By, At: l.At,
		})
		out.PageInfo = pageInfo(more, l.ID)
	}
	return out, nil
}
