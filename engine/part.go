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
	if cp.Private {
		return true
	}
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
	for i := range cp.Slots {
		for j := range cp.Slots[i].Components {
			if isPersonal(&cp.Slots[i].Components[j]) {
				return true
			}
		}
	}
	return false
}

// names reports whether a value has a hole for personal words.
func names(v *tutti.Value) bool {
	return slices.ContainsFunc(v.Text, func(p tutti.TextPart) bool { return p.Hole != "" })
}
