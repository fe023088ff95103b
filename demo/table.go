package demo

import (
	"maps"
	"sort"
	"strings"
	"sync"
)

// record is one record in the vendor's own form. Under "translations" stand the fields that
// another language words differently, by language.
type record = map[string]any

// table holds the records of one kind. Records are never changed in place: a change puts a new
// one. Safe for concurrent use.
type table struct {
	mu    sync.RWMutex
	order []string
	rows  map[string]record
}

func newTable() *table { return &table{rows: map[string]record{}} }

// add puts a record at the end, or in the place of the one of that id.
func (t *table) add(id string, r record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.rows[id]; !ok {
		t.order = append(t.order, id)
	}
	t.rows[id] = r
}

// get finds a record in all its languages.
func (t *table) get(id string) (record, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.rows[id]
	return r, ok
}

// all gives the records in the order in which they came.
func (t *table) all() []record {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]record, 0, len(t.order))
	for _, id := range t.order {
		out = append(out, t.rows[id])
	}
	return out
}

// change changes some fields of a record, with nil fields deletes it. It gives the record as it
// was and as it is, and whether it was there. Translations are merged, other fields replaced.
func (t *table) change(id string, fields record) (before, after record, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ok = t.rows[id]
	if !ok {
		return nil, nil, false
	}
	if fields == nil {
		delete(t.rows, id)
		for i, o := range t.order {
			if o == id {
				t.order = append(t.order[:i:i], t.order[i+1:]...)
				break
			}
		}
		return before, nil, true
	}
	after = maps.Clone(before)
	for k, v := range fields {
		if k == "translations" {
			v = mergeLanguages(before[k], v)
		}
		after[k] = v
	}
	t.rows[id] = after
	return before, after, true
}

func mergeLanguages(old, more any) any {
	out := record{}
	if o, ok := old.(record); ok {
		maps.Copy(out, o)
	}
	m, _ := more.(record)
	for lang, fields := range m {
		merged := record{}
		if o, ok := out[lang].(record); ok {
			maps.Copy(merged, o)
		}
		if f, ok := fields.(record); ok {
			maps.Copy(merged, f)
		}
		out[lang] = merged
	}
	return out
}

// localised gives a record in a language, and the language it came in: the asked one, the asked
// one without its region, or English.
func localised(r record, lang string) (record, string) {
	out := maps.Clone(r)
	delete(out, "translations")
	t, _ := r["translations"].(record)
	short, _, _ := strings.Cut(strings.ReplaceAll(lang, "_", "-"), "-")
	for _, l := range []string{lang, short} {
		if f, ok := t[l].(record); ok {
			maps.Copy(out, f)
			return out, l
		}
	}
	return out, "en"
}

// translations makes the field of that name for texts in several languages; English is left out,
// it stands in the record itself.
func translations(fields map[string]words) record {
	out := record{}
	for name, w := range fields {
		for lang, s := range w {
			if lang == "en" {
				continue
			}
			if out[lang] == nil {
				out[lang] = record{}
			}
			out[lang].(record)[name] = s
		}
	}
	return out
}

// fill puts values into {name} places.
func fill(s string, pairs ...string) string {
	args := make([]string, len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		args[i], args[i+1] = "{"+pairs[i]+"}", pairs[i+1]
	}
	return strings.NewReplacer(args...).Replace(s)
}

// text gives a field as text, "" when it is none.
func text(r record, field string) string { s, _ := r[field].(string); return s }

// texts gives a field as a list of texts, as it was stored or as a change wrote it.
func texts(r record, field string) []string {
	switch list := r[field].(type) {
	case []string:
		return list
	case []any:
		out := make([]string, 0, len(list))
		for _, v := range list {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// has reports whether one of the texts holds the words, in any case.
func has(find string, in ...string) bool {
	find = strings.ToLower(find)
	for _, t := range in {
		if strings.Contains(strings.ToLower(t), find) {
			return true
		}
	}
	return false
}

// sortBy sorts records by a key, stably.
func sortBy[K int | int64 | float64 | string](rows []record, descending bool, key func(record) K) {
	sort.SliceStable(rows, func(i, j int) bool {
		if descending {
			i, j = j, i
		}
		return key(rows[i]) < key(rows[j])
	})
}
