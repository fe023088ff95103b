package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A decoder reads YAML nodes into Go values strictly: unknown keys, keys written twice and
// values of the wrong type are problems, and everything after them is still read.
type decoder struct {
	file     string
	env      func(string) (string, bool) // nil = ${…} is left as it is
	named    bool                        // lists of things with a name are maps by name
	columns  bool                        // tell columns
	problems Problems
	at       map[string]*yaml.Node // the node of every path that was written
	visits   int
	depth    int
	tooMuch  bool
}

// defaulter is a type that starts with other values than zero.
type defaulter interface{ setDefaults() }

// A file may use aliases to blow itself up, or to stand inside itself.
const (
	maxVisits = 100_000
	maxDepth  = 100
)

// enter begins a value, unless the file is too large or deep; leave ends it.
func (d *decoder) enter(n *yaml.Node, path string) bool {
	d.visits++
	if d.visits > maxVisits || d.depth >= maxDepth {
		if !d.tooMuch {
			d.tooMuch = true
			if len(path) > 60 {
				path = path[:60] + "…"
			}
			d.problem(n, path, "is too large or too deep, perhaps by its aliases", "")
		}
		return false
	}
	d.depth++
	return true
}

func (d *decoder) leave() { d.depth-- }

// YAMLMistake takes apart what the YAML parser says: the line, 0 when it names none, and what is
// wrong there, with what to look for where the parser's own words help nobody.
func YAMLMistake(err error) (line int, what string) {
	what = strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(what, "line "); ok {
		n, after, _ := strings.Cut(rest, ": ")
		if l, e := strconv.Atoi(n); e == nil {
			line, what = l, after
		}
	}
	switch what {
	case "did not find expected key", "did not find expected '-' indicator":
		what += "; something in the block that starts here is not indented like its neighbours"
	case "mapping values are not allowed in this context":
		what += "; a ':' too many, or a text with ': ' that needs quotes"
	case "found character that cannot start any token", "found a tab character that violates indentation":
		what += "; indent with spaces"
	}
	return line, what
}

// parseFile reads the one document of a YAML text; nil for an empty one.
func (d *decoder) parseFile(content []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		line, message := YAMLMistake(err)
		d.problems = append(d.problems, Problem{File: d.file, Line: line, Message: "this is not YAML: " + message})
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

func (d *decoder) problem(n *yaml.Node, path, message, write string) {
	p := Problem{File: d.file, Field: path, Message: message, Write: write}
	if n != nil {
		p.Line = n.Line
		if d.columns {
			p.Column = n.Column
		}
	}
	d.problems = append(d.problems, p)
}

// value reads a node into v. path names the value in problems.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if !d.enter(n, path) {
		return
	}
	defer d.leave()
	if n.Kind == yaml.AliasNode {
		d.value(n.Alias, v, path)
		return
	}
	if _, ok := d.at[path]; !ok {
		d.at[path] = n
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && v.Type() != rawType && v.Kind() != reflect.Interface {
		return
	}
	if v.CanAddr() {
		if s, ok := v.Addr().Interface().(defaulter); ok {
			s.setDefaults()
		}
	}
	if d.special(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Interface:
		if x, ok := d.plain(n, path); ok && x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		d.scalar(n, v, path)
	}
}

// structure reads a mapping by the json tags of a struct's fields.
func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type(), d.named)
	for _, p := range d.pairs(n, path) {
		at := join(path, p.key.Value)
		i, ok := fields[p.key.Value]
		if !ok {
			d.unknown(p.key, path, keysOf(fields))
			continue
		}
		d.keyed(p, at)
		d.value(p.value, v.Field(i), at)
	}
}

func (d *decoder) unknown(key *yaml.Node, path string, known []string) {
	message, write := "is not known", ""
	if near := nearest(key.Value, known); near != "" {
		message += "; did you mean " + quoted(near) + "?"
	} else {
		message += "; here can stand " + oneOf(known)
		if slices.Contains(known, "bind") { // a prop
			write = "value: {" + key.Value + ": …}"
		}
	}
	d.problem(key, join(path, key.Value), message, write)
}

// list reads a sequence or, where things have names, a mapping by name.
func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	element := v.Type().Elem()
	if d.named && element.Kind() == reflect.Struct {
		if name, ok := element.FieldByName("Name"); ok && name.Type.Kind() == reflect.String {
			for _, p := range d.pairs(n, path) {
				at := join(path, p.key.Value)
				d.keyed(p, at)
				x := reflect.New(element).Elem()
				if s, ok := x.Addr().Interface().(defaulter); ok {
					s.setDefaults() // also for "name:" with nothing after it
				}
				d.value(p.value, x, at)
				x.FieldByName("Name").SetString(p.key.Value)
				if line := x.FieldByName("Line"); line.IsValid() {
					line.SetInt(int64(p.key.Line))
				}
				v.Set(reflect.Append(v, x))
			}
			return
		}
	}
	if n.Kind != yaml.SequenceNode {
		write := ""
		if n.Kind == yaml.ScalarNode {
			write = last(path) + ": [" + n.Value + "]"
		}
		d.problem(n, path, "must be a list", write)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.Content)))
	for i, c := range n.Content {
		x := reflect.New(element).Elem()
		d.value(c, x, path+"["+strconv.Itoa(i)+"]")
		v.Set(reflect.Append(v, x))
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	allowed := enums[v.Type().Key()]
	for _, p := range d.pairs(n, path) {
		at := join(path, p.key.Value)
		d.keyed(p, at)
		if allowed != nil && !slices.Contains(allowed, p.key.Value) {
			d.unknown(p.key, path, allowed)
			continue
		}
		x := reflect.New(v.Type().Elem()).Elem()
		d.value(p.value, x, at)
		v.SetMapIndex(reflect.ValueOf(p.key.Value).Convert(v.Type().Key()), x)
	}
}

