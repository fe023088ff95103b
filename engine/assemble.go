package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// assembling is what all assemblies of one engine share. It never changes.
type assembling struct {
	sources   Sources
	budgets   Budgets
	channels  map[string]*tutti.Channel
	types     map[string]*tutti.ComponentType
	templates templates
	places    map[string]string // of props in a component, by name
	ids       *ids
	cursors   *cursors
	stale     func() bool // nil = never
}

// newAssembling compiles the templates of the component types. The error joins all mistakes.
func newAssembling(cfg *Config, sources Sources) (*assembling, error) {
	a := &assembling{
		sources: sources, budgets: cfg.Budgets.withDefaults(), channels: map[string]*tutti.Channel{}, types: map[string]*tutti.ComponentType{}, places: map[string]string{},
		ids: newIDs(cfg.Secret), cursors: newCursors(cfg.Secret), stale: cfg.Stale,
	}
	for i := range cfg.Channels {
		a.channels[cfg.Channels[i].Name] = &cfg.Channels[i]
	}
	for i := range cfg.ComponentTypes {
		t := &cfg.ComponentTypes[i]
		a.types[t.Name] = t
		for j := range t.Props {
			a.places[t.Props[j].Name] = placeOf(t.Props[j].Name)
		}
	}
	var err error
	a.templates, err = compileTemplates(cfg.ComponentTypes)
	return a, err
}

func placeOf(prop string) string { return "props." + prop }

// place is where a prop stands in its component.
func (as *assembling) place(prop string) string {
	if at, ok := as.places[prop]; ok {
		return at
	}
	return placeOf(prop)
}

// freshest is the state of what depends on no origin: as fresh as what is published is known.
func (as *assembling) freshest() tutti.FreshnessState {
	if as.stale != nil && as.stale() {
		return tutti.StaleError
	}
	return tutti.Fresh
}

// assembly is the making of one answer. One goroutine uses it.
type assembly struct {
	as        *assembling
	plan      *tutti.Plan
	channel   *tutti.Channel
	need      *Need
	needs     map[string]ComponentNeed
	templates *templates
	g         *gathering
	scopeKey  string
	room      *room     // lent for as long as the assembly lasts
	out       *Room     // for what is delivered
	answered  *answered // for cursors; nil without a list
	lastKind  *tutti.Kind
}

// Assemble answers one plan with everything that the need asks for. It fails only when the plan
// cannot be read (its channel is not configured) and when ctx is cancelled; a missing part is a
// Problem of the answer, with a stale copy or the next fallback in its place where there is one.
// Holes are still in it: see Fill. It takes the page's budget at most: a call that is late by then goes on for
// those who come next. Safe for concurrent use.
func (e *Engine) Assemble(ctx context.Context, p tutti.Plan, n Need) (*tutti.Experience, error) {
	return e.AssembleIn(ctx, nil, p, n)
}

// AssembleIn is Assemble into a room: nil for an experience of which something may be kept.
func (e *Engine) AssembleIn(ctx context.Context, r *Room, p tutti.Plan, n Need) (*tutti.Experience, error) {
	a, err := e.assembling.assembly(&p, &n)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = apart
	}
	a.out = r
	r.expect(refsOf(&p))
	defer a.end()
	slots := make([]*slotJobs, len(p.Slots))
	for i := range p.Slots {
		slots[i] = a.slotJobs(&p.Slots[i], nil)
	}
	var head *shaper
	var title, description outcome
	a.g.run(ctx, func() {
		if head == nil || head.state == pending {
			head, title, description = a.head()
		}
		for _, s := range slots {
			a.visit(s)
		}
	})
	if err := ctx.Err(); err != nil && errors.Is(err, context.Canceled) {
		return nil, tutti.Errorf(tutti.Timeout, "assembling %s: %w", p.Composition, err)
	}
	tops := 0
	for _, s := range slots {
		tops += len(s.jobs)
	}
	x := r.experiences.one()
	x.Composition, x.Version, x.Channel = p.Composition, p.Version, a.channel
	x.Slots, x.Components = r.slotPointers.take(len(slots))[:0], r.componentPointers.take(tops)[:0]
	x.Parts, x.Made = r.partPointers.take(tops)[:0], r.partPointers.take(tops)[:0]
	x.Title, _ = title.v.(string)
	x.Description, _ = description.v.(string)
	d := delivery{a: a, x: x, part: r.parts.one()}
	d.note(head)
	d.join(d.part)
	for _, s := range slots {
		x.Slots = append(x.Slots, d.top(s))
	}
	d.found(d.part)
	d.finish()
	return x, nil
}

