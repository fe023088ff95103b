package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// migrations are those of one component type, ready to be used.
type migrations struct {
	of     *tutti.ComponentType
	splits map[string]tutti.Program // by the expression's source
}

// compileMigrations checks what only the engine can: that splits are expressions over value, and
// that defaults are values of their props.
func compileMigrations(types []tutti.ComponentType, n *notes) map[string]*migrations {
	all := map[string]*migrations{}
	value, err := expr.NewDynamic("value")
	if err != nil {
		n.wrongError("componentTypes", err)
		return nil
	}
	for i := range types {
		t := &types[i]
		if len(t.Migrations) == 0 {
			continue
		}
		m := &migrations{of: t, splits: map[string]tutti.Program{}}
		for j := range t.Migrations {
			at := fmt.Sprintf("componentTypes.%s.migrations[%d]", t.Name, j)
			step := &t.Migrations[j]
			for _, old := range sortedKeys(step.Split) {
				for _, name := range sortedKeys(step.Split[old]) {
					src := step.Split[old][name]
					p, err := value.Compile(src)
					if err != nil {
						n.wrongError(at+".split."+old+"."+name, err)
						continue
					}
					m.splits[src] = p
				}
			}
			for _, name := range sortedKeys(step.Default) {
				if d, ok := t.Prop(name); ok && !fitsDefault(&d, step.Default[name]) {
					n.wrong(at+".default."+name, fmt.Sprintf("%s is no value for a prop of type %s.", short(string(step.Default[name])), d.Type), "")
				}
			}
		}
		all[t.Name] = m
	}
	return all
}

func fitsDefault(d *tutti.PropDefinition, raw json.RawMessage) bool {
	if _, ok := wordsByLocale(d, raw); ok {
		return true
	}
	if d.Type == tutti.PropResource || d.Type == tutti.PropResources {
		return false
	}
	v, err := expr.DecodeJSON(raw)
	if err != nil || v == nil {
		return false
	}
	_, ok := convert(d, v)
	return ok
}

// wordsByLocale reads a default that is written by locale.
func wordsByLocale(d *tutti.PropDefinition, raw json.RawMessage) (tutti.Text, bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) || !slices.Contains(allowedWays(d.Type), "text") {
		return nil, false
	}
	var words map[string]string
	return words, json.Unmarshal(raw, &words) == nil
}

// migrate brings a stored composition to the component types as they are now, in place: what was
// written for older versions of them is read as the migrations say. Each prop that is read
// otherwise than it is written gets a warning. What needs no migration stays as it is.
func (c *compiling) migrate() {
	if len(c.engine.migrations) > 0 {
		c.migrateSlots("slots", c.stored.Slots)
	}
}

func (c *compiling) migrateSlots(path string, slots []tutti.CompositionSlot) {
	for i := range slots {
		at := path + "." + slots[i].Name
		c.migrateComponents(at, slots[i].Components)
		for j := range slots[i].Variants {
			c.migrateComponents(fmt.Sprintf("%s.variants[%d]", at, j), slots[i].Variants[j].Components)
		}
	}
}

func (c *compiling) migrateComponents(path string, list []tutti.CompositionComponent) {
	for i := range list {
		stored, at := &list[i], fmt.Sprintf("%s[%d]", path, i)
		own := c.engine.migrations[stored.Type]
		if own != nil {
			stored.Props = c.migrateProps(at, own, stored.Props, true)
			stored.ShowWhen = c.renamedIn(own, stored.ShowWhen)
			stored.Actions = c.migrateActions(own, stored.Actions)
		}
		for j := range stored.Variants {
			v := &stored.Variants[j]
			m, whole := own, v.Type != "" && v.Type != stored.Type
			if whole {
				m = c.engine.migrations[v.Type]
			}
			if m != nil && !v.Hide {
				v.Props = c.migrateProps(fmt.Sprintf("%s.variants[%d]", at, j), m, v.Props, whole)
				v.Actions = c.migrateActions(m, v.Actions)
			}
		}
		c.migrateSlots(at+".slots", stored.Slots)
	}
}

