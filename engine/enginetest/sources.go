// Package enginetest plays origin systems in memory, for tests of the engine: it counts calls,
// keeps what was read like a cache, and fails, waits or forgets when told to.
package enginetest

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// Sources are played origin systems behind a cache that keeps everything. The zero value has
// none; safe for concurrent use once it is filled.
type Sources struct {
	mu     sync.Mutex
	kinds  map[string]*tutti.Kind
	items  map[tutti.Ref][]*tutti.Resource // by locale
	order  []tutti.Ref
	faults map[string]Fault
	kept   map[reading]bool
	calls  []Call

	AsOf time.Time // when everything was read
	Keep bool      // behave like a cache: what was read once costs no call any more
}

// Fault is what is wrong with a source.
type Fault struct {
	Code  tutti.Code    // every answer has it
	Delay time.Duration // before every answer; TIMEOUT when the context ends first
	Stale bool          // with Code: old copies stand in
}

// Call is one call that an origin would have got.
type Call struct {
	Source, Kind, Locale string
	Refs                 []string         // sorted; none for a selection
	Selection            *tutti.Selection // nil for refs
}

// String writes source:kind [locale] and the refs' ids or the selection.
func (c Call) String() string {
	s := c.Source + ":" + c.Kind
	if c.Locale != "" {
		s += " [" + c.Locale + "]"
	}
	if c.Selection == nil {
		return s + " " + strings.Join(c.Refs, " ")
	}
	s += " select first " + strconv.Itoa(c.Selection.First)
	if c.Selection.After != "" {
		s += " after " + c.Selection.After
	}
	if len(c.Selection.Filter) > 0 {
		s += fmt.Sprintf(" where %v", c.Selection.Filter)
	}
	if c.Selection.Owner != "" {
		s += " of " + c.Selection.Owner
	}
	return s
}

// Add declares a kind.
func (s *Sources) Add(k tutti.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kinds == nil {
		s.kinds = map[string]*tutti.Kind{}
	}
	s.kinds[tutti.KindTag(k.Source, k.Name)] = &k
}

// Put adds an item, or another language of one.
func (s *Sources) Put(r tutti.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = map[tutti.Ref][]*tutti.Resource{}
	}
	if k := s.kinds[r.Ref.KindTag()]; k != nil && r.Type == "" {
		r.Type = k.Type
	}
	if len(s.items[r.Ref]) == 0 {
		s.order = append(s.order, r.Ref)
	}
	s.items[r.Ref] = append(s.items[r.Ref], &r)
}

// Break says what is wrong with a source from now on; the zero Fault mends it.
func (s *Sources) Break(source string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[string]Fault{}
	}
	s.faults[source] = f
}

// Calls gives the calls since the last time, in the order of their text, and forgets them.
func (s *Sources) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]string, len(s.calls))
	for i, c := range s.calls {
		list[i] = c.String()
	}
	s.calls = nil
	sort.Strings(list)
	return list
}

// Kind implements engine.Sources.
func (s *Sources) Kind(source, kind string) (*tutti.Kind, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kinds[tutti.KindTag(source, kind)]
	return k, ok
}

// Get implements engine.Sources: one call for each kind and for what was not read before.
func (s *Sources) Get(ctx context.Context, refs []tutti.Ref, scope tutti.Scope) []tutti.Got {
	gots := make([]tutti.Got, len(refs))
	cold := map[string][]string{}
	for _, r := range refs {
		if !s.isKept(r, scope) {
			cold[r.KindTag()] = append(cold[r.KindTag()], r.ID)
		}
	}
	for kind, ids := range cold {
		source, name, _ := strings.Cut(kind, ":")
		s.called(Call{Source: source, Kind: name, Locale: s.localeOf(kind, scope), Refs: slices.Sorted(slices.Values(ids))})
	}
	for i, r := range refs {
		gots[i] = s.one(ctx, r, scope)
		if gots[i].Resource != nil {
			s.keep(r, scope)
		}
	}
	return gots
}

// Begin implements engine.Sources. What is kept, and what a healthy source has, comes at once. With a
// context that has ended, nobody is called.
func (s *Sources) Begin(ctx context.Context, refs []tutti.Ref, scope tutti.Scope, landed func()) func([]tutti.Got) []tutti.Got {
	if ctx.Err() != nil {
		gots := make([]tutti.Got, len(refs))
		for i, r := range refs {
			if gots[i] = late; s.isKept(r, scope) {
				gots[i] = s.one(ctx, r, scope)
			}
		}
		landed()
		return func(got []tutti.Got) []tutti.Got { return append(got, gots...) }
	}
	take := begin(ctx, s.slow(refs[0].Source) && !s.isKept(refs[0], scope), landed, func(ctx context.Context) []tutti.Got { return s.Get(ctx, refs, scope) },
		func() []tutti.Got { return slices.Repeat([]tutti.Got{late}, len(refs)) })
	return func(got []tutti.Got) []tutti.Got { return append(got, take()...) }
}

