package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// Limits of gathering. One wave is what is asked at once; what is found leads to the next.
// MaxAsked is how many refs one experience asks sources for.
const MaxAsked = 200

const (
	maxRefs       = MaxAsked // refs that one experience asks sources for
	maxSelections = 50
	maxWaves      = 3 // from the plan's own refs: their relations, and those of these
)

// gathering asks sources for what one experience wants: what was wished since the last wave goes
// out together, one call per kind and one per distinct selection. Only the goroutine that made
// it uses it, and starts no other: calls belong to the sources, tell when they have landed, and go on
// without it when it leaves them.
type gathering struct {
	sources Sources
	budgets *Budgets
	scope   tutti.Scope
	chain   []string // locales, the asked one first

	room    *room // that entries are in
	entries *refIndex
	found   map[string]*found
	asked   int // refs
	wishes  []*entry
	looks   []*found

	until    time.Time // when the page has to be there
	inFlight []*call
	accounts *account // of the sources that were asked
	landed   landings
	timer    *time.Timer
	closed   bool // no more time: only what is in memory comes
}

// entry is one item: wished, under way, or there.
type entry struct {
	ref  tutti.Ref
	kind *tutti.Kind
	wave int // how many steps from the plan, from 1
	done bool
	got  tutti.Got
	id   string // of its delivery; made once
}

// found is one selection: wished, under way, or there.
type found struct {
	sel   tutti.Selection
	kind  *tutti.Kind
	wave  int
	first int // the most that was wished for
	done  bool
	items []*entry // as in page.Items; nil for one that did not come
	page  tutti.Page
	err   error
}

// call is one question to a source: for items of one kind, or for a selection.
type call struct {
	kind     *tutti.Kind
	entries  []*entry
	refs     []tutti.Ref
	language int // in the chain
	take     func([]tutti.Got) []tutti.Got

	found    *found // nil for items
	takePage func() (tutti.Page, error)

	account *account
	until   time.Time // when the source's budget is over
}

// landings are calls that have landed and are not taken in yet.
type landings struct {
	mu    sync.Mutex
	calls []*call
	bell  chan struct{} // holds one after each landing
}

// add notes a call. Any goroutine may use it.
func (l *landings) add(c *call) {
	l.mu.Lock()
	l.calls = append(l.calls, c)
	l.mu.Unlock()
	select {
	case l.bell <- struct{}{}:
	default: // it rings already
	}
}

// next gives a call that has landed; nil when there is none.
func (l *landings) next() *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 {
		return nil
	}
	c := l.calls[0]
	l.calls = l.calls[1:]
	return c
}

// release forgets what was gathered, so that its room can be given back. Cursors of lists may still look
// at what was asked and where it goes on.
func (g *gathering) release() {
	for _, f := range g.found {
		f.items, f.page.Items = nil, nil
	}
	g.room, g.entries, g.wishes, g.accounts = nil, nil, nil, nil
}

// newGathering begins a gathering, of about so many refs.
func newGathering(sources Sources, budgets *Budgets, scope tutti.Scope, chain []string, refs int, r *room) *gathering {
	r.entries.expect(refs)
	r.lists.expect(4 * refs) // wishes, what a list waits for, what is in it, calls
	return &gathering{
		sources: sources, budgets: budgets, scope: scope, chain: chain, room: r,
		entries: &r.byRef, wishes: r.lists.take(refs)[:0], landed: landings{bell: make(chan struct{}, 1)},
	}
}

// run calls pass again and again, each time with more to find, until it wishes for nothing that
// is not there. It returns at the page's deadline at the latest.
func (g *gathering) run(ctx context.Context, pass func()) {
	g.until = time.Now().Add(g.budgets.Page)
	for {
		pass()
		if len(g.wishes)+len(g.looks)+len(g.inFlight) == 0 {
			return
		}
		g.launch(ctx)
		g.await(ctx)
	}
}

// launch sends out what was wished: one call for each kind and for each selection.
func (g *gathering) launch(ctx context.Context) {
	calls := g.calls()
	g.inFlight = slices.Grow(g.inFlight, len(calls))
	for i := range calls {
		g.begin(ctx, &calls[i])
	}
}

// calls makes the calls for all that is wished.
func (g *gathering) calls() []call {
	var some [8]*tutti.Kind
	kinds := g.kinds(some[:0])
	calls := make([]call, len(kinds), len(kinds)+len(g.looks))
	entries, refs := g.room.lists.take(len(g.wishes)), make([]tutti.Ref, 0, len(g.wishes))
	for i, kind := range kinds {
		c := &calls[i]
		c.kind, c.entries = kind, entries[:0]
		from := len(refs)
		for _, e := range g.wishes {
			if e.kind == kind {
				c.entries, refs = append(c.entries, e), append(refs, e.ref)
			}
		}
		c.refs, entries = refs[from:len(refs):len(refs)], entries[len(c.entries):]
	}
	for _, f := range g.looks {
		calls = append(calls, call{found: f})
	}
	g.wishes, g.looks = g.wishes[:0], nil
	return calls
}

