package engine

import (
	"errors"
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// value looks for one value of a plan.
func (s *shaper) value(v *tutti.Value, def *tutti.PropDefinition) outcome {
	switch v.Kind {
	case tutti.LiteralValue:
		if v.Literal == nil {
			return outcome{state: absent}
		}
		return value(v.Literal, 0)
	case tutti.TextValue:
		if def.Type == tutti.PropURL {
			return s.address(v)
		}
		return s.text(v, def.Type == tutti.PropRichText)
	case tutti.RefValue:
		return s.refValue(v)
	case tutti.RefsValue:
		shown, wanted := s.count(def, 0)
		return s.refsValue(v, wanted).showing(shown)
	case tutti.SelectValue:
		shown, wanted := s.count(def, v.Select.First)
		return s.selection(v.Select, wanted).showing(shown)
	case tutti.BindValue:
		return s.bind(v.Bind)
	case tutti.ShapeValue:
		return s.program(v.Program)
	}
	return outcome{state: absent}
}

// count says how many items of a list are shown where nobody gives a number, in props and
// templates too: what the selection or prop says, at most what the channel takes. And how many
// are wanted in all: as many, or what the operation asks for, more or, where nothing else reads
// the list, less.
func (s *shaper) count(def *tutti.PropDefinition, stored int) (shown, wanted int) {
	n := stored
	if n <= 0 {
		n = def.First
	}
	if n <= 0 {
		n = 10
	}
	if most := s.a.channel.Items; most > 0 {
		n = min(n, most)
	}
	shown = min(max(n, 1), 100)
	l := s.need.Lists[def.Name]
	if l.First <= 0 {
		return shown, shown
	}
	if l.Default || s.need.Props || s.a.need.Speech && s.a.channel.Speech || s.a.need.Message && s.a.channel.Message {
		return shown, min(max(shown, l.First), 100)
	}
	return shown, min(l.First, 100)
}

// showing notes how many items of a list are shown where nobody gives a number.
func (o outcome) showing(n int) outcome {
	if l, ok := o.v.(*listing); ok && l.shown == 0 {
		l.shown = n
	}
	return o
}

func (s *shaper) refValue(v *tutti.Value) outcome {
	if v.Program != nil {
		o := s.program(v.Program)
		if o.state != have {
			return o
		}
		return s.followText(o)
	}
	if len(v.Refs) == 0 || v.Refs[0].IsZero() {
		return outcome{state: absent}
	}
	return s.follow(v.Refs[0], 1, true)
}

// followText follows what a program computed: a ref, or the text of one.
func (s *shaper) followText(o outcome) outcome {
	switch v := o.v.(type) {
	case *entry:
		return o
	case tutti.Ref:
		return s.follow(v, o.wave+1, false)
	case string:
		if v == "" {
			return outcome{state: absent}
		}
		ref, err := tutti.ParseRef(v)
		if err != nil {
			return failing(tutti.MalformedRef, tutti.Ref{})
		}
		return s.follow(ref, o.wave+1, true)
	case *tutti.Delivered:
		return s.follow(v.Resource.Ref, o.wave+1, false)
	}
	return failing(tutti.InvalidValue, tutti.Ref{})
}

// follow looks for the item of a ref. fixed says that an editor named it: then it is told when
// it belongs to a visitor and nobody is proven, just as if it did not exist.
func (s *shaper) follow(ref tutti.Ref, wave int, fixed bool) outcome {
	kind, known := s.a.kindOf(&ref)
	owner := s.owner()
	switch mayAsk(kind, known, owner) {
	case kindUnknown:
		return failing(tutti.UnknownSource, ref)
	case kindInternal:
		return failing(tutti.NotFound, ref)
	case ownerless:
		if fixed {
			return failing(tutti.NotFound, ref)
		}
		return outcome{state: absent}
	}
	return s.came(s.a.g.lookup(ref, kind, wave))
}

// kindOf gives the kind of a ref, which is often that of the one before.
func (a *assembly) kindOf(ref *tutti.Ref) (kind *tutti.Kind, known bool) {
	if k := a.lastKind; k != nil && k.Name == ref.Kind && k.Source == ref.Source {
		return k, true
	}
	if kind, known = a.as.sources.Kind(ref.Source, ref.Kind); known {
		a.lastKind = kind
	}
	return kind, known
}

// came is what an item that was looked for comes to. While it is not there, v is its entry.
func (s *shaper) came(e *entry) outcome {
	if !e.done {
		return outcome{state: pending, v: e}
	}
	ref, owner := e.ref, s.owner()
	s.basis.Add(e.got.Marks, e.got.Until, e.got.Freshness.State, e.got.Cached)
	switch {
	case e.got.Resource == nil:
		return failing(failure(e.got.Err), ref)
	case !mayHave(e.kind, e.got.Resource, owner):
		return failing(tutti.NotFound, ref)
	}
	return value(e, e.wave)
}

func (s *shaper) refsValue(v *tutti.Value, wanted int) outcome {
	if v.Program == nil {
		return s.refs(v.Refs, wanted, 1, true)
	}
	o := s.program(v.Program)
	if o.state != have {
		return o
	}
	return s.list(o, wanted)
}

// list makes a list of what a program or binding gave.
func (s *shaper) list(o outcome, wanted int) outcome {
	switch v := o.v.(type) {
	case *listing:
		return o
	case *entry:
		l := s.a.room.listings.one()
		l.entries, l.refs, l.wanted, l.seen, l.total, l.counted = append(s.a.room.lists.take(1)[:0], v), []tutti.Ref{v.ref}, wanted, 1, 1, true
		return value(l, o.wave)
	case tutti.Ref:
		return s.refs([]tutti.Ref{v}, wanted, o.wave+1, false)
	case []tutti.Ref:
		return s.refs(v, wanted, o.wave+1, false)
	case []any:
		refs := make([]tutti.Ref, 0, len(v))
		for _, x := range v {
			switch x := x.(type) {
			case *tutti.Delivered:
				refs = append(refs, x.Resource.Ref)
			case string:
				ref, err := tutti.ParseRef(x)
				if err != nil {
					return failing(tutti.MalformedRef, tutti.Ref{})
				}
				refs = append(refs, ref)
			default:
				return failing(tutti.InvalidValue, tutti.Ref{})
			}
		}
		return s.refs(refs, wanted, o.wave+1, true)
	}
	return failing(tutti.InvalidValue, tutti.Ref{})
}

// refs looks for the first of a list of refs. What is missing is told and left out, and the next
// one moves up.
func (s *shaper) refs(refs []tutti.Ref, wanted, wave int, fixed bool) outcome {
	if len(refs) == 0 {
		return outcome{state: absent}
	}
	most := max(0, min(len(refs), wanted))
	l := s.a.room.listings.one()
	l.refs, l.wanted, l.entries = refs, wanted, s.a.room.lists.take(most)[:0]
	var first outcome
	waiting, deepest := 0, 0
	before := s.waitedFor(refs)
	s.basis.Marks = slices.Grow(s.basis.Marks, 3*most)
	for i := 0; i < len(refs) && len(l.entries)+waiting < wanted; i++ {
		l.seen = i + 1
		var o outcome
		if i < len(before) && before[i] != nil {
			o = s.came(before[i])
		} else {
			o = s.follow(refs[i], wave, fixed)
		}
		switch o.state {
		case pending:
			if waiting++; len(before) == 0 {
				before = s.waitFor(refs)
			}
			before[i] = o.v.(*entry)
		case have:
			l.add(o.v.(*entry), i)
			deepest = max(deepest, o.wave)
		case absent:
			l.gone++
		case failed:
			if o.code.NoItem() {
				l.gone++
			}
			if first.state == unlooked {
				first = o
			}
			s.lack(s.at+"["+strconv.Itoa(i)+"]", o, false)
		}
	}
	switch {
	case waiting > 0:
		return outcome{state: pending}
	case len(l.entries) == 0 && first.state == failed:
		return first
	case len(l.entries) == 0:
		return outcome{state: absent}
	}
	l.total, l.counted = len(refs)-l.gone, true
	return value(l, deepest)
}

// waitedFor gives the entries of a list of refs that an earlier pass waited for, nil for the others.
func (s *shaper) waitedFor(refs []tutti.Ref) []*entry {
	for _, w := range s.waits {
		if w.list == &refs[0] && len(w.entries) == len(refs) {
			return w.entries
		}
	}
	return nil
}

func (s *shaper) waitFor(refs []tutti.Ref) []*entry {
	if s.waits == nil {
		s.waits = s.a.room.waits.take(len(s.cp.Props) + 1)[:0]
	}
	entries := s.a.room.lists.take(len(refs))
	s.waits = append(s.waits, waiting{list: &refs[0], entries: entries})
	return entries
}

// selection looks for what a selection finds.
func (s *shaper) selection(stored *tutti.Selection, wanted int) outcome {
	kind, known := s.a.as.sources.Kind(stored.Source, stored.Kind)
	owner := s.owner()
	switch mayAsk(kind, known, owner) {
	case kindUnknown:
		return failing(tutti.UnknownSource, tutti.Ref{Source: stored.Source})
	case kindInternal, ownerless:
		return outcome{state: absent}
	}
	sel, o := s.arguments(*stored)
	if o.state != have {
		return o
	}
	sel.Owner = ""
	if kind.Access == tutti.AccessVisitor {
		sel.Owner = owner.InSource[kind.Source]
	}
	f := s.a.g.look(sel, kind, wanted, o.wave+1)
	if !f.done {
		return outcome{state: pending}
	}
	s.basis.Add(f.page.Marks, f.page.Until, f.page.Freshness.State, f.page.Cached)
	if f.err != nil {
		return failing(failure(f.err), tutti.Ref{Source: stored.Source})
	}
	l := s.a.room.listings.one()
	f.list(l, owner, wanted, s.a.room)
	return value(l, f.wave)
}

// list puts the first items that the owner may have into l. Where the origin cannot limit a selection to
// one owner, neither its count nor its next page is told: they would tell of others.
func (f *found) list(l *listing, owner tutti.Owner, wanted int, r *room) {
	l.found, l.wanted, l.entries = f, wanted, r.lists.take(min(wanted, len(f.items)))[:0]
	if f.page.Total != nil {
		l.total, l.counted = *f.page.Total, true
	}
	if f.kind.Access == tutti.AccessVisitor && !f.kind.OwnerFilter {
		l.counted = false
	}
	for i, e := range f.items {
		if i == wanted {
			break
		}
		if e == nil {
			continue
		}
		if !mayHave(f.kind, e.got.Resource, owner) {
			l.counted = false
			continue
		}
		l.add(e, i)
	}
}

// arguments computes the selection's arguments that depend on the item.
func (s *shaper) arguments(sel tutti.Selection) (tutti.Selection, outcome) {
	wave := 0
	var filter map[string]any
	for _, name := range sortedKeys(sel.Filter) {
		p, ok := sel.Filter[name].(tutti.Program)
		if !ok {
			continue
		}
		o := s.program(p)
		if o.state != have {
			return sel, o
		}
		if filter == nil {
			filter = make(map[string]any, len(sel.Filter))
			for n, v := range sel.Filter {
				filter[n] = v
			}
		}
		filter[name], wave = o.v, max(wave, o.wave)
	}
	if filter != nil {
		sel.Filter = filter
	}
	return sel, outcome{state: have, wave: wave}
}

// program evaluates an expression over the item, params and props. What is absent in it is
// absent; when that is because an item failed, so is the outcome.
func (s *shaper) program(p tutti.Program) outcome {
	vars, o := s.vars(p)
	if o.state == pending {
		return o
	}
	v, err := p.Eval(vars)
	switch {
	case err != nil && o.state == failed:
		return o
	case errors.Is(err, tutti.NotFound), err == nil && v == nil:
		return outcome{state: absent}
	case err != nil:
		return failing(tutti.InvalidValue, tutti.Ref{})
	}
	return value(v, o.wave)
}
