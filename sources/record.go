package sources

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/tuttihq/tutti"
)

// seen is one record as the expressions of its kind see it: its own bytes, where in them the plain
// paths lead, and what CEL reads of it, decoded when it is asked for.
type seen struct {
	c      *manifestConnector
	k      *compiledKind
	text   string // a part of the answer, and once it is kept, a copy: texts of the resource's fields are parts of it
	from   int    // where in the answer it starts
	spans  []span
	locale string // the asked one
	own    string // its id; before it is read, the asked one, where there is one alone
	fresh  time.Duration
	watch  *watch // looks at a few records; nil = at none
	names  map[string]any
	other  bool // its id is none of those that are wanted
}

// see looks at a record that stands in an answer. Nothing that comes of it may outlive the answer before keep.
func (k *compiledKind) see(c *manifestConnector, body raw, spans []span, locale string) seen {
	own := spans[k.tree.slot]
	text := body[own.from:own.to]
	return seen{c: c, k: k, text: unsafe.String(unsafe.SliceData(text), len(text)), from: own.from, spans: spans, locale: locale}
}

// token gives the JSON at a plain path, "" when there is nothing. plain tells that it is a text of
// ASCII without escapes.
func (s *seen) token(t *tree) (token string, plain bool) {
	at := s.spans[t.slot]
	if at.to == 0 {
		return "", false
	}
	return s.text[at.from-s.from : at.to-s.from], at.plain
}

// eval is expression.eval over the record.
func (s *seen) eval(e *expression) (v any, ok bool, err error) {
	if e.listAt != nil {
		if list, ok := s.texts(e); ok {
			return list, true, nil
		}
	}
	if e.helper != nil && e.argsAt != nil {
		return s.call(e)
	}
	if e.at == nil {
		return e.eval(s.vars())
	}
	token, _ := s.token(e.at)
	if isNull(token) {
		return nil, false, nil
	}
	return decode(token), true, nil
}

// call runs a helper over parts of the record, without CEL and without decoding the rest.
func (s *seen) call(e *expression) (v any, ok bool, err error) {
	args := make([]any, len(e.argsAt))
	for i, a := range e.helper.Args() {
		switch {
		case e.argsAt[i] != nil:
			token, _ := s.token(e.argsAt[i])
			if token == "" {
				return nil, false, nil
			}
			args[i] = decode(token)
		case a.Path == nil:
			args[i] = a.Value
		default:
			if args[i], ok = walk(s.given(), a.Path); !ok {
				return nil, false, nil
			}
		}
	}
	v, err = e.helper.Run(args)
	return v, err == nil && v != nil, err
}

// given are the names that stand for no part of the record.
func (s *seen) given() map[string]any {
	if s.names == nil {
		s.names = map[string]any{"settings": s.c.settings, "locale": s.locale, "locales": s.c.locales.of(s.locale), "source": s.c.source}
		if s.k.usesID {
			s.names["id"] = s.own // empty until the record's own is read
		}
	}
	return s.names
}

// texts takes a member of each element of a list. False when it is not a text everywhere: then CEL says
// what the expression is worth.
func (s *seen) texts(e *expression) (texts []any, ok bool) {
	at := s.spans[e.listAt.slot]
	if at.to == 0 || s.text[at.from-s.from] != '[' {
		return nil, false
	}
	texts = []any{}
	for b := next(s.text[at.from-s.from+1 : at.to-s.from]); b[0] != ']'; b = next(b) {
		n := valueEnd(b)
		v := b[:n]
		for _, name := range e.each {
			if v[0] != '{' {
				return nil, false
			}
			if v, ok = member(v, name); !ok {
				return nil, false
			}
		}
		if v[0] != '"' {
			return nil, false
		}
		texts, b = append(texts, unquote(v)), b[n:]
	}
	return texts, true
}

func (s *seen) truth(e *expression) bool {
	v, ok, err := s.eval(e)
	b, isBool := v.(bool)
	return ok && err == nil && isBool && b
}

// vars are the names of recordNames. Of the record there is what the kind's expressions read.
func (s *seen) vars() map[string]any {
	names := s.given()
	if s.k.used != nil && names["record"] == nil {
		names["record"] = decodePart(s.text, s.k.used)
	}
	return names
}

