package text

import (
	"html"
	"strings"
)

// EscapeHTML makes s words of HTML, safe in text and in quoted attributes.
func EscapeHTML(s string) string { return html.EscapeString(s) }

var xmlWords = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// EscapeSSML makes s words of SSML, safe in text and in quoted attributes. Characters that XML
// does not allow are removed.
func EscapeSSML(s string) string { return xmlWords.Replace(clean(s)) }

// EscapeMarkdown makes s words of CommonMark: nothing in it marks anything.
func EscapeMarkdown(s string) string { return escapeLineStarts(escapeInLine(s)) }

// escapeInLine escapes what marks something anywhere in a line.
func escapeInLine(s string) string {
	if !strings.ContainsAny(s, "\\`*_[]<|~&") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case strings.IndexByte("\\`*_[]<|~", c) >= 0, c == '&' && (i == len(s)-1 || letterOrHash(s[i+1])):
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func letterOrHash(c byte) bool { return c == '#' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// escapeLineStarts escapes what marks something only at the start of a line: # + - = : > 1. 1)
func escapeLineStarts(s string) string {
	if !strings.Contains(s, "\n") {
		return escapeLineStart(strings.TrimLeft(s, " \t"))
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = escapeLineStart(strings.TrimLeft(line, " \t"))
	}
	return strings.Join(lines, "\n")
}

func escapeLineStart(line string) string {
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	switch {
	case line == "":
		return line
	case strings.IndexByte("#+-=:>", line[0]) >= 0:
		return `\` + line
	case digits > 0 && digits < len(line) && (line[digits] == '.' || line[digits] == ')'):
		return line[:digits] + `\` + line[digits:]
	}
	return line
}
