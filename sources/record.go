package sources

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tuttihq/tutti"
)

// read makes a resource of one record. ok is false when the record says that it is not there. An
// error means that the record as a whole cannot be used; a field that cannot be read is left out
// and told to lost, by name and without its value.
func (k *compiledKind) read(c *manifestConnector, record raw, locale string, lost func(field string, err error)) (rec Record, ok bool, err error) {
	fields, err := decodeObject(record)
	if err != nil {
		return Record{}, false, err
	}
	vars := map[string]any{"record": fields, "settings": c.settings, "locale": locale, "source": c.source}
	if k.exists != nil && !k.exists.truth(vars) {
		return Record{}, false, nil
	}
	id, err := k.idOf(vars)
	if err != nil {
		return Record{}, false, err
	}
	r := &tutti.Resource{
		Ref: tutti.Ref{Source: c.source, Kind: k.name, ID: id}, Type: k.def.Type,
		Fields: make(map[string]any, len(k.fields)), Raw: withoutHoles(record),
	}
	for i := range k.fields {
		f := &k.fields[i]
		v, present, err := f.value.eval(vars)
		if err != nil {
			lost(f.name, tutti.Errorf(tutti.BadAnswer, "mapping the field %s", f.name)) // CEL's own words may hold content
			continue
		}
		if !present {
			continue
		}
		out, absent, err := f.convert(v, c.before[f], c.links[f], c.source)
		if err != nil {
			lost(f.name, err)
		} else if !absent {
			r.Fields[f.name] = out
		}
	}
	r.Locale = k.localeOf(vars, locale)
	r.Tags = k.tagsOf(r.Ref, vars, lost)
	if k.renditions != nil {
		r.Assets = k.renditions.of(vars)
	}
	return Record{Resource: r}, true, nil
}

// idOf gives the canonical id that stands in a record.
func (k *compiledKind) idOf(vars map[string]any) (string, error) {
	v, ok, err := k.recordID.eval(vars)
	if err != nil || !ok {
		return "", tutti.Errorf(tutti.BadAnswer, "reading a %s: it has no id", k.name)
	}
	s, isText := toText(v)
	if isText {
		s, isText = k.canonicalID(s)
	}
	if !isText || s == "" {
		return "", tutti.Errorf(tutti.BadAnswer, "reading a %s: its id is not as the manifest says", k.name)
	}
	return s, nil
}

func (k *compiledKind) localeOf(vars map[string]any, asked string) string {
	if k.locale == nil {
		for _, d := range k.def.Dimensions {
			if d == tutti.LocaleDimension {
				return asked
			}
		}
		return ""
	}
	v, ok, err := k.locale.eval(vars)
	if err != nil || !ok {
		return asked
	}
	s, _ := toText(v)
	return strings.ReplaceAll(s, "_", "-")
}

// tagsOf gives the tags of the records that a resource is made of, its own first.
func (k *compiledKind) tagsOf(own tutti.Ref, vars map[string]any, lost func(string, error)) []string {
	tags := []string{own.Tag()}
	for _, t := range k.tags {
		v, ok, err := t.id.eval(vars)
		ids, isList := []string(nil), true
		if ok {
			ids, isList = toTexts(v)
		}
		if err != nil || !isList {
			lost("tags."+t.kind, tutti.Errorf(tutti.BadAnswer, "mapping the tags of %s", t.kind))
			continue
		}
		for _, id := range ids {
			tags = append(tags, tutti.Ref{Source: own.Source, Kind: t.kind, ID: id}.Tag())
		}
	}
	return tags
}

// decodeObject reads an object, of an answer that is valid JSON, with its numbers as they are written.
func decodeObject(b raw) (map[string]any, error) {
	if b = next(b); len(b) == 0 || b[0] != '{' {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading a record: it is no JSON object")
	}
	return decode(string(b)).(map[string]any), nil
}

// withoutHoles gives a copy of a record without the marks of holes, however they are written.
func withoutHoles(b raw) raw {
	if !bytes.Contains(b, []byte("\xee\x80")) && !bytes.Contains(b, []byte(`\ue00`)) && !bytes.Contains(b, []byte(`\uE00`)) {
		return bytes.Clone(b)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	out, err := json.Marshal(stripped(v))
	if err != nil {
		return nil
	}
	return out
}
