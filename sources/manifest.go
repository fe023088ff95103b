package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// Manifest is a connector written in YAML, as it stands in the file. docs/manifests.md explains
// every key; manifest.schema.json is the same for editors.
type Manifest struct {
	Name        string                 `yaml:"name"`
	Description string                 `yaml:"description"`
	Settings    map[string]Declaration `yaml:"settings"`
	Secrets     map[string]Declaration `yaml:"secrets"`
	URL         string                 `yaml:"url"`
	Headers     map[string]string      `yaml:"headers"`
	Auth        *AuthSpec              `yaml:"auth"`
	GraphQL     string                 `yaml:"graphql"`
	Limits      LimitSpec              `yaml:"limits"`
	Kinds       map[string]*KindSpec   `yaml:"kinds"`
	Webhook     *WebhookSpec           `yaml:"webhook"`

	file     string
	lines    map[string]int // by path of the key: kinds.product.map.title
	compiled *compiled
}

// Declaration is a setting or secret that the config gives.
type Declaration struct {
	Description string `yaml:"description"`
	Required    bool   `yaml:"required"`
	Default     string `yaml:"default"`
	Example     string `yaml:"example"`
	Pattern     string `yaml:"pattern"`
}

// AuthSpec says how the system knows us. Where a secret that it names is not set, nothing is sent.
type AuthSpec struct {
	Type     string `yaml:"type"` // basic, bearer, header, query
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	Token    string `yaml:"token"`
	Name     string `yaml:"name"`
	Value    string `yaml:"value"`
}

// LimitSpec says how the system tells that it is enough.
type LimitSpec struct {
	Statuses  []int  `yaml:"statuses"`  // that mean "wait"; default 429
	Remaining string `yaml:"remaining"` // the header that tells how many calls are left
	Reset     string `yaml:"reset"`     // the header that tells when there are more
	ResetAs   string `yaml:"resetAs"`   // seconds, unix, time
}

// KindSpec is one kind of item: how to ask for it and how to read it.
type KindSpec struct {
	Type        string               `yaml:"type"`
	Description string               `yaml:"description"`
	ID          IDSpec               `yaml:"id"`
	Dimensions  []string             `yaml:"dimensions"`
	Fragment    string               `yaml:"fragment"`
	Get         *CallSpec            `yaml:"get"`
	Batch       *BatchSpec           `yaml:"batch"`
	Filters     map[string]Filter    `yaml:"filters"`
	Select      []*SelectSpec        `yaml:"select"`
	RecordID    string               `yaml:"recordId"`
	Exists      string               `yaml:"exists"`
	Map         map[string]FieldSpec `yaml:"map"`
	Owner       string               `yaml:"owner"`
	OwnerID     string               `yaml:"ownerPattern"`
	Locale      string               `yaml:"locale"`
	Tags        map[string]string    `yaml:"tags"`
	Renditions  *RenditionSpec       `yaml:"renditions"`
}

// IDSpec is the syntax of ids.
type IDSpec struct {
	Pattern   string `yaml:"pattern"`
	Canonical string `yaml:"canonical"`
	Example   string `yaml:"example"`
}

// CallSpec is one HTTP call and how to read its answer.
type CallSpec struct {
	Method      string               `yaml:"method"`
	Path        string               `yaml:"path"`
	Query       map[string]QuerySpec `yaml:"query"`
	Headers     map[string]string    `yaml:"headers"`
	Body        any                  `yaml:"body"`
	GraphQL     *GraphQLSpec         `yaml:"graphql"`
	Record      string               `yaml:"record"`
	Records     string               `yaml:"records"`
	Total       string               `yaml:"total"`
	More        string               `yaml:"more"`
	NotFound    *NotFoundSpec        `yaml:"notFound"`
	Conditional string               `yaml:"conditional"`
}

// BatchSpec asks for many ids in one call.
type BatchSpec struct {
	CallSpec    `yaml:",inline"`
	MaxIDs      int `yaml:"maxIds"`
	MaxRows     int `yaml:"maxRows"`
	MaxURLBytes int `yaml:"maxUrlBytes"`
}

// SelectSpec answers selections that give all its filters, and besides them only optional ones.
type SelectSpec struct {
	CallSpec `yaml:",inline"`
	Filters  []string       `yaml:"filters"`
	Optional []string       `yaml:"optional"`
	Text     string         `yaml:"text"` // required, optional; "" = it cannot search
	Owner    bool           `yaml:"owner"`
	Sorts    map[string]any `yaml:"sorts"`
	Paging   PagingSpec     `yaml:"paging"`
	IDs      string         `yaml:"ids"`
}

