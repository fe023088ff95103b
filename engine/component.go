package engine

import (
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// job is one component to deliver: a component plan, or that plan for one repeated item. It is
// visited in every pass until it is done or hidden, and so is what stands inside it.
type job struct {
	plan   *tutti.ComponentPlan
	item   *entry
	items  string // "#" and the ref of each item that it stands under
	path   string
	slot   string
	state  state // unlooked and pending: to be visited; have: done; absent: hidden
	out    *tutti.Component
	spoken *spoken
	shaped *shaper // the last pass; what it noted counts
	slots  []*slotJobs
	each   *repetition // of a plan that is repeated
	self   []*job      // itself
	ready  *tutti.Part // nothing is to be done
}

type slotJobs struct {
	plan *tutti.SlotPlan
	jobs []*job
}

// repetition is a component plan that is repeated: its items once they are known.
type repetition struct {
	state state
	jobs  []*job
	notes *shaper
}

func (a *assembly) slotJobs(plan *tutti.SlotPlan, parent *job) *slotJobs {
	s := a.room.slots.one()
	s.plan, s.jobs = plan, a.room.pointers.take(len(plan.Components))
	jobs := a.room.jobs.take(len(plan.Components))
	for i := range plan.Components {
		cp, j := &plan.Components[i], &jobs[i]
		j.plan, j.path, j.slot = cp, cp.Path, plan.Name
		if parent != nil {
			j.item, j.items = parent.item, parent.items
			if below, ok := cutPath(cp.Path, parent.plan.Path); ok {
				j.path = parent.path + below
			}
		}
		s.jobs[i] = j
		j.self = s.jobs[i : i+1]
		switch {
		case cp.Ready != nil:
			j.ready, j.state = cp.Ready, have
		case cp.Each != nil:
			j.each = &repetition{}
		}
	}
	return s
}

func cutPath(path, above string) (string, bool) {
	if len(path) > len(above) && path[:len(above)] == above {
		return path[len(above):], true
	}
	return "", false
}

// visit takes every component of the slot a step further, up to as many as the channel takes:
// one that may yet be delivered counts, one that is hidden makes room for the next.
func (a *assembly) visit(s *slotJobs) {
	room := a.channel.Components
	if room <= 0 {
		room = -1
	}
	for _, j := range s.jobs {
		if j.ready != nil {
			continue
		}
		for _, one := range a.expanded(j) {
			if room == 0 {
				return
			}
			if one.state != have && one.state != absent {
				a.shape(one)
			}
			if one.state == absent {
				continue
			}
			room--
			a.visitBelow(one)
		}
	}
}

func (a *assembly) visitBelow(j *job) {
	if j.slots == nil && len(j.plan.Slots) > 0 {
		j.slots = make([]*slotJobs, len(j.plan.Slots))
		for i := range j.plan.Slots {
			j.slots[i] = a.slotJobs(&j.plan.Slots[i], j)
		}
	}
	for _, s := range j.slots {
		a.visit(s)
	}
}

// expanded gives the job itself, or one job for each item that it is repeated over: none while
// they are not known.
func (a *assembly) expanded(j *job) []*job {
	if j.each == nil {
		return j.self
	}
	r := j.each
	if r.state == have || r.state == absent {
		return r.jobs
	}
	s := a.shaper(j.plan, j.item, j.path)
	s.at, r.notes = "each", s
	def := tutti.PropDefinition{Name: "each", Type: tutti.PropResources, First: eachFirst}
	o := s.only(j.plan.Each, &def)
	switch o.state {
	case pending:
		r.state = pending
		return nil
	case have:
		r.state = have
		for i, e := range o.v.(*listing).entries {
			one := a.room.jobs.one()
			one.plan, one.item, one.items, one.slot, one.path = j.plan, e, j.items+"#"+e.ref.String(), j.slot, j.path+".each["+strconv.Itoa(i)+"]"
			r.jobs = append(r.jobs, one)
		}
	default:
		r.state = absent
	}
	return r.jobs
}

// eachFirst is how many items a repetition has when its selection does not say.
const eachFirst = 10

// shaper begins the shaping of one component.
func (a *assembly) shaper(cp *tutti.ComponentPlan, item *entry, path string) *shaper {
	s := a.room.shapers.one()
	s.a, s.cp, s.item, s.path = a, cp, item, path
	return s
}

// shape makes the job's component, or takes it as far as what is there allows.
func (a *assembly) shape(j *job) {
	if j.shaped == nil {
		j.shaped = a.shaper(j.plan, j.item, j.path)
		j.shaped.need = a.needFor(j.plan)
		j.out = a.out.components.one()
	}
	s, c := j.shaped, j.out
	s.again()
	if j.item != nil && j.plan.Each != nil {
		s.at = "item"
		s.use(j.item, "item")
	}
	if s.hides() {
		j.state = absent
		s.reasons |= wasHidden
		return
	}
	spoken := a.templates.of(j.plan.Type, a.plan.Channel)
	missing := s.props(c)
	if f := j.plan.Form; f != nil && missing == "" && s.state != pending {
		missing = s.reform(c, f)
	}
	c.Actions = s.actions(c.Actions)
	j.spoken = s.speak(spoken, c)
	if s.state == pending {
		j.state = pending
		return
	}
	if missing != "" {
		j.state = absent
		s.reasons |= wasHidden
		return
	}
	j.state = have
	c.ID, c.Component, c.Type, c.Version, c.Variant = a.componentID(j), j.plan.Component+j.items, j.plan.Type, j.plan.Version, j.plan.Variant
	if f := j.plan.Form; f != nil {
		c.Type, c.Version = f.Type, f.Version
	}
	c.Slot, c.Path, c.Private, c.Channel = j.slot, j.path, j.plan.Private, a.channel
	c.Freshness, c.Assembled, c.Problems, c.Origins, c.Limits = s.freshness, s.reasons.list(), s.problems, s.origins, s.limits
	if c.Freshness.State == "" {
		c.Freshness.State = a.as.freshest()
	}
}

// hides reports whether showWhen keeps the component back: only true shows it. While it is not
// known, everything else is looked for besides.
func (s *shaper) hides() bool {
	if s.cp.ShowWhen == nil {
		return false
	}
	s.at = "showWhen"
	o := s.program(s.cp.ShowWhen)
	switch o.state {
	case pending:
		s.state = pending
		return false
	case failed:
		s.lack(s.at, o, false)
		return true
	}
	return o.v != true
}

// props delivers the props that are needed. It gives the name of a required one that is missing.
func (s *shaper) props(c *tutti.Component) (missing string) {
	if c.Props == nil {
		c.Props, c.Order = s.a.out.props(len(s.cp.Props)), s.a.out.names.take(len(s.cp.Props))[:0]
	}
	clear(c.Props)
	c.Order = c.Order[:0]
	for i := range s.cp.Props {
		def := s.cp.Props[i].Definition
		if !s.need.asks(def.Name) {
			continue
		}
		o := s.propAt(i)
		if def.Required && o.none() {
			missing = def.Name // nothing is wrong: there is none to show
			continue
		}
		if o.state == have {
			s.prop, s.at = def.Name, s.a.as.place(def.Name)
			c.Props[def.Name] = s.prepared(def, o)
			c.Order = append(c.Order, def.Name)
			continue
		}
		if def.Required && o.state != pending && missing == "" {
			missing = def.Name
			s.required(def, o)
		}
	}
	s.prop, s.at = "", ""
	return missing
}

// required tells that the component is left out because of a prop.
func (s *shaper) required(def *tutti.PropDefinition, o outcome) {
	code := tutti.NotFound
	if o.state == failed {
		code = o.code
	}
	s.freshness = s.freshness.Worst(tutti.Freshness{State: tutti.Missing})
	s.problems = append(s.problems, tutti.Problem{
		Path: s.path, Code: code, Message: "The component is left out: its required prop " + def.Name + " has no value.",
	})
}

// prepared makes an outcome into what stands in the component's props.
func (s *shaper) prepared(def *tutti.PropDefinition, o outcome) any {
	switch v := o.v.(type) {
	case *entry:
		s.use(v, s.at)
		return s.delivered(v, s.need.Resources[def.Name], s.at)
	case *listing:
		return s.deliveredList(v, def)
	}
	return o.v
}

func (s *shaper) deliveredList(l *listing, def *tutti.PropDefinition) *tutti.List {
	out := &s.a.pages(l, s.cp, def.Name).list
	room := s.a.out.items.take(len(l.entries))
	if l.found != nil {
		s.useFreshness(l.found.page.Freshness, l.found.page.Cached)
	}
	need := s.need.Lists[def.Name].Item
	if s.a.need.Origins {
		s.origins = slices.Grow(s.origins, len(l.entries))
	}
	var ids texts
	for i, e := range l.entries {
		at := ""
		if need.follows() || s.tells(e) {
			at = s.at + "[" + strconv.Itoa(i) + "]"
		}
		s.use(e, at)
		out.Nodes[i] = &room[i]
		s.deliver(out.Nodes[i], e, need, at, s.a.resourceID(e, &ids, len(l.entries)-i))
	}
	return out
}
