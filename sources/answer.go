package sources

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// answer is a successful, decoded answer of a call. Nothing in an error about it quotes it.
type answer struct {
	header http.Header
	body   raw
	failed []graphqlError
	until  time.Time
}

// status sorts an answer by its status: a usable one, "not found", unchanged, or a *Refused.
func (k *call) status(m *Manifest, res *fetch.Response, now time.Time) (a *answer, err error) {
	limits := m.Limits
	waits := slices.Contains(limits.Statuses, res.Status)
	if len(limits.Statuses) == 0 {
		waits = res.Status == http.StatusTooManyRequests
	}
	until := retryAfter(res.Header, now)
	switch {
	case waits:
		if until.IsZero() {
			until = limits.resetAt(res.Header, now)
		}
		return nil, &Refused{Status: res.Status, Until: until, Limit: true}
	case slices.Contains(k.statuses, res.Status):
		return nil, tutti.Errorf(tutti.NotFound, "calling the system: it says that there is none")
	case res.Status == http.StatusServiceUnavailable && !until.IsZero():
		return nil, &Refused{Status: res.Status, Until: until}
	case res.Status/100 != 2 && (k.graphql == nil || res.Status/100 != 4 || !isGraphQL(res)):
		return nil, &Refused{Status: res.Status}
	}
	if !isJSON(res.Header.Get("Content-Type")) {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading the answer: it is not JSON but another content type")
	}
	if !json.Valid(res.Body) {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading the answer: it is not valid JSON")
	}
	a = &answer{header: res.Header, body: res.Body, until: limits.holdUntil(res.Header, now)}
	if k.graphql != nil {
		if err := a.readErrors(res.Status, now); err != nil {
			return nil, err
		}
	}
	if k.notFound != nil {
		if v, err := decodeObject(a.body); err == nil && k.notFound.truth(map[string]any{"answer": v}) {
			return nil, tutti.Errorf(tutti.NotFound, "calling the system: it says that there is none")
		}
	}
	return a, nil
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json") || t == "text/json")
}

func isGraphQL(res *fetch.Response) bool {
	if !isJSON(res.Header.Get("Content-Type")) || !json.Valid(res.Body) {
		return false
	}
	v, ok := dig(res.Body, []string{"errors"})
	return ok && v[0] == '['
}

// retryAfter reads Retry-After in both of its forms; zero when there is none.
func retryAfter(h http.Header, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 && s < 1e7 {
		return now.Add(time.Duration(s * float64(time.Second)))
	}
	if t, err := http.ParseTime(v); err == nil {
		return t
	}
	return time.Time{}
}

// holdUntil tells until when to wait when a good answer says that no calls are left.
func (l LimitSpec) holdUntil(h http.Header, now time.Time) time.Time {
	if l.Remaining == "" {
		return time.Time{}
	}
	left, err := strconv.ParseFloat(strings.TrimSpace(h.Get(l.Remaining)), 64)
	if err != nil || left > 0 {
		return time.Time{}
	}
	return l.resetAt(h, now)
}

// resetAt reads the header that tells when there are more calls; zero when it says nothing.
func (l LimitSpec) resetAt(h http.Header, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get(l.Reset))
	if l.Reset == "" || v == "" {
		return time.Time{}
	}
	if l.ResetAs == "time" {
		if t, err := http.ParseTime(v); err == nil {
			return t
		}
		t, _ := toTime(v)
		return t
	}
	s, err := strconv.ParseFloat(v, 64)
	if err != nil || s < 0 || s > 1e11 {
		return time.Time{}
	}
	if l.ResetAs == "unix" {
		return time.Unix(int64(s), 0)
	}
	if s > 1e7 {
		return time.Time{}
	}
	return now.Add(time.Duration(s * float64(time.Second)))
}

// dig follows a path into JSON without decoding the rest. False when something is not there.
func dig(b raw, path []string) (raw, bool) {
	b = bytes.TrimSpace(b)
	for _, step := range path {
		if len(b) == 0 {
			return nil, false
		}
		switch b[0] {
		case '{':
			v, ok := member(b, step)
			if !ok {
				return nil, false
			}
			b = v
		case '[':
			l := elements(b)
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(l) {
				return nil, false
			}
			b = l[i]
		default:
			return nil, false
		}
	}
	return b, len(b) > 0
}

func isNull(b raw) bool { return len(b) == 0 || string(b) == "null" }

