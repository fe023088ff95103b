package resolvers

import (
	"bytes"
	"context"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Audiences(ctx context.Context) ([]*graph.Audience, error) {
	drafts, err := q.Store.Drafts(ctx, tutti.AudienceDocument)
	if err != nil {
		return nil, err
	}
	list := []*graph.Audience{}
	for _, d := range drafts {
		a, err := q.audienceModel(ctx, d)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func (r *Resolvers) audienceModel(ctx context.Context, d tutti.Draft) (*graph.Audience, error) {
	a, err := decode[tutti.Audience](d.Body)
	if err != nil {
		return nil, err
	}
	v, ok, err := r.published(ctx, tutti.AudienceDocument, d.Name)
	if err != nil {
		return nil, err
	}
	return &graph.Audience{
		Name: d.Name, Description: text(a.Description), Rule: a.Rule, Revision: d.Revision, Published: ok && bytes.Equal(v.Body, d.Body),
	}, nil
}

func (m mutation) SaveAudience(ctx context.Context, name string, description *string, rule string, revision int) (*graph.Audience, error) {
	a := tutti.Audience{Name: name, Description: valueOf(description), Rule: rule}
	if err := refused(m.Library.CheckAudience(a)); err != nil {
		return nil, err
	}
	body, err := encode(a)
	if err != nil {
		return nil, err
	}
	d, err := m.Store.SaveDraft(ctx, tutti.Draft{Kind: tutti.AudienceDocument, Name: name, Body: body, Revision: revision}, by(ctx), m.Now())
	if err != nil {
		return nil, err
	}
	return m.audienceModel(ctx, d)
}

func (m mutation) PublishAudience(ctx context.Context, name string, revision int, note *string) (*graph.Audience, error) {
	d, err := m.Store.Draft(ctx, tutti.AudienceDocument, name)
	if err != nil {
		return nil, err
	}
	a, err := decode[tutti.Audience](d.Body)
	if err != nil {
		return nil, err
	}
	if err := refused(m.Library.CheckAudience(a)); err != nil {
		return nil, err
	}
	if err := m.publish(ctx, tutti.AudienceDocument, name, revision, nil, note); err != nil {
		return nil, err
	}
	return m.audienceModel(ctx, d)
}

func (m mutation) UnpublishAudience(ctx context.Context, name string) (*graph.Audience, error) {
	if users := m.Library.AudienceUsedBy(name); len(users) > 0 {
		return nil, &tutti.Error{
			Code: tutti.Conflict, Field: "name", Message: "the audience " + name + " is used by " + strings.Join(users, ", ") + ".",
			Hint: "Take it out of their rules and publish them first.",
		}
	}
	if err := m.Store.Unpublish(ctx, tutti.AudienceDocument, name, by(ctx), m.Now()); err != nil {
		return nil, err
	}
	if err := m.Reload(ctx); err != nil {
		return nil, err
	}
	d, err := m.Store.Draft(ctx, tutti.AudienceDocument, name)
	if err != nil {
		return nil, err
	}
	return m.audienceModel(ctx, d)
}