// migrateProps takes props through all migrations of their component type. whole tells that they
// are all that the component has, so that defaults stand in for what is missing.
func (c *compiling) migrateProps(path string, m *migrations, props map[string]tutti.Prop, whole bool) map[string]tutti.Prop {
	for i := range m.of.Migrations {
		step := &m.of.Migrations[i]
		for _, old := range sortedKeys(step.Rename) {
			if p, ok := props[old]; ok {
				props = c.moved(path, m, step, props, old, map[string]tutti.Prop{step.Rename[old]: p})
			}
		}
		for _, old := range sortedKeys(step.Split) {
			if p, ok := props[old]; ok {
				props = c.moved(path, m, step, props, old, c.split(m, step.Split[old], p))
			}
		}
		for _, old := range step.Drop {
			if _, ok := props[old]; ok {
				props = c.moved(path, m, step, props, old, nil)
			}
		}
		for _, name := range sortedKeys(step.Default) {
			if _, given := props[name]; whole && !given {
				props = with(props, name, m.defaultOf(name, step.Default[name]))
			}
		}
	}
	names := m.renames()
	if len(names) == 0 {
		return props
	}
	for name, p := range props {
		props[name] = c.renamedProp(m, p)
	}
	return props
}

// moved puts new props in the place of an old one. One that is written already stays.
func (c *compiling) moved(path string, m *migrations, step *tutti.Migration, props map[string]tutti.Prop, old string, into map[string]tutti.Prop) map[string]tutti.Prop {
	hint := "It is not used any more."
	if len(into) > 0 {
		hint = "It is read as " + strings.Join(sortedKeys(into), " and ") + "; write that instead."
	}
	c.warn(path+".props."+old, fmt.Sprintf("%s has no prop “%s” since version %d.", m.of.Name, old, step.Version), hint)
	delete(props, old)
	for name, p := range into {
		if _, given := props[name]; !given {
			props[name] = p
		}
	}
	return props
}

func with(props map[string]tutti.Prop, name string, p tutti.Prop) map[string]tutti.Prop {
	if props == nil {
		props = map[string]tutti.Prop{}
	}
	props[name] = p
	return props
}

func (m *migrations) defaultOf(name string, raw json.RawMessage) tutti.Prop {
	if d, ok := m.of.Prop(name); ok {
		if words, byLocale := wordsByLocale(&d, raw); byLocale {
			return tutti.Prop{Text: words}
		}
	}
	return tutti.Prop{Value: raw}
}

// split takes a prop apart. What is constant is taken apart now; a binding or expression becomes
// an expression; what is only known in parts (words with ${…}, refs, selections) goes whole into
// the first part, in the order of the component type.
func (c *compiling) split(m *migrations, parts map[string]string, p tutti.Prop) map[string]tutti.Prop {
	out := map[string]tutti.Prop{}
	for name, src := range parts {
		if one, ok := c.part(m, src, p); ok {
			out[name] = one
		}
	}
	if len(out) == 0 && m.unsplittable(p) {
		for _, d := range m.of.Props {
			if _, isPart := parts[d.Name]; isPart {
				return map[string]tutti.Prop{d.Name: p}
			}
		}
	}
	return out
}

func (m *migrations) unsplittable(p tutti.Prop) bool {
	return p.Ref != "" || p.Refs != nil || p.Select != nil || slices.ContainsFunc(sortedKeys(p.Text), func(l string) bool { return strings.Contains(p.Text[l], "${") })
}

// part makes one part of a prop; false when there is none.
func (c *compiling) part(m *migrations, src string, p tutti.Prop) (out tutti.Prop, ok bool) {
	if m.unsplittable(p) {
		return out, false
	}
	switch {
	case len(p.Value) > 0:
		out.Value, ok = m.literal(src, p.Value)
	case p.Text != nil:
		for locale, words := range p.Text {
			if v, err := m.splits[src].Eval(map[string]any{"value": words}); err == nil {
				if s, isText := v.(string); isText {
					if out.Text == nil {
						out.Text = tutti.Text{}
					}
					out.Text[locale], ok = s, true
				}
			}
		}
	case p.Bind != "":
		out.Expr, ok = "["+c.resourcePath(p.Bind)+"].map(value, "+src+")[0]", true
	case p.Expr != "":
		out.Expr, ok = "["+p.Expr+"].map(value, "+src+")[0]", true
	}
	for _, f := range p.Fallback {
		if one, has := c.part(m, src, f); has {
			out.Fallback, ok = append(out.Fallback, one), true
		}
	}
	out.Channels, ok = c.partsOf(m, src, p.Channels, ok)
	out.Locales, ok = c.partsOf(m, src, p.Locales, ok)
	return out, ok
}

// resourcePath writes a binding as an expression: alone, hotel.tag could be an attribute.
func (c *compiling) resourcePath(bind string) string {
	switch root, _, _ := strings.Cut(bind, "."); {
	case root == "item":
		return bind
	case c.declared(root):
		return "params." + bind
	}
	return "props." + bind
}

