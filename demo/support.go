package demo

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// support is a Zendesk account: tickets of guests, and the articles of its help centre.
type support struct {
	*http.ServeMux
	base, user, token, hookSecret string
	now                           func() time.Time
	tickets, articles             *table
	limits                        *limiter
}

func newSupport(w *world, base string, secrets map[string]string, now func() time.Time) (player, error) {
	s := &support{
		ServeMux: http.NewServeMux(), base: base, user: secrets["email"] + "/token", token: secrets["api_token"], hookSecret: secrets["webhook_secret"],
		now: now, tickets: newTable(), articles: newTable(), limits: newLimiter(700, time.Minute, now),
	}
	for _, t := range writeTickets(w, base) {
		s.tickets.add(number(t["id"]), t)
	}
	for _, a := range writeArticles(w, base) {
		s.articles.add(number(a["id"]), a)
	}
	s.HandleFunc("GET /api/v2/tickets/show_many", s.showMany)
	s.HandleFunc("GET /api/v2/tickets/{id}", func(w http.ResponseWriter, r *http.Request) {
		if t, ok := s.tickets.get(r.PathValue("id")); ok {
			writeJSON(w, http.StatusOK, map[string]any{"ticket": t})
			return
		}
		s.fail(w, http.StatusNotFound)
	})
	s.HandleFunc("GET /api/v2/tickets", func(w http.ResponseWriter, r *http.Request) { s.list(w, r, "tickets", s.tickets.all()) })
	s.HandleFunc("GET /api/v2/users/{id}/tickets/requested", func(w http.ResponseWriter, r *http.Request) {
		var rows []record
		for _, t := range s.tickets.all() {
			if number(t["requester_id"]) == r.PathValue("id") {
				rows = append(rows, t)
			}
		}
		s.list(w, r, "tickets", rows)
	})
	s.HandleFunc("GET /api/v2/search", s.search)
	s.HandleFunc("GET /api/v2/help_center/{rest...}", s.help)
	s.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, http.StatusNotFound) })
	return s, nil
}

func zendeskTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// number writes an id, an int or a JSON number, as text.
func number(v any) string {
	switch n := v.(type) {
	case int:
		return strconv.Itoa(n)
	case float64:
		return strconv.FormatInt(int64(n), 10)
	case json.Number:
		return n.String()
	}
	return ""
}

// writeTickets gives two tickets of each kind of request. Guest 7 waits for an answer about a
// late arrival; guest 8 has an open and a solved request of his own.
func writeTickets(w *world, base string) []record {
	var out []record
	stays := reservations(w)
	for i := range 2 * len(w.requests) {
		q := w.requests[i%len(w.requests)]
		guest := []int{1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}[(i*7)%22]
		status := []string{"open", "pending", "solved", "new", "closed", "hold", "solved"}[(i*3)%7]
		switch i {
		case 0:
			guest, status = 7, "open"
		case 3, 33:
			guest, status = 7, "solved"
		case 2:
			guest, status = 8, "open"
		case 6:
			guest, status = 8, "pending"
		case 24:
			guest, status = 8, "solved"
		}
		lang := "en"
		if guest%2 == 1 && guest != 7 {
			lang = "de"
		}
		house := w.byHotel[text(stays[guest-1], "hotel")]
		if status == "solved" || status == "closed" {
			house = w.hotels[(i*3+guest)%len(w.hotels)] // of a stay before
		}
		id, at := 35400+i*36, w.days(i%19, i)
		if i == 0 {
			id, at = 35436-36+36*1000, w.now.Add(-3*time.Hour)
		}
		out = append(out, record{
			"id": id, "url": base + "/api/v2/tickets/" + strconv.Itoa(id) + ".json", "external_id": nil, "via": record{"channel": []string{"email", "web", "mobile_sdk"}[i%3]},
			"created_at": zendeskTime(at), "updated_at": zendeskTime(at.Add(time.Duration(20+i%50) * time.Minute)), "type": "question",
			"subject": q.Subject.in(lang), "raw_subject": q.Subject.in(lang), "description": fill(q.Text.in(lang), "hotel", house.Name), "priority": q.Priority, "status": status, "recipient": nil,
			"requester_id": 20978385 + guest, "submitter_id": 20978385 + guest, "assignee_id": 235323 + i%4, "organization_id": nil, "group_id": 98738, "has_incidents": false,
			"tags": append(slices.Clone(q.Tags), house.tag()), "custom_fields": []any{}, "satisfaction_rating": nil, "allow_channelback": false, "is_public": true,
		})
	}
	return out
}

