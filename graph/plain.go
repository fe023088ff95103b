package graph

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
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

// errNotPlain says that the generic way is to judge.
var errNotPlain = errors.New("this is not plain")

// plainReader reads the JSON of variables, which is known to be right as JSON. Its methods give an
// error where the generic way is to judge.
type plainReader struct {
	jsonDecoder
	generation *Generation
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

func (r *plainReader) variable(d *plainVariable, v *variableValue) (err error) {
	v.is = variableOther
	if r.peek() == 'n' {
		if d.Type.NonNull || d.DefaultValue != nil {
			return errNotPlain
		}
		return r.word("null")
	}
	switch d.kind {
	case ofText, ofEnum, ofLocale:
		v.is = variableText
		v.text, err = r.plainText()
		if d.kind == ofEnum && d.enum.ForName(v.text) == nil || d.kind == ofLocale && !localeShaped(v.text) {
			return errNotPlain
		}
	case ofInt:
		var i int64
		if i, err = r.plainInt(); i < math.MinInt32 || i > math.MaxInt32 {
			return errNotPlain
		}
		v.value = i
	case ofFloat:
		v.value, err = boxed(r.plainFloat())
	case ofBoolean:
		v.value, err = boxed(r.plainBool())
	case ofScalar:
		if v.value, err = boxed(r.plainText()); err == nil && checkScalar(d.Type.NamedType, v.value) != nil {
			return errNotPlain
		}
	case ofAny:
		v.value, err = r.value(0)
	case ofTexts:
		v.value, err = boxed(r.texts())
	case ofContext:
		v.value, err = boxed(r.context())
	default:
		return errNotPlain
	}
	return err
}

func boxed[T any](v T, err error) (any, error) { return v, err }

func (r *plainReader) plainText() (string, error) {
	if r.peek() != '"' {
		return "", errNotPlain
	}
	return r.text()
}

func (r *plainReader) plainInt() (int64, error) {
	digits, err := r.digitsOf()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(digits, 10, 64)
}

func (r *plainReader) plainFloat() (float64, error) {
	digits, err := r.digitsOf()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(digits, 64)
}

func (r *plainReader) plainBool() (bool, error) {
	if r.peek() == 't' {
		return true, r.word("true")
	}
	return false, r.word("false")
}

func (r *plainReader) texts() ([]string, error) {
	list := []string{}
	if r.peek() != '[' {
		return nil, errNotPlain
	}
	err := r.skipList(']', func() error {
		s, err := r.plainText()
		list = append(list, s)
		return err
	})
	return list, err
}

// plainContextInput is a ContextInput with room for all that it points to.
type plainContextInput struct {
	ContextInput
	visitor, market, currency             string
	location                              PlaceInput
	consent                               ConsentInput
	personalization, analytics, marketing bool
}

func (r *plainReader) context() (*ContextInput, error) {
	from := r.at
	c := &plainContextInput{}
	err := r.fields(func(name string) error {
		switch name {
		case "visitor":
			return r.optionalText(&c.Visitor, &c.visitor)
		case "location":
			if null, err := r.null(c.Location != nil); null || err != nil {
				return err
			}
			c.Location = &c.location
			return r.place(c.Location)
		case "market":
			return r.optionalText(&c.Market, &c.market)
		case "currency":
			return r.optionalText(&c.Currency, &c.currency)
		case "attributes":
			if null, err := r.null(c.Attributes != nil); null || err != nil {
				return err
			}
			c.Attributes = Attributes{}
			return r.attributes(c.Attributes)
		case "consent":
			if null, err := r.null(c.Consent != nil); null || err != nil {
				return err
			}
			c.Consent = &c.consent
			return r.consent(c)
		}
		return errNotPlain
	})
	if contextMost+6*(r.at-from) > r.generation.limits.ContextBytes {
		return nil, errNotPlain // it may be too large
	}
	c.read = true
	return &c.ContextInput, err
}

// fields reads an input object: value reads what follows each name.
func (r *plainReader) fields(value func(name string) error) error {
	if r.peek() != '{' {
		return errNotPlain
	}
	return r.each(value)
}

// null goes past null and reports that it stood there. given tells that the field stood there before.
func (r *plainReader) null(given bool) (null bool, err error) {
	if given {
		return false, errNotPlain
	}
	if r.peek() != 'n' {
		return false, nil
	}
	return true, r.word("null")
}

func (r *plainReader) optionalText(into **string, room *string) error {
	null, err := r.null(*into != nil)
	if null || err != nil {
		return err
	}
	*into = room
	*room, err = r.plainText()
	return err
}

func (r *plainReader) optionalBool(into **bool, room *bool) error {
	null, err := r.null(*into != nil)
	if null || err != nil {
		return err
	}
	*into = room
	*room, err = r.plainBool()
	return err
}

func (r *plainReader) place(p *PlaceInput) error {
	lat, lon := false, false
	err := r.fields(func(name string) (err error) {
		switch {
		case name == "lat" && !lat:
			p.Lat, err = r.plainFloat()
			lat = true
		case name == "lon" && !lon:
			p.Lon, err = r.plainFloat()
			lon = true
		default:
			err = errNotPlain
		}
		return err
	})
	if err == nil && !(lat && lon) {
		return errNotPlain
	}
	return err
}

func (r *plainReader) consent(c *plainContextInput) error {
	return r.fields(func(name string) error {
		switch name {
		case "personalization":
			return r.optionalBool(&c.consent.Personalization, &c.personalization)
		case "analytics":
			return r.optionalBool(&c.consent.Analytics, &c.analytics)
		case "marketing":
			return r.optionalBool(&c.consent.Marketing, &c.marketing)
		}
		return errNotPlain
	})
}

// attributes reads attributes as readAttribute does. Null is not plain: whether an attribute may be
// given counts for it too.
func (r *plainReader) attributes(into Attributes) error {
	return r.fields(func(name string) error {
		a := r.generation.givable[name]
		if _, twice := into[name]; twice || a == nil {
			return errNotPlain
		}
		v, err := r.attribute(a)
		into[name] = v
		return err
	})
}

func (r *plainReader) attribute(a *tutti.Attribute) (v any, err error) {
	switch a.Type {
	case tutti.StringType:
		text, err := r.plainText()
		if err != nil || len(a.Values) > 0 && !slices.Contains(a.Values, text) {
			return nil, errNotPlain
		}
		return text, nil
	case tutti.BoolType:
		return boxed(r.plainBool())
	case tutti.IntType:
		return boxed(r.plainInt())
	case tutti.DoubleType:
		return boxed(r.plainFloat())
	}
	if v, err = r.value(0); err != nil || v == nil {
		return nil, errNotPlain
	}
	v, wrong := readAttribute(*a, v)
	if wrong != nil {
		return nil, errNotPlain
	}
	return v, nil
}
