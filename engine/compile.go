package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// maxDepth is how deep components may be nested.
const maxDepth = 4

// Compile checks a stored composition against the config and prepares it for deciding. All
// problems come at once; with any, the Compiled is nil. Warnings tell what works but is probably
// not meant. No origin is called.
//
// name is what the document is stored under: its id, when it does not say one itself.
func (e *Engine) Compile(name string, body json.RawMessage, version int, audiences *Audiences) (*Compiled, []Problem, []Problem) {
	c := &compiling{engine: e, audiences: audiences, ids: map[string]string{}, readNames: map[string]bool{}, ownerSources: map[string]bool{}}
	if audiences == nil {
		c.audiences = &Audiences{}
	}
	out := c.compile(name, body, version)
	if len(c.problems) > 0 {
		return nil, c.problems, c.warnings
	}
	return out, nil, c.warnings
}

// compiling is the state of compiling one composition.
type compiling struct {
	notes
	engine       *Engine
	audiences    *Audiences
	stored       tutti.Composition
	params       []tutti.Param
	rules        *expr.Rules
	ids          map[string]string // id → path
	readNames    map[string]bool
	ownerSources map[string]bool
	holes        []*expression
	anyOwner     bool // a ref is computed: its source is not known yet
}

func (c *compiling) compile(name string, body json.RawMessage, version int) *Compiled {
	if !readStrict(body, &c.stored, &c.notes) {
		return nil
	}
	c.migrate()
	s := &c.stored
	if s.ID == "" {
		s.ID = name
	}
	if name != "" && s.ID != name {
		c.wrong("id", fmt.Sprintf("The composition is stored as “%s” and calls itself “%s”.", short(name), short(s.ID)), "Write id: "+name+", or leave it out.")
	}
	if !tutti.IsName(s.ID) {
		c.wrong("id", fmt.Sprintf("“%s” is no id of a composition.", short(s.ID)), "Write a letter, then letters, digits, - or _: hotel-arrival.")
	}
	kind := c.engine.compositionTypes[s.Type]
	if kind == nil {
		c.wrong("type", fmt.Sprintf("There is no composition type “%s”.", short(s.Type)), expr.DidYouMean(s.Type, sortedKeys(c.engine.compositionTypes)))
		return nil
	}
	out := &Compiled{ID: s.ID, Type: s.Type, Version: version, engine: c.engine, audiences: c.audiences, defaults: tutti.Params{}}
	c.compileParams(kind, out)
	var err error
	if c.rules, err = expr.NewRules(c.engine.declared, c.audiences.names, c.params); err != nil {
		c.wrongError("params", err)
		return nil
	}
	top := &scope{c: c}
	out.title = top.words("title", s.Title, inText)
	out.description = top.words("description", s.Description, inText)
	out.reach.words(top, out.title, out.description)
	out.slots = c.compileSlots("", "slots", s.Slots, kind.Slots, top, 0)
	out.routes = c.compileRoutes(s.Routes)
	out.params = c.params
	out.names = sortedKeys(c.readNames)
	out.reads = c.audiences.attributesOf(out.names)
	out.holes = c.holes
	out.owners = sortedKeys(c.ownerSources)
	if c.anyOwner {
		out.owners = sortedKeys(c.engine.visitors)
	}
	out.finish()
	return out
}

