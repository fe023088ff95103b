package recording

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// anything in a value of a recording stands for any value.
const anything = "***"

// asked is a request as it is compared.
type asked struct {
	method, host, path, rawPath string
	query                       url.Values
	header                      http.Header
	body                        []byte
}

func askedOf(r *http.Request, body []byte) *asked {
	return &asked{method: r.Method, host: r.URL.Host, path: r.URL.Path, rawPath: r.URL.EscapedPath(), query: r.URL.Query(), header: r.Header, body: body}
}

// differences tells what a request asks otherwise than an exchange; nothing when it is the same.
// The most telling come first.
func (e *Exchange) differences(a *asked) (all []string) {
	q := &e.Request
	differs := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	any := e.When != Always // then what is not written may be anything
	if q.Path != a.path && q.Path != a.rawPath && (q.Path != "" || !any) {
		differs("the path is %s", q.Path)
	}
	if m := q.method(); m != a.method && (!any || q.Method != "" || m != http.MethodGet) {
		differs("the method is %s", m)
	}
	if q.Host != "" && !strings.EqualFold(q.Host, a.host) {
		differs("the host is %s", q.Host)
	}
	if q.Query != nil || !any {
		all = append(all, memberDifferences("query", valuesOf(q.Query), a.query)...)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Headers)) {
		if have := a.header.Get(name); !sameText(q.Headers[name], have) {
			differs("the header %s is %s", name, shown(q.Headers[name]))
		}
	}
	return append(all, e.bodyDifferences(a, any)...)
}

func (e *Exchange) bodyDifferences(a *asked, any bool) []string {
	q := &e.Request
	switch {
	case q.JSON != nil:
		want, _ := q.JSON.bytes()
		return jsonDifferences("body", want, a.body)
	case q.GraphQL != nil:
		return q.GraphQL.differences(a.body)
	case q.Form != nil:
		have, err := url.ParseQuery(string(a.body))
		if err != nil {
			return []string{"the body is a form"}
		}
		return memberDifferences("form", valuesOf(q.Form), have)
	case q.Body != "" && !sameText(q.Body, string(a.body)):
		return []string{"the body is " + shown(q.Body)}
	case q.Body == "" && len(a.body) > 0 && !any:
		return []string{"there is no body"}
	}
	return nil
}

func (g *GraphQL) differences(body []byte) []string {
	var sent struct {
		Query     string
		Variables json.RawMessage
	}
	if json.Unmarshal(body, &sent) != nil || sent.Query == "" {
		return []string{"the body is a GraphQL operation"}
	}
	var all []string
	if name := operationOf(sent.Query); name != g.Operation {
		all = append(all, "the operation is “"+g.Operation+"”")
	}
	want, have := []byte("{}"), []byte("{}")
	if g.Variables != nil {
		want, _ = g.Variables.bytes()
	}
	if len(sent.Variables) > 0 && string(sent.Variables) != "null" {
		have = sent.Variables
	}
	return append(all, jsonDifferences("variables", want, have)...)
}

func valuesOf(m map[string]Values) url.Values {
	out := url.Values{}
	for name, v := range m {
		out[name] = v
	}
	return out
}

// memberDifferences compares members as sets.
func memberDifferences(what string, want, have url.Values) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !sameSet(want[name], have[name]) {
			all = append(all, fmt.Sprintf("%s %s is %s", what, name, shown(strings.Join(want[name], ", "))))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			all = append(all, fmt.Sprintf("%s %s is not there", what, name))
		}
	}
	return all
}

func sameSet(want, have []string) bool {
	if len(want) == 1 && want[0] == anything {
		return len(have) > 0
	}
	if len(want) != len(have) {
		return false
	}
	left := slices.Clone(have)
	for _, w := range want {
		i := slices.IndexFunc(left, func(h string) bool { return sameText(w, h) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// sameText compares a text in which *** stands for anything.
func sameText(want, have string) bool {
	if !strings.Contains(want, anything) {
		return want == have
	}
	parts := strings.Split(want, anything)
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(have, first) || len(have) < len(first)+len(last) || !strings.HasSuffix(have, last) {
		return false
	}
	have = have[len(first) : len(have)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(have, p)
		if i < 0 {
			return false
		}
		have = have[i+len(p):]
	}
	return true
}

// jsonDifferences tells where two JSON texts differ: at most three places.
func jsonDifferences(what string, want, have []byte) []string {
	w, _ := value(want)
	h, ok := value(have)
	if !ok {
		return []string{"the " + what + " is JSON"}
	}
	var all []string
	compare(what, w, h, &all)
	return all[:min(3, len(all))]
}

func compare(at string, want, have any, all *[]string) {
	differs := func() {
		b, _ := json.Marshal(want)
		*all = append(*all, at+" is "+shown(string(b)))
	}
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			differs()
			return
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if _, ok := h[name]; !ok {
				*all = append(*all, at+"."+name+" is there")
				continue
			}
			compare(at+"."+name, w[name], h[name], all)
		}
		for _, name := range slices.Sorted(maps.Keys(h)) {
			if _, ok := w[name]; !ok {
				*all = append(*all, at+"."+name+" is not there")
			}
		}
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			differs()
			return
		}
		for i := range w {
			compare(fmt.Sprintf("%s.%d", at, i), w[i], h[i], all)
		}
	case string:
		if h, ok := have.(string); w != anything && (!ok || !sameText(w, h)) {
			differs()
		}
	case json.Number:
		if h, ok := have.(json.Number); !ok || !sameNumber(w, h) {
			differs()
		}
	default:
		if want != have {
			differs()
		}
	}
}

func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	return err1 == nil && err2 == nil && x == y && strings.ContainsAny(string(a+b), ".eE")
}

// shown quotes a value, cut to a length that a person reads.
func shown(s string) string {
	if r := []rune(s); len(r) > 120 {
		s = string(r[:120]) + "…"
	}
	return "“" + s + "”"
}
