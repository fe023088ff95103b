package engine

import (
	"slices"

	"github.com/tuttihq/tutti"
)

// Only leaves in a plan what one part of the page takes: what is the same for everybody with the
// same decisions, or what is one visitor's alone or names him. Components keep their paths and
// ids. A slot without any stays, empty.
func Only(p *tutti.Plan, which tutti.PagePart) {
	if which == tutti.WholePage {
		return
	}
	personal := which == tutti.PersonalPart
	if names(&p.Title) != personal {
		p.Title = tutti.Value{}
	}
	if names(&p.Description) != personal {
		p.Description = tutti.Value{}
	}
	for i := range p.Slots {
		s := &p.Slots[i]
		s.Components = slices.DeleteFunc(slices.Clone(s.Components), func(cp tutti.ComponentPlan) bool { return isPersonal(&cp) != personal })
	}
}

// isPersonal reports whether something in a component plan, or in what stands in it, is one
// visitor's or names him.
func isPersonal(cp *tutti.ComponentPlan) bool {
	return cp.Private || namesHere(cp) || below(cp, isPersonal)
}

// namesHere reports whether a component plan itself has a hole for personal words.
func namesHere(cp *tutti.ComponentPlan) bool {
	for i := range cp.Props {
		if slices.ContainsFunc(cp.Props[i].Values, func(v tutti.Value) bool { return names(&v) }) {
			return true
		}
	}
	for i := range cp.Actions {
		if a := &cp.Actions[i]; names(&a.Label) || names(&a.Href) || names(&a.DeepLink) {
			return true
		}
	}
	return false
}

// names reports whether a value has a hole for personal words.
func names(v *tutti.Value) bool {
	return slices.ContainsFunc(v.Text, func(p tutti.TextPart) bool { return p.Hole != "" })
}

// EachPart calls f for each component plan of a page that may be kept as a part, with its key: those at
// the top. With inside, where something below the top is one visitor's alone, they are those below
// it instead, marked as Apart: what stands beside his is still everybody's. The keys are made in b, and
// gone after f; EachPart gives b, that may have grown.
func EachPart(b []byte, p *tutti.Plan, inside bool, f func(key []byte, cp *tutti.ComponentPlan)) []byte {
	k := keyWriter{b: b}
	for i := range p.Slots {
		s := &p.Slots[i]
		for j := range s.Components {
			cp := &s.Components[j]
			k.b = k.b[:0]
			k.place(p, s)
			if !inside || !k.inside(cp, f) {
				k.component(cp)
				f(k.b, cp)
			}
		}
	}
	return k.b
}

// inside calls f for the parts below a component plan that is no part itself; false where it is one.
// They name it as their parent, so it must be one, the same for everybody.
func (k *keyWriter) inside(cp *tutti.ComponentPlan, f func(key []byte, cp *tutti.ComponentPlan)) bool {
	if cp.Private || cp.Each != nil || namesHere(cp) || !below(cp, isPrivate) {
		return false
	}
	k.b = append(k.b, '/')
	k.text(cp.Path, cp.Key)
	within := len(k.b)
	for i := range cp.Slots {
		s := &cp.Slots[i]
		for j := range s.Components {
			c := &s.Components[j]
			k.text(s.ID, s.Name)
			if !k.inside(c, f) {
				c.Apart = true
				k.component(c)
				f(k.b, c)
			}
			k.b = k.b[:within]
		}
	}
	return true
}

// isPrivate reports whether something in a component plan is one visitor's alone.
func isPrivate(cp *tutti.ComponentPlan) bool { return cp.Private || below(cp, isPrivate) }

// below reports whether something is so of a component plan in the slots of another.
func below(cp *tutti.ComponentPlan, is func(*tutti.ComponentPlan) bool) bool {
	for i := range cp.Slots {
		for j := range cp.Slots[i].Components {
			if is(&cp.Slots[i].Components[j]) {
				return true
			}
		}
	}
	return false
}