// compileParams joins the params of the type with the composition's own.
func (c *compiling) compileParams(kind *tutti.CompositionType, out *Compiled) {
	c.params = slices.Clone(kind.Params)
	for i, p := range c.stored.Params {
		path := fmt.Sprintf("params[%d]", i)
		if !tutti.IsName(p.Name) || strings.Contains(p.Name, "-") {
			c.wrong(path+".name", fmt.Sprintf("“%s” is no name of a param.", short(p.Name)), "Write a letter, then letters, digits or _.")
			continue
		}
		if slices.Contains([]string{"item", "props", "params", "audience", "path"}, p.Name) {
			c.wrong(path+".name", fmt.Sprintf("“%s” has a meaning of its own in expressions.", p.Name), "Take another name.")
			continue
		}
		if same := c.param(p.Name); same != nil {
			if same.Type != p.Type || slices.ContainsFunc(c.stored.Params[:i], func(o tutti.Param) bool { return o.Name == p.Name }) {
				c.wrong(path+".name", fmt.Sprintf("The param “%s” is declared twice.", p.Name), "")
			} else {
				*same = p
			}
			continue
		}
		c.params = append(c.params, p)
	}
	for i := range c.params {
		p := &c.params[i]
		path := "params." + p.Name
		if expr.ParamType(p.Type) == "" {
			c.wrong(path+".type", fmt.Sprintf("“%s” is no type of a param.", short(p.Type)), "Write string, int, float, boolean or ref.")
			p.Type = "string" // any known one: what reads it is not wrong besides
			p.Default = nil
			continue
		}
		if p.Type != "ref" && len(p.Kinds) > 0 {
			c.wrong(path+".kinds", "Only refs have kinds.", "Write type: ref, or leave kinds out.")
		}
		for j, k := range p.Kinds {
			if c.kindNamed(k) == nil {
				c.wrong(fmt.Sprintf("%s.kinds[%d]", path, j), fmt.Sprintf("No source has the kind “%s”.", short(k)), "Write source:kind, such as stay:hotel.")
			}
		}
		if len(p.Default) > 0 && string(p.Default) != "null" {
			v, err := expr.DecodeJSON(p.Default)
			if err == nil {
				v, err = c.engine.paramValue(p, v)
			}
			if err != nil {
				c.wrong(path+".default", "The default does not fit.", "Give "+describeParam(p)+".")
				continue
			}
			out.defaults[p.Name] = v
		}
	}
}

func (c *compiling) param(name string) *tutti.Param {
	for i := range c.params {
		if c.params[i].Name == name {
			return &c.params[i]
		}
	}
	return nil
}

func (c *compiling) paramNames() []string {
	var names []string
	for _, p := range c.params {
		names = append(names, p.Name)
	}
	return names
}

// kindNamed finds a kind by source:kind; nil when there is none.
func (c *compiling) kindNamed(name string) *tutti.Kind {
	source, kind, ok := strings.Cut(name, ":")
	if !ok {
		return nil
	}
	k, ok := c.engine.sources.Kind(source, kind)
	if !ok {
		return nil
	}
	return k
}

