package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// FileOf gives where a document lies in a folder of documents: compositions/home.yaml.
func FileOf(kind tutti.DocumentKind, name string) string {
	for _, f := range folders {
		if f.kind == kind {
			return filepath.Join(f.folder, name+".yaml")
		}
	}
	return redirectsFile
}

// WriteYAML writes a body as a file has it: in the order of the root type, short where there is
// a short form. ParseDocument reads back a body with the same canonical form.
func WriteYAML(kind tutti.DocumentKind, body json.RawMessage) ([]byte, error) {
	canonical, err := Canonical(kind, body)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(canonical))
	d.UseNumber()
	n, err := yamlNode(d, anything)
	if err != nil {
		return nil, err
	}
	if key := nameKey(kind); key != "" {
		dropKey(n, key) // the file's name says it
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "writing a document as YAML: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "writing a document as YAML: %w", err)
	}
	return b.Bytes(), nil
}

// place says what a JSON value is in a composition, as far as writing needs to know.
type place int

const (
	anything place = iota
	props          // a map or list of props
	prop           // one prop, which has a short form
	literal        // a value that is not ours
)

// awkward are words that YAML does not bring back from lines as they are.
var awkward = regexp.MustCompile(`^\s|[^\n\x20-\x7e\x{a0}-\x{d7ff}]|\s\n|[ ]$|\n$`)

func wordsNode(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.Contains(s, "\n") {
		n.Style = yaml.LiteralStyle
	}
	if awkward.MatchString(s) || strings.HasPrefix(s, "'") && !strings.ContainsAny(s, "\"\\") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// yamlNode reads the next JSON value as a YAML node, keys in their order.
func yamlNode(d *json.Decoder, at place) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "reading JSON: %w", err)
	}
	switch x := token.(type) {
	case json.Delim:
		if x == '[' {
			return yamlList(d, at)
		}
		return yamlMapping(d, at)
	case string:
		return wordsNode(x), nil
	case json.Number:
		return number(x), nil
	case bool:
		if x {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}, nil
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

func number(x json.Number) *yaml.Node {
	tag := "!!int"
	if strings.ContainsAny(x.String(), ".eE") {
		tag = "!!float"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: x.String()}
}

func yamlList(d *json.Decoder, at place) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	flow := true
	for d.More() {
		c, err := yamlNode(d, inside(at))
		if err != nil {
			return nil, err
		}
		flow = flow && c.Kind == yaml.ScalarNode && c.Style == 0
		n.Content = append(n.Content, c)
	}
	if flow && len(n.Content) <= 8 {
		n.Style = yaml.FlowStyle
	}
	_, err := d.Token()
	return n, err
}

func yamlMapping(d *json.Decoder, at place) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, tutti.Errorf(tutti.Invalid, "reading JSON: %w", err)
		}
		key, _ := token.(string)
		c, err := yamlNode(d, below(at, key))
		if err != nil {
			return nil, err
		}
		if c.Tag == "!!null" && at == anything {
			continue // nothing is written there
		}
		n.Content = append(n.Content, wordsNode(key), c)
	}
	if _, err := d.Token(); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "reading JSON: %w", err)
	}
	if at == prop && len(n.Content) == 2 && n.Content[0].Value == "value" && n.Content[1].Kind != yaml.MappingNode && n.Content[1].Tag != "!!null" {
		return n.Content[1], nil
	}
	return n, nil
}

// inside says what the elements of a list are.
func inside(at place) place {
	if at == props {
		return prop
	}
	return at
}

// below says what stands under a key.
func below(at place, key string) place {
	switch {
	case at == props:
		return prop
	case at == prop && (key == "fallback" || key == "channels" || key == "locales"):
		return props
	case at == prop, at == literal, key == "default", key == "filter":
		return literal
	case key == "props":
		return props
	}
	return anything
}

func dropKey(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
			return
		}
	}
}
