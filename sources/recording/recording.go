// Package recording owns recordings: exchanges with an origin system, kept in a file that a person can read
// and write, and the player that answers with them in place of the system.
//
// Tests, CI and demos run on them without a network. A recording is made of a running system by
// "tutti connector record", or written by hand from a system's documentation. It holds no secret, and
// nothing large or binary. The package knows neither manifests nor sources.
package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"go.yaml.in/yaml/v3"
)

// Recording is what a file of recordings holds.
type Recording struct {
	Connector string            `yaml:"connector"`           // The name of the manifest.
	From      string            `yaml:"from"`                // Where the answers are from: the system and its version, or "documentation".
	URL       string            `yaml:"url,omitempty"`       // Where the system was. Default: the manifest's url, or https://recorded.example.
	Settings  map[string]string `yaml:"settings,omitempty"`  // What the source's config gave.
	Secrets   map[string]string `yaml:"secrets,omitempty"`   // Made-up values, where the manifest wants a form; never real ones. Default: made-up.
	Kinds     map[string]Kind   `yaml:"kinds"`               // What to ask for, by kind.
	Hooks     []Hook            `yaml:"hooks,omitempty"`     // Messages that the system posts.
	Exchanges []Exchange        `yaml:"exchanges,omitempty"` // What was asked and answered.

	file string
}

// Kind says what to ask of a kind of item, so that the same questions are asked every time.
type Kind struct {
	IDs        []string          `yaml:"ids,omitempty"`        // Items that exist. The suite asks for all of them in one batch with missing, and for the first alone.
	Missing    string            `yaml:"missing,omitempty"`    // An id that is well formed but not there.
	Field      string            `yaml:"field,omitempty"`      // A mapped field that each of ids has. Default: title.
	First      int               `yaml:"first,omitempty"`      // How many items a page of its list has. Default: 5.
	Pages      int               `yaml:"pages,omitempty"`      // How many pages of its list are read. Default: to the end.
	Locales    []string          `yaml:"locales,omitempty"`    // The first is asked for everywhere, the others for the first of ids.
	Market     string            `yaml:"market,omitempty"`     // Asked for everywhere.
	Currency   string            `yaml:"currency,omitempty"`   // Asked for everywhere.
	Selections []Selection       `yaml:"selections,omitempty"` // Selections that find something; their first page is asked for.
	Owner      string            `yaml:"owner,omitempty"`      // Of a kind that belongs to people: who owns ids.
	Other      string            `yaml:"other,omitempty"`      // Somebody else who owns items.
	Aliases    map[string]string `yaml:"aliases,omitempty"`    // Other spellings of ids, with the id that they stand for.
	Changes    *Since            `yaml:"changes,omitempty"`    // What its feed of changes is asked.
	Without    string            `yaml:"without,omitempty"`    // Why nothing is asked of the kind.
}

// Selection is a selection to ask for.
type Selection struct {
	Text   string         `yaml:"text,omitempty"`   // What is searched for.
	Filter map[string]any `yaml:"filter,omitempty"` // By the kind's filters.
	Sort   string         `yaml:"sort,omitempty"`   // One of the kind's sorts.
	Finds  []string       `yaml:"finds,omitempty"`  // The ids that it finds, in this order. Without it: at least one.
}

// Since is what a feed of changes is asked.
type Since struct {
	Since time.Time `yaml:"since"`           // Changes after this instant.
	Finds []string  `yaml:"finds,omitempty"` // The ids that its first page tells, in any order. Without it: at least one.
}

// Hook is a message that the system posts when something changes. It is signed when it is sent.
type Hook struct {
	Name    string            `yaml:"name"`              // What it is called in reports.
	JSON    *Tree             `yaml:"json,omitempty"`    // Its body, as JSON or YAML.
	Body    string            `yaml:"body,omitempty"`    // Or: its body as it is.
	Headers map[string]string `yaml:"headers,omitempty"` // Besides those of the signature.
	Changes []string          `yaml:"changes,omitempty"` // What it changes: kind/id, or kind for all of it. None: nothing.
}

