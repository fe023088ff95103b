package sources

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// selectCall is a compiled SelectSpec.
type selectCall struct {
	*call
	pager
	spec  *SelectSpec
	sorts map[string]any
	ids   *expression
	whole *wholeSelect // of a kind with whole; nil = the system selects
}

func (c *compiler) batch(at string, k *KindSpec, out *compiledKind) *call {
	b := k.Batch
	call := c.call(at, &b.CallSpec, k.Fragment)
	if b.MaxIDs < 1 {
		c.wrong(at+".maxIds", "is missing", "Write how many ids the system takes in one call, for example:  maxIds: 100")
	}
	each := call.graphql != nil && call.graphql.each != ""
	if call.records == nil && !each {
		c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items  (or '.' for the answer itself)")
	}
	if call.record != nil {
		c.wrong(at+".record", "is not for many", "Write records.")
	}
	c.onlyOfOne(at, &b.CallSpec)
	if out.single = b.MinIDs > 1; out.single && (k.Get == nil || b.MinIDs > 2) {
		c.wrong(at+".minIds", "is more than 2, or there is no get for a single one", "Write get besides, and  minIds: 2")
	}
	uses := each
	if c.idsIn(at+".query", b.Query, out) {
		uses, call.idsInURL = true, true
	}
	uses = c.idsIn(at+".form", b.Form, out) || uses
	if b.GraphQL != nil && mentions(b.GraphQL.Variables, "ids") || mentions(b.Body, "ids") || strings.Contains(b.SQL, "$ids") {
		uses = true
	}
	if !uses {
		c.wrong(at, "does not use ${ids}", "Write it into query, body, form, graphql.variables or sql.")
	}
	if call.method != http.MethodGet {
		call.idsInURL = false
	}
	return call
}

// idsIn reports whether parameters hold the list of ids, and notes what ids can then not hold.
func (c *compiler) idsIn(at string, parameters map[string]QuerySpec, out *compiledKind) (uses bool) {
	for name, q := range parameters {
		if !q.mentions("ids") {
			continue
		}
		uses = true
		switch q.Encode {
		case "csv":
			out.listSign = ","
		case "pipe":
			out.listSign = "|"
		case "expr":
			out.wordsOnly = q.Quote == ""
		case "":
			c.wrong(at+"."+name+".encode", "is missing", "Write how the list is written: csv, pipe, repeat, bracket, json or expr.")
		}
	}
	return uses
}

// onlyOfOne makes sure that a call for many does not ask whether one item is as it was: an answer about many
// says nothing of each, and which are asked for together is another set each time.
func (c *compiler) onlyOfOne(at string, s *CallSpec) {
	if s.Conditional != "" {
		c.wrong(at+".conditional", "is not for many: the answer's validator is not a record's", "Write get besides, with conditional: single items are asked for with it.")
	}
}

// mentions reports whether a text in a tree holds a word.
func mentions(v any, word string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, word)
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return mentions(x, word) })
	case map[string]any:
		for _, x := range v {
			if mentions(x, word) {
				return true
			}
		}
	}
	return false
}

func queryMentions(q map[string]QuerySpec, word string) bool {
	for _, p := range q {
		if p.mentions(word) {
			return true
		}
	}
	return false
}

func (c *compiler) selection(at string, k *KindSpec, s *SelectSpec) *selectCall {
	if s == nil {
		c.wrong(at, "is empty", "")
		return &selectCall{call: &call{}, pager: pager{spec: &PagingSpec{}}, spec: &SelectSpec{}}
	}
	if k.Whole != nil {
		return c.wholeSelection(at, k, s)
	}
	if len(s.Where) > 0 || len(s.Search) > 0 {
		c.wrong(at, "has where or search, which are only for a kind with whole, whose records are all here", "Write what the system is asked for.")
	}
	out := &selectCall{call: c.call(at, &s.CallSpec, k.Fragment), spec: s, sorts: map[string]any{}}
	if out.records == nil {
		c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items")
	}
	if !slices.Contains([]string{"", "required", "optional"}, s.Text) {
		c.wrong(at+".text", unknown(s.Text), "Write required or optional, or leave it out.")
	}
	c.onlyOfOne(at, &s.CallSpec)
	for key, names := range map[string][]string{"filters": s.Filters, "optional": s.Optional} {
		for i, name := range names {
			if _, ok := k.Filters[name]; !ok {
				c.wrong(fmt.Sprintf("%s.%s.%d", at, key, i), "is no filter of the kind", "Declare it under filters.")
			}
		}
	}
	for _, name := range sortedKeys(s.Sorts) {
		out.sorts[name] = c.node(at+".sorts."+name, s.Sorts[name])
	}
	c.paging(at+".paging", &s.Paging, &out.pager)
	out.call.next, out.call.end, out.call.leads = out.pager.next, out.pager.end, out.pager.leads
	out.ids = c.optional(at+".ids", s.IDs, recordNames)
	return out
}

// answers reports whether this call can answer what a selection gives.
func (s *selectCall) answers(filter map[string]any, text, sort, owner string) bool {
	if (text != "" && s.spec.Text == "") || (text == "" && s.spec.Text == "required") || s.spec.Owner != (owner != "") {
		return false
	}
	if _, ok := s.sorts[sort]; sort != "" && !ok {
		return false
	}
	for _, f := range s.spec.Filters {
		if _, ok := filter[f]; !ok {
			return false
		}
	}
	for f := range filter {
		if !slices.Contains(s.spec.Filters, f) && !slices.Contains(s.spec.Optional, f) {
			return false
		}
	}
	return true
}

// says tells a person what the call answers.
func (s *selectCall) says() string {
	var parts []string
	parts = append(parts, s.spec.Filters...)
	for _, f := range s.spec.Optional {
		parts = append(parts, "["+f+"]")
	}
	switch s.spec.Text {
	case "required":
		parts = append(parts, "text")
	case "optional":
		parts = append(parts, "[text]")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " + ")
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
