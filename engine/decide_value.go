package engine

import (
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

func (f fixed) decide(*decider) (tutti.Value, bool) { return f.value, f.value.Kind != tutti.NoValue }

func (p paramRef) decide(d *decider) (tutti.Value, bool) {
	ref, ok := d.params[p.name].(tutti.Ref)
	if !ok {
		return tutti.Value{}, false
	}
	v := tutti.Value{Kind: tutti.RefValue, Refs: []tutti.Ref{ref}}
	if p.list {
		v.Kind = tutti.RefsValue
	}
	return d.owned(v)
}

func (n *refsNode) decide(d *decider) (tutti.Value, bool) {
	out := tutti.Value{Kind: tutti.RefsValue}
	if n.one {
		out.Kind = tutti.RefValue
	}
	out.Refs = d.rooms.refs.take(len(n.refs))[:0]
	var shared texts
	for i, r := range n.refs {
		if r.x == nil {
			out.Refs = append(out.Refs, r.ref)
			continue
		}
		if text, ok := d.spelled(r.x); ok {
			out.Private = out.Private || r.x.personal
			if ref, ok := refAfter(out.Refs, shared.of(text, len(n.refs)-i)); ok {
				out.Refs = append(out.Refs, ref)
			}
			continue
		}
		v, ok := d.eval(r.x)
		if !ok {
			continue
		}
		out.Private = out.Private || r.x.personal
		if p, ok := v.(tutti.Program); ok {
			out.Program = p
			return out, true
		}
		out.Refs = appendRefs(out.Refs, v)
	}
	if len(out.Refs) == 0 {
		return tutti.Value{}, false
	}
	return d.owned(out)
}

// refAfter reads a ref that is often of the same kind as the last one before it.
func refAfter(before []tutti.Ref, s string) (tutti.Ref, bool) {
	if len(before) > 0 {
		last := &before[len(before)-1]
		if kind := len(last.Source) + 1 + len(last.Kind); len(s) > kind && s[kind] == '/' && s[len(last.Source)] == ':' &&
			s[:len(last.Source)] == last.Source && s[len(last.Source)+1:kind] == last.Kind {
			return last.Beside(s[kind+1:])
		}
	}
	ref, err := tutti.ParseRef(s)
	return ref, err == nil
}

// refsIn reads refs from a computed value; what is none is left out.
func refsIn(v any) []tutti.Ref { return appendRefs(nil, v) }

func appendRefs(refs []tutti.Ref, v any) []tutti.Ref {
	switch v := v.(type) {
	case tutti.Ref:
		refs = append(refs, v)
	case string:
		if r, err := tutti.ParseRef(v); err == nil {
			refs = append(refs, r)
		}
	case []any:
		for _, x := range v {
			refs = appendRefs(refs, x)
		}
	case []string:
		for _, x := range v {
			refs = appendRefs(refs, x)
		}
	}
	return refs
}

// owned makes a value private where a ref turned out to be of a kind that belongs to visitors.
func (d *decider) owned(v tutti.Value) (tutti.Value, bool) {
	for i, r := range v.Refs {
		if i > 0 && r.Kind == v.Refs[i-1].Kind && r.Source == v.Refs[i-1].Source {
			continue // as the one before
		}
		if k, ok := d.c.engine.sources.Kind(r.Source, r.Kind); ok && k.Access == tutti.AccessVisitor {
			v.Private = true
		}
	}
	return v, true
}

func (n *computedNode) decide(d *decider) (tutti.Value, bool) {
	v, ok := d.eval(n.x)
	if !ok {
		return tutti.Value{}, false
	}
	resources := n.definition.Type == tutti.PropResource || n.definition.Type == tutti.PropResources
	if p, ok := v.(tutti.Program); ok {
		switch n.definition.Type {
		case tutti.PropResource:
			return tutti.Value{Kind: tutti.RefValue, Program: p}, true
		case tutti.PropResources:
			return tutti.Value{Kind: tutti.RefsValue, Program: p}, true
		}
		return tutti.Value{Kind: tutti.ShapeValue, Program: p}, true
	}
	if resources {
		out := tutti.Value{Kind: tutti.RefsValue, Refs: refsIn(v), Private: n.x.personal}
		if n.definition.Type == tutti.PropResource {
			out.Kind = tutti.RefValue
		}
		if len(out.Refs) == 0 {
			return tutti.Value{}, false
		}
		return d.owned(out)
	}
	if ref, isRef := v.(tutti.Ref); isRef {
		v = ref.String()
	}
	if v, ok = convert(&n.definition, v); !ok {
		return tutti.Value{}, false
	}
	if s, isText := v.(string); isText {
		v = text.StripHoles(s)
	}
	return tutti.Value{Kind: tutti.LiteralValue, Literal: v, Private: n.x.personal}, true
}