// Exchange is a request and its answer.
type Exchange struct {
	When     string   `yaml:"when,omitempty"` // The moment in which the system answers so; without it, always. See Moments.
	Request  Request  `yaml:"request"`        // What is asked. In a moment, what is not written may be anything.
	Response Response `yaml:"response"`       // What is answered.

	line int
}

// The moments of an exchange.
const (
	Always           = ""
	WrongCredentials = "wrong credentials" // the credentials are not right
	Changed          = "changed"           // something has changed since the rest was recorded
)

// Moments are all values of when.
func Moments() []string { return []string{WrongCredentials, Changed} }

// Request is what was asked. *** in a value of query, headers, form, json or variables stands for anything.
type Request struct {
	Method  string            `yaml:"method,omitempty"`  // Default: GET, with a body POST.
	Host    string            `yaml:"host,omitempty"`    // Where it is another than the system's.
	Path    string            `yaml:"path,omitempty"`    // With the path of the source's url, without query.
	Query   map[string]Values `yaml:"query,omitempty"`   // All members of the query, in any order.
	Headers map[string]string `yaml:"headers,omitempty"` // Headers that must be there; others do not matter.
	JSON    *Tree             `yaml:"json,omitempty"`    // A body that is equal as JSON.
	GraphQL *GraphQL          `yaml:"graphql,omitempty"` // A body that is this operation.
	Form    map[string]Values `yaml:"form,omitempty"`    // A body that is a form.
	Body    string            `yaml:"body,omitempty"`    // Another body.
}

// GraphQL is an operation. Its document may change without the recording, its name and variables may not.
type GraphQL struct {
	Operation string `yaml:"operation,omitempty"` // Its name; without it, one that has none.
	Variables *Tree  `yaml:"variables,omitempty"` // All of them.
}

// Response is what was answered.
type Response struct {
	Status  int               `yaml:"status,omitempty"`  // Default: 200.
	Headers map[string]string `yaml:"headers,omitempty"` // Those that matter. Content-Type follows from the body.
	JSON    *Tree             `yaml:"json,omitempty"`    // A body that is JSON, as JSON or YAML.
	Body    string            `yaml:"body,omitempty"`    // Another body, as text.
}

// Values are one value or several. In YAML a text is short for one.
type Values []string

// UnmarshalYAML takes the short form too.
func (v *Values) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*v = Values{n.Value}
		return nil
	}
	return n.Decode((*[]string)(v))
}

// MarshalYAML writes the short form.
func (v Values) MarshalYAML() (any, error) {
	if len(v) == 1 {
		return v[0], nil
	}
	return []string(v), nil
}

// MaxBytes is the most that a file may hold.
const MaxBytes = 4 << 20

// Parse reads a recording. All mistakes are told at once, as a joined error of *tutti.Error with code
// Invalid whose messages start with file:line.
func Parse(file string, b []byte) (*Recording, error) {
	r := &Recording{file: file}
	if len(b) > MaxBytes {
		return nil, r.wrong(1, "the recording is larger than 4 MB", "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(r); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, r.wrong(1, "the recording is empty", "Write, for example:  connector: acme")
		}
		line, what := config.YAMLMistake(err)
		return nil, r.wrong(max(1, line), what, "")
	}
	var root yaml.Node
	_ = yaml.Unmarshal(b, &root) // it was read before
	r.place(&root)
	if problems := r.check(); len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return r, nil
}

// File is where the recording was read from.
func (r *Recording) File() string { return r.file }

func (r *Recording) wrong(line int, what, hint string) error {
	return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s:%d: %s.", r.file, line, what), Hint: hint}
}

// place notes the lines of the exchanges.
func (r *Recording) place(root *yaml.Node) {
	if len(root.Content) == 0 {
		return
	}
	top := root.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value != "exchanges" {
			continue
		}
		for j, n := range top.Content[i+1].Content {
			if j < len(r.Exchanges) {
				r.Exchanges[j].line = n.Line
			}
		}
	}
}

