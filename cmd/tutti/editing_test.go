package main

import (
	"encoding/json"

	"github.com/tuttihq/tutti"
)

// manage asks with the management key.
func (p *played) manage(query string, vars any) answer {
	p.t.Helper()
	return p.ask(p.key(tutti.ManagementKey), "", query, vars)
}

const (
	saveIt    = `mutation($id: ID!, $body: JSON!, $revision: Int!) { saveComposition(id: $id, body: $body, revision: $revision) { composition { draft { revision updatedBy changed } } warnings { path message } } }`
	publishIt = `mutation($id: ID!, $revision: Int!, $from: DateTime, $note: String) { publishComposition(id: $id, revision: $revision, from: $from, note: $note) { draft { revision changed } published { number note createdBy } } }`
)

// draft gives a stored composition as it was saved last, and its revision.
func (p *played) draft(id string) (body map[string]any, revision int) {
	p.t.Helper()
	var got struct {
		Composition *struct {
			Draft struct {
				Revision int
				Body     map[string]any
			}
		}
	}
	p.manage(`query($id: ID!) { composition(id: $id) { draft { revision body } } }`, map[string]any{"id": id}).into(p.t, &got)
	if got.Composition == nil {
		p.t.Fatalf("there is no composition %s", id)
	}
	return got.Composition.Draft.Body, got.Composition.Draft.Revision
}

// save saves a changed draft and gives its revision.
func (p *played) save(id string, change func(body map[string]any)) int {
	p.t.Helper()
	body, revision := p.draft(id)
	change(body)
	var got struct {
		SaveComposition struct {
			Composition struct{ Draft struct{ Revision int } }
		}
	}
	p.manage(saveIt, map[string]any{"id": id, "body": body, "revision": revision}).into(p.t, &got)
	return got.SaveComposition.Composition.Draft.Revision
}

// republish changes, saves and publishes a composition.
func (p *played) republish(id string, change func(body map[string]any)) {
	p.t.Helper()
	revision := p.save(id, change)
	var got json.RawMessage
	p.manage(publishIt, map[string]any{"id": id, "revision": revision}).into(p.t, &got)
}
