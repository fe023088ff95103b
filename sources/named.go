package sources

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// Names are looked up like items of a kind of their own: through the same cache, batches, lanes and limits. Such
// an item is kept under the tags of its name and of what it stands for, so whatever names either makes it old.

// namesOf makes the kind of a kind's other names; nil when there are none.
func (k *kind) namesOf(a *Alias) *kind {
	if a == nil {
		return nil
	}
	names := &kind{lookup: true, every: k.every, limit: k.limit, policy: k.policy}
	names.Kind = tutti.Kind{Source: k.Source, Name: k.Name, Type: k.Type, Access: k.Access, Dimensions: k.Dimensions}
	names.def = Definition{Name: k.Name, Dimensions: k.Dimensions, MaxIDs: a.MaxIDs, MaxIDBytes: a.MaxIDBytes, EachIDBytes: a.EachIDBytes}
	return names
}

// nameIn gives the name in an id that is none of an item; false when there is none in it.
func (k *kind) nameIn(id string) (string, bool) {
	if k.names == nil || !possible(id) {
		return "", false
	}
	name, ok := k.def.Alias.Name(id)
	return name, ok && possible(name)
}

// named are the refs of a question that name items otherwise than by their ids. What they stand for is
// looked up first, in a wave of its own; then the items are asked for.
type named struct {
	at     []int       // their places in the question
	refs   []tutti.Ref // as they were asked for
	names  []tutti.Ref // the name in each
	of     *question   // that it is a part of
	ctx    context.Context
	policy cache.Policy
	lookup *question // for the names

	mu    sync.Mutex // guards the rest, and the handles of both questions
	items *question  // for what they stand for; nil = it is not known yet
	place []int      // which of its answers belongs to each; -1 = none does
	left  bool       // nobody waits any more
}

// byName takes a ref that is no item's own; false when no item can be named so.
func (q *question) byName(i int, id string) bool {
	name, ok := q.kind.nameIn(id)
	if !ok {
		return false
	}
	if q.named == nil {
		q.named = &named{of: q}
	}
	n, ref := q.named, tutti.Ref{Source: q.source.name, Kind: q.kind.Name, ID: id}
	q.not(i, tutti.Got{}) // until it is known
	n.at, n.refs = append(n.at, i), append(n.refs, ref)
	ref.ID = name
	n.names = append(n.names, ref)
	return true
}

// withNames asks for everything and waits for it.
func (q *question) withNames(ctx context.Context, policy cache.Policy) []tutti.Got {
	landed := make(chan struct{})
	join := q.named.begin(ctx, policy, func() { close(landed) })
	results := q.source.cache.GetMany(ctx, q.keys, policy, q.load)
	join()
	q.named.take(wait(ctx, landed), q.none)
	return q.told(results, nil)
}

// begin looks the names up. It gives what to call when the rest of the question has landed: landed is called when
// all has, unless somebody took before.
func (n *named) begin(ctx context.Context, policy cache.Policy, landed func()) (join func()) {
	n.ctx, n.policy = ctx, policy
	var open atomic.Int32
	open.Store(2)
	join = func() {
		if open.Add(-1) == 0 {
			landed()
		}
	}
	n.lookup = n.of.source.question(n.of.kind.names, n.names, n.of.scope)
	n.begun(n.lookup, func() { n.found(join) })
	return join
}

// begun begins one of the questions, and goes on when it has landed and its handle is kept.
func (n *named) begun(q *question, then func()) {
	var half atomic.Bool
	on := func() {
		if !half.CompareAndSwap(false, true) {
			then()
		}
	}
	h := q.source.cache.Begin(n.ctx, q.keys, n.policy, q.load, on)
	n.mu.Lock()
	left := n.left
	if !left {
		q.handle = h
	}
	n.mu.Unlock()
	if left {
		h.Take(errLeft)
		return
	}
	on()
}

// found asks for the items that the names stand for.
func (n *named) found(join func()) {
	n.mu.Lock()
	if n.left {
		n.mu.Unlock()
		return
	}
	items := n.leads(n.lookup.handle.Take(nil))
	n.mu.Unlock()
	n.begun(items, join)
}

// leads makes the question for what names stand for, as far as that is known.
func (n *named) leads(results []cache.Result[*entry]) *question {
	s, k := n.of.source, n.of.kind
	n.place = make([]int, len(n.at))
	var refs []tutti.Ref
	for i := range n.at {
		n.place[i] = -1
		if r := n.result(results, i); r != nil && r.Found && r.Value != nil {
			if id, ok := n.own(k, i, r.Value.resource.Ref.ID); ok {
				n.place[i] = len(refs)
				refs = append(refs, tutti.Ref{Source: s.name, Kind: k.Name, ID: id})
			}
		}
	}
	n.items = s.question(k, refs, n.of.scope)
	return n.items
}

// own is the id of the item; false when what was found can be none.
func (n *named) own(k *kind, i int, found string) (string, bool) {
	id, ok := k.def.Alias.ID(n.refs[i].ID, n.names[i].ID, found)
	if !ok {
		return "", false
	}
	return k.canonical(id)
}

// result is what the lookup of a name came to; nil when it was not asked for.
func (n *named) result(results []cache.Result[*entry], i int) *cache.Result[*entry] {
	if at := n.lookup.at[i]; at >= 0 {
		return &results[at]
	}
	return nil
}

// take writes what has come into got, at the places of the question; why tells of what has not.
func (n *named) take(why error, got []tutti.Got) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left = true
	if why == nil {
		why = errLeft
	}
	results := n.lookup.handle.Take(why)
	if n.items == nil { // some names are not known yet: the others may lead to what is kept
		q := n.leads(results)
		q.handle = q.source.cache.Begin(n.ctx, q.keys, n.policy, q.load, func() {})
	}
	var items []tutti.Got
	if n.items.handle != nil {
		items = n.items.told(n.items.handle.Take(why), nil)
	}
	for i, at := range n.at {
		r := n.result(results, i)
		switch {
		case r == nil:
			got[at] = n.lookup.none[i]
		case n.place[i] >= 0 && items != nil:
			got[at] = through(r, items[n.place[i]])
		default:
			got[at] = n.nowhere(r, i, why)
		}
	}
}

// through is an item that was found by a name: it is as old, and as easily made old, as what the name stands for.
func through(r *cache.Result[*entry], g tutti.Got) tutti.Got {
	g.Marks = slices.Concat(g.Marks, r.Marks)
	g.Cached = g.Cached && r.Cached
	g.Freshness.AsOf = earlier(g.Freshness.AsOf, r.AsOf)
	if r.Until.Before(g.Until) {
		g.Until = r.Until
	}
	if g.Freshness.State == tutti.Fresh && r.State != tutti.Fresh {
		g.Freshness.State = r.State
	}
	return g
}

// nowhere is what comes of a name that leads to no item.
func (n *named) nowhere(r *cache.Result[*entry], i int, why error) tutti.Got {
	g := missing(r.Err)
	g.Marks, g.Until, g.Cached = r.Marks, r.Until, r.Cached
	ref := n.refs[i]
	switch {
	case n.place[i] >= 0:
		g.Err = why // the time for the item is over
	case r.Found && r.Value != nil:
		g.Err = tutti.Errorf(tutti.BadAnswer, "getting one %s of %s: the name stands for what no item can have as an id", ref.Kind, ref.Source)
	case r.Err == nil:
		g.Err = tutti.Errorf(tutti.NotFound, "getting one %s of %s: the origin has none of that name", ref.Kind, ref.Source)
	}
	return g
}
