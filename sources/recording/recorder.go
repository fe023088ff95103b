package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Recorder notes what is asked and answered, with secrets removed. What is too large or binary is left
// out. Safe for concurrent use.
type Recorder struct {
	host    string // of the system
	address *strings.Replacer
	secrets hider
	reads   func(header string) bool // of an answer, beside those that connectors usually read; nil = none

	mu        sync.Mutex // guards the rest
	when      string
	exchanges []Exchange
	known     map[string]bool
	left      []string
}

const maxAnswer = 256 << 10

// Address is where a recorded system is said to be, when nothing else is known.
const Address = "https://recorded.example"

// Record makes a recorder for the system at an address, which becomes Address wherever it stands; "" keeps
// addresses as they are. Secrets are replaced by ***, however they are written, and so are the credentials with which
// requests are made.
func Record(address string, secrets []string) *Recorder {
	r := &Recorder{known: map[string]bool{}, address: strings.NewReplacer()}
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		r.host = u.Host
		at := u.Scheme + "://" + u.Host
		escaped := strings.NewReplacer("/", `\/`)
		r.address = strings.NewReplacer(at, Address, escaped.Replace(at), escaped.Replace(Address), url.QueryEscape(at), url.QueryEscape(Address))
	}
	for _, s := range secrets {
		if !r.secrets.hide(s) {
			r.left = append(r.left, fmt.Sprintf("A secret of %d characters is too short to be looked for: look at the recording before you publish it", len(s)))
		}
	}
	return r
}

// At is where a recorded system is said to be that was at an address: Address with the same path; "" for no address.
func At(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return Address + strings.TrimSuffix(u.EscapedPath(), "/")
}

// Reads says which headers of answers are noted, beside those that connectors usually read. It is called before anything is noted.
func (r *Recorder) Reads(header func(name string) bool) { r.reads = header }

// Hide removes one more secret from what is noted from now on.
func (r *Recorder) Hide(secret string) { r.secrets.hide(secret) }

// learn hides the credentials of a request: tokens are made while a system is asked.
func (r *Recorder) learn(req *http.Request) {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		if _, credentials, ok := strings.Cut(req.Header.Get(name), " "); ok && !strings.ContainsAny(credentials, " ,") { // else it is a signature
			r.secrets.hide(credentials)
		}
	}
}

// At says in which moment what follows is asked.
func (r *Recorder) At(when string) {
	r.mu.Lock()
	r.when = when
	r.mu.Unlock()
}

// Exchanges gives what was noted, in the order in which it was first asked, and tells what was left out.
func (r *Recorder) Exchanges() (all []Exchange, left []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.exchanges), slices.Clone(r.left)
}

// Through notes what goes over the network.
func (r *Recorder) Through(network http.RoundTripper) http.RoundTripper { return recorded{r, network} }

type recorded struct {
	*Recorder
	network http.RoundTripper
}

func (r recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	plain := req.Clone(req.Context())
	plain.Header.Del("Accept-Encoding") // so that the answer can be read here
	plain.Header.Set("Accept-Encoding", "identity")
	if req.Body != nil {
		plain.Body = io.NopCloser(bytes.NewReader(body))
	}
	res, err := r.network.RoundTrip(plain)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	rest := res.Body
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(got), rest), rest}
	if err != nil {
		return nil, err
	}
	r.note(req, body, res, got)
	return res, nil
}

// note keeps an exchange that is not known yet.
func (r *Recorder) note(req *http.Request, body []byte, res *http.Response, got []byte) {
	r.learn(req)
	body, got = veiled(req, body, got)
	e := Exchange{Request: r.request(req, body)}
	var why string
	e.Response, why = r.response(res, got)
	r.mu.Lock()
	defer r.mu.Unlock()
	e.When = r.when
	key, _ := yaml.Marshal(struct {
		When    string
		Request Request
	}{e.When, e.Request})
	if r.known[string(key)] {
		return
	}
	r.known[string(key)] = true
	if why != "" {
		r.left = append(r.left, fmt.Sprintf("%s %s: %s", req.Method, r.Clean(req.URL.Path), why))
	}
	r.exchanges = append(r.exchanges, e)
}

