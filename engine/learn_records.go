package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

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
	if !l.needs.asking {
		return nil, nil
	}
	byPath := map[string]*ask{}
	for _, a := range l.needs.attributes {
		name := a.Name
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
		if l.tried == nil {
			l.tried = map[string]bool{}
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
	if l.e.visitors[source] != nil && !slices.Contains(l.needs.sources, source) {
		l.needs = l.needs.with(l.e, source)
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
	var r records
	for _, k := range asks {
		r.want(k.ref)
	}
	r.get(ctx, l.e.sources, l.e.scopeOf(l.v))
	for _, k := range asks {
		l.take(ctx, k, r.of(k.ref))
	}
}

// records are what is read in one go, each once.
type records struct {
	refs []tutti.Ref
	at   map[tutti.Ref]int
	got  []tutti.Got
}

func (r *records) want(ref tutti.Ref) {
	if _, twice := r.at[ref]; twice {
		return
	}
	if r.at == nil {
		r.at = map[tutti.Ref]int{}
	}
	r.at[ref] = len(r.refs)
	r.refs = append(r.refs, ref)
}

func (r *records) get(ctx context.Context, sources Sources, scope tutti.Scope) {
	r.got = sources.Get(ctx, r.refs, scope)
}

// of gives what was said about a record that was wanted.
func (r *records) of(ref tutti.Ref) tutti.Got {
	if i, wanted := r.at[ref]; wanted && i < len(r.got) {
		return r.got[i]
	}
	return tutti.Got{Err: tutti.Timeout}
}

func (l *learner) take(ctx context.Context, k *ask, g tutti.Got) {
	l.facts.Basis.Add(g.Marks, g.Until, g.Freshness.State, g.Cached)
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
	v := r.Fields.Get(steps[0])
	ok := v != nil
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
