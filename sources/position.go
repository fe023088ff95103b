package sources

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// spot is where something stands in the file of a manifest: its key, and its value.
type spot struct {
	line, column int
	value        *yaml.Node
}

// Wrong makes a mistake with its place in the manifest: that of the key at a path such as
// kinds.item.map.title, or of its nearest parent. It is what ParseManifest's errors are.
func (m *Manifest) Wrong(path, what, hint string) *tutti.Error {
	at := m.spot(path)
	return m.mistake(at.line, at.column, path, what, hint)
}

func (m *Manifest) wrong(path, what, hint string) error { return m.Wrong(path, what, hint) }

// spot finds the place of a key, or of its nearest parent.
func (m *Manifest) spot(path string) spot {
	for p := path; ; p = parent(p) {
		if at, ok := m.lines[p]; ok {
			return at
		}
		if p == "" {
			return spot{line: 1, column: 1}
		}
	}
}

func (m *Manifest) mistake(line, column int, path, what, hint string) *tutti.Error {
	msg := fmt.Sprintf("%s:%d:%d:", m.file, line, column)
	if path != "" {
		msg += " " + path
	}
	return &tutti.Error{Code: tutti.Invalid, Message: msg + " " + what + ".", Hint: hint, Line: line, Column: column}
}

// badExpression tells what is wrong in an expression or template, and where inside of it, as the file has it.
func (c *compiler) badExpression(path string, err error) {
	var e *tutti.Error
	if !errors.As(err, &e) {
		c.wrong(path, "is wrong: "+err.Error(), "")
		return
	}
	if c.follows(path) {
		return
	}
	defer func() {
		if c.wrongAt == nil {
			c.wrongAt = map[string]bool{}
		}
		c.wrongAt[path] = true
	}()
	what := "is wrong: " + strings.TrimSuffix(e.Message, ".")
	at, known := c.m.lines[join(path, "value")]
	if !known {
		at, known = c.m.lines[path]
	}
	line, column, ok := 0, 0, false
	if known && e.Line > 0 {
		line, column, ok = c.m.inside(at.value, e.Line, e.Column)
	}
	if !ok {
		c.wrong(path, what, e.Hint)
		return
	}
	_, what, _ = strings.Cut(e.Message, ": ") // it begins with line and column in the text
	c.problems = append(c.problems, c.m.mistake(line, column, path, "is wrong: "+strings.TrimSuffix(what, "."), e.Hint))
}

// inside finds a place of a value's text in the file. It walks over the file and the text side by side: they
// differ in quotes, escapes, and in how YAML folds lines. False when it loses its way.
func (m *Manifest) inside(n *yaml.Node, line, column int) (fileLine, fileColumn int, ok bool) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return 0, 0, false
	}
	lines := bytes.SplitAfter(m.text, []byte("\n"))
	if n.Line > len(lines) {
		return 0, 0, false
	}
	from := 0
	for _, l := range lines[:n.Line-1] {
		from += len(l)
	}
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(m.text[from:])
		from += size
	}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		end := bytes.IndexByte(m.text[from:], '\n')
		if end < 0 {
			return 0, 0, false
		}
		from += end + 1
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		from++
	}
	at, ok := sideBySide(string(m.text[from:]), n.Value, offsetOf(n.Value, line, column))
	if !ok {
		return 0, 0, false
	}
	before := m.text[:from+at]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]), true
}

// offsetOf is the byte at a line and column of a text.
func offsetOf(text string, line, column int) int {
	at := 0
	for range line - 1 {
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	for range column - 1 {
		if at >= len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// sideBySide finds where a byte of a text stands in how it is written.
func sideBySide(written, text string, until int) (at int, ok bool) {
	for i, r := range text {
		if i >= until {
			break
		}
		if unicode.IsSpace(r) {
			continue
		}
		at = skipSpace(written, at)
		if !strings.HasPrefix(written[at:], string(r)) {
			at++ // an escape, or a doubled quote
		}
		if at > len(written) || !strings.HasPrefix(written[at:], string(r)) {
			return 0, false
		}
		at += utf8.RuneLen(r)
	}
	if until < len(text) {
		if r, _ := utf8.DecodeRuneInString(text[until:]); !unicode.IsSpace(r) {
			at = skipSpace(written, at)
		}
	}
	return at, true
}

func skipSpace(s string, at int) int {
	for at < len(s) && strings.IndexByte(" \t\r\n", s[at]) >= 0 {
		at++
	}
	return at
}
