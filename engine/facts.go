package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// builtIn are the attributes that every request has by itself. The config may declare one of
// these names to give it another purpose, sensitivity, step or precision; the type stays.
var builtIn = []tutti.Attribute{
	{Name: "visitor", Type: tutti.StringType, Description: "The proven visitor's id", Purpose: tutti.Necessary, Trust: tutti.TrustSigned, Sensitivity: tutti.Personal},
	{Name: "location", Type: tutti.PlaceType, Description: "Where the visitor is", Purpose: tutti.Personalization, Trust: tutti.TrustClient, Sensitivity: tutti.Segment, Precision: 6},
	{Name: "market", Type: tutti.StringType, Description: "The market to sell in", Purpose: tutti.Necessary, Trust: tutti.TrustClient, Sensitivity: tutti.Public},
	{Name: "currency", Type: tutti.StringType, Description: "ISO 4217", Purpose: tutti.Necessary, Trust: tutti.TrustClient, Sensitivity: tutti.Public},
	{Name: "locale", Type: tutti.StringType, Description: "The language of the answer", Purpose: tutti.Necessary, Trust: tutti.TrustClient, Sensitivity: tutti.Public},
	{Name: "channel", Type: tutti.StringType, Description: "The channel's name", Purpose: tutti.Necessary, Trust: tutti.TrustClient, Sensitivity: tutti.Public},
}

func isBuiltIn(name string) bool {
	return slices.ContainsFunc(builtIn, func(a tutti.Attribute) bool { return a.Name == name })
}

// computed is an expression over the visitor, the token's claims and attributes.
type computed struct {
	program tutti.Program
	reads   []string // attributes
}

// declareFacts compiles what the config says about attributes, enrichers and visitors.
func (e *Engine) declareFacts(n *notes) {
	e.declared = slices.Clone(e.cfg.Attributes)
	for _, b := range builtIn {
		i := slices.IndexFunc(e.declared, func(a tutti.Attribute) bool { return a.Name == b.Name })
		if i < 0 {
			e.declared = append(e.declared, b)
		} else if e.declared[i].Type != b.Type {
			n.wrong("attributes."+b.Name, fmt.Sprintf("“%s” is built in with the type %s.", b.Name, b.Type), "Write type: "+string(b.Type)+", or take another name.")
		}
	}
	for i := range e.declared {
		e.checkAttribute(&e.declared[i], n)
	}
	e.derived = map[string]*expr.Rule{}
	rules, err := expr.NewRules(e.declared, nil, nil)
	if err != nil {
		n.wrongError("attributes", err)
		return
	}
	for i := range e.declared {
		a := &e.declared[i]
		if a.Derive == "" {
			continue
		}
		if rule, err := rules.Compile(a.Derive, a.Type); err != nil {
			n.wrongError("attributes."+a.Name+".derive", err)
		} else {
			e.derived[a.Name] = rule
		}
	}
	for _, name := range sortedKeys(e.derived) {
		if loop := e.derivedFrom(name, name, nil); loop != nil {
			n.wrong("attributes."+name+".derive", "It is derived from itself: "+strings.Join(loop, " → ")+".", "Take it out of one of these.")
			break
		}
	}
	e.compileEnrichers(n)
	e.compileVisitors(n)
	e.findMoving()
}

func (e *Engine) checkAttribute(a *tutti.Attribute, n *notes) {
	path := "attributes." + a.Name
	for _, part := range strings.Split(a.Name, ".") {
		if !tutti.IsName(part) || strings.Contains(part, "-") {
			n.wrong(path, fmt.Sprintf("“%s” is no name of an attribute.", a.Name), "Write letters, digits and _, joined by dots: stay.checkIn.")
			return
		}
	}
	if root, _, _ := strings.Cut(a.Name, "."); slices.Contains([]string{"audience", "params", "props", "item", "path", "claims"}, root) {
		n.wrong(path, fmt.Sprintf("“%s” has a meaning of its own in expressions.", root), "Take another name.")
	}
	for i := range e.declared {
		if strings.HasPrefix(e.declared[i].Name, a.Name+".") {
			n.wrong(path, fmt.Sprintf("“%s” is also the beginning of “%s”.", a.Name, e.declared[i].Name), "Rename one of them.")
		}
	}
	e.attributes[a.Name] = a
}

