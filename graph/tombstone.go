package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tuttihq/tutti"
)

// What tombstones say of themselves.
const (
	goneType = "Deprecated: the config no longer defines this component type. It is never delivered, and stays while stored operations name it."
	goneProp = "The config no longer defines it: always null. It stays while stored operations name it."
)

// tombstonesSDL writes what stored operations name and the config no longer defines: component
// types, with the props that are asked of them, and props of types that are still there. Without
// them one fragment on a removed type would refuse the whole operation. A text that cannot be read
// names nothing. "" when there is nothing to write.
//
// What a prop was is not known any more, so its type is found out by how it is asked for; where
// another component type has a prop of the name, it is that one's. Nothing of it is ever
// delivered: it must only let the operations pass.
func tombstonesSDL(doc *ast.SchemaDocument, types []tutti.ComponentType, operations []string) string {
	g := &graves{doc: doc, typed: map[string]tutti.PropDefinition{}, defined: map[string]map[string]bool{}, asked: map[string]map[string]bool{}, uses: map[string]*propUse{}}
	for i := range types {
		props := map[string]bool{}
		for _, p := range typedProps(&types[i]) {
			g.typed[p.Name] = p.PropDefinition
			props[p.Name] = true
		}
		g.defined[types[i].Name] = props
	}
	for _, text := range operations {
		g.read(text)
	}
	return g.sdl()
}

// graves collects what is asked for and not there.
type graves struct {
	doc     *ast.SchemaDocument
	typed   map[string]tutti.PropDefinition // a prop of each name that the config defines
	defined map[string]map[string]bool      // the props of each component type of the config
	asked   map[string]map[string]bool      // by component type: the props that are not there
	uses    map[string]*propUse             // by the name of a prop that no component type has
}

// propUse is how operations ask for a prop.
type propUse struct {
	fields     map[string]bool // selected directly below
	conditions map[string]bool // of the fragments below
	arguments  map[string]bool
}

func (g *graves) read(text string) {
	query, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return
	}
	w := &graveWalk{graves: g, fragments: query.Fragments}
	for _, op := range query.Operations {
		w.set(op.SelectionSet, "")
	}
	for _, f := range query.Fragments {
		w.under(f.SelectionSet, f.TypeCondition)
	}
}

// graveWalk goes through one document; every fragment is looked at once, where it is defined.
type graveWalk struct {
	*graves
	fragments ast.FragmentDefinitionList
}

// under walks a selection set that stands under a type condition.
func (w *graveWalk) under(set ast.SelectionSet, condition string) {
	if w.doc.Definitions.ForName(condition) != nil { // a type of the API
		w.set(set, "")
		return
	}
	if w.defined[condition] == nil && typeName(condition) && w.asked[condition] == nil {
		w.asked[condition] = map[string]bool{}
	}
	w.set(set, condition)
}

// set walks a selection set of a component type; "" is everything else.
func (w *graveWalk) set(set ast.SelectionSet, of string) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.InlineFragment:
			if s.TypeCondition == "" {
				w.set(s.SelectionSet, of)
			} else {
				w.under(s.SelectionSet, s.TypeCondition)
			}
		case *ast.Field:
			if of != "" {
				w.prop(s, of)
			}
			w.set(s.SelectionSet, "")
		}
	}
}

// prop notes a field of a component type that is not there.
func (w *graveWalk) prop(f *ast.Field, of string) {
	if w.defined[of][f.Name] || strings.HasPrefix(f.Name, "__") || w.doc.Definitions.ForName(componentInterface).Fields.ForName(f.Name) != nil {
		return
	}
	if w.asked[of] == nil {
		w.asked[of] = map[string]bool{}
	}
	w.asked[of][f.Name] = true
	use := w.uses[f.Name]
	if use == nil {
		use = &propUse{fields: map[string]bool{}, conditions: map[string]bool{}, arguments: map[string]bool{}}
		w.uses[f.Name] = use
	}
	for _, a := range f.Arguments {
		use.arguments[a.Name] = true
	}
	w.note(use, f.SelectionSet, map[string]bool{})
}

// note collects what is selected below a prop.
func (w *graveWalk) note(use *propUse, set ast.SelectionSet, seen map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			use.fields[s.Name] = true
		case *ast.InlineFragment:
			if s.TypeCondition == "" {
				w.note(use, s.SelectionSet, seen)
			} else {
				use.conditions[s.TypeCondition] = true
			}
		case *ast.FragmentSpread:
			if f := w.fragments.ForName(s.Name); f != nil && !seen[s.Name] {
				seen[s.Name] = true
				use.conditions[f.TypeCondition] = true
			}
		}
	}
}

// objectProps are the prop types with something to select below, in the order in which they are
// taken for what an operation asks.
var objectProps = []tutti.PropDefinition{
	{Type: tutti.PropResources},
	{Type: tutti.PropRichText},
	{Type: tutti.PropMoney},
	{Type: tutti.PropPlace},
	{Type: tutti.PropResource},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.ProductType}},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.ArticleType}},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.PlaceResourceType}},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.SocialPostType}},
	{Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.SupportTicketType}},
}

// was finds the definition that a removed prop probably had.
func (g *graves) was(name string) tutti.PropDefinition {
	p, known := g.typed[name]
	if use := g.uses[name]; !known && use != nil {
		p = tutti.PropDefinition{Type: tutti.PropJSON} // a leaf of any kind
		if len(use.fields)+len(use.conditions) > 0 {
			i := slices.IndexFunc(objectProps, func(o tutti.PropDefinition) bool { return g.fits(use, o) })
			p = objectProps[max(i, 0)]
		}
	}
	p.Name, p.Description, p.Values, p.MaxLength, p.Deprecated = name, "", nil, 0, goneProp
	return p
}

// fits reports whether operations could have asked for a prop of this definition so.
func (g *graves) fits(use *propUse, p tutti.PropDefinition) bool {
	def := g.doc.Definitions.ForName(p.GraphQLType())
	for name := range use.fields {
		if name != "__typename" && def.Fields.ForName(name) == nil {
			return false
		}
	}
	for condition := range use.conditions {
		other := g.doc.Definitions.ForName(condition)
		if condition != def.Name && (other == nil || !slices.Contains(other.Interfaces, def.Name) && !slices.Contains(def.Interfaces, condition)) {
			return false
		}
	}
	for name := range use.arguments {
		if p.Type != tutti.PropResources || name != "first" {
			return false
		}
	}
	return true
}

func (g *graves) sdl() string {
	var b strings.Builder
	component := g.doc.Definitions.ForName(componentInterface)
	for _, name := range slices.Sorted(maps.Keys(g.asked)) {
		if g.defined[name] != nil {
			if len(g.asked[name]) == 0 {
				continue
			}
			b.WriteString("extend type " + name + " {\n")
		} else {
			openType(&b, name, goneType, component)
		}
		for _, prop := range slices.Sorted(maps.Keys(g.asked[name])) {
			propField(&b, g.was(prop), component)
		}
		b.WriteString("}\n")
	}
	return b.String()
}
