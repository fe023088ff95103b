package engine

import "github.com/tuttihq/tutti"

// lookup gives the entry of a ref, wishing for it when it is new. The caller has asked mayAsk.
func (g *gathering) lookup(ref tutti.Ref, kind *tutti.Kind, wave int) *entry {
	if e := g.entries.find(&ref); e != nil {
		return e
	}
	e := g.entry(ref, kind, wave)
	switch {
	case wave > maxWaves: // not kept: another way may be shorter
		return e.failed(tutti.TooManyRefs)
	case g.asked >= maxRefs:
		e.failed(tutti.TooManyRefs)
	default:
		g.asked++
		g.wishes = append(g.wishes, e)
	}
	g.entries.add(e)
	return e
}

// entry makes one.
func (g *gathering) entry(ref tutti.Ref, kind *tutti.Kind, wave int) *entry {
	e := g.room.entries.one()
	e.ref, e.kind, e.wave = ref, kind, wave
	return e
}

func (e *entry) failed(code tutti.Code) *entry {
	e.done, e.got = true, tutti.Got{Err: code, Freshness: tutti.Freshness{State: tutti.Missing}}
	return e
}

// look gives what a selection finds, wishing for it when it is new or when more items are wanted
// than were asked for.
func (g *gathering) look(sel tutti.Selection, kind *tutti.Kind, first, wave int) *found {
	key := selectionKey(sel)
	f, ok := g.found[key]
	if ok && (first <= f.first || f.done && (f.err != nil || f.page.Next == "")) {
		return f
	}
	if ok && !f.done && f.wished(g) {
		f.first = first
		return f
	}
	f = &found{sel: sel, kind: kind, wave: wave, first: first}
	switch {
	case wave > maxWaves:
		f.done, f.err = true, tutti.TooManyRefs
		return f
	case len(g.found) >= maxSelections:
		f.done, f.err = true, tutti.TooManyRefs
	default:
		g.looks = append(g.looks, f)
	}
	if g.found == nil {
		g.found = map[string]*found{}
	}
	g.found[key] = f
	return f
}

// wished reports whether the selection has not gone out yet.
func (f *found) wished(g *gathering) bool {
	for _, w := range g.looks {
		if w == f {
			return true
		}
	}
	return false
}
