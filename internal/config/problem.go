package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// Problem is one mistake in a file: where it is, what it is, and what to write instead.
type Problem struct {
	File    string
	Line    int    // 0 when it has no line of its own
	Column  int    // 0 = not told
	Field   string // sources.catalog.url; "" when it is about the whole file
	Message string // goes on after the field: "is missing"
	Write   string // the line to write, for example; "" when none helps
}

// String writes the problem on one line, as a compiler does:
//
//	tutti.yaml:14: sources.catalog.url is missing. Write, for example:  url: https://acme.example
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
	}
	if p.Column > 0 {
		fmt.Fprintf(&b, "%d:", p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Field != "" {
		b.WriteString(p.Field + " ")
	}
	b.WriteString(p.Message)
	if !strings.HasSuffix(p.Message, ".") && !strings.HasSuffix(p.Message, "?") {
		b.WriteByte('.')
	}
	if p.Write != "" {
		b.WriteString(" Write, for example:  " + p.Write)
	}
	return b.String()
}

// Problems are all mistakes that were found, as one error with code Invalid.
type Problems []Problem

// Error writes one problem on each line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Is reports whether target is the code Invalid.
func (ps Problems) Is(target error) bool { return target == tutti.Invalid }

// Sort orders problems by file, line and column, and drops repeats.
func (ps Problems) Sort() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.Compact(ps)
}

// err gives nil where there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.Sort()
}

// nearest finds the known word that was probably meant; "" when none is near.
func nearest(word string, known []string) string {
	best, least := "", min(3, max(2, len(word)/2+1))
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to put in, take out or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

func quoted(s string) string { return "“" + s + "”" }

// oneOf says what a value may be: "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
