package sources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// call is a compiled CallSpec.
type call struct {
	method   string
	path     *template
	query    []queryPart
	form     []queryPart // nil = none
	headers  []namedTemplate
	body     any // nil, or what node makes of it
	graphql  *graphqlCall
	limits   *limits // of the manifest
	idsInURL bool

	record, records, total, more, next, end []string // where they stand in the answer; nil = nowhere
	places                                  places
	statuses                                []int
	notFound                                *expression
	keyed                                   bool // records stand in an object
	conditional, fresh                      bool
	leads                                   bool       // what comes next is what the origin says: an address, or parameters
	byTag, byTime                           bool       // of conditional: ETag, Last-Modified
	format                                  *format    // nil = JSON
	lists                                   *xmlLists  // of XML
	folder, base                            *template  // of protocol files
	stmt                                    *statement // of protocol sql
}

type queryPart struct {
	name string
	*template
	encode string
	join   string    // of csv and pipe: what stands between values
	expr   *exprPart // of encode expr; then there is no template
}

var (
	conditionals = []string{"", "etag", "last-modified", "both"}
	encodings    = []string{"", "csv", "pipe", "repeat", "bracket", "json", "expr"}
)

func (c *compiler) call(at string, s *CallSpec, fragment string, in namesOf) *call {
	if !c.m.speaksHTTP() || s.SQL != "" || s.Files != nil {
		return c.systemCall(at, s, in)
	}
	out := &call{limits: c.limited, method: s.Method, headers: c.headers(at+".headers", s.Headers, in)}
	path := s.Path
	if s.GraphQL != nil {
		out.graphql = c.graphql(at+".graphql", s.GraphQL, fragment, in)
		if path == "" {
			path = c.m.GraphQL
		}
		if s.Body != nil {
			c.wrong(at+".body", "stands beside graphql", "Write variables under graphql.")
		}
	}
	out.path = c.template(at+".path", path, in)
	c.given(at, s, out.path)
	if slices.ContainsFunc(out.path.parts, func(p templatePart) bool { return strings.ContainsAny(p.words, "?#") }) {
		c.wrong(at+".path", "holds a query", "Write it under query, where values are escaped for it.")
	}
	if parts := out.path.parts; !strings.HasPrefix(path, "/") && (len(parts) == 0 || !parts[0].setting) {
		c.wrong(at+".path", "is missing or does not start with '/'", "Write, for example:  path: /v1/items/${id}")
	}
	out.query = c.parameters(at+".query", s.Query, in)
	if s.Body != nil {
		out.body = c.node(at+".body", s.Body, in)
	}
	if out.method == "" {
		out.method = http.MethodGet
		if s.Body != nil || s.GraphQL != nil {
			out.method = http.MethodPost
		}
	}
	c.form(at, s, out, in)
	if !slices.Contains([]string{"GET", "HEAD", "POST", "SEARCH", "QUERY"}, out.method) {
		c.wrong(at+".method", "is none that only reads", "Write GET, HEAD, POST, SEARCH or QUERY.")
	}
	out.records, out.record = c.path(at+".records", s.Records), c.path(at+".record", s.Record)
	out.total, out.more = c.path(at+".total", s.Total), c.path(at+".more", s.More)
	out.keyed = s.Keyed
	if s.NotFound != nil {
		out.statuses = s.NotFound.Statuses
		for i, status := range out.statuses {
			if status <= 200 || status > 599 {
				c.wrong(fmt.Sprintf("%s.notFound.statuses.%d", at, i), "is no status that can mean “there is none”", "Write, for example:  statuses: [404]  (or  when: answer.found == false,  for what an answer of 200 says)")
			}
		}
		out.notFound = c.optional(at+".notFound.when", s.NotFound.When, answerNames)
	}
	if !slices.Contains(conditionals, s.Conditional) {
		c.wrong(at+".conditional", "is unknown", "Write etag, last-modified or both.")
	}
	if s.Fresh != "" && s.Fresh != "cache-control" {
		c.wrong(at+".fresh", "is unknown", "Write cache-control.")
	}
	out.conditional, out.fresh = s.Conditional != "", s.Fresh == "cache-control"
	out.byTag, out.byTime = s.Conditional == "etag" || s.Conditional == "both", s.Conditional == "last-modified" || s.Conditional == "both"
	c.format(at, s, out)
	return out
}

