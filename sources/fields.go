package sources

import (
	"maps"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// field is a compiled FieldSpec.
type field struct {
	name   string
	kind   tutti.FieldType
	url    bool // text that must be an address people may follow
	value  *expression
	from   string
	values map[string]string // our words by the origin's; nil = they are taken as they are
	ref    *template         // what stands before the id of a ref
	link   *template         // the address that an id follows
}

var fieldTypes = []string{"string", "int", "float", "bool", "time", "money", "place", "focal", "richText", "ref", "refs", "strings", "json", "url"}

// addresses are canonical fields that front ends put into href and src.
var addresses = []string{"link", "picture", "original"}

func (c *compiler) fields(at string, t tutti.ResourceType, specs map[string]FieldSpec) []field {
	canonical, isType := tutti.CanonicalFields[t], slices.Contains(resources, string(t))
	if len(specs) == 0 {
		c.wrong(at, "is missing", "Write, for example:  map: {title: record.name}")
	}
	var out []field
	for _, name := range sortedKeys(specs) {
		s, fat := specs[name], at+"."+name
		f := field{name: name, kind: tutti.FieldType(s.As), from: s.From}
		if !tutti.IsName(name) || strings.Contains(name, "-") {
			c.wrong(fat, "is no name: letters, digits and '_'", "")
		}
		if reserved := []string{"id", "ref", "source", "kind", "locale", "freshness", "fields", "problems", "raw"}; slices.Contains(reserved, name) {
			c.wrong(fat, "is a name that every resource has already", "Take another than "+list(reserved)+".")
		}
		want, isCanonical := canonical[name]
		switch {
		case s.As == "" && isCanonical:
			f.kind = want
		case s.As == "":
			f.kind = tutti.FieldString
		case !slices.Contains(fieldTypes, s.As):
			c.wrong(fat+".as", unknown(s.As), oneOf(s.As, fieldTypes))
			continue
		case s.As == "url":
			f.kind, f.url = tutti.FieldString, true
		}
		if isCanonical && f.kind != want {
			c.wrong(fat+".as", "contradicts the field's own type", "Remove it, or write  as: "+string(want))
		}
		if t, ok := elsewhere(name); ok && !isCanonical && f.kind != t && (isType || s.As != "") {
			c.wrong(fat+".as", "is "+string(f.kind)+"; a field of that name is "+string(t)+" everywhere", "Write  as: "+string(t)+", or take another name.")
		}
		if isCanonical && slices.Contains(addresses, name) {
			f.url = true
		}
		f.value = c.optional(fat, s.Value, recordNames)
		if s.Value == "" {
			c.wrong(fat+".value", "is missing", "Write, for example:  value: record."+name)
		}
		c.fieldOptions(fat, s, &f, isType)
		out = append(out, f)
	}
	return out
}

// elsewhere gives the type that a resource type gives a field of that name: same-named fields
// have the same type everywhere.
func elsewhere(name string) (tutti.FieldType, bool) {
	for _, t := range slices.Sorted(maps.Keys(tutti.CanonicalFields)) {
		if k, ok := tutti.CanonicalFields[t][name]; ok {
			return k, true
		}
	}
	return "", false
}

func (c *compiler) fieldOptions(at string, s FieldSpec, f *field, isType bool) {
	isRef := f.kind == tutti.FieldRef || f.kind == tutti.FieldRefs
	if s.From != "" && f.kind != tutti.FieldRichText && (isType || s.As != "") {
		c.wrong(at+".from", "is only for rich text", "Remove it, or write  as: richText")
	}
	if s.From != "" && !slices.Contains(expr.RichForms, s.From) {
		c.wrong(at+".from", unknown(s.From), oneOf(s.From, expr.RichForms))
	}
	if s.Values != nil && f.kind != tutti.FieldString {
		c.wrong(at+".values", "is only for words", "Remove it, or write  as: string")
	}
	f.values = s.Values
	if (s.Kind != "" || s.Link != "") && !isRef {
		c.wrong(at, "has kind or link, which are only for refs", "Write  as: ref")
	}
	if s.Link != "" && s.Kind == "" {
		c.wrong(at+".kind", "is missing beside link", "Write the kind that the link leads to, for example:  kind: stay:place")
	}
	if s.Kind != "" {
		f.ref = c.template(at+".kind", s.Kind, settingNames)
	}
	if s.Link != "" {
		f.link = c.template(at+".link", s.Link, settingNames)
	}
}
