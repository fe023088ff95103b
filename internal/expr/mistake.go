package expr

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"github.com/tuttihq/tutti"
)

// mistake makes an error for the person who wrote src: what is wrong, where, what to write.
func mistake(line, column int, message, hint string) *tutti.Error {
	return &tutti.Error{
		Code: tutti.Invalid, Message: fmt.Sprintf("line %d, column %d: %s.", line, column, message),
		Hint: hint, Line: line, Column: column,
	}
}

// mistakes translates the first of CEL's complaints.
func mistakes(src string, issues *cel.Issues, names []string, hints func(string) string) error {
	errs := issues.Errors()
	if len(errs) == 0 {
		return mistake(1, 1, "the expression cannot be read", "")
	}
	first := errs[0]
	for _, e := range errs[1:] {
		if l, f := e.Location, first.Location; l.Line() < f.Line() || l.Line() == f.Line() && l.Column() < f.Column() {
			first = e
		}
	}
	line, column := max(first.Location.Line(), 1), max(first.Location.Column(), 0)+1
	if strings.HasPrefix(first.Message, "Syntax error") || strings.Contains(first.Message, "unsupported syntax") {
		if at, message, hint, ok := commonSlip(src); ok {
			l, c := Position(src, at)
			return mistake(l, c, message, hint)
		}
	}
	if g := undeclared.FindStringSubmatch(first.Message); g != nil {
		column = startOf(g[1], src, line, column)
	}
	message, hint := translate(first.Message, names, hints)
	return mistake(line, column, message, hint)
}

// startOf gives the column where a name starts: CEL points at the bracket of a call, and at the
// last dot of a name with dots.
func startOf(name, src string, line, column int) int {
	lines := strings.Split(src, "\n")
	if line > len(lines) {
		return column
	}
	r := []rune(lines[line-1])
	for back := 0; back <= utf8.RuneCountInString(name); back++ {
		if at := column - 1 - back; at >= 0 && at < len(r) && strings.HasPrefix(string(r[at:]), name) {
			return at + 1
		}
	}
	return column
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	overload   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	undefined  = regexp.MustCompile(`^undefined field '([^']*)'`)
)

func translate(m string, names []string, hints func(string) string) (message, hint string) {
	if g := undeclared.FindStringSubmatch(m); g != nil {
		if hints != nil {
			if h := hints(g[1]); h != "" {
				return "“" + g[1] + "” is not declared", h
			}
		}
		return "“" + g[1] + "” is not declared", DidYouMean(g[1], append(append([]string{}, names...), near(functionNames, g[1])...))
	}
	if g := overload.FindStringSubmatch(m); g != nil {
		return wrongTypes(g[1], strings.Trim(g[2], "()"))
	}
	if g := undefined.FindStringSubmatch(m); g != nil {
		return "there is no field “" + g[1] + "” here", ""
	}
	if strings.Contains(m, "has() macro") {
		return "has() needs a field, such as has(item.image)", "An attribute that is absent makes the rule unknown, so has() is not needed for attributes."
	}
	m = strings.TrimPrefix(m, "Syntax error: ")
	m = strings.TrimSuffix(m, ".")
	switch {
	case strings.Contains(m, "'<EOF>'") || strings.Contains(m, "at: '<EOF>"):
		return "the expression ends too early", "Look for a missing value, bracket or quote at the end."
	case strings.HasPrefix(m, "extraneous input "), strings.HasPrefix(m, "mismatched input "), strings.HasPrefix(m, "no viable alternative at input "):
		if i := strings.Index(m, " expecting"); i > 0 {
			m = m[:i]
		}
		what := m[strings.Index(m, "input ")+6:]
		return "did not expect " + what + " here", "Join conditions with && or ||; text stands in 'quotes'."
	case strings.HasPrefix(m, "token recognition error at: "):
		return "cannot read " + strings.TrimPrefix(m, "token recognition error at: "), "Text stands in 'quotes', and its end needs one too."
	case strings.HasPrefix(m, "expression code point size exceeds limit"), strings.Contains(m, "expression recursion limit exceeded"):
		return "the expression is too long or nested too deep", fmt.Sprintf("Use %d characters at most, and put parts of it into audiences or derived attributes.", MaxSource)
	}
	return m, ""
}

// near keeps function names out of proposals unless one is really close.
func near(all []string, name string) []string {
	if n := Nearest(name, all); n != "" {
		return []string{n}
	}
	return nil
}

var operatorNames = strings.NewReplacer("_&&_", "&&", "_||_", "||", "!_", "!", "_==_", "==", "_!=_", "!=", "_<=_", "<=", "_>=_", ">=", "_<_", "<", "_>_", ">",
	"_+_", "+", "_-_", "-", "_*_", "*", "_/_", "/", "_%_", "%", "-_", "-", "_[_]", "[ ]", "@in", "in", "_?_:_", "? :")

// calls are how functions of ours are called.
var calls = map[string]string{
	"money": "money(minor, currency)", "money.major": "money.major(amount, currency)", "date": "date(value), date(value, layout) or date(value, layout, zone)",
	"lang": "lang(value, locales) or lang(list, locales, key)", "rich": "rich(value, from)", "url": "url(value, base)", "nullIf": "nullIf(value, x)", "path": "path(value, 'a.b')",
	"plain": "plain(html)", "join": "join(list, ', ')", "split": "split(text, ', ')", "replace": "replace(text, 'this', 'by this')", "escape": "escape(text)", "base64url": "base64url(text)",
	"lower": "lower(text)", "upper": "upper(text)", "capital": "capital(text)", "trim": "trim(text)", "geo.distance": "geo.distance(place, place)",
}