func writeArticles(w *world, base string) []record {
	var out []record
	sections := []string{}
	for i, a := range w.articles {
		if !slices.Contains(sections, a.Section) {
			sections = append(sections, a.Section)
		}
		id := 360001000 + i*17
		at := w.days(40+i*3, i)
		out = append(out, record{
			"id": id, "url": base + "/api/v2/help_center/en-us/articles/" + strconv.Itoa(id) + ".json", "html_url": base + "/hc/en-us/articles/" + strconv.Itoa(id), "author_id": 235323,
			"comments_disabled": true, "draft": false, "promoted": i < 3, "position": i, "vote_sum": 12 + (i*5)%30, "vote_count": 20 + (i*7)%40, "section_id": 4400 + slices.Index(sections, a.Section),
			"created_at": zendeskTime(at), "updated_at": zendeskTime(at.AddDate(0, 0, 6)), "edited_at": zendeskTime(at.AddDate(0, 0, 6)), "name": a.Title.in("en"), "title": a.Title.in("en"), "body": a.Body.in("en"),
			"source_locale": "en-us", "outdated": false, "outdated_locales": []string{}, "user_segment_id": nil, "permission_group_id": 56, "content_tag_ids": []string{},
			"label_names":  append([]string{a.Section}, slices.DeleteFunc(slices.Clone(a.Labels), func(l string) bool { return l == a.Section })...),
			"translations": translations(map[string]words{"name": a.Title, "title": a.Title, "body": a.Body}),
		})
	}
	return out
}

func (s *support) counted(path string) bool { return strings.HasPrefix(path, "/api/") }

// ServeHTTP takes paths with and without .json; help-centre reading needs no credentials.
func (s *support) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, pass, _ := r.BasicAuth()
	if !strings.HasPrefix(r.URL.Path, "/api/v2/help_center/") && subtle.ConstantTimeCompare([]byte(user+":"+pass), []byte(s.user+":"+s.token)) != 1 {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "Couldn't authenticate you"})
		return
	}
	left, reset := s.limits.take()
	w.Header().Set("X-Rate-Limit", "700")
	w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(left))
	w.Header().Set("ratelimit-limit", "700")
	w.Header().Set("ratelimit-remaining", strconv.Itoa(left))
	w.Header().Set("ratelimit-reset", strconv.Itoa(max(0, int(reset.Sub(s.now()).Seconds()))))
	r2 := r.Clone(r.Context())
	r2.URL.Path = strings.TrimSuffix(r.URL.Path, ".json")
	r2.URL.RawPath = ""
	s.ServeMux.ServeHTTP(w, r2)
}

func (s *support) fail(w http.ResponseWriter, status int) {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		writeJSON(w, status, map[string]any{"error": "RecordNotFound", "description": "Not found"})
	case http.StatusTooManyRequests:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // as the vendor does
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Number of allowed API requests per minute exceeded"))
	default:
		writeJSON(w, status, map[string]any{"error": strings.ReplaceAll(http.StatusText(status), " ", ""), "description": http.StatusText(status)})
	}
}

// showMany answers ids=1,2,3 (100 at most); unknown ones are absent.
func (s *support) showMany(w http.ResponseWriter, r *http.Request) {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	if len(ids) > 100 || ids[0] == "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "BadRequest", "description": "ids must hold 1 to 100 ids"})
		return
	}
	rows := []record{}
	for _, t := range s.tickets.all() {
		if slices.Contains(ids, number(t["id"])) {
			rows = append(rows, t)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"tickets": rows, "count": len(rows), "next_page": nil, "previous_page": nil})
}

