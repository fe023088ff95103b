package sources

import (
	"runtime"
	"slices"
	"sync"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// lanes join the loads of one kind into calls. Requests that miss different items at the same time would
// make a call each; those of one scope whose turn has not come go together instead, as many as one
// call takes. Nobody waits for others: a call leaves when it is its turn at the gate, and takes along
// who came by then.
type lanes struct {
	mu sync.Mutex
	by map[tutti.Scope]*lane // where a load leads
}

// lane is where loads wait for the one that leads. It is there as long as that one has not left.
type lane struct {
	waiting []*share // in the order in which they came
}

// share is the part of one load in a call.
type share struct {
	asks   []Ask
	room   []cache.Loaded[*entry] // for loaded
	loaded []cache.Loaded[*entry] // nil where the call ended its goroutine
	turn   chan bool              // true: it has to lead the next call; closed: loaded is there
}

// joinedCall is a call that one load leads. One goroutine uses it.
type joinedCall struct {
	lanes  *lanes
	kind   *kind
	scope  tutti.Scope
	lead   *share
	others []*share
	asks   []Ask  // of all; nil until it leaves
	lent   *[]Ask // of askPool, where asks are from; nil = they are the leader's
}

// enter begins a call that this share leads; nil when another leads, for whom it waits then.
func (l *lanes) enter(k *kind, scope tutti.Scope, s *share) *joinedCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.by[scope]; at != nil {
		s.turn = make(chan bool, 1)
		at.waiting = append(at.waiting, s)
		return nil
	}
	if l.by == nil {
		l.by = map[tutti.Scope]*lane{}
	}
	l.by[scope] = &lane{}
	return &joinedCall{lanes: l, kind: k, scope: scope, lead: s}
}

// leave gives what the call asks for: from now on nobody joins it. Who wants to go with it and is
// ready to run is let go first: on a busy machine that are many, on an idle one nobody, and it takes
// no time. Later calls give the same.
func (c *joinedCall) leave() []Ask {
	for came := 0; c.asks == nil; {
		runtime.Gosched()
		c.lanes.mu.Lock()
		at := c.lanes.by[c.scope]
		if n := len(at.waiting); n == came || c.kind.full(len(c.lead.asks)+n) {
			c.take(at)
		} else {
			came = n
		}
		c.lanes.mu.Unlock()
	}
	return c.asks
}

// take takes along who waits, as far as there is room. The first who has none leads the next call.
func (c *joinedCall) take(at *lane) {
	c.asks = c.lead.asks
	var rest []*share
	if len(at.waiting) > 0 {
		p := passengers{kind: c.kind, ids: idPool.Get().(map[string]bool)}
		defer p.free()
		p.add(c.lead.asks)
		c.lent = askPool.Get().(*[]Ask)
		c.asks = append(slices.Grow((*c.lent)[:0], min((1+len(at.waiting))*len(c.asks), c.kind.def.MaxIDs)), c.asks...)
		for _, s := range at.waiting {
			if !p.add(s.asks) {
				rest = append(rest, s)
				continue
			}
			c.others, c.asks = append(c.others, s), append(c.asks, s.asks...)
		}
	}
	c.next(rest)
}

// next lets the first of those who wait lead a call of their own.
func (c *joinedCall) next(waiting []*share) {
	if len(waiting) == 0 {
		delete(c.lanes.by, c.scope)
		return
	}
	c.lanes.by[c.scope].waiting = waiting[1:]
	waiting[0].turn <- true
}

// halves gives two calls that have left, each with half of those who went along.
func (c *joinedCall) halves() (one, other *joinedCall) {
	loads := append([]*share{c.lead}, c.others...)
	half, n := len(loads)/2, 0
	for _, s := range loads[:half] {
		n += len(s.asks)
	}
	return &joinedCall{lead: loads[0], others: loads[1:half], asks: c.asks[:n]}, &joinedCall{lead: loads[half], others: loads[half+1:], asks: c.asks[n:]}
}

// landed hands out the replies to all asks, in their order; nothing when some are lacking. When the call did not leave,
// because its turn never came, nobody but the leader is told: the others wait for theirs.
func (c *joinedCall) landed(all []Reply, isCut bool) {
	if c.asks == nil {
		c.lanes.mu.Lock()
		c.next(c.lanes.by[c.scope].waiting)
		c.lanes.mu.Unlock()
		c.lead.read(c.kind, all, isCut)
		return
	}
	if len(all) != len(c.asks) {
		all = nil
	}
	n := len(c.lead.asks)
	c.lead.read(c.kind, all[:min(n, len(all))], isCut)
	for _, s := range c.others {
		from := n
		n += len(s.asks)
		s.read(c.kind, all[min(from, len(all)):min(n, len(all))], isCut)
		close(s.turn)
	}
	if c.lent != nil {
		clear(c.asks)
		*c.lent = c.asks
		askPool.Put(c.lent)
	}
}

// read makes the replies to the asks ready for the cache; nothing when there are none.
func (s *share) read(k *kind, replies []Reply, isCut bool) {
	if len(replies) != len(s.asks) {
		return
	}
	s.loaded = s.room
	for i := range replies {
		s.loaded[i] = k.loadedOf(&s.asks[i], &replies[i], isCut)
	}
}

// passengers are the asks of one call so far: distinct ids, no more than a call takes.
type passengers struct {
	kind  *kind
	ids   map[string]bool
	bytes int
}

// idPool lends maps that are empty.
var idPool = sync.Pool{New: func() any { return map[string]bool{} }}

func (p *passengers) free() {
	clear(p.ids)
	idPool.Put(p.ids)
}

// add reports whether asks go too, and counts them in. The first always do.
func (p *passengers) add(asks []Ask) bool {
	bytes := p.bytes + p.kind.mostBytes(asks)
	if n := len(p.ids); n > 0 {
		if !p.kind.takes(n+len(asks), bytes) {
			return false
		}
		for i := range asks {
			if p.ids[asks[i].Ref.ID] {
				return false // it was forgotten while it waited, and is asked for anew
			}
		}
	}
	for i := range asks {
		p.ids[asks[i].Ref.ID] = true
	}
	p.bytes = bytes
	return true
}

// full reports whether a call for so many ids takes no more.
func (k *kind) full(ids int) bool { return ids >= max(1, k.def.MaxIDs) }

// takes reports whether so many ids, of at most so many bytes, surely are few enough for one call.
func (k *kind) takes(ids, bytes int) bool {
	return ids <= max(1, k.def.MaxIDs) && (k.def.MaxIDBytes <= 0 || bytes <= k.def.MaxIDBytes)
}

// mostBytes is how much of an address ids take at the most.
func (k *kind) mostBytes(asks []Ask) int {
	n := 0
	for i := range asks {
		n += 3*len(asks[i].Ref.ID) + max(1, k.def.EachIDBytes) // escaped
	}
	return n
}
