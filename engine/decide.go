package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// Decide takes all decisions for one request: which variants, refs, selections and words. It is
// pure and does no I/O: the same input gives the same plan. Params come from CheckParams, facts
// from Learn; channel, locale and market of v are those that the Resolve methods accept, else the
// defaults count. The Why is nil unless v.Preview.Why asks for it.
//
// No component plan that is shared holds a personal value; a private one may, and names the
// owner. Until is the next instant at which time alone changes the outcome.
func (c *Compiled) Decide(params tutti.Params, v tutti.Context, f tutti.Facts) (tutti.Plan, tutti.Why) {
	d := c.decider(params, v, f)
	if v.Preview.Why {
		d.why = tutti.Why{}
	}
	plan := tutti.Plan{
		Composition: c.ID, Version: c.Version, Channel: d.channel, Locale: d.locale, Chain: d.chain, Scope: d.scope, Params: params,
	}
	d.near(c.until)
	plan.Title, _ = d.words(c.title)
	plan.Description, _ = d.words(c.description)
	plan.Slots = d.slots(c.slots, "slots.", nil)
	plan.Until = d.until
	return plan, d.why
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

// decider is the state of deciding one request.
type decider struct {
	c       *Compiled
	params  tutti.Params
	facts   tutti.Facts
	channel string
	locale  string
	chain   []string
	scope   tutti.Scope
	forced  map[string]string
	at      time.Time
	until   time.Time
	why     tutti.Why
	strict  bool // something else can stand in for a text with an unknown value
	memo    map[string]tutti.Tri
	key     []byte // reused from component to component
}

func (c *Compiled) decider(params tutti.Params, v tutti.Context, f tutti.Facts) *decider {
	d := &decider{c: c, params: params, facts: f, channel: v.Channel, at: v.At, forced: v.Preview.Forced}
	var err error
	if d.locale, d.chain, err = c.engine.ResolveLocale(v.Locale); err != nil {
		d.locale, d.chain, _ = c.engine.ResolveLocale("")
	}
	d.scope = c.engine.scopeOf(v)
	if d.at.IsZero() {
		d.at = c.engine.now()
	}
	return d
}

// scopeOf is what fetches for a request depend on.
func (e *Engine) scopeOf(v tutti.Context) tutti.Scope {
	locale, _, err := e.ResolveLocale(v.Locale)
	if err != nil {
		locale, _, _ = e.ResolveLocale("")
	}
	market, currency, err := e.ResolveMarket(v.Market, v.Currency)
	if err != nil {
		market, currency, _ = e.ResolveMarket("", "")
	}
	return tutti.Scope{Locale: locale, Market: market, Currency: currency, Draft: v.Preview.Draft}
}

// near brings Until forward to an instant that is still to come.
func (d *decider) near(t time.Time) {
	if t.After(d.at) && (d.until.IsZero() || t.Before(d.until)) {
		d.until = t
	}
}

// ResolveName gives what is known exactly: for rules, whose truth alone goes into the plan.
func (d *decider) ResolveName(name string) (any, bool) {
	if v, ok := d.facts.Values[name]; ok {
		return v, true
	}
	switch {
	case strings.HasPrefix(name, "audience."):
		switch d.audience(name[len("audience."):]) {
		case tutti.True:
			return true, true
		case tutti.False:
			return false, true
		}
		return nil, false
	case strings.HasPrefix(name, "params."):
		v, ok := d.params[name[len("params."):]]
		return v, ok
	}
	return d.builtIn(name)
}

// builtIn gives the attributes that every request has by itself. A visitor and place come with
// the facts: they are subject to consent.
func (d *decider) builtIn(name string) (any, bool) {
	switch name {
	case "market":
		return d.scope.Market, d.scope.Market != ""
	case "currency":
		return d.scope.Currency, d.scope.Currency != ""
	case "locale":
		return d.locale, d.locale != ""
	case "channel":
		return d.channel, d.channel != ""
	}
	return nil, false
}

// audience is an audience's truth, worked out once.
func (d *decider) audience(name string) tutti.Tri {
	if t, ok := d.memo[name]; ok {
		return t
	}
	a := d.c.audiences.byName[name]
	if a == nil || a.rule == nil {
		return tutti.Unknown
	}
	_, t, err := a.rule.EvalKnown(d)
	if err != nil {
		t = tutti.Unknown
	}
	if d.memo == nil {
		d.memo = make(map[string]tutti.Tri, len(d.c.audiences.names))
	}
	d.memo[name] = t
	return t
}

// quantised gives what a plan may hold.
type quantised struct{ *decider }

func (q quantised) ResolveName(name string) (any, bool) {
	v, ok := q.decider.ResolveName(name)
	if !ok {
		return nil, false
	}
	switch v.(type) {
	case int64, float64, time.Time, tutti.Place:
		if a := q.c.engine.attributes[name]; a != nil {
			return quantise(a, v), true
		}
	}
	return v, true
}

// eval gives a value for the plan: of a rule, or the program that Shape evaluates. false when it
// is unknown or cannot be evaluated.
func (d *decider) eval(x *expression) (any, bool) {
	if x.program != nil {
		p, ok := d.bound(x)
		return p, ok
	}
	v, state, err := x.rule.EvalKnown(quantised{d})
	return v, err == nil && state != tutti.Unknown && v != nil
}

// evalText is eval for words: personal values are only looked at, they stay exact.
func (d *decider) evalText(x *expression) (any, bool) {
	if !x.personal {
		return d.eval(x)
	}
	v, state, err := x.rule.EvalKnown(d)
	return v, err == nil && state != tutti.Unknown && v != nil
}

// bound fills the attributes that a program over resources reads.
func (d *decider) bound(x *expression) (tutti.Program, bool) {
	var facts map[string]any
	for _, name := range x.reads {
		if strings.HasPrefix(name, "params.") {
			continue
		}
		v, ok := quantised{d}.ResolveName(name)
		if !ok {
			return nil, false
		}
		if facts == nil {
			facts = map[string]any{}
		}
		facts[name] = v
	}
	if facts == nil {
		return x.program, true
	}
	return bind(x.program, facts), true
}

func (d *decider) words(w *words) (tutti.Value, bool) {
	if w == nil {
		return tutti.Value{}, false
	}
	return w.decide(d)
}

func (d *decider) slots(nodes []slotNode, path string, only *tutti.ComponentType) []tutti.SlotPlan {
	if len(nodes) == 0 {
		return nil
	}
	plans := make([]tutti.SlotPlan, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		if only != nil && !slices.ContainsFunc(only.Slots, func(s tutti.SlotDefinition) bool { return s.Name == n.name }) {
			continue // the variant is of a type without this slot
		}
		plan := tutti.SlotPlan{ID: n.id, Name: n.name}
		components := n.components
		taken, decision := d.choose(n.id, len(n.variants), func(i int) (string, *condition) { return n.variants[i].name, &n.variants[i].when })
		if taken >= 0 {
			plan.Variant, components = n.variants[taken].name, n.variants[taken].components
		}
		if d.why != nil {
			d.why[n.id] = decision
		}
		plan.Components = d.components(components, path+n.name)
		plans = append(plans, plan)
	}
	return plans
}

func (d *decider) components(nodes []*componentNode, path string) []tutti.ComponentPlan {
	plans := make([]tutti.ComponentPlan, 0, len(nodes))
	for _, n := range nodes {
		at := len(plans)
		plans = append(plans, tutti.ComponentPlan{})
		if !d.component(n, &plans[at], path, at) {
			plans = plans[:at]
		}
	}
	return plans
}

// component decides one component; false when it is not part of the plan.
func (d *decider) component(n *componentNode, cp *tutti.ComponentPlan, path string, at int) bool {
	if n.channels != nil && (len(n.channels.Only) > 0 && !slices.Contains(n.channels.Only, d.channel) || slices.Contains(n.channels.Except, d.channel)) {
		if d.why != nil {
			d.why[n.id] = tutti.Decision{Reason: tutti.ReasonChannelExcluded}
		}
		return false
	}
	b := n.baseline
	taken, decision := d.choose(n.id, len(n.variants), func(i int) (string, *condition) { return n.variants[i].name, &n.variants[i].when })
	if d.why != nil {
		d.why[n.id] = decision
	}
	if taken >= 0 {
		v := &n.variants[taken]
		if v.hide {
			return false
		}
		b, cp.Variant = v.body, v.name
	}
	cp.Component, cp.Type, cp.Version = n.id, b.definition.Name, b.definition.Version
	cp.Path = path + "[" + formatValue(int64(at)) + "]"
	cp.Private = b.private
	if n.each != nil {
		v, ok := d.value(n.each.value, cp)
		if !ok {
			return false // nothing to repeat for
		}
		cp.Each = &v
	}
	cp.Props = make([]tutti.PropPlan, 0, len(b.props))
	for i := range b.props {
		p := &b.props[i]
		if values := d.choice(p.choice, cp); len(values) > 0 {
			cp.Props = append(cp.Props, tutti.PropPlan{Definition: p.definition, Values: values})
		} else if p.definition.Required {
			cp.Props = append(cp.Props, tutti.PropPlan{Definition: p.definition})
		}
	}
	cp.Actions = d.actions(b.actions, cp)
	if n.showWhen != nil {
		cp.ShowWhen = n.showWhen.program
	}
	if cp.Private {
		cp.Owner = d.facts.Owner
	}
	cp.Key = d.componentKey(cp, b)
	cp.Slots = d.slots(n.slots, cp.Path+".slots.", b.definition)
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
	values := make([]tutti.Value, 0, len(c.values))
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
		if n.when != nil {
			if _, t, err := n.when.EvalKnown(d); err != nil || t != tutti.True {
				continue
			}
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

func (f fixed) decide(*decider) (tutti.Value, bool) { return f.value, f.value.Kind != tutti.NoValue }

func (p paramRef) decide(d *decider) (tutti.Value, bool) {
	ref, ok := d.params[p.name].(tutti.Ref)
	if !ok {
		return tutti.Value{}, false
	}
	v := tutti.Value{Kind: tutti.RefValue, Refs: []tutti.Ref{ref}}
	if p.list {
		v.Kind = tutti.RefsValue
	}
	return d.owned(v)
}

func (n *refsNode) decide(d *decider) (tutti.Value, bool) {
	out := tutti.Value{Kind: tutti.RefsValue}
	if n.one {
		out.Kind = tutti.RefValue
	}
	for _, r := range n.refs {
		if r.x == nil {
			out.Refs = append(out.Refs, r.ref)
			continue
		}
		v, ok := d.eval(r.x)
		if !ok {
			continue
		}
		out.Private = out.Private || r.x.personal
		if p, ok := v.(tutti.Program); ok {
			out.Program = p
			return out, true
		}
		out.Refs = append(out.Refs, refsIn(v)...)
	}
	if len(out.Refs) == 0 {
		return tutti.Value{}, false
	}
	return d.owned(out)
}

// refsIn reads refs from a computed value; what is none is left out.
func refsIn(v any) []tutti.Ref {
	var refs []tutti.Ref
	switch v := v.(type) {
	case tutti.Ref:
		refs = append(refs, v)
	case string:
		if r, err := tutti.ParseRef(v); err == nil {
			refs = append(refs, r)
		}
	case []any:
		for _, x := range v {
			refs = append(refs, refsIn(x)...)
		}
	case []string:
		for _, x := range v {
			refs = append(refs, refsIn(x)...)
		}
	}
	return refs
}

// owned makes a value private where a ref turned out to be of a kind that belongs to visitors.
func (d *decider) owned(v tutti.Value) (tutti.Value, bool) {
	for _, r := range v.Refs {
		if k, ok := d.c.engine.sources.Kind(r.Source, r.Kind); ok && k.Access == tutti.AccessVisitor {
			v.Private = true
		}
	}
	return v, true
}

func (n *computedNode) decide(d *decider) (tutti.Value, bool) {
	v, ok := d.eval(n.x)
	if !ok {
		return tutti.Value{}, false
	}
	resources := n.definition.Type == tutti.PropResource || n.definition.Type == tutti.PropResources
	if p, ok := v.(tutti.Program); ok {
		switch n.definition.Type {
		case tutti.PropResource:
			return tutti.Value{Kind: tutti.RefValue, Program: p}, true
		case tutti.PropResources:
			return tutti.Value{Kind: tutti.RefsValue, Program: p}, true
		}
		return tutti.Value{Kind: tutti.ShapeValue, Program: p}, true
	}
	if resources {
		out := tutti.Value{Kind: tutti.RefsValue, Refs: refsIn(v), Private: n.x.personal}
		if n.definition.Type == tutti.PropResource {
			out.Kind = tutti.RefValue
		}
		if len(out.Refs) == 0 {
			return tutti.Value{}, false
		}
		return d.owned(out)
	}
	if ref, isRef := v.(tutti.Ref); isRef {
		v = ref.String()
	}
	if v, ok = convert(&n.definition, v); !ok {
		return tutti.Value{}, false
	}
	if s, isText := v.(string); isText {
		v = text.StripHoles(s)
	}
	return tutti.Value{Kind: tutti.LiteralValue, Literal: v, Private: n.x.personal}, true
}
