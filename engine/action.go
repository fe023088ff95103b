package engine

import (
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

var labelDefinition = tutti.PropDefinition{Name: "label", Type: tutti.PropText}

// actions makes the component's actions. One without a label, or with an address that cannot be
// made or must not be followed, is left out; the latter is told. They take the place of those of the pass before.
func (s *shaper) actions(before []tutti.Action) []tutti.Action {
	if len(s.cp.Actions) == 0 {
		return nil
	}
	list := slices.Grow(before[:0], len(s.cp.Actions))
	for i := range s.cp.Actions {
		plan := &s.cp.Actions[i]
		s.at = "actions[" + strconv.Itoa(i) + "]"
		label := s.only(&plan.Label, &labelDefinition)
		href, ok := s.destination(&plan.Href, ".href", false)
		deep, ok2 := "", true
		if s.a.channel.DeepLinks {
			deep, ok2 = s.destination(&plan.DeepLink, ".deepLink", true)
		}
		if label.state != have || !ok || !ok2 {
			continue
		}
		list = append(list, tutti.Action{
			Label: label.v.(string), Intent: plan.Intent, Href: s.a.link(href), DeepLink: deep, ExpiresAt: plan.ExpiresAt,
		})
	}
	s.at = ""
	return list
}

// destination gives "" and true for an action that has no such address.
func (s *shaper) destination(v *tutti.Value, at string, app bool) (string, bool) {
	if v.Kind == tutti.NoValue {
		return "", true
	}
	o := s.address(v)
	switch o.state {
	case pending:
		s.state = pending
		return "", false
	case failed:
		s.lack(s.at+at, o, false)
		return "", false
	case absent:
		return "", false
	}
	words := o.v.(string)
	if !safeAddress(words, app) {
		s.lack(s.at+at, failing(tutti.InvalidValue, tutti.Ref{}), false)
		return "", false
	}
	return words, true
}
