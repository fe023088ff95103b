package demo

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var ticketStates = []string{"new", "open", "pending", "hold", "solved", "closed"}

// parseTicketQuery reads Zendesk's search language: field:value, field<value, -field:value and
// words. The same field with ":" more than once means any of them.
func parseTicketQuery(query string) matcher {
	var all []matcher
	any := map[string][]matcher{}
	for _, term := range searchTokens(query) {
		not := strings.HasPrefix(term, "-")
		term = strings.TrimPrefix(term, "-")
		i := strings.IndexAny(term, ":<>")
		if i <= 0 || strings.HasPrefix(term, `"`) {
			words := strings.Trim(term, `"`)
			all = append(all, func(t record) bool {
				tags := texts(t, "tags")
				return has(words, append([]string{text(t, "subject"), text(t, "description")}, tags...)...) != not
			})
			continue
		}
		field, op, value := term[:i], string(term[i]), strings.Trim(term[i+1:], `"`)
		if strings.HasPrefix(value, "=") {
			op, value = op+"=", value[1:]
		}
		m := func(t record) bool { return ticketTerm(t, field, op, value) != not }
		if op == ":" && !not {
			any[field] = append(any[field], m)
		} else {
			all = append(all, m)
		}
	}
	return func(t record) bool {
		for _, m := range all {
			if !m(t) {
				return false
			}
		}
		for _, ms := range any {
			if !slices.ContainsFunc(ms, func(m matcher) bool { return m(t) }) {
				return false
			}
		}
		return true
	}
}

func ticketTerm(t record, field, op, value string) bool {
	order := func(list []string) bool {
		return ordered(slices.Index(list, text(t, field)), op, slices.Index(list, value)) && slices.Contains(list, value)
	}
	switch field {
	case "type":
		return value == "ticket"
	case "requester", "requester_id":
		return number(t["requester_id"]) == value
	case "assignee", "assignee_id":
		return number(t["assignee_id"]) == value
	case "status":
		return order(ticketStates)
	case "priority":
		return order([]string{"low", "normal", "high", "urgent"})
	case "tags":
		tags := texts(t, "tags")
		return slices.Contains(tags, value)
	case "subject", "description":
		return has(strings.TrimSuffix(value, "*"), text(t, field))
	case "created", "updated", "created_at", "updated_at":
		at := text(t, strings.TrimSuffix(field, "_at")+"_at")
		return ordered(strings.Compare(at[:min(len(at), len(value))], value), op, 0)
	}
	return false
}

func ordered(a int, op string, b int) bool {
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	}
	return a == b
}

// inLocale gives an article in a language, if it is written in it. Help centres do not fall back.
func inLocale(a record, locale string) (record, bool) {
	locale = strings.ToLower(locale)
	out, got := localised(a, locale)
	english := locale == "" || locale == "en" || strings.HasPrefix(locale, "en-")
	if got == "en" && !english || got != "en" && got != locale {
		return nil, false
	}
	if english {
		out["locale"] = "en-us"
		return out, true
	}
	out["locale"] = got
	out["html_url"] = strings.Replace(text(out, "html_url"), "/en-us/", "/"+got+"/", 1)
	return out, true
}

// help answers the help centre's paths, with a locale or without.
func (s *support) help(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.PathValue("rest"), "/")
	if parts[0] != "articles" {
		r.SetPathValue("locale", parts[0])
		parts = parts[1:]
	}
	switch {
	case len(parts) == 2 && parts[0] == "articles" && parts[1] == "search" && r.PathValue("locale") == "":
		s.searchArticles(w, r)
	case len(parts) == 2 && parts[0] == "articles":
		r.SetPathValue("id", parts[1])
		s.article(w, r)
	case len(parts) == 1 && parts[0] == "articles":
		s.listArticles(w, r)
	case len(parts) == 3 && parts[0] == "sections" && parts[2] == "articles":
		r.SetPathValue("section", parts[1])
		s.listArticles(w, r)
	case len(parts) == 1 && parts[0] == "sections":
		s.sections(w, r)
	default:
		s.fail(w, http.StatusNotFound)
	}
}

func (s *support) article(w http.ResponseWriter, r *http.Request) {
	if a, ok := s.articles.get(r.PathValue("id")); ok {
		if out, ok := inLocale(a, r.PathValue("locale")); ok {
			writeJSON(w, http.StatusOK, map[string]any{"article": out})
			return
		}
	}
	s.fail(w, http.StatusNotFound)
}

// written gives the articles of a locale that carry all labels.
func (s *support) written(locale, labels string) []record {
	rows := []record{}
	for _, a := range s.articles.all() {
		out, ok := inLocale(a, locale)
		held := texts(a, "label_names")
		for l := range strings.SplitSeq(labels, ",") {
			ok = ok && (l == "" || slices.Contains(held, strings.TrimSpace(l)))
		}
		if ok {
			rows = append(rows, out)
		}
	}
	return rows
}

func (s *support) listArticles(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rows := s.written(r.PathValue("locale"), q.Get("label_names"))
	if section := r.PathValue("section"); section != "" {
		rows = slices.DeleteFunc(rows, func(a record) bool { return number(a["section_id"]) != section })
	}
	switch by := q.Get("sort_by"); by {
	case "title", "created_at", "updated_at", "edited_at":
		sortBy(rows, q.Get("sort_order") == "desc", func(a record) string { return text(a, by) })
	}
	s.list(w, r, "articles", rows)
}

func (s *support) searchArticles(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("query") == "" && q.Get("label_names") == "" && q.Get("section") == "" && q.Get("category") == "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "InvalidParameter", "description": "one of query, label_names, section, category is needed"})
		return
	}
	rows := []record{}
	for _, a := range s.written(q.Get("locale"), q.Get("label_names")) {
		ok := q.Get("section") == "" || number(a["section_id"]) == q.Get("section")
		for word := range strings.FieldsSeq(q.Get("query")) {
			ok = ok && has(strings.Trim(word, `"*`), text(a, "title"), plain(text(a, "body")))
		}
		if ok {
			rows = append(rows, with(with(a, "result_type", "article"), "snippet", strings.TrimSpace(plain(text(a, "body")))))
		}
	}
	page, size := 1, 25
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		page = max(1, n)
	}
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = min(100, max(1, n))
	}
	part, next := cut(rows, (page-1)*size, size)
	answer := map[string]any{"results": part, "count": len(rows), "page": page, "per_page": size, "page_count": (len(rows) + size - 1) / size, "next_page": nil, "previous_page": nil}
	if next > 0 {
		q.Set("page", strconv.Itoa(page+1))
		answer["next_page"] = s.base + r.URL.Path + ".json?" + q.Encode()
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *support) sections(w http.ResponseWriter, r *http.Request) {
	rows, seen := []record{}, map[string]bool{}
	for _, a := range s.articles.all() {
		labels := texts(a, "label_names")
		if id := number(a["section_id"]); !seen[id] && len(labels) > 0 {
			seen[id] = true
			rows = append(rows, record{"id": a["section_id"], "name": labels[0], "locale": r.PathValue("locale"), "position": len(rows)})
		}
	}
	s.list(w, r, "sections", rows)
}
