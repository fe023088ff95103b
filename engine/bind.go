package engine

import (
	"strconv"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// bind walks a path from the item, a ref param or another prop to a field. A ref on the way is a
// relation and is followed; what stands at the end stays as it is.
func (s *shaper) bind(b tutti.BindPath) outcome {
	o := s.root(b.From)
	for i, name := range b.Path {
		if o.state != have {
			return o
		}
		o = s.step(o, name, b.Path[i:])
	}
	return o
}

// root looks for what a name stands for: the item, a param, or another prop.
func (s *shaper) root(name string) outcome {
	if name == "item" && s.item != nil {
		return value(s.item, s.item.wave)
	}
	if v, ok := s.a.plan.Params[name]; ok {
		if ref, ok := v.(tutti.Ref); ok {
			return s.follow(ref, 1, true)
		}
		return value(v, 0)
	}
	o, ok := s.propNamed(name)
	if !ok {
		return outcome{state: absent}
	}
	return o
}

// step goes one field further.
func (s *shaper) step(o outcome, name string, rest []string) outcome {
	if ref, ok := o.v.(tutti.Ref); ok {
		if o = s.follow(ref, o.wave+1, false); o.state != have {
			return o
		}
	}
	switch v := o.v.(type) {
	case *entry:
		f, ok := s.fieldOf(v, name)
		switch f.(type) {
		case tutti.Ref, []tutti.Ref:
			s.pass(v, s.at)
		default:
			s.use(v, s.at)
		}
		if !ok {
			if u := v.got.Resource.Fields.UnreadField(name); u != nil {
				o := failing(tutti.BadAnswer, v.ref)
				o.v = u
				return o
			}
			return outcome{state: absent}
		}
		return value(f, v.wave)
	case *listing:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v.entries) {
			return value(v.entries[i], o.wave)
		}
		return outcome{state: absent}
	}
	f, ok := part(o.v, name)
	if !ok {
		return outcome{state: absent}
	}
	return value(f, o.wave)
}

// fieldOf gives a field of an item, as expressions read it, and url for the address of an
// asset's widest rendition.
func (s *shaper) fieldOf(e *entry, name string) (any, bool) {
	r := e.got.Resource
	if v, ok := part(r, name); ok {
		return v, true
	}
	if name == "url" && r.Type == tutti.AssetType {
		d := tutti.Delivered{Resource: r, Channel: s.a.channel}
		url := d.PictureURL(0, 0, "")
		return url, url != ""
	}
	return nil, false
}

// part gives a part of a value, as expressions read it; false also for null.
func part(v any, name string) (any, bool) {
	f, ok := expr.Field(v, name)
	return f, ok && f != nil
}
