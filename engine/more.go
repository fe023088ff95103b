package engine

import (
	"context"
	"crypto/hmac"
	"errors"
	"slices"

	"github.com/tuttihq/tutti"
)

// pages are a delivered list with the places where its next page may begin. They never change, and hold
// nothing of what the list was made in.
type pages struct {
	list      tutti.List
	total     int
	answer    *answered
	component string
	prop      string
	private   bool
	owner     tutti.Owner
	wanted    int // how many were asked for
	size      int // how many a page shows

	refs  []tutti.Ref // of a list of refs
	found *found      // of a selection
	came  int         // how many items of it
	end   int         // the place after everything that was asked for
	at    []int       // as in the listing
}

// answered is what the cursors of all lists in an answer have in common.
type answered struct {
	cursors     *cursors
	composition string
	version     int
	scope       tutti.Scope
	chain       []string
	channel     string
}

// pages makes a list of so many nodes, of which each is still to be put in.
func (a *assembly) pages(l *listing, cp *tutti.ComponentPlan, prop string) *pages {
	if a.answered == nil {
		a.answered = &answered{a.as.cursors, a.plan.Composition, a.plan.Version, a.g.scope, a.g.chain, a.channel.Name}
	}
	p := a.out.pages.one()
	*p = pages{
		list:  tutti.List{Nodes: a.out.itemPointers.take(len(l.entries)), Shown: l.shown},
		total: l.total, answer: a.answered, component: cp.Component, prop: prop, private: cp.Private, owner: cp.Owner, wanted: l.wanted, size: l.size,
		refs: l.refs, found: l.found, at: l.at, end: l.seen,
	}
	if a.out.loose { // a part that is kept must not hold the page's plan
		p.refs = slices.Clone(l.refs)
	}
	if l.found != nil {
		p.came = len(l.found.items)
		p.end = min(l.wanted, p.came)
	}
	if l.size == 0 {
		p.size = l.wanted
	}
	if l.counted {
		p.list.Total = &p.total
	}
	p.list.Cursors = p
	return p
}

// At gives the cursor after the first n nodes.
func (p *pages) At(n int) string {
	switch {
	case n < 1 || n > len(p.list.Nodes):
		return ""
	case p.at == nil:
		return p.after(n)
	}
	return p.after(p.at[n-1] + 1)
}

// Next gives the cursor after everything that was asked for.
func (p *pages) Next() string { return p.after(p.end) }

// after writes the cursor to the place after next items of what was asked for; "" at its end.
func (p *pages) after(next int) string {
	a := p.answer
	w := &pinned{
		Composition: a.composition, Version: a.version, Component: p.component, Prop: p.prop, Size: p.size,
		Scope: a.scope, Chain: a.chain, Channel: a.channel, Private: p.private,
	}
	source := ""
	if f := p.found; f != nil {
		if f.kind.Access == tutti.AccessVisitor && !f.kind.OwnerFilter {
			return "" // further pages would tell of others
		}
		sel := f.sel
		sel.First = 0
		source = sel.Source
		switch {
		case next < p.came:
			w.Skip = next
		case f.page.Next != "":
			sel.After = f.page.Next
		default:
			return ""
		}
		w.Selection = &sel
	} else {
		if next >= len(p.refs) {
			return ""
		}
		w.Refs, w.Total = p.refs[next:], p.list.Total
		source = w.Refs[0].Source
	}
	if p.private {
		w.Owner = a.cursors.owner(p.owner, source)
	}
	return a.cursors.write(w)
}

// More gives the next page of a list that an experience delivered: first items, or as many as
// the page before for 0. It makes one call to the origin, and those that relations in need ask
// for. A private list comes only to the owner whom it was made for, whom the caller has proven
// anew; for anybody else the error has code NotFound. What is no cursor, or no longer fits the
// config, is a *tutti.Error with code InvalidValue; a first over 100 too. When the source does
// not answer, the error has its code. Items that are missing are left out. Safe for concurrent
// use.
func (e *Engine) More(ctx context.Context, cursor string, first int, owner tutti.Owner, need ResourceNeed) (*tutti.List, error) {
	as := e.assembling
	p, err := as.cursors.read(cursor)
	if err != nil {
		return nil, err
	}
	if first < 0 || first > 100 {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "first", Message: "first must be 1 to 100.", Hint: "Leave it out for as many as before."}
	}
	if first == 0 {
		first = max(p.Size, 1)
	}
	source := ""
	switch {
	case p.Selection != nil:
		source = p.Selection.Source
	case len(p.Refs) > 0:
		source = p.Refs[0].Source
	}
	if _, ok := as.channels[p.Channel]; !ok && p.Channel != "" || p.Selection != nil && !as.selects(p.Selection) {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "cursor", Message: "the list is no longer configured.", Hint: "Ask for the experience again."}
	}
	if p.Private && !hmac.Equal(p.Owner, as.cursors.owner(owner, source)) {
		return nil, &tutti.Error{Code: tutti.NotFound, Field: "cursor", Message: "there is no such list, or it is not for you."}
	}
	v := tutti.Value{Kind: tutti.RefsValue, Refs: p.Refs}
	if p.Selection != nil {
		v = tutti.Value{Kind: tutti.SelectValue, Select: p.Selection}
	}
	cp := tutti.ComponentPlan{Component: p.Component, Private: p.Private, Owner: owner}
	if !p.Private {
		cp.Owner = tutti.Owner{}
	}
	view := View{Scope: p.Scope, Chain: p.Chain, Channel: p.Channel, composition: p.Composition, version: p.Version}
	return as.list(ctx, view, &cp, v, p.Prop, first, p.Skip, p.Total, need)
}

// selects reports whether selections of that kind are delivered at all.
func (as *assembling) selects(sel *tutti.Selection) bool {
	kind, known := as.sources.Kind(sel.Source, sel.Kind)
	return known && kind.Access != tutti.AccessInternal
}

// list makes one list outside of an experience. skip items at its start are left out.
func (as *assembling) list(ctx context.Context, view View, cp *tutti.ComponentPlan, v tutti.Value, prop string, first, skip int, total *int, need ResourceNeed) (*tutti.List, error) {
	a, err := as.assembly(view.plan(), &Need{})
	if err != nil {
		return nil, err
	}
	defer a.end()
	def := tutti.PropDefinition{Name: prop, Type: tutti.PropResources}
	var out *tutti.List
	var o outcome
	a.g.run(ctx, func() {
		s := a.shaper(cp, nil, "")
		s.prop, s.at = prop, "nodes"
		s.need.Lists = map[string]ListNeed{prop: {First: min(first+skip, 100), Item: need}}
		if v.Kind == tutti.SelectValue {
			o = s.selection(v.Select, min(first+skip, 100))
		} else {
			o = s.refs(v.Refs, first, 1, true)
		}
		if o.state != have {
			return
		}
		l := o.v.(*listing)
		l.wanted, l.size = min(first+skip, 100), first
		if total != nil {
			l.total, l.counted = *total-l.gone, true // what earlier pages lack is out of it already
		}
		l.skip(skip)
		out = s.deliveredList(l, &def)
	})
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, tutti.Errorf(tutti.Timeout, "reading a list: %w", ctx.Err())
	case o.state == failed && v.Kind == tutti.SelectValue:
		ref, source := o.of()
		p := lack("", ref, source, o.code, false)
		return nil, &tutti.Error{Code: p.Code, Message: p.Message}
	case out == nil:
		out = &tutti.List{Nodes: []*tutti.Delivered{}}
	}
	return out, nil
}
