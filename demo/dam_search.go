package demo

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// matcher tells whether a record matches a search.
type matcher func(record) bool

// parseSearch reads the part of Cloudinary's search language that pickers use: words, "exact
// words", field:words, field="exact", * at the end, AND, OR, NOT, parentheses. Nothing matches all.
func parseSearch(s string) (matcher, error) {
	p := &searchParser{tokens: searchTokens(s)}
	if len(p.tokens) == 0 {
		return func(record) bool { return true }, nil
	}
	m, err := p.either()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.at])
	}
	return m, err
}

type searchParser struct {
	tokens []string
	at     int
}

func (p *searchParser) next() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *searchParser) either() (matcher, error) {
	left, err := p.both()
	for err == nil && p.next() == "OR" {
		p.at++
		a := left
		var b matcher
		b, err = p.both()
		left = func(r record) bool { return a(r) || b(r) }
	}
	return left, err
}

func (p *searchParser) both() (matcher, error) {
	left, err := p.single()
	for err == nil && p.at < len(p.tokens) && p.next() != "OR" && p.next() != ")" {
		if p.next() == "AND" {
			p.at++
		}
		a := left
		var b matcher
		b, err = p.single()
		left = func(r record) bool { return a(r) && b(r) }
	}
	return left, err
}

func (p *searchParser) single() (matcher, error) {
	t := p.next()
	p.at++
	switch {
	case t == "" || t == ")" || t == "AND" || t == "OR":
		return nil, errors.New("a term is missing")
	case t == "NOT" || t == "-":
		m, err := p.single()
		return func(r record) bool { return !m(r) }, err
	case t == "(":
		m, err := p.either()
		if err == nil && p.next() != ")" {
			err = errors.New("a parenthesis is not closed")
		}
		p.at++
		return m, err
	}
	field, value, exact := "", t, false
	if i := strings.IndexAny(t, ":="); i > 0 && t[0] != '"' {
		field, value, exact = t[:i], t[i+1:], t[i] == '='
	}
	if strings.HasPrefix(value, `"`) {
		value = strings.Trim(value, `"`)
		exact = exact || field != ""
	}
	value = strings.ReplaceAll(value, `\`, "")
	return func(r record) bool { return matchTerm(r, field, value, exact) }, nil
}

func matchTerm(r record, field, value string, exact bool) bool {
	one := func(s string) bool {
		s, v := strings.ToLower(s), strings.ToLower(value)
		if strings.HasSuffix(v, "*") {
			return strings.HasPrefix(s, strings.TrimSuffix(v, "*"))
		}
		if exact {
			return s == v
		}
		return s == v || slices.Contains(strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(" ,./-_", c) }), v)
	}
	tags := texts(r, "tags")
	context, _ := r["context"].(record)
	custom, _ := context["custom"].(record)
	switch {
	case field == "tags":
		return slices.ContainsFunc(tags, one)
	case field == "folder":
		return one(text(r, "asset_folder"))
	case strings.HasPrefix(field, "context."):
		return one(text(custom, strings.TrimPrefix(field, "context.")))
	case field != "":
		return one(text(r, field))
	}
	words := append([]string{text(r, "public_id"), path.Base(text(r, "public_id")), text(r, "display_name")}, tags...)
	for name := range custom {
		words = append(words, text(custom, name))
	}
	return slices.ContainsFunc(words, one)
}

// searchTokens cuts an expression at spaces and parentheses outside quotes.
func searchTokens(s string) []string {
	var out []string
	var b strings.Builder
	quoted, escaped := false, false
	end := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	for _, r := range s {
		switch {
		case escaped:
			b.WriteRune('\\')
			b.WriteRune(r)
			escaped = false
			continue
		case r == '\\':
			escaped = true
			continue
		case r == '"':
			quoted = !quoted
		case !quoted && (r == '(' || r == ')'):
			end()
			out = append(out, string(r))
			continue
		case !quoted && r == ' ':
			end()
			continue
		}
		b.WriteRune(r)
	}
	end()
	return out
}
