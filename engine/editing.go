package engine

import (
	"errors"
	"slices"

	"github.com/tuttihq/tutti"
)

// Problem is something wrong with a document that is being edited, or worth knowing about it:
// where, what, and what to write instead.
type Problem struct {
	Path    string // slots.main[0].variants.gold.rule
	Line    int    // of the text at Path, from 1; 0 when the mistake has no place in a text
	Column  int
	Message string
	Hint    string // "" when nothing useful can be said
}

// Err makes an error of the problem, with code Invalid, for an answer to the editor.
func (p Problem) Err() error {
	return &tutti.Error{Code: tutti.Invalid, Field: p.Path, Message: p.Message, Hint: p.Hint, Line: p.Line, Column: p.Column}
}

// String is the problem on one line: path: message hint.
func (p Problem) String() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Hint != "" {
		s += " " + p.Hint
	}
	return s
}

// problemOf tells an error at a path.
func problemOf(path string, err error) Problem {
	var e *tutti.Error
	if errors.As(err, &e) {
		if e.Field != "" && path != "" {
			path += "." + e.Field
		} else if e.Field != "" {
			path = e.Field
		}
		return Problem{Path: path, Line: e.Line, Column: e.Column, Message: e.Message, Hint: e.Hint}
	}
	return Problem{Path: path, Message: err.Error()}
}

// notes collects problems and warnings while a document is checked.
type notes struct {
	problems []Problem
	warnings []Problem
}

func (n *notes) wrong(path, message, hint string) {
	n.add(Problem{Path: path, Message: message, Hint: hint})
}

// add notes a problem once: a variant compiles the baseline's props again.
func (n *notes) add(p Problem) {
	if !slices.Contains(n.problems, p) {
		n.problems = append(n.problems, p)
	}
}

func (n *notes) wrongError(path string, err error) {
	n.add(problemOf(path, err))
}

func (n *notes) warn(path, message, hint string) {
	w := Problem{Path: path, Message: message, Hint: hint}
	if !slices.Contains(n.warnings, w) {
		n.warnings = append(n.warnings, w)
	}
}
