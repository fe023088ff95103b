package sources

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/expr"
	"go.yaml.in/yaml/v3"
)

// Manifest is a connector written in YAML, as it stands in the file. docs/manifests.md explains
// every key; manifest.schema.json is the same for editors.
type Manifest struct {
	Name        string                 `yaml:"name"`        // What sources in tutti.yaml name as their connector.
	Description string                 `yaml:"description"` // What the system is, in one sentence.
	Family      string                 `yaml:"family"`      // What the system is for; any is for every system.
	Proven      string                 `yaml:"proven"`      // The real system and version that it was tried on. Without it: built from the system's documentation.
	Setup       string                 `yaml:"setup"`       // Markdown: what to do in the system before it can be read, and where.
	Settings    map[string]Declaration `yaml:"settings"`    // What the config gives for each source, as ${settings.name}.
	Secrets     map[string]Declaration `yaml:"secrets"`     // What the config gives from the environment, as ${secrets.name}. Only auth and headers may use it.
	Protocol    string                 `yaml:"protocol"`    // How the system is asked. Default: http.
	Notify      string                 `yaml:"notify"`      // Of sql: the channel on which the database notifies what changed.
	URL         string                 `yaml:"url"`         // Where the system is, when the config does not say.
	Headers     map[string]string      `yaml:"headers"`     // Sent with every call.
	Auth        *AuthSpec              `yaml:"auth"`        // How the system knows us.
	GraphQL     string                 `yaml:"graphql"`     // The path of the GraphQL endpoint.
	Limits      LimitSpec              `yaml:"limits"`      // How the system says that it is enough.
	Failed      string                 `yaml:"failed"`      // CEL over answer: whether an answer of success tells of an error all the same.
	Denied      string                 `yaml:"denied"`      // CEL over answer: whether a refusal, with a status of 4xx or by failed, means that the credentials are not good.
	Kinds       map[string]*KindSpec   `yaml:"kinds"`       // The kinds of items.
	Webhook     *WebhookSpec           `yaml:"webhook"`     // What the system posts when something changes.

	file     string
	digest   [sha256.Size]byte // of the file
	lines    map[string]spot   // by path of the key: kinds.product.map.title
	unread   map[string]bool   // by path: what stands there has not the form that it must have
	text     []byte            // of the file, while it is read
	compiled *compiled
}

// Declaration is a setting or secret that the config gives.
type Declaration struct {
	Description string `yaml:"description"` // What it is and where to find it.
	Required    bool   `yaml:"required"`    // The source is refused without it.
	Default     string `yaml:"default"`     // The value of a setting that is not written.
	Example     string `yaml:"example"`     // What it looks like.
	Pattern     string `yaml:"pattern"`     // RE2 that the whole value must match.
}

// KindSpec is one kind of item: how to ask for it and how to read it.
type KindSpec struct {
	Type        string               `yaml:"type"`         // The resource type that it is delivered as.
	Description string               `yaml:"description"`  // What an item is, in one sentence.
	ID          IDSpec               `yaml:"id"`           // What ids look like.
	Dimensions  []string             `yaml:"dimensions"`   // What an item depends on besides its id.
	Languages   string               `yaml:"languages"`    // Each record holds all languages: it is asked for and kept once, and mapped for each locale.
	Fragment    string               `yaml:"fragment"`     // GraphQL fragments, added to each document that uses the first of them.
	Get         *CallSpec            `yaml:"get"`          // Asks for one item, with ${id}.
	Batch       *BatchSpec           `yaml:"batch"`        // Asks for many items, with ${ids}.
	Whole       *WholeSpec           `yaml:"whole"`        // Instead of get and batch: the one call that gives all items.
	Filters     map[string]Filter    `yaml:"filters"`      // What selections may filter by, as ${filter.name}.
	Select      []*SelectSpec        `yaml:"select"`       // Answer selections; the first that fits is taken.
	Changes     *ChangesSpec         `yaml:"changes"`      // Asks what changed, where the system does not tell by itself.
	MaxAge      string               `yaml:"maxAge"`       // How long after it was read an item may be shown at most, such as 2h, for what ends (signed addresses).
	RecordID    string               `yaml:"recordId"`     // CEL over record: its id. Default: record.id.
	Exists      string               `yaml:"exists"`       // CEL over record: false = as if it were not there.
	Map         map[string]FieldSpec `yaml:"map"`          // The fields of the resource.
	Owner       string               `yaml:"owner"`        // The mapped field that says whose an item is.
	OwnerID     string               `yaml:"ownerPattern"` // RE2 that the whole of an owner must match; others own nothing.
	Rights      *RightsSpec          `yaml:"rights"`       // The mapped fields that say when and where an item may be shown.
	Locale      string               `yaml:"locale"`       // CEL over record: the locale it came in.
	Tags        map[string]string    `yaml:"tags"`         // By kind of record: CEL that gives the ids of further records that the item is made of.
	Renditions  *RenditionSpec       `yaml:"renditions"`   // Addresses of a picture in other sizes.
}