func (as *assembling) assembly(p *tutti.Plan, n *Need) (*assembly, error) {
	ch, ok := as.channels[p.Channel]
	if p.Channel == "" {
		ch, ok = &tutti.Channel{}, true // nothing is fitted
	}
	if !ok {
		return nil, &tutti.Error{Code: tutti.UnknownChannel, Message: "the channel " + p.Channel + " is not configured."}
	}
	scope := p.Scope
	if scope.Locale == "" {
		scope.Locale = p.Locale
	}
	chain := p.Chain
	if len(chain) == 0 {
		chain = []string{scope.Locale}
	}
	r := rooms.Get().(*room)
	return &assembly{
		as: as, plan: p, channel: ch, need: n, needs: map[string]ComponentNeed{}, templates: &as.templates,
		g: newGathering(as.sources, &as.budgets, scope, chain, refsOf(p), r), scopeKey: scopeKey(scope, p.Channel), room: r, out: apart,
	}, nil
}

// end gives back what was lent. What was assembled holds nothing of it.
func (a *assembly) end() {
	a.g.release()
	a.room.giveBack()
	a.room = nil
}

// refsOf counts the refs that stand in a plan and are not there already, as far as a page asks for them.
func refsOf(p *tutti.Plan) int {
	n := 0
	var count func(slots []tutti.SlotPlan)
	count = func(slots []tutti.SlotPlan) {
		for i := range slots {
			for j := range slots[i].Components {
				cp := &slots[i].Components[j]
				if cp.Ready != nil {
					continue
				}
				for k := range cp.Props {
					for l := range cp.Props[k].Values {
						n += len(cp.Props[k].Values[l].Refs)
					}
				}
				count(cp.Slots)
			}
		}
	}
	count(p.Slots)
	return min(n, maxRefs)
}

// needFor is what is needed of a component: of what it is delivered as, in the names of its type.
func (a *assembly) needFor(cp *tutti.ComponentPlan) ComponentNeed {
	if cp.Form != nil {
		return a.needOf(cp.Form.Type).through(cp.Form)
	}
	return a.needOf(cp.Type)
}

// needOf is what is needed of components of a type.
func (a *assembly) needOf(componentType string) ComponentNeed {
	c, ok := a.needs[componentType]
	if !ok {
		c = a.need.of(componentType)
		a.needs[componentType] = c
	}
	return c
}

// noPlan stands for the plan of what belongs to no component.
var noPlan tutti.ComponentPlan

var textDefinition = tutti.PropDefinition{Type: tutti.PropText}

// head makes title and description.
func (a *assembly) head() (s *shaper, title, description outcome) {
	s = a.shaper(&noPlan, nil, "")
	if a.plan.Title.Kind != tutti.NoValue {
		s.at = "title"
		title = s.only(&a.plan.Title, &textDefinition)
	}
	if a.plan.Description.Kind != tutti.NoValue {
		s.at = "description"
		description = s.only(&a.plan.Description, &textDefinition)
	}
	return s, title, description
}

// resourceID gives the id of an item's delivery, the first of so many that share their memory.
func (a *assembly) resourceID(e *entry, shared *texts, coming int) string {
	if e.id == "" {
		e.id = a.as.ids.ofResource(&e.ref, a.scopeKey, shared, coming)
	}
	return e.id
}

func (a *assembly) componentID(j *job) string {
	key := j.plan.Key
	if j.plan.Private || key == "" {
		key = planContent(j.plan) + plainJSON(a.plan.Params)
	}
	return a.as.ids.of("component", a.plan.Composition, strconv.Itoa(a.plan.Version), key, j.plan.Path, j.plan.Component, j.items, a.scopeKey)
}

// Divisible reports whether what one component plan at the top of a page comes to does not depend
// on the others, so that a Ready part may stand for it.
func (e *Engine) Divisible(channel string, n *Need) bool {
	ch, ok := e.channels[channel]
	return ok && ch.Components <= 0 && !(n.Speech && ch.Speech) && !(n.Message && ch.Message)
}

// delivery puts what the jobs made together, in page order.
type delivery struct {
	a      *assembly
	x      *tutti.Experience
	part   *tutti.Part // that is being put together
	spoken []*spoken
}

func (d *delivery) note(s *shaper) {
	if s == nil {
		return
	}
	d.part.Problems = append(d.part.Problems, s.problems...)
	if s.reasons&wasHidden == 0 {
		d.part.Locales = append(d.part.Locales, s.locales...)
	}
	d.part.Freshness = d.part.Freshness.Worst(s.freshness)
	d.part.Basis.Join(s.basis)
}

// join adds what came of a part to the experience.
func (d *delivery) join(p *tutti.Part) {
	x := d.x
	x.Problems = append(x.Problems, p.Problems...)
	x.Locales = append(x.Locales, p.Locales...)
	x.Hidden = append(x.Hidden, p.Hidden...)
	x.Components = append(x.Components, p.All...)
	x.Freshness = x.Freshness.Worst(p.Freshness)
}

