package tutti

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// PropsJSON writes the props that have a value as one JSON object, in the order of the
// definition: texts as strings, rich text in the channel's form, instants as RFC 3339, a resource
// as an object with id, ref, type and its type's own fields (an asset with url and srcset), a
// list as {items, totalCount, endCursor}.
func (c *Component) PropsJSON() json.RawMessage {
	w := propWriter{}
	w.b.WriteByte('{')
	for _, name := range c.Order {
		if v, ok := c.Props[name]; ok {
			w.name(name)
			w.value(v, c.Channel)
		}
	}
	w.b.WriteByte('}')
	return w.b.Bytes()
}

// PropJSON writes the value of one prop as PropsJSON does; null when it has none.
func (c *Component) PropJSON(name string) json.RawMessage {
	v, ok := c.Props[name]
	if !ok {
		return json.RawMessage("null")
	}
	w := propWriter{}
	w.value(v, c.Channel)
	return w.b.Bytes()
}

// In gives the text in one form; HTML where the form is "".
func (r RichText) In(form RichTextForm) string {
	switch form {
	case MarkdownForm:
		return r.Markdown
	case PlainForm:
		return r.Plain
	case SSMLForm:
		return r.SSML
	}
	return r.HTML
}

type propWriter struct{ b bytes.Buffer }

func (w *propWriter) name(s string) {
	if last := w.b.Bytes()[w.b.Len()-1]; last != '{' {
		w.b.WriteByte(',')
	}
	w.json(s)
	w.b.WriteByte(':')
}

// json writes one value as it is, with <, > and & escaped as in all answers; what JSON cannot hold
// becomes null.
func (w *propWriter) json(v any) {
	start := w.b.Len()
	if json.NewEncoder(&w.b).Encode(v) != nil {
		w.b.Truncate(start)
		w.b.WriteString("null")
		return
	}
	w.b.Truncate(w.b.Len() - 1) // the line end that Encode adds
}

func (w *propWriter) value(v any, ch *Channel) {
	switch v := v.(type) {
	case RichText:
		var form RichTextForm
		if ch != nil {
			form = ch.RichText
		}
		w.json(v.In(form))
	case time.Time:
		w.json(v.Format(time.RFC3339Nano))
	case *Delivered:
		w.resource(v)
	case *List:
		w.list(v)
	default:
		w.json(v)
	}
}

func (w *propWriter) list(l *List) {
	nodes := l.Nodes
	if l.Shown > 0 && l.Shown < len(nodes) {
		nodes = nodes[:l.Shown]
	}
	w.b.WriteString(`{"items":[`)
	for i, d := range nodes {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.resource(d)
	}
	w.b.WriteByte(']')
	if l.Total != nil {
		w.name("totalCount")
		w.json(*l.Total)
	}
	if next := l.CursorAt(len(nodes)); next != "" {
		w.name("endCursor")
		w.json(next)
	}
	w.b.WriteByte('}')
}

// shortFields are the fields of each type that stand in the short form, in order.
var shortFields = func() map[ResourceType][]string {
	m := map[ResourceType][]string{}
	for t, fields := range CanonicalFields {
		names := []string{"title", "link"}
		var rest []string
		for name, kind := range fields {
			switch {
			case name == "title" || name == "link" || name == "tags" || name == "updatedAt" || name == "original":
			case kind == FieldRef || kind == FieldRefs:
			default:
				rest = append(rest, name)
			}
		}
		slices.Sort(rest)
		m[t] = append(names, rest...)
	}
	return m
}()

func (w *propWriter) resource(d *Delivered) {
	r := d.Resource
	w.b.WriteByte('{')
	w.name("id")
	w.json(d.ID)
	w.name("ref")
	w.json(r.Ref.String())
	w.name("type")
	w.json(r.Type)
	for _, name := range shortFields[r.Type] {
		if v := r.Fields.Get(name); v != nil {
			w.name(name)
			w.value(v, d.Channel)
		}
	}
	switch r.Type {
	case AssetType:
		if url := d.PictureURL(0, 0, ""); url != "" {
			w.name("url")
			w.json(url)
		}
		if set := d.Srcset("", ""); set != "" {
			w.name("srcset")
			w.json(set)
		}
	case RecordType:
		w.otherFields(d)
	}
	w.b.WriteByte('}')
}

// otherFields writes what a record has besides the common fields: all that it is.
func (w *propWriter) otherFields(d *Delivered) {
	some := false
	for name, v := range d.Resource.Fields.All() {
		if _, common := CanonicalFields[RecordType][name]; common {
			continue
		}
		if !some {
			some = true
			w.name("fields")
			w.b.WriteByte('{')
		}
		w.name(name)
		w.value(v, d.Channel)
	}
	if some {
		w.b.WriteByte('}')
	}
}
