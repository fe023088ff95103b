package engine

import (
	"slices"

	"github.com/tuttihq/tutti"
)

// Need is what one operation selects of an experience. Gathering fetches nothing else, but for
// what texts, showWhen and templates read. The zero Need asks for the components with their
// actions and for no prop at all.
type Need struct {
	Speech     bool                     // where the channel has speech
	Message    bool                     // where the channel has messages
	Origins    bool                     // the items that each component was made of
	Holds      bool                     // what Compiled.Holds tells; nothing is assembled for it
	Props      bool                     // as Components.Props
	Components ComponentNeed            // of every component
	ByType     map[string]ComponentNeed // of the components of one type, besides
}

// ComponentNeed is what is selected of a component.
type ComponentNeed struct {
	Props     bool            // the JSON of all props
	Values    map[string]bool // props by name that hold neither a resource nor a list
	Resources map[string]ResourceNeed
	Lists     map[string]ListNeed
}

// ListNeed is what is selected of a prop of type resources.
type ListNeed struct {
	First   int  // the most that some selection asks for, 100 at most; 0 = as the prop and channel say
	Default bool // some selection gives no number beside one that does
	Item    ResourceNeed
}

// ResourceNeed says which relations of a resource are followed, and what of it is told when it cannot
// be read.
type ResourceNeed struct {
	Relations map[string]ResourceNeed             // by field name
	Fields    []string                            // mapped fields that are selected, relations too; "fields" for those that the type does not name
	ByType    map[tutti.ResourceType]ResourceNeed // all that is needed of items of a type, where that is more
}

// of is what is needed of an item of a type.
func (r *ResourceNeed) of(t tutti.ResourceType) ResourceNeed {
	if own, ok := r.ByType[t]; ok {
		return own
	}
	return ResourceNeed{Relations: r.Relations, Fields: r.Fields}
}

// follows reports whether relations of some items are followed.
func (r *ResourceNeed) follows() bool { return len(r.Relations) > 0 || len(r.ByType) > 0 }

// shows reports whether a mapped field is selected.
func (r ResourceNeed) shows(t tutti.ResourceType, field string) bool {
	if _, named := tutti.CanonicalFields[t][field]; !named {
		field = "fields"
	}
	return slices.Contains(r.Fields, field)
}

// Everything asks for all that can be had without following relations.
func Everything() Need {
	return Need{Speech: true, Message: true, Origins: true, Components: ComponentNeed{Props: true}}
}

// of joins what is needed of every component with what is needed of one type.
func (n *Need) of(componentType string) ComponentNeed {
	c := n.Components
	c.Props = c.Props || n.Props
	t, ok := n.ByType[componentType]
	if !ok {
		return c
	}
	c.Props = c.Props || t.Props
	c.Values = joinNeeds(c.Values, t.Values, func(a, b bool) bool { return a || b })
	c.Resources = joinNeeds(c.Resources, t.Resources, ResourceNeed.With)
	c.Lists = joinNeeds(c.Lists, t.Lists, ListNeed.with)
	return c
}

// asks reports whether anybody wants the prop's value.
func (c *ComponentNeed) asks(prop string) bool {
	if c.Props || c.Values[prop] {
		return true
	}
	if _, ok := c.Resources[prop]; ok {
		return true
	}
	_, ok := c.Lists[prop]
	return ok
}

// With is what is needed for both.
func (r ResourceNeed) With(o ResourceNeed) ResourceNeed {
	both := ResourceNeed{Relations: joinNeeds(r.Relations, o.Relations, ResourceNeed.With), Fields: slices.Clip(r.Fields)}
	for _, name := range o.Fields {
		if !slices.Contains(both.Fields, name) {
			both.Fields = append(both.Fields, name)
		}
	}
	for t := range joinNeeds(r.ByType, o.ByType, func(a, _ ResourceNeed) ResourceNeed { return a }) {
		if both.ByType == nil {
			both.ByType = map[tutti.ResourceType]ResourceNeed{}
		}
		both.ByType[t] = r.of(t).With(o.of(t))
	}
	return both
}

func (l ListNeed) with(o ListNeed) ListNeed {
	return ListNeed{
		First:   max(l.First, o.First),
		Default: l.Default || o.Default || (l.First == 0) != (o.First == 0),
		Item:    l.Item.With(o.Item),
	}
}

func joinNeeds[K comparable, V any](a, b map[K]V, with func(V, V) V) map[K]V {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	m := make(map[K]V, len(a)+len(b))
	for name, v := range a {
		m[name] = v
	}
	for name, v := range b {
		if was, ok := m[name]; ok {
			v = with(was, v)
		}
		m[name] = v
	}
	return m
}