func (c *compiling) partsOf(m *migrations, src string, among map[string]tutti.Prop, ok bool) (map[string]tutti.Prop, bool) {
	var out map[string]tutti.Prop
	for name, p := range among {
		if one, has := c.part(m, src, p); has {
			out, ok = with(out, name, one), true
		}
	}
	return out, ok
}

func (m *migrations) literal(src string, raw json.RawMessage) (json.RawMessage, bool) {
	v, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, false
	}
	if v, err = m.splits[src].Eval(map[string]any{"value": v}); err != nil || v == nil {
		return nil, false
	}
	b, err := json.Marshal(v)
	return b, err == nil
}

// renames are the names of props that expressions may still use, with what they are now.
func (m *migrations) renames() map[string]string {
	names := map[string]string{}
	for i := range m.of.Migrations {
		for old, name := range m.of.Migrations[i].Rename {
			for was, is := range names {
				if is == old {
					names[was] = name
				}
			}
			names[old] = name
		}
	}
	return names
}

func (c *compiling) renamedProp(m *migrations, p tutti.Prop) tutti.Prop {
	p.Bind, p.Expr, p.Ref = c.renamedIn(m, p.Bind), c.renamedIn(m, p.Expr), c.renamedRef(m, p.Ref)
	for i := range p.Refs {
		p.Refs[i] = c.renamedRef(m, p.Refs[i])
	}
	if p.Select != nil {
		for name, v := range p.Select.Filter {
			if s, ok := v.(string); ok {
				p.Select.Filter[name] = c.renamedRef(m, s)
			}
		}
	}
	p.Text = c.renamedText(m, p.Text)
	for _, list := range []map[string]tutti.Prop{p.Channels, p.Locales} {
		for name := range list {
			list[name] = c.renamedProp(m, list[name])
		}
	}
	for i := range p.Fallback {
		p.Fallback[i] = c.renamedProp(m, p.Fallback[i])
	}
	return p
}

// renamedRef gives what starts with '=' as an expression, and everything else as it is.
func (c *compiling) renamedRef(m *migrations, s string) string {
	if src, computed := strings.CutPrefix(s, "="); computed {
		return "=" + c.renamedIn(m, src)
	}
	return s
}

func (c *compiling) migrateActions(m *migrations, list []tutti.CompositionAction) []tutti.CompositionAction {
	for i := range list {
		a := &list[i]
		a.Label, a.Href, a.DeepLink = c.renamedText(m, a.Label), c.renamedHoles(m, a.Href), c.renamedHoles(m, a.DeepLink)
	}
	return list
}

func (c *compiling) renamedText(m *migrations, t tutti.Text) tutti.Text {
	for locale, words := range t {
		t[locale] = c.renamedHoles(m, words)
	}
	return t
}

var hole = regexp.MustCompile(`\$\{[^}]*\}`)

func (c *compiling) renamedHoles(m *migrations, words string) string {
	if !strings.Contains(words, "${") {
		return words
	}
	return hole.ReplaceAllStringFunc(words, func(h string) string { return "${" + c.renamedIn(m, h[2:len(h)-1]) + "}" })
}

// word is a string, or a name with what it is a field of.
var word = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*`)

// renamedIn gives an expression with the props that it names as they are called now: title.alt
// and props.title.alt. A param of the name counts before a prop, as in compiling.
func (c *compiling) renamedIn(m *migrations, src string) string {
	names := m.renames()
	if src == "" || len(names) == 0 {
		return src
	}
	var b strings.Builder
	end := 0
	for _, at := range word.FindAllStringIndex(src, -1) {
		before := strings.TrimRight(src[:at[0]], " \t\n")
		b.WriteString(src[end:at[0]])
		end = at[1]
		if w := src[at[0]:end]; w[0] == '"' || w[0] == '\'' || strings.HasSuffix(before, ".") {
			b.WriteString(w)
		} else {
			b.WriteString(c.renamedPath(names, w))
		}
	}
	return b.String() + src[end:]
}

func (c *compiling) renamedPath(names map[string]string, path string) string {
	steps := strings.Split(path, ".")
	at := 0
	if strings.TrimSpace(steps[0]) == "props" && len(steps) > 1 {
		at = 1
	}
	name := strings.TrimSpace(steps[at])
	if now, ok := names[name]; ok && (at == 1 || !c.declared(name)) {
		steps[at] = now
	}
	return strings.Join(steps, ".")
}

// declared reports whether a param has the name.
func (c *compiling) declared(name string) bool {
	is := func(p tutti.Param) bool { return p.Name == name }
	if t := c.engine.compositionTypes[c.stored.Type]; t != nil && slices.ContainsFunc(t.Params, is) {
		return true
	}
	return slices.ContainsFunc(c.stored.Params, is)
}
