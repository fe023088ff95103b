package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// Fill puts the personal values into the holes of an experience, each escaped for the form that
// it stands in, and cuts where a prop or channel allows no more. A hole without a value is
// filled with nothing. What is filled gets new ids. The experience that comes in stays as it is
// and may be filled for many visitors at once; without holes it is what comes out.
func (e *Engine) Fill(x *tutti.Experience, fills tutti.Fills) *tutti.Experience {
	f := &filling{as: e.assembling, fills: fills}
	return f.experience(x)
}

// FillMade is Fill for who has assembled an experience and showed it to nobody else: what was made for it
// is filled where it is. Only parts that were ready are left as they are.
func (e *Engine) FillMade(x *tutti.Experience, fills tutti.Fills) *tutti.Experience {
	f := &filling{as: e.assembling, fills: fills, fresh: x}
	return f.experience(x)
}

func (f *filling) experience(x *tutti.Experience) *tutti.Experience {
	out := f.fresh
	if out == nil {
		copied := *x
		out = &copied
	}
	changed := false
	out.Title, changed = f.words(x.Title, changed)
	out.Description, changed = f.words(x.Description, changed)
	for _, c := range x.Components {
		changed = f.component(c) || changed
	}
	changed = f.said(out, x) || changed
	if !changed {
		return x
	}
	if len(f.replaced)+len(f.ids) > 0 {
		f.reparent(out, x)
	}
	out.ID = f.id(x.ID, 0)
	return out
}

type filling struct {
	as       *assembling
	fills    tutti.Fills
	fresh    *tutti.Experience // not nil: this one, of which what was made now is filled where it is
	marks    *Marked           // not nil: put tokens in place of words
	used     []string          // the holes that were filled, for ids
	replaced map[*tutti.Component]*tutti.Component
	ids      map[string]string // of components that others stand in
}

// ours reports whether a component may be filled where it is: not in a part that was ready.
func (f *filling) ours(c *tutti.Component) bool {
	return f.fresh != nil && slices.Contains(f.fresh.Made, c.Part)
}

// own gives the component to change in place of another, which is that one itself where it is ours.
func (f *filling) own(c *tutti.Component) *tutti.Component {
	if f.ours(c) {
		return c
	}
	if copied := f.replaced[c]; copied != nil {
		return copied
	}
	if f.replaced == nil {
		f.replaced = map[*tutti.Component]*tutti.Component{}
	}
	copied := *c
	f.replaced[c] = &copied
	return &copied
}

func holed(s string) bool { return strings.Contains(s, tutti.HoleStart) }

// holedComponent reports whether personal text goes into a component.
func holedComponent(c *tutti.Component) bool {
	for _, name := range c.Order {
		switch v := c.Props[name].(type) {
		case string:
			if holed(v) {
				return true
			}
		case tutti.RichText:
			if holed(v.HTML) || holed(v.Markdown) || holed(v.Plain) || holed(v.SSML) {
				return true
			}
		}
	}
	for i := range c.Actions {
		if a := &c.Actions[i]; holed(a.Label) || holed(a.Href) || holed(a.DeepLink) {
			return true
		}
	}
	return false
}

// words fills a plain text.
func (f *filling) words(s string, changed bool) (string, bool) {
	if !holed(s) {
		return s, changed
	}
	return f.plain(s), true
}

// fill replaces every hole in s. in gets the hole and what stands before it, filled, and says in
// which form words are written there.
func (f *filling) fill(s string, in func(hole, before string) *form) string {
	var b strings.Builder
	for {
		words, rest, found := strings.Cut(s, tutti.HoleStart)
		b.WriteString(words)
		if !found {
			return b.String()
		}
		hole, after, _ := strings.Cut(rest, tutti.HoleEnd)
		if form := in(hole, b.String()); f.marks != nil {
			b.WriteString(f.marks.hole(hole, form))
		} else {
			b.WriteString(form.write(text.StripHoles(f.fills[hole])))
		}
		f.used = append(f.used, hole)
		s = after
	}
}

