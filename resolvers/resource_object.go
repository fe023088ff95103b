package resolvers

import (
	"encoding/json"
	"strconv"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// resourceObject is a delivered resource, of the object type that its kind is mapped to.
type resourceObject struct{ d *tutti.Delivered }

// resourceOrNull gives nil, not a typed nil, for no resource.
func resourceOrNull(d *tutti.Delivered) any {
	if d == nil {
		return nil
	}
	return resourceObject{d}
}

func (o resourceObject) TypeName() string { return string(o.d.Resource.Type) }

// AppendField writes what is a text, a whole number, a truth value or an instant.
func (o resourceObject) AppendField(b []byte, name string) ([]byte, bool) {
	r := o.d.Resource
	switch name {
	case "__typename":
		return graph.AppendString(b, string(r.Type)), true
	case "id":
		return graph.AppendString(b, o.d.ID), true
	case "ref":
		return graph.AppendRef(b, &r.Ref), true
	case "source":
		return graph.AppendString(b, r.Ref.Source), true
	case "kind":
		return graph.AppendString(b, r.Ref.Kind), true
	case "fields":
		out, err := otherFields{r}.AppendJSON(b)
		return out, err == nil
	case "locale", "freshness", "tags", "raw", "url", "srcset":
		return b, false
	}
	return appendPlain(b, r.Fields.Field(name))
}

// appendPlain writes a mapped value that needs no more than its own kind; false for all others.
func appendPlain(b []byte, v tutti.Field) ([]byte, bool) {
	if s, ok := v.Text(); ok {
		return graph.AppendString(b, s), true
	}
	if i, ok := v.Int(); ok && i == int64(int32(i)) { // others are not for the type Int
		return strconv.AppendInt(b, i, 10), true
	}
	if t, ok := v.Time(); ok {
		return graph.AppendTime(b, t), true
	}
	if is, ok := v.Bool(); ok {
		return strconv.AppendBool(b, is), true
	}
	return b, false
}

func (o resourceObject) Field(name string, args graph.Args) (any, error) {
	d, r := o.d, o.d.Resource
	switch name {
	case "id":
		return &d.ID, nil
	case "ref":
		return &r.Ref, nil
	case "source":
		return &r.Ref.Source, nil
	case "kind":
		return &r.Ref.Kind, nil
	case "locale":
		return orNull(r.Locale), nil
	case "freshness":
		return freshnessObject(d.Freshness), nil
	case "tags":
		if tags, ok := r.Fields.Get("tags").([]string); ok {
			return tags, nil
		}
		return []string{}, nil
	case "fields":
		return otherFields{r}, nil
	case "problems":
		return problemObjects(engine.UnreadOf(r)), nil
	case "raw":
		if len(r.Raw) == 0 {
			return nil, nil
		}
		return graph.Raw(r.Raw), nil
	}
	if r.Type == tutti.AssetType {
		switch name {
		case "url":
			return orNull(d.PictureURL(args.Int("width", 0), args.Int("height", 0), args.String("format"))), nil
		case "srcset":
			return orNull(d.Srcset(args.String("ratio"), args.String("format"))), nil
		}
	}
	kind, ok := tutti.CanonicalFields[r.Type][name]
	if !ok {
		return nil, noField(string(r.Type), name)
	}
	return fieldValue(d, name, kind), nil
}

// fieldValue gives a mapped field as the schema has it, nil when the item has none. Relations
// are there only where gathering followed them, which it does where they are selected.
func fieldValue(d *tutti.Delivered, name string, kind tutti.FieldType) any {
	switch kind {
	case tutti.FieldRef:
		for _, rel := range d.Related[name] {
			return resourceOrNull(rel)
		}
		return nil
	case tutti.FieldRefs:
		list := make([]graph.Object, 0, len(d.Related[name]))
		for _, rel := range d.Related[name] {
			list = append(list, resourceObject{rel})
		}
		return list
	}
	return plainValue(d.Resource.Fields.Get(name))
}

// otherFields are the mapped fields that a resource's type does not name, as JSON, by name.
type otherFields struct{ r *tutti.Resource }

func (o otherFields) AppendJSON(b []byte) ([]byte, error) {
	canonical := tutti.CanonicalFields[o.r.Type]
	b = append(b, '{')
	first := len(b)
	for name, v := range o.r.Fields.Values() {
		if _, ok := canonical[name]; ok {
			continue
		}
		from := len(b)
		if from > first {
			b = append(b, ',')
		}
		b = append(graph.AppendString(b, name), ':')
		var ok bool
		if b, ok = appendPlain(b, v); !ok {
			value := v.Any()
			if value == nil {
				b = b[:from]
				continue
			}
			j, err := json.Marshal(value)
			if err != nil {
				return b, tutti.Errorf(tutti.Internal, "writing the field %s: %w", name, err)
			}
			b = append(b, j...)
		}
	}
	return append(b, '}'), nil
}

// listObject is a page of a list: at most first items; for 0 as many as the prop and channel say.
func listObject(l *tutti.List, first int) graph.Object {
	if first == 0 {
		first = l.Shown
	}
	nodes := l.Nodes
	if first > 0 && first < len(nodes) {
		nodes = nodes[:first]
	}
	return &connectionObject{list: l, nodes: nodes}
}

// connectionObject is a page of a list: its first nodes.
type connectionObject struct {
	list  *tutti.List
	nodes []*tutti.Delivered
}

// nodeList is the nodes of it.
type nodeList connectionObject

func (l *nodeList) Len() int              { return len(l.nodes) }
func (l *nodeList) At(i int) graph.Object { return resourceObject{l.nodes[i]} }

func (*connectionObject) TypeName() string { return "ResourceConnection" }

func (o *connectionObject) Field(name string, _ graph.Args) (any, error) {
	switch name {
	case "nodes":
		return (*nodeList)(o), nil
	case "totalCount":
		if o.list.Total == nil {
			return nil, nil
		}
		return *o.list.Total, nil
	case "pageInfo":
		next := o.list.CursorAt(len(o.nodes))
		return fields{"PageInfo", map[string]any{"endCursor": orNull(next), "hasNextPage": next != ""}}, nil
	}
	return nil, noField("ResourceConnection", name)
}