// IDSpec is the syntax of ids.
type IDSpec struct {
	Pattern   string     `yaml:"pattern"`   // RE2 that the whole id must match; others are not found, without a call.
	Path      bool       `yaml:"path"`      // Ids are paths: what stands between slashes is escaped on its own, and is never empty, '.' or '..'.
	Canonical string     `yaml:"canonical"` // CEL over id: its one spelling.
	Example   string     `yaml:"example"`   // An id to check the connection with; it need not exist.
	Alias     *AliasSpec `yaml:"alias"`     // Other names that items may be asked for by, such as a handle or a slug.
}

// CallSpec is one HTTP call and how to read its answer.
type CallSpec struct {
	Method      string               `yaml:"method"`      // Default: GET, with a body POST. Calls only read.
	Path        string               `yaml:"path"`        // After the source's url. Values in ${…} become part of one segment.
	Query       map[string]QuerySpec `yaml:"query"`       // Query parameters. One whose value is absent is left out.
	Headers     map[string]string    `yaml:"headers"`     // Headers of this call. One whose value is absent is left out.
	Body        any                  `yaml:"body"`        // A JSON body. Values in ${…} keep their type; absent ones are left out.
	Form        map[string]QuerySpec `yaml:"form"`        // Instead: a form-encoded body. A field whose value is absent is left out.
	GraphQL     *GraphQLSpec         `yaml:"graphql"`     // A GraphQL operation.
	Needs       []string             `yaml:"needs"`       // Settings, and of changes secrets too, without which there is no such call.
	SQL         string               `yaml:"sql"`         // Of protocol sql: the query. Values are its parameters: $ids, $first, a filter by its name.
	Files       *FilesSpec           `yaml:"files"`       // Of protocol files: the folder whose files are the records.
	Format      string               `yaml:"format"`      // What the answer is: JSON (default), XML, which becomes JSON, nothing but its headers, or a feed (RSS, Atom or JSON Feed).
	Lists       []string             `yaml:"lists"`       // Of XML: paths of elements that are lists even when there is only one, or none. The records are one anyway.
	Record      string               `yaml:"record"`      // Of get: where the record is in the answer. Default: the answer itself.
	Records     string               `yaml:"records"`     // Where the list of records is in the answer; '.' = the answer itself.
	Keyed       bool                 `yaml:"keyed"`       // The records stand in an object, by their ids, and not in a list.
	Total       string               `yaml:"total"`       // Where the number of all matching records is.
	More        string               `yaml:"more"`        // Where the answer says that there are more: anything but null, false, 0 and "", which may be texts.
	NotFound    *NotFoundSpec        `yaml:"notFound"`    // What "there is none" looks like.
	Conditional string               `yaml:"conditional"` // Of get and whole: by what the answer is asked for again: its ETag, Last-Modified, or both.
	Fresh       string               `yaml:"fresh"`       // How long its records are fresh: as the answer's Cache-Control says, at most as the config does.
}

// BatchSpec asks for many ids in one call.
type BatchSpec struct {
	CallSpec    `yaml:",inline"`
	MaxIDs      int `yaml:"maxIds"`      // How many ids one call takes.
	MinIDs      int `yaml:"minIds"`      // How many ids it takes at least; a single one is asked for with get then.
	MaxRows     int `yaml:"maxRows"`     // How many records one answer holds, when that is less.
	MaxURLBytes int `yaml:"maxUrlBytes"` // How many bytes of URL the ids may take. Default: 6144.
}

