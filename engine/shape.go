package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// shaper makes one component of its plan: once through in every pass, until nothing is pending.
// What it collects counts only when the pass was the last.
type shaper struct {
	a     *assembly
	cp    *tutti.ComponentPlan
	need  ComponentNeed
	item  *entry // what the component is repeated for; nil without
	path  string // of the component: slots.main[0]
	prop  string // what is being shaped; "" for none
	at    string // the same as a path inside the component: props.image
	memo  []outcome
	state state // pending once anything is

	freshness tutti.Freshness
	reasons   reasons
	problems  []tutti.Problem
	locales   []tutti.LocaleUsed
	origins   []tutti.Origin
	limits    map[string]int
	basis     tutti.Basis
	waits     []waiting
}

// waiting are the entries of a list of refs, of which some were not there yet: the next pass need not
// look for them.
type waiting struct {
	list    *tutti.Ref // its first
	entries []*entry   // in its order; nil = not waited for
}

// again makes the shaper ready for another pass.
func (s *shaper) again() {
	clear(s.memo)
	s.prop, s.at, s.state, s.freshness, s.reasons, s.limits = "", "", unlooked, tutti.Freshness{}, 0, nil
	s.problems, s.locales, s.origins = s.problems[:0], s.locales[:0], s.origins[:0]
	s.basis = tutti.Basis{Marks: s.basis.Marks[:0]}
}

// reasons is a set of what happened in assembling.
type reasons uint8

const (
	wasFresh reasons = 1 << iota
	wasCached
	wasStale
	fellBack
	wasHidden
	wasMissing
	overBudget
)

// list gives them in order. Nobody changes it.
func (r reasons) list() []tutti.Reason { return reasonLists[r] }

// reasonLists are the lists of all sets.
var reasonLists = func() (lists [overBudget << 1][]tutti.Reason) {
	for r := range lists {
		for i, reason := range [...]tutti.Reason{
			tutti.ReasonFresh, tutti.ReasonCached, tutti.ReasonStale, tutti.ReasonFallback, tutti.ReasonHidden, tutti.ReasonMissing, tutti.ReasonOverBudget,
		} {
			if r&(1<<i) != 0 {
				lists[r] = append(lists[r], reason)
			}
		}
		lists[r] = slices.Clip(lists[r])
	}
	return lists
}()

// firstOf tries values in turn: the first that is there and fits. A value that is not there yet
// is waited for; one that failed is told, as stood in for when another one does.
func (s *shaper) firstOf(values []tutti.Value, def *tutti.PropDefinition) outcome {
	var failures []outcome
	none := outcome{state: absent}
	for i := range values {
		o := s.value(&values[i], def)
		if o.state == have {
			o = s.fit(def, o, values[i].Kind == tutti.LiteralValue)
		}
		switch o.state {
		case pending:
			s.state = pending
			return o
		case failed:
			failures = append(failures, o)
		case have:
			if o.none() {
				if none.state == absent {
					none = o
				}
				continue
			}
			s.tell(failures, true)
			if i > 0 {
				s.reasons |= fellBack
			}
			if o.locale != "" {
				s.usedLocale(s.at, o.locale)
			}
			return o
		}
	}
	s.tell(failures, false)
	if len(failures) > 0 {
		return failures[0]
	}
	return none
}

// only is firstOf where nothing else is tried.
func (s *shaper) only(v *tutti.Value, def *tutti.PropDefinition) outcome {
	one := s.a.room.values.take(1)
	one[0] = *v
	return s.firstOf(one, def)
}

// none reports whether this is a list of nothing: a selection answered, and there is none.
func (o outcome) none() bool {
	l, ok := o.v.(*listing)
	return ok && o.state == have && len(l.entries) == 0
}

func (s *shaper) tell(failures []outcome, stoodIn bool) {
	for _, f := range failures {
		s.lack(s.at, f, stoodIn)
	}
}

// lack notes what is missing at a place inside the component.
func (s *shaper) lack(at string, f outcome, stoodIn bool) {
	if f.code == tutti.Timeout {
		s.reasons |= overBudget
	}
	if !stoodIn && f.code != tutti.InvalidValue && f.code != tutti.MalformedRef { // those are mistakes, not absences
		s.reasons |= wasMissing
		s.freshness = s.freshness.Worst(tutti.Freshness{State: tutti.Missing})
	}
	ref, source := f.of()
	if u, ok := f.v.(*tutti.Unread); ok {
		s.note(unread(joinPath(s.path, at), ref, *u, stoodIn))
		return
	}
	s.note(lack(joinPath(s.path, at), ref, source, f.code, stoodIn))
}

