package graph

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// CheckTypes tells what of the component types and attributes cannot become a schema: an
// *tutti.Error with code Invalid that names the field of the config; nil when all can.
func CheckTypes(types []tutti.ComponentType, attrs []tutti.Attribute) error {
	_, err := loadSchema(types, attrs, nil)
	return err
}

// checkComponentTypes refuses names that cannot be object types or fields of the schema, and a
// prop name that stands for two GraphQL types: no operation could select both.
func checkComponentTypes(doc *ast.SchemaDocument, types []tutti.ComponentType) error {
	component := doc.Definitions.ForName(componentInterface)
	seen, props := map[string]bool{}, map[string]typedProp{}
	for _, t := range types {
		field := "componentTypes." + t.Name
		switch {
		case !typeName(t.Name):
			return &tutti.Error{
				Code: tutti.Invalid, Field: field, Message: "the component type's name cannot be the name of a GraphQL type.",
				Hint: "Use letters, digits and '_', beginning with a letter, for example Hero.",
			}
		case doc.Definitions.ForName(t.Name) != nil:
			return &tutti.Error{
				Code: tutti.Invalid, Field: field, Message: "the schema has a type of this name already.",
				Hint: "Write, for example, " + t.Name + "Card.",
			}
		case seen[t.Name]:
			return &tutti.Error{Code: tutti.Invalid, Field: field, Message: "the component type is defined twice."}
		}
		seen[t.Name] = true
		for _, p := range typedProps(&t) {
			if err := checkProp(field+".props."+p.Name, p, component, props); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkProp(field string, p typedProp, component *ast.Definition, seen map[string]typedProp) error {
	first, known := seen[p.Name]
	switch {
	case !typeName(p.Name):
		return &tutti.Error{
			Code: tutti.Invalid, Field: field, Message: "the prop's name cannot be the name of a GraphQL field.",
			Hint: "Use letters, digits and '_', beginning with a letter, for example headline.",
		}
	case component.Fields.ForName(p.Name) != nil:
		return &tutti.Error{Code: tutti.Invalid, Field: field, Message: "every component has a field of this name already.", Hint: "Take another name."}
	case p.GraphQLType() == "":
		return &tutti.Error{Code: tutti.Invalid, Field: field + ".type", Message: "there is no such prop type.", Hint: "One of: text, richText, string, int, float, boolean, dateTime, money, url, place, json, resource, resources."}
	case known && first.of == p.of:
		return &tutti.Error{Code: tutti.Invalid, Field: field, Message: "the prop is defined twice."}
	case known && first.GraphQLType() != p.GraphQLType():
		return &tutti.Error{
			Code: tutti.Invalid, Field: field, Message: "the prop is " + p.GraphQLType() + " here and " + first.GraphQLType() + " in " + first.of + ".",
			Hint: "A prop's name has one GraphQL type in all component types: take another name, or the same type.",
		}
	}
	seen[p.Name] = p
	return nil
}

func typeName(s string) bool { return graphQLName.MatchString(s) && !strings.HasPrefix(s, "__") }

// typedProp is a prop as a field of its component type's object type.
type typedProp struct {
	tutti.PropDefinition
	of string // the component type
}

// typedProps are the fields that a component type adds to those of every component, in the order
// of the config: its props, and those that only older versions of it have, as deprecated.
func typedProps(t *tutti.ComponentType) []typedProp {
	list := make([]typedProp, 0, len(t.Props))
	for _, p := range t.Props {
		if p.Deprecated == "" {
			p.Deprecated = t.Deprecated
		}
		list = append(list, typedProp{p, t.Name})
	}
	now := len(list)
	for i := range t.Downlevel {
		d := &t.Downlevel[i]
		for _, p := range d.Props {
			switch same := slices.IndexFunc(list, func(o typedProp) bool { return o.Name == p.Name }); {
			case same < 0:
				p.Deprecated = "Only " + t.Name + "@" + strconv.Itoa(d.Version) + " has it."
				list = append(list, typedProp{p, t.Name})
			case list[same].GraphQLType() != p.GraphQLType():
				list = append(list, typedProp{p, t.Name + "@" + strconv.Itoa(d.Version)}) // for checkProp to tell
			case same >= now:
				list[same].Deprecated = "Only older versions have it."
			}
		}
	}
	return list
}

// componentsSDL writes one object type for each component type: the fields of the interface, and
// one nullable field for each prop.
func componentsSDL(component *ast.Definition, types []tutti.ComponentType) string {
	var b strings.Builder
	for i := range types {
		t := &types[i]
		words := t.Description
		if t.Deprecated != "" {
			words = joined(words, "Deprecated: "+t.Deprecated)
		}
		openType(&b, t.Name, words, component)
		for _, p := range typedProps(t) {
			propField(&b, p.PropDefinition, component)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// openType begins an object type with the fields that every component has.
func openType(b *strings.Builder, name, words string, component *ast.Definition) {
	description(b, "", words)
	b.WriteString("type " + name + " implements " + componentInterface)
	access(b, component.Directives)
	b.WriteString(" {\n")
	for _, f := range component.Fields {
		description(b, "  ", f.Description)
		b.WriteString("  " + f.Name)
		arguments(b, f.Arguments)
		b.WriteString(": " + f.Type.String())
		access(b, f.Directives)
		b.WriteByte('\n')
	}
}

func propField(b *strings.Builder, p tutti.PropDefinition, component *ast.Definition) {
	description(b, "  ", propDescription(p))
	b.WriteString("  " + p.Name)
	if p.Type == tutti.PropResources {
		arguments(b, ast.ArgumentDefinitionList{component.Fields.ForName("resources").Arguments.ForName("first")})
	}
	b.WriteString(": " + p.GraphQLType())
	if p.Deprecated != "" {
		b.WriteString(" @deprecated(reason: " + literal(p.Deprecated) + ")")
	}
	b.WriteByte('\n')
}

var propWords = map[tutti.PropType]string{
	tutti.PropText: "Words.", tutti.PropRichText: "Formatted text.", tutti.PropString: "A string.", tutti.PropInt: "A whole number.", tutti.PropFloat: "A number.",
	tutti.PropBoolean: "Yes or no.", tutti.PropDateTime: "An instant.", tutti.PropMoney: "An amount of money.", tutti.PropURL: "An address.",
	tutti.PropPlace: "A point on the earth.", tutti.PropJSON: "Any JSON value.", tutti.PropResource: "An item of an origin system.", tutti.PropResources: "Items of origin systems.",
}

// propDescription says what the prop is for, and what its type does not say.
func propDescription(p tutti.PropDefinition) string {
	words := p.Description
	if words == "" {
		words = propWords[p.Type]
	}
	if len(p.Values) > 0 {
		words = joined(words, "One of: "+strings.Join(p.Values, ", ")+".")
	}
	if len(p.Accepts) > 0 && (len(p.Accepts) > 1 || p.Type == tutti.PropResources) {
		types := make([]string, len(p.Accepts))
		for i, t := range p.Accepts {
			types[i] = string(t)
		}
		words = joined(words, "Of type "+strings.Join(types, ", ")+".")
	}
	if p.MaxLength > 0 && p.Cut {
		words = joined(words, strconv.Itoa(p.MaxLength)+" characters at most.")
	}
	return words
}

// joined puts two sentences one after the other.
func joined(first, second string) string {
	switch {
	case first == "":
		return second
	case strings.HasSuffix(first, ".") || strings.HasSuffix(first, "!") || strings.HasSuffix(first, "?"):
		return first + " " + second
	}
	return first + ". " + second
}
