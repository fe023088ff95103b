package sources

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// answer is a successful answer of a call, of which is known where everything stands. Nothing in an
// error about it quotes it. Whoever got it must free it.
type answer struct {
	from   *fetch.Response
	header http.Header
	body   raw
	call   *call
	cut    *cut
	failed []graphqlError
	until  time.Time     // no call before it
	fresh  time.Duration // of its records; 0 = it does not say
	same   bool          // the copy with the validator still counts; there is no body
}

// places are the parts of an answer that a call reads.
type places struct {
	answer                               *tree
	list, record, total, more, next, end *tree    // nil = the call does not look for it
	points                               [4]*tree // what the call cost, what is left, the most, how many come back
	errors, data                         *tree    // of GraphQL
}

// find prepares the walk over answers of the call, with records of which row is wanted.
func (k *call) find(row *tree) {
	p := &k.places
	p.answer = newTree()
	at := func(path []string) *tree {
		if path == nil {
			return nil
		}
		return p.answer.add(path...)
	}
	p.list, p.record, p.total, p.more, p.next, p.end = at(k.records), at(k.record), at(k.total), at(k.more), at(k.next), at(k.end)
	if k.graphql != nil {
		p.errors, p.data = at([]string{"errors"}), at([]string{"data"})
	}
	if k.limits != nil && k.limits.points != nil {
		l := k.limits.points
		p.points = [4]*tree{at(l.used.path), at(l.left.path), at(l.most.path), at(l.rate.path)}
	}
	if p.list != nil {
		p.list.row, p.list.each, p.list.keyed = row, true, k.keyed
	} else if p.record != nil {
		p.record.row = row
	}
	p.answer.number(0)
}

var cuts = sync.Pool{New: func() any { return &cut{} }}

// read walks over the body; false when it is not JSON.
func (a *answer) read() bool {
	if a.cut == nil {
		a.cut = cuts.Get().(*cut)
	}
	return a.cut.walk(a.body, a.call.places.answer)
}

// free gives back what reading took. Nothing of the answer may be looked at after it.
func (a *answer) free() {
	if a.cut == nil {
		return
	}
	a.cut.b = nil
	a.from.Free()
	if cap(a.cut.spans) <= 1<<14 {
		cuts.Put(a.cut)
	}
	a.cut = nil
}

// at gives the value at one of the call's places; false when it is not there.
func (a *answer) at(t *tree) (raw, bool) {
	if t == nil {
		return nil, false
	}
	s := a.cut.spans[t.slot]
	return a.body[s.from:s.to], s.to > 0
}

// spans are those of a record.
func (a *answer) spans(i int) []span { return a.cut.row(i, a.rowTree().until) }

func (a *answer) rowTree() *tree {
	if l := a.call.places.list; l != nil {
		return l.row
	}
	return a.call.places.record.row
}

// status sorts an answer by its status: a usable one, "not found", unchanged, or a *Refused.
func (k *call) status(res *fetch.Response, now time.Time, g *gate) (a *answer, err error) {
	if refused := k.limits.waits(res, now); refused != nil {
		return nil, refused
	}
	until := retryAfter(res.Header, now)
	switch {
	case slices.Contains(k.statuses, res.Status), k.saysNone(res):
		return nil, tutti.Errorf(tutti.NotFound, "calling the system: it says that there is none")
	case !until.IsZero() && (res.Status/100 == 5 || res.Status == http.StatusForbidden):
		return nil, &Refused{Status: res.Status, Until: until, Limit: res.Status == http.StatusForbidden}
	case res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden:
		return nil, &Refused{Status: res.Status}
	case res.Status/100 != 2 && (k.graphql == nil || res.Status/100 != 4 || !isJSON(res.Header.Get("Content-Type"))):
		return nil, &Refused{Status: res.Status}
	}
	a = &answer{from: res, header: res.Header, body: res.Body, call: k}
	err = a.check(res.Status, now)
	if s, ok := a.spent(); ok {
		g.spend(s)
	}
	if err != nil {
		a.free()
		return nil, err
	}
	a.fresh = k.freshFor(res.Header)
	return a, nil
}

// saysNone reports whether a refusal says that there is none.
func (k *call) saysNone(res *fetch.Response) bool {
	if k.notFound == nil || res.Status/100 != 4 || len(res.Body) > maxReason || !json.Valid(res.Body) {
		return false
	}
	v, err := decodeObject(res.Body)
	return err == nil && k.notFound.truth(map[string]any{"answer": v})
}

func (k *call) freshFor(h http.Header) time.Duration {
	if !k.fresh {
		return 0
	}
	return freshFor(h)
}

// check reads the answer as far as it concerns the whole of it.
func (a *answer) check(status int, now time.Time) error {
	if t := a.header.Get("Content-Type"); !mayBeJSON(t) {
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: it is %s and not JSON", contentType(t))
	}
	if a.body = bytes.TrimPrefix(a.body, byteOrderMark); len(a.body) == 0 {
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: it is empty")
	}
	valid := a.read()
	if a.cut.full {
		return tutti.Errorf(tutti.TooLarge, "reading the answer: it has more records than its size is worth")
	}
	if status/100 != 2 { // GraphQL may tell of errors with a status of 4xx; anything else does not
		if errors, ok := a.at(a.call.places.errors); !valid || !ok || errors[0] != '[' {
			return &Refused{Status: status}
		}
	}
	if !valid {
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: it is not valid JSON")
	}
	if a.call.graphql != nil {
		if err := a.readErrors(status, now); err != nil {
			return err
		}
	}
	if err := a.wrong(status, now); err != nil {
		return err
	}
	if when := a.call.notFound; when != nil {
		if v, err := decodeObject(a.body); err == nil && when.truth(map[string]any{"answer": v}) {
			return tutti.Errorf(tutti.NotFound, "calling the system: it says that there is none")
		}
	}
	return nil
}