// BeginSelect implements engine.Sources, in the same way.
func (s *Sources) BeginSelect(ctx context.Context, sel tutti.Selection, scope tutti.Scope, landed func()) func() (tutti.Page, error) {
	type answer struct {
		page tutti.Page
		err  error
	}
	if ctx.Err() != nil {
		landed()
		return func() (tutti.Page, error) { return tutti.Page{}, tutti.Timeout }
	}
	take := begin(ctx, s.slow(sel.Source), landed, func(ctx context.Context) answer {
		page, err := s.Select(ctx, sel, scope)
		return answer{page, err}
	}, func() answer { return answer{err: tutti.Timeout} })
	return func() (tutti.Page, error) { a := take(); return a.page, a.err }
}

var late = tutti.Got{Err: tutti.Timeout, Freshness: tutti.Freshness{State: tutti.Missing}}

func (s *Sources) slow(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[source].Delay > 0
}

// begin calls a source: behind the caller when it is slow. Who takes before the answer leaves, which
// ends the call.
func begin[T any](ctx context.Context, slow bool, landed func(), call func(context.Context) T, left func() T) (take func() T) {
	if !slow {
		answer := call(ctx)
		landed()
		return func() T { return answer }
	}
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	var answer *T
	gone := false
	go func() {
		a := call(ctx)
		mu.Lock()
		answer = &a
		tell := !gone
		mu.Unlock()
		if tell {
			landed()
		}
	}()
	return func() T {
		mu.Lock()
		defer mu.Unlock()
		gone = true
		cancel()
		if answer == nil {
			return left()
		}
		return *answer
	}
}

func (s *Sources) localeOf(kind string, scope tutti.Scope) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kinds[kind]; k != nil && k.HasDimension(tutti.LocaleDimension) {
		return scope.Locale
	}
	return ""
}

func (s *Sources) called(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

// reading is one item as it was read.
type reading struct {
	ref   tutti.Ref
	scope tutti.Scope
}

func (s *Sources) isKept(r tutti.Ref, scope tutti.Scope) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[reading{r, scope}]
}

func (s *Sources) keep(r tutti.Ref, scope tutti.Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Keep {
		return
	}
	if s.kept == nil {
		s.kept = map[reading]bool{}
	}
	s.kept[reading{r, scope}] = true
}

// wrong waits as long as the source does and gives its fault, "" when it answers.
func (s *Sources) wrong(ctx context.Context, source string) (tutti.Code, bool) {
	s.mu.Lock()
	f := s.faults[source]
	s.mu.Unlock()
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return tutti.Timeout, false
		}
	}
	return f.Code, f.Stale
}

func (s *Sources) one(ctx context.Context, r tutti.Ref, scope tutti.Scope) tutti.Got {
	missing := tutti.Freshness{State: tutti.Missing}
	warm := s.isKept(r, scope)
	code, stale := tutti.Code(""), false
	if !warm {
		code, stale = s.wrong(ctx, r.Source)
	}
	if code != "" && !stale {
		return tutti.Got{Err: tutti.Errorf(code, "reading %s: SECRET-ADDRESS", r), Freshness: missing}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range s.items[r] {
		if item.Locale != "" && s.kinds[r.KindTag()].HasDimension(tutti.LocaleDimension) && item.Locale != scope.Locale {
			continue
		}
		got := tutti.Got{Resource: item, Freshness: tutti.Freshness{State: tutti.Fresh, AsOf: s.AsOf}, Cached: warm}
		if stale {
			got.Freshness.State, got.Err = tutti.StaleError, tutti.Errorf(code, "reading %s: SECRET-ADDRESS", r)
		}
		return got
	}
	return tutti.Got{Err: tutti.Errorf(tutti.NotFound, "reading %s", r), Freshness: missing}
}

// Select implements engine.Sources: items in the order in which they were put, filtered by equal
// fields and by the owner where the kind can; cursors are positions.
func (s *Sources) Select(ctx context.Context, sel tutti.Selection, scope tutti.Scope) (tutti.Page, error) {
	s.called(Call{Source: sel.Source, Kind: sel.Kind, Locale: s.localeOf(tutti.KindTag(sel.Source, sel.Kind), scope), Selection: &sel})
	if code, _ := s.wrong(ctx, sel.Source); code != "" {
		return tutti.Page{}, tutti.Errorf(code, "selecting from %s: SECRET-ADDRESS", sel.Source)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kinds[tutti.KindTag(sel.Source, sel.Kind)]
	var all []*tutti.Resource
	for _, ref := range s.order {
		r := s.items[ref][0]
		if ref.Source != sel.Source || ref.Kind != sel.Kind || k.OwnerFilter && sel.Owner != "" && r.Owner != sel.Owner || !matches(r, sel.Filter) {
			continue
		}
		all = append(all, r)
	}
	from, _ := strconv.Atoi(sel.After)
	to := min(from+sel.First, len(all))
	page := tutti.Page{Total: new(len(all)), Freshness: tutti.Freshness{State: tutti.Fresh, AsOf: s.AsOf}}
	for _, r := range all[min(from, to):to] {
		page.Items = append(page.Items, tutti.Got{Resource: r, Freshness: page.Freshness})
	}
	if to < len(all) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

func matches(r *tutti.Resource, filter map[string]any) bool {
	for name, v := range filter {
		if fmt.Sprint(r.Fields.Get(name)) != fmt.Sprint(v) {
			return false
		}
	}
	return true
}
