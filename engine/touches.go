package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// TouchHow says why a component may show an item.
type TouchHow string

const (
	TouchRef    TouchHow = "REF"    // it names the item
	TouchKind   TouchHow = "KIND"   // it shows items of the kind: a param's, selected ones, or those whose ref is computed
	TouchLinked TouchHow = "LINKED" // it shows items that can link to others, of any kind, or reads along such a link
	TouchFact   TouchHow = "FACT"   // a rule of the composition reads a fact of such an item
)

// Touch is a place in a published composition that an item may reach.
type Touch struct {
	Composition string
	Component   string // "" for TouchFact, and for title and description
	Type        string // of the component
	How         TouchHow
}

// reach is what a body or a repetition is made of, as far as the stored composition tells.
type reach struct {
	refs  []tutti.Ref // fixed ones
	kinds []string    // kind tags, of what is not fixed
	links bool        // it may go on from them to others, of any kind
}

// fix adds a fixed ref.
func (r *reach) fix(ref tutti.Ref, kinds []*tutti.Kind) {
	r.refs = append(r.refs, ref)
	r.follow(kinds)
}

// note adds the kinds of something, none for any, of which a field is read. Without steps to a
// field it is shown as it is: then an operation may follow each of its links.
func (r *reach) note(kinds []*tutti.Kind, steps ...string) {
	r.of(kinds)
	switch {
	case len(kinds) == 0:
		r.links = true
	case len(steps) == 0:
		r.follow(kinds)
	default:
		for _, k := range kinds {
			r.links = r.links || links(k.Fields[steps[0]])
		}
	}
}

// of adds the kinds of something of which nothing is said to be read.
func (r *reach) of(kinds []*tutti.Kind) {
	for _, k := range kinds {
		if tag := tutti.KindTag(k.Source, k.Name); !slices.Contains(r.kinds, tag) {
			r.kinds = append(r.kinds, tag)
		}
	}
}

func (r *reach) follow(kinds []*tutti.Kind) {
	for _, k := range kinds {
		for _, t := range k.Fields {
			r.links = r.links || links(t)
		}
	}
}

// words adds what the texts of a composition's head read.
func (r *reach) words(s *scope, texts ...*words) {
	for _, w := range texts {
		if w == nil {
			continue
		}
		for _, parts := range w.byLocale {
			for _, p := range parts {
				if p.x != nil && p.x.program != nil {
					r.params(s, p.x.program.Paths())
				}
			}
		}
	}
}

// params adds the fields of ref params among some paths.
func (r *reach) params(s *scope, paths [][]string) {
	for _, steps := range paths {
		if steps[0] == "params" {
			if steps = steps[1:]; len(steps) < 2 {
				continue // the param's own value
			}
		}
		if p := s.c.param(steps[0]); p != nil && p.Type == "ref" {
			r.note(s.kindsOf(p.Name), steps[1:]...)
		}
	}
}

func links(t tutti.FieldType) bool { return t == tutti.FieldRef || t == tutti.FieldRefs }

// Target is what is about to change: items, or all of a kind, or all of a source.
type Target struct {
	Refs   []tutti.Ref
	Kind   string // source:kind
	Source string
}

// Of reports whether the target is of a kind, by its tag.
func (t Target) Of(tag string) bool {
	switch {
	case t.Source != "":
		source, _, _ := strings.Cut(tag, ":")
		return source == t.Source
	case t.Kind != "":
		return tag == t.Kind
	}
	return slices.ContainsFunc(t.Refs, func(r tutti.Ref) bool { return r.KindTag() == tag })
}

// has reports whether a fixed ref is the target or of it.
func (t Target) has(ref tutti.Ref) bool {
	if len(t.Refs) > 0 {
		return slices.Contains(t.Refs, ref)
	}
	return t.Of(ref.KindTag())
}

// how says why something may show the target; "" when it cannot.
func (t Target) how(r *reach) TouchHow {
	if slices.ContainsFunc(r.refs, t.has) {
		return TouchRef
	}
	if slices.ContainsFunc(r.kinds, t.Of) {
		return TouchKind
	}
	if r.links {
		return TouchLinked
	}
	return ""
}

// Touches gives the places in what is published now that a target may reach, by composition and
// component, the surest reason of each component. It is what can be known without any request:
// never too little, and for LINKED probably too much, for only a record tells where it leads.
func (l *Library) Touches(t Target) []Touch {
	p := l.now.Load().at(time.Time{})
	touches := []Touch{}
	for _, id := range sortedKeys(p.compositions) {
		touches = append(touches, p.compositions[id].touches(t)...)
	}
	return touches
}

// CompositionsOf names the compositions of some places, each once, in the order in which Touches gives them.
func CompositionsOf(list []Touch) []string {
	ids := []string{}
	for _, x := range list {
		ids = append(ids, x.Composition)
	}
	return slices.Compact(ids) // they come by composition
}

// Showing names the compositions that are published now and may show items of a kind.
func (l *Library) Showing(source, kind string) []string {
	return CompositionsOf(l.Touches(Target{Kind: tutti.KindTag(source, kind)}))
}

func (c *Compiled) touches(t Target) []Touch {
	var all []Touch
	if slices.ContainsFunc(c.factKinds(), t.Of) {
		all = append(all, Touch{Composition: c.ID, How: TouchFact})
	}
	if how := t.how(&c.reach); how != "" {
		all = append(all, Touch{Composition: c.ID, How: how})
	}
	var slots func([]slotNode)
	components := func(nodes []*componentNode) {
		for _, n := range nodes {
			if how := n.touched(t); how != "" {
				all = append(all, Touch{Composition: c.ID, Component: n.id, Type: n.baseline.definition.Name, How: how})
			}
			slots(n.slots)
		}
	}
	slots = func(list []slotNode) {
		for _, s := range list {
			components(s.components)
			for _, v := range s.variants {
				components(v.components)
			}
		}
	}
	slots(c.slots)
	return all
}

// touched is the surest reason why one of the component's bodies, or what it is repeated for, may
// show the target.
func (n *componentNode) touched(t Target) TouchHow {
	var found []TouchHow
	if n.each != nil {
		found = append(found, t.how(&n.each.reach))
	}
	for _, b := range n.bodies() {
		found = append(found, t.how(&b.reach))
	}
	for _, how := range []TouchHow{TouchRef, TouchKind, TouchLinked} {
		if slices.Contains(found, how) {
			return how
		}
	}
	return ""
}

// factKinds are the kinds of the records whose facts the rules read, as far as the config tells.
func (c *Compiled) factKinds() []string {
	var tags []string
	for _, a := range c.engine.needsOf(c.reads, nil).attributes {
		switch {
		case a.Param != "":
			for _, p := range c.params {
				if p.Name == a.Param {
					tags = append(tags, p.Kinds...)
				}
			}
		case a.Enricher != "" && c.engine.enrichers[a.Enricher] != nil:
			if g := refStart.FindStringSubmatch("=" + c.engine.enrichers[a.Enricher].program.String()); g != nil {
				tags = append(tags, g[1])
			}
		}
	}
	return tags
}