// derivedFrom gives the way by which an attribute is derived from itself; nil when it is not.
func (e *Engine) derivedFrom(goal, name string, way []string) []string {
	way = append(way, name)
	for _, r := range e.reads(name) {
		if r == goal {
			return append(way, r)
		}
		if e.derived[r] != nil && !slices.Contains(way, r) {
			if loop := e.derivedFrom(goal, r, way); loop != nil {
				return loop
			}
		}
	}
	return nil
}

// reads are the attributes that a derived one is made of.
func (e *Engine) reads(name string) []string {
	if r := e.derived[name]; r != nil {
		return r.Reads()
	}
	return nil
}

func (e *Engine) compileEnrichers(n *notes) {
	e.enrichers = map[string]*computed{}
	for _, x := range e.cfg.Enrichers {
		if c := e.compute("enrichers."+x.Name+".ref", x.Ref, n); c != nil {
			e.enrichers[x.Name] = c
		}
	}
	for i := range e.declared {
		a := &e.declared[i]
		if a.Enricher == "" {
			continue
		}
		path := "attributes." + a.Name + ".enricher"
		if !slices.ContainsFunc(e.cfg.Enrichers, func(x tutti.Enricher) bool { return x.Name == a.Enricher }) {
			var names []string
			for _, x := range e.cfg.Enrichers {
				names = append(names, x.Name)
			}
			n.wrong(path, fmt.Sprintf("There is no enricher “%s”.", a.Enricher), expr.DidYouMean(a.Enricher, names))
		}
		if a.Field == "" {
			n.wrong(path, "It does not say which field of the record it is.", "Write, for example: field: checkIn")
		}
	}
}

// compileVisitors compiles how each source calls a visitor. What decides about ownership must
// not come from anybody who cannot prove it.
func (e *Engine) compileVisitors(n *notes) {
	e.visitors = map[string]*computed{}
	for _, source := range sortedKeys(e.cfg.SourceVisitors) {
		path := "sources." + source + ".visitor"
		c := e.compute(path, e.cfg.SourceVisitors[source], n)
		if c == nil {
			continue
		}
		for _, name := range c.reads {
			if !e.provable(name, 0) {
				n.wrong(path, fmt.Sprintf("Anybody may assert “%s”, so it cannot say who somebody is.", name), "Use visitor, claims, an attribute with trust signed or server, or a record that belongs to the visitor.")
			}
		}
		e.visitors[source] = c
	}
}

// provable reports whether an attribute can say who somebody is: it comes from a verified token
// or a server, or from a record that only its owner gets, or is made of such.
func (e *Engine) provable(name string, depth int) bool {
	a := e.attributes[name]
	if a == nil || depth > 8 {
		return false
	}
	all := func(reads []string) bool {
		return !slices.ContainsFunc(reads, func(r string) bool { return !e.provable(r, depth+1) })
	}
	switch {
	case a.Derive != "":
		return all(e.reads(name))
	case a.Param != "":
		return false // whoever asks chooses the param
	case a.Enricher != "":
		x := e.enrichers[a.Enricher]
		if x == nil {
			return false
		}
		if g := refStart.FindStringSubmatch("=" + x.program.String()); g != nil {
			source, kind, _ := strings.Cut(g[1], ":")
			if k, ok := e.sources.Kind(source, kind); ok && k.Access == tutti.AccessVisitor {
				return true
			}
		}
		return all(x.reads)
	}
	return a.Trust > tutti.TrustClient
}

