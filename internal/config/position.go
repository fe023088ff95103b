package config

import (
	"strconv"
	"strings"
)

// Problem makes a problem at a path of the body, with the line and column of the nearest thing
// that is written there. Steps of a path are keys (title), indexes ([0]), and names: a slot by
// its name and a component by its place in it, as experiences have it (slots.main[0].props.image).
func (d Document) Problem(path, message, write string) Problem {
	line, column := d.Position(path)
	return Problem{File: d.File, Line: line, Column: column, Field: path, Message: message, Write: write}
}

// Position finds the line and column of a path; those of what is around it when the path is not
// written, 0 and 0 for a document that was not read from a file.
func (d Document) Position(path string) (line, column int) {
	node := d.at[""]
	here, now := "", d.tree
	for _, step := range steps(path) {
		var ok bool
		if here, now, ok = stepInto(here, now, step); !ok {
			break
		}
		if n, ok := d.at[here]; ok {
			node = n
		}
	}
	if node == nil {
		return 0, 0
	}
	return node.Line, node.Column
}

// steps splits a path at dots and brackets: a.b[0] is a, b, [0].
func steps(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, ".") {
		for {
			i := strings.IndexByte(part[min(1, len(part)):], '[')
			if i < 0 {
				break
			}
			out, part = append(out, part[:i+1]), part[i+1:]
		}
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// stepInto goes one step down and gives the path by keys and indexes of where that is.
func stepInto(here string, now any, step string) (string, any, bool) {
	index, isIndex := -1, false
	if strings.HasPrefix(step, "[") {
		if i, err := strconv.Atoi(strings.Trim(step, "[]")); err == nil {
			index, isIndex = i, true
		}
	}
	switch at := now.(type) {
	case map[string]any:
		if next, ok := at[step]; ok {
			return join(here, step), next, true
		}
		if components, ok := at["components"]; isIndex && ok { // slots.main[0]
			return stepInto(join(here, "components"), components, step)
		}
	case []any:
		if isIndex && index >= 0 && index < len(at) {
			return here + step, at[index], true
		}
		for i, x := range at {
			if object, ok := x.(map[string]any); ok && (object["name"] == step || object["id"] == step) {
				return here + "[" + strconv.Itoa(i) + "]", x, true
			}
		}
	}
	return here, now, false
}
