package engine

import (
	"context"

	"github.com/tuttihq/tutti"
)

// permission says whether items of a kind may be fetched for an owner at all.
type permission int

const (
	mayFetch     permission = iota
	kindUnknown             // the kind is not configured
	kindInternal            // the kind is never delivered
	ownerless               // the kind belongs to visitors, and nobody is proven there
)

// mayAsk decides before anything is fetched. What it denies costs no call.
func mayAsk(k *tutti.Kind, known bool, owner tutti.Owner) permission {
	switch {
	case !known:
		return kindUnknown
	case k.Access == tutti.AccessVisitor:
		if owner.InSource[k.Source] == "" {
			return ownerless
		}
		return mayFetch
	case k.Access == tutti.AccessPublic:
		return mayFetch
	}
	return kindInternal
}

// mayHave decides after fetching, for every single item and on every hit: what belongs to a
// person comes only to that person, and what should but names nobody comes to nobody.
func mayHave(k *tutti.Kind, r *tutti.Resource, owner tutti.Owner) bool {
	switch k.Access {
	case tutti.AccessPublic:
		return true
	case tutti.AccessVisitor:
		mine := owner.InSource[k.Source]
		return mine != "" && r.Owner == mine
	}
	return false
}

// Owner finds out who the proven visitor is, and what the given sources call that person, for
// what is asked outside of a composition. A source that knows nobody of that name is not in
// InSource. It takes as long as Learn at most.
func (e *Engine) Owner(ctx context.Context, v tutti.Context, sources ...string) tutti.Owner {
	if v.Visitor == "" || len(sources) == 0 {
		return tutti.Owner{Visitor: v.Visitor}
	}
	facts, _ := e.Learn(ctx, &Compiled{engine: e, owners: sources, needs: e.needsOf(nil, sources)}, nil, v)
	return facts.Owner
}

// CursorOf tells what a cursor goes on in, so that the caller can check who may have it. False
// for what is no cursor of ours.
type CursorOf struct {
	Source, Kind string
	Search       bool // a search made the list; else a composition did
	Draft        bool // of a composition that is not published, or of what origins hold as drafts
	Private      bool // the list belongs to a visitor
}

// Cursor reads what a cursor goes on in.
func (e *Engine) Cursor(cursor string) (CursorOf, bool) {
	p, err := e.assembling.cursors.read(cursor)
	if err != nil {
		return CursorOf{}, false
	}
	of := CursorOf{Search: p.Component == searched, Private: p.Private}
	of.Draft = !of.Search && p.Version == 0 || p.Scope.Draft
	switch {
	case p.Selection != nil:
		of.Source, of.Kind = p.Selection.Source, p.Selection.Kind
	case len(p.Refs) > 0:
		of.Source, of.Kind = p.Refs[0].Source, p.Refs[0].Kind
	}
	return of, true
}
