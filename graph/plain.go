package graph

import (
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"
)

// The plain way: the variables of an operation of experiences are read in one walk over their JSON,
// straight into what the resolver takes. It knows only what is right and usual. Of everything else
// it says nothing: then coerceVariables reads the same JSON, and tells what is wrong with it.
// FuzzPlain holds the one to the other.

// givenVariables are the variables of a request, coerced.
type givenVariables struct {
	values map[string]any  // by name; with plain, only those that stand in selections
	plain  []variableValue // in the order of their definitions; nil = all are in values
}

// variableValue is the value of a variable that was read the plain way.
type variableValue struct {
	is    variableState
	text  string // where it is a text
	value any    // else as coerceVariables makes it, but for *ContextInput and []string
}

type variableState uint8

const (
	variableAbsent variableState = iota
	variableText
	variableOther // null too
)

// any gives the value as coerceVariables makes it; nil for an absent one.
func (v *variableValue) any() any {
	if v.is == variableText {
		return v.text
	}
	return v.value
}

// plainVariable is a variable that can be read the plain way.
type plainVariable struct {
	*ast.VariableDefinition
	kind     plainKind
	enum     ast.EnumValueList
	fallback variableValue // the default
	selects  bool          // it stands in a selection
}

// plainKind is how the values of a type are read.
type plainKind uint8

const (
	notPlain  plainKind = iota
	ofText              // String and ID
	ofEnum              // one of enum
	ofLocale            // Locale
	ofInt               // Int
	ofFloat             // Float
	ofBoolean           // Boolean
	ofScalar            // texts that checkScalar judges
	ofAny               // JSON
	ofTexts             // [String!]
	ofContext           // ContextInput
)

func (g *Generation) plainKindOf(t *ast.Type) plainKind {
	if t.Elem != nil {
		if t.Elem.NamedType == "String" && t.Elem.NonNull {
			return ofTexts
		}
		return notPlain
	}
	if g.schema.Types[t.NamedType].Kind == ast.Enum {
		return ofEnum
	}
	return map[string]plainKind{
		"String": ofText, "ID": ofText, "Locale": ofLocale, "Int": ofInt, "Float": ofFloat, "Boolean": ofBoolean,
		"Ref": ofScalar, "DateTime": ofScalar, "URL": ofScalar, "JSON": ofAny, contextInput: ofContext,
	}[t.NamedType]
}

// plainVariables are the variables of an operation of experiences when all of them can be read the
// plain way; else nil.
func (g *Generation) plainVariables(op *ast.OperationDefinition, o *operation) []plainVariable {
	if o.direct == nil || g.policies.guardedInputs[contextInput] {
		return nil
	}
	list := make([]plainVariable, len(op.VariableDefinitions))
	for i, d := range op.VariableDefinitions {
		v := &list[i]
		v.VariableDefinition, v.kind = d, g.plainKindOf(d.Type)
		if v.kind == ofEnum {
			v.enum = g.schema.Types[d.Type.NamedType].EnumValues
		}
		if v.kind == notPlain || d.DefaultValue != nil && !v.takeDefault() {
			return nil
		}
	}
	for _, f := range o.direct {
		for _, a := range f.Arguments {
			if !plainArgument(list, a.Value, a.Name) {
				return nil
			}
		}
		if o.fields[f] == nil {
			return nil
		}
		for _, name := range o.fields[f].names {
			i := plainIndex(list, name)
			if i < 0 || list[i].kind >= ofAny {
				return nil
			}
			list[i].selects = true
		}
	}
	return list
}

// takeDefault notes what counts when the variable is not given. A list or an object is made anew
// for each request, by the generic way.
func (v *plainVariable) takeDefault() bool {
	if v.DefaultValue.Kind == ast.ListValue || v.DefaultValue.Kind == ast.ObjectValue {
		return false
	}
	value, err := v.DefaultValue.Value(nil)
	if text, ok := value.(string); ok {
		v.fallback = variableValue{is: variableText, text: text}
	} else {
		v.fallback = variableValue{is: variableOther, value: value}
	}
	return err == nil
}

// plainArgument reports whether a part of an argument can be read from plain variables: what has Go
// types of its own stands for whole arguments only.
func plainArgument(list []plainVariable, v *ast.Value, argument string) bool {
	if v.Kind == ast.Variable {
		i := plainIndex(list, v.Raw)
		if i < 0 {
			return false
		}
		switch list[i].kind {
		case ofContext:
			return argument == "context"
		case ofTexts:
			return argument == "supports"
		}
		return true
	}
	for _, c := range v.Children {
		if !plainArgument(list, c.Value, "") {
			return false
		}
	}
	return true
}

// plainIndex finds a variable; below zero when there is none of this name.
func plainIndex(list []plainVariable, name string) int {
	for i := range list {
		if list[i].Variable == name {
			return i
		}
	}
	return -1
}

// plain reads the variables of a request for an operation the plain way; false where that cannot be.
func (g *Generation) plain(o *operation, p parameters, method string) (read givenVariables, ok bool) {
	if o.plain == nil || method != http.MethodPost || p.variables != nil {
		return givenVariables{}, false
	}
	values := make([]variableValue, len(o.plain))
	if p.variablesJSON != "" {
		r := plainReader{jsonDecoder{s: p.variablesJSON}, g}
		err := r.each(func(name string) error {
			i := plainIndex(o.plain, name)
			if i < 0 {
				return r.skip(0) // nobody asks for it
			}
			if values[i].is != variableAbsent {
				return errNotPlain
			}
			return r.variable(&o.plain[i], &values[i])
		})
		if err != nil {
			return givenVariables{}, false
		}
	}
	read.plain = values
	for i := range values {
		d, v := &o.plain[i], &values[i]
		if v.is == variableAbsent {
			if *v = d.fallback; v.is == variableAbsent && d.Type.NonNull {
				return givenVariables{}, false
			}
		}
		if d.selects && v.is != variableAbsent {
			if read.values == nil {
				read.values = make(map[string]any, len(values))
			}
			read.values[d.Variable] = v.any()
		}
	}
	return read, true
}