// PagingSpec says how pages follow one another.
type PagingSpec struct {
	Type     string `yaml:"type"`     // cursor, link, page, offset; "" = there is one page
	Next     string `yaml:"next"`     // cursor: its path in the answer
	Param    string `yaml:"param"`    // link: the query parameter of the next address that is the cursor
	MaxFirst int    `yaml:"maxFirst"` // the most items of one page; 0 = 100
}

// GraphQLSpec is a GraphQL operation.
type GraphQLSpec struct {
	Document  string         `yaml:"document"`
	Each      string         `yaml:"each"`
	IDType    string         `yaml:"idType"`
	Variables map[string]any `yaml:"variables"`
}

// NotFoundSpec says what "there is none" looks like.
type NotFoundSpec struct {
	Statuses []int  `yaml:"statuses"`
	When     string `yaml:"when"`
}

// QuerySpec is one query parameter. In YAML a text is short for its value.
type QuerySpec struct {
	Value  string `yaml:"value"`
	Encode string `yaml:"encode"` // of a list: csv, pipe, repeat, bracket, json
}

// FieldSpec is one mapped field. In YAML a text is short for its value.
type FieldSpec struct {
	Value string `yaml:"value"`
	As    string `yaml:"as"`
	From  string `yaml:"from"` // of richText: html, markdown, plain
	Kind  string `yaml:"kind"` // of ref and refs: what stands before the id
	Link  string `yaml:"link"` // of ref: the value is a text; the id is what follows this address in it
}

// RenditionSpec makes addresses of a picture in other sizes.
type RenditionSpec struct {
	When    string            `yaml:"when"`
	Scale   string            `yaml:"scale"`
	Crop    string            `yaml:"crop"`
	Formats map[string]string `yaml:"formats"`
}

// WebhookSpec says how webhooks are verified and what they tell.
type WebhookSpec struct {
	Scheme  string       `yaml:"scheme"`
	Secret  string       `yaml:"secret"`
	ID      string       `yaml:"id"`
	Changes []ChangeSpec `yaml:"changes"`
}

// ChangeSpec is what one kind of event tells.
type ChangeSpec struct {
	When string `yaml:"when"`
	Kind string `yaml:"kind"`
	IDs  string `yaml:"ids"`
}

// UnmarshalYAML takes the short form too.
func (q *QuerySpec) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		q.Value = n.Value
		return nil
	}
	type plain QuerySpec
	return n.Decode((*plain)(q))
}

// UnmarshalYAML takes the short form too.
func (f *FieldSpec) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		f.Value = n.Value
		return nil
	}
	type plain FieldSpec
	return n.Decode((*plain)(f))
}

const maxManifest = 1 << 20

// ParseManifest reads a manifest and checks everything that can be checked without a config: all
// mistakes are told at once, as a joined error of *tutti.Error with code Invalid whose messages
// start with file:line. The expressions in it are compiled, and thrown away.
func ParseManifest(file string, b []byte) (*Manifest, error) {
	m := &Manifest{file: file, lines: map[string]int{}}
	if len(b) > maxManifest {
		return nil, m.wrong("", "is larger than 1 MB", "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, m.wrong("", "is empty", "Write, for example:  name: acme")
		}
		return nil, &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s: reading YAML: %v", file, err)}
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, m.wrong("", "holds more than one document", "Write one manifest a file.")
	}
	problems := checkShape(m, doc.Content[0])
	if len(problems) == 0 {
		if err := doc.Content[0].Decode(m); err != nil {
			return nil, &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s: reading YAML: %v", file, err)}
		}
		problems = checkManifest(m)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return m, nil
}

// wrong makes a mistake with its place: the line of the key at path, or of its nearest parent.
func (m *Manifest) wrong(path, what, hint string) error {
	line := 1
	for p := path; ; p = parent(p) {
		if l, ok := m.lines[p]; ok {
			line = l
			break
		}
		if p == "" {
			break
		}
	}
	msg := fmt.Sprintf("%s:%d:", m.file, line)
	if path != "" {
		msg += " " + path
	}
	return &tutti.Error{Code: tutti.Invalid, Message: msg + " " + what + ".", Hint: hint}
}

func parent(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return ""
}

// kindNames are the kinds in a fixed order.
func (m *Manifest) kindNames() []string { return sortedKeys(m.Kinds) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (d Declaration) matches(v string) bool {
	if d.Pattern == "" {
		return true
	}
	re, err := regexp.Compile(`^(?:` + d.Pattern + `)$`)
	return err == nil && re.MatchString(v)
}
