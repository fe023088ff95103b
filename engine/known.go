package engine

import (
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// decider is the state of deciding one request.
type decider struct {
	c        *Compiled
	params   tutti.Params
	facts    tutti.Facts
	channel  string
	locale   string
	chain    []string
	scope    tutti.Scope
	forced   map[string]string
	supports tutti.Supports
	at       time.Time
	until    time.Time
	why      tutti.Why
	watch    *watch      // notes what depends on the place; nil when nobody asks
	strict   bool        // something else can stand in for a text with an unknown value
	memo     []tutti.Tri // of audiences, by number; "" for those not looked at
	key      []byte      // reused from component to component
	text     []byte      // reused from text to text
	chosen   []int32     // by the number of a slot or component: two more than its alternative; 0 for those not looked at
	keys     texts
	rooms    planRoom
}

// begin sets up a decider for one request.
func (d *decider) begin(c *Compiled, params tutti.Params, v tutti.Context, f tutti.Facts) {
	d.c, d.params, d.facts, d.channel, d.at, d.forced = c, params, f, v.Channel, v.At, v.Preview.Forced
	d.supports = v.Supports
	var err error
	if d.locale, d.chain, err = c.engine.ResolveLocale(v.Locale); err != nil {
		d.locale, d.chain, _ = c.engine.ResolveLocale("")
	}
	d.scope = c.engine.scopeOf(v)
	if d.at.IsZero() {
		d.at = c.engine.now()
	}
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
	switch { // no attribute's name begins like that
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
	if v, ok := d.facts.Values[name]; ok {
		return v, true
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
	a := d.c.audiences.byName[name]
	if a == nil || a.rule == nil {
		return tutti.Unknown
	}
	if len(d.memo) == 0 {
		d.memo = append(d.memo, make([]tutti.Tri, len(d.c.audiences.names))...)
	}
	if t := d.memo[a.number]; t != "" {
		return t
	}
	_, t, err := a.rule.EvalKnown(d)
	if err != nil {
		t = tutti.Unknown
	}
	d.memo[a.number] = t
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
		if strings.HasPrefix(name, "params.") {
			break // no attribute
		}
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
	if d.watch != nil {
		d.watch.value(x)
	}
	v, state, err := x.rule.EvalKnown(quantised{d})
	return v, err == nil && state != tutti.Unknown && v != nil
}

// spelled is eval for what is surely a text, until the next one; false says nothing.
func (d *decider) spelled(x *expression) ([]byte, bool) {
	if x.program != nil || d.watch != nil {
		return nil, false
	}
	text, ok := x.rule.AppendText(d.text[:0], quantised{d})
	d.text = text
	return text, ok
}

// evalText is eval for words: personal values are only looked at, they stay exact.
func (d *decider) evalText(x *expression) (any, bool) {
	if !x.personal {
		return d.eval(x)
	}
	if d.watch != nil {
		d.watch.value(x)
	}
	v, state, err := x.rule.EvalKnown(d)
	return v, err == nil && state != tutti.Unknown && v != nil
}

// bound fills the attributes that a program over resources reads.
func (d *decider) bound(x *expression) (tutti.Program, bool) {
	if d.watch != nil {
		d.watch.value(x)
	}
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