func wrongTypes(op, args string) (message, hint string) {
	name := operatorNames.Replace(op)
	args = strings.NewReplacer("map(string, double)", "place", "map(string, dyn)", "map", "google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration", "list(string)", "list of text", "string", "text").Replace(args)
	parts := strings.Split(strings.ReplaceAll(args, "dyn", "a value"), ", ")
	message = fmt.Sprintf("“%s” does not work with %s", name, strings.Join(parts, " and "))
	if call := calls[name]; call != "" {
		return message, "Write  " + call
	}
	if len(parts) != 2 {
		return message, ""
	}
	a, b := parts[0], parts[1]
	is := func(x, y string) bool { return a == x && b == y || a == y && b == x }
	switch {
	case name == "&&" || name == "||":
		hint = "Both sides must be conditions, such as tier == 'gold'."
	case is("timestamp", "text"):
		hint = "Write timestamp('2026-12-01T00:00:00Z')."
	case is("text", "int"), is("text", "double"):
		hint = "Put text into 'quotes' and leave numbers without, or convert with string(…)."
	case is("bool", "text"), is("bool", "int"):
		hint = "A yes-or-no value needs no comparison: write it alone, or ! in front."
	case is("int", "double"):
		hint = "Write whole numbers of this kind with .0, such as 800.0."
	case is("list of text", "text") && name == "==":
		hint = "Write 'value' in list."
	}
	return message, hint
}

// commonSlip finds what people write who know other languages.
func commonSlip(src string) (at int, message, hint string, found bool) {
	code := blankStrings(src)
	for i := 0; i < len(code); i++ {
		c := code[i]
		next, last := byte(0), byte(0)
		if i+1 < len(code) {
			next = code[i+1]
		}
		if i > 0 {
			last = code[i-1]
		}
		switch {
		case c == '=' && next == '=' && i+2 < len(code) && code[i+2] == '=':
			return i, "“===” is no operator", "Write == to compare.", true
		case c == '=' && next != '=' && !strings.ContainsRune("=!<>", rune(last)):
			return i, "“=” is no comparison", "Write == to compare, such as " + example(src, i) + ".", true
		case c == '<' && next == '>':
			return i, "“<>” is no operator", "Write != for “is not”.", true
		case c == '&' && next != '&' && last != '&':
			return i, "“&” is no operator", "Write && for “and”.", true
		case c == '|' && next != '|' && last != '|':
			return i, "“|” is no operator", "Write || for “or”.", true
		}
		for _, w := range []struct{ word, op string }{{"and", "&&"}, {"or", "||"}, {"not", "!"}, {"AND", "&&"}, {"OR", "||"}, {"NOT", "!"}, {"is", "=="}} {
			if word(code, i, w.word) {
				return i, "“" + w.word + "” is no operator", "Write " + w.op + ".", true
			}
		}
	}
	for i, r := range code {
		if strings.ContainsRune("“”„‘’", r) {
			return i, "“" + string(r) + "” is no quote here", "Write straight quotes: 'gold'.", true
		}
	}
	return 0, "", "", false
}

// example turns tier = 'gold' into tier == 'gold'.
func example(src string, at int) string {
	left := strings.FieldsFunc(src[:at], func(r rune) bool { return strings.ContainsRune(" \t\n(&|!", r) })
	right := strings.FieldsFunc(src[at+1:], func(r rune) bool { return strings.ContainsRune(" \t\n)&|", r) })
	if len(left) == 0 || len(right) == 0 {
		return "tier == 'gold'"
	}
	return left[len(left)-1] + " == " + right[0]
}

func word(code string, i int, w string) bool {
	if !strings.HasPrefix(code[i:], w) {
		return false
	}
	letter := func(c byte) bool {
		return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	end := i + len(w)
	return (i == 0 || !letter(code[i-1])) && (end == len(code) || !letter(code[end]) && code[end] != '(')
}

// blankStrings replaces what stands in quotes by spaces, byte for byte.
func blankStrings(src string) string {
	b := []byte(src)
	for i := 0; i < len(b); i++ {
		if b[i] != '\'' && b[i] != '"' {
			continue
		}
		end := stringEnd(src, i)
		for j := i; j < end; j++ {
			b[j] = ' '
		}
		i = end - 1
	}
	return string(b)
}

// stringEnd gives the position after the CEL string that starts at i; len(src) when it is open.
func stringEnd(src string, i int) int {
	q := src[i]
	raw := i > 0 && (src[i-1] == 'r' || src[i-1] == 'R')
	triple := strings.HasPrefix(src[i:], strings.Repeat(string(q), 3))
	j := i + 1
	if triple {
		j = i + 3
	}
	for ; j < len(src); j++ {
		switch {
		case src[j] == '\\' && !raw:
			j++
		case triple && strings.HasPrefix(src[j:], strings.Repeat(string(q), 3)):
			return j + 3
		case !triple && src[j] == q:
			return j + 1
		case !triple && src[j] == '\n':
			return j
		}
	}
	return len(src)
}

// Position gives the line and column, from 1, of a byte position in a text.
func Position(src string, at int) (line, column int) {
	before := src[:min(at, len(src))]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}