// read makes a resource of the record. ok is false when the record says that it is not there, or
// when it is none of wanted. An error means that the record as a whole cannot be used; a field that
// cannot be read is left out and told to the log, by name and without its value.
func (s *seen) read(wanted *wanted) (rec Record, ok bool, err error) {
	if s.text == "" || s.text[0] != '{' {
		return Record{}, false, tutti.Errorf(tutti.BadAnswer, "reading a record: it is no JSON object")
	}
	k, c := s.k, s.c
	var sheet tutti.Sheet
	early := k.exists != nil || k.recordID.at == nil // then what is decoded for that serves the fields too
	if early {
		sheet = s.keep("")
	}
	if k.exists != nil {
		v, ok, err := s.eval(k.exists)
		is, isBool := v.(bool)
		switch {
		case err == nil && ok && !isBool:
			return Record{}, false, tutti.Errorf(tutti.BadAnswer, "reading a %s: whether it exists is neither true nor false", k.name)
		case err != nil || !is:
			return Record{}, false, nil
		}
	}
	s.watch.record(s.text)
	id, err := s.id(wanted)
	if err != nil || id == "" {
		return Record{}, false, err
	}
	at := &entry{}
	r := &at.resource
	r.Ref = tutti.Ref{Source: c.source, Kind: k.name, ID: id}
	name := wanted.key() // it begins with the tag
	if name == "" || early {
		name = r.Ref.Tag()
	}
	if !early {
		sheet = s.keep(name)
		name = sheet.Text()[:len(name)]
	}
	tag := name[:len(c.source)+len(":")+len(k.name)+len("/")+len(id)]
	r.Ref.ID = tag[len(tag)-len(id):]
	if s.own = r.Ref.ID; k.usesID && s.names != nil {
		s.names["id"] = s.own
	}
	r.Type, r.Raw = k.def.Type, withoutHoles(s.text)
	var some [16]tutti.Field
	values, unread := s.fields(some[:0])
	r.Fields = sheet.Fields(k.names, values).WithUnread(unread)
	if k.def.Languages {
		r.Fields = r.Fields.WithTongues(s.tongues(r))
	}
	r.Locale = s.localeOf()
	at.own[0] = tag
	at.place.Spell(name)
	r.Tags = s.tags(at.own[:], r.Ref.Source)
	if k.renditions != nil {
		r.Assets = k.renditions.of(s)
	}
	return Record{Resource: r, Fresh: s.fresh, entry: at}, true, nil
}

// fields maps all fields, and tells the log of those that could not be read.
func (s *seen) fields(values []tutti.Field) ([]tutti.Field, []tutti.Unread) {
	var unread []tutti.Unread
	for i := range s.k.fields {
		f := &s.k.fields[i]
		v, err := s.field(f)
		if err != nil {
			s.lost(f.name, f.value.pointer, err)
			unread = append(unread, tutti.Unread{Field: f.name, Pointer: f.value.pointer})
		}
		values = append(values, v)
	}
	return values, unread
}

// keep copies the record out of the answer, behind a key.
func (s *seen) keep(key string) tutti.Sheet {
	sheet := tutti.NewSheet(len(s.k.fields), key, s.text)
	s.text = sheet.Text()[len(key):]
	return sheet
}

// lost tells the log of a field that could not be read.
func (s *seen) lost(field, pointer string, err error) {
	if times := s.c.lost.tell(s.k.name, field, s.c.now(), complaintEvery); times > 0 {
		s.c.log.Warn("a field could not be read", "source", s.c.source, "kind", s.k.name, "field", field, "pointer", pointer, "code", tutti.CodeOf(err), "times", times)
	}
}

// field gives the value of a mapped field; none when it is absent.
func (s *seen) field(f *field) (none tutti.Field, err error) {
	if f.value.at != nil {
		token, plain := s.token(f.value.at)
		if isNull(token) {
			return none, nil
		}
		if v, ok := f.copied(token, plain); ok {
			return v, nil
		}
	}
	v, present, err := s.eval(f.value)
	if err != nil {
		return none, tutti.Errorf(tutti.BadAnswer, "mapping the field %s", f.name) // CEL's own words may hold content
	}
	if !present {
		return none, nil
	}
	v, absent, err := f.convert(v, s.c.before[f], s.c.links[f], s.c.source)
	if absent || err != nil {
		return none, err
	}
	return tutti.FieldOf(v), nil
}

