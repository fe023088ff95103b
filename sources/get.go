package sources

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// entry is what the cache keeps: one resource, or one page of a selection. What the cache notes of it and
// the resource stand in it, because a full cache is walked by the garbage collector again and again.
type entry struct {
	place    cache.Place[*entry]
	resource tutti.Resource
	own      [1]string // the tags of a resource that is made of its own record alone
	page     *keptPage // of a selection, which has no resource
	bytes    int
}

// Place is where the cache notes what it knows of the entry.
func (e *entry) Place() *cache.Place[*entry] {
	if e == nil {
		return nil
	}
	return &e.place
}

// keptPage is a page with its resources, so that a warm selection needs nothing else.
type keptPage struct {
	resources []*tutti.Resource
	asOf      []time.Time // of each, where they were read apart from the search; else nil
	next      string
	total     *int
	whole     *wholeAnswer // instead of a page: everything of a kind
}

func (e *entry) size() int {
	if e == nil {
		return 0
	}
	return e.bytes
}

// get resolves refs of one kind through the cache, in their order.
func (s *Source) get(ctx context.Context, k *kind, asked []tutti.Ref, full tutti.Scope) []tutti.Got {
	q := s.question(k, asked, full)
	if q.named != nil {
		got := q.withNames(ctx, k.policy)
		s.doubts.items(k, q.scope, got)
		return got
	}
	return q.answered(s.cache.GetMany(ctx, q.keys, k.policy, q.load), nil)
}

// begin is get without the waiting. landed is called once, when everything has come, unless the
// caller took before.
func (s *Source) begin(ctx context.Context, k *kind, asked []tutti.Ref, full tutti.Scope, landed func()) *question {
	q := s.question(k, asked, full)
	if q.named != nil {
		landed = q.named.begin(ctx, k.policy, landed)
	}
	q.handle = s.cache.Begin(ctx, q.keys, k.policy, q.load, landed)
	return q
}

// take adds what has come to got, in the order of the refs; why tells of what has not. It
// adds nothing when it is called again.
func (q *question) take(why error, got []tutti.Got) []tutti.Got {
	if q.handle == nil {
		return got
	}
	if q.named != nil {
		q.named.take(why, q.none)
	}
	got = q.answered(q.handle.Take(why), got)
	q.handle.Free()
	q.handle = nil
	return got
}

// question is what the cache is asked for refs of one kind.
type question struct {
	source *Source
	kind   *kind
	scope  tutti.Scope
	locale string                // the asked one, also where it is not in the scope
	keys   []cache.Key           // distinct
	refs   []tutti.Ref           // of the keys, by their one spelling
	at     []int                 // which key answers a ref; -1 = none says why there is none
	none   []tutti.Got           // of refs that no key answers; nil = every ref has one
	named  *named                // refs that name items otherwise; nil = there are none
	handle *cache.Handle[*entry] // once it has begun
}

func (s *Source) question(k *kind, asked []tutti.Ref, full tutti.Scope) *question {
	n := len(asked)
	q := &question{source: s, kind: k, scope: k.scope(full), locale: full.Locale, keys: make([]cache.Key, 0, n), at: make([]int, n)}
	scoped := noScope
	if q.scope != (tutti.Scope{}) {
		scoped = scopeKey(q.scope)
	}
	tags := make([]string, 0, 2*n)
	names := make([]byte, 0, keyRoom(asked, scoped)) // of the keys, one after the other
	withheld, now := s.doubts.withheld()
	var seen map[string]int // for many
	if n > 16 {
		seen = make(map[string]int, n)
	}
	own := false // q.refs are not the first of asked
	for i, ref := range asked {
		id, ok := k.canonical(ref.ID)
		if !ok && k.names != nil && q.byName(i, ref.ID) {
			continue
		}
		if !ok {
			q.not(i, missing(tutti.Errorf(tutti.NotFound, "getting one %s of %s: no item can have that id", k.Name, s.name)))
			continue
		}
		ref.ID = id
		if withheld.has(ref, now) {
			q.not(i, suppressed(ref))
			continue
		}
		at, again := seen[id]
		if seen == nil {
			at = slices.IndexFunc(q.refs, func(r tutti.Ref) bool { return r.ID == id })
			again = at >= 0
		}
		q.at[i] = at
		if again {
			continue
		}
		at = len(q.keys)
		q.at[i] = at
		var key, tag string
		names, key, tag = appendItemKey(names, ref, scoped)
		tags = append(tags, tag, k.every)
		q.keys = append(q.keys, cache.Key{Key: key, Tags: k.veil.beside(tags[2*at : 2*at+2 : 2*at+2])})
		if !own && at == i && id == asked[i].ID {
			q.refs = asked[:i+1]
		} else {
			if !own {
				q.refs, own = append(make([]tutti.Ref, 0, n), q.refs...), true
			}
			q.refs = append(q.refs, ref)
		}
		if seen != nil {
			seen[id] = at
		}
	}
	return q
}