func (f *filling) html(s string) string {
	return f.fill(s, func(_, before string) *form {
		if strings.LastIndexByte(before, '<') > strings.LastIndexByte(before, '>') {
			return asAddress // inside a tag: the value is part of an address
		}
		return asHTML
	})
}

func (f *filling) markdown(s string) string {
	return f.fill(s, func(_, before string) *form {
		if _, inside := markdownLink(before); inside {
			return asAddress
		}
		return asMarkdown
	})
}

func (f *filling) ssml(s string) string {
	return f.fill(s, func(string, string) *form { return asSSML })
}

func (f *filling) plain(s string) string {
	return f.fill(s, func(string, string) *form { return asText })
}

func (f *filling) address(s string) string {
	return f.fill(s, func(hole, before string) *form {
		if ready := strings.HasPrefix(hole, urlHole("", false)) || strings.HasPrefix(hole, urlHole("", true)); ready && before != "" {
			return asReady // escaped for its place when it was made
		}
		return asAddress
	})
}

// component fills a component, or what stands in its place, and reports whether it has holes.
func (f *filling) component(c *tutti.Component) bool {
	var filled *tutti.Component
	before := len(f.used)
	for _, name := range c.Order {
		v, changed := f.prop(c, name)
		if !changed {
			continue
		}
		if filled == nil {
			if filled = f.own(c); filled != c {
				filled.Props = maps.Clone(c.Props)
			}
		}
		filled.Props[name] = v
	}
	actions := c.Actions
	for i, a := range c.Actions {
		if !holed(a.Label) && !holed(a.Href) && !holed(a.DeepLink) {
			continue
		}
		if filled == nil {
			filled = f.own(c)
		}
		if filled != c && &actions[0] == &c.Actions[0] {
			actions = slices.Clone(c.Actions)
		}
		actions[i].Label, actions[i].Href, actions[i].DeepLink = f.plain(a.Label), f.address(a.Href), f.address(a.DeepLink)
	}
	if filled == nil {
		return false
	}
	was := c.ID
	filled.Filled, filled.Limits, filled.Actions, filled.ID = true, nil, actions, f.id(was, before)
	if len(c.Slots) > 0 {
		if f.ids == nil {
			f.ids = map[string]string{}
		}
		f.ids[was] = filled.ID
	}
	return true
}

// id is the id of what has the id was with its holes: another for other words in those that were
// filled since before.
func (f *filling) id(was string, before int) string {
	if f.marks != nil && !f.marks.ids {
		return was
	}
	used := slices.Clone(f.used[before:])
	slices.Sort(used)
	used = slices.Compact(used)
	if f.marks == nil {
		return f.as.filledID(was, used, f.fills)
	}
	return f.marks.id(was, used, f.as)
}

func (as *assembling) filledID(was string, used []string, fills tutti.Fills) string {
	parts := append(make([]string, 0, 16), "filled", was)
	for _, hole := range used {
		parts = append(parts, hole, text.StripHoles(fills[hole]))
	}
	return as.ids.of(parts...)
}

func (f *filling) prop(c *tutti.Component, name string) (any, bool) {
	limit := c.Limits[name]
	switch v := c.Props[name].(type) {
	case string:
		if !holed(v) {
			return v, false
		}
		if f.isAddress(c.Type, name) {
			return f.address(v), true
		}
		if limit == 0 {
			return f.plain(v), true
		}
		return f.whole(c.Path+".props."+name, asText, func(f *filling) string {
			cut, _ := text.Cut(f.plain(v), limit)
			return cut
		}), true
	case tutti.RichText:
		if !holed(v.HTML) && !holed(v.Markdown) && !holed(v.Plain) && !holed(v.SSML) {
			return v, false
		}
		return f.rich(c.Path+".props."+name, v, limit), true
	}
	return nil, false
}

