package engine

import (
	"fmt"

	"github.com/tuttihq/tutti"
)

// reading is the tree of field paths that a program reads.
type reading map[string]reading

func readingOf(p tutti.Program) reading {
	r := reading{}
	for _, name := range p.Vars() {
		r[name] = reading{}
	}
	for _, path := range p.Paths() {
		at := r
		for _, name := range path {
			if at[name] == nil {
				at[name] = reading{}
			}
			at = at[name]
		}
	}
	return r
}

// vars gives what a program's names stand for: resources as *tutti.Delivered with the relations
// that it reads, lists as *tutti.List. What is absent is not in the map. The outcome is pending
// when something is not there yet, failed when something will not come, and holds the wave.
func (s *shaper) vars(p tutti.Program) (map[string]any, outcome) {
	r := readingOf(p)
	vars := make(map[string]any, len(r))
	sum := outcome{state: have}
	for _, name := range sortedKeys(r) {
		switch name {
		case "props":
			vars[name] = s.named(r[name], &sum, func(prop string) outcome {
				o, ok := s.propNamed(prop)
				if !ok {
					o.state = absent
				}
				return o
			})
		case "params":
			params := make(map[string]any, len(s.a.plan.Params))
			for param, v := range s.a.plan.Params {
				params[param] = v
			}
			for param, v := range s.named(r[name], &sum, func(param string) outcome {
				if _, ok := s.a.plan.Params[param].(tutti.Ref); ok && len(r[name][param]) > 0 {
					return s.root(param)
				}
				return outcome{state: absent}
			}) {
				params[param] = v
			}
			vars[name] = params
		default:
			if o := s.root(name); sum.add(o) {
				vars[name] = s.view(o.v, r[name], &sum)
			}
		}
	}
	return vars, sum
}

// named looks for several values under one name, such as props.headline and props.offer.
func (s *shaper) named(r reading, sum *outcome, look func(string) outcome) map[string]any {
	m := make(map[string]any, len(r))
	for _, name := range sortedKeys(r) {
		if o := look(name); sum.add(o) {
			m[name] = s.view(o.v, r[name], sum)
		}
	}
	return m
}

// add keeps the worst of what came of looking for several values, and reports whether this one
// is there.
func (o *outcome) add(one outcome) bool {
	o.wave = max(o.wave, one.wave)
	switch {
	case one.state == pending:
		o.state = pending
	case one.state == failed && o.state == have:
		o.state, o.code, o.ref = failed, one.code, one.ref
	}
	return one.state == have
}

// view makes a value into what programs see.
func (s *shaper) view(v any, r reading, sum *outcome) any {
	switch v := v.(type) {
	case *entry:
		s.use(v, s.at)
		return s.viewOf(v, r, sum)
	case *listing:
		l := &tutti.List{}
		if v.counted {
			l.Total = new(v.total)
		}
		for i, e := range v.entries {
			if v.shown > 0 && i == v.shown {
				break
			}
			s.use(e, s.at)
			l.Nodes = append(l.Nodes, s.viewOf(e, r["nodes"], sum))
		}
		return l
	}
	return v
}

func (s *shaper) viewOf(e *entry, r reading, sum *outcome) *tutti.Delivered {
	sum.wave = max(sum.wave, e.wave)
	d := &tutti.Delivered{ID: "", Resource: e.got.Resource, Freshness: e.got.Freshness, Cached: e.got.Cached, Channel: s.a.channel}
	for _, u := range e.got.Resource.Fields.Unread() {
		if _, read := r[u.Field]; read {
			s.note(unread(joinPath(s.path, s.at), e.ref, u, false))
		}
	}
	for _, name := range sortedKeys(r) {
		if len(r[name]) == 0 {
			continue // the ref itself
		}
		var refs []tutti.Ref
		switch v := e.got.Resource.Fields.Get(name).(type) {
		case tutti.Ref:
			refs = []tutti.Ref{v}
		case []tutti.Ref:
			refs = v
		}
		for i, ref := range refs {
			o := s.follow(ref, e.wave+1, false)
			if !sum.add(o) {
				continue
			}
			to := o.v.(*entry)
			s.use(to, fmt.Sprintf("%s.%s[%d]", s.at, name, i))
			if d.Related == nil {
				d.Related = map[string][]*tutti.Delivered{}
			}
			d.Related[name] = append(d.Related[name], s.viewOf(to, r[name], sum))
		}
	}
	return d
}