func (r *Recording) check() (problems []error) {
	bad := func(line int, what, hint string) { problems = append(problems, r.wrong(line, what, hint)) }
	if r.Connector == "" {
		bad(1, "connector is missing", "Write the name of the manifest, for example:  connector: acme")
	}
	if r.From == "" {
		bad(1, "from is missing", "Write the system and its version, or:  from: documentation")
	}
	if u, err := url.Parse(r.URL); r.URL != "" && (err != nil || u.Host == "") {
		bad(1, "url is no address of a system", "Write, for example:  url: https://acme.example")
	}
	for i, h := range r.Hooks {
		if h.Name == "" {
			bad(1, fmt.Sprintf("hooks.%d.name is missing", i), "Write what happened, for example:  name: a product was renamed")
		}
		if _, err := h.JSON.bytes(); err != nil {
			bad(1, fmt.Sprintf("hooks.%d.json %v", i, err), "")
		}
	}
	for i := range r.Exchanges {
		e := &r.Exchanges[i]
		for _, p := range e.check() {
			bad(e.line, fmt.Sprintf("exchanges.%d.%s", i, p[0]), p[1])
		}
	}
	return problems
}

var credentials = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// check gives what is wrong, and what to write instead.
func (e *Exchange) check() (problems [][2]string) {
	bad := func(what, hint string) { problems = append(problems, [2]string{what, hint}) }
	if e.When != Always && !slices.Contains(Moments(), e.When) {
		bad("when is unknown: “"+e.When+"”", "Write “"+strings.Join(Moments(), "” or “")+"”.")
	}
	q, a := &e.Request, &e.Response
	if e.When == Always && !strings.HasPrefix(q.Path, "/") {
		bad("request.path is missing or does not start with '/'", "Write, for example:  path: /v1/items/7")
	}
	if strings.ContainsAny(q.Path, "?#") {
		bad("request.path holds a query", "Write it under query.")
	}
	for group, headers := range map[string]map[string]string{"request": q.Headers, "response": a.Headers} {
		for name := range headers {
			if slices.Contains(credentials, http.CanonicalHeaderKey(name)) {
				bad(group+".headers holds "+name+", which can be a secret", "Remove it: credentials are not compared.")
			}
		}
	}
	bodies := 0
	for _, there := range []bool{q.JSON != nil, q.GraphQL != nil, q.Form != nil, q.Body != ""} {
		if there {
			bodies++
		}
	}
	if bodies > 1 {
		bad("request has several bodies", "Write one of json, graphql, form and body.")
	}
	if a.JSON != nil && a.Body != "" {
		bad("response has json and body", "Write one of them.")
	}
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		bad("response.status is no status of an answer", "Write, for example:  status: 404")
	}
	nodes := map[string]*Tree{"request.json": q.JSON, "response.json": a.JSON}
	if q.GraphQL != nil {
		nodes["request.graphql.variables"] = q.GraphQL.Variables
	}
	for name, n := range nodes {
		if _, err := n.bytes(); err != nil {
			bad(name+" "+err.Error(), "")
		}
	}
	return problems
}

// Method is how it is asked.
func (q *Request) method() string {
	switch {
	case q.Method != "":
		return strings.ToUpper(q.Method)
	case q.JSON != nil || q.GraphQL != nil || q.Form != nil || q.Body != "":
		return http.MethodPost
	}
	return http.MethodGet
}

// operationName finds the name of the operation in a GraphQL document.
var operationName = regexp.MustCompile(`\b(?:query|mutation|subscription)\s+([A-Za-z_]\w*)`)

func operationOf(document string) string {
	if m := operationName.FindStringSubmatch(document); m != nil {
		return m[1]
	}
	return ""
}

// Write gives the file of a recording.
func (r *Recording) Write() ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(r); err != nil {
		return nil, tutti.Errorf(tutti.Internal, "writing a recording: %w", err)
	}
	return b.Bytes(), nil
}

// Message gives the body of a hook.
func (h *Hook) Message() []byte {
	if h.JSON == nil {
		return []byte(h.Body)
	}
	b, _ := h.JSON.bytes() // it was checked when it was read
	return b
}