// id gives the canonical id that stands in the record; "" when it is none of wanted.
func (s *seen) id(wanted *wanted) (string, error) {
	k := s.k
	id, isText := "", false
	if at := k.recordID.at; at != nil {
		if token, plain := s.token(at); plain {
			id, isText = token[1:len(token)-1], true
		}
	}
	if !isText {
		v, ok, err := s.eval(k.recordID)
		if err != nil || !ok {
			return "", tutti.Errorf(tutti.BadAnswer, "reading a %s: it has no id", k.name)
		}
		id, isText = toText(v)
	}
	if isText && wanted.has(id) {
		return id, nil // it is asked for by its one spelling
	}
	if isText {
		id, isText = k.canonicalID(id)
	}
	switch {
	case !isText || id == "":
		return "", tutti.Errorf(tutti.BadAnswer, "reading a %s: its id is not as the manifest says", k.name)
	case wanted != nil && !wanted.has(id):
		s.other = true
		return "", nil
	}
	return id, nil
}

// idAt gives the canonical id that an expression finds in the record.
func (s *seen) idAt(e *expression) (string, bool) {
	if s.text[0] != '{' {
		return "", false
	}
	v, ok, err := s.eval(e)
	if err != nil || !ok {
		return "", false
	}
	id, ok := toText(v)
	if !ok {
		return "", false
	}
	id, ok = s.k.canonicalID(id)
	return strings.Clone(id), ok
}

func (s *seen) localeOf() string {
	k := s.k
	if k.locale == nil {
		for _, d := range k.def.Dimensions {
			if d == tutti.LocaleDimension {
				return s.locale
			}
		}
		return ""
	}
	v, ok, err := s.eval(k.locale)
	if err != nil || !ok {
		return s.locale
	}
	text, _ := toText(v)
	return strings.ReplaceAll(text, "_", "-")
}

// tags adds to the own tag of a resource those of the other records that it is made of.
func (s *seen) tags(tags []string, source string) []string {
	for _, t := range s.k.tags {
		v, ok, err := s.eval(t.id)
		ids, isList := []string(nil), true
		if ok {
			ids, isList = toTexts(v)
		}
		if err != nil || !isList {
			s.lost("tags."+t.kind, t.id.pointer, tutti.Errorf(tutti.BadAnswer, "mapping the tags of %s", t.kind))
			continue
		}
		for _, id := range ids {
			tags = append(tags, tutti.Ref{Source: source, Kind: t.kind, ID: id}.Tag())
		}
	}
	return tags
}

// wanted are the ids of one call, among which the records of its answer are looked for.
type wanted struct {
	asks  []Ask
	found int            // the position of the last id that was there
	by    map[string]int // for many; made when it is needed
}

// key is that of the last id that was there; "" when it is not known.
func (w *wanted) key() string {
	if w == nil {
		return ""
	}
	return w.asks[w.found].key
}

// has reports whether an id is asked for, and notes where. Nil wants nothing.
func (w *wanted) has(id string) bool {
	if w == nil {
		return false
	}
	if next := w.found + 1; next < len(w.asks) && w.asks[next].Ref.ID == id { // most systems keep the order
		w.found = next
		return true
	}
	if len(w.asks) <= 16 {
		i := slices.IndexFunc(w.asks, func(a Ask) bool { return a.Ref.ID == id })
		if i >= 0 {
			w.found = i
		}
		return i >= 0
	}
	if w.by == nil {
		w.by = make(map[string]int, len(w.asks))
		for i, a := range w.asks {
			w.by[a.Ref.ID] = i
		}
	}
	i, ok := w.by[id]
	if ok {
		w.found = i
	}
	return ok
}

// decodeObject reads an object, of an answer that is valid JSON, with its numbers as they are written.
func decodeObject(b raw) (map[string]any, error) {
	if b = next(b); len(b) == 0 || b[0] != '{' {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading a record: it is no JSON object")
	}
	return decode(string(b)).(map[string]any), nil
}

// withoutHoles gives a record without the marks of holes, however they are written.
func withoutHoles(s string) string {
	if !strings.Contains(s, "\xee\x80") && !strings.Contains(s, `\ue00`) && !strings.Contains(s, `\uE00`) {
		return s
	}
	out, err := json.Marshal(stripped(decode(s)))
	if err != nil {
		return ""
	}
	return string(out)
}