// rich fills a rich text in all its forms.
func (f *filling) rich(path string, v tutti.RichText, limit int) tutti.RichText {
	filled := func(f *filling) tutti.RichText {
		return tutti.RichText{HTML: f.html(v.HTML), Markdown: f.markdown(v.Markdown), Plain: f.plain(v.Plain), SSML: f.ssml(v.SSML)}
	}
	if limit == 0 {
		return filled(f)
	}
	if f.marks == nil {
		return cutRich(filled(f), limit)
	}
	return tutti.RichText{
		HTML:     f.whole(path, asHTML, func(f *filling) string { return cutRich(filled(f), limit).HTML }),
		Markdown: f.whole(path, asMarkdown, func(f *filling) string { return cutRich(filled(f), limit).Markdown }),
		Plain:    f.whole(path, asText, func(f *filling) string { return cutRich(filled(f), limit).Plain }),
		SSML:     f.whole(path, asSSML, func(f *filling) string { return cutRich(filled(f), limit).SSML }),
	}
}

func (f *filling) isAddress(componentType, prop string) bool {
	t, ok := f.as.types[componentType]
	if !ok {
		return false
	}
	def, _ := t.Prop(prop)
	return def.Type == tutti.PropURL
}

// said fills speech and message and reports whether there was anything to fill.
func (f *filling) said(out, x *tutti.Experience) bool {
	if !saidHoled(x) {
		return false
	}
	if f.marks != nil {
		f.markSaid(out, x)
		return true
	}
	pieces := make([]tutti.Piece, len(x.Pieces))
	for i, p := range x.Pieces {
		pieces[i] = tutti.Piece{SSML: f.ssml(p.SSML), Speech: f.plain(p.Speech), Text: f.plain(p.Text)}
	}
	out.Pieces = pieces
	if x.Speech != nil {
		s := *x.Speech
		s.Reprompt = f.plain(s.Reprompt)
		out.Speech = &s
	}
	if x.Message != nil {
		m := *x.Message
		m.Buttons = f.buttons(x.Message.Buttons)
		out.Message = &m
	}
	joinPieces(out)
	return true
}

func (f *filling) buttons(buttons []tutti.Button) []tutti.Button {
	filled := make([]tutti.Button, len(buttons))
	for i, b := range buttons {
		filled[i] = tutti.Button{Label: f.plain(b.Label), Href: f.address(b.Href)}
	}
	return filled
}

func saidHoled(x *tutti.Experience) bool {
	for _, p := range x.Pieces {
		if holed(p.SSML) || holed(p.Speech) || holed(p.Text) {
			return true
		}
	}
	if x.Message != nil {
		for _, b := range x.Message.Buttons {
			if holed(b.Label) || holed(b.Href) {
				return true
			}
		}
	}
	return x.Speech != nil && holed(x.Speech.Reprompt)
}

// reparent puts what was filled in place of what has holes, wherever that is named.
func (f *filling) reparent(out, x *tutti.Experience) {
	list := slices.Clone(x.Components)
	for i, c := range slices.Backward(list) { // what stands in a component comes after it
		slots, changed := f.slots(c.Slots)
		parent, named := f.ids[c.Parent]
		if changed || named {
			filled := f.own(c)
			filled.Slots = slots
			if named {
				filled.Parent = parent
			}
		}
		if filled := f.replaced[c]; filled != nil {
			list[i] = filled
		}
	}
	out.Components = list
	out.Slots, _ = f.slots(x.Slots)
}

// slots gives slots with what was replaced in them, or the same ones.
func (f *filling) slots(slots []*tutti.Slot) ([]*tutti.Slot, bool) {
	changed := false
	for i, s := range slots {
		for j, c := range s.Components {
			filled := f.replaced[c]
			if filled == nil {
				continue
			}
			if !changed {
				slots, changed = slices.Clone(slots), true
			}
			if slots[i] == s {
				slots[i] = &tutti.Slot{ID: s.ID, Name: s.Name, Components: slices.Clone(s.Components)}
			}
			slots[i].Components[j] = filled
		}
	}
	return slots, changed
}