// request writes what was asked.
func (r *Recorder) request(req *http.Request, body []byte) Request {
	q := Request{Path: r.Clean(req.URL.Path), Query: r.values(req.URL.Query())}
	if req.URL.EscapedPath() != (&url.URL{Path: req.URL.Path}).EscapedPath() {
		q.Path = r.Clean(req.URL.EscapedPath())
	}
	if r.host != "" && req.URL.Host != r.host {
		q.Host = r.Clean(req.URL.Host)
	}
	for name, v := range req.Header {
		if matters(name) && len(v) == 1 && !strings.Contains(r.Clean(v[0]), anything) {
			if q.Headers == nil {
				q.Headers = map[string]string{}
			}
			q.Headers[name] = v[0]
		}
	}
	r.body(&q, req.Header.Get("Content-Type"), body)
	if q.method() != req.Method {
		q.Method = req.Method
	}
	return q
}

func (r *Recorder) body(q *Request, contentType string, body []byte) {
	if len(body) == 0 {
		return
	}
	text := r.Clean(string(body))
	kind, _, _ := mime.ParseMediaType(contentType)
	var operation struct {
		Query     string
		Variables json.RawMessage
	}
	switch {
	case kind == "application/x-www-form-urlencoded":
		if form, err := url.ParseQuery(string(body)); err == nil {
			q.Form = r.values(form)
			return
		}
	case json.Unmarshal([]byte(text), &operation) == nil && operation.Query != "":
		q.GraphQL = &GraphQL{Operation: operationOf(operation.Query)}
		if len(operation.Variables) > 0 && string(operation.Variables) != "{}" {
			q.GraphQL.Variables, _ = treeOf(operation.Variables)
		}
		return
	case json.Valid([]byte(text)):
		q.JSON, _ = treeOf([]byte(text))
		return
	}
	q.Body = text
}

// unsaid are headers of requests that do not matter to an answer, or are credentials.
var unsaid = []string{"Accept", "Accept-Encoding", "Content-Type", "Content-Length", "User-Agent", "Authorization", "Proxy-Authorization", "Cookie", "Date", "Traceparent", "Tracestate"}

func matters(header string) bool {
	header = http.CanonicalHeaderKey(header)
	return !slices.Contains(unsaid, header) && !strings.HasPrefix(header, "X-Amz-")
}

// told are headers of answers that connectors read.
func told(header string) bool {
	header = strings.ToLower(header)
	for _, part := range []string{"limit", "cursor", "next", "total", "pagin", "retry"} {
		if strings.Contains(header, part) {
			return true
		}
	}
	return slices.Contains([]string{"etag", "link", "last-modified", "cache-control", "age", "content-type", "content-length", "location"}, header)
}

// unread are headers of answers that nobody reads.
var unread = []string{"Date", "Connection", "Keep-Alive", "Set-Cookie", "Server", "Vary", "Via"}

// response writes what was answered, and tells what of it is left out.
func (r *Recorder) response(res *http.Response, got []byte) (a Response, why string) {
	if res.StatusCode != http.StatusOK {
		a.Status = res.StatusCode
	}
	headers := map[string]string{}
	for name, v := range res.Header {
		head := res.Request.Method == http.MethodHead // then there is nothing but headers to be read
		read := r.reads != nil && r.reads(name)
		if (read || told(name)) && (name != "Content-Length" || head) || head && !slices.Contains(unread, name) {
			headers[name] = r.Clean(strings.Join(v, ", "))
		}
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case len(got) > maxAnswer:
		why = fmt.Sprintf("its answer is left out, it is larger than %d KB", maxAnswer>>10)
	case !utf8.Valid(got):
		why = "its answer is left out, it is no text"
	case json.Valid(got):
		var err error
		if a.JSON, err = treeOf([]byte(r.Clean(string(got)))); err != nil {
			why = "its answer is left out, it cannot be written"
		}
		if kind == "application/json" {
			delete(headers, "Content-Type")
		}
	default:
		a.Body = r.Clean(string(got))
	}
	if len(headers) > 0 {
		a.Headers = headers
	}
	return a, why
}

func (r *Recorder) values(in url.Values) map[string]Values {
	if len(in) == 0 {
		return nil
	}
	out := map[string]Values{}
	for name, all := range in {
		for _, v := range all {
			out[r.Clean(name)] = append(out[r.Clean(name)], r.Clean(v))
		}
	}
	return out
}

// Holds reports whether there is a secret in a text.
func (r *Recorder) Holds(s string) bool { return r.secrets.clean(s) != s }

// Clean removes every secret, and the system's address.
func (r *Recorder) Clean(s string) string { return r.secrets.clean(r.address.Replace(s)) }
