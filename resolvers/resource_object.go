package resolvers

import (
	"encoding/json"
	"strconv"

	"github.com/tuttihq/tutti"
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
		if len(b) > first {
			b = append(b, ',')
		}
		b = append(graph.AppendString(b, name), ':')
		if s, ok := v.Text(); ok {
			b = graph.AppendString(b, s)
		} else if i, ok := v.Int(); ok {
			b = strconv.AppendInt(b, i, 10)
		} else {
			j, err := json.Marshal(v.Any())
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
	next := l.Next
	if first > 0 && first < len(nodes) {
		nodes = nodes[:first]
		next = l.CursorAt(first)
	}
	list := make([]graph.Object, len(nodes))
	for i, n := range nodes {
		list[i] = resourceObject{n}
	}
	var total any
	if l.Total != nil {
		total = *l.Total
	}
	return fields{"ResourceConnection", map[string]any{
		"nodes": list, "totalCount": total,
		"pageInfo": fields{"PageInfo", map[string]any{"endCursor": orNull(next), "hasNextPage": next != ""}},
	}}
}