// parameters compiles those of a query or a form.
func (c *compiler) parameters(at string, all map[string]QuerySpec, in namesOf) (out []queryPart) {
	for _, name := range sortedKeys(all) {
		q, qat := all[name], at+"."+name
		if !slices.Contains(encodings, q.Encode) {
			c.wrong(qat+".encode", unknown(q.Encode), oneOf(q.Encode, encodings[1:]))
		}
		if q.Encode == "expr" {
			out = append(out, queryPart{name: name, encode: q.Encode, expr: c.exprPart(qat, q, in)})
			continue
		}
		c.onlyExpr(qat, q)
		part := queryPart{name: name, template: c.template(qat, q.Value, in), encode: q.Encode, join: "|"}
		if q.Encode == "csv" {
			part.join = cmp.Or(q.Join, ",")
		}
		if part.encode != "" && slices.Contains(encodings, part.encode) && part.whole() == nil {
			c.wrong(qat+".encode", "is for a list, and the value is not one ${…} alone", "Write, for example:  value: \"${ids}\"  (or  encode: expr,  for a list in an expression)")
		}
		out = append(out, part)
	}
	return out
}

// path reads a path into an answer: data.products.items; "." is the answer itself.
func (c *compiler) path(at, src string) []string {
	switch src {
	case "":
		return nil
	case ".":
		return []string{}
	}
	steps := strings.Split(src, ".")
	if slices.Contains(steps, "") || strings.ContainsAny(src, "[]*") || strings.HasPrefix(src, "$.") || strings.HasPrefix(src, "/") {
		c.wrong(at, "is no path", "Write names joined by dots, such as data.items (data.lists.0 for the first of a list), or '.' for the answer itself.")
	}
	return steps
}

// node compiles the values of a JSON tree in a request.
func (c *compiler) node(at string, v any, in namesOf) any {
	switch v := v.(type) {
	case string:
		return c.template(at, v, in)
	case map[string]any:
		out := map[string]any{}
		for _, k := range sortedKeys(v) {
			out[k] = c.node(at+"."+k, v[k], in)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = c.node(at+"."+strconv.Itoa(i), v[i], in)
		}
		return out
	case map[any]any:
		c.wrong(at, "has keys that are not text", "")
	case time.Time:
		c.wrong(at, "is an instant to YAML, and would be written as one", "Write it in quotes.")
	case int, int64, uint64, float64:
		c.number(at, v)
	}
	return v
}

// number makes sure that a number in a request is what it looks like.
func (c *compiler) number(at string, v any) {
	f, isFloat := v.(float64)
	src := ""
	if n := c.m.lines[at].value; n != nil {
		src = n.Value
	}
	switch digits := strings.Trim(src, "-0123456789"); {
	case isFloat && (math.IsNaN(f) || math.IsInf(f, 0)):
		c.wrong(at, "is no number that JSON has", "Write it in quotes, or take it out.")
	case isFloat && src != "" && digits == "":
		c.wrong(at, "has more digits than a number keeps", "Write it in quotes.")
	case !isFloat && src != "" && src != fmt.Sprint(v):
		c.wrong(at, fmt.Sprintf("is %v to YAML", v), "Write that, or what you mean in quotes.")
	}
}

// fillNode puts values into a compiled JSON tree. A text that is one ${…} becomes the value with
// its type. What is absent is left out, in lists too, and so is an object of which nothing is left.
func fillNode(n any, vars map[string]any) (v any, ok bool, err error) {
	switch n := n.(type) {
	case *template:
		if e := n.whole(); e != nil {
			v, ok, err := e.eval(vars)
			if p, isPlace := v.(tutti.Place); isPlace {
				v = map[string]any{"lat": p.Lat, "lon": p.Lon}
			}
			return v, ok, err
		}
		return n.renderValue(vars)
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, child := range n {
			c, ok, err := fillNode(child, vars)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out[k] = c
			}
		}
		return out, len(out) > 0 || len(n) == 0, nil
	case []any:
		out := make([]any, 0, len(n))
		for _, child := range n {
			c, ok, err := fillNode(child, vars)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, c)
			}
		}
		return out, true, nil
	}
	return n, true, nil
}

func (t *template) renderValue(vars map[string]any) (any, bool, error) {
	s, ok, err := t.render(vars, nil)
	return s, ok, err
}

