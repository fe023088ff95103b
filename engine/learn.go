package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/tuttihq/tutti"
)

// maxLearnWaves bounds how often one record may lead to the next.
const maxLearnWaves = 3

// Learn finds out the attributes that this composition reads, and no others: what the request,
// the visitor token and the channel say, facts of ref params, records of enrichers, and what is
// derived from these. Without consent for its purpose an attribute stays unknown and is Withheld;
// so does what is made of it alone. A composition that reads nothing from an origin does no I/O.
//
// What cannot be had within its budget (300 ms) is unknown, with a Problem. A record that belongs to somebody
// else reads exactly as one that does not exist. Facts are exact; a plan gets them quantised.
func (e *Engine) Learn(ctx context.Context, c *Compiled, params tutti.Params, v tutti.Context) (tutti.Facts, []tutti.Problem) {
	l := e.learner(c, params, v)
	var nameless []*ask
	for wave := 0; wave < maxLearnWaves; wave++ {
		var asks []*ask
		if asks, nameless = l.asks(); len(asks) == 0 {
			break
		}
		if wave == 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, l.e.assembling.budgets.Learn)
			defer cancel()
		}
		l.fetch(ctx, asks)
		l.derive()
	}
	l.end(nameless)
	facts, problems := l.facts, l.problems
	if !c.needs.asking { // nobody else knows of it
		*l = learner{}
		learners.Put(l)
	}
	return facts, problems
}

var learners = sync.Pool{New: func() any { return &learner{} }}

// learner begins with what is known without asking anybody.
func (e *Engine) learner(c *Compiled, params tutti.Params, v tutti.Context) *learner {
	l := learners.Get().(*learner)
	*l = learner{e: e, c: c, params: params, v: v, needs: c.needs}
	l.facts = tutti.Facts{Values: make(map[string]any, len(c.needs.attributes))}
	if v.Visitor != "" {
		l.facts.Owner = tutti.Owner{Visitor: v.Visitor, InSource: map[string]string{}}
	}
	l.given()
	l.derive()
	return l
}

// end says what is lacking and what is withheld, when there is nothing left to ask for.
func (l *learner) end(nameless []*ask) {
	for _, k := range nameless {
		l.tell(k, tutti.NotFound)
	}
	for _, source := range l.c.owners {
		l.nameIn(source)
	}
	l.withholdMade()
}

// learner is the state of learning the facts of one request.
type learner struct {
	e        *Engine
	c        *Compiled
	params   tutti.Params
	v        tutti.Context
	needs    *needs
	tried    map[string]bool // refs that were asked for
	facts    tutti.Facts
	problems []tutti.Problem
}

// given takes what the request, the token and the channel say; consent comes first.
func (l *learner) given() {
	for _, a := range l.needs.attributes {
		name := a.Name
		if !l.v.Consent.Given(a.Purpose) {
			l.withhold(name, a.Purpose)
			continue
		}
		if a.Derive != "" || a.Param != "" || a.Enricher != "" {
			continue
		}
		v, ok := any(nil), false
		if a.Claim != "" {
			v, ok = l.v.Claims[a.Claim]
		}
		if !ok {
			v, ok = l.v.Attributes[name]
		}
		if !ok {
			v, ok = l.builtIn(name)
		}
		if ok {
			l.set(a, v)
		}
	}
}

func (l *learner) withhold(name string, p tutti.Purpose) {
	if l.facts.Withheld == nil {
		l.facts.Withheld = map[string]tutti.Purpose{}
	}
	l.facts.Withheld[name] = p
}

func (l *learner) builtIn(name string) (any, bool) {
	switch name {
	case "visitor":
		return l.v.Visitor, l.v.Visitor != ""
	case "location":
		if l.v.Location == nil {
			return nil, false
		}
		return *l.v.Location, true
	}
	return nil, false
}

// set notes a fact as its attribute's type has it; what does not fit stays unknown.
func (l *learner) set(a *tutti.Attribute, v any) {
	t, ok := typed(a.Type, v)
	if s, isText := t.(string); isText && len(a.Values) > 0 && !slices.Contains(a.Values, s) {
		ok = false
	}
	if ok {
		l.facts.Values[a.Name] = t
	}
}

// ResolveName gives what is known so far, for derived attributes.
func (l *learner) ResolveName(name string) (any, bool) {
	if v, ok := l.facts.Values[name]; ok {
		return v, true
	}
	if l.e.attributes[name] != nil && !isBuiltIn(name) {
		return nil, false
	}
	scope := l.e.scopeOf(l.v)
	switch name {
	case "market":
		return scope.Market, scope.Market != ""
	case "currency":
		return scope.Currency, scope.Currency != ""
	case "locale":
		return scope.Locale, scope.Locale != ""
	case "channel":
		return l.v.Channel, l.v.Channel != ""
	}
	return nil, false
}

// derive evaluates derived attributes until no more can be known. A derived one is worked out
// again when more is known: it may have been decidable without, never otherwise.
func (l *learner) derive() {
	for again := len(l.needs.derived) > 0; again; {
		again = false
		for _, d := range l.needs.derived {
			name := d.attribute.Name
			if l.facts.Withheld[name] != "" {
				continue
			}
			if _, known := l.facts.Values[name]; known {
				continue
			}
			v, state, err := d.rule.EvalKnown(l)
			if err != nil || state == tutti.Unknown || v == nil {
				continue
			}
			l.set(d.attribute, v)
			_, known := l.facts.Values[name]
			again = again || known
		}
	}
}

// withholdMade marks what is unknown only because something that it is made of is withheld.
func (l *learner) withholdMade() {
	if len(l.facts.Withheld) == 0 {
		return
	}
	var purpose func(name string) tutti.Purpose
	purpose = func(name string) tutti.Purpose {
		if p := l.facts.Withheld[name]; p != "" {
			return p
		}
		a := l.e.attributes[name]
		if _, known := l.facts.Values[name]; known || a == nil {
			return ""
		}
		var made []string
		if a.Derive != "" {
			made = l.e.reads(name)
		} else if x := l.e.enrichers[a.Enricher]; x != nil {
			made = x.reads
		}
		for _, r := range made {
			if p := purpose(r); p != "" {
				return p
			}
		}
		return ""
	}
	for _, a := range l.needs.attributes {
		if p := purpose(a.Name); p != "" {
			l.withhold(a.Name, p)
		}
	}
}
