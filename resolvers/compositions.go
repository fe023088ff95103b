package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Compositions(ctx context.Context, first *int, after *string) (*graph.CompositionConnection, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	from, err := readNumberCursor(after)
	if err != nil {
		return nil, err
	}
	drafts, err := q.Store.Drafts(ctx, tutti.CompositionDocument)
	if err != nil {
		return nil, err
	}
	total := len(drafts)
	start := min(int(from), total)
	end := min(start+n, total)
	list := []*graph.Composition{}
	for _, d := range drafts[start:end] {
		c, err := q.compositionModel(ctx, d)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return &graph.CompositionConnection{Nodes: list, PageInfo: pageInfo(end < total, int64(end)), TotalCount: &total}, nil
}

func (q query) Composition(ctx context.Context, id string) (*graph.Composition, error) {
	d, err := q.Store.Draft(ctx, tutti.CompositionDocument, id)
	if errors.Is(err, tutti.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return q.compositionModel(ctx, d)
}

// compositionModel is a stored composition with its draft and what is published of it now.
func (r *Resolvers) compositionModel(ctx context.Context, d tutti.Draft) (*graph.Composition, error) {
	head, err := decode[struct {
		Type  string          `json:"type"`
		Title json.RawMessage `json:"title"`
	}](d.Body)
	if err != nil {
		return nil, err
	}
	c := &graph.Composition{ID: d.Name, Type: head.Type, Draft: &graph.CompositionDraft{
		Revision: d.Revision, Body: d.Body, UpdatedBy: d.UpdatedBy, UpdatedAt: d.UpdatedAt, Changed: true,
	}}
	if len(head.Title) > 0 {
		c.Title = head.Title
	}
	v, ok, err := r.published(ctx, tutti.CompositionDocument, d.Name)
	if err != nil {
		return nil, err
	}
	if ok {
		c.Published = versionModel(v)
		c.Draft.Changed = !bytes.Equal(v.Body, d.Body)
	}
	return c, nil
}

// published gives the version of a document that counts now, false when it is not published.
func (r *Resolvers) published(ctx context.Context, kind tutti.DocumentKind, name string) (tutti.Version, bool, error) {
	log, err := r.Store.Publications(ctx, kind, name, maxPage, 0)
	if err != nil {
		return tutti.Version{}, false, err
	}
	now := r.Now()
	for _, p := range log {
		if (tutti.Window{From: p.From, Until: p.Until}).Holds(now) {
			v, err := r.Store.Version(ctx, kind, name, p.Version)
			return v, err == nil, err
		}
	}
	return tutti.Version{}, false, nil
}

func versionModel(v tutti.Version) *graph.CompositionVersion {
	return &graph.CompositionVersion{Number: v.Number, Body: v.Body, Note: text(v.Note), CreatedBy: v.CreatedBy, CreatedAt: v.CreatedAt}
}

func (c composition) Versions(ctx context.Context, obj *graph.Composition, first *int, after *string) (*graph.CompositionVersionConnection, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	before, err := readNumberCursor(after)
	if err != nil {
		return nil, err
	}
	versions, err := c.Store.Versions(ctx, tutti.CompositionDocument, obj.ID, n+1, int(before))
	if err != nil {
		return nil, err
	}
	more := len(versions) > n
	if more {
		versions = versions[:n]
	}
	out := &graph.CompositionVersionConnection{Nodes: []*graph.CompositionVersion{}, PageInfo: pageInfo(false, 0)}
	for _, v := range versions {
		out.Nodes = append(out.Nodes, versionModel(v))
		out.PageInfo = pageInfo(more, int64(v.Number))
	}
	return out, nil
}

func (m mutation) SaveComposition(ctx context.Context, id string, body any, revision int) (*graph.SaveCompositionPayload, error) {
	if given, ok := body.(map[string]any); ok && given["id"] == nil { // what is stored names itself, also in files
		named := maps.Clone(given)
		named["id"] = id
		body = named
	}
	raw, err := encode(body)
	if err != nil {
		return nil, err
	}
	problems, warnings := m.Library.CheckComposition(id, raw)
	if err := refused(problems); err != nil {
		return nil, err
	}
	d, err := m.Store.SaveDraft(ctx, tutti.Draft{Kind: tutti.CompositionDocument, Name: id, Body: raw, Revision: revision}, by(ctx), m.Now())
	if err != nil {
		return nil, err
	}
	c, err := m.compositionModel(ctx, d)
	if err != nil {
		return nil, err
	}
	out := &graph.SaveCompositionPayload{Composition: c, Warnings: []*graph.Warning{}}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, &graph.Warning{Path: w.Path, Message: w.Message})
	}
	return out, nil
}

// refused makes one error of all problems of a document, nil for none.
func refused(problems []engine.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p.Err()
	}
	return errors.Join(errs...)
}

func (m mutation) PublishComposition(ctx context.Context, id string, revision int, from *time.Time, note *string) (*graph.Composition, error) {
	d, err := m.Store.Draft(ctx, tutti.CompositionDocument, id)
	if err != nil {
		return nil, err
	}
	problems, _ := m.Library.CheckComposition(id, d.Body) // the config may have changed since it was saved
	if err := refused(problems); err != nil {
		return nil, err
	}
	if err := m.publish(ctx, tutti.CompositionDocument, id, revision, from, note); err != nil {
		return nil, err
	}
	return m.compositionModel(ctx, d)
}

// publish makes a draft count from an instant on, now when nil, and takes it into delivery.
func (r *Resolvers) publish(ctx context.Context, kind tutti.DocumentKind, name string, revision int, from *time.Time, note *string) error {
	now := r.Now()
	start := now
	if from != nil {
		if from.Before(now.Add(-time.Minute)) {
			return &tutti.Error{Code: tutti.InvalidValue, Field: "from", Message: "from lies in the past.", Hint: "Leave it out to publish now."}
		}
		start = *from
	}
	if _, err := r.Store.Publish(ctx, kind, name, revision, start, valueOf(note), by(ctx), now); err != nil {
		return err
	}
	return r.Reload(ctx)
}

func (m mutation) UnpublishComposition(ctx context.Context, id string) (*graph.Composition, error) {
	if err := m.Store.Unpublish(ctx, tutti.CompositionDocument, id, by(ctx), m.Now()); err != nil {
		return nil, err
	}
	if err := m.Reload(ctx); err != nil {
		return nil, err
	}
	return query(m).Composition(ctx, id)
}

func (m mutation) RestoreComposition(ctx context.Context, id string, version, revision int) (*graph.Composition, error) {
	d, err := m.Store.Restore(ctx, tutti.CompositionDocument, id, version, revision, by(ctx), m.Now())
	if err != nil {
		return nil, err
	}
	return m.compositionModel(ctx, d)
}
