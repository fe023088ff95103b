package resolvers

import (
	"context"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// request is who asks, from where, for which language and channel, and at which moment: checked,
// with defaults filled in.
type request struct {
	tutti.Context
	chain     []string
	part      tutti.PagePart    // that is wanted
	had       []*graph.SlotHash // slots that the client has
	problems  []tutti.Problem
	previewed bool // something else than what is published may be looked at
}

// request checks everything that an experience, a route or a resource is asked with. No channel
// is nil; an empty name is one that does not exist.
func (r *Resolvers) request(ctx context.Context, channel *string, locale *string, in *graph.ContextInput, preview *graph.PreviewInput) (*request, error) {
	viewer, gen := graph.ViewerFrom(ctx), graph.GenerationFrom(ctx)
	v, problems, err := gen.CheckContext(viewer, in)
	if err != nil {
		return nil, err
	}
	out := &request{Context: v, problems: problems}
	if err := r.look(ctx, out, preview, viewer); err != nil {
		return nil, err
	}
	if channel != nil {
		ch, err := r.Engine.ResolveChannel(*channel)
		if err != nil {
			return nil, err
		}
		out.Channel = ch.Name
	}
	asked := out.Locale
	if locale != nil {
		asked = *locale
	}
	if out.Locale, out.chain, err = r.Engine.ResolveLocale(asked); err != nil {
		return nil, err
	}
	out.Market, out.Currency, err = r.Engine.ResolveMarket(out.Market, out.Currency)
	return out, err
}

// look sets the moment, and what a preview looks at instead.
func (r *Resolvers) look(ctx context.Context, out *request, preview *graph.PreviewInput, viewer graph.Viewer) error {
	out.At = r.Now()
	out.Preview.Why = viewer.Editing()
	if preview == nil {
		return nil
	}
	out.previewed = true
	if preview.Persona != nil {
		if err := r.persona(ctx, out, *preview.Persona); err != nil {
			return err
		}
	}
	if p := preview.Perspective; p != nil {
		out.Preview.Draft = valueOf(p.State) == graph.PerspectiveStateDraft
		if p.At != nil {
			out.At = *p.At
		}
	}
	if preview.Location != nil {
		at := place(preview.Location)
		if !at.Valid() {
			return &tutti.Error{Code: tutti.InvalidValue, Field: "preview.location", Message: "this place is not on the earth.", Hint: "lat is -90 to 90, lon is -180 to 180."}
		}
		out.Location = at
	}
	if preview.Consent != nil {
		out.Consent = consent(preview.Consent)
	}
	if len(preview.Variants) > 0 {
		out.Preview.Forced = map[string]string{}
		for _, f := range preview.Variants {
			out.Preview.Forced[f.Component] = valueOf(f.Variant)
		}
	}
	return nil
}

// persona puts a stored persona's facts in, checked as a server's facts are.
func (r *Resolvers) persona(ctx context.Context, out *request, name string) error {
	p, ok := r.Library.Persona(name)
	if !ok {
		return &tutti.Error{Code: tutti.NotFound, Field: "preview.persona", Message: "there is no persona " + name + ".", Hint: "The query personas lists them."}
	}
	in := &graph.ContextInput{Visitor: text(p.Visitor), Market: text(p.Market), Currency: text(p.Currency), Attributes: p.Attributes, Consent: &graph.ConsentInput{}}
	if p.Location != nil {
		in.Location = &graph.PlaceInput{Lat: p.Location.Lat, Lon: p.Location.Lon}
	}
	for purpose, target := range map[tutti.Purpose]**bool{
		tutti.Personalization: &in.Consent.Personalization, tutti.Analytics: &in.Consent.Analytics, tutti.Marketing: &in.Consent.Marketing,
	} {
		given := p.Consent[purpose]
		*target = &given
	}
	v, problems, err := graph.GenerationFrom(ctx).CheckContext(graph.Viewer{Class: tutti.ServerKey}, in)
	if err != nil {
		return tutti.Errorf(tutti.Invalid, "reading the persona %s: %w", name, err)
	}
	v.Locale, v.At, v.Preview = p.Locale, out.At, out.Preview
	out.Context, out.problems = v, append(out.problems, problems...)
	return nil
}

// scope is what fetching may depend on.
func (q *request) scope() tutti.Scope {
	return tutti.Scope{Locale: q.Locale, Market: q.Market, Currency: q.Currency, Draft: q.Preview.Draft}
}

// view is how resources are looked at outside of an experience.
func (q *request) view(owner tutti.Owner) engine.View {
	return engine.View{Scope: q.scope(), Chain: q.chain, Channel: q.Channel, Owner: owner}
}
