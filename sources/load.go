package sources

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// load asks the origin: as many calls at the same time as its limits force, none for anybody else. It
// writes what came into room, in the order of asks, and gives that, or nil where a call ended its goroutine.
func (s *Source) load(ctx context.Context, k *kind, asks []Ask, scope tutti.Scope, room []cache.Loaded[*entry]) []cache.Loaded[*entry] {
	if k.def.Whole != "" {
		return s.loadFromWhole(ctx, k, asks, scope, room)
	}
	if k.takes(len(asks), k.mostBytes(asks)) {
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
			n = len(url.QueryEscape(asks[i].Ref.ID)) + max(1, k.def.EachIDBytes)
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
		if k.lookup {
			batch, err = s.conn.(Resolver).Resolve(ctx, asks, scope)
		} else {
			batch, err = s.conn.Fetch(ctx, asks, scope)
		}
		if err == nil && len(batch.Replies) != len(asks) {
			err = tutti.Errorf(tutti.Internal, "calling %s: %d asks have %d replies", s.name, len(asks), len(batch.Replies))
		}
		return batch.Until, err
	})
	if err == nil {
		return batch
	}
	var refused *Refused
	bad := errors.As(err, &refused) && (refused.Status == http.StatusBadRequest || refused.Status == http.StatusUnprocessableEntity)
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
	case r.Err == errRolled:
		return cache.Loaded[*entry]{Err: r.Err} // which lets the last copy stand in
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
	return cache.Loaded[*entry]{Value: e, Found: true, Tags: k.veil.beside(r.Tags), Validator: rec.Validator, Fresh: k.fresh(rec.Fresh), Age: rec.Age}
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