// found joins what everything was made of.
func (d *delivery) found(head *tutti.Part) {
	x := d.x
	marks := len(head.Basis.Marks)
	for _, p := range x.Parts {
		marks += len(p.Basis.Marks)
	}
	x.Basis.Marks = make([]uint32, 0, marks)
	x.Basis.Join(head.Basis)
	for _, p := range x.Parts {
		x.Basis.Join(p.Basis)
	}
}

// top puts a slot of the page together, each component plan of it as a part.
func (d *delivery) top(s *slotJobs) *tutti.Slot {
	out := d.newSlot(s)
	room := d.room()
	for _, j := range s.jobs {
		if room == 0 {
			break
		}
		p := j.ready
		if p == nil {
			p = d.made(j, "", &room)
		}
		out.Components = append(out.Components, p.Components...)
		d.x.Parts = append(d.x.Parts, p)
		d.join(p)
	}
	return out
}

func (d *delivery) newSlot(s *slotJobs) *tutti.Slot {
	r := d.a.out
	out := r.slots.one()
	out.ID, out.Name, out.Components = s.plan.ID, s.plan.Name, r.componentPointers.take(len(s.jobs))[:0]
	return out
}

// made puts together what came of a component plan that is a part of its own.
func (d *delivery) made(j *job, parent string, room *int) *tutti.Part {
	p, around := d.a.out.parts.one(), d.part
	p.Of, p.Slot, p.Private, p.All = j.plan, j.slot, isPrivate(j.plan), d.a.out.componentPointers.take(1)[:0]
	d.part = p
	into := tutti.Slot{Components: d.a.room.components.take(1)[:0]}
	d.jobs(j, &into, parent, room)
	d.part = around
	if p.Components = p.All; len(into.Components) < len(p.All) { // something stands in them
		p.Components = slices.Clone(into.Components)
	}
	for _, c := range p.All {
		if c.Part == nil {
			c.Part = p
		}
		p.Private = p.Private || c.Private
		p.Holed = p.Holed || holedComponent(c)
	}
	d.x.Made = append(d.x.Made, p)
	return p
}

// inside puts a part into the one that it stands in.
func (d *delivery) inside(j *job, into *tutti.Slot, parent string, room *int) {
	p := j.ready
	if p == nil {
		p = d.made(j, parent, room)
	}
	around := d.part
	into.Components = append(into.Components, p.Components...)
	around.All = append(around.All, p.All...)
	around.Problems = append(around.Problems, p.Problems...)
	around.Locales = append(around.Locales, p.Locales...)
	around.Hidden = append(around.Hidden, p.Hidden...)
	around.Freshness = around.Freshness.Worst(p.Freshness)
	around.Basis.Join(p.Basis)
	around.Mixed = true
}

// room is how many components of a slot the channel takes, -1 for all.
func (d *delivery) room() int {
	if n := d.a.channel.Components; n > 0 {
		return n
	}
	return -1
}

func (d *delivery) slot(s *slotJobs, parent string) *tutti.Slot {
	out := d.newSlot(s)
	room := d.room()
	for _, j := range s.jobs {
		switch {
		case room == 0:
			return out
		case j.plan.Apart:
			d.inside(j, out, parent, &room)
		default:
			d.jobs(j, out, parent, &room)
		}
	}
	return out
}

// jobs puts together what one component plan came to, as far as there is room.
func (d *delivery) jobs(j *job, into *tutti.Slot, parent string, room *int) {
	jobs := j.self
	if j.each != nil {
		jobs = j.each.jobs
		d.note(j.each.notes)
	}
	for _, one := range jobs {
		if *room == 0 {
			return
		}
		switch one.state {
		case have:
			*room--
			d.component(one, into, parent)
		case absent:
			d.note(one.shaped)
			d.part.Hidden = append(d.part.Hidden, tutti.Hidden{Component: one.plan.Component + one.items, Path: one.path, Reasons: one.shaped.reasons.list()})
		}
	}
}

func (d *delivery) component(j *job, into *tutti.Slot, parent string) {
	c := j.out
	c.Parent = parent
	into.Components = append(into.Components, c)
	d.part.All = append(d.part.All, c)
	d.note(j.shaped)
	if j.spoken != nil {
		d.spoken = append(d.spoken, j.spoken)
	}
	for _, s := range j.slots {
		c.Slots = append(c.Slots, d.slot(s, c.ID))
	}
}

func (d *delivery) finish() {
	x, a := d.x, d.a
	if x.Freshness.State == "" {
		x.Freshness.State = a.as.freshest()
	}
	parts := a.out.names.take(len(x.Components) + 2*len(a.plan.Params) + 6)[:0]
	parts = append(parts, "experience", x.Composition, strconv.Itoa(x.Version), a.scopeKey, x.Title, x.Description)
	for _, name := range sortedKeys(a.plan.Params) {
		parts = append(parts, name, plainJSON(a.plan.Params[name]))
	}
	for _, c := range x.Components {
		parts = append(parts, c.ID)
	}
	x.ID = a.as.ids.of(parts...)
	d.speak()
}