// note adds a problem once.
func (s *shaper) note(p tutti.Problem) {
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

func joinPath(path, at string) string {
	if path == "" || at == "" {
		return path + at
	}
	return path + "." + at
}

// use notes that an item went into the component: its age, language and where it came from.
func (s *shaper) use(e *entry, at string) {
	s.usedLocale(at, e.got.Resource.Locale)
	s.pass(e, at)
}

// tells reports whether using an item is told with its place.
func (s *shaper) tells(e *entry) bool {
	return e.got.Err != nil || s.elsewhere(e.got.Resource.Locale) || e.got.Resource.Fields.Unread() != nil
}

// pass notes that an item led to what went into the component, without words of its own.
func (s *shaper) pass(e *entry, at string) {
	s.useFreshness(e.got.Freshness, e.got.Cached)
	if e.got.Err != nil && failure(e.got.Err) != tutti.NotFound {
		s.lack(at, failing(failure(e.got.Err), e.ref), true)
	}
	if !s.a.need.Origins {
		return
	}
	o := tutti.Origin{Source: e.ref.Source, Ref: e.ref, Prop: s.prop, Freshness: e.got.Freshness, Cached: e.got.Cached}
	for i := range s.origins {
		if s.origins[i].Ref == o.Ref && s.origins[i].Prop == o.Prop {
			return
		}
	}
	s.origins = append(s.origins, o)
}

func (s *shaper) useFreshness(f tutti.Freshness, cached bool) {
	s.freshness = s.freshness.Worst(f)
	switch {
	case f.State == tutti.StaleRevalidating || f.State == tutti.StaleError:
		s.reasons |= wasStale
	case cached:
		s.reasons |= wasCached
	default:
		s.reasons |= wasFresh
	}
}

// usedLocale notes that a part came in another language than asked.
func (s *shaper) usedLocale(at, got string) {
	if !s.elsewhere(got) {
		return
	}
	l := tutti.LocaleUsed{Path: joinPath(s.path, at), Asked: s.a.g.scope.Locale, Got: got}
	if !slices.Contains(s.locales, l) {
		s.locales = append(s.locales, l)
	}
}

// elsewhere reports whether a locale is another than the asked one.
func (s *shaper) elsewhere(got string) bool {
	asked := s.a.g.scope.Locale
	return got != asked && got != "" && asked != "" && !strings.EqualFold(got, asked)
}

// propNamed gives a prop's value, looking for it when nobody did yet. A prop that reads itself
// finds nothing. ok is false when the component has no such prop.
func (s *shaper) propNamed(name string) (o outcome, ok bool) {
	for i := range s.cp.Props {
		if s.cp.Props[i].Definition.Name == name {
			return s.propAt(i), true
		}
	}
	return outcome{}, false
}

func (s *shaper) propAt(i int) outcome {
	if s.memo == nil {
		s.memo = s.a.room.outcomes.take(len(s.cp.Props))
	}
	if s.memo[i].state != unlooked {
		return s.memo[i]
	}
	s.memo[i] = outcome{state: absent}
	p := &s.cp.Props[i]
	prop, at := s.prop, s.at
	s.prop, s.at = p.Definition.Name, s.a.as.place(p.Definition.Name)
	s.memo[i] = s.firstOf(p.Values, p.Definition)
	s.prop, s.at = prop, at
	return s.memo[i]
}

// owner is the one whom the component plan names; nobody's for a plan that all share.
func (s *shaper) owner() tutti.Owner {
	if s.cp.Private {
		return s.cp.Owner
	}
	return tutti.Owner{}
}

// delivered makes the resource that the experience shows, with the relations that are needed.
func (s *shaper) delivered(e *entry, need ResourceNeed, at string) *tutti.Delivered {
	d := s.a.out.items.one()
	var own texts
	s.deliver(d, e, need, at, s.a.resourceID(e, &own, 1))
	return d
}

func (s *shaper) deliver(d *tutti.Delivered, e *entry, need ResourceNeed, at, id string) {
	*d = tutti.Delivered{ID: id, Resource: e.got.Resource, Freshness: e.got.Freshness, Cached: e.got.Cached, Channel: s.a.channel}
	need = need.of(d.Resource.Type)
	for _, u := range d.Resource.Fields.Unread() {
		if need.shows(d.Resource.Type, u.Field) {
			s.note(unread(joinPath(s.path, at)+"."+u.Field, e.ref, u, false))
		}
	}
	if len(need.Relations) == 0 {
		return
	}
	d.Related = make(map[string][]*tutti.Delivered, len(need.Relations))
	for _, name := range sortedKeys(need.Relations) {
		below := at + "." + name
		switch v := d.Resource.Fields.Get(name).(type) {
		case tutti.Ref:
			if r := s.relation(v, e, below); r != nil {
				d.Related[name] = []*tutti.Delivered{s.delivered(r, need.Relations[name], below)}
			}
		case []tutti.Ref:
			list := make([]*tutti.Delivered, 0, len(v))
			for i, ref := range v {
				one := fmt.Sprintf("%s[%d]", below, i)
				if r := s.relation(ref, e, one); r != nil {
					list = append(list, s.delivered(r, need.Relations[name], one))
				}
			}
			d.Related[name] = list
		}
	}
}

// relation follows a ref found inside an item; nil when it is not there, or not yet.
func (s *shaper) relation(ref tutti.Ref, from *entry, at string) *entry {
	switch o := s.follow(ref, from.wave+1, false); o.state {
	case have:
		e := o.v.(*entry)
		s.use(e, at)
		return e
	case pending:
		s.state = pending
	case failed:
		s.lack(at, o, false)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