// SelectSpec answers selections that give all its filters, and besides them only optional ones.
type SelectSpec struct {
	CallSpec `yaml:",inline"`
	Filters  []string       `yaml:"filters"`  // Filters that must be given.
	Optional []string       `yaml:"optional"` // Filters that may be given.
	Text     string         `yaml:"text"`     // Whether a search text must or may be given. Without it: neither.
	Owner    bool           `yaml:"owner"`    // It gives the items of ${owner} alone.
	Sorts    map[string]any `yaml:"sorts"`    // By name, with '-' in front for descending: what ${sort} becomes.
	Paging   PagingSpec     `yaml:"paging"`   // How pages follow one another.
	IDs      string         `yaml:"ids"`      // CEL over record: only its id. The items are then read by their ids.

	Where  map[string]string `yaml:"where"`  // Of a kind with whole, by filter: CEL over record and filter: whether the record is selected.
	Search []string          `yaml:"search"` // Of a kind with whole: paths in the record in which the words of a text are looked for.
}

// PagingSpec says how pages follow one another.
type PagingSpec struct {
	Type     string `yaml:"type"`     // By ${cursor} from the answer, one of its headers or its Link header; by the next address that the answer names; by ${page} or ${offset}; by parameters that the answer names (continue); by the last record's key. Without it: one page.
	Next     string `yaml:"next"`     // Of cursor, url and continue: where the next one is in the answer.
	End      string `yaml:"end"`      // Where the answer says that there is no page after this one.
	Param    string `yaml:"param"`    // Of link: the parameter of the next address that is the cursor. Without it: the address itself.
	Header   string `yaml:"header"`   // Of header: the header that holds the next cursor.
	Key      string `yaml:"key"`      // Of keyset: CEL over record, what the list is sorted by. That of the last record is the cursor.
	Start    string `yaml:"start"`    // Of cursor, header and keyset: what ${cursor} is on the first page. Default: absent.
	MaxFirst int    `yaml:"maxFirst"` // The most items of one page. Default: 100.
	Size     int    `yaml:"size"`     // How many items a page of the system has, where nothing else can be asked for.
	MaxPages int    `yaml:"maxPages"` // After how many pages the list ends. Default: 10000.
}

// GraphQLSpec is a GraphQL operation.
type GraphQLSpec struct {
	Document  string         `yaml:"document"`  // The operation. Values stand in variables, never in it.
	Each      string         `yaml:"each"`      // Instead: the field for one $id; each id becomes an alias of it.
	IDType    string         `yaml:"idType"`    // Of each: the type of $id. Default: ID!.
	Variables map[string]any `yaml:"variables"` // Values in ${…} keep their type; absent ones are left out.
}

// NotFoundSpec says what "there is none" looks like.
type NotFoundSpec struct {
	Statuses []int  `yaml:"statuses"` // Default: 404 and 410 of get, none of batch, select and graphql.
	When     string `yaml:"when"`     // CEL over answer.
}

// QuerySpec is one query parameter. In YAML a text is short for its value.
type QuerySpec struct {
	Value  string   `yaml:"value"`  // A text with ${…}.
	Encode string   `yaml:"encode"` // How a list is written: a,b or a|b, the parameter repeated, repeated with [], a JSON list, or an expression of a query language.
	All    []string `yaml:"all"`    // Of expr: conditions that stand in place of {} in the value, joined by AND. One whose value is absent is left out.
	Each   string   `yaml:"each"`   // Of expr: how each value of a list is written, in place of {}.
	Join   string   `yaml:"join"`   // What stands between the values of a list: of csv, default a comma; of expr, default OR with a space on either side.
	Quote  string   `yaml:"quote"`  // Of expr: how the language writes a text. Default: texts are only words and numbers.
}

// FieldSpec is one mapped field. In YAML a text is short for its value.
type FieldSpec struct {
	Value  string            `yaml:"value"`  // CEL over record, settings, locale, locales and source. A plain path is copied exactly.
	As     string            `yaml:"as"`     // The field's type, where the resource type does not say.
	From   string            `yaml:"from"`   // Of richText: how the origin writes it. Default: html.
	Values map[string]string `yaml:"values"` // Of words: ours by the origin's; "*" for all others. Without "*" another word is an error.
	Kind   string            `yaml:"kind"`   // Of ref and refs: the kind, or source:kind, that the value is an id of.
	Link   string            `yaml:"link"`   // Of ref: the value is a text; the id is what follows this address in it.
}

