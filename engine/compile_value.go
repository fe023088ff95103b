package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// choice compiles a prop with its fallbacks and what stands there for channels and locales.
func (s *scope) choice(path string, d *tutti.PropDefinition, p tutti.Prop, b *body) *choice {
	out := &choice{}
	empty := isEmptyProp(&p)
	if !empty {
		if v := s.value(path, d, &p, b); v != nil {
			out.values = append(out.values, v)
		}
	}
	for i := range p.Fallback {
		f := &p.Fallback[i]
		at := fmt.Sprintf("%s.fallback[%d]", path, i)
		if len(f.Fallback)+len(f.Channels)+len(f.Locales) > 0 {
			s.c.wrong(at, "A fallback has no fallbacks, channels or locales of its own.", "Put them into the prop itself.")
		}
		if v := s.value(at, d, f, b); v != nil {
			out.values = append(out.values, v)
		}
	}
	if empty && len(p.Fallback)+len(p.Channels)+len(p.Locales) == 0 {
		s.c.wrong(path, "The prop has no value.", fmt.Sprintf("Write, for example: %s: %s", d.Name, exampleOf(d.Type)))
	}
	for _, name := range sortedKeys(p.Channels) {
		s.c.checkChannel(path+".channels", name)
		if out.channels == nil {
			out.channels = map[string]*choice{}
		}
		other := p.Channels[name]
		if len(other.Channels) > 0 {
			s.c.wrong(path+".channels."+name, "A channel's value has no channels of its own.", "")
		}
		out.channels[name] = s.choice(path+".channels."+name, d, other, b)
	}
	for _, name := range sortedKeys(p.Locales) {
		s.c.checkLocale(path+".locales", name)
		if out.locales == nil {
			out.locales = map[string]*choice{}
		}
		other := p.Locales[name]
		if len(other.Channels)+len(other.Locales) > 0 {
			s.c.wrong(path+".locales."+name, "A locale's value has no channels or locales of its own.", "Put locales inside channels.")
		}
		out.locales[strings.ToLower(name)] = s.choice(path+".locales."+name, d, other, b)
	}
	return out
}

func isEmptyProp(p *tutti.Prop) bool { return len(waysOf(p)) == 0 }

// waysOf names the ways in which a prop says its value.
func waysOf(p *tutti.Prop) []string {
	var ways []string
	for _, w := range []struct {
		name string
		set  bool
	}{
		{"value", len(p.Value) > 0},
		{"text", p.Text != nil},
		{"bind", p.Bind != ""},
		{"ref", p.Ref != ""},
		{"refs", p.Refs != nil},
		{"select", p.Select != nil},
		{"expr", p.Expr != ""},
	} {
		if w.set {
			ways = append(ways, w.name)
		}
	}
	return ways
}

// allowedWays says how a prop of a type may say its value.
func allowedWays(t tutti.PropType) []string {
	switch t {
	case tutti.PropText, tutti.PropRichText, tutti.PropString, tutti.PropURL:
		return []string{"value", "text", "bind", "expr"}
	case tutti.PropResource:
		return []string{"ref", "bind", "expr"}
	case tutti.PropResources:
		return []string{"refs", "select", "bind", "expr"}
	}
	return []string{"value", "bind", "expr"}
}

// value compiles one value of a prop; nil when it is wrong, which is noted.
func (s *scope) value(path string, d *tutti.PropDefinition, p *tutti.Prop, b *body) valueNode {
	ways := waysOf(p)
	if len(ways) != 1 {
		if len(ways) == 0 {
			s.c.wrong(path, "It has no value.", "Write one of value, text, bind, ref, refs, select, expr.")
		} else {
			s.c.wrong(path, "It has more than one value: "+strings.Join(ways, ", ")+".", "Keep one; write the others as fallback.")
		}
		return nil
	}
	if allowed := allowedWays(d.Type); !slices.Contains(allowed, ways[0]) {
		hint := "Write " + strings.Join(allowed, ", ") + "."
		var literal string
		if ways[0] == "value" && json.Unmarshal(p.Value, &literal) == nil {
			if _, err := tutti.ParseRef(literal); err == nil && d.Type == tutti.PropResource {
				hint = fmt.Sprintf("Write %s: {ref: '%s'}", d.Name, literal)
			}
		}
		s.c.wrong(path, fmt.Sprintf("A prop of type %s takes no %s.", d.Type, ways[0]), hint)
		return nil
	}
	switch ways[0] {
	case "value":
		return s.literal(path, d, p.Value)
	case "text":
		w := s.words(path+".text", p.Text, inText)
		if w == nil {
			return nil
		}
		s.useWords(path, w, b)
		return w
	case "bind":
		return s.binding(path+".bind", d, p.Bind, b)
	case "ref":
		return s.ref(path+".ref", p.Ref, d, b)
	case "refs":
		return s.refs(path+".refs", p.Refs, d, b)
	case "select":
		return s.selection(path+".select", p.Select, d, b)
	}
	return s.computed(path+".expr", d, p.Expr, b)
}

