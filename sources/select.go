package sources

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

const (
	defaultFirst = 20
	maxAfter     = 2048
	maxText      = 500
)

// selecting is one selection that may still be on its way.
type selecting struct {
	s      *Source
	k      *kind
	scope  tutti.Scope
	locale string // the asked one, also where it is not in the scope
	handle *cache.Handle[*entry]
	err    error // it cannot be asked
}

// beginPage asks for a selection through the cache and does not wait. landed is called once, when
// the page has come, unless the caller took before.
func (s *Source) beginPage(ctx context.Context, k *kind, q tutti.Selection, full tutti.Scope, landed func()) *selecting {
	selector, scope, ck, err := s.prepare(k, &q, full)
	if err != nil {
		landed()
		return &selecting{s: s, err: err}
	}
	policy := k.policy
	return &selecting{s: s, k: k, scope: scope, locale: full.Locale, handle: s.cache.Begin(ctx, []cache.Key{ck}, policy, func(ctx context.Context, _ []cache.Ask[*entry]) []cache.Loaded[*entry] {
		return []cache.Loaded[*entry]{s.loadPage(ctx, k, selector, q, scope)}
	}, landed)}
}

// prepare refuses what cannot be asked, and brings the rest into the form that the connector gets.
func (s *Source) prepare(k *kind, q *tutti.Selection, full tutti.Scope) (selector Selector, scope tutti.Scope, ck cache.Key, err error) {
	selector, ok := s.conn.(Selector)
	if !ok {
		return nil, scope, ck, wrongSelection(k, "", "cannot be selected", "Use refs.")
	}
	if k.Access != tutti.AccessVisitor {
		q.Owner = "" // shared by everybody, so nothing of a visitor enters
	} else if q.Owner == "" {
		return nil, scope, ck, &tutti.Error{Code: tutti.Forbidden, Message: "items of the kind " + k.Name + " come only to the person they belong to."}
	}
	if err := k.check(q); err != nil {
		return nil, scope, ck, err
	}
	scope = k.scope(full)
	name, err := selectionKey(s.secret, *q, scope)
	return selector, scope, cache.Key{Key: name, Tags: []string{k.kindTag()}}, err
}

// take gives the page that whoever asked may have; why tells why it has not come.
func (w *selecting) take(why error) (tutti.Page, error) {
	page, err := w.told(why)
	if err != nil {
		return page, err
	}
	return w.s.doubts.page(w.k, w.scope, page), nil
}

