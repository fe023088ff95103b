package tutti

import "sync/atomic"

// Tongues make one record into a resource for each language: a record that holds all languages is asked for
// and kept once, and mapped for a language when it is first asked for in it. Safe for concurrent use.
type Tongues struct {
	most int // languages that are kept; others are mapped each time
	make func(locale string) *Resource
	kept atomic.Pointer[[]tongue]
}

type tongue struct {
	locale   string
	resource *Resource
}

// NewTongues makes Tongues that keep so many languages. What make gives for a locale is shared: nobody changes it.
func NewTongues(most int, make func(locale string) *Resource) *Tongues {
	return &Tongues{most: most, make: make}
}

// in gives the resource in a language. Who asks at the same time may make it twice.
func (t *Tongues) in(locale string) *Resource {
	for {
		before := t.kept.Load()
		var kept []tongue
		if before != nil {
			kept = *before
		}
		for _, k := range kept {
			if k.locale == locale {
				return k.resource
			}
		}
		r := t.make(locale)
		if len(kept) >= t.most {
			return r
		}
		after := append(kept[:len(kept):len(kept)], tongue{locale: locale, resource: r})
		if t.kept.CompareAndSwap(before, &after) {
			return r
		}
	}
}

// WithTongues notes how the resource of these Fields is had in other languages.
func (f Fields) WithTongues(t *Tongues) Fields { return f.beside(t) }

// In gives the resource in a language: itself for "", and unless its record holds several.
func (r *Resource) In(locale string) *Resource {
	if locale == "" || r.Fields.others == nil {
		return r
	}
	for i := len(*r.Fields.others) - 1; i >= 0; i-- {
		if t, ok := (*r.Fields.others)[i].(*Tongues); ok {
			return t.in(locale)
		}
	}
	return r
}
