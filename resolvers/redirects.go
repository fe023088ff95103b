package resolvers

import (
	"context"
	"errors"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// redirectsName is the name of the one document that holds all redirects.
const redirectsName = "redirects"

type redirectsBody struct {
	Redirects []tutti.Redirect `json:"redirects"`
}

func (q query) Redirects(ctx context.Context) (*graph.RedirectList, error) {
	d, err := q.Store.Draft(ctx, tutti.RedirectsDocument, redirectsName)
	if errors.Is(err, tutti.NotFound) {
		return &graph.RedirectList{Nodes: []*graph.Redirect{}}, nil
	}
	if err != nil {
		return nil, err
	}
	return redirectsModel(d)
}

func redirectsModel(d tutti.Draft) (*graph.RedirectList, error) {
	body, err := decode[redirectsBody](d.Body)
	if err != nil {
		return nil, err
	}
	list := &graph.RedirectList{Revision: d.Revision, Nodes: []*graph.Redirect{}}
	for _, r := range body.Redirects {
		list.Nodes = append(list.Nodes, &graph.Redirect{From: r.From, To: r.To, Permanent: r.Permanent})
	}
	return list, nil
}

func (m mutation) SaveRedirects(ctx context.Context, redirects []*graph.RedirectInput, revision int) (*graph.RedirectList, error) {
	body := redirectsBody{Redirects: []tutti.Redirect{}}
	for _, r := range redirects {
		body.Redirects = append(body.Redirects, tutti.Redirect{From: r.From, To: r.To, Permanent: valueOf(r.Permanent)})
	}
	if err := refused(m.Library.CheckRedirects(body.Redirects)); err != nil {
		return nil, err
	}
	raw, err := encode(body)
	if err != nil {
		return nil, err
	}
	d, err := m.saveAndPublish(ctx, tutti.RedirectsDocument, redirectsName, raw, revision)
	if err != nil {
		return nil, err
	}
	return redirectsModel(d)
}
