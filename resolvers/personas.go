package resolvers

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Personas(ctx context.Context) ([]*graph.Persona, error) {
	drafts, err := q.Store.Drafts(ctx, tutti.PersonaDocument)
	if err != nil {
		return nil, err
	}
	list := []*graph.Persona{}
	for _, d := range drafts {
		_, ok, err := q.published(ctx, tutti.PersonaDocument, d.Name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // taken away
		}
		p, err := personaModel(d)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func personaModel(d tutti.Draft) (*graph.Persona, error) {
	p, err := decode[tutti.Persona](d.Body)
	if err != nil {
		return nil, err
	}
	m := &graph.Persona{
		Name: d.Name, Description: text(p.Description), Visitor: text(p.Visitor), Market: text(p.Market), Currency: text(p.Currency),
		Locale: text(p.Locale), Attributes: p.Attributes, Consent: []graph.Purpose{}, Revision: d.Revision,
	}
	if p.Attributes == nil {
		m.Attributes = map[string]any{}
	}
	if p.Location != nil {
		m.Location = &graph.Location{Lat: p.Location.Lat, Lon: p.Location.Lon}
	}
	for purpose, given := range p.Consent {
		if given {
			m.Consent = append(m.Consent, graph.Purpose(strings.ToUpper(string(purpose))))
		}
	}
	slices.Sort(m.Consent)
	return m, nil
}

func (m mutation) SavePersona(ctx context.Context, name string, in graph.PersonaInput, revision int) (*graph.Persona, error) {
	attributes, ok := in.Attributes.(map[string]any)
	if in.Attributes != nil && !ok {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "persona.attributes", Message: "attributes must be an object.", Hint: `Write, for example, {"tier": "gold"}.`}
	}
	p := tutti.Persona{
		Name: name, Description: valueOf(in.Description), Visitor: valueOf(in.Visitor), Market: valueOf(in.Market), Currency: valueOf(in.Currency),
		Locale: valueOf(in.Locale), Attributes: attributes, Location: place(in.Location), Consent: consent(in.Consent),
	}
	if err := refused(m.Library.CheckPersona(p)); err != nil {
		return nil, err
	}
	body, err := encode(p)
	if err != nil {
		return nil, err
	}
	d, err := m.saveAndPublish(ctx, tutti.PersonaDocument, name, body, revision)
	if err != nil {
		return nil, err
	}
	return personaModel(d)
}

// saveAndPublish is for documents that need no review: they count as soon as they are saved.
func (r *Resolvers) saveAndPublish(ctx context.Context, kind tutti.DocumentKind, name string, body []byte, revision int) (tutti.Draft, error) {
	d, err := r.Store.SaveDraft(ctx, tutti.Draft{Kind: kind, Name: name, Body: body, Revision: revision}, by(ctx), r.Now())
	if err != nil {
		return d, err
	}
	return d, r.publish(ctx, kind, name, d.Revision, nil, nil)
}

func (m mutation) DeletePersona(ctx context.Context, name string) (bool, error) {
	err := m.Store.Unpublish(ctx, tutti.PersonaDocument, name, by(ctx), m.Now())
	if errors.Is(err, tutti.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, m.Reload(ctx)
}

func place(in *graph.PlaceInput) *tutti.Place {
	if in == nil {
		return nil
	}
	return &tutti.Place{Lat: in.Lat, Lon: in.Lon}
}

func consent(in *graph.ConsentInput) tutti.Consent {
	c := tutti.Consent{}
	if in == nil {
		return c
	}
	for purpose, given := range map[tutti.Purpose]*bool{tutti.Personalization: in.Personalization, tutti.Analytics: in.Analytics, tutti.Marketing: in.Marketing} {
		if valueOf(given) {
			c[purpose] = true
		}
	}
	return c
}
