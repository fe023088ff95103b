package sources

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// Capability is something that a connector can do with its system, beyond asking for one item.
type Capability string

// The capabilities, in the order in which they are told.
const (
	FetchMany   Capability = "fetch many"  // several items in one call
	Search      Capability = "search"      // by words
	Filtered    Capability = "filters"     // selections by filters
	Sorted      Capability = "sorts"       // selections in an order
	OfOwner     Capability = "owner"       // selections of one person's items
	Conditional Capability = "conditional" // asking only for what has changed
	InLocales   Capability = "locales"     // items differ by locale
	Drafts      Capability = "drafts"      // items as their editors see them
	InSizes     Capability = "renditions"  // pictures in other sizes
	Webhooks    Capability = "webhooks"    // the system tells of changes
	Polled      Capability = "changes"     // the system is asked for what has changed
)

var capabilities = []Capability{FetchMany, Search, Filtered, Sorted, OfOwner, Conditional, InLocales, Drafts, InSizes, Webhooks, Polled}

// Capabilities tells what the connector can do with a kind, in a fixed order; with kind "" what it can do with any.
func (m *Manifest) Capabilities(kind string) []Capability {
	have := map[Capability]bool{}
	for _, d := range m.definitions() {
		if kind != "" && d.Name != kind {
			continue
		}
		spec := m.Kinds[d.Name]
		for c, is := range map[Capability]bool{
			FetchMany: d.MaxIDs > 1 || d.Whole != "", Search: d.Search, Filtered: len(d.Filters) > 0, Sorted: len(d.Sorts) > 0, OfOwner: d.OwnerFilter,
			Conditional: spec.Get != nil && spec.Get.Conditional != "" || spec.Whole != nil && spec.Whole.Conditional != "",
			InLocales:   slices.Contains(d.Dimensions, tutti.LocaleDimension), Drafts: slices.Contains(d.Dimensions, tutti.PerspectiveDimension),
			InSizes: spec.Renditions != nil, Webhooks: m.Webhook != nil, Polled: spec.Changes != nil,
		} {
			have[c] = have[c] || is
		}
	}
	return slices.DeleteFunc(slices.Clone(capabilities), func(c Capability) bool { return !have[c] })
}

// ReadsHeader reports whether the connector reads a header of answers, its name in any case.
func (m *Manifest) ReadsHeader(name string) bool {
	l := m.Limits
	all := append([]string{l.Limit, l.Remaining, l.Reset}, append(l.Fields, l.Usage...)...)
	whole := false // an answer is read that is its headers
	for _, k := range m.Kinds {
		calls := []*CallSpec{k.Get}
		if k.Batch != nil {
			calls = append(calls, &k.Batch.CallSpec)
		}
		if k.Changes != nil {
			calls, all = append(calls, &k.Changes.CallSpec), append(all, k.Changes.Paging.Header)
		}
		for _, s := range k.Select {
			calls, all = append(calls, &s.CallSpec), append(all, s.Paging.Header)
		}
		for _, c := range calls {
			whole = whole || c != nil && c.Format == "headers"
		}
	}
	return whole || slices.ContainsFunc(all, func(h string) bool { return strings.EqualFold(h, name) })
}

// FieldReading is how a mapped field is read.
type FieldReading struct {
	Value   string // the expression
	Pointer string // the JSON pointer of what it reads of the record; of several places what they have in common
}

// FieldReading tells how a mapped field of a kind is read; false when there is none.
func (m *Manifest) FieldReading(kind, name string) (FieldReading, bool) {
	k, ok := m.compiled.kinds[kind]
	if !ok {
		return FieldReading{}, false
	}
	i := slices.IndexFunc(k.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return FieldReading{}, false
	}
	e := k.fields[i].value
	r := FieldReading{Value: strings.TrimSpace(m.Kinds[kind].Map[name].Value)}
	if e.path != nil {
		r.Pointer = pointerOf([][]string{e.path})
	} else {
		r.Pointer = pointerOf(e.prog.Paths())
	}
	return r, true
}

// Changes asks once for a page of what changed in a kind, as polling would, and forgets nothing for
// it. UnknownSource for a source, or a feed, that is not there.
func (s *Sources) Changes(ctx context.Context, source, kind string, from PollFrom) (page Changed, err error) {
	src, _, err := s.find(source, kind)
	if err != nil {
		return Changed{}, err
	}
	p, ok := src.conn.(Poller)
	if ok {
		_, ok = p.Polls(kind)
	}
	if !ok {
		return Changed{}, tutti.Errorf(tutti.UnknownSource, "asking %s what changed: %s has no feed of changes", source, kind)
	}
	err = src.call(ctx, kind, func(ctx context.Context) (time.Time, error) {
		page, err = p.Poll(ctx, kind, from)
		return page.Until, err
	})
	return page, err
}
