package graph

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/tuttihq/tutti"
)

// parameters are what a request asks, by the GraphQL-over-HTTP specification.
type parameters struct {
	query         string
	id            string // documentId: of the operation, in place of query
	hash          string // extensions.persistedQuery.sha256Hash: in place of query, or beside it
	operationName string
	variables     map[string]any // numbers are json.Number
	variablesJSON string         // in place of variables: an object that nobody has read yet, known to be JSON
	extensions    map[string]any
}

// refused is a request that is not well formed, or not allowed as it came.
type refused struct {
	status int   // 0 = as the media type says for a request error
	err    error // *tutti.Error, or with a code
}

func refuse(status int, code tutti.Code, message, hint string) *refused {
	return &refused{status, &tutti.Error{Code: code, Message: message, Hint: hint}}
}

// byAddress reports whether requests of a method stand in their address: those are for reading only.
func byAddress(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// readParameters reads a GET, HEAD or POST. What is wrong is told without repeating it.
func readParameters(r *http.Request, limit int64, texts *queryTexts) (parameters, *refused) {
	if byAddress(r.Method) {
		return fromURL(r.URL)
	}
	body, bad := readBody(r, limit)
	if bad != nil {
		return parameters{}, bad
	}
	return fromBody(body, texts)
}

func readBody(r *http.Request, limit int64) ([]byte, *refused) {
	media, params, err := "application/json", map[string]string(nil), error(nil)
	if kind := r.Header.Get("Content-Type"); kind != media { // what nearly everybody sends needs no parsing
		media, params, err = mime.ParseMediaType(kind)
	}
	if err != nil || media != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, tutti.BadRequest, "the body's content type is not supported.", "Send JSON with Content-Type: application/json.")
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return nil, refuse(http.StatusUnsupportedMediaType, tutti.BadRequest, "the body's character set is not supported.", "Send UTF-8.")
	}
	return bodyOf(r, limit)
}

// bodyOf reads a body of text, up to a number of bytes.
func bodyOf(r *http.Request, limit int64) ([]byte, *refused) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, refuse(http.StatusUnsupportedMediaType, tutti.BadRequest, "compressed requests are not supported.", "Send the body as it is.")
	}
	tooLarge := func() *refused {
		return refuse(http.StatusRequestEntityTooLarge, tutti.TooLarge, "the request is too large.", "At most "+size(int(limit))+" are allowed.")
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	var body []byte
	var err error
	if r.ContentLength > 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	}
	switch {
	case err != nil:
		return nil, &refused{http.StatusBadRequest, &tutti.Error{Code: tutti.BadRequest, Message: "the body could not be read to its end.", Cause: err}}
	case int64(len(body)) > limit:
		return nil, tooLarge()
	case !utf8.Valid(body):
		return nil, refuse(http.StatusBadRequest, tutti.BadRequest, "the body is not UTF-8.", "")
	}
	return body, nil
}

const wantedBody = `Send one object: {"query": "…", "variables": {…}, "operationName": "…"}.`

func fromBody(body []byte, texts *queryTexts) (parameters, *refused) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) > 0 && trimmed[0] == '[' {
		return parameters{}, refuse(http.StatusBadRequest, tutti.BadRequest, "batches of operations are not supported.", "Send each operation as its own request; HTTP/2 carries many at once.")
	}
	var p parameters
	var bad *refused
	text := func(d *jsonDecoder, name string, into *string) error {
		if d.peek() == 'n' {
			return d.word("null")
		}
		if d.peek() != '"' {
			bad = refuse(http.StatusBadRequest, tutti.BadRequest, "the parameter "+name+" is not a string.", wantedBody)
			_, err := d.value(0)
			return err
		}
		var err error
		*into, err = d.text()
		return err
	}
	d := &jsonDecoder{s: unsafe.String(unsafe.SliceData(body), len(body))} // nobody changes it any more
	var extensions any
	err := d.members(func(name string) (err error) {
		switch name {
		case "query":
			if literal, known := texts.known(d); known {
				p.query = literal
				return nil
			}
			from := d.at
			if err = text(d, name, &p.query); err == nil {
				texts.add(d.s[from:d.at], p.query)
			}
		case "documentId":
			err = text(d, name, &p.id)
		case "operationName":
			err = text(d, name, &p.operationName)
		case "variables":
			from := d.at
			err = d.skip(1)
			p.variablesJSON = d.s[from:d.at]
		case "extensions":
			extensions, err = d.value(1)
		default:
			err = d.skip(1)
		}
		return err
	})
	switch {
	case err != nil:
		return parameters{}, refuse(http.StatusBadRequest, tutti.BadRequest, "the body is not a JSON object.", wantedBody)
	case bad != nil:
		return p, bad
	}
	switch {
	case strings.HasPrefix(p.variablesJSON, "n"):
		p.variablesJSON = ""
	case p.variablesJSON != "" && p.variablesJSON[0] != '{':
		return p, notObject("variables")
	}
	if p.extensions, bad = object(extensions, "extensions"); bad != nil {
		return p, bad
	}
	return p, p.check()
}