// fixed is a value that is the same for everybody.
type fixed struct{ value tutti.Value }

// literal reads a constant as the prop's type wants it.
func (s *scope) literal(path string, d *tutti.PropDefinition, raw json.RawMessage) valueNode {
	v, err := expr.DecodeJSON(raw)
	if err != nil {
		s.c.wrongError(path, err)
		return nil
	}
	if v == nil {
		return fixed{}
	}
	out, ok := convert(d, v)
	if !ok {
		hint := "Write " + exampleOf(d.Type) + "."
		if len(d.Values) > 0 {
			hint = "Possible are: " + strings.Join(d.Values, ", ") + "."
			if word, isText := v.(string); isText {
				if n := expr.Nearest(word, d.Values); n != "" {
					hint = "Did you mean “" + n + "”?"
				}
			}
		}
		s.c.wrong(path, fmt.Sprintf("%s is no value for a prop of type %s.", short(string(raw)), d.Type), hint)
		return nil
	}
	if words, isText := out.(string); isText {
		if strings.Contains(words, "${") {
			s.c.warn(path, "A literal value stays as it is: ${…} is not filled in.", "Write text: … for words with values in them.")
		}
		out = text.StripHoles(words)
	}
	return fixed{tutti.Value{Kind: tutti.LiteralValue, Literal: out}}
}

// convert makes a value into the Go type of a prop; false when it does not fit.
func convert(d *tutti.PropDefinition, v any) (any, bool) {
	switch d.Type {
	case tutti.PropText, tutti.PropRichText, tutti.PropURL:
		s, ok := v.(string)
		return s, ok
	case tutti.PropString:
		s, ok := v.(string)
		return s, ok && (len(d.Values) == 0 || slices.Contains(d.Values, s))
	case tutti.PropInt:
		return intValue(v)
	case tutti.PropFloat:
		return floatValue(v)
	case tutti.PropBoolean:
		b, ok := v.(bool)
		return b, ok
	case tutti.PropDateTime:
		return typed(tutti.TimestampType, v)
	case tutti.PropPlace:
		return typed(tutti.PlaceType, v)
	case tutti.PropMoney:
		switch v := v.(type) {
		case tutti.Money:
			return v, true
		case map[string]any:
			amount, ok := v["amount"].(string)
			currency, ok2 := v["currency"].(string)
			_, err := parseFloat(amount)
			return tutti.Money{Amount: amount, Currency: currency}, ok && ok2 && err == nil && len(currency) == 3
		}
		return nil, false
	}
	return v, true
}

// paramRef is the resource of a ref param.
type paramRef struct {
	name string
	list bool
}

// refNode is a ref, fixed or computed.
type refNode struct {
	ref tutti.Ref
	x   *expression
}

func (s *scope) refNode(path, stored string, d *tutti.PropDefinition, b *body) *refNode {
	src, computed := strings.CutPrefix(stored, "=")
	if !computed {
		ref, err := tutti.ParseRef(stored)
		if err != nil {
			s.c.wrongError(path, err)
			return nil
		}
		kinds := s.c.kindsNamed([]string{ref.Source + ":" + ref.Kind})
		if len(kinds) == 0 {
			s.c.wrong(path, fmt.Sprintf("No source “%s” with a kind “%s” is configured.", ref.Source, ref.Kind), "")
			return nil
		}
		s.acceptKinds(path, d, kinds, b)
		b.reach.fix(ref, kinds)
		return &refNode{ref: ref}
	}
	x := s.expression(path, src, tutti.StringType)
	if x == nil {
		return nil
	}
	kinds := s.c.kindsOfRef(stored, s)
	s.acceptKinds(path, d, kinds, b)
	b.reach.note(kinds)
	if x.program != nil {
		s.c.useProgram(path, b, x.program, s)
	}
	return &refNode{x: x}
}

