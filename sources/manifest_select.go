package sources

import (
	"context"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
)

// Select takes the first of the kind's calls that can answer what the selection gives.
func (c *manifestConnector) Select(ctx context.Context, q tutti.Selection, s tutti.Scope) (Page, error) {
	k := c.kinds[q.Kind]
	var way *selectCall
	for _, w := range k.selects {
		if w.answers(q.Filter, q.Text, q.Sort, q.Owner) {
			way = w
			break
		}
	}
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
	at, err := way.start(q, vars)
	if err != nil {
		return Page{}, err
	}
	a, err := c.do(ctx, way.call, vars, "")
	if err != nil {
		return Page{}, err
	}
	defer a.free()
	return c.readPage(k, way, a, at, s)
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

// position is where in the list a page starts.
type position struct{ offset, size int }

// start puts the place of the page into vars. A cursor of pages and offsets is offset or
// page x size: a page keeps the size with which the list began.
func (w *selectCall) start(q tutti.Selection, vars map[string]any) (position, error) {
	p := position{size: min(q.First, w.maxFirst())}
	bad := &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "the cursor is none of this list.", Hint: "Use pageInfo.endCursor of the page before."}
	switch w.spec.Paging.Type {
	case "cursor", "link":
		if q.After != "" {
			vars["cursor"] = q.After
		}
	case "offset", "page":
		if q.After != "" {
			offset, size, found := strings.Cut(q.After, "x")
			var err, err2 error
			p.offset, err = strconv.Atoi(offset)
			if found {
				p.size, err2 = strconv.Atoi(size)
			}
			if err != nil || err2 != nil || p.offset < 0 || p.offset > 1<<30 || p.size < 1 || p.size > w.maxFirst() || found != (w.spec.Paging.Type == "page") || found && p.offset%p.size != 0 {
				return p, bad
			}
		}
		vars["offset"], vars["page"] = int64(p.offset), int64(p.offset/p.size+1)
	default:
		if q.After != "" {
			return p, bad
		}
	}
	vars["first"] = int64(p.size)
	return p, nil
}

func (c *manifestConnector) readPage(k *compiledKind, way *selectCall, a *answer, at position, s tutti.Scope) (Page, error) {
	if err := a.failure(way.records); err != nil {
		return Page{}, err
	}
	rows, err := a.rows()
	if err != nil {
		return Page{}, err
	}
	page := Page{Until: a.until, Fresh: a.fresh}
	if total, ok := a.count(way.places.total); ok {
		page.Total = &total
	}
	got := rows
	if t := way.spec.Paging.Type; got > at.size && t != "cursor" && t != "link" {
		rows = at.size // an origin that ignores the limit; after a cursor's page there is no going back
	}
	seen := map[string]bool{}
	for i := range rows {
		if a.failedRow(i) {
			continue
		}
		row := k.see(c, a.body, a.spans(i), s.Locale)
		row.fresh = a.fresh
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
	page.Next = way.nextPage(a, at, got, page.Total)
	return page, nil
}

// nextPage gives the cursor of the page after this one, "" at the end.
func (w *selectCall) nextPage(a *answer, at position, got int, total *int) string {
	if got == 0 {
		return ""
	}
	next := ""
	switch w.spec.Paging.Type {
	case "cursor":
		if w.more == nil || a.says(w.places.more) {
			next = a.words(w.places.next)
		}
	case "link":
		next = linkParam(a.header, w.spec.Paging.Param)
	case "offset", "page":
		end := at.offset + min(got, at.size)
		switch {
		case total != nil && end >= *total, total == nil && w.more == nil && got < at.size, w.more != nil && !a.says(w.places.more):
			return ""
		}
		next = strconv.Itoa(end)
		if w.spec.Paging.Type == "page" {
			if end%at.size != 0 {
				return "" // a short page in the middle: the system has no more
			}
			next += "x" + strconv.Itoa(at.size)
		}
	}
	if len(next) > maxAfter || !printable(next) {
		return ""
	}
	return next
}