// list pages by cursor when page[size] is given, else by page and per_page.
func (s *support) list(w http.ResponseWriter, r *http.Request, name string, rows []record) {
	q := r.URL.Query()
	if rows == nil {
		rows = []record{}
	}
	if !q.Has("page[size]") {
		s.offset(w, r, name, rows)
		return
	}
	size, err := strconv.Atoi(q.Get("page[size]"))
	from, ok := readCursor(q.Get("page[after]"))
	if err != nil || size < 1 || size > 100 || !ok {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "InvalidPaginationParameter", "description": "page[size] is 1 to 100, page[after] a cursor"})
		return
	}
	part, next := cut(rows, from, size)
	answer := map[string]any{name: part, "meta": record{"has_more": next > 0, "after_cursor": nil, "before_cursor": nil}, "links": record{"next": nil, "prev": nil}}
	if next > 0 {
		c := makeCursor(next)
		q.Set("page[after]", c)
		answer["meta"] = record{"has_more": true, "after_cursor": c, "before_cursor": nil}
		answer["links"] = record{"next": s.base + r.URL.Path + ".json?" + q.Encode(), "prev": nil}
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *support) offset(w http.ResponseWriter, r *http.Request, name string, rows []record) {
	q := r.URL.Query()
	page, size := 1, 100
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		page = max(1, n)
	}
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = min(100, max(1, n))
	}
	if name == "results" && page*size > 1000 {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": "invalid", "description": "Invalid search: Requested response size was greater than Search Response Limits"})
		return
	}
	part, next := cut(rows, (page-1)*size, size)
	answer := map[string]any{name: part, "count": len(rows), "next_page": nil, "previous_page": nil}
	link := func(n int) string {
		q.Set("page", strconv.Itoa(n))
		return s.base + r.URL.Path + ".json?" + q.Encode()
	}
	if next > 0 {
		answer["next_page"] = link(page + 1)
	}
	if page > 1 {
		answer["previous_page"] = link(page - 1)
	}
	if name == "results" {
		answer["facets"] = nil
	}
	writeJSON(w, http.StatusOK, answer)
}

// search answers query=type:ticket requester:ID status<solved words.
func (s *support) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if strings.TrimSpace(q.Get("query")) == "" {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": "invalid", "description": "Invalid search: query is missing"})
		return
	}
	match := parseTicketQuery(q.Get("query"))
	rows := []record{}
	for _, t := range s.tickets.all() {
		if match(t) {
			rows = append(rows, with(t, "result_type", "ticket"))
		}
	}
	descending := q.Get("sort_order") != "asc"
	switch by := q.Get("sort_by"); by {
	case "priority", "status":
		order := map[string][]string{"priority": {"low", "normal", "high", "urgent"}, "status": ticketStates}[by]
		sortBy(rows, descending, func(t record) int { return slices.Index(order, text(t, by)) })
	case "created_at", "updated_at":
		sortBy(rows, descending, func(t record) string { return text(t, by) })
	default: // by relevance, that is newest first here
		sortBy(rows, true, func(t record) string { return text(t, "updated_at") })
	}
	s.offset(w, r, "results", rows)
}

func (s *support) change(kind, id string, fields record) ([]byte, error) {
	t, ok := map[string]*table{"ticket": s.tickets, "article": s.articles}[kind]
	if !ok {
		return nil, noKind(kind, "ticket", "article")
	}
	now := s.now()
	if fields != nil {
		fields = with(fields, "updated_at", zendeskTime(now))
	}
	before, after, ok := t.change(id, fields)
	if !ok {
		return nil, notFound(kind, id)
	}
	what := map[string]string{"ticket": "custom_field_changed", "article": "updated"}[kind]
	changed := record{}
	switch {
	case after == nil && kind == "ticket":
		what = "soft_deleted"
	case after == nil:
		what = "unpublished"
	default:
		for _, name := range []string{"description", "priority", "subject", "status"} {
			if v, ok := fields[name]; ok && kind == "ticket" {
				what, changed = name+"_changed", record{"current": v, "previous": before[name]}
			}
		}
	}
	detail := record{"id": id}
	if kind == "ticket" {
		for _, name := range []string{"subject", "status", "priority", "tags", "type", "created_at", "updated_at", "is_public", "description"} {
			detail[name] = maps.Clone(before)[name]
			if after != nil {
				detail[name] = after[name]
			}
		}
		detail["requester_id"], detail["assignee_id"] = number(before["requester_id"]), number(before["assignee_id"])
	}
	return marshal(record{
		"account_id": 22129848, "detail": detail, "event": changed, "id": random(8) + "-" + random(4), "subject": "zen:" + kind + ":" + id,
		"time": now.UTC().Format(time.RFC3339Nano), "type": "zen:event-type:" + kind + "." + what, "zendesk_event_version": "2022-11-06",
	})
}

func (s *support) sign(h http.Header, body []byte) {
	ts := zendeskTime(s.now())
	h.Set("X-Zendesk-Webhook-Signature-Timestamp", ts)
	h.Set("X-Zendesk-Webhook-Signature", base64.StdEncoding.EncodeToString(hmacSum(s.hookSecret, ts+string(body))))
	h.Set("X-Zendesk-Account-Id", "22129848")
	h.Set("X-Zendesk-Webhook-Id", "01HDEMO00000000000000TUTTI")
	h.Set("X-Zendesk-Webhook-Invocation-Id", random(13))
}
