package sources

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"github.com/tuttihq/tutti"
)

// Select takes the first of the kind's calls that can answer what the selection gives.
func (c *manifestConnector) Select(ctx context.Context, q tutti.Selection, s tutti.Scope) (Page, error) {
	k := c.kinds[q.Kind]
	way := k.way(q)
	if way == nil {
		return Page{}, k.noWay(q)
	}
	vars := c.vars(s)
	if q.Filter != nil {
		vars["filter"] = q.Filter
	}
	for name, v := range map[string]string{"text": q.Text, "owner": q.Owner} {
		if v != "" {
			vars[name] = v
		}
	}
	vars["words"] = searchWords(q.Text)
	if way.spec.Owner && k.ownerID != nil && !k.ownerID.MatchString(q.Owner) {
		none := 0
		return Page{Total: &none}, nil // nobody can be called that
	}
	if q.Text != "" && vars["words"] == "" {
		none := 0
		return Page{Total: &none}, nil // nothing to look for
	}
	if q.Sort != "" {
		v, ok, err := fillNode(way.sorts[q.Sort], vars)
		if err != nil {
			return Page{}, err
		}
		if ok {
			vars["sort"] = v
		}
	}
	at, err := way.start(q.After, q.First, vars)
	if err != nil {
		return Page{}, err
	}
	if way.pager.leads {
		if at.asked, err = c.address(way.call, at.cursor, vars); err != nil {
			return Page{}, err
		}
	}
	a, err := c.do(ctx, way.call, vars, "")
	if err != nil {
		return Page{}, err
	}
	defer a.free()
	return c.readPage(k, way, a, at, s)
}

// way gives the first call that can answer what a selection gives; nil when none can.
func (k *compiledKind) way(q tutti.Selection) *selectCall {
	for _, w := range k.selects {
		if w.answers(q.Filter, q.Text, q.Sort, q.Owner) {
			return w
		}
	}
	return nil
}

// answers refuses a selection that no call of the kind can answer.
func (c *manifestConnector) answers(kind string, q tutti.Selection) error {
	if k := c.kinds[kind]; k.way(q) == nil {
		return k.noWay(q)
	}
	return nil
}

func (k *compiledKind) noWay(q tutti.Selection) error {
	var ways []string
	for _, w := range k.selects {
		ways = append(ways, w.says())
	}
	hint := "It cannot be selected. Use refs."
	if len(ways) > 0 {
		hint = "It can be selected by: " + strings.Join(ways, "; ") + "."
	}
	return &tutti.Error{Code: tutti.InvalidValue, Field: "filter", Message: "the kind " + k.name + " cannot be selected by this combination of filters, text and sort.", Hint: hint}
}

// address is where a page of a list is that leads by addresses; cursor is what the origin said of it,
// which is looked at again: it went through other hands.
func (c *manifestConnector) address(k *call, cursor string, vars map[string]any) (string, error) {
	if _, ok := vars[addressVar]; ok {
		again, err := sameOrigin(c.at, c.at, cursor, "")
		if err != nil || again != cursor {
			return "", errNoCursor
		}
		return origin(c.at) + cursor, nil
	}
	path, _, _ := k.path.render(vars, escapeSegment) // what is wrong, the call tells
	return c.at + path, nil
}

// mostOfAPage is how many records a page may hold that was to be shorter.
const mostOfAPage = 5000

func (c *manifestConnector) readPage(k *compiledKind, way *selectCall, a *answer, at position, s tutti.Scope) (Page, error) {
	if err := a.failure(way.records); err != nil {
		return Page{}, err
	}
	rows, err := a.rows()
	if err != nil {
		return Page{}, err
	}
	page := Page{Until: a.until, Fresh: a.fresh}
	if total, ok := a.count(way.places.total); ok && total <= math.MaxInt32 { // what GraphQL calls an Int
		page.Total = &total
	}
	got := rows
	if t := way.spec.Paging.Type; got > at.size && (t == "" || t == "page" || t == "offset" || t == "keyset") {
		rows = at.size // an origin that ignores the limit; after a cursor's page there is no going back
	} else if got > max(at.size, mostOfAPage) {
		return Page{}, tutti.Errorf(tutti.TooLarge, "reading the answer: its page holds more than %d records", max(at.size, mostOfAPage))
	}
	seen := map[string]bool{}
	watch := c.watches[k].due()
	for i := range rows {
		if a.failedRow(i) {
			continue
		}
		row := k.see(c, a.body, a.spans(i), s.Locale)
		row.fresh = a.fresh
		row.watch = watch
		if isNull(row.text) {
			continue
		}
		if way.ids != nil {
			if id, ok := row.idAt(way.ids); ok && !seen[id] {
				seen[id] = true
				page.IDs = append(page.IDs, id)
			}
			continue
		}
		rec, ok, err := row.read(nil)
		if err == nil && ok && !seen[rec.Resource.Ref.ID] {
			seen[rec.Resource.Ref.ID] = true
			page.Records = append(page.Records, rec)
		}
	}
	last := func() string { return c.keyOf(k, way.key, a, rows) }
	page.Next, err = way.after(a, at, got, page.Total, last, c.at, c.querySecret())
	return page, err
}

// querySecret is the parameter in which the credential stands; "" when it stands elsewhere.
func (c *manifestConnector) querySecret() string {
	if c.auth != nil && c.auth.kind == "query" {
		return c.auth.name
	}
	return ""
}

// keyOf gives what a page of so many rows is sorted by, of its last record; "" when it has none.
func (c *manifestConnector) keyOf(k *compiledKind, key *expression, a *answer, rows int) string {
	row := k.see(c, a.body, a.spans(rows-1), "")
	if isNull(row.text) || row.text[0] != '{' {
		return ""
	}
	v, ok, err := row.eval(key)
	if err != nil || !ok {
		return ""
	}
	if all, isList := v.([]any); isList { // of a list that is sorted by several
		b, _ := json.Marshal(all)
		return string(b)
	}
	s, _ := writeValue(v)
	return strings.Clone(s)
}