func (c *compiling) kindsNamed(names []string) []*tutti.Kind {
	var kinds []*tutti.Kind
	for _, n := range names {
		if k := c.kindNamed(n); k != nil {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// read notes what an expression reads.
func (c *compiling) read(names []string) {
	for _, n := range names {
		c.readNames[n] = true
	}
}

// personal reports whether an expression reads a personal attribute. The truth of an audience
// is shared by many.
func (c *compiling) personal(reads []string) bool {
	return slices.ContainsFunc(reads, func(n string) bool {
		a := c.engine.attributes[n]
		return a != nil && a.Sensitivity == tutti.Personal
	})
}

// nameAt gives the attribute or audience that a path reads; "" when there is none.
func (c *compiling) nameAt(steps []string) string {
	if steps[0] == "audience" && len(steps) > 1 && c.audiences.byName[steps[1]] != nil {
		return "audience." + steps[1]
	}
	return c.engine.attributeAt(steps)
}

// compileSlots checks slots against their definitions and compiles what is in them.
func (c *compiling) compileSlots(owner, path string, slots []tutti.CompositionSlot, defined []tutti.SlotDefinition, s *scope, depth int) []slotNode {
	var nodes []slotNode
	seen := map[string]bool{}
	for i := range slots {
		stored := &slots[i]
		at := path + "." + stored.Name
		d := slices.IndexFunc(defined, func(d tutti.SlotDefinition) bool { return d.Name == stored.Name })
		if d < 0 {
			var names []string
			for _, d := range defined {
				names = append(names, d.Name)
			}
			hint := expr.DidYouMean(stored.Name, names)
			if len(names) == 0 {
				hint = "It has no slots."
			}
			c.wrong(fmt.Sprintf("%s[%d].name", path, i), fmt.Sprintf("There is no slot “%s” here.", short(stored.Name)), hint)
			continue
		}
		if seen[stored.Name] {
			c.wrong(at, "The slot is there twice.", "Put all components into one.")
			continue
		}
		seen[stored.Name] = true
		node := slotNode{id: stored.ID, name: stored.Name}
		if node.id == "" {
			node.id = strings.TrimPrefix(owner+"/"+stored.Name, "/")
		}
		c.claimID(node.id, at)
		node.components = c.compileComponents(at, stored.Components, &defined[d], s, depth)
		names := map[string]bool{}
		for j := range stored.Variants {
			v := &stored.Variants[j]
			vpath := c.variantPath(at, j, v.Name, names)
			node.variants = append(node.variants, slotVariant{
				name: v.Name, when: c.compileCondition(vpath, v.Rule, v.Windows), components: c.compileComponents(vpath, v.Components, &defined[d], s, depth),
			})
		}
		nodes = append(nodes, node)
	}
	for _, d := range defined {
		if d.Min > 0 && !seen[d.Name] {
			c.wrong(path+"."+d.Name, fmt.Sprintf("The slot needs %s.", count(d.Min, "component")), "")
		}
	}
	for _, d := range defined {
		if !seen[d.Name] {
			nodes = append(nodes, slotNode{id: strings.TrimPrefix(owner+"/"+d.Name, "/"), name: d.Name})
		}
	}
	// Deliver in the order of the type, whatever the order in the document.
	slices.SortStableFunc(nodes, func(a, b slotNode) int { return slotOrder(defined, a.name) - slotOrder(defined, b.name) })
	return nodes
}

func slotOrder(defined []tutti.SlotDefinition, name string) int {
	return slices.IndexFunc(defined, func(d tutti.SlotDefinition) bool { return d.Name == name })
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c *compiling) compileComponents(path string, stored []tutti.CompositionComponent, d *tutti.SlotDefinition, s *scope, depth int) []*componentNode {
	if d.Max > 0 && len(stored) > d.Max {
		c.wrong(path, fmt.Sprintf("The slot takes %s at most, and here are %d.", count(d.Max, "component"), len(stored)), "")
	}
	if len(stored) < d.Min {
		c.wrong(path, fmt.Sprintf("The slot needs %s, and here are %d.", count(d.Min, "component"), len(stored)), "")
	}
	nodes := make([]*componentNode, 0, len(stored))
	for i := range stored {
		at := fmt.Sprintf("%s[%d]", path, i)
		if n := c.compileComponent(at, &stored[i], d, s, depth+1); n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// claimID notes an id, and its second use as wrong.
func (c *compiling) claimID(id, path string) {
	if first, twice := c.ids[id]; twice {
		c.wrong(path+".id", fmt.Sprintf("The id “%s” is used twice.", short(id)), "It stands at "+first+" too; ids are unique in a composition.")
		return
	}
	c.ids[id] = path
}

// variantPath gives the path of a variant and checks that its name is there and not used twice.
func (c *compiling) variantPath(path string, i int, name string, seen map[string]bool) string {
	at := fmt.Sprintf("%s.variants[%d]", path, i)
	switch {
	case !tutti.IsName(name):
		c.wrong(at+".name", fmt.Sprintf("“%s” is no name of a variant.", short(name)), "Write a letter, then letters, digits, - or _.")
	case seen[name]:
		c.wrong(at+".name", fmt.Sprintf("The variant “%s” is there twice.", name), "")
	}
	seen[name] = true
	return at
}
