package engine

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

// Signature stands for the plan that Decide would make, without making it.
type Signature struct {
	Key   []byte    // two requests with one key have one plan; two plans have two keys
	Until time.Time // as Plan.Until
}

// Sign works out everything that the plan of a request depends on, and appends it to into:
// which variants are taken, and the values that go into them, quantised. It says nothing of
// anybody: personal values are not in it, only whether a text has them. ok is false where the
// plan is for one visitor alone; then only Decide tells. The input is that of Decide, and no
// preview. Pure, does no I/O, and allocates nothing once into is long enough.
//
// A signature counts in this process and for this compiled composition only.
func (c *Compiled) Sign(into []byte, params tutti.Params, v tutti.Context, f tutti.Facts) (s Signature, ok bool) {
	d := c.Deciding(params, v, f)
	defer d.End()
	return d.Sign(into)
}

func (d *decider) sign(into []byte) (s Signature, ok bool) {
	k, c := signer{decider: d, out: keyWriter{b: into}}, d.c
	k.out.b = binary.AppendUvarint(k.out.b, c.number)
	k.out.text(d.channel, d.locale, d.scope.Market, d.scope.Currency)
	for i := range c.params {
		v, given := d.params[c.params[i].Name]
		k.flag(given)
		if given {
			k.out.value(v)
		}
	}
	d.near(c.until)
	ok = k.inputs(&c.head) && k.slots(c.slots, nil)
	return Signature{Key: k.out.b, Until: d.until}, ok
}

// compositions numbers what was compiled, so that signatures of two are never the same.
var compositions atomic.Uint64

var deciders = sync.Pool{New: func() any { return &decider{} }}

// giveBack ends the use of a decider, and lets go of whom it was for.
func (d *decider) giveBack() {
	if d.rooms.told {
		d.rooms = planRoom{}
	}
	d.rooms.end()
	*d = decider{memo: d.memo[:0], key: d.key[:0], text: d.text[:0], chosen: d.chosen[:0], rooms: d.rooms}
	deciders.Put(d)
}

// signer writes a signature while it goes the way of Decide.
type signer struct {
	*decider
	out keyWriter
}

func (k *signer) flag(b bool) {
	if b {
		k.out.b = append(k.out.b, 1)
	} else {
		k.out.b = append(k.out.b, 0)
	}
}

func (k *signer) slots(nodes []slotNode, of *taken) bool {
	for i := range nodes {
		n := &nodes[i]
		if !of.has(n.name) {
			continue
		}
		components := n.components
		taken, _ := k.choose(n.id, n.number, n.alternatives, nil)
		if taken >= 0 {
			components = n.variants[taken].components
		}
		k.out.b = append(k.out.b, byte(taken+1))
		for _, c := range components {
			if !k.component(c) {
				return false
			}
		}
	}
	return true
}

func (k *signer) component(n *componentNode) bool {
	if n.excluded(k.channel) {
		return true
	}
	t, shown := k.take(n)
	k.flag(shown)
	if !shown {
		return true
	}
	k.out.b = append(k.out.b, byte(t.variant+1), t.number)
	return !t.body.private && k.inputs(&t.body.inputs) && k.actions(t.body.actions) && k.slots(n.slots, &t)
}

// inputs writes what a body's values are made of; false when they are one visitor's alone.
func (k *signer) inputs(in *inputs) bool {
	for _, x := range in.owning {
		if _, known := k.evalText(x); known {
			return false
		}
	}
	for _, name := range in.names {
		v, known := quantised{k.decider}.ResolveName(name)
		k.flag(known)
		if known {
			k.out.value(v)
		}
	}
	for _, x := range in.holes {
		v, known := k.evalText(x)
		k.flag(known && formatValue(v) != "")
	}
	return true
}

// actions writes which actions are there now.
func (k *signer) actions(nodes []actionNode) bool {
	for i := range nodes {
		there := k.holds(nodes[i].when)
		if there && nodes[i].expires != nil {
			v, ok := nodes[i].expires.decide(k.decider)
			if at, isTime := v.Literal.(time.Time); ok && isTime && !at.IsZero() {
				there = at.After(k.at)
				k.near(at)
			}
		}
		k.flag(there)
	}
	return true
}

// inputs are what the values of a body, or of a composition's head, are made of, in any channel
// and locale.
type inputs struct {
	names  []string      // attributes and audiences that go into the plan; personal ones never do
	holes  []*expression // personal values in texts: only whether they are there goes into the plan
	owning []*expression // personal values elsewhere: what they are part of is one visitor's
}

// take notes an expression; words says that it stands in a text.
func (in *inputs) take(x *expression, words bool) {
	switch {
	case x == nil:
	case x.personal && words:
		in.holes = append(in.holes, x)
	case x.personal:
		in.owning = append(in.owning, x)
	default:
		for _, name := range x.reads {
			if !strings.HasPrefix(name, "params.") && !slices.Contains(in.names, name) {
				in.names = append(in.names, name)
			}
		}
	}
}

func (in *inputs) words(w *words) {
	if w == nil {
		return
	}
	for _, locale := range sortedKeys(w.byLocale) {
		for _, p := range w.byLocale[locale] {
			in.take(p.x, true)
		}
	}
}

func (in *inputs) choice(c *choice) {
	for _, v := range c.values {
		v.inputs(in)
	}
	for _, name := range sortedKeys(c.channels) {
		in.choice(c.channels[name])
	}
	for _, name := range sortedKeys(c.locales) {
		in.choice(c.locales[name])
	}
}

func (fixed) inputs(*inputs)    {}
func (paramRef) inputs(*inputs) {}

func (n *refsNode) inputs(in *inputs) {
	for _, r := range n.refs {
		in.take(r.x, false)
	}
}

func (n *computedNode) inputs(in *inputs) { in.take(n.x, false) }

func (n *selectionNode) inputs(in *inputs) {
	for _, name := range sortedKeys(n.filter) {
		in.take(n.filter[name], false)
	}
	in.take(n.text, false)
}

func (w *words) inputs(in *inputs) { in.words(w) }

// finish notes what every part of the composition is made of and chosen from, once it is compiled.
func (c *Compiled) finish() {
	c.number = compositions.Add(1)
	c.needs = c.engine.needsOf(c.reads, c.owners)
	c.head.words(c.title)
	c.head.words(c.description)
	c.headMoves = c.moves(&c.head)
	var slots func([]slotNode)
	components := func(list []*componentNode) {
		for _, n := range list {
			for i := range n.variants {
				n.alternatives = append(n.alternatives, alternative{n.variants[i].name, &n.variants[i].when})
			}
			for _, b := range n.bodies() {
				b.noteInputs(n)
				b.noteMoves(c)
			}
			slots(n.slots)
		}
	}
	slots = func(list []slotNode) {
		for i := range list {
			components(list[i].components)
			for j := range list[i].variants {
				v := &list[i].variants[j]
				list[i].alternatives = append(list[i].alternatives, alternative{v.name, &v.when})
				components(v.components)
			}
		}
	}
	slots(c.slots)
	c.most = c.layOut(c.slots, "")
}

func (b *body) noteInputs(n *componentNode) {
	if b == nil {
		return
	}
	if n.each != nil {
		n.each.value.inputs(&b.inputs)
	}
	for i := range b.props {
		b.inputs.choice(b.props[i].choice)
	}
	for i := range b.actions {
		a := &b.actions[i]
		b.inputs.words(a.label)
		b.inputs.words(a.href)
		b.inputs.words(a.deepLink)
		if a.expires != nil {
			a.expires.inputs(&b.inputs)
		}
	}
}
