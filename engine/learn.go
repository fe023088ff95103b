package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// learnBudget is how long finding facts out may take. What is not there by then is unknown.
const learnBudget = 300 * time.Millisecond

// maxLearnWaves bounds how often one record may lead to the next.
const maxLearnWaves = 3

// Learn finds out the attributes that this composition reads, and no others: what the request,
// the visitor token and the channel say, facts of ref params, records of enrichers, and what is
// derived from these. Without consent for its purpose an attribute stays unknown and is Withheld;
// so does what is made of it alone. A composition that reads nothing from an origin does no I/O.
//
// What cannot be had within 300 ms is unknown, with a Problem. A record that belongs to somebody
// else reads exactly as one that does not exist. Facts are exact; a plan gets them quantised.
func (e *Engine) Learn(ctx context.Context, c *Compiled, params tutti.Params, v tutti.Context) (tutti.Facts, []tutti.Problem) {
	l := &learner{e: e, c: c, params: params, v: v, needed: map[string]bool{}, tried: map[string]bool{}}
	l.facts = tutti.Facts{Values: map[string]any{}, Withheld: map[string]tutti.Purpose{}}
	if v.Visitor != "" {
		l.facts.Owner = tutti.Owner{Visitor: v.Visitor, InSource: map[string]string{}}
	}
	l.need(c.reads)
	for _, source := range c.owners {
		l.needVisitor(source)
	}
	l.given()
	l.derive()
	var nameless []*ask
	for wave := 0; wave < maxLearnWaves; wave++ {
		var asks []*ask
		if asks, nameless = l.asks(); len(asks) == 0 {
			break
		}
		if wave == 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, learnBudget)
			defer cancel()
		}
		l.fetch(ctx, asks)
		l.derive()
	}
	for _, k := range nameless {
		l.tell(k, tutti.NotFound)
	}
	for _, source := range c.owners {
		l.nameIn(source)
	}
	l.withholdMade()
	return l.facts, l.problems
}

// learner is the state of learning the facts of one request.
type learner struct {
	e        *Engine
	c        *Compiled
	params   tutti.Params
	v        tutti.Context
	needed   map[string]bool // attributes, those that others are made of included
	sources  []string        // whose name of the visitor is needed, also for enrichers
	tried    map[string]bool // refs that were asked for
	facts    tutti.Facts
	problems []tutti.Problem
}

// need notes attributes and everything that they are made of.
func (l *learner) need(names []string) {
	for _, name := range names {
		if l.needed[name] || l.e.attributes[name] == nil {
			continue
		}
		l.needed[name] = true
		a := l.e.attributes[name]
		switch {
		case a.Derive != "":
			l.need(l.e.reads(name))
		case a.Enricher != "":
			if x := l.e.enrichers[a.Enricher]; x != nil {
				l.need(x.reads)
			}
		}
	}
}

// needVisitor notes what a source's name of the visitor is made of.
func (l *learner) needVisitor(source string) {
	if x := l.e.visitors[source]; x != nil && !slices.Contains(l.sources, source) {
		l.sources = append(l.sources, source)
		l.need(x.reads)
	}
}