func fromURL(u *url.URL) (parameters, *refused) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return parameters{}, refuse(http.StatusBadRequest, tutti.BadRequest, "the address's parameters cannot be read.", "Escape them as application/x-www-form-urlencoded.")
	}
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		if len(q[name]) > 1 {
			return parameters{}, refuse(http.StatusBadRequest, tutti.BadRequest, "the parameter "+name+" stands there twice.", "")
		}
		if !utf8.ValidString(q.Get(name)) {
			return parameters{}, refuse(http.StatusBadRequest, tutti.BadRequest, "the parameter "+name+" is not UTF-8.", "")
		}
	}
	p := parameters{query: q.Get("query"), id: q.Get("documentId"), operationName: q.Get("operationName")}
	var bad *refused
	if p.variables, bad = objectText(q.Get("variables"), "variables"); bad != nil {
		return p, bad
	}
	if p.extensions, bad = objectText(q.Get("extensions"), "extensions"); bad != nil {
		return p, bad
	}
	return p, p.check()
}

// check looks whether a request says which operation it means, once; it fills in hash.
func (p *parameters) check() *refused {
	if persisted, ok := p.extensions["persistedQuery"]; ok && persisted != nil {
		asked, _ := persisted.(map[string]any)
		version, _ := asked["version"].(json.Number)
		p.hash, _ = asked["sha256Hash"].(string)
		if p.hash == "" || version != "" && version != "1" {
			return refuse(http.StatusBadRequest, tutti.BadRequest, "the extension persistedQuery cannot be read.", `Send {"persistedQuery": {"version": 1, "sha256Hash": "…"}}.`)
		}
	}
	switch {
	case p.id != "" && (p.query != "" || p.hash != ""):
		return refuse(http.StatusBadRequest, tutti.BadRequest, "the operation is named twice.", "Send either documentId, or query, or the extension persistedQuery.")
	case p.query == "" && p.id == "" && p.hash == "":
		return refuse(http.StatusBadRequest, tutti.BadRequest, "the parameter query is missing.", wantedBody)
	}
	return nil
}

// objectText reads a parameter that stands in an address; nil for none.
func objectText(s, name string) (map[string]any, *refused) {
	if s == "" {
		return nil, nil
	}
	v, err := decodeJSON(s)
	if err != nil {
		v = err
	}
	return object(v, name)
}

// object takes a parameter that is an object; nil for none.
func object(v any, name string) (map[string]any, *refused) {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, notObject(name)
	}
	return m, nil
}

func notObject(name string) *refused {
	return refuse(http.StatusBadRequest, tutti.BadRequest, "the parameter "+name+" is not a JSON object.", wantedBody)
}

// values gives the variables, read.
func (p *parameters) values() map[string]any {
	if p.variablesJSON == "" {
		return p.variables
	}
	v, _ := decodeJSON(p.variablesJSON)
	m, _ := v.(map[string]any)
	return m
}

// queryTexts knows the texts of operations by how they stand in requests, as JSON strings: apps send
// the same ones again and again. Safe for concurrent use.
type queryTexts struct {
	mu    sync.RWMutex // guards all below
	texts map[string]string
	bytes int
}

// maxQueryTexts is how many bytes of texts are known.
const maxQueryTexts = 1 << 20

// known gives the text of the string that comes next, and goes past it; false for one that is new.
func (q *queryTexts) known(d *jsonDecoder) (text string, ok bool) {
	if d.peek() != '"' {
		return "", false
	}
	end := d.stringEnd()
	q.mu.RLock()
	defer q.mu.RUnlock()
	if text, ok = q.texts[d.s[d.at:end]]; ok {
		d.at = end
	}
	return text, ok
}

// add notes how a text stands in requests.
func (q *queryTexts) add(literal, text string) {
	if literal == "" || literal[0] != '"' || len(literal) > maxQueryTexts/16 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes += len(literal) + len(text); q.texts == nil || q.bytes > maxQueryTexts {
		q.texts, q.bytes = map[string]string{}, len(literal)+len(text)
	}
	q.texts[strings.Clone(literal)] = strings.Clone(text)
}