// told gives the page as it is kept.
func (w *selecting) told(why error) (tutti.Page, error) {
	if w.err != nil {
		return tutti.Page{}, w.err
	}
	r := w.handle.Take(why)[0]
	if !r.Found || r.Value == nil {
		if r.Err == nil { // not known under this name at the origin: a list without items
			return tutti.Page{Items: []tutti.Got{}, Freshness: tutti.Freshness{State: r.State, AsOf: r.AsOf}, Cached: r.Cached, Until: r.Until, Marks: r.Marks}, nil
		}
		return tutti.Page{}, r.Err
	}
	f := tutti.Freshness{State: r.State, AsOf: r.AsOf}
	page := tutti.Page{Items: make([]tutti.Got, len(r.Value.page.resources)), Next: r.Value.page.next, Total: r.Value.page.total, Freshness: f, Cached: r.Cached, Until: r.Until, Marks: r.Marks}
	for i, res := range r.Value.page.resources {
		if w.k.def.Languages {
			res = res.In(w.locale)
		}
		f := f
		if own := r.Value.page.asOf; own != nil {
			f.AsOf = earlier(f.AsOf, own[i])
			page.Freshness.AsOf = earlier(page.Freshness.AsOf, own[i])
		}
		page.Items[i] = tutti.Got{Resource: res, Freshness: f, Cached: r.Cached, Until: r.Until, Marks: r.Marks, Err: r.Err}
	}
	return page, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// loadPage asks the origin for a page and lets its records prime the cache. The epochs are taken
// before the call, so that a change during it is not undone by its answer.
func (s *Source) loadPage(ctx context.Context, k *kind, selector Selector, q tutti.Selection, scope tutti.Scope) cache.Loaded[*entry] {
	every := k.every
	taken := s.cache.Epochs(nil)
	page, err := s.askPage(ctx, k, selector, q, scope)
	if err != nil {
		if tutti.CodeOf(err) == tutti.NotFound {
			return cache.Loaded[*entry]{}
		}
		return cache.Loaded[*entry]{Err: err}
	}
	kept, fresh := &keptPage{next: page.Next, total: page.Total}, cmp.Or(k.fresh(page.Fresh), k.policy.Fresh)
	e := &entry{page: kept, bytes: 256 + len(page.Next)}
	var tags []string
	keep := func(r *tutti.Resource, size int) {
		if k.Access == tutti.AccessVisitor && r.Owner != q.Owner {
			kept.total = nil // the origin's filter is not to be relied on, nor is what it counts
			return
		}
		kept.resources = append(kept.resources, r)
		tags = append(tags, r.Tags...)
		e.bytes += size
	}
	for _, rec := range page.Records {
		l := k.loaded(rec)
		r := rec.Resource
		s.cache.Put(k.itemKey(r.Ref, scope), taken, l, k.policy)
		keep(r, l.Value.bytes)
	}
	if len(page.IDs) > 0 {
		refs := make([]tutti.Ref, len(page.IDs))
		for i, id := range page.IDs {
			refs[i] = tutti.Ref{Source: s.name, Kind: k.Name, ID: id}
		}
		items := k.policy
		items.AtLeast = max(items.Fresh/2, 1) // or the page would have to be made again soon
		w := s.question(k, refs, scope)
		var got []tutti.Got
		if w.named != nil {
			got = w.withNames(ctx, items)
		} else {
			got = w.told(s.cache.GetMany(ctx, w.keys, items, w.load), nil)
		}
		for _, g := range got { // what is kept back is left out when the page is asked for
			if g.Freshness.State == tutti.StaleError && g.Err != nil { // a stand-in must not come as part of a fresh page
				return cache.Loaded[*entry]{Err: g.Err}
			}
			if g.Resource != nil {
				n := len(kept.resources)
				if keep(g.Resource, sizeOf(g.Resource)); len(kept.resources) > n {
					kept.asOf = append(kept.asOf, g.Freshness.AsOf)
					fresh = min(fresh, max(g.Until.Sub(s.now()), 1))
				}
			} else if code := tutti.CodeOf(g.Err); code != tutti.NotFound && code != tutti.Suppressed {
				return cache.Loaded[*entry]{Err: g.Err}
			} else {
				kept.total = less(kept.total, 1)
			}
		}
	}
	return cache.Loaded[*entry]{Value: e, Found: true, Tags: append(tags, every), Fresh: fresh, Age: page.Age}
}

// askPage gets a page from the origin, or out of the whole that is kept of it.
func (s *Source) askPage(ctx context.Context, k *kind, selector Selector, q tutti.Selection, scope tutti.Scope) (page Page, err error) {
	if k.def.Whole != "" {
		return s.pageFromWhole(ctx, k, q, scope)
	}
	err = s.call(ctx, k.Name, func(ctx context.Context) (time.Time, error) {
		var err error
		page, err = selector.Select(ctx, q, scope)
		return page.Until, err
	})
	return page, err
}

// check brings a selection into the form that the connector gets, and refuses what the kind does
// not have.
func (k *kind) check(q *tutti.Selection) error {
	if q.First <= 0 {
		q.First = defaultFirst
	}
	most := k.def.MaxFirst
	if most <= 0 {
		most = 100
	}
	q.First = min(q.First, most)
	q.Text = strings.TrimSpace(q.Text)
	switch {
	case len(q.After) > maxAfter || !printable(q.After):
		return wrongSelection(k, "after", "is no cursor of this list", "Use pageInfo.endCursor of the page before.")
	case len(q.Text) > maxText:
		return wrongSelection(k, "text", "is longer than "+strconv.Itoa(maxText)+" bytes", "Search for fewer words.")
	case q.Text != "" && !k.Search:
		return wrongSelection(k, "text", "is not possible: the kind cannot be searched", "It has the filters "+list(k.Filters)+".")
	case q.Sort != "" && !contains(k.Sorts, q.Sort):
		return wrongSelection(k, "sort", "is unknown", "It has "+list(k.Sorts)+".")
	case q.Owner != "" && !k.OwnerFilter:
		return wrongSelection(k, "", "cannot be limited to one owner at the origin, so it cannot be selected", "Use refs.")
	}
	if len(q.Filter) == 0 {
		q.Filter = nil
		return nil
	}
	filter := make(map[string]any, len(q.Filter))
	for _, name := range sortedKeys(q.Filter) {
		f, ok := k.def.Filters[name]
		if !ok {
			return wrongSelection(k, "filter."+name, "is unknown", "It has "+list(k.Filters)+".")
		}
		v, err := f.value(k, q.Filter[name])
		if err != nil {
			return wrongSelection(k, "filter."+name, err.Error(), "")
		}
		filter[name] = v
	}
	q.Filter = filter
	return nil
}

func wrongSelection(k *kind, field, what, hint string) error {
	return &tutti.Error{Code: tutti.InvalidValue, Field: field, Message: "a selection of " + k.kindTag() + " " + what + ".", Hint: hint}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

type filterError string

func (e filterError) Error() string { return string(e) }

// value brings a filter's value into its type: string, int64, float64, bool, tutti.Place,
// time.Time; a ref becomes its id.
func (f Filter) value(k *kind, v any) (any, error) {
	bad := filterError("must be " + f.says())
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			v = i
		} else if d, err := n.Float64(); err == nil {
			v = d
		}
	}
	switch f.Type {
	case "int":
		switch n := v.(type) {
		case int64:
			return n, nil
		case int:
			return int64(n), nil
		case float64:
			if n == float64(int64(n)) {
				return int64(n), nil
			}
		}
		return nil, bad
	case "float":
		switch n := v.(type) {
		case float64:
			return n, nil
		case int64:
			return float64(n), nil
		case int:
			return float64(n), nil
		}
		return nil, bad
	case "bool":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, bad
	case "time":
		if t, ok := toTime(v); ok {
			return t, nil
		}
		return nil, bad
	case "place":
		if p, ok := toPlace(v); ok {
			return p, nil
		}
		return nil, bad
	}
	s := ""
	switch t := v.(type) {
	case string:
		s = t
	case tutti.Ref:
		s = t.String()
	case int64, int, float64:
		s, _ = writeValue(t)
	default:
		return nil, bad
	}
	if f.Type == "ref" {
		if ref, err := tutti.ParseRef(s); err == nil {
			if ref.Source != k.Source || f.Kind != "" && ref.Kind != f.Kind {
				return nil, filterError("must be a ref of " + tutti.KindTag(k.Source, f.Kind))
			}
			s = ref.ID
		}
	}
	if s == "" || len(s) > maxText || !printable(s) || f.pattern != nil && !f.pattern.MatchString(s) {
		return nil, bad
	}
	return s, nil
}

func (f Filter) says() string {
	switch f.Type {
	case "int":
		return "a whole number"
	case "float":
		return "a number"
	case "bool":
		return "true or false"
	case "time":
		return "an instant such as 2026-12-01T09:00:00Z"
	case "place":
		return "a place with lat and lon"
	case "ref":
		return "a ref or an id"
	}
	if f.Pattern != "" {
		return "a text that matches " + f.Pattern
	}
	return "a text"
}
