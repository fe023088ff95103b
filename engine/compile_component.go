package engine

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

func (c *compiling) compileComponent(path string, stored *tutti.CompositionComponent, slot *tutti.SlotDefinition, s *scope, depth int) *componentNode {
	if depth > maxDepth {
		c.wrong(path, fmt.Sprintf("Components are nested more than %d deep.", maxDepth), "Move it up.")
		return nil
	}
	if !tutti.IsName(stored.ID) {
		c.wrong(path+".id", fmt.Sprintf("“%s” is no id of a component.", short(stored.ID)), "Write a letter, then letters, digits, - or _. It stays the same across edits.")
	} else {
		c.claimID(stored.ID, path)
	}
	definition := c.componentType(path+".type", stored.Type, slot)
	if definition == nil {
		return nil
	}
	node := &componentNode{id: stored.ID, path: path, channels: c.checkChannels(path+".channels", stored.Channels)}
	inner := &scope{c: c, item: s.item, items: s.items}
	var eachPrivate bool
	if stored.Each != nil {
		if s.item {
			c.wrong(path+".each", "A repetition stands inside another one.", "Repeat only one of the two components.")
		}
		node.each, inner.items, eachPrivate = c.compileEach(path+".each", stored.Each, s)
		inner.item = true
	}
	node.baseline = c.compileBody(path, path, definition, stored.Props, nil, stored.Actions, inner)
	names := map[string]bool{}
	for i := range stored.Variants {
		node.variants = append(node.variants, c.compileVariant(path, i, &stored.Variants[i], stored, definition, slot, inner, names))
	}
	if stored.ShowWhen != "" {
		node.showWhen = c.compileShowWhen(path+".showWhen", stored.ShowWhen, node, inner, stored.Props)
	}
	for _, b := range node.bodies() {
		c.useKinds(path+".each", b, inner.items, stored.Each != nil, eachPrivate)
	}
	node.slots = c.compileSlots(stored.ID, path+".slots", stored.Slots, definition.Slots, inner, depth)
	return node
}

// bodies are the baseline's and those of all variants.
func (n *componentNode) bodies() []*body {
	list := []*body{n.baseline}
	for _, v := range n.variants {
		if v.body != nil && v.body != n.baseline {
			list = append(list, v.body)
		}
	}
	return list
}

// componentType finds a component type that the slot allows.
func (c *compiling) componentType(path, name string, slot *tutti.SlotDefinition) *tutti.ComponentType {
	t := c.engine.componentTypes[name]
	if t == nil {
		c.wrong(path, fmt.Sprintf("There is no component type “%s”.", short(name)), expr.DidYouMean(name, sortedKeys(c.engine.componentTypes)))
		return nil
	}
	if len(slot.Allowed) > 0 && !slices.Contains(slot.Allowed, name) {
		c.wrong(path, fmt.Sprintf("The slot “%s” takes no %s.", slot.Name, name), "It takes: "+strings.Join(slot.Allowed, ", ")+".")
	}
	return t
}

func (c *compiling) checkChannels(path string, choice *tutti.ChannelChoice) *tutti.ChannelChoice {
	if choice == nil {
		return nil
	}
	for _, list := range [][]string{choice.Only, choice.Except} {
		for _, name := range list {
			c.checkChannel(path, name)
		}
	}
	return choice
}

func (c *compiling) checkChannel(path, name string) {
	if _, ok := c.engine.channels[name]; !ok {
		c.wrong(path, fmt.Sprintf("There is no channel “%s”.", short(name)), expr.DidYouMean(name, c.engine.channelNames()))
	}
}

func (c *compiling) checkLocale(path, name string) {
	if c.engine.chains[strings.ToLower(name)] == nil {
		c.wrong(path, fmt.Sprintf("There is no locale “%s”.", short(name)), expr.DidYouMean(name, c.engine.cfg.Locales.Names))
	}
}

