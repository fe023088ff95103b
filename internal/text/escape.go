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

var inLine = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "~", `\~`, "&", `\&`)

// EscapeMarkdown makes s words of CommonMark: nothing in it marks anything.
func EscapeMarkdown(s string) string {
	lines := strings.Split(inLine.Replace(s), "\n")
	for i, line := range lines {
		line = strings.TrimLeft(line, " \t")
		lines[i] = escapeLineStart(line)
	}
	return strings.Join(lines, "\n")
}

// escapeLineStart escapes what marks something only at the start of a line: # + - = 1. 1)
func escapeLineStart(line string) string {
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	switch {
	case line == "":
		return line
	case strings.ContainsRune("#+-=", rune(line[0])):
		return `\` + line
	case digits > 0 && digits < len(line) && (line[digits] == '.' || line[digits] == ')'):
		return line[:digits] + `\` + line[digits:]
	}
	return line
}
