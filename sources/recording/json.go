package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A recording is written as YAML, of which JSON is a part: an answer may be pasted as it is. Numbers
// keep their digits, and members their order.

const maxDepth = 200

// Tree is a JSON value as it stands in the file.
type Tree struct{ node *yaml.Node }

// UnmarshalYAML keeps what is written.
func (t *Tree) UnmarshalYAML(n *yaml.Node) error {
	t.node = n
	return nil
}

// MarshalYAML writes it as it was.
func (t *Tree) MarshalYAML() (any, error) { return t.node, nil }

// bytes writes it as JSON; nothing for none.
func (t *Tree) bytes() ([]byte, error) {
	if t == nil {
		return nil, nil
	}
	var b bytes.Buffer
	if err := appendJSON(&b, t.node, 0); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func appendJSON(b *bytes.Buffer, n *yaml.Node, depth int) error {
	if depth > maxDepth || b.Len() > MaxBytes {
		return errors.New("is too deep or too large, perhaps by its aliases")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return appendJSON(b, n.Alias, depth+1)
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind != yaml.ScalarNode || n.Content[i].ShortTag() == "!!merge" {
				return errors.New("has a key that is no text")
			}
			if i > 0 {
				b.WriteByte(',')
			}
			appendText(b, n.Content[i].Value)
			b.WriteByte(':')
			if err := appendJSON(b, n.Content[i+1], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendJSON(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		appendScalar(b, n)
	}
	return nil
}

func appendScalar(b *bytes.Buffer, n *yaml.Node) {
	switch n.ShortTag() {
	case "!!null":
		b.WriteString("null")
		return
	case "!!bool":
		b.WriteString(strings.ToLower(n.Value))
		return
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			b.WriteString(n.Value)
			return
		}
	}
	appendText(b, n.Value)
}

func appendText(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text always has a JSON form
	b.Truncate(b.Len() - 1)
}

// treeOf reads JSON into a tree. Small lists and objects of plain values stand on one line.
func treeOf(b []byte) (*Tree, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	if err == nil && dec.More() {
		err = errors.New("holds more than one value")
	}
	if err != nil {
		return nil, err
	}
	return &Tree{n}, nil
}

func readNode(dec *json.Decoder, depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, errors.New("is too deep")
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for dec.More() {
			child, err := readNode(dec, depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err = dec.Token()
		if isShort(n) {
			n.Style = yaml.FlowStyle
		}
		return n, err
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t}, nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(t.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: t.String()}, nil
	case bool:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}
		if t {
			n.Value = "true"
		}
		return n, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

func isShort(n *yaml.Node) bool {
	size := 0
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode || strings.Contains(c.Value, "\n") {
			return len(n.Content) == 0
		}
		size += len(c.Value) + 2
	}
	return size <= 120
}

// value decodes a YAML tree as JSON would be, with numbers as they are written.
func value(b []byte) (v any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	ok = dec.Decode(&v) == nil
	return v, ok
}
