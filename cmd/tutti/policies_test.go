package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// accessList gives the classes that may ask for a part of the schema.
func accessList(own, of ast.DirectiveList) []string {
	d := own.ForName("access")
	if d == nil {
		d = of.ForName("access")
	}
	if d == nil {
		return nil
	}
	var list []string
	for _, v := range d.Arguments.ForName("to").Value.Children {
		list = append(list, strings.ToLower(v.Value.Raw))
	}
	return list
}

// paths gives for every type an operation that selects something of it, with %s in its place,
// by fields that a class may ask for where there are such.
func paths(schema *ast.Schema, class string) map[string]string {
	found := map[string]string{"Query": "{ %s }", "Mutation": "mutation { %s }", "Subscription": "subscription { %s }"}
	for _, onlyAllowed := range []bool{true, false} {
		for again := true; again; {
			again = false
			for _, name := range slices.Sorted(mapKeys(schema.Types)) {
				def := schema.Types[name]
				if found[name] == "" || strings.HasPrefix(name, "__") || def.Kind == ast.Union {
					continue
				}
				for _, f := range def.Fields {
					if strings.HasPrefix(f.Name, "__") || onlyAllowed && !slices.Contains(accessList(f.Directives, def.Directives), class) {
						continue
					}
					target := schema.Types[f.Type.Name()]
					if !target.IsCompositeType() {
						continue
					}
					reach := func(t *ast.Definition, selection string) {
						if found[t.Name] == "" {
							found[t.Name], again = fmt.Sprintf(found[name], fieldText(schema, f)+" { "+selection+" }"), true
						}
					}
					if target.Kind != ast.Union {
						reach(target, "%s")
					}
					for _, possible := range schema.GetPossibleTypes(target) {
						reach(possible, "... on "+possible.Name+" { %s }")
					}
				}
			}
		}
	}
	return found
}

func mapKeys(m map[string]*ast.Definition) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// fieldText writes a field with the arguments that it needs.
func fieldText(schema *ast.Schema, f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull {
			args = append(args, a.Name+": "+sample(schema, a.Type))
		}
	}
	if len(args) == 0 {
		return f.Name
	}
	return f.Name + "(" + strings.Join(args, ", ") + ")"
}

// sample writes a value of a type.
func sample(schema *ast.Schema, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + sample(schema, t.Elem) + "]"
	}
	switch def := schema.Types[t.NamedType]; {
	case t.NamedType == "Int":
		return "1"
	case t.NamedType == "Float":
		return "1.5"
	case t.NamedType == "Boolean":
		return "true"
	case t.NamedType == "JSON":
		return "{}"
	case t.NamedType == "Ref":
		return `"stay:hotel/azul"`
	case t.NamedType == "DateTime":
		return `"2026-11-21T09:00:00Z"`
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull {
				fields = append(fields, f.Name+": "+sample(schema, f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	return `"x"`
}

// onlyEditing is what browser and server keys must never get, written by hand: the schema must
// not be looser than this page.
var onlyEditing = []string{
	"Query.sources", "Query.compositions", "Query.composition", "Query.personas", "Query.audiences", "Query.redirects", "Query.publications",
	"Slot.why", "Component.why", "Component.assembled", "Component.origins", "Hero.why", "CheckIn.assembled", "Requests.origins",
}

// anyOperation asks as the operation wants to be asked: subscriptions as events.
func (p *played) anyOperation(class tutti.KeyClass, operation string) answer {
	if strings.HasPrefix(operation, "subscription") {
		return p.subscribe(p.key(class), operation, nil)[0]
	}
	return p.ask(p.key(class), "", operation, nil)
}

func TestFieldsAreRefusedToKeysThatMayNotAsk(t *testing.T) {
	t.Parallel()
	p := play(t)
	schema := p.server.house.server.Generation().Schema()
	refused := map[string]bool{}
	for _, class := range tutti.KeyClasses {
		paths := paths(schema, string(class))
		for name, def := range schema.Types {
			if strings.HasPrefix(name, "__") || def.Kind != ast.Object && def.Kind != ast.Interface {
				continue
			}
			for _, f := range def.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				to := accessList(f.Directives, def.Directives)
				if paths[name] == "" || len(to) == 0 {
					t.Fatalf("%s.%s cannot be reached, or has no policy", name, f.Name)
				}
				text := fieldText(schema, f)
				if schema.Types[f.Type.Name()].IsCompositeType() {
					text += " { __typename }"
				}
				operation := fmt.Sprintf(paths[name], text)
				if slices.Contains(to, string(class)) {
					q := strings.Replace(operation, "{ ", "{ ... @include(if: false) { ", 1) + " }" // checked, but not executed
					if a := p.anyOperation(class, q); strings.Contains(a.Raw, name+"."+f.Name+" is not for") || len(a.Errors) > 0 && a.code() != tutti.Forbidden {
						t.Errorf("a %s key may ask for this: %s: %s", class, q, a.Raw)
					}
					continue
				}
				what := name + "." + f.Name
				refused[string(class)+" "+what] = true
				for _, q := range []string{operation, fmt.Sprintf(paths[name], "alias: "+text), fmt.Sprintf(paths[name], "...F") + " fragment F on " + name + " { " + text + " }"} {
					a := p.anyOperation(class, q)
					p.refuses(q, a, tutti.Forbidden)
					if !strings.Contains(a.Raw, what) {
						t.Errorf("%s: does not name %s: %s", q, what, a.Raw)
					}
				}
			}
		}
	}
	for _, class := range []string{"browser", "server"} {
		for _, what := range onlyEditing {
			if !refused[class+" "+what] {
				t.Errorf("a %s key is not refused %s", class, what)
			}
		}
	}
	for _, f := range schema.Types["Mutation"].Fields {
		for _, class := range []string{"browser", "server", "preview"} {
			if !refused[class+" Mutation."+f.Name] {
				t.Errorf("a %s key is not refused the mutation %s", class, f.Name)
			}
		}
	}
	for _, class := range []string{"browser", "server", "preview"} {
		if !refused[class+" SupportTicket.raw"] || !refused[class+" Resource.raw"] {
			t.Errorf("a %s key is not refused raw", class)
		}
	}
	for _, q := range []string{
		`{ experience(composition: "home", channel: "web", preview: {}) { id } }`, `{ experience(composition: "home", channel: "web", preview: null) { id } }`,
		`{ route(path: "/en", channel: "web", preview: {perspective: {state: DRAFT}}) { __typename } }`, `{ resource(ref: "stay:hotel/azul", preview: {persona: "ana-arriving"}) { id } }`,
		`{ resources(refs: ["stay:hotel/azul"], preview: {persona: "ana-arriving"}) { id } }`,
	} {
		for _, class := range []tutti.KeyClass{tutti.BrowserKey, tutti.ServerKey} {
			p.refuses(q, p.ask(p.key(class), "", q, nil), tutti.Forbidden)
		}
	}
	for name, value := range map[string]any{"given": map[string]any{"persona": "ana-arriving"}, "null": nil} {
		a := p.ask(p.key(tutti.ServerKey), "", `query($v: PreviewInput) { experience(composition: "home", channel: "web", preview: $v) { id } }`, map[string]any{"v": value})
		p.refuses("preview as a variable, "+name, a, tutti.Forbidden)
	}
}