// RenditionSpec makes addresses of a picture in other sizes.
type RenditionSpec struct {
	When    string            `yaml:"when"`    // CEL over record: whether it has renditions.
	Scale   string            `yaml:"scale"`   // The address for a ${width}, in the picture's own shape.
	Crop    string            `yaml:"crop"`    // The address for a ${width} and ${height}.
	Sizes   map[string]string `yaml:"sizes"`   // Instead of scale: by width in pixels, CEL over record: the address in that size.
	Sign    *SignSpec         `yaml:"sign"`    // How ${signature} is made. Without its secrets there are no renditions.
	Formats map[string]string `yaml:"formats"` // How ${format} is spelled; "" is the system's choice. One that is not here is not possible.
}

// WebhookSpec says how webhooks are verified and what they tell.
type WebhookSpec struct {
	Scheme    SchemeSpec     `yaml:"scheme"`    // How they are signed: the name of a scheme, or a description of one.
	Secret    string         `yaml:"secret"`    // The declared secret they are signed with, when the config gives no webhook secret.
	Setup     string         `yaml:"setup"`     // Markdown: how to set the webhook up in the system.
	Format    string         `yaml:"format"`    // What the body is. Default: json, an object. Of form, event holds the fields, of text event.text.
	ID        string         `yaml:"id"`        // CEL over event: a text, or a list of them: the same for a repeated delivery, and for no other. Default: a digest of what is signed.
	Handshake *HandshakeSpec `yaml:"handshake"` // How the system asks whether we are there.
	Changes   []ChangeSpec   `yaml:"changes"`   // What an event changes.
	SameFor   string         `yaml:"sameFor"`   // How long the same bytes are a repetition, where two changes may come as the same: 10s. Default: for ever; where nothing is signed, 10s.
	Complete  []string       `yaml:"complete"`  // Kinds of which it tells every change and deletion, if it is set up as told: with a webhook secret in the config their items are fresh for ten minutes where that says nothing.
	Again     string         `yaml:"again"`     // After how long the same is forgotten a second time, where reads lag behind events: 5s.
}

// ChangeSpec is what one kind of event tells.
type ChangeSpec struct {
	When string `yaml:"when"` // CEL over event.
	Kind string `yaml:"kind"` // The kind, or kind of record under tags, that changed.
	IDs  string `yaml:"ids"`  // CEL over event: the id or ids. Without any: everything of the kind.
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
	m := &Manifest{file: file, digest: sha256.Sum256(b), lines: map[string]spot{}, unread: map[string]bool{}, text: b}
	defer func() { m.text = nil }()
	if len(b) > maxManifest {
		return nil, m.wrong("", "is larger than 1 MB", "")
	}
	if at := invalidUTF8(b); at >= 0 {
		line, column := expr.Position(string(b[:at]), at)
		return nil, m.mistake(line, column, "", "holds what is not UTF-8", "Save the file as UTF-8.")
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, m.wrong("", "is empty", "Write, for example:  name: acme")
		}
		return nil, m.notYAML(err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, m.mistake(max(1, more.Line), max(1, more.Column), "", "holds more than one document", "Write one manifest a file.")
	}
	problems, readable := checkShape(m, doc.Content[0])
	if readable {
		err := doc.Content[0].Decode(m)
		if err != nil && len(problems) == 0 {
			return nil, m.notYAML(err)
		}
		problems = append(problems, checkManifest(m)...)
	}
	slices.SortStableFunc(problems, byPlace)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return m, nil
}

// byPlace orders mistakes as they stand in the file.
func byPlace(a, b error) int {
	var x, y *tutti.Error
	if !errors.As(a, &x) || !errors.As(b, &y) {
		return 0
	}
	return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
}

// invalidUTF8 is where a file is not UTF-8; -1 when it is.
func invalidUTF8(b []byte) int {
	for at := 0; at < len(b); {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return -1
}

// notYAML tells what the YAML parser says, with its line where it names one.
func (m *Manifest) notYAML(err error) error {
	line, what := config.YAMLMistake(err)
	return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s:%d: this is not YAML: %s.", m.file, max(1, line), what)}
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