// build makes the HTTP request of a call to the system at an address. Every value is escaped for its
// place; a path value can neither add nor remove a segment.
func (k *call) build(at string, own ownPart, vars map[string]any) (fetch.Request, error) {
	path, ok, err := k.path.address(vars)
	if err != nil {
		return fetch.Request{}, err
	}
	if !ok || path[0] != '/' {
		return fetch.Request{}, tutti.Errorf(tutti.InvalidValue, "writing the path of a call: a value is missing")
	}
	u := queries.Get().(*query)
	defer queries.Put(u)
	u.b = append(append(u.b[:0], at...), path...)
	if u.sep = '?'; strings.Contains(path, "?") {
		u.sep = '&'
	}
	if err := k.writeQuery(u, vars); err != nil {
		return fetch.Request{}, err
	}
	if next, ok := vars[addressVar].(string); ok && k.leads {
		u.b, u.sep = append(append(u.b[:0], origin(at)...), next...), '?'
		if strings.Contains(next, "?") {
			u.sep = '&'
		}
	}
	if own.query != "" {
		u.b = append(append(u.b, u.sep), own.query...)
	}
	r := fetch.Request{Method: k.method, URL: string(u.b), Header: own.plain}
	if len(k.headers) > 0 {
		r.Header = k.accept()
		for _, h := range k.headers {
			v, ok, err := h.render(vars, headerValue)
			if err != nil {
				return r, err
			}
			if ok {
				r.Header.Set(h.name, v)
			}
		}
		maps.Copy(r.Header, own.header)
	}
	var body any
	switch {
	case k.graphql != nil:
		if body, err = k.graphql.body(vars); err != nil {
			return r, err
		}
	case k.body != nil:
		var ok bool
		if body, ok, err = fillNode(k.body, vars); err != nil {
			return r, err
		}
		if !ok {
			body = map[string]any{}
		}
	case k.form != nil:
		return r, k.writeForm(&r, own.form, vars)
	default:
		return r, nil
	}
	if r.Body, err = json.Marshal(body); err != nil {
		return r, tutti.Errorf(tutti.InvalidValue, "writing the body of a call: a value has no JSON form")
	}
	return r, nil
}

// queries lends memory to write one in.
var queries = sync.Pool{New: func() any { return new(query) }}

// query is an address whose query is being written.
type query struct {
	b   []byte
	sep byte // before the next member: '?' or '&'
}

// begin writes the name of a member; its value follows, escaped.
func (q *query) begin(name string) {
	q.b = append(appendEscaped(append(q.b, q.sep), name), '=')
	q.sep = '&'
}

func (q *query) add(name, value string) {
	q.begin(name)
	q.b = appendEscaped(q.b, value)
}

// join writes values as one, with a byte between them.
func (q *query) join(name string, values []string, between string) {
	q.begin(name)
	for i, v := range values {
		if i > 0 {
			q.b = appendEscaped(q.b, between)
		}
		q.b = appendEscaped(q.b, v)
	}
}

// appendEscaped writes what url.QueryEscape gives.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return b
}

func (k *call) writeQuery(u *query, vars map[string]any) error {
	var more map[string]string
	if k.leads {
		more, _ = vars[continueVar].(map[string]string)
		for _, name := range sortedKeys(more) {
			u.add(name, more[name])
		}
	}
	return u.parameters(k.query, more, vars)
}

// parameters writes those that are there, but for those that stand in more.
func (u *query) parameters(all []queryPart, more map[string]string, vars map[string]any) error {
	for _, q := range all {
		if _, again := more[q.name]; again {
			continue
		}
		if q.expr != nil {
			v, ok, err := q.expr.text(vars)
			if err != nil {
				return err
			}
			if ok {
				u.add(q.name, v)
			}
			continue
		}
		if e := q.whole(); e != nil && q.encode != "" {
			v, ok, err := e.eval(vars)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			all, err := writeValues(v)
			if err != nil {
				return err
			}
			switch q.encode {
			case "repeat":
				for _, one := range all {
					u.add(q.name, one)
				}
			case "bracket":
				for _, one := range all {
					u.add(q.name+"[]", one)
				}
			case "json":
				b, _ := json.Marshal(all) // texts always have a JSON form
				u.add(q.name, string(b))
			default:
				u.join(q.name, all, q.join)
			}
			continue
		}
		v, ok, err := q.render(vars, nil)
		if err != nil {
			return err
		}
		if ok {
			u.add(q.name, v)
		}
	}
	return nil
}

// escapeSegment makes a value part of one path segment.
func escapeSegment(s string) (string, error) {
	if s == "" || s == "." || s == ".." || !printable(s) {
		return "", tutti.Errorf(tutti.InvalidValue, "writing a path: a value cannot be part of a path")
	}
	return url.PathEscape(s), nil
}

func headerValue(s string) (string, error) {
	if !printable(s) {
		return "", tutti.Errorf(tutti.InvalidValue, "writing a header: a value holds a control character")
	}
	return s, nil
}

// searchWords leaves of a search only what no query language can take for an operator: words of
// letters and digits in lower case.
func searchWords(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r != '_' && !isWordRune(r) }), " ")
}