// compute compiles an expression over visitor, claims and attributes.
func (e *Engine) compute(path, src string, n *notes) *computed {
	vars := []string{"visitor", "claims"}
	for i := range e.declared {
		root, _, _ := strings.Cut(e.declared[i].Name, ".")
		vars = append(vars, root)
	}
	d, err := e.dynamic(vars)
	if err != nil {
		n.wrongError(path, err)
		return nil
	}
	p, err := d.Compile(strings.TrimPrefix(src, "="))
	if err != nil {
		n.wrongError(path, err)
		return nil
	}
	c := &computed{program: p}
	for _, steps := range p.Paths() {
		switch steps[0] {
		case "visitor", "claims":
			continue
		}
		name := e.attributeAt(steps)
		if name == "" {
			whole := strings.Join(steps, ".")
			n.wrong(path, fmt.Sprintf("“%s” is not declared.", whole), expr.DidYouMean(whole, sortedKeys(e.attributes)))
			return nil
		}
		c.reads = append(c.reads, name)
	}
	return c
}

// attributeAt gives the declared attribute that a path reads; "" when there is none.
func (e *Engine) attributeAt(steps []string) string {
	for i := len(steps); i > 0; i-- {
		if name := strings.Join(steps[:i], "."); e.attributes[name] != nil {
			return name
		}
	}
	return ""
}

// nested makes facts by dotted name into what dynamic programs read: stay.checkIn → stay{checkIn}.
func nested(into map[string]any, name string, v any) {
	for {
		root, rest, deeper := strings.Cut(name, ".")
		if !deeper {
			into[name] = v
			return
		}
		m, ok := into[root].(map[string]any)
		if !ok {
			m = map[string]any{}
			into[root] = m
		}
		into, name = m, rest
	}
}

// typed makes a value into what an attribute's type promises; false when it cannot be.
func typed(t tutti.AttributeType, v any) (any, bool) {
	switch t {
	case tutti.StringType:
		switch t := v.(type) {
		case string:
			return v, true // as it is: in another box it would be copied
		case tutti.Ref:
			return t.String(), true
		case tutti.RichText:
			return t.Plain, true
		case int64, float64, bool:
			return formatValue(v), true
		}
	case tutti.BoolType:
		_, ok := v.(bool)
		return v, ok
	case tutti.IntType:
		if _, ok := v.(int64); ok {
			return v, true
		}
		return intValue(v)
	case tutti.DoubleType:
		if f, ok := v.(float64); ok {
			return v, !math.IsNaN(f) && !math.IsInf(f, 0)
		}
		return floatValue(v)
	case tutti.TimestampType:
		switch t := v.(type) {
		case time.Time:
			return v, true
		case string:
			at, err := time.Parse(time.RFC3339, t)
			return at, err == nil
		}
	case tutti.PlaceType:
		switch p := v.(type) {
		case tutti.Place:
			return v, p.Valid()
		case *tutti.Place:
			if p != nil {
				return *p, p.Valid()
			}
		case map[string]any:
			lat, ok := anyNumber(p["lat"])
			lon, ok2 := anyNumber(p["lon"])
			at := tutti.Place{Lat: lat, Lon: lon}
			return at, ok && ok2 && at.Valid()
		}
	case tutti.ListType:
		return stringList(v)
	}
	return nil, false
}

func intValue(v any) (any, bool) {
	i, ok := wholeNumber(v)
	return i, ok
}

func floatValue(v any) (any, bool) {
	if m, ok := v.(tutti.Money); ok {
		f, err := parseFloat(m.Amount)
		return f, err == nil
	}
	f, ok := anyNumber(v)
	return f, ok
}

func stringList(v any) (any, bool) {
	switch v := v.(type) {
	case []string:
		return v, true
	case []tutti.Ref:
		list := make([]string, len(v))
		for i, r := range v {
			list[i] = r.String()
		}
		return list, true
	case []any:
		list := make([]string, len(v))
		for i, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, false
			}
			list[i] = s
		}
		return list, true
	}
	return nil, false
}