func (c *compiling) compileVariant(path string, i int, v *tutti.Variant, base *tutti.CompositionComponent, definition *tutti.ComponentType, slot *tutti.SlotDefinition, s *scope, names map[string]bool) variant {
	at := c.variantPath(path, i, v.Name, names)
	out := variant{name: v.Name, hide: v.Hide, when: c.compileCondition(at, v.Rule, v.Windows)}
	if v.Hide {
		if len(v.Props) > 0 || v.Type != "" || len(v.Actions) > 0 {
			c.wrong(at, "A hidden variant has no type, props or actions.", "Leave out hide, or the rest.")
		}
		return out
	}
	actions, actionPath := base.Actions, path
	if v.Actions != nil {
		actions, actionPath = v.Actions, at
	}
	if v.Type != "" && v.Type != definition.Name {
		other := c.componentType(at+".type", v.Type, slot)
		if other == nil {
			return out
		}
		out.body = c.compileBody(at, actionPath, other, v.Props, nil, actions, s)
		return out
	}
	out.body = c.compileBody(at, actionPath, definition, v.Props, base.Props, actions, s)
	return out
}

// compileBody compiles props over those of a baseline, and actions.
func (c *compiling) compileBody(path, actionPath string, t *tutti.ComponentType, props, baseline map[string]tutti.Prop, actions []tutti.CompositionAction, s *scope) *body {
	all := maps.Clone(baseline)
	if all == nil {
		all = map[string]tutti.Prop{}
	}
	maps.Copy(all, props)
	inner := &scope{c: c, item: s.item, items: s.items, props: c.propScopes(t, all, s)}
	b := &body{definition: t}
	for _, name := range sortedKeys(props) {
		if _, ok := t.Prop(name); !ok {
			var names []string
			for _, p := range t.Props {
				names = append(names, p.Name)
			}
			c.wrong(path+".props."+name, fmt.Sprintf("%s has no prop “%s”.", t.Name, short(name)), expr.DidYouMean(name, names))
		}
	}
	for _, d := range t.Props {
		p, given := all[d.Name]
		if !given {
			if d.Required {
				c.wrong(path+".props."+d.Name, fmt.Sprintf("%s needs the prop “%s”.", t.Name, d.Name), fmt.Sprintf("Write, for example: %s: %s", d.Name, exampleOf(d.Type)))
			}
			continue
		}
		at := path
		if _, own := props[d.Name]; !own && baseline != nil {
			at = path[:strings.LastIndex(path, ".variants[")] // the baseline's place: noted there already
		}
		b.props = append(b.props, propNode{definition: d, choice: inner.choice(at+".props."+d.Name, &d, p, b)})
	}
	for i := range actions {
		b.actions = append(b.actions, inner.action(fmt.Sprintf("%s.actions[%d]", actionPath, i), &actions[i], b))
	}
	return b
}

func exampleOf(t tutti.PropType) string {
	switch t {
	case tutti.PropResource:
		return "{ref: 'dam:asset/…'}"
	case tutti.PropResources:
		return "{refs: ['dam:asset/…']}"
	case tutti.PropInt, tutti.PropFloat:
		return "1"
	case tutti.PropBoolean:
		return "true"
	case tutti.PropMoney:
		return "{value: {amount: '9.90', currency: EUR}}"
	case tutti.PropDateTime:
		return "'2026-12-01T00:00:00Z'"
	}
	return "{text: {en: …}}"
}

// propScopes says what expressions may know of the props of a component.
func (c *compiling) propScopes(t *tutti.ComponentType, props map[string]tutti.Prop, s *scope) map[string]propScope {
	out := map[string]propScope{}
	for _, d := range t.Props {
		p, given := props[d.Name]
		if !given {
			continue
		}
		ps := propScope{resource: d.Type == tutti.PropResource || d.Type == tutti.PropResources}
		if ps.resource {
			ps.kinds = c.kindsOfProp(&p, s)
			ps.param = paramOfProp(&p)
		}
		out[d.Name] = ps
	}
	return out
}

// kindsOfProp gives the kinds of a prop's resources; none = not known.
func (c *compiling) kindsOfProp(p *tutti.Prop, s *scope) []*tutti.Kind {
	if len(p.Channels)+len(p.Locales)+len(p.Fallback) > 0 {
		return nil
	}
	switch {
	case p.Select != nil:
		return c.kindsNamed([]string{p.Select.Source + ":" + p.Select.Kind})
	case p.Ref != "":
		return c.kindsOfRef(p.Ref, s)
	case p.Bind != "" && !strings.Contains(p.Bind, "."):
		return s.kindsOf(p.Bind)
	}
	return nil
}

func paramOfProp(p *tutti.Prop) string {
	if name, ok := strings.CutPrefix(strings.ReplaceAll(p.Ref, " ", ""), "=params."); ok {
		return name
	}
	if p.Bind != "" && !strings.Contains(p.Bind, ".") {
		return p.Bind
	}
	return ""
}

