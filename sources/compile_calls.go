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
	call := c.call(at, &b.CallSpec, k.Fragment, batchNames)
	if b.MaxIDs < 1 {
		c.wrong(at+".maxIds", "is missing", "Write how many ids the system takes in one call, for example:  maxIds: 100")
	}
	for key, n := range map[string]int{"maxRows": b.MaxRows, "maxUrlBytes": b.MaxURLBytes} {
		if n < 0 {
			c.wrong(at+"."+key, "is less than 1", "")
		}
	}
	each := call.graphql != nil && call.graphql.each != ""
	if call.records == nil && !each {
		c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items  (or '.' for the answer itself)")
	}
	if call.record != nil {
		c.wrong(at+".record", "is not for many", "Write records.")
	}
	c.onlyOfOne(at, &b.CallSpec)
	if out.single = b.MinIDs > 1; b.MinIDs < 0 || b.MinIDs > 2 || out.single && k.Get == nil {
		c.wrong(at+".minIds", "is not 2, or there is no get for a single one", "Write get besides, and  minIds: 2")
	}
	call.idsInURL = c.idsIn(at+".query", b.Query, call.query, out)
	c.idsIn(at+".form", b.Form, call.form, out)
	if !each && c.readable(at) && !call.uses("ids") {
		c.wrong(at, "does not use ${ids}", "Write it into query, body, form, graphql.variables or sql.")
	}
	if call.method != http.MethodGet {
		call.idsInURL = false
	}
	return call
}

// idsIn reports whether parameters hold the list of ids, and notes what ids can then not hold.
func (c *compiler) idsIn(at string, spec map[string]QuerySpec, parts []queryPart, out *compiledKind) (uses bool) {
	for i := range parts {
		name := parts[i].name
		if !parts[i].uses("ids") {
			continue
		}
		uses = true
		switch q := spec[name]; q.Encode {
		case "csv", "pipe":
			out.listSign = parts[i].join
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
	c.takes = slices.Concat(s.Filters, s.Optional)
	out := &selectCall{call: c.call(at, &s.CallSpec, k.Fragment, selectNames), spec: s, sorts: map[string]any{}}
	c.takes = nil
	if out.records == nil {
		c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items")
	}
	c.text(at, s)
	c.onlyOfOne(at, &s.CallSpec)
	for key, names := range map[string][]string{"filters": s.Filters, "optional": s.Optional} {
		for i, name := range names {
			if _, ok := k.Filters[name]; !ok {
				c.wrong(fmt.Sprintf("%s.%s.%d", at, key, i), "is no filter of the kind", "Declare it under filters.")
			}
		}
	}
	for _, name := range sortedKeys(s.Sorts) {
		out.sorts[name] = c.node(at+".sorts."+name, s.Sorts[name], wholeNames) // nothing that somebody asks with: it is written as it is
	}
	c.paging(at+".paging", &s.Paging, &out.pager)
	if c.readable(at) {
		c.usesWhatItTakes(at, s, out.call)
		c.leadsOn(at+".paging", &out.pager, out.call)
	}
	out.call.next, out.call.end, out.call.leads = out.pager.next, out.pager.end, out.pager.leads
	out.ids = c.optional(at+".ids", s.IDs, recordNames)
	return out
}

// text checks whether a selection may be given one.
func (c *compiler) text(at string, s *SelectSpec) {
	if !slices.Contains([]string{"", "required", "optional"}, s.Text) {
		c.wrong(at+".text", unknown(s.Text), "Write required or optional, or leave it out.")
	}
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
