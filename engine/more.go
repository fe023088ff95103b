package engine

import (
	"context"
	"crypto/hmac"
	"errors"

	"github.com/tuttihq/tutti"
)

// page gives a delivered list its cursors.
func (a *assembly) page(out *tutti.List, l *listing, cp *tutti.ComponentPlan, prop string) {
	at := func(next int) string { return a.cursorAt(l, cp, prop, next) }
	out.Next = at(l.end())
	out.At = func(n int) string {
		if n < 1 || n > len(l.at) {
			return ""
		}
		return at(l.at[n-1] + 1)
	}
}

// end is the place after everything that was asked for.
func (l *listing) end() int {
	if l.found != nil {
		return min(l.wanted, len(l.found.items))
	}
	return l.seen
}

// cursorAt writes the cursor to the place after next items of the list; "" at its end.
func (a *assembly) cursorAt(l *listing, cp *tutti.ComponentPlan, prop string, next int) string {
	if l.found == nil && next >= len(l.refs) {
		return ""
	}
	p := &pinned{
		Composition: a.plan.Composition, Version: a.plan.Version, Component: cp.Component, Prop: prop, Size: l.wanted,
		Scope: a.g.scope, Chain: a.g.chain, Channel: a.channel.Name, Private: cp.Private,
	}
	if l.size > 0 {
		p.Size = l.size
	}
	source := ""
	if f := l.found; f != nil {
		if f.kind.Access == tutti.AccessVisitor && !f.kind.OwnerFilter {
			return "" // further pages would tell of others
		}
		sel := f.sel
		sel.First = 0
		source = sel.Source
		switch {
		case next < len(f.items):
			p.Skip = next
		case f.page.Next != "":
			sel.After = f.page.Next
		default:
			return ""
		}
		p.Selection = &sel
	} else {
		p.Refs, p.Total = l.refs[next:], l.total
		source = p.Refs[0].Source
	}
	if p.Private {
		p.Owner = a.as.cursors.owner(cp.Owner, source)
	}
	return a.as.cursors.write(p)
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
	def := tutti.PropDefinition{Name: prop, Type: tutti.PropResources}
	var out *tutti.List
	var o outcome
	a.g.run(ctx, func() {
		s := &shaper{a: a, cp: cp, prop: prop, at: "nodes"}
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
			l.total = new(*total - l.gone) // what earlier pages lack is out of it already
		}
		for len(l.at) > 0 && l.at[0] < skip {
			l.entries, l.at = l.entries[1:], l.at[1:]
		}
		out = s.deliveredList(l, &def)
	})
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, tutti.Errorf(tutti.Timeout, "reading a list: %w", ctx.Err())
	case o.state == failed && v.Kind == tutti.SelectValue:
		p := lack("", o.ref, o.source, o.code, false)
		return nil, &tutti.Error{Code: p.Code, Message: p.Message}
	case out == nil:
		out = &tutti.List{Nodes: []*tutti.Delivered{}}
	}
	return out, nil
}