// scalar reads one word into a string, bool or number.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	s, ok := d.words(n, path)
	if !ok {
		return
	}
	if allowed := enums[v.Type()]; allowed != nil {
		d.enum(n, s, allowed, path)
		v.SetString(s)
		return
	}
	wrong := func(what, example string) {
		d.problem(n, path, "must be "+what+", not "+quoted(s), last(path)+": "+example)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		if s != "true" && s != "false" {
			wrong("true or false", "true")
		}
		v.SetBool(s == "true")
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(s, 10, 64)
		if size, ok := parseBytes(s); ok && strings.HasSuffix(path, "Bytes") {
			i, err = size, nil
		}
		if err != nil {
			wrong("a whole number", "10")
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f != f {
			wrong("a number", "1.5")
		}
		v.SetFloat(f)
	default:
		d.problem(n, path, fmt.Sprintf("cannot be read into %s", v.Type()), "")
	}
}

func (d *decoder) enum(n *yaml.Node, s string, allowed []string, path string) bool {
	if slices.Contains(allowed, s) {
		return true
	}
	message := "is " + quoted(s) + "; it can be " + oneOf(allowed)
	near := nearest(s, allowed)
	if near == "" {
		near = allowed[0]
	}
	d.problem(n, path, message, example(path, near))
	return false
}

// words gives a scalar's text with the environment put in.
func (d *decoder) words(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		what := "a list"
		if n.Kind == yaml.MappingNode {
			what = "a mapping"
		}
		d.problem(n, path, "must be one value, not "+what, "")
		return "", false
	}
	return d.substitute(n, path)
}

// pair is one key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs gives a mapping's keys in order. Keys that come by "<<" stand after those written here
// and never replace them.
func (d *decoder) pairs(n *yaml.Node, path string) []pair {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		write := ""
		if n.Kind == yaml.SequenceNode && path != "" && len(n.Content) > 0 && n.Content[0].Kind == yaml.ScalarNode {
			write = last(path) + ": {" + n.Content[0].Value + ": …}"
		}
		d.problem(n, path, "must be a mapping of keys to values", write)
		return nil
	}
	var own, merged []pair
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			merged = append(merged, d.merged(value, path)...)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			d.problem(key, path, "has a key that is not a word", "")
			continue
		}
		if line, twice := first[key.Value]; twice {
			d.problem(key, join(path, key.Value), fmt.Sprintf("is written twice; first on line %d", line), "")
			continue
		}
		first[key.Value] = key.Line
		own = append(own, pair{key, value})
	}
	for _, p := range merged {
		if _, ok := first[p.key.Value]; !ok {
			first[p.key.Value] = p.key.Line
			own = append(own, p)
		}
	}
	return own
}

func (d *decoder) merged(n *yaml.Node, path string) []pair {
	if !d.enter(n, path) {
		return nil
	}
	defer d.leave()
	if n.Kind == yaml.SequenceNode {
		var all []pair
		for _, c := range n.Content {
			all = append(all, d.pairs(c, path)...)
		}
		return all
	}
	return d.pairs(n, path)
}

// keyed remembers where a path is written: at its key.
func (d *decoder) keyed(p pair, path string) { d.at[path] = p.key }

// fieldsOf gives the keys of a struct, by its json tags. Where lists are maps by name, the name
// is no key.
func fieldsOf(t reflect.Type, named bool) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || key == "" || key == "-" || named && f.Name == "Name" {
			continue
		}
		fields[key] = i
	}
	return fields
}

func keysOf(fields map[string]int) []string {
	keys := make([]string, len(fields))
	byIndex := map[int]string{}
	top := 0
	for k, i := range fields {
		byIndex[i] = k
		top = max(top, i)
	}
	keys = keys[:0]
	for i := 0; i <= top; i++ {
		if k, ok := byIndex[i]; ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// last gives the last key of a path, without an index.
func last(path string) string {
	key, _, _ := strings.Cut(path[strings.LastIndexByte(path, '.')+1:], "[")
	return key
}

// example shows how a value is written at a path.
func example(path, value string) string {
	if strings.HasSuffix(path, "]") {
		value = "[" + value + "]"
	}
	return last(path) + ": " + value
}

var rawType = reflect.TypeFor[json.RawMessage]()
