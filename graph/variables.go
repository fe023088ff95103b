package graph

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"github.com/tuttihq/tutti"
)

// coerceVariables turns the JSON values of an operation's variables into what their types say,
// after section 6.1.2 of the GraphQL specification, with a code and a hint for each mistake.
// Numbers come as json.Number and keep their digits where the type is a custom scalar. Objects in
// raw become those of the outcome: nobody else may use them. Messages hold no values: they may be
// personal.
func coerceVariables(g *Generation, op *ast.OperationDefinition, raw map[string]any) (map[string]any, []*tutti.Error) {
	c := &coercer{generation: g}
	out := c.variables(op, raw)
	if c.wrong {
		c.telling, c.errs = true, nil
		c.variables(op, raw)
	}
	return out, c.errs
}

func (c *coercer) variables(op *ast.OperationDefinition, raw map[string]any) map[string]any {
	if raw == nil {
		raw = map[string]any{}
	}
	for _, d := range op.VariableDefinitions {
		v, given := raw[d.Variable]
		if !given {
			if d.DefaultValue != nil {
				raw[d.Variable], _ = d.DefaultValue.Value(nil)
			} else if d.Type.NonNull {
				c.fail(d.Variable, tutti.InvalidValue, "the variable is missing.", "It is of type "+d.Type.String()+".")
			}
			continue
		}
		if v := c.value(d.Variable, d.Type, v); !c.wrong { // else what is wrong must stay, to be told
			raw[d.Variable] = v
		}
	}
	if len(raw) > len(op.VariableDefinitions) { // what the operation does not know
		for name := range raw {
			if op.VariableDefinitions.ForName(name) == nil {
				delete(raw, name)
			}
		}
	}
	return raw
}

type coercer struct {
	generation *Generation
	wrong      bool // something is
	telling    bool // what is wrong is told: the second walk
	errs       []*tutti.Error
}

// full reports that there are enough errors: looking for more would only cost time.
func (c *coercer) full() bool { return len(c.errs) >= c.generation.limits.Errors }

func (c *coercer) fail(path string, code tutti.Code, message, hint string) {
	c.wrong = true
	if c.telling && !c.full() {
		c.errs = append(c.errs, &tutti.Error{Code: code, Field: path, Message: message, Hint: hint})
	}
}

func (c *coercer) value(path string, t *ast.Type, v any) any {
	if v == nil {
		if t.NonNull {
			c.fail(path, tutti.InvalidValue, "the value is null.", "It is of type "+t.String()+".")
		}
		return nil
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			return []any{c.value(path, t.Elem, v)}
		}
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = c.value(path+"["+strconv.Itoa(i)+"]", t.Elem, e)
		}
		return out
	}
	def := c.generation.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		if def.Name == attributesInput {
			return c.attributes(path, v)
		}
		return c.object(path, def, v)
	case ast.Enum:
		return c.enum(path, def, v)
	}
	return c.scalar(path, def.Name, v)
}

func (c *coercer) object(path string, def *ast.Definition, v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail(path, tutti.InvalidValue, "the value is not an object.", "It is of type "+def.Name+".")
		return nil
	}
	known := 0
	for _, f := range def.Fields {
		if _, given := m[f.Name]; given {
			known++
		}
	}
	if known < len(m) && c.unknownFields(path, def, m) {
		return nil
	}
	for _, f := range def.Fields {
		e, given := m[f.Name]
		switch {
		case given:
			if v := c.value(c.below(path, f.Name), f.Type, e); !c.wrong { // else what is wrong must stay, to be told
				m[f.Name] = v
			}
		case f.DefaultValue != nil:
			m[f.Name], _ = f.DefaultValue.Value(nil)
		case f.Type.NonNull:
			c.fail(path+"."+f.Name, tutti.InvalidValue, "the field is missing.", "It is of type "+f.Type.String()+".")
		}
	}
	return m
}

// below is the path of a field. Only errors need it, and what is right is read a thousand times as
// often: so it is joined when an error comes, in a second walk.
func (c *coercer) below(path, name string) string {
	if !c.telling {
		return ""
	}
	return path + "." + name
}

