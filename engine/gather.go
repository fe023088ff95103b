package engine

import (
	"context"
	"errors"
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

	pageTime = 1500 * time.Millisecond // for everything
	callTime = 1000 * time.Millisecond // for one call: leaves time for a fallback
	waveTime = 400 * time.Millisecond  // then what is there goes on without those who are late
)

// gathering asks sources for what one experience wants: what was wished since the last wave goes
// out together, one call per source and one per distinct selection. Only the goroutine that made
// it uses it; the goroutines that call sources send what they got and touch nothing.
type gathering struct {
	sources Sources
	scope   tutti.Scope
	chain   []string // locales, the asked one first

	entries map[tutti.Ref]*entry
	found   map[string]*found
	asked   int // refs
	wishes  []*entry
	looks   []*found

	landing  chan *landed
	inFlight map[int]*landed // what is under way, by call
	calls    int
	closed   bool // no more time: what is not there is TIMEOUT
	working  sync.WaitGroup
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

// landed is what one call brought.
type landed struct {
	call    int
	entries []*entry
	gots    []tutti.Got
	found   *found
	page    tutti.Page
	err     error
}

func newGathering(sources Sources, scope tutti.Scope, chain []string) *gathering {
	return &gathering{
		sources: sources, scope: scope, chain: chain,
		entries: map[tutti.Ref]*entry{}, found: map[string]*found{}, inFlight: map[int]*landed{},
		landing: make(chan *landed, maxRefs+maxSelections), // no call ever waits to land
	}
}

// run calls pass again and again, each time with more to find, until it wishes for nothing that
// is not there. It waits for every call that it made.
func (g *gathering) run(ctx context.Context, pass func()) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer g.working.Wait()
	defer cancel()
	for {
		pass()
		if len(g.wishes)+len(g.looks)+len(g.inFlight) == 0 {
			return
		}
		if ctx.Err() != nil {
			g.close()
			continue
		}
		g.launch(ctx)
		g.await(ctx)
	}
}

// launch sends out what was wished: one goroutine for each source and for each selection.
func (g *gathering) launch(ctx context.Context) {
	bySource := map[string][]*entry{}
	var order []string
	for _, e := range g.wishes {
		if bySource[e.ref.Source] == nil {
			order = append(order, e.ref.Source)
		}
		bySource[e.ref.Source] = append(bySource[e.ref.Source], e)
	}
	for _, source := range order {
		entries := bySource[source]
		g.start(ctx, &landed{entries: entries}, func(ctx context.Context, l *landed) { l.gots = g.get(ctx, entries) })
	}
	for _, f := range g.looks {
		sel := f.sel
		sel.First = f.first
		g.start(ctx, &landed{found: f}, func(ctx context.Context, l *landed) { l.page, l.err = g.sources.Select(ctx, sel, g.scope) })
	}
	g.wishes, g.looks = nil, nil
}

func (g *gathering) start(ctx context.Context, l *landed, call func(context.Context, *landed)) {
	g.calls++
	l.call = g.calls
	g.inFlight[l.call] = l
	g.working.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		defer func() {
			if p := recover(); p != nil { // a panic here would end the process
				l.gots, l.err = nil, tutti.Errorf(tutti.Internal, "calling a source: panic: %v", p)
			}
			if l.err == nil && l.found == nil && len(l.gots) != len(l.entries) {
				l.err = tutti.Errorf(tutti.Internal, "calling a source: %d refs, %d answers", len(l.entries), len(l.gots))
			}
			g.landing <- l
		}()
		call(ctx, l)
	})
}

// get asks one source, and again in the next language for what is not there in this one.
func (g *gathering) get(ctx context.Context, entries []*entry) []tutti.Got {
	refs := make([]tutti.Ref, len(entries))
	for i, e := range entries {
		refs[i] = e.ref
	}
	gots := g.sources.Get(ctx, refs, g.scope)
	if len(gots) != len(refs) {
		return gots
	}
	copied := false
	for i := 1; i < len(g.chain); i++ {
		var again []tutti.Ref
		var at []int
		for j, e := range entries {
			if gots[j].Resource == nil && errors.Is(gots[j].Err, tutti.NotFound) && e.kind.HasDimension(tutti.LocaleDimension) {
				again, at = append(again, e.ref), append(at, j)
			}
		}
		if len(again) == 0 {
			break
		}
		if !copied { // what a source gave belongs to it
			gots, copied = append([]tutti.Got(nil), gots...), true
		}
		scope := g.scope
		scope.Locale = g.chain[i]
		for k, got := range g.sources.Get(ctx, again, scope) {
			gots[at[k]] = got
		}
	}
	return gots
}

// await takes in what lands: everything that is under way, or after a while what there is by
// then, so that one slow source does not keep the others from going on.
func (g *gathering) await(ctx context.Context) {
	late := time.NewTimer(waveTime)
	defer late.Stop()
	isLate, came := false, false
	for len(g.inFlight) > 0 && !(isLate && came) {
		select {
		case l := <-g.landing:
			g.land(l)
			came = true
		case <-late.C:
			isLate = true
		case <-ctx.Done():
			g.close()
			return
		}
	}
}

func (g *gathering) land(l *landed) {
	if _, ok := g.inFlight[l.call]; !ok {
		return // it was given up
	}
	delete(g.inFlight, l.call)
	if f := l.found; f != nil {
		f.done, f.page, f.err = true, l.page, l.err
		for _, got := range l.page.Items {
			f.items = append(f.items, g.take(got, f))
		}
		return
	}
	for i, e := range l.entries {
		if l.err != nil {
			e.failed(failure(l.err))
			continue
		}
		e.done, e.got = true, clean(l.gots[i])
		if e.got.Resource == nil && e.got.Err == nil {
			e.failed(tutti.NotFound)
		}
	}
}

// take keeps an item that a selection found, as if it had been asked for by its ref.
func (g *gathering) take(got tutti.Got, f *found) *entry {
	if got.Resource == nil {
		return nil
	}
	ref := got.Resource.Ref
	if e, ok := g.entries[ref]; ok && e.done && e.got.Resource != nil {
		return e
	}
	e := &entry{ref: ref, kind: f.kind, wave: f.wave, done: true, got: clean(got)}
	if _, ok := g.entries[ref]; !ok {
		g.entries[ref] = e
	}
	return e
}

// close ends gathering: what is not there by now did not come in time.
func (g *gathering) close() {
	for len(g.landing) > 0 { // came in the same instant
		g.land(<-g.landing)
	}
	g.closed = true
	for _, l := range g.inFlight {
		for _, e := range l.entries {
			e.failed(tutti.Timeout)
		}
		if l.found != nil {
			l.found.done, l.found.err = true, tutti.Timeout
		}
	}
	for _, e := range g.wishes {
		e.failed(tutti.Timeout)
	}
	for _, f := range g.looks {
		f.done, f.err = true, tutti.Timeout
	}
	g.inFlight, g.wishes, g.looks = map[int]*landed{}, nil, nil
}

// failure gives the code of what a source said.
func failure(err error) tutti.Code {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return tutti.Timeout
	}
	return tutti.CodeOf(err)
}
