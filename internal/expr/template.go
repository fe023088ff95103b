package expr

import "strings"

// TemplatePart is a piece of a text: words as they are, or the expression that stood in ${…}.
type TemplatePart struct {
	Words  string
	Expr   string // "" for words
	Line   int    // where the expression starts in the text, from 1
	Column int
}

// ParseTemplate splits a text at its ${…}. A CEL string inside may hold '}', braces may nest,
// and $${ stands for the two characters ${. A text without ${ is one part; an empty one has
// none. What is not closed is a *tutti.Error with code Invalid, line and column.
func ParseTemplate(s string) ([]TemplatePart, error) {
	var parts []TemplatePart
	var words strings.Builder
	flush := func() {
		if words.Len() > 0 {
			parts = append(parts, TemplatePart{Words: words.String()})
			words.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$${"):
			words.WriteString("${")
			i += 3
		case strings.HasPrefix(s[i:], "${"):
			line, column := Position(s, i)
			end := closing(s, i+2)
			if end < 0 {
				return nil, mistake(line, column, "“${” is not closed", "Write } after the expression, or $${ for the two characters themselves.")
			}
			src := strings.TrimSpace(s[i+2 : end])
			if src == "" {
				return nil, mistake(line, column, "“${}” holds no expression", "Write what should stand there, such as ${stay.name}.")
			}
			flush()
			line, column = Position(s, i+2+strings.Index(s[i+2:], src))
			parts = append(parts, TemplatePart{Expr: src, Line: line, Column: column})
			i = end + 1
		default:
			words.WriteByte(s[i])
			i++
		}
	}
	flush()
	return parts, nil
}

// closing gives the position of the brace that closes the expression starting at i, or -1.
func closing(s string, i int) int {
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			i = stringEnd(s, i) - 1
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}
