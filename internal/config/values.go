package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// enums are the closed lists among the types of strings.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[tutti.Access]():        {"public", "visitor", "internal"},
	reflect.TypeFor[tutti.AttributeType](): {"string", "bool", "int", "double", "timestamp", "place", "list"},
	reflect.TypeFor[tutti.Purpose]():       {"necessary", "personalization", "analytics", "marketing"},
	reflect.TypeFor[tutti.Sensitivity]():   {"public", "segment", "personal"},
	reflect.TypeFor[tutti.OperationMode](): {"off", "log", "enforce", "ids"},
	reflect.TypeFor[tutti.RichTextForm]():  {"html", "markdown", "plain", "ssml"},
	reflect.TypeFor[tutti.ResourceType]():  {"Asset", "Product", "SocialPost", "SupportTicket", "Article", "Place", "Record"},
	reflect.TypeFor[tutti.PropType](): {
		"text", "richText", "string", "int", "float", "boolean", "dateTime", "money", "url", "place", "json", "resource", "resources",
	},
}

var trusts = []string{"client", "signed", "server"}

// bytesSize is a number of bytes, written 16384, 64KiB or 256MB.
type bytesSize int64

// special reads the types that are written differently than Go has them; false for the others.
func (d *decoder) special(n *yaml.Node, v reflect.Value, path string) bool {
	switch to := v.Addr().Interface().(type) {
	case *tutti.Secret:
		if n.Kind == yaml.ScalarNode && n.Value != "" && !strings.Contains(strings.ReplaceAll(n.Value, "$${", ""), "${") {
			d.problem(n, path, "is written out; secrets come from the environment or a file", last(path)+": ${ACME_"+strings.ToUpper(last(path))+"}  or  "+last(path)+": ${file:/run/secrets/"+last(path)+"}")
			return true
		}
		if s, ok := d.words(n, path); ok {
			*to = tutti.NewSecret(s)
		}
	case *time.Duration:
		if s, ok := d.words(n, path); ok {
			x, err := time.ParseDuration(s)
			if err != nil || x < 0 {
				d.problem(n, path, "must be a span of time, not "+quoted(s), last(path)+": 30s")
				return true
			}
			*to = x
		}
	case *bytesSize:
		if s, ok := d.words(n, path); ok {
			x, ok := parseBytes(s)
			if !ok {
				d.problem(n, path, "must be a number of bytes, not "+quoted(s), last(path)+": 64MiB")
			}
			*to = bytesSize(x)
		}
	case *int64:
		var size bytesSize
		if d.special(n, reflect.ValueOf(&size).Elem(), path) {
			*to = int64(size)
		}
	case *tutti.Trust:
		if s, ok := d.words(n, path); ok && d.enum(n, s, trusts, path) {
			for i, t := range trusts {
				if t == s {
					*to = tutti.Trust(i)
				}
			}
		}
	case *json.RawMessage:
		*to = d.raw(n, path)
	case *tutti.Text:
		if n.Kind != yaml.ScalarNode {
			d.mapping(n, v, path)
		} else if s, ok := d.words(n, path); ok {
			*to = tutti.Text{"": s}
		}
	case *tutti.Prop:
		if n.Kind == yaml.MappingNode {
			return false
		}
		*to = tutti.Prop{Value: d.raw(n, path)}
	default:
		return false
	}
	return true
}

var byteUnits = []struct {
	suffix string
	factor float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func parseBytes(s string) (int64, bool) {
	for _, u := range byteUnits {
		if number, ok := strings.CutSuffix(s, u.suffix); ok {
			x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			return int64(x * u.factor), err == nil && x >= 0 && x*u.factor < 1<<62
		}
	}
	return 0, false
}

var variable = regexp.MustCompile(`\$?\$\{(?:([A-Z_][A-Z0-9_]*)(:-([^}]*))?|file:([^}]+))\}`)

// substitute puts the environment into a scalar: ${NAME}, or ${NAME:-default}; and files: ${file:PATH}.
// Names are capital letters, digits and '_', so that ${props.headline} of a template stays; $${NAME} is
// a literal ${NAME}.
func (d *decoder) substitute(n *yaml.Node, path string) (string, bool) {
	if d.env == nil || !strings.Contains(n.Value, "${") {
		return n.Value, true
	}
	ok := true
	s := variable.ReplaceAllStringFunc(n.Value, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		m := variable.FindStringSubmatch(found)
		if m[4] != "" {
			value, err := readValue(d.file, m[4])
			if err != nil {
				ok = false
				d.problem(n, path, "needs the file "+m[4]+", which "+err.Error(), "")
			}
			return value
		}
		if value, set := d.env(m[1]); set && value != "" {
			return value
		} else if m[2] != "" {
			return m[3]
		}
		ok = false
		d.problem(n, path, "needs the environment variable "+m[1]+", which is not set", "export "+m[1]+"=…")
		return ""
	})
	return s, ok
}

// raw gives a node as JSON.
func (d *decoder) raw(n *yaml.Node, path string) json.RawMessage {
	x, ok := d.plain(n, path)
	if !ok {
		return nil
	}
	b, err := encode(x)
	if err != nil {
		d.problem(n, path, "cannot be written as JSON: "+err.Error(), "")
		return nil
	}
	return b
}

// encode writes JSON without escaping <, > and &, keys in order.
func encode(x any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "writing JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// plain gives a node as encoding/json would: nil, bool, json.Number, string, []any and
// map[string]any. Dates stay the words they are written as.
func (d *decoder) plain(n *yaml.Node, path string) (any, bool) {
	if !d.enter(n, path) {
		return nil, false
	}
	defer d.leave()
	switch n.Kind {
	case yaml.AliasNode:
		return d.plain(n.Alias, path)
	case yaml.MappingNode:
		m := map[string]any{}
		for _, p := range d.pairs(n, path) {
			at := join(path, p.key.Value)
			d.keyed(p, at)
			x, ok := d.plain(p.value, at)
			if !ok {
				return nil, false
			}
			m[p.key.Value] = x
		}
		return m, true
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			at := path + "[" + strconv.Itoa(i) + "]"
			d.at[at] = c
			x, ok := d.plain(c, at)
			if !ok {
				return nil, false
			}
			list = append(list, x)
		}
		return list, true
	}
	s, ok := d.words(n, path)
	if !ok {
		return nil, false
	}
	switch n.Tag {
	case "!!null":
		return nil, true
	case "!!bool":
		return strings.EqualFold(s, "true"), true
	case "!!int", "!!float":
		return d.number(n, s, path)
	}
	return s, true
}

func (d *decoder) number(n *yaml.Node, s, path string) (any, bool) {
	if jsonNumber.MatchString(s) {
		return json.Number(s), true
	}
	var x any
	if err := n.Decode(&x); err == nil {
		if b, err := json.Marshal(x); err == nil { // 0x1F, 1_000, +5
			return json.Number(b), true
		}
	}
	d.problem(n, path, "is a number that JSON does not know: "+quoted(s), "")
	return nil, false
}
