package sources

import (
	"fmt"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// quoting is how a query language writes a value that cannot be taken for anything else.
type quoting struct {
	mark   byte   // around a text
	escape string // before a mark, and before itself where it is a backslash, in a text
	time   string // the layout of an instant
	bare   bool   // an instant stands without marks
}

// quotings are those that manifests can name.
var quotings = map[string]quoting{
	"json":      {mark: '"', escape: `\`, time: time.RFC3339},
	"lucene":    {mark: '"', escape: `\`, time: time.RFC3339},
	"soql":      {mark: '\'', escape: `\`, time: time.RFC3339, bare: true},
	"sql":       {mark: '\'', escape: `'`, time: time.DateTime},
	"ticketsql": {mark: '\'', escape: `\`, time: time.DateTime},
}

// exprPart is a query parameter in a query language: conditions that are joined by AND, each left
// out when a value in it is absent, in a text around them.
type exprPart struct {
	before, after *template
	all           []*template
	each, eachEnd string // around each value of a list
	join          string
	quote         *quoting // nil = only words and numbers, which need none
}

func (c *compiler) exprPart(at string, q QuerySpec, in func() (*expr.Dynamic, error)) *exprPart {
	out := &exprPart{join: q.Join}
	if out.join == "" {
		out.join = " OR "
	}
	each := q.Each
	if each == "" {
		each = "{}"
	}
	var ok bool
	if out.each, out.eachEnd, ok = strings.Cut(each, "{}"); !ok || strings.Contains(out.eachEnd, "{}") {
		c.wrong(at+".each", "has not exactly one {}", "Write how one value of the list stands in the expression, for example:  each: id = {}")
	}
	if q.Quote != "" {
		quote, ok := quotings[q.Quote]
		if !ok {
			c.wrong(at+".quote", unknown(q.Quote), oneOf(q.Quote, sortedKeys(quotings)))
		}
		out.quote = &quote
	}
	before, after, around := q.Value, "", false
	if len(q.All) > 0 {
		if before, after, around = strings.Cut(q.Value, "{}"); !around && q.Value != "" || strings.Contains(after, "{}") {
			c.wrong(at+".value", "has not exactly one {} where the conditions of all stand", "Write, for example:  value: SELECT Id FROM Case WHERE {}")
		}
	}
	out.before, out.after = c.template(at+".value", before, in), c.template(at+".value", after, in)
	for i, condition := range q.All {
		out.all = append(out.all, c.template(fmt.Sprintf("%s.all.%d", at, i), condition, in))
		c.unquoted(fmt.Sprintf("%s.all.%d", at, i), out.quote, out.all[i])
	}
	c.unquoted(at+".value", out.quote, out.before)
	c.unquoted(at+".value", out.quote, out.after)
	c.unquoted(at+".each", out.quote, &template{parts: []templatePart{{words: out.each}, {expr: &expression{}}}})
	return out
}

// unquoted makes sure that no value stands in quotation marks of the manifest: it brings its own, and what it holds would
// stand outside of both.
func (c *compiler) unquoted(at string, q *quoting, t *template) {
	if q == nil {
		return
	}
	open := false
	for _, p := range t.parts {
		if p.expr != nil && open {
			c.wrong(at, "has a value in quotation marks, which quote writes itself", "Write, for example:  name = ${text}  (marks of a pattern are part of the value:  ${'%' + text + '%'})")
			return
		}
		for i := 0; i < len(p.words); i++ {
			switch {
			case open && q.escape == `\` && p.words[i] == '\\':
				i++
			case p.words[i] == q.mark:
				open = !open
			}
		}
	}
}

// onlyExpr makes sure that the keys of encode expr stand beside it.
func (c *compiler) onlyExpr(at string, q QuerySpec) {
	given := map[string]bool{"all": len(q.All) > 0, "each": q.Each != "", "join": q.Join != "" && q.Encode != "csv", "quote": q.Quote != ""}
	for _, key := range sortedKeys(given) {
		if given[key] {
			c.wrong(at+"."+key, "is only for an expression", "Write  encode: expr")
		}
	}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

// text writes the parameter; false when it, or all of its conditions, are absent.
func (p *exprPart) text(vars map[string]any) (string, bool, error) {
	var b strings.Builder
	if ok, err := p.write(&b, p.before, vars); !ok || err != nil || len(p.all) == 0 {
		return b.String(), ok, err
	}
	written := 0
	for _, t := range p.all {
		var one strings.Builder
		ok, err := p.write(&one, t, vars)
		if err != nil {
			return "", false, err
		}
		if !ok {
			continue
		}
		if written++; written > 1 {
			b.WriteString(" AND ")
		}
		b.WriteString(one.String())
	}
	ok, err := p.write(&b, p.after, vars)
	return b.String(), ok && written > 0, err
}

// write adds a template in which every value is written in the query language.
func (p *exprPart) write(b *strings.Builder, t *template, vars map[string]any) (ok bool, err error) {
	for _, part := range t.parts {
		if part.expr == nil {
			b.WriteString(part.words)
			continue
		}
		v, ok, err := part.expr.eval(vars)
		if err != nil || !ok {
			return false, err
		}
		s := ""
		if len(part.expr.path) > 0 && part.expr.path[0] == "sort" { // the manifest's own words
			s, err = writeValue(v)
		} else {
			s, err = p.value(v)
		}
		if err != nil {
			return false, err
		}
		b.WriteString(s)
	}
	return true, nil
}

// value writes a value, or each of a list.
func (p *exprPart) value(v any) (string, error) {
	var list []any
	switch v := v.(type) {
	case []string:
		list = anys(v)
	case []any:
		list = v
	default:
		return p.one(v)
	}
	var b strings.Builder
	for i, one := range list {
		s, err := p.one(one)
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(p.join)
		}
		b.WriteString(p.each + s + p.eachEnd)
	}
	return b.String(), nil
}

// one writes a text in quotation marks, a number and a truth value as it is.
func (p *exprPart) one(v any) (string, error) {
	s, err := writeValue(v)
	if err != nil {
		return "", err
	}
	if _, isText := v.(string); !isText {
		at, isTime := v.(time.Time)
		if !isTime {
			return s, nil
		}
		if p.quote == nil {
			return at.UTC().Format(time.RFC3339), nil
		}
		if s = at.UTC().Format(p.quote.time); p.quote.bare {
			return s, nil
		}
	}
	if p.quote == nil {
		if !isWord(s) {
			return "", tutti.Errorf(tutti.InvalidValue, "writing an expression: a value needs quotation marks, and the manifest names no quote")
		}
		return s, nil
	}
	if !printable(s) {
		return "", tutti.Errorf(tutti.InvalidValue, "writing an expression: a value holds a control character")
	}
	return p.quote.around(s), nil
}

func (q *quoting) around(s string) string {
	b := append(make([]byte, 0, len(s)+2), q.mark)
	for i := range len(s) {
		if s[i] == q.mark || q.escape == `\` && s[i] == '\\' {
			b = append(b, q.escape...)
		}
		b = append(b, s[i])
	}
	return string(append(b, q.mark))
}

// isWord reports whether a text is a word or a whole number in every query language.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// idCost is how many bytes of URL each id takes besides its own.
func (q *queryPart) idCost() int {
	name := len(appendEscaped(nil, q.name))
	switch {
	case q.expr != nil:
		n := len(appendEscaped(nil, q.expr.each+q.expr.eachEnd+q.expr.join))
		if q.expr.quote != nil {
			n += 2 * len("%27")
		}
		return n
	case q.encode == "repeat":
		return name + len("&=")
	case q.encode == "bracket":
		return name + len("&%5B%5D=")
	case q.encode == "json":
		return len("%22%22%2C")
	case q.encode == "":
		return 1
	}
	return len(appendEscaped(nil, q.join))
}

// idCost is the most that a parameter with ids adds for each.
func (k *call) idCost() int {
	most := 1
	for i := range k.query {
		if k.query[i].uses("ids") {
			most = max(most, k.query[i].idCost())
		}
	}
	return most
}
