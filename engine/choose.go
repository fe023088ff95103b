package engine

import (
	"errors"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// choose finds the first alternative whose rule is true now; -1 for the baseline. A rule that
// cannot be evaluated is not true, and a variant of a component (nil for a slot) that the app
// cannot draw is passed over. The decision is worked out only when somebody asks why; where nobody does,
// it is enough to have chosen once: number is that of the component or slot.
func (d *decider) choose(id string, number int, among []alternative, of *componentNode) (int, tutti.Decision) {
	if len(among) == 0 {
		return -1, tutti.Decision{Reason: tutti.ReasonStatic}
	}
	if d.why != nil || d.watch != nil {
		return d.weigh(id, among, of)
	}
	if len(d.chosen) == 0 {
		d.chosen = slices.Grow(d.chosen, d.c.nodes)[:d.c.nodes]
		clear(d.chosen)
	}
	if known := d.chosen[number]; known != 0 {
		return int(known) - 2, tutti.Decision{}
	}
	chosen, decision := d.weigh(id, among, of)
	d.chosen[number] = int32(chosen) + 2
	return chosen, decision
}

// weigh is choose without a memory.
func (d *decider) weigh(id string, among []alternative, of *componentNode) (int, tutti.Decision) {
	if name, forced := d.forced[id]; forced {
		if name == "" {
			return -1, tutti.Decision{Reason: tutti.ReasonOverride}
		}
		for i := range among {
			if among[i].name == name {
				return i, tutti.Decision{Variant: name, Reason: tutti.ReasonOverride}
			}
		}
	}
	decision := tutti.Decision{Reason: tutti.ReasonDefault}
	for i := range among {
		name, when := among[i].name, among[i].when
		t, err := d.truth(when.rule)
		inWindow := d.inWindow(when, t)
		undrawable := d.undrawable(of, i)
		if d.watch != nil && when.moves && !undrawable && (inWindow || t != tutti.True) { // a true one waits for its window wherever it is true
			d.watch.rule(when.rule)
		}
		if d.why != nil {
			result := d.explain(name, when, t, inWindow, err)
			result.Undrawable = undrawable
			decision.Rules = append(decision.Rules, result)
		}
		switch {
		case err != nil:
			decision.Reason = tutti.ReasonError
		case undrawable:
		case t == tutti.True && inWindow:
			decision.Variant, decision.Reason = name, tutti.ReasonTargetingMatch
			return i, decision
		case t == tutti.Unknown && decision.Reason == tutti.ReasonDefault && d.withheld(when):
			decision.Reason = tutti.ReasonConsentWithheld
		}
	}
	return -1, decision
}

func (d *decider) truth(rule *expr.Rule) (tutti.Tri, error) {
	if rule == nil {
		return tutti.True, nil
	}
	_, t, err := rule.EvalKnown(d)
	return t, err
}

// inWindow reports whether the moment lies in a window. Only where the rule is true does time
// change the outcome: then the next edge counts for Until.
func (d *decider) inWindow(when *condition, t tutti.Tri) bool {
	in := len(when.windows) == 0
	for _, w := range when.windows {
		in = in || w.Holds(d.at)
		if t == tutti.True {
			d.near(w.From)
			d.near(w.Until)
		}
	}
	return in
}

// withheld reports whether a fact that the condition reads is unknown for want of consent.
func (d *decider) withheld(when *condition) bool {
	for _, name := range when.attributes {
		if _, ok := d.facts.Withheld[name]; ok {
			return true
		}
	}
	return false
}

// explain tells what a rule came to: names and truths, never a value.
func (d *decider) explain(variant string, when *condition, t tutti.Tri, inWindow bool, err error) tutti.RuleResult {
	r := tutti.RuleResult{Variant: variant, Result: t, InWindow: inWindow, Attributes: []tutti.AttributeRead{}}
	if err != nil {
		r.Error = "The rule could not be evaluated."
		if strings.Contains(errorText(err), "zero") {
			r.Error = "The rule divides by zero."
		}
	}
	if when.rule == nil {
		return r
	}
	r.Rule = when.rule.String()
	for _, name := range when.rule.Reads() {
		if !strings.HasPrefix(name, "params.") {
			r.Attributes = append(r.Attributes, d.read(name))
		}
	}
	return r
}

func (d *decider) read(name string) tutti.AttributeRead {
	v, known := d.ResolveName(name)
	r := tutti.AttributeRead{Name: name, Known: known, Withheld: d.facts.Withheld[name]}
	other, isAudience := strings.CutPrefix(name, "audience.")
	if isAudience && !known {
		r.Result = tutti.Unknown
		for _, a := range d.c.audiences.attributesOf([]string{name}) {
			if p, ok := d.facts.Withheld[a]; ok {
				r.Withheld = p
			}
		}
	}
	if b, isBool := v.(bool); isBool || isAudience && d.c.audiences.byName[other] != nil && known {
		r.Result = tutti.False
		if b {
			r.Result = tutti.True
		}
	}
	return r
}

func errorText(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