var refStart = regexp.MustCompile(`^=\s*['"]([A-Za-z][\w-]*:[A-Za-z][\w-]*)/`)

// kindsOfRef gives the kinds that a stored ref can be of; none = not known.
func (c *compiling) kindsOfRef(ref string, s *scope) []*tutti.Kind {
	src, computed := strings.CutPrefix(ref, "=")
	if !computed {
		if r, err := tutti.ParseRef(ref); err == nil {
			return c.kindsNamed([]string{r.Source + ":" + r.Kind})
		}
		return nil
	}
	if g := refStart.FindStringSubmatch(ref); g != nil {
		return c.kindsNamed([]string{g[1]})
	}
	src = strings.TrimSpace(src)
	if name, ok := strings.CutPrefix(src, "params."); ok {
		if p := c.param(name); p != nil {
			return c.kindsNamed(p.Kinds)
		}
	}
	if src == "item" || src == "item.ref" {
		return s.items
	}
	return nil
}

// useKinds notes what kinds a body is made of: who may get it, and what it depends on. Kinds
// that are not known can be any.
func (c *compiling) useKinds(path string, b *body, kinds []*tutti.Kind, used, private bool) {
	b.private = b.private || private
	if !used {
		return
	}
	if len(kinds) == 0 {
		b.allDims, c.anyOwner = true, true
	}
	for _, k := range kinds {
		switch k.Access {
		case tutti.AccessVisitor:
			b.private = true
			c.ownerSources[k.Source] = true
			if _, ok := c.engine.visitors[k.Source]; !ok {
				c.warn(path, fmt.Sprintf("%s:%s belongs to visitors, but the source does not say how it calls them: nobody will get it.", k.Source, k.Name), "Write visitor: … for the source in tutti.yaml.")
			}
		case tutti.AccessPublic:
		default:
			c.wrong(path, fmt.Sprintf("%s:%s is internal: it is never delivered.", k.Source, k.Name), "Use a declared attribute of it in a rule, or another kind.")
		}
		for _, d := range k.Dimensions {
			if !slices.Contains(b.dims, d) {
				b.dims = append(b.dims, d)
			}
		}
		for _, t := range k.Fields {
			b.allDims = b.allDims || t == tutti.FieldRef || t == tutti.FieldRefs
		}
	}
	slices.Sort(b.dims)
}

// compileShowWhen compiles a condition over the component's resources.
func (c *compiling) compileShowWhen(path, src string, node *componentNode, s *scope, props map[string]tutti.Prop) *expression {
	inner := &scope{c: c, item: s.item, items: s.items, props: c.propScopes(node.baseline.definition, props, s)}
	x, err := inner.tryExpression(src, tutti.BoolType)
	if err != nil {
		c.wrongError(path, err)
		return nil
	}
	for _, name := range x.reads {
		if !strings.HasPrefix(name, "params.") {
			c.wrong(path, fmt.Sprintf("“%s” is no field of a resource.", name), "Attributes and audiences stand in the rules of variants.")
			return nil
		}
	}
	if x.rule != nil { // over params alone: Shape evaluates all the same
		d, err := c.engine.dynamic([]string{"params"})
		if err == nil {
			x.program, err = d.Compile(src)
		}
		if err != nil {
			c.wrongError(path, err)
			return nil
		}
		x.rule = nil
	}
	for _, b := range node.bodies() {
		c.useProgram(path, b, x.program, inner)
	}
	return x
}

// useProgram notes the kinds of all resources that a program reads.
func (c *compiling) useProgram(path string, b *body, p tutti.Program, s *scope) {
	b.reach.params(s, p.Paths())
	for _, steps := range p.Paths() {
		root := steps[0]
		switch param := c.param(root); {
		case root == "item":
			b.reach.note(s.items, steps[1:]...)
		case root == "params" && len(steps) > 2:
			c.useKinds(path, b, s.kindsOf(steps[1]), true, false)
		case root == "props" && len(steps) > 1:
			if p := s.props[steps[1]]; p.resource && len(p.kinds) > 0 {
				c.useKinds(path, b, p.kinds, true, false)
			}
		case param != nil && param.Type == "ref":
			c.useKinds(path, b, s.kindsOf(root), true, false)
		}
	}
}