// acceptKinds refuses kinds that the prop does not take, and notes those it does.
func (s *scope) acceptKinds(path string, d *tutti.PropDefinition, kinds []*tutti.Kind, b *body) {
	s.c.useKinds(path, b, kinds, true, false)
	if d == nil || len(d.Accepts) == 0 {
		return
	}
	for _, k := range kinds {
		if !slices.Contains(d.Accepts, k.Type) {
			var names []string
			for _, t := range d.Accepts {
				names = append(names, string(t))
			}
			s.c.wrong(path, fmt.Sprintf("The prop “%s” takes no %s (%s:%s).", d.Name, k.Type, k.Source, k.Name), "It takes: "+strings.Join(names, ", ")+".")
		}
	}
}

type refsNode struct {
	refs []*refNode
	one  bool // a single ref, not a list
}

func (s *scope) ref(path, stored string, d *tutti.PropDefinition, b *body) valueNode {
	if r := s.refNode(path, stored, d, b); r != nil {
		return &refsNode{refs: []*refNode{r}, one: true}
	}
	return nil
}

func (s *scope) refs(path string, stored []string, d *tutti.PropDefinition, b *body) valueNode {
	out := &refsNode{}
	for i, r := range stored {
		n := s.refNode(fmt.Sprintf("%s[%d]", path, i), r, d, b)
		if n == nil {
			return nil
		}
		if n.x != nil && n.x.program != nil && len(stored) > 1 {
			s.c.wrong(fmt.Sprintf("%s[%d]", path, i), "A ref that is read from a resource stands alone.", "Use a binding, or one expression that gives the whole list.")
			return nil
		}
		out.refs = append(out.refs, n)
	}
	return out
}

// computedNode is a value computed from params and attributes, or by Shape from resources.
type computedNode struct {
	x          *expression
	definition tutti.PropDefinition
}

func (s *scope) computed(path string, d *tutti.PropDefinition, src string, b *body) valueNode {
	want := map[tutti.PropType]tutti.AttributeType{
		tutti.PropInt: tutti.IntType, tutti.PropFloat: tutti.DoubleType, tutti.PropBoolean: tutti.BoolType, tutti.PropDateTime: tutti.TimestampType, tutti.PropPlace: tutti.PlaceType,
		tutti.PropText: tutti.StringType, tutti.PropRichText: tutti.StringType, tutti.PropString: tutti.StringType, tutti.PropURL: tutti.StringType, tutti.PropResource: tutti.StringType,
	}[d.Type]
	x := s.expression(path, src, want)
	if x == nil {
		return nil
	}
	if x.program != nil {
		s.c.useProgram(path, b, x.program, s)
	}
	if d.Type == tutti.PropResource || d.Type == tutti.PropResources {
		kinds := s.c.kindsOfRef("="+src, s)
		s.acceptKinds(path, d, kinds, b)
		b.reach.note(kinds)
	}
	return &computedNode{x: x, definition: *d}
}

// instantNode is when an action expires.
func (s *scope) instant(path, stored string) valueNode {
	src, computed := strings.CutPrefix(stored, "=")
	if !computed {
		at, err := time.Parse(time.RFC3339, stored)
		if err != nil {
			s.c.wrong(path, fmt.Sprintf("“%s” is no instant.", short(stored)), "Write 2026-12-01T00:00:00Z, or = and an expression.")
			return nil
		}
		return fixed{tutti.Value{Kind: tutti.LiteralValue, Literal: at}}
	}
	x := s.expression(path, src, tutti.TimestampType)
	if x == nil {
		return nil
	}
	if x.rule == nil {
		s.c.wrong(path, "An instant is computed from params and attributes only.", "Declare an attribute for the field of the resource.")
		return nil
	}
	return &computedNode{x: x, definition: tutti.PropDefinition{Type: tutti.PropDateTime}}
}