// kinds adds those of which something is wished, in the order of the wishes.
func (g *gathering) kinds(kinds []*tutti.Kind) []*tutti.Kind {
	for i, e := range g.wishes {
		if (i == 0 || e.kind != g.wishes[i-1].kind) && !slices.Contains(kinds, e.kind) {
			kinds = append(kinds, e.kind)
		}
	}
	return kinds
}

// begin sends a call out. One that comes from memory has landed when it returns. When there is no time
// left, only memory is asked.
func (g *gathering) begin(ctx context.Context, c *call) {
	if g.closed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, time.Unix(0, 0))
		defer cancel()
	}
	source := ""
	if c.found != nil {
		source = c.found.sel.Source
	} else {
		source = c.refs[0].Source
	}
	c.account = g.account(source)
	c.until = c.account.begin(time.Now())
	g.inFlight = append(g.inFlight, c)
	landed := func() { g.landed.add(c) }
	if c.found != nil {
		sel := c.found.sel
		sel.First = c.found.first
		c.takePage = g.sources.BeginSelect(ctx, sel, g.scope, landed)
		return
	}
	scope := g.scope
	if c.language > 0 {
		scope.Locale = g.chain[c.language]
	}
	c.take = g.sources.Begin(ctx, c.refs, scope, landed)
}

// account is what this page has left of a source's budget.
func (g *gathering) account(source string) *account {
	for a := g.accounts; a != nil; a = a.next {
		if a.source == source {
			return a
		}
	}
	a := g.room.accounts.one()
	a.source, a.left, a.next = source, g.budgets.of(source), g.accounts
	g.accounts = a
	return a
}

// await takes in what lands: everything that is under way, or after a while what there is by
// then, so that one slow source does not keep the others from going on. A call whose source has
// used its budget up is left: what is in memory stands in for it.
func (g *gathering) await(ctx context.Context) {
	late := time.Now().Add(g.budgets.Wave)
	came := false
	for {
		for c := g.landed.next(); c != nil; c = g.landed.next() {
			came = g.land(ctx, c) || came
		}
		now := time.Now()
		if !now.Before(g.until) || ctx.Err() != nil {
			g.close(ctx)
		}
		next := g.until
		for i := 0; i < len(g.inFlight); i++ {
			if c := g.inFlight[i]; now.Before(c.until) {
				next = earlier(next, c.until)
			} else {
				came = g.land(ctx, c) || came
				i--
			}
		}
		switch {
		case len(g.inFlight) == 0, came && !now.Before(late):
			return
		case came:
			next = earlier(next, late)
		}
		g.sleep(ctx, next.Sub(now))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// sleep waits until something lands, but no longer than d.
func (g *gathering) sleep(ctx context.Context, d time.Duration) {
	if g.timer == nil {
		g.timer = time.NewTimer(d)
	} else {
		g.timer.Reset(d)
	}
	defer g.timer.Stop()
	select {
	case <-g.landed.bell:
	case <-g.timer.C:
	case <-ctx.Done():
	}
}

// land takes in what a call brought, or what stands in when it has not landed. It reports false for a
// call that was left before.
func (g *gathering) land(ctx context.Context, c *call) bool {
	i := slices.Index(g.inFlight, c)
	if i < 0 {
		return false
	}
	g.inFlight = slices.Delete(g.inFlight, i, i+1)
	c.account.end(time.Now())
	if f := c.found; f != nil {
		f.done = true
		f.page, f.err = c.takePage()
		for _, got := range f.page.Items {
			f.items = append(f.items, g.take(got, f))
		}
		return true
	}
	gots := c.take(g.room.got[:0])
	defer func() {
		clear(gots)
		g.room.got = gots
	}()
	if len(gots) != len(c.entries) {
		for _, e := range c.entries {
			e.failed(tutti.Internal)
		}
		return true
	}
	var again *call // in the next language
	for i, e := range c.entries {
		if gots[i].Resource == nil && c.language+1 < len(g.chain) && errors.Is(gots[i].Err, tutti.NotFound) && e.kind.HasDimension(tutti.LocaleDimension) {
			if again == nil {
				again = &call{kind: c.kind, language: c.language + 1}
			}
			again.entries, again.refs = append(again.entries, e), append(again.refs, e.ref)
			continue
		}
		e.done, e.got = true, clean(gots[i])
		if e.got.Resource == nil && e.got.Err == nil {
			e.failed(tutti.NotFound)
		}
	}
	if again != nil {
		g.begin(ctx, again)
	}
	return true
}

// take keeps an item that a selection found, as if it had been asked for by its ref.
func (g *gathering) take(got tutti.Got, f *found) *entry {
	if got.Resource == nil {
		return nil
	}
	ref := got.Resource.Ref
	before := g.entries.find(&ref)
	if before != nil && before.done && before.got.Resource != nil {
		return before
	}
	e := &entry{ref: ref, kind: f.kind, wave: f.wave, done: true, got: clean(got)}
	if before == nil {
		g.entries.add(e)
	}
	return e
}

// close ends the waiting: from now on comes what is in memory, and for the rest TIMEOUT.
func (g *gathering) close(ctx context.Context) {
	g.closed = true
	for len(g.inFlight) > 0 {
		g.land(ctx, g.inFlight[0])
	}
}

// failure gives the code of what a source said.
func failure(err error) tutti.Code {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return tutti.Timeout
	}
	return tutti.CodeOf(err)
}
