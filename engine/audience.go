package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// Audiences is a compiled set of audiences. It never changes; safe for concurrent use. The zero
// value has none.
type Audiences struct {
	names  []string
	byName map[string]*audience
	print  string // tells sets apart
}

type audience struct {
	tutti.Audience
	rule       *expr.Rule
	attributes []string // through other audiences too
	number     int      // in the set
}

// CompileAudiences checks a set of audiences: names, rules, and that none is made of itself. What
// is wrong comes all at once, and is left out of the set with what needs it.
func (e *Engine) CompileAudiences(list []tutti.Audience) (*Audiences, []Problem) {
	var n notes
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b tutti.Audience) int { return strings.Compare(a.Name, b.Name) })
	for {
		set, bad := e.compileAudiences(list, &n)
		if len(bad) == 0 {
			return set, n.problems
		}
		list = slices.DeleteFunc(list, func(a tutti.Audience) bool { return bad[a.Name] })
	}
}

func (e *Engine) compileAudiences(list []tutti.Audience, n *notes) (*Audiences, map[string]bool) {
	set, bad := &Audiences{byName: map[string]*audience{}}, map[string]bool{}
	for _, a := range list {
		switch {
		case !tutti.IsName(a.Name) || strings.Contains(a.Name, "-"):
			n.wrong("audiences."+a.Name, fmt.Sprintf("“%s” is no name of an audience.", short(a.Name)), "Write a letter, then letters, digits or _.")
			bad[a.Name] = true
		case set.byName[a.Name] != nil:
			n.wrong("audiences."+a.Name, fmt.Sprintf("The audience “%s” is there twice.", a.Name), "")
		default:
			set.byName[a.Name] = &audience{Audience: a, number: len(set.names)}
			set.names = append(set.names, a.Name)
		}
	}
	if len(bad) > 0 {
		return set, bad
	}
	rules, err := expr.NewRules(e.declared, set.names, nil)
	if err != nil {
		n.wrongError("audiences", err)
		for _, name := range set.names {
			bad[name] = true
		}
		return set, bad
	}
	for _, name := range set.names {
		a := set.byName[name]
		if a.rule, err = rules.Compile(a.Rule, tutti.BoolType); err != nil {
			n.wrongError("audiences."+name+".rule", err)
			bad[name] = true
		}
	}
	if len(bad) > 0 {
		return set, bad
	}
	for _, name := range set.names {
		if loop := set.loop(name, name, nil); loop != nil {
			n.wrong("audiences."+name+".rule", "The audience is made of itself: "+strings.Join(loop, " → ")+".", "Take it out of one of these rules.")
			bad[name] = true
		}
	}
	if len(bad) > 0 {
		return set, bad
	}
	var print []byte
	for _, name := range set.names {
		a := set.byName[name]
		a.attributes = set.attributesOf(a.rule.Reads())
		print = framed(print, name, a.Rule)
	}
	set.print = string(print)
	return set, nil
}

// loop gives the way by which an audience leads to itself; nil when it does not.
func (s *Audiences) loop(goal, name string, way []string) []string {
	way = append(way, name)
	for _, r := range s.byName[name].rule.Reads() {
		other, isAudience := strings.CutPrefix(r, "audience.")
		if !isAudience {
			continue
		}
		if other == goal {
			return append(way, goal)
		}
		if !slices.Contains(way, other) {
			if l := s.loop(goal, other, way); l != nil {
				return l
			}
		}
	}
	return nil
}

// attributesOf gives the attributes behind names, those of audiences included, sorted.
func (s *Audiences) attributesOf(names []string) []string {
	seen := map[string]bool{}
	var walk func(names []string)
	walk = func(names []string) {
		for _, n := range names {
			if seen[n] || strings.HasPrefix(n, "params.") {
				continue
			}
			seen[n] = true
			if other, ok := strings.CutPrefix(n, "audience."); ok && s.byName[other] != nil && s.byName[other].rule != nil {
				walk(s.byName[other].rule.Reads())
			}
		}
	}
	walk(names)
	var out []string
	for _, n := range sortedKeys(seen) {
		if !strings.HasPrefix(n, "audience.") {
			out = append(out, n)
		}
	}
	return out
}

// uses reports whether a set of names reaches an audience.
func (s *Audiences) uses(names []string, goal string) bool {
	seen := map[string]bool{}
	var walk func(names []string) bool
	walk = func(names []string) bool {
		for _, n := range names {
			other, ok := strings.CutPrefix(n, "audience.")
			if !ok || seen[other] {
				continue
			}
			seen[other] = true
			if other == goal || s.byName[other] != nil && s.byName[other].rule != nil && walk(s.byName[other].rule.Reads()) {
				return true
			}
		}
		return false
	}
	return walk(names)
}
