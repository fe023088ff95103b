package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// remote is a document as the server has it.
type remote struct {
	kind      tutti.DocumentKind
	name      string
	body      json.RawMessage
	revision  int  // of the draft; 0 when there is none
	published bool // what visitors get is this body
	live      bool // visitors get some version of it, and there is something to take back
}

const compositionsQuery = `query Export($after: String) {
  compositions(first: 50, after: $after) {
    nodes { id draft { revision body changed } published { body } }
    pageInfo { endCursor hasNextPage }
  }
}`

const restQuery = `query Export {
  audiences { name description rule revision published }
  personas { name description visitor location { lat lon } market currency locale attributes consent revision }
  redirects { revision nodes { from to permanent } }
}`

// read gives all documents of the server, by kind and name.
func (a *api) read(ctx context.Context) ([]remote, error) {
	docs, err := a.readRest(ctx)
	if err != nil {
		return nil, err
	}
	for after := (*string)(nil); ; {
		var page struct {
			Compositions struct {
				Nodes []struct {
					ID    string
					Draft *struct {
						Revision int
						Body     json.RawMessage
						Changed  bool
					}
					Published *struct{ Body json.RawMessage }
				}
				PageInfo struct {
					EndCursor   *string
					HasNextPage bool
				}
			}
		}
		if err := a.do(ctx, compositionsQuery, map[string]any{"after": after}, &page); err != nil {
			return nil, err
		}
		for _, n := range page.Compositions.Nodes {
			d := remote{kind: tutti.CompositionDocument, name: n.ID, live: n.Published != nil}
			switch {
			case n.Draft != nil:
				d.body, d.revision, d.published = n.Draft.Body, n.Draft.Revision, d.live && !n.Draft.Changed
			case n.Published != nil:
				d.body, d.published = n.Published.Body, true
			}
			docs = append(docs, d)
		}
		after = page.Compositions.PageInfo.EndCursor
		if !page.Compositions.PageInfo.HasNextPage || after == nil {
			break
		}
	}
	slices.SortStableFunc(docs, func(x, y remote) int {
		return strings.Compare(config.FileOf(x.kind, x.name), config.FileOf(y.kind, y.name))
	})
	return docs, nil
}

// readRest gives audiences, personas and redirects.
func (a *api) readRest(ctx context.Context) ([]remote, error) {
	var all struct {
		Audiences []struct {
			tutti.Audience
			Revision  int
			Published bool
		}
		Personas []struct {
			tutti.Persona
			Consent  []string `json:"consent"`
			Revision int
		}
		Redirects struct {
			Revision int
			Nodes    []tutti.Redirect
		}
	}
	if err := a.do(ctx, restQuery, nil, &all); err != nil {
		return nil, err
	}
	var docs []remote
	add := func(kind tutti.DocumentKind, name string, body any, revision int, published bool) error {
		b, err := json.Marshal(body)
		if err != nil {
			return tutti.Errorf(tutti.BadAnswer, "reading %s %s: %w", kind, name, err)
		}
		docs = append(docs, remote{kind: kind, name: name, body: b, revision: revision, published: published, live: published})
		return nil
	}
	for _, x := range all.Audiences {
		if err := add(tutti.AudienceDocument, x.Name, x.Audience, x.Revision, x.Published); err != nil {
			return nil, err
		}
	}
	for _, x := range all.Personas {
		if len(x.Consent) > 0 {
			x.Persona.Consent = tutti.Consent{}
		}
		for _, purpose := range x.Consent {
			if p := tutti.Purpose(strings.ToLower(purpose)); p != tutti.Necessary { // necessary is always given
				x.Persona.Consent[p] = true
			}
		}
		if err := add(tutti.PersonaDocument, x.Name, x.Persona, x.Revision, true); err != nil {
			return nil, err
		}
	}
	if all.Redirects.Revision > 0 || len(all.Redirects.Nodes) > 0 {
		body := map[string]any{"redirects": all.Redirects.Nodes}
		if err := add(tutti.RedirectsDocument, config.RedirectsName, body, all.Redirects.Revision, true); err != nil {
			return nil, err
		}
		docs[len(docs)-1].live = len(all.Redirects.Nodes) > 0
	}
	return docs, nil
}
