package engine

import (
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// size is how much a plan holds at most.
type size struct{ slots, components, props, values, refs int }

func (s *size) add(o size) {
	s.slots += o.slots
	s.components += o.components
	s.props += o.props
	s.values += o.values
	s.refs += o.refs
}

func (s *size) or(o size) {
	s.slots, s.components = max(s.slots, o.slots), max(s.components, o.components)
	s.props, s.values, s.refs = max(s.props, o.props), max(s.values, o.values), max(s.refs, o.refs)
}

// spot is where something stands in a plan where everything before it is there too, so that its path
// need not be written each time.
type spot struct {
	above string // the path that it stands under
	at    int    // of a component in its slot
	path  string
}

// path is where the slot of the component at a path stands.
func (n *slotNode) path(above string) string {
	if above == n.spot.above {
		return n.spot.path
	}
	return slotPath(above, n.name)
}

func slotPath(above, name string) string {
	if above == "" {
		return "slots." + name
	}
	return above + ".slots." + name
}

// at is where the component stands as the one with a number in a slot.
func (n *componentNode) at(slot string, number int) string {
	if slot == n.spot.above && number == n.spot.at {
		return n.spot.path
	}
	return componentPath(slot, number)
}

func componentPath(slot string, number int) string {
	return slot + "[" + strconv.Itoa(number) + "]"
}

// layOut numbers slots and components, tells where they stand, and counts what their plans hold at most.
func (c *Compiled) layOut(slots []slotNode, above string) (most size) {
	for i := range slots {
		n := &slots[i]
		n.number, n.spot = c.nodes, spot{above: above, path: slotPath(above, n.name)}
		c.nodes++
		largest := c.layOutComponents(n.components, n.spot.path)
		for j := range n.variants {
			largest.or(c.layOutComponents(n.variants[j].components, n.spot.path))
		}
		most.slots++
		most.add(largest)
	}
	return most
}

func (c *Compiled) layOutComponents(nodes []*componentNode, slot string) (most size) {
	for i, n := range nodes {
		n.number, n.spot = c.nodes, spot{above: slot, at: i, path: componentPath(slot, i)}
		c.nodes++
		var largest size
		for _, b := range n.bodies() {
			largest.or(c.layOutBody(b))
		}
		most.components++
		most.add(largest)
		most.add(c.layOut(n.slots, n.spot.path))
	}
	return most
}

func (c *Compiled) layOutBody(b *body) (most size) {
	if b == nil {
		return size{}
	}
	most.props = len(b.props)
	for i := range b.props {
		most.add(c.layOutChoice(b.props[i].choice))
	}
	return most
}

// layOutChoice settles what is fixed, and counts what is to be decided.
func (c *Compiled) layOutChoice(of *choice) (most size) {
	if of.settle(c); of.fixed == nil {
		most.values = len(of.values)
		for _, n := range of.values {
			if list, ok := n.(*refsNode); ok {
				most.refs += len(list.refs)
			}
		}
	}
	for _, other := range of.channels {
		most.or(c.layOutChoice(other))
	}
	for _, other := range of.locales {
		most.or(c.layOutChoice(other))
	}
	return most
}

// settle notes what the values come to where nothing is to be decided: all plans share it.
func (of *choice) settle(c *Compiled) {
	list := make([]tutti.Value, 0, len(of.values))
	for _, n := range of.values {
		d := &decider{c: c}
		switch n := n.(type) {
		case fixed:
		case *refsNode:
			d.rooms.refs.expect(len(n.refs))
			if slices.ContainsFunc(n.refs, func(r *refNode) bool { return r.x != nil }) {
				return
			}
		default:
			return
		}
		v, ok := n.decide(d)
		if !ok || v.Private {
			return
		}
		list = append(list, v)
	}
	if len(list) > 0 {
		of.fixed = list
	}
}
