package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// TypeScript writes what apps get of component types: an interface for each, with the object
// types that its fields lead to; what its JSON in the field props holds; and the list of what an
// app that was built with these types can draw, for supports. Only fields that browser keys may
// ask for are there, each optional, because operations select. The error is that of CheckTypes.
func TypeScript(types []tutti.ComponentType, attrs []tutti.Attribute) ([]byte, error) {
	g, err := NewGeneration(GenerationConfig{ID: "types", ComponentTypes: types, Attributes: attrs})
	if err != nil {
		return nil, err
	}
	w := &tsWriter{g: g, props: map[string]map[string]tutti.PropDefinition{}, seen: map[string]bool{}}
	w.line("// Written by: tutti types. Do not edit.\n")
	w.drawable(types)
	for i := range types {
		w.component(&types[i])
	}
	for len(w.next) > 0 {
		name := w.next[0]
		w.next = w.next[1:]
		w.named(g.schema.Types[name])
	}
	w.line(shortResource)
	return []byte(w.b.String()), nil
}

const shortResource = `/** An item as it stands in props. */
export interface ShortResource {
  id: string;
  ref: string;
  type: string;
  title?: string;
  link?: string;
  [field: string]: unknown;
}

/** A list as it stands in props. */
export interface ShortList {
  items: ShortResource[];
  totalCount?: number;
  endCursor?: string;
}`

type tsWriter struct {
	g     *Generation
	b     strings.Builder
	props map[string]map[string]tutti.PropDefinition // by component type and name
	seen  map[string]bool
	next  []string // types to write
}

func (w *tsWriter) line(s string) { w.b.WriteString(s + "\n") }

func (w *tsWriter) comment(indent, words string) {
	if words == "" {
		return
	}
	words = strings.ReplaceAll(strings.Join(strings.Fields(words), " "), "*/", "*\u2215")
	w.line(indent + "/** " + words + " */")
}

// drawable writes the union of all component types and what to send as supports.
func (w *tsWriter) drawable(types []tutti.ComponentType) {
	names, entries, props := make([]string, len(types)), make([]string, len(types)), ""
	for i, t := range types {
		names[i] = t.Name
		entries[i] = strconv.Quote(t.Name + "@" + strconv.Itoa(max(1, t.Version)))
		props += "  " + t.Name + ": " + t.Name + "Props;\n"
	}
	w.comment("", "What an app that was built with these types can draw: send it as supports.")
	w.line("export const supports: string[] = [" + strings.Join(entries, ", ") + "];\n")
	w.comment("", "A delivered component; __typename tells which.")
	if len(names) == 0 {
		names = []string{"never"}
	}
	w.line("export type Component = " + strings.Join(names, " | ") + ";\n")
	w.comment("", "What the field props holds, by component type.")
	w.line("export interface PropsOf {\n" + props + "}\n")
}

func (w *tsWriter) component(t *tutti.ComponentType) {
	w.seen[t.Name] = true
	w.props[t.Name] = map[string]tutti.PropDefinition{}
	for _, p := range typedProps(t) {
		w.props[t.Name][p.Name] = p.PropDefinition
	}
	w.object(w.g.schema.Types[t.Name])
	w.comment("", "What the field props of "+t.Name+" holds.")
	w.line("export interface " + t.Name + "Props {")
	for _, p := range t.Props {
		w.comment("  ", propDescription(p))
		w.line("  " + p.Name + "?: " + jsonType(p) + ";")
	}
	w.line("}\n")
}

// named writes a type that a field leads to.
func (w *tsWriter) named(def *ast.Definition) {
	switch def.Kind {
	case ast.Interface, ast.Union:
		w.comment("", def.Description)
		var names []string
		for _, t := range w.g.schema.PossibleTypes[def.Name] {
			names = append(names, w.name(t.Name))
		}
		w.line("export type " + def.Name + " = " + strings.Join(names, " | ") + ";\n")
	case ast.Enum:
		w.comment("", def.Description)
		var values []string
		for _, v := range def.EnumValues {
			values = append(values, strconv.Quote(v.Name))
		}
		w.line("export type " + def.Name + " = " + strings.Join(values, " | ") + ";\n")
	default:
		w.object(def)
	}
}

func (w *tsWriter) object(def *ast.Definition) {
	w.comment("", def.Description)
	w.line("export interface " + def.Name + " {")
	w.line("  __typename?: " + strconv.Quote(def.Name) + ";")
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") || w.g.policies.fields[f]&classBit(tutti.BrowserKey) == 0 {
			continue
		}
		words := f.Description
		if d := f.Directives.ForName("deprecated"); d != nil {
			words = joined(words, "@deprecated "+d.Arguments.ForName("reason").Value.Raw)
		}
		w.comment("  ", words)
		w.line("  " + f.Name + "?: " + w.field(def.Name, f) + ";")
	}
	w.line("}\n")
}

// field is the type of a field, which may be more exact than its GraphQL type.
func (w *tsWriter) field(of string, f *ast.FieldDefinition) string {
	props, isComponent := w.props[of]
	switch p, isProp := props[f.Name]; {
	case isComponent && f.Name == "type":
		return strconv.Quote(of)
	case isComponent && f.Name == "props":
		return of + "Props"
	case isProp && len(p.Values) > 0:
		return words(p.Values) + " | null"
	}
	return w.of(f.Type)
}

func (w *tsWriter) of(t *ast.Type) string {
	var s string
	if t.Elem != nil {
		s = w.of(t.Elem)
		if strings.Contains(s, " ") {
			s = "(" + s + ")"
		}
		s += "[]"
	} else {
		s = w.name(t.NamedType)
	}
	if !t.NonNull {
		s += " | null"
	}
	return s
}

// name is how a named type is called, which is written then.
func (w *tsWriter) name(graphQL string) string {
	switch graphQL {
	case "Int", "Float":
		return "number"
	case "Boolean":
		return "boolean"
	case "JSON":
		return "unknown"
	}
	if w.g.schema.Types[graphQL].Kind == ast.Scalar {
		return "string"
	}
	if !w.seen[graphQL] && graphQL != componentInterface {
		w.seen[graphQL] = true
		w.next = append(w.next, graphQL)
	}
	return graphQL
}

// jsonType is the type of a prop's value in props.
func jsonType(p tutti.PropDefinition) string {
	switch p.Type {
	case tutti.PropInt, tutti.PropFloat:
		return "number"
	case tutti.PropBoolean:
		return "boolean"
	case tutti.PropMoney:
		return "{ amount: string; currency: string }"
	case tutti.PropPlace:
		return "{ lat: number; lon: number }"
	case tutti.PropJSON:
		return "unknown"
	case tutti.PropResource:
		return "ShortResource"
	case tutti.PropResources:
		return "ShortList"
	}
	if len(p.Values) > 0 {
		return words(p.Values)
	}
	return "string"
}

func words(values []string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = fmt.Sprintf("%q", v)
	}
	slices.Sort(list)
	return strings.Join(list, " | ")
}