// unknownFields tells what an input object holds besides its fields. It reports whether there are
// enough errors.
func (c *coercer) unknownFields(path string, def *ast.Definition, m map[string]any) (full bool) {
	for _, name := range sortedKeys(m) {
		if c.full() {
			return true
		}
		if def.Fields.ForName(name) == nil {
			c.fail(join(path, name), tutti.InvalidValue, def.Name+" has no field of this name.", didYouMean(name, fieldNames(def)))
		}
	}
	return false
}

// attributes checks names and types. Values and trust are for CheckContext to judge.
func (c *coercer) attributes(path string, v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail(path, tutti.InvalidValue, "the attributes are not an object.", "Write {name: value, …}.")
		return nil
	}
	if !c.telling {
		for name, v := range m {
			if err := c.generation.checkAttribute(name, v); err != nil {
				c.wrong = true
			}
		}
		return m
	}
	for _, name := range sortedKeys(m) {
		if c.full() {
			return nil
		}
		if err := c.generation.checkAttribute(name, m[name]); err != nil {
			c.fail(join(path, name), err.Code, err.Message, err.Hint)
		}
	}
	return m
}

func (c *coercer) enum(path string, def *ast.Definition, v any) any {
	s, ok := v.(string)
	if ok && def.EnumValues.ForName(s) != nil {
		return s
	}
	var names []string
	for _, e := range def.EnumValues {
		names = append(names, e.Name)
	}
	c.fail(path, tutti.InvalidValue, "not a value of "+def.Name+".", "One of: "+strings.Join(names, ", ")+".")
	return nil
}

func (c *coercer) scalar(path, name string, v any) any {
	wrong := func() any {
		c.fail(path, tutti.InvalidValue, "the value is not of type "+name+".", "")
		return nil
	}
	switch name {
	case "String":
		if s, ok := v.(string); ok {
			return s
		}
		return wrong()
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b
		}
		return wrong()
	case "ID":
		switch n := v.(type) {
		case string:
			return n
		case json.Number:
			if _, err := n.Int64(); err == nil {
				return n.String()
			}
		}
		return wrong()
	case "Int":
		n, ok := readInt(v)
		if !ok || n.(int64) < math.MinInt32 || n.(int64) > math.MaxInt32 {
			return wrong()
		}
		return n
	case "Float":
		f, ok := readFloat(v)
		if !ok {
			return wrong()
		}
		return f
	}
	if err := checkScalar(name, v); err != nil {
		c.fail(path, err.Code, err.Message, err.Hint)
		return nil
	}
	return v
}

// checkAttribute checks one given attribute's name and type. Null stands for an absent one.
func (g *Generation) checkAttribute(name string, v any) *tutti.Error {
	a, ok := g.attributes[name]
	switch {
	case !ok:
		return unknownAttribute(name, g.attributeNames)
	case !givable(a):
		return notGivable(a)
	case v == nil || a.Deprecated != "":
		return nil
	}
	_, err := readAttribute(a, v)
	return err
}

func unknownAttribute(name string, names []string) *tutti.Error {
	hint := didYouMean(name, names)
	if hint == "" && len(names) > 0 && len(names) <= 20 {
		hint = "One of: " + strings.Join(names, ", ") + "."
	}
	return &tutti.Error{Code: tutti.UnknownAttribute, Message: "no attribute of this name is declared.", Hint: hint}
}

func notGivable(a tutti.Attribute) *tutti.Error {
	return &tutti.Error{Code: tutti.UnknownAttribute, Message: "the attribute " + a.Name + " cannot be given.", Hint: "The server finds it out. Leave it out."}
}

func didYouMean(name string, names []string) string {
	if len(name) > 64 {
		return ""
	}
	if near := core.SuggestionList(name, names); len(near) > 0 {
		return "Did you mean " + near[0] + "?"
	}
	return ""
}

// join adds a name that a client made up to a path, when it is fit to be shown.
func join(path, name string) string {
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '<' || r == '>' }) {
		return path + ".?"
	}
	return path + "." + name
}

func fieldNames(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		names = append(names, f.Name)
	}
	return names
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