// given takes what the request, the token and the channel say; consent comes first.
func (l *learner) given() {
	for _, name := range sortedKeys(l.needed) {
		a := l.e.attributes[name]
		if !l.v.Consent.Given(a.Purpose) {
			l.facts.Withheld[name] = a.Purpose
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
	names := sortedKeys(l.needed)
	for again := true; again; {
		again = false
		for _, name := range names {
			rule := l.e.derived[name]
			if rule == nil || l.facts.Withheld[name] != "" {
				continue
			}
			if _, known := l.facts.Values[name]; known {
				continue
			}
			v, state, err := rule.EvalKnown(l)
			if err != nil || state == tutti.Unknown || v == nil {
				continue
			}
			l.set(l.e.attributes[name], v)
			_, known := l.facts.Values[name]
			again = again || known
		}
	}
}

// ask is one record to read, and what is wanted of it.
type ask struct {
	ref        tutti.Ref
	path       string // for Problems
	telling    bool   // the ref may be told: it came as a param, not from a fact
	attributes []*tutti.Attribute
}

// asks are the records that are not read yet and whose refs are known now, in a fixed order;
// nameless are those that must wait until their source's name of the visitor is known.
func (l *learner) asks() (ready, nameless []*ask) {
	byPath := map[string]*ask{}
	for _, name := range sortedKeys(l.needed) {
		a := l.e.attributes[name]
		if _, known := l.facts.Values[name]; known || l.facts.Withheld[name] != "" {
			continue
		}
		switch {
		case a.Param != "":
			if ref, ok := l.params[a.Param].(tutti.Ref); ok {
				want(byPath, "params."+a.Param, ref, true, a)
			}
		case a.Enricher != "":
			if ref, ok := l.enricherRef(a.Enricher); ok {
				want(byPath, "context."+a.Enricher, ref, false, a)
			}
		}
	}
	for _, path := range sortedKeys(byPath) {
		k := byPath[path]
		tried := path + " " + k.ref.String()
		if l.tried[tried] {
			continue
		}
		kind, ok := l.e.sources.Kind(k.ref.Source, k.ref.Kind)
		switch {
		case !ok:
			l.tell(k, tutti.UnknownSource)
		case kind.Access == tutti.AccessVisitor && !l.named(kind.Source):
			nameless = append(nameless, k)
			continue
		default:
			ready = append(ready, k)
		}
		l.tried[tried] = true
	}
	return ready, nameless
}

// named reports whether the source's name of the proven visitor is known. Without one, what
// belongs to visitors is not even asked for.
func (l *learner) named(source string) bool {
	if l.facts.Owner.Visitor == "" {
		return false
	}
	if !slices.Contains(l.sources, source) {
		l.needVisitor(source)
		l.given() // the name may be made of attributes that nothing else reads
		l.derive()
	}
	l.nameIn(source)
	return l.facts.Owner.InSource[source] != ""
}

func want(asks map[string]*ask, path string, ref tutti.Ref, telling bool, a *tutti.Attribute) {
	k := asks[path]
	if k == nil {
		k = &ask{ref: ref, path: path, telling: telling}
		asks[path] = k
	}
	k.attributes = append(k.attributes, a)
}

// enricherRef works out which record an enricher reads; false while a part of it is unknown.
func (l *learner) enricherRef(name string) (tutti.Ref, bool) {
	x := l.e.enrichers[name]
	if x == nil {
		return tutti.Ref{}, false
	}
	v, ok := l.compute(x)
	s, isText := v.(string)
	if !ok || !isText {
		return tutti.Ref{}, false
	}
	ref, err := tutti.ParseRef(s)
	return ref, err == nil
}

// compute evaluates an expression over the visitor, the token's claims and what is known.
func (l *learner) compute(x *computed) (any, bool) {
	vars := map[string]any{"claims": map[string]any{}}
	if l.v.Claims != nil {
		vars["claims"] = l.v.Claims
	}
	if l.v.Visitor != "" {
		vars["visitor"] = l.v.Visitor
	}
	for _, name := range x.reads {
		v, ok := l.facts.Values[name]
		if !ok {
			if v, ok = l.ResolveName(name); !ok {
				continue // absent: evaluating fails when it matters
			}
		}
		nested(vars, name, v)
	}
	v, err := x.program.Eval(vars)
	return v, err == nil && v != nil
}

// nameIn works out how a source calls the proven visitor.
func (l *learner) nameIn(source string) {
	x := l.e.visitors[source]
	if x == nil || l.facts.Owner.Visitor == "" || l.facts.Owner.InSource[source] != "" {
		return
	}
	if v, ok := l.compute(x); ok {
		if name := formatValue(v); name != "" {
			l.facts.Owner.InSource[source] = name
		}
	}
}

// fetch reads records in one go and takes their facts.
func (l *learner) fetch(ctx context.Context, asks []*ask) {
	var refs []tutti.Ref
	at := map[tutti.Ref]int{}
	for _, k := range asks {
		if _, twice := at[k.ref]; !twice {
			at[k.ref] = len(refs)
			refs = append(refs, k.ref)
		}
	}
	got := l.e.sources.Get(ctx, refs, l.e.scopeOf(l.v))
	for _, k := range asks {
		g := tutti.Got{Err: tutti.Timeout}
		if i := at[k.ref]; i < len(got) {
			g = got[i]
		}
		l.take(ctx, k, g)
	}
}

func (l *learner) take(ctx context.Context, k *ask, g tutti.Got) {
	if g.Resource == nil {
		code := tutti.CodeOf(g.Err)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && code != tutti.NotFound {
			code = tutti.Timeout
		}
		if code == "" {
			code = tutti.NotFound
		}
		l.tell(k, code)
		return
	}
	kind, _ := l.e.sources.Kind(k.ref.Source, k.ref.Kind)
	if kind == nil || kind.Access == tutti.AccessVisitor && !mayHave(kind, g.Resource, l.facts.Owner) {
		l.tell(k, tutti.NotFound)
		return
	}
	for _, a := range k.attributes {
		if v, ok := fieldAt(g.Resource, a.Field); ok {
			l.set(a, v)
		}
	}
}

// fieldAt follows a path of names into a record.
func fieldAt(r *tutti.Resource, path string) (any, bool) {
	steps := strings.Split(path, ".")
	v, ok := r.Fields[steps[0]]
	if !ok && steps[0] == "id" {
		v, ok = r.Ref.ID, true
	}
	for _, name := range steps[1:] {
		if !ok {
			return nil, false
		}
		switch m := v.(type) {
		case map[string]any:
			v, ok = m[name]
		case tutti.Place:
			v, ok = map[string]float64{"lat": m.Lat, "lon": m.Lon}[name], name == "lat" || name == "lon"
		case tutti.Money:
			v, ok = map[string]string{"amount": m.Amount, "currency": m.Currency}[name], name == "amount" || name == "currency"
		default:
			return nil, false
		}
	}
	return v, ok
}

// tell notes that a record did not come. Who asserted it learns no more than that.
func (l *learner) tell(k *ask, code tutti.Code) {
	ref := tutti.Ref{}
	if k.telling {
		ref = k.ref
	}
	p := lack(k.path, ref, k.ref.Source, code, false)
	if !slices.Contains(l.problems, p) {
		l.problems = append(l.problems, p)
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
	for _, name := range sortedKeys(l.needed) {
		if p := purpose(name); p != "" {
			l.facts.Withheld[name] = p
		}
	}
}
