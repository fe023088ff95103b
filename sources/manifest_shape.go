package sources

import (
	"reflect"
	"strconv"

	"github.com/tuttihq/tutti/internal/expr"
	"go.yaml.in/yaml/v3"
)

// checkShape compares a YAML tree with the Go types of the manifest: unknown and repeated keys,
// and values of the wrong form. It notes the line of every key on the way, and which places cannot be read.
//
// So that no mistake hides another, the tree is read on: a key that is nearly one is taken for it, of a repeated one the first.
// readable is false where that would be without end.
func checkShape(m *Manifest, root *yaml.Node) (problems []error, readable bool) {
	c := &shapeChecker{m: m}
	c.check("", root, reflect.TypeFor[Manifest](), 0)
	return c.problems, !c.endless
}

type shapeChecker struct {
	m        *Manifest
	problems []error
	nodes    int
	endless  bool // there are aliases, or too much
}

const (
	maxDepth = 40
	maxNodes = 100_000 // aliases of aliases would multiply without end
)

func (c *shapeChecker) wrong(path string, n *yaml.Node, what, hint string) {
	if _, ok := c.m.lines[path]; !ok {
		c.m.lines[path] = spot{n.Line, n.Column, n}
	}
	c.m.unread[path] = true
	c.problems = append(c.problems, c.m.wrong(path, what, hint))
}

// shortForms are the types that may also be written as one text.
var shortForms = map[reflect.Type]bool{reflect.TypeFor[QuerySpec](): true, reflect.TypeFor[FieldSpec](): true, reflect.TypeFor[SchemeSpec](): true}

func (c *shapeChecker) check(path string, n *yaml.Node, t reflect.Type, depth int) {
	if n.Kind == yaml.AliasNode {
		c.endless = true
		c.wrong(path, n, "is an alias, which manifests do not have", "Write it out.")
		return
	}
	c.m.lines[path] = spot{n.Line, n.Column, n}
	if c.nodes++; c.nodes > maxNodes || depth > maxDepth {
		c.endless = true
		if c.nodes == maxNodes+1 || depth == maxDepth+1 {
			c.wrong(path, n, "is nested too deeply or too long", "")
		}
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.ScalarNode && shortForms[t] {
		if n.Tag == "!!null" {
			c.wrong(path, n, "is empty", "Write a value, or take the line out.")
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.structure(path, n, t, depth)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			c.wrong(path, n, "must be a mapping", "Write names with values under it.")
			return
		}
		c.eachKey(path, n, func(key string, k, v *yaml.Node) {
			c.check(join(path, key), v, t.Elem(), depth+1)
			c.m.lines[join(path, key)] = spot{k.Line, k.Column, v}
		})
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			c.wrong(path, n, "must be a list", "Write [a, b], or lines that start with '-'.")
			return
		}
		for i, item := range n.Content {
			c.check(join(path, strconv.Itoa(i)), item, t.Elem(), depth+1)
		}
	case reflect.Interface: // any: a template; everything that YAML can say, but without aliases
		if n.Kind == yaml.MappingNode {
			c.eachKey(path, n, func(key string, k, v *yaml.Node) {
				c.check(join(path, key), v, t, depth+1)
				c.m.lines[join(path, key)] = spot{k.Line, k.Column, v}
			})
			return
		}
		for i, item := range n.Content {
			c.check(join(path, strconv.Itoa(i)), item, t, depth+1)
		}
	default:
		c.scalar(path, n, t)
	}
}

func (c *shapeChecker) structure(path string, n *yaml.Node, t reflect.Type, depth int) {
	if n.Kind != yaml.MappingNode {
		c.wrong(path, n, "must be a mapping", "It may hold "+list(keysOf(t))+".")
		return
	}
	fields := fieldsOf(t)
	c.eachKey(path, n, func(key string, k, v *yaml.Node) {
		f, ok := fields[key]
		if !ok {
			at := spot{k.Line, k.Column, v}
			c.m.lines[join(path, key)] = at
			near := expr.Nearest(key, keysOf(t))
			hint := "Write  " + near + ":"
			if near == "" {
				hint = "Write one of " + list(keysOf(t)) + "."
			}
			c.problems = append(c.problems, c.m.wrong(join(path, key), "is no key of a manifest", hint))
			if near != "" && !hasKey(n, near) {
				k.Value = near
				c.check(join(path, near), v, fields[near], depth+1)
				c.m.lines[join(path, near)] = at
			}
			return
		}
		c.check(join(path, key), v, f, depth+1)
		c.m.lines[join(path, key)] = spot{k.Line, k.Column, v}
	})
}

func (c *shapeChecker) eachKey(path string, n *yaml.Node, do func(key string, k, v *yaml.Node)) {
	seen, once := map[string]bool{}, make([]*yaml.Node, 0, len(n.Content))
	defer func() { n.Content = once }()
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			c.problems = append(c.problems, c.m.mistake(k.Line, k.Column, path, "has a key that is not a text", "Write a name."))
			continue
		}
		if seen[k.Value] {
			c.m.lines[join(path, k.Value)] = spot{k.Line, k.Column, k}
			c.wrong(join(path, k.Value), k, "is written twice", "Remove one of them.")
			continue
		}
		seen[k.Value] = true
		once = append(once, k, v)
		do(k.Value, k, v)
	}
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

func (c *shapeChecker) scalar(path string, n *yaml.Node, t reflect.Type) {
	ok, want := n.Kind == yaml.ScalarNode && n.Tag != "!!null", "a text"
	switch t.Kind() {
	case reflect.Bool:
		ok, want = ok && n.Tag == "!!bool", "true or false"
	case reflect.Int:
		want = "a whole number"
		if ok = ok && n.Tag == "!!int"; ok {
			i, err := strconv.Atoi(n.Value)
			ok = err == nil && strconv.Itoa(i) == n.Value // 010 is eight to YAML
		}
	case reflect.Float64:
		ok, want = ok && (n.Tag == "!!int" || n.Tag == "!!float"), "a number"
	}
	if !ok {
		c.wrong(path, n, "must be "+want, "")
	}
}

// fieldsOf gives the type of each YAML key of a struct; those of embedded structs too.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for k, v := range fieldsOf(f.Type) {
				out[k] = v
			}
			continue
		}
		if name := f.Tag.Get("yaml"); name != "" {
			out[name] = f.Type
		}
	}
	return out
}

func keysOf(t reflect.Type) []string { return sortedKeys(fieldsOf(t)) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