// rows gives the records of a list.
func (k *call) rows(a *answer) ([]raw, error) {
	at, ok := dig(a.body, k.records)
	if !ok || at[0] != '[' {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading the answer: there is no list at %s", shownPath(k.records))
	}
	return elements(at), nil
}

func shownPath(path []string) string {
	if len(path) == 0 {
		return "its top"
	}
	return strings.Join(path, ".")
}

// count reads a total; false when the answer has none.
func (a *answer) count(path []string) (int, bool) {
	if path == nil {
		return 0, false
	}
	v, ok := dig(a.body, path)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(string(v))
	return n, err == nil && n >= 0
}

// says reports whether there is something at a path other than null, false, 0 and "".
func (a *answer) says(path []string) bool {
	if path == nil {
		return false
	}
	v, ok := dig(a.body, path)
	return ok && !slices.Contains([]string{"null", "false", "0", `""`}, string(v))
}

// words reads a text or number at a path; "" when there is none.
func (a *answer) words(path []string) string {
	v, ok := dig(a.body, path)
	if !ok || isNull(v) {
		return ""
	}
	var s string
	if v[0] == '"' && json.Unmarshal(v, &s) == nil {
		return s
	}
	if n := json.Number(v); v[0] == '-' || v[0] >= '0' && v[0] <= '9' {
		return n.String()
	}
	return ""
}

// linkParam gives a parameter of the address that the Link header calls next; "" at the end.
func linkParam(h http.Header, param string) string {
	for _, line := range h.Values("Link") {
		for rest := line; ; {
			_, after, found := strings.Cut(rest, "<")
			target, after, closed := strings.Cut(after, ">")
			if !found || !closed {
				break
			}
			attributes := after
			if i := strings.Index(after, "<"); i >= 0 {
				attributes = after[:i]
			}
			rest = after
			if !isNext(attributes) {
				continue
			}
			if u, err := url.Parse(target); err == nil {
				return u.Query().Get(param)
			}
		}
	}
	return ""
}

func isNext(attributes string) bool {
	for _, a := range strings.FieldsFunc(attributes, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(a), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.Contains(strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)), "next") {
			return true
		}
	}
	return false
}

// graphqlError is one entry of errors.
type graphqlError struct {
	Path       []json.RawMessage `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// readErrors reads a GraphQL answer's errors. It fails when they are about the whole; those about
// a part are kept.
func (a *answer) readErrors(status int, now time.Time) error {
	if at, ok := dig(a.body, []string{"errors"}); ok && !isNull(at) {
		if json.Unmarshal(at, &a.failed) != nil {
			return tutti.Errorf(tutti.BadAnswer, "reading the answer: its errors cannot be read")
		}
	}
	for _, e := range a.failed {
		switch strings.ToUpper(e.Extensions.Code) {
		case "THROTTLED", "RATE_LIMITED", "TOO_MANY_REQUESTS", "MAX_COST_EXCEEDED":
			return &Refused{Status: status, Until: retryAfter(a.header, now), Limit: true}
		}
	}
	data, ok := dig(a.body, []string{"data"})
	if !ok || isNull(data) || data[0] != '{' {
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: the system could not execute the operation")
	}
	return nil
}

// failure gives the error about a place of a GraphQL answer as a whole, nil when there is none.
// An error without a path is about every place; one about a part of the place is not counted.
func (a *answer) failure(path []string) error { return a.failing(path, false) }

// failureIn is failure, with errors about parts of the place counted.
func (a *answer) failureIn(path []string) error { return a.failing(path, true) }

func (a *answer) failing(path []string, parts bool) error {
	if len(path) > 0 && path[0] == "data" {
		path = path[1:]
	}
	for _, e := range a.failed {
		if !overlaps(e.Path, path) || !parts && len(e.Path) > len(path) {
			continue
		}
		if code := strings.ToUpper(e.Extensions.Code); strings.Contains(code, "NOT_FOUND") {
			return tutti.Errorf(tutti.NotFound, "reading the answer: the system does not have it")
		}
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: the system tells of an error in it")
	}
	return nil
}

// overlaps reports whether one path starts with the other.
func overlaps(a []json.RawMessage, b []string) bool {
	for i := range min(len(a), len(b)) {
		if strings.Trim(string(a[i]), `"`) != b[i] {
			return false
		}
	}
	return true
}
