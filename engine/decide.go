package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// Decide takes all decisions for one request: which variants, refs, selections and words. It is
// pure and does no I/O: the same input gives the same plan. Params come from CheckParams, facts
// from Learn; channel, locale and market of v are those that the Resolve methods accept, else the
// defaults count. The Why is nil unless v.Preview.Why asks for it.
//
// No component plan that is shared holds a personal value; a private one may, and names the
// owner. Until is the next instant at which time alone changes the outcome.
func (c *Compiled) Decide(params tutti.Params, v tutti.Context, f tutti.Facts) (tutti.Plan, tutti.Why) {
	d := c.Deciding(params, v, f)
	defer d.End()
	return d.Decide()
}

// Deciding is the deciding of one request, for who wants its signature first: what that took is not done
// again. One goroutine uses it. End it.
type Deciding struct {
	d   *decider
	why bool
}

// Deciding begins to decide. The input is that of Decide.
func (c *Compiled) Deciding(params tutti.Params, v tutti.Context, f tutti.Facts) Deciding {
	d := deciders.Get().(*decider)
	d.begin(c, params, v, f)
	return Deciding{d, v.Preview.Why}
}

// Sign is Compiled.Sign.
func (d Deciding) Sign(into []byte) (s Signature, ok bool) { return d.d.sign(into) }

// Decide is Compiled.Decide.
func (d Deciding) Decide() (tutti.Plan, tutti.Why) {
	d.d.rooms.told = true
	if d.why {
		d.d.why = tutti.Why{}
	}
	return d.d.plan(), d.d.why
}

// Forget ends the use of the plan: from then on nobody may look at it.
func (d Deciding) Forget() { d.d.rooms.told = false }

// End lets go of whom it was for. A plan that was not forgotten lives on.
func (d Deciding) End() { d.d.giveBack() }

// planRoom is the memory of a plan, of one after the other where they are forgotten.
type planRoom struct {
	slots      slab[tutti.SlotPlan]
	components slab[tutti.ComponentPlan]
	props      slab[tutti.PropPlan]
	values     slab[tutti.Value]
	refs       slab[tutti.Ref]
	told       bool // somebody may hold the plan
}

func (r *planRoom) expect(s size) {
	r.slots.expect(s.slots)
	r.components.expect(s.components)
	r.props.expect(s.props)
	r.values.expect(s.values)
	r.refs.expect(s.refs)
}

func (r *planRoom) end() {
	r.slots.end()
	r.components.end()
	r.props.end()
	r.values.end()
	r.refs.end()
}

func (d *decider) plan() tutti.Plan {
	c := d.c
	plan := tutti.Plan{
		Composition: c.ID, Version: c.Version, Channel: d.channel, Locale: d.locale, Chain: d.chain, Scope: d.scope, Params: d.params,
	}
	d.rooms.expect(c.most)
	d.near(c.until)
	plan.Title, _ = d.words(c.title)
	plan.Description, _ = d.words(c.description)
	plan.Slots = d.slots(c.slots, "", nil)
	plan.Until = d.until
	return plan
}

// CheckForced refuses a forced variant that the composition does not have: a *tutti.Error with
// code InvalidValue.
func (c *Compiled) CheckForced(forced map[string]string) error {
	if len(forced) == 0 {
		return nil
	}
	variants := map[string][]string{}
	var walk func(slots []slotNode)
	walkAll := func(nodes []*componentNode) {
		for _, n := range nodes {
			names := []string{}
			for _, v := range n.variants {
				names = append(names, v.name)
			}
			variants[n.id] = names
			walk(n.slots)
		}
	}
	walk = func(slots []slotNode) {
		for _, s := range slots {
			names := []string{}
			for _, v := range s.variants {
				names = append(names, v.name)
				walkAll(v.components)
			}
			variants[s.id] = names
			walkAll(s.components)
		}
	}
	walk(c.slots)
	for _, id := range sortedKeys(forced) {
		names, ok := variants[id]
		if !ok {
			return &tutti.Error{Code: tutti.InvalidValue, Field: "preview.variants", Message: "There is no component or slot “" + short(id) + "”.", Hint: expr.DidYouMean(id, sortedKeys(variants))}
		}
		if name := forced[id]; name != "" && !slices.Contains(names, name) {
			return &tutti.Error{Code: tutti.InvalidValue, Field: "preview.variants", Message: "“" + short(id) + "” has no variant “" + short(name) + "”.", Hint: expr.DidYouMean(name, names)}
		}
	}
	return nil
}

func (d *decider) words(w *words) (tutti.Value, bool) {
	if w == nil {
		return tutti.Value{}, false
	}
	return w.decide(d)
}

// slots decides the slots of the component at a path, "" for those of the page.
func (d *decider) slots(nodes []slotNode, path string, of *taken) []tutti.SlotPlan {
	if len(nodes) == 0 {
		return nil
	}
	plans := d.rooms.slots.take(len(nodes))[:0]
	for i := range nodes {
		n := &nodes[i]
		if !of.has(n.name) {
			continue
		}
		plan := tutti.SlotPlan{ID: n.id, Name: n.name}
		components := n.components
		taken, decision := d.choose(n.id, n.number, n.alternatives, nil)
		if taken >= 0 {
			plan.Variant, components = n.variants[taken].name, n.variants[taken].components
		}
		if d.why != nil {
			d.why[n.id] = decision
		}
		plan.Components = d.components(components, n.path(path), n.id)
		plans = append(plans, plan)
	}
	return plans
}