// byteOrderMark begins what some systems write in UTF-8. It means nothing there (RFC 8259 section 8.1).
var byteOrderMark = []byte("\ufeff")

func isJSON(contentType string) bool {
	if contentType == "application/json" { // the usual case
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json") || t == "text/json")
}

// mayBeJSON reports whether an answer of a content type may be JSON: of none, or one that web servers give to what they do not know,
// only its text tells.
func mayBeJSON(contentType string) bool {
	if isJSON(contentType) {
		return true
	}
	t, _, _ := mime.ParseMediaType(contentType)
	return slices.Contains([]string{"", "text/plain", "text/javascript", "application/javascript", "application/octet-stream", "binary/octet-stream"}, t)
}

// contentType names a content type for a person: those alone that are known, for what a system writes is not told.
func contentType(header string) string {
	t, _, err := mime.ParseMediaType(header)
	switch {
	case header == "":
		return "of no content type"
	case err == nil && t == "text/html":
		return "HTML (text/html)"
	case err == nil && slices.Contains([]string{"application/json", "application/xml", "text/xml", "application/xhtml+xml", "text/plain", "text/csv", "application/pdf", "image/png", "image/jpeg"}, t):
		return t
	}
	return "another content type"
}

// retryAfter reads Retry-After in both of its forms; zero when there is none.
func retryAfter(h http.Header, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return time.Time{}
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 && s < 1e7 {
		return now.Add(time.Duration(s * float64(time.Second)))
	}
	if t, err := http.ParseTime(v); err == nil {
		return t
	}
	return time.Time{}
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

func isNull[T raw | string](b T) bool { return len(b) == 0 || string(b) == "null" }

// rows counts the records of the list.
func (a *answer) rows() (int, error) {
	opens := byte('[')
	if a.call.keyed {
		opens = '{'
	}
	at, ok := a.at(a.call.places.list)
	if a.call.keyed && ok && at[0] == '[' && a.cut.rows == 0 { // an object without members, as PHP writes it
		return 0, nil
	}
	if !ok || at[0] != opens {
		return 0, tutti.Errorf(tutti.BadAnswer, "reading the answer: there is no list at %s: %s", shownPath(a.call.records), a.found(a.call.records))
	}
	return a.cut.rows, nil
}

// found tells how far a path leads into the answer, and what is there.
func (a *answer) found(path []string) string {
	at := bytes.TrimSpace(a.body)
	for i, step := range path {
		next, ok := dig(at, []string{step})
		if !ok && len(at) > 0 && at[0] == '{' {
			return shownPath(path[:i]) + " has no member " + step
		}
		if !ok {
			return shownPath(path[:i]) + " is " + rawKind(at)
		}
		at = bytes.TrimSpace(next)
	}
	return "it is " + rawKind(at)
}

// rawKind names what a value is, without telling it.
func rawKind(b raw) string {
	switch {
	case isNull(b):
		return "null"
	case b[0] == '{':
		return "an object"
	case b[0] == '[':
		return "a list"
	case b[0] == '"':
		return "a text"
	case b[0] == 't' || b[0] == 'f':
		return "a truth value"
	}
	return "a number"
}

func shownPath(path []string) string {
	if len(path) == 0 {
		return "its top"
	}
	return strings.Join(path, ".")
}

// count reads a total; false when the answer has none.
func (a *answer) count(t *tree) (int, bool) {
	v, ok := a.at(t)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.Trim(string(v), `"`)) // some write it as a text, and XML has nothing else
	return n, err == nil && n >= 0
}

// says reports whether there is something at a path other than null, false, 0 and "", also where they are texts.
func (a *answer) says(t *tree) bool {
	v, ok := a.at(t)
	return ok && !slices.Contains([]string{"null", "false", "0", ""}, strings.ToLower(strings.Trim(string(v), `"`)))
}

// words reads a text or number at a path; "" when there is none.
func (a *answer) words(t *tree) string {
	v, ok := a.at(t)
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

// graphqlError is one entry of errors.
type graphqlError struct {
	Path       []json.RawMessage `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

const mostErrors = 1000

// readErrors reads a GraphQL answer's errors. It fails when they are about the whole; those about
// a part are kept.
func (a *answer) readErrors(status int, now time.Time) error {
	if at, ok := a.at(a.call.places.errors); ok && !isNull(at) {
		if json.Unmarshal(at, &a.failed) != nil {
			return tutti.Errorf(tutti.BadAnswer, "reading the answer: its errors cannot be read")
		}
		if len(a.failed) > mostErrors { // each is looked at for each row
			return tutti.Errorf(tutti.BadAnswer, "reading the answer: it tells of more than %d errors", mostErrors)
		}
	}
	for _, e := range a.failed {
		switch strings.ToUpper(e.Extensions.Code) {
		case "THROTTLED", "RATE_LIMITED", "TOO_MANY_REQUESTS", "MAX_COST_EXCEEDED":
			return a.call.limits.refused(status, a.header, throttle{}, now)
		}
	}
	data, ok := a.at(a.call.places.data)
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

// failedRow reports whether an error is about a row of the list, or a part of it.
func (a *answer) failedRow(i int) bool {
	return len(a.failed) > 0 && a.failureIn(append(slices.Clone(a.call.records), strconv.Itoa(i))) != nil
}

// unknownRow reports whether an error, other than that it is not there, left a row of the list empty.
func (a *answer) unknownRow(i int) bool {
	if len(a.failed) == 0 {
		return false
	}
	err := a.failureIn(append(slices.Clone(a.call.records), strconv.Itoa(i)))
	return err != nil && tutti.CodeOf(err) != tutti.NotFound
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
