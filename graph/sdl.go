package graph

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/tuttihq/tutti"
)

const (
	componentInterface = "Component"
	attributesInput    = "AttributesInput"
)

var graphQLName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// loadSchema makes the schema of a generation: the base SDL, one object type for each component
// type, AttributesInput with the attributes that a request may give, and tombstones for what the
// texts of stored operations name besides. It starts from text each time, because a schema
// document must not be validated twice.
func loadSchema(types []tutti.ComponentType, attrs []tutti.Attribute, stored []string) (*ast.Schema, error) {
	base := []*ast.Source{validator.Prelude}
	for _, s := range sources {
		if !s.BuiltIn {
			base = append(base, s)
		}
	}
	doc, err := parser.ParseSchemas(base...)
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "reading the base schema: %w", err)
	}
	if err := checkComponentTypes(doc, types); err != nil {
		return nil, err
	}
	sdl := componentsSDL(doc.Definitions.ForName(componentInterface), types) + tombstonesSDL(doc, types, stored)
	input, err := attributesSDL(attrs)
	if err != nil {
		return nil, err
	}
	if input != "" {
		doc.Definitions = without(doc.Definitions, attributesInput)
		sdl += input
	}
	more, err := parser.ParseSchema(&ast.Source{Name: "config", Input: sdl})
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "reading the generated schema: %w", err)
	}
	doc.Merge(more)
	doc.Directives = slices.DeleteFunc(doc.Directives, func(d *ast.DirectiveDefinition) bool { return d.Name == "defer" }) // answers come whole: see docs/http.md
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "checking the schema made from the config: %w", err)
	}
	return schema, nil
}

func without(list ast.DefinitionList, name string) ast.DefinitionList {
	kept := make(ast.DefinitionList, 0, len(list))
	for _, d := range list {
		if d.Name != name {
			kept = append(kept, d)
		}
	}
	return kept
}

func arguments(b *strings.Builder, args ast.ArgumentDefinitionList) {
	if len(args) == 0 {
		return
	}
	b.WriteString("(\n")
	for _, a := range args {
		description(b, "    ", a.Description)
		b.WriteString("    " + a.Name + ": " + a.Type.String())
		if a.DefaultValue != nil {
			b.WriteString(" = " + a.DefaultValue.String())
		}
		access(b, a.Directives)
		b.WriteByte('\n')
	}
	b.WriteString("  )")
}

func access(b *strings.Builder, list ast.DirectiveList) {
	if d := list.ForName("access"); d != nil {
		b.WriteString(" @access(to: " + d.Arguments.ForName("to").Value.String() + ")")
	}
}

func description(b *strings.Builder, indent, s string) {
	if s != "" {
		b.WriteString(indent + literal(s) + "\n")
	}
}

// literal writes a GraphQL string. JSON's escapes are GraphQL's.
func literal(s string) string { return (&ast.Value{Kind: ast.StringValue, Raw: s}).String() }

// attributesSDL writes AttributesInput; "" when no attribute may be given.
func attributesSDL(attrs []tutti.Attribute) (string, error) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, a := range attrs {
		if !givable(a) {
			continue
		}
		field := "attributes." + a.Name
		if !graphQLName.MatchString(a.Name) || strings.HasPrefix(a.Name, "__") {
			return "", &tutti.Error{
				Code: tutti.Invalid, Field: field, Message: "an attribute that requests may give needs a name that GraphQL allows.",
				Hint: "Write " + strconv.Quote(strings.ReplaceAll(a.Name, "-", "_")) + ".",
			}
		}
		if seen[a.Name] {
			return "", &tutti.Error{Code: tutti.Invalid, Field: field, Message: "the attribute is declared twice."}
		}
		seen[a.Name] = true
		t, ok := attributeTypes[a.Type]
		if !ok {
			return "", &tutti.Error{
				Code: tutti.Invalid, Field: field + ".type", Message: "there is no such attribute type.",
				Hint: "One of: string, bool, int, double, timestamp, place, list.",
			}
		}
		description(&b, "  ", attributeDescription(a))
		b.WriteString("  " + a.Name + ": " + t.graphQL)
		if a.Deprecated != "" {
			b.WriteString(" @deprecated(reason: " + literal(a.Deprecated) + ")")
		}
		b.WriteByte('\n')
	}
	if len(seen) == 0 {
		return "", nil
	}
	return "\"The declared attributes that a request may give.\"\ninput " + attributesInput + " {\n" + b.String() + "}\n", nil
}

// givable reports whether requests and visitor tokens may give an attribute, rather than the
// server finding it out.
func givable(a tutti.Attribute) bool {
	return a.Derive == "" && a.Param == "" && a.Enricher == "" && !strings.Contains(a.Name, ".")
}

func attributeDescription(a tutti.Attribute) string {
	var parts []string
	if a.Description != "" {
		parts = append(parts, a.Description)
	}
	if len(a.Values) > 0 {
		parts = append(parts, "One of: "+strings.Join(a.Values, ", ")+".")
	}
	if a.Trust > tutti.TrustClient {
		parts = append(parts, "A browser key cannot assert this.")
	}
	return strings.Join(parts, " ")
}
