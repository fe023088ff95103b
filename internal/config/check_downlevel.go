package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// downlevel checks the down-level forms of a component type.
func (k *checker) downlevel(path string, t *tutti.ComponentType, typed map[string]typedAt) {
	var versions []int
	for i := range t.Downlevel {
		d, at := &t.Downlevel[i], path+"["+strconv.Itoa(i)+"]"
		props := d.Props
		switch {
		case (d.Type == "") == (d.Version == 0):
			k.bad(at, "is either an older version of "+t.Name+", or another component type", "version: "+strconv.Itoa(max(1, t.Version-1))+", with its props; or  type: Card")
			continue
		case d.Type != "":
			other := k.componentType(d.Type)
			if other == nil || other.Name == t.Name {
				k.unknownName(at+".type", d.Type, "other component type", k.otherTypes(t.Name))
				continue
			}
			if len(props) > 0 {
				k.bad(at+".props", "are those of "+d.Type+" already: write only from", "")
			}
			props = other.Props
		default:
			if d.Version < 1 || d.Version >= t.Version || slices.Contains(versions, d.Version) {
				k.bad(at+".version", fmt.Sprintf("must be an older version than %d, each once", t.Version), "")
			}
			versions = append(versions, d.Version)
			k.missing(at+".props", len(props) == 0, "props: {title: {type: text}}")
			for _, p := range props {
				k.prop(at+".props."+p.Name, p)
				k.oneType(at+".props."+p.Name, p, typed)
			}
		}
		k.madeOf(at, t, d, props)
	}
}

// madeOf checks what the props of a form are made of.
func (k *checker) madeOf(path string, t *tutti.ComponentType, d *tutti.Downlevel, props []tutti.PropDefinition) {
	var names, own []string
	for _, p := range props {
		names = append(names, p.Name)
	}
	for _, p := range t.Props {
		own = append(own, p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(d.From)) {
		if !slices.Contains(names, name) {
			k.unknownName(path+".from", name, "prop of the form", names)
		} else if d.From[name] != "" && !slices.Contains(own, d.From[name]) {
			k.unknownName(path+".from."+name, d.From[name], "prop of "+t.Name, own)
		}
	}
	for _, p := range props {
		of, named := d.From[p.Name]
		if !named {
			of = p.Name
		}
		at := path + ".from." + p.Name
		from, ok := t.Prop(of)
		switch {
		case of == "" && p.Required:
			k.bad(at, "is empty, but the form requires "+quoted(p.Name), "from: {"+p.Name+": "+first(own, "headline")+"}")
		case !ok && !named && (p.Required || d.Type == ""):
			k.bad(at, "is missing: "+t.Name+" has no prop "+quoted(p.Name)+" that it could be made of", "from: {"+p.Name+": "+first(own, "headline")+"}")
		case ok && from.Type != p.Type && !(words(from.Type) && words(p.Type)):
			k.bad(at, fmt.Sprintf("is of type %s, and cannot be made of %s, which is of type %s", p.Type, of, from.Type), "")
		}
	}
}

// words reports whether a prop of a type holds words: those can be made of each other.
func words(t tutti.PropType) bool {
	return t == tutti.PropText || t == tutti.PropRichText || t == tutti.PropString
}

func first(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

func (k *checker) componentType(name string) *tutti.ComponentType {
	for i := range k.c.ComponentTypes {
		if k.c.ComponentTypes[i].Name == name {
			return &k.c.ComponentTypes[i]
		}
	}
	return nil
}

func (k *checker) otherTypes(than string) []string {
	var names []string
	for _, t := range k.c.ComponentTypes {
		if t.Name != than {
			names = append(names, t.Name)
		}
	}
	return names
}