// not notes what a ref comes to that no key answers.
func (q *question) not(i int, why tutti.Got) {
	if q.none == nil {
		q.none = make([]tutti.Got, len(q.at))
	}
	q.at[i], q.none[i] = -1, why
}

// load asks the origin for what nobody is asking for. It comes in the order of the keys.
func (q *question) load(ctx context.Context, asks []cache.Ask[*entry]) []cache.Loaded[*entry] {
	lent := askPool.Get().(*[]Ask)
	wanted, at := slices.Grow((*lent)[:0], len(asks))[:len(asks)], 0
	for i, a := range asks {
		for q.keys[at].Key != a.Key.Key {
			at = (at + 1) % len(q.keys)
		}
		wanted[i].Ref, wanted[i].key = q.refs[at], a.Key.Key
		if a.HasOld {
			wanted[i].Validator = a.Validator
		}
	}
	loaded := q.source.load(ctx, q.kind, wanted, q.scope, cache.Room(asks))
	clear(wanted)
	*lent = wanted
	askPool.Put(lent)
	return loaded
}

// askPool lends lists of asks, all of them zero.
var askPool = sync.Pool{New: func() any { return new([]Ask) }}

// replyPool lends lists of replies, all of them zero.
var replyPool = sync.Pool{New: func() any { return new([]Reply) }}

// answered adds to got what whoever asked may have of what the cache says about every ref.
func (q *question) answered(results []cache.Result[*entry], got []tutti.Got) []tutti.Got {
	had := len(got)
	got = q.told(results, got)
	q.source.doubts.items(q.kind, q.scope, got[had:])
	return got
}

// told adds to got what the cache says about every ref.
func (q *question) told(results []cache.Result[*entry], got []tutti.Got) []tutti.Got {
	had := len(got)
	got = slices.Grow(got, len(q.at))[:had+len(q.at)]
	own := got[had:]
	for i, at := range q.at {
		if at >= 0 {
			q.source.answer(&own[i], q.kind, q.locale, &results[at])
		} else {
			own[i] = q.none[i]
		}
	}
	return got
}

// wait waits until everything has come. It gives nil then, else why the caller leaves.
func wait(ctx context.Context, landed <-chan struct{}) error {
	select {
	case <-landed:
		return nil
	default:
	}
	select {
	case <-landed:
		return nil
	case <-ctx.Done():
		code := tutti.Unavailable
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			code = tutti.Timeout
		}
		return tutti.Errorf(code, "waiting for an origin: %w", ctx.Err())
	}
}

// answer writes what the cache says about an item.
func (s *Source) answer(g *tutti.Got, k *kind, locale string, r *cache.Result[*entry]) {
	*g = tutti.Got{Freshness: tutti.Freshness{State: r.State, AsOf: r.AsOf}, Cached: r.Cached, Until: r.Until, Marks: r.Marks, Err: r.Err}
	switch {
	case r.Found && r.Value != nil:
		if g.Resource = &r.Value.resource; k.def.Languages {
			g.Resource = g.Resource.In(locale)
		}
	case r.Err == nil:
		g.Err = tutti.Errorf(tutti.NotFound, "getting one %s of %s: the origin does not have it", k.Name, s.name)
		g.Freshness.State = tutti.Missing
	default:
		g.Freshness.State = tutti.Missing
	}
}
