package sources

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

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
	return q.answered(s.cache.GetMany(ctx, q.keys, k.policy, q.load), nil)
}

// begin is get without the waiting. landed is called once, when everything has come, unless the
// caller took before.
func (s *Source) begin(ctx context.Context, k *kind, asked []tutti.Ref, full tutti.Scope, landed func()) *question {
	q := s.question(k, asked, full)
	q.handle = s.cache.Begin(ctx, q.keys, k.policy, q.load, landed)
	return q
}

// take adds what has come to got, in the order of the refs; why tells of what has not. It
// adds nothing when it is called again.
func (q *question) take(why error, got []tutti.Got) []tutti.Got {
	if q.handle == nil {
		return got
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
	keys   []cache.Key           // distinct
	refs   []tutti.Ref           // of the keys, by their one spelling
	at     []int                 // which key answers a ref; -1 = none says why there is none
	none   []tutti.Got           // of refs that no key answers; nil = every ref has one
	handle *cache.Handle[*entry] // once it has begun
}

func (s *Source) question(k *kind, asked []tutti.Ref, full tutti.Scope) *question {
	n := len(asked)
	q := &question{source: s, kind: k, scope: k.scope(full), keys: make([]cache.Key, 0, n), at: make([]int, n)}
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
		if !ok {
			q.not(i, missing(tutti.Errorf(tutti.NotFound, "getting a %s of %s: no item can have that id", k.Name, s.name)))
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

// answered adds to got what the cache says about every ref.
func (q *question) answered(results []cache.Result[*entry], got []tutti.Got) []tutti.Got {
	had := len(got)
	got = slices.Grow(got, len(q.at))[:had+len(q.at)]
	own := got[had:]
	for i, at := range q.at {
		if at >= 0 {
			q.source.answer(&own[i], q.kind, &results[at])
		} else {
			own[i] = q.none[i]
		}
	}
	q.source.doubts.items(own)
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
func (s *Source) answer(g *tutti.Got, k *kind, r *cache.Result[*entry]) {
	*g = tutti.Got{Freshness: tutti.Freshness{State: r.State, AsOf: r.AsOf}, Cached: r.Cached, Until: r.Until, Marks: r.Marks, Err: r.Err}
	switch {
	case r.Found && r.Value != nil:
		g.Resource = &r.Value.resource
	case r.Err == nil:
		g.Err = tutti.Errorf(tutti.NotFound, "getting a %s of %s: the origin does not have it", k.Name, s.name)
		g.Freshness.State = tutti.Missing
	default:
		g.Freshness.State = tutti.Missing
	}
}

// load asks the origin: as many calls at the same time as its limits force, none for anybody else. It
// writes what came into room, in the order of asks, and gives that, or nil where a call ended its goroutine.
func (s *Source) load(ctx context.Context, k *kind, asks []Ask, scope tutti.Scope, room []cache.Loaded[*entry]) []cache.Loaded[*entry] {
	if k.takes(len(asks), mostBytes(asks)) {
		return s.loadChunk(ctx, k, asks, scope, room)
	}
	chunks, rest := k.chunks(asks), room
	var wg sync.WaitGroup
	var landed atomic.Int32
	for _, chunk := range chunks {
		own := rest[:len(chunk)]
		rest = rest[len(chunk):]
		wg.Go(func() {
			if s.loadChunk(ctx, k, chunk, scope, own) != nil {
				landed.Add(1)
			}
		})
	}
	wg.Wait()
	if int(landed.Load()) < len(chunks) {
		return nil
	}
	return room
}

// chunks cuts asks to what one call takes: so many ids, so many bytes of URL.
func (k *kind) chunks(asks []Ask) [][]Ask {
	most := max(1, k.def.MaxIDs)
	out := make([][]Ask, 0, 1)
	for start, size, i := 0, 0, 0; i < len(asks); i++ {
		n := 0
		if k.def.MaxIDBytes > 0 {
			n = len(url.QueryEscape(asks[i].Ref.ID)) + 1
		}
		full := i-start == most || k.def.MaxIDBytes > 0 && i > start && size+n > k.def.MaxIDBytes
		if full {
			out = append(out, asks[start:i])
			start, size = i, 0
		}
		size += n
		if i == len(asks)-1 {
			out = append(out, asks[start:])
		}
	}
	return out
}

// loadChunk makes one call, or takes part in one that others make at the same time. It gives what load does.
func (s *Source) loadChunk(ctx context.Context, k *kind, asks []Ask, scope tutti.Scope, room []cache.Loaded[*entry]) (loaded []cache.Loaded[*entry]) {
	own := &share{asks: asks, room: room}
	if k.full(len(asks)) {
		batch := s.fetchOrSplit(ctx, k, asks, nil, scope, nil)
		own.read(k, batch.Replies, batch.Cut)
		batch.free()
		return own.loaded
	}
	c := k.lanes.enter(k, scope, own)
	if c == nil {
		if lead := <-own.turn; !lead {
			return own.loaded
		}
		c = &joinedCall{lanes: &k.lanes, kind: k, scope: scope, lead: own}
	}
	var batch Batch
	defer func() { // also when it panics: the others must not wait for ever
		c.landed(batch.Replies, batch.Cut)
		batch.free()
		loaded = own.loaded
	}()
	batch = s.fetchOrSplit(ctx, k, asks, c, scope, nil)
	return nil
}

// free gives back what reading the answer took. Nobody looks at its replies after it.
func (b *Batch) free() {
	if b.lent != nil {
		clear(b.Replies)
		*b.lent = b.Replies
		replyPool.Put(b.lent)
	}
}

// fetchOrSplit makes one call for asks, or for those of all who go along when it is the call's turn, and gives the
// replies to them. When the system refuses it for what is asked, one of those who went along may be the
// reason: they are asked for again in halves, and in the end each alone, so that nobody fails for what others
// ask for. Of one load it is one bad id, which is found by halves as well. left is how many calls
// that may still cost; nil for as many as belong to so many asks.
func (s *Source) fetchOrSplit(ctx context.Context, k *kind, asks []Ask, c *joinedCall, scope tutti.Scope, left *atomic.Int32) Batch {
	var batch Batch
	err := s.call(ctx, k.Name, func(ctx context.Context) (time.Time, error) {
		if c != nil {
			asks = c.leave()
		}
		var err error
		batch, err = s.conn.Fetch(ctx, asks, scope)
		if err == nil && len(batch.Replies) != len(asks) {
			err = tutti.Errorf(tutti.Internal, "calling %s: %d asks have %d replies", s.name, len(asks), len(batch.Replies))
		}
		return batch.Until, err
	})
	if err == nil {
		return batch
	}
	var refused *Refused
	bad := errors.As(err, &refused) && refused.Status == http.StatusBadRequest
	if c != nil && len(c.others) > 0 && (bad || errors.Is(err, tutti.TooLarge)) {
		one, other := c.halves()
		return both(
			func() Batch { return s.fetchOrSplit(ctx, k, one.asks, one, scope, nil) },
			func() Batch { return s.fetchOrSplit(ctx, k, other.asks, other, scope, nil) },
		)
	}
	if left == nil {
		left = new(atomic.Int32)
		left.Store(int32(4 * bits.Len(uint(len(asks)-1)))) // log2 n rounds of two calls, twice
	}
	if bad && len(asks) > 1 && left.Add(-2) >= 0 {
		ctx, cancel := context.WithTimeout(ctx, k.limit) // for each half and all that it is cut into
		defer cancel()
		half := len(asks) / 2
		return both(
			func() Batch { return s.fetchOrSplit(ctx, k, asks[:half], nil, scope, left) },
			func() Batch { return s.fetchOrSplit(ctx, k, asks[half:], nil, scope, left) },
		)
	}
	failed := Batch{Replies: make([]Reply, len(asks))}
	for i := range asks {
		failed.Replies[i].Err = err
	}
	return failed
}

// both asks for two halves at the same time, and gives their replies one after the other.
func both(one, other func() Batch) Batch {
	var first Batch
	var wg sync.WaitGroup
	wg.Go(func() { first = one() })
	second := other()
	wg.Wait()
	return Batch{Replies: append(first.told(), second.told()...)}
}

// told gives the replies of a half. That rows were cut off from one half says nothing about the other.
func (b Batch) told() []Reply {
	if b.Cut {
		for i, r := range b.Replies {
			if r == (Reply{}) {
				b.Replies[i].Err = errCut
			}
		}
	}
	return b.Replies
}

var errCut = tutti.Errorf(tutti.BadAnswer, "reading the answer: rows were cut off, so what is not in it may exist")

func (k *kind) loadedOf(a *Ask, r *Reply, isCut bool) cache.Loaded[*entry] {
	switch {
	case errors.Is(r.Err, tutti.NotFound):
		return cache.Loaded[*entry]{}
	case r.Err != nil:
		return cache.Loaded[*entry]{Err: r.Err}
	case r.Unchanged:
		return cache.Loaded[*entry]{Found: true, Unchanged: true, Validator: cmp.Or(r.Record.Validator, a.Validator), Fresh: k.fresh(r.Record.Fresh)}
	case r.Record.Resource != nil:
		return k.loaded(r.Record)
	case isCut:
		return cache.Loaded[*entry]{Err: errCut}
	}
	return cache.Loaded[*entry]{}
}

// loaded makes a record ready for the cache: it fills in whose it is.
func (k *kind) loaded(rec Record) cache.Loaded[*entry] {
	r := rec.Resource
	if k.owner != "" {
		r.Owner = ownerText(r.Fields.Get(k.owner))
	}
	e := rec.entry
	if e == nil {
		e = &entry{resource: *r}
	}
	e.bytes = sizeOf(r)
	return cache.Loaded[*entry]{Value: e, Found: true, Tags: k.veil.beside(r.Tags), Validator: rec.Validator, Fresh: k.fresh(rec.Fresh)}
}

// fresh is how long something is fresh of which the origin says so much; never longer than the config says.
func (k *kind) fresh(said time.Duration) time.Duration { return min(said, k.policy.Fresh) }

// ownerText writes a mapped owner as visitors are written: text, or a whole number.
func ownerText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		s, _ := writeValue(v)
		return s
	}
	return ""
}

// sizeOf estimates the memory of a resource with its entry, as BenchmarkKept measures it.
func sizeOf(r *tutti.Resource) int {
	n := int(unsafe.Sizeof(entry{})) + r.Fields.Bytes()
	if !r.Fields.Keep(r.Raw) {
		n += len(r.Raw)
	}
	for _, t := range r.Tags[min(1, len(r.Tags)):] { // the first is a part of its key
		n += 16 + len(t)
	}
	return n
}