// excluded reports whether the component is not for a channel.
func (n *componentNode) excluded(channel string) bool {
	c := n.channels
	return c != nil && (len(c.Only) > 0 && !slices.Contains(c.Only, channel) || slices.Contains(c.Except, channel))
}

// holds reports whether a rule is true; no rule is.
func (d *decider) holds(rule *expr.Rule) bool {
	t, err := d.truth(rule)
	if d.watch != nil {
		d.watch.rule(rule)
	}
	return err == nil && t == tutti.True
}

func (d *decider) components(nodes []*componentNode, path, slot string) []tutti.ComponentPlan {
	plans := d.rooms.components.take(len(nodes))[:0]
	for i, n := range nodes {
		at := len(plans)
		plans = append(plans, tutti.ComponentPlan{})
		if !d.component(n, &plans[at], path, at) {
			plans = plans[:at]
			d.leftOut(n.id, slot, i)
		}
	}
	return plans
}

// component decides one component; false when it is not part of the plan.
func (d *decider) component(n *componentNode, cp *tutti.ComponentPlan, path string, at int) bool {
	if n.excluded(d.channel) {
		if d.why != nil {
			d.why[n.id] = tutti.Decision{Reason: tutti.ReasonChannelExcluded}
		}
		return false
	}
	t, shown := d.take(n)
	if !shown {
		return false
	}
	b := t.body
	if t.variant >= 0 {
		cp.Variant = n.variants[t.variant].name
	}
	cp.Form = t.form
	cp.Component, cp.Type, cp.Version = n.id, b.definition.Name, b.definition.Version
	cp.Path = n.at(path, at)
	cp.Private = b.private
	if !d.body(n, b, cp) {
		return false
	}
	if n.showWhen != nil {
		cp.ShowWhen = n.showWhen.program
	}
	if cp.Private {
		cp.Owner = d.facts.Owner
	}
	cp.Key = d.componentKey(cp, b)
	cp.Slots = d.slots(n.slots, cp.Path, &t)
	return true
}

// body decides the values and actions of a component; false when it is not part of the plan.
func (d *decider) body(n *componentNode, b *body, cp *tutti.ComponentPlan) bool {
	if n.each != nil {
		v, ok := d.value(n.each.value, cp)
		if !ok {
			return false // nothing to repeat for
		}
		cp.Each = &v
	}
	cp.Props = d.rooms.props.take(len(b.props))[:0]
	for i := range b.props {
		p := &b.props[i]
		if values := d.choice(p.choice, cp); len(values) > 0 {
			cp.Props = append(cp.Props, tutti.PropPlan{Definition: &p.definition, Values: values})
		} else if p.definition.Required {
			cp.Props = append(cp.Props, tutti.PropPlan{Definition: &p.definition})
		}
	}
	cp.Actions = d.actions(b.actions, cp)
	return true
}

// choice decides a prop: what stands there for the channel and locale, with its fallbacks.
func (d *decider) choice(c *choice, cp *tutti.ComponentPlan) []tutti.Value {
	if other := c.channels[d.channel]; other != nil {
		c = other
	}
	if c.locales != nil {
		language := languageOf(d.locale)
		for _, l := range d.chain {
			if other := c.locales[strings.ToLower(l)]; other != nil && languageOf(l) == language {
				c = other
				break
			}
		}
	}
	if c.fixed != nil {
		return c.fixed
	}
	values := d.rooms.values.take(len(c.values))[:0]
	for i, n := range c.values {
		d.strict = i+1 < len(c.values)
		if v, ok := d.value(n, cp); ok && v.Kind != tutti.NoValue {
			values = append(values, v)
		}
	}
	d.strict = false
	return values
}

func languageOf(locale string) string {
	language, _, _ := strings.Cut(strings.ToLower(locale), "-")
	return language
}

// value decides one value and makes the component private where it must be.
func (d *decider) value(n valueNode, cp *tutti.ComponentPlan) (tutti.Value, bool) {
	v, ok := n.decide(d)
	if ok && v.Private {
		cp.Private = true
	}
	return v, ok
}

func (d *decider) actions(nodes []actionNode, cp *tutti.ComponentPlan) []tutti.ActionPlan {
	if len(nodes) == 0 {
		return nil
	}
	plans := make([]tutti.ActionPlan, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		if !d.holds(n.when) {
			continue
		}
		p := tutti.ActionPlan{Intent: n.intent}
		if n.expires != nil {
			v, ok := d.value(n.expires, cp)
			if ok {
				p.ExpiresAt, _ = v.Literal.(time.Time)
			}
			if !p.ExpiresAt.IsZero() && !p.ExpiresAt.After(d.at) {
				continue
			}
			d.near(p.ExpiresAt)
		}
		label, ok := d.words(n.label)
		href, hasHref := d.words(n.href)
		deep, hasDeep := d.words(n.deepLink)
		if !ok || !hasHref && !hasDeep {
			continue // a link with an unknown part leads nowhere
		}
		p.Label, p.Href, p.DeepLink = label, href, deep
		plans = append(plans, p)
	}
	return plans
}
