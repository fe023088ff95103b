package engine

import (
	"slices"

	"github.com/tuttihq/tutti"
)

// formsOf are the down-level forms of each component type, in the order in which they are tried:
// those that it declares, each followed by those of the type that it leads to.
func formsOf(types map[string]*tutti.ComponentType) map[string][]*tutti.DownlevelForm {
	all := map[string][]*tutti.DownlevelForm{}
	for name, t := range types {
		own := make(map[string]string, len(t.Props))
		for _, p := range t.Props {
			own[p.Name] = p.Name
		}
		var list []*tutti.DownlevelForm
		collectForms(types, t, own, []string{name}, &list)
		if len(list) > 0 {
			all[name] = list
		}
	}
	return all
}

// maxForms bounds the forms of one component type: types that lead to each other have many.
const maxForms = 100

// collectForms adds the forms of t. from says of what each prop of t is made, in the component
// type where the search began; above are the types on the way, none of which is entered twice.
func collectForms(types map[string]*tutti.ComponentType, t *tutti.ComponentType, from map[string]string, above []string, into *[]*tutti.DownlevelForm) {
	for i := range t.Downlevel {
		if len(*into) == maxForms {
			return
		}
		d := &t.Downlevel[i]
		f := &tutti.DownlevelForm{Type: t.Name, Version: d.Version}
		props, slots, to := d.Props, t.Slots, (*tutti.ComponentType)(nil)
		if d.Type != "" {
			to = types[d.Type]
			if to == nil || slices.Contains(above, d.Type) {
				continue
			}
			f.Type, f.Version, props, slots = to.Name, to.Version, to.Props, to.Slots
		}
		for _, s := range slots {
			f.Slots = append(f.Slots, s.Name)
		}
		names := map[string]string{}
		for _, p := range props {
			of, named := d.From[p.Name]
			if !named {
				of = p.Name
			}
			if origin, ok := from[of]; ok {
				names[p.Name] = origin
				f.Props = append(f.Props, tutti.FormProp{PropDefinition: p, From: origin})
			}
		}
		*into = append(*into, f)
		if to != nil {
			collectForms(types, to, names, append(slices.Clone(above), d.Type), into)
		}
	}
}

// taken is the choice about a component: what counts of it, and how the app gets it.
type taken struct {
	variant int // -1 = baseline
	body    *body
	form    *tutti.DownlevelForm // nil = as it is
	number  byte                 // tells the forms of one component type apart; 0 = as it is
}

// take decides which alternative of a component counts, and in which form the app can draw it;
// false when there is nothing to show: a variant hides the component, or the app can draw neither
// a variant that is true, nor the baseline, nor a form of them.
func (d *decider) take(n *componentNode) (t taken, shown bool) {
	var decision tutti.Decision
	t.variant, decision = d.choose(n.id, n.number, n.alternatives, n)
	t.body, shown = n.baseline, true
	if t.variant >= 0 {
		v := &n.variants[t.variant]
		t.body, shown = v.body, !v.hide
	}
	if shown && d.supports != nil {
		if t.form, t.number, shown = d.drawn(t.body.definition); !shown {
			decision.Reason = tutti.ReasonUnsupported
		}
	}
	if d.why != nil {
		if t.form != nil {
			decision.Form = t.form.String()
		}
		d.why[n.id] = decision
	}
	return t, shown
}

// drawn gives the form in which the app can draw a component type: nil as it is; false when in none.
func (d *decider) drawn(t *tutti.ComponentType) (*tutti.DownlevelForm, byte, bool) {
	if d.supports.Draws(t.Name, t.Version) {
		return nil, 0, true
	}
	for i, f := range d.c.engine.forms[t.Name] {
		if d.supports.Draws(f.Type, f.Version) {
			return f, byte(i + 1), true
		}
	}
	return nil, 0, false
}

// undrawable reports whether the app can draw a variant of a component in no way. Nothing to show
// can always be shown, and slots (nil) are never drawn.
func (d *decider) undrawable(n *componentNode, variant int) bool {
	if n == nil || d.supports == nil || n.variants[variant].hide {
		return false
	}
	_, _, ok := d.drawn(n.variants[variant].body.definition)
	return !ok
}

// leftOut notes in the decision about a component that it is not part of the plan.
func (d *decider) leftOut(id, slot string, place int) {
	if decision, ok := d.why[id]; ok {
		decision.Slot, decision.Place = slot, place
		d.why[id] = decision
	}
}

// has reports whether what is taken has a slot: a variant, or a form, may be of a type without it.
func (t *taken) has(slot string) bool {
	if t == nil { // the composition itself has all of its slots
		return true
	}
	if t.form != nil {
		return slices.Contains(t.form.Slots, slot)
	}
	return slices.ContainsFunc(t.body.definition.Slots, func(s tutti.SlotDefinition) bool { return s.Name == slot })
}

// through makes what is needed of a form into what is needed of the component type.
func (c ComponentNeed) through(f *tutti.DownlevelForm) ComponentNeed {
	if f == nil {
		return c
	}
	out := ComponentNeed{Props: c.Props}
	for _, p := range f.Props {
		if c.Values[p.Name] {
			out.Values = joinNeeds(out.Values, map[string]bool{p.From: true}, func(a, b bool) bool { return a || b })
		}
		if r, ok := c.Resources[p.Name]; ok {
			out.Resources = joinNeeds(out.Resources, map[string]ResourceNeed{p.From: r}, ResourceNeed.With)
		}
		if l, ok := c.Lists[p.Name]; ok {
			out.Lists = joinNeeds(out.Lists, map[string]ListNeed{p.From: l}, ListNeed.with)
		}
	}
	return out
}

// reform turns the props of a component into those of the form that it is delivered in, each as
// its own definition wants it. It gives the name of a required one that is missing.
func (s *shaper) reform(c *tutti.Component, f *tutti.DownlevelForm) (missing string) {
	need := s.a.needOf(f.Type)
	was, limits := c.Props, s.limits
	c.Props, c.Order, s.limits = make(map[string]any, len(f.Props)), make([]string, 0, len(f.Props)), nil
	for i := range f.Props {
		def := &f.Props[i].PropDefinition
		if !need.asks(def.Name) {
			continue
		}
		v, ok := was[f.Props[i].From]
		if ok {
			v, ok = s.refit(def, v)
		}
		if !ok {
			if def.Required && missing == "" {
				missing = def.Name
				s.required(def, outcome{state: absent})
			}
			continue
		}
		c.Props[def.Name] = v
		c.Order = append(c.Order, def.Name)
		if most, ok := limits[f.Props[i].From]; ok && (s.limits[def.Name] == 0 || s.limits[def.Name] > most) {
			if s.limits == nil {
				s.limits = map[string]int{}
			}
			s.limits[def.Name] = most
		}
	}
	return missing
}

// refit makes a delivered prop into what another definition promises; false when it does not fit.
func (s *shaper) refit(def *tutti.PropDefinition, v any) (any, bool) {
	switch v := v.(type) {
	case *tutti.Delivered:
		return v, len(def.Accepts) == 0 || slices.Contains(def.Accepts, v.Resource.Type)
	case *tutti.List:
		return v, true
	}
	s.prop, s.at = def.Name, s.a.as.place(def.Name)
	o := s.fit(def, outcome{state: have, v: v}, false)
	s.prop, s.at = "", ""
	return o.v, o.state == have
}
