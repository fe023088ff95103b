package sources

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// Database answers queries that only read. Safe for concurrent use; sources/postgres makes one.
type Database interface {
	// Query gives the rows of a query as a JSON list of objects, at most so many rows and bytes: more of
	// either is TooLarge. Each argument is text in the database's own spelling, nil is null. Codes as of
	// Connector, and a *Refused with status 400 for an argument that the database cannot read, 422 for a row
	// that it cannot make.
	Query(ctx context.Context, query string, args []*string, rows int, bytes int64) ([]byte, error)
	// Listen hears the messages on a channel until ctx ends. lost is told each time that it begins to hear:
	// what was said before then nobody heard.
	Listen(ctx context.Context, channel string, heard func(message string), lost func())
	// Close gives back all connections.
	Close()
}

// DatabaseConfig says which database, and what it may be asked for.
type DatabaseConfig struct {
	Source       string // for the log
	URL          tutti.Secret
	AllowPrivate []string
	Timeout      time.Duration // of one query
	Connections  int           // at the same time
}

// maxRows is the most rows of one answer.
const maxRows = 10_000

// statement is a compiled query. Values are its parameters and never part of its text.
type statement struct {
	text   string
	params []*expression
	ids    int // which of the parameters is ids or id, from 1; 0 = none
}

var (
	sqlBegins  = regexp.MustCompile(`(?i)^\s*(select|with|values|table)\b`)
	sqlChannel = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
	// What a query is made of, as far as parameters need it: texts, names in quotes, texts in dollars, comments,
	// parameters, ends. Casts are here because they hold two colons and a name.
	sqlPart = regexp.MustCompile(`'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|(?s:/\*.*?\*/)|\$[A-Za-z_]\w*\$|\$\$|\$[A-Za-z_]\w*|\$\d+|;`)
)

// sqlNames are parameters that every query of their kind of call has.
var sqlNames = strings.Fields("id ids count text words since first cursor offset page sort owner locale market currency draft")

// sql compiles a query.
func (c *compiler) sql(at, src string, out *call, in namesOf) {
	out.stmt = &statement{}
	if !sqlBegins.MatchString(src) {
		c.wrong(at, "is missing or does not begin with select", "Write, for example:  sql: select id, title from articles where id = any($ids)")
		return
	}
	src = strings.TrimSuffix(strings.TrimSpace(src), ";")
	var text strings.Builder
	place := map[string]string{}
	for rest := src; rest != ""; {
		m := sqlPart.FindStringIndex(rest)
		if m == nil {
			text.WriteString(rest)
			break
		}
		part := rest[m[0]:m[1]]
		text.WriteString(rest[:m[0]])
		rest = rest[m[1]:]
		switch {
		case part == ";":
			c.wrong(at, "holds more than one statement", "Write one.")
			return
		case part[0] == '$' && strings.HasSuffix(part, "$"): // a text in dollars: as it is, up to its end
			inner, after, closed := strings.Cut(rest, part)
			if !closed {
				c.wrong(at, "has a text that "+part+" does not end", "Write "+part+" behind it.")
				return
			}
			text.WriteString(part + inner + part)
			rest = after
		case part[0] == '$' && part[1] >= '0' && part[1] <= '9':
			c.wrong(at, "numbers its parameters: "+part, "Name them: "+list(sqlNames)+", or filters of the kind, each after a $.")
			return
		case part[0] == '$':
			name := part[1:]
			if place[name] == "" {
				e := c.parameter(at, name, in)
				if e == nil {
					return
				}
				out.stmt.params = append(out.stmt.params, e)
				place[name] = "$" + strconv.Itoa(len(out.stmt.params))
				if name == "id" || name == "ids" {
					out.stmt.ids = len(out.stmt.params)
				}
			}
			text.WriteString(place[name])
		default:
			text.WriteString(part)
		}
	}
	out.stmt.text = text.String()
}

// parameter gives what a parameter of a query stands for: a name that calls have, a filter of the kind, or a
// setting.
func (c *compiler) parameter(at, name string, in namesOf) *expression {
	src := ""
	_, isFilter := c.of.Filters[name]
	_, isSetting := c.m.Settings[name]
	switch {
	case slices.Contains(sqlNames, name):
		src = name
	case isFilter:
		src = "filter." + name
	case isSetting:
		src = "settings." + name
	default:
		c.wrong(at, "uses $"+name+", which is nothing that calls have", "There are "+list(sqlNames)+", the kind's filters and the settings.")
		return nil
	}
	return c.expression(at, src, in)
}

// databaseCalls answer the calls of a source over a database.
type databaseCalls struct {
	conn     *manifestConnector
	db       Database
	maxBytes int64
}

func (c *manifestConnector) openDatabase(cfg config.Source, d Deps, place func(path, what, hint string) error) (system, error) {
	address, ok, err := c.compiled.url.render(map[string]any{"settings": c.settings, "secrets": c.secrets}, nil)
	if err != nil || !ok || address == "" {
		return nil, place("secrets", "have no address of the database", "Write, for example:  secrets: {url: \"${DATABASE_URL}\"}")
	}
	if d.Database == nil {
		return nil, place("connector", "needs a database, which cannot be opened here", "")
	}
	db, err := d.Database(DatabaseConfig{
		Source: c.source, URL: tutti.NewSecret(address), AllowPrivate: cfg.AllowPrivate, Timeout: cfg.Limits.Timeout, Connections: cfg.Limits.Concurrency,
	})
	if err != nil {
		return nil, place("secrets.url", "is no address of a database: "+err.Error(), "Write, for example:  postgres://reader:password@db.example/content?sslmode=verify-full")
	}
	return &databaseCalls{conn: c, db: db, maxBytes: cfg.Limits.MaxBytes}, nil
}

func (q *databaseCalls) ask(ctx context.Context, k *call, vars map[string]any, _ string) ([]byte, string, error) {
	args := make([]*string, len(k.stmt.params))
	for i, p := range k.stmt.params {
		v, ok, err := p.eval(vars)
		if err != nil {
			return nil, "", err
		}
		if !ok {
			continue
		}
		s, err := sqlText(v)
		if err != nil {
			return nil, "", err
		}
		args[i] = &s
	}
	b, err := q.db.Query(ctx, k.stmt.text, args, maxRows, q.maxBytes)
	if err != nil && q.isNoID(ctx, k, vars, args, err) {
		return []byte("[]"), "", nil
	}
	return b, "", err
}

// isNoID reports whether a query failed because its one id is none that the database can read: "a" where ids are
// numbers. Such an item does not exist. If there are other arguments, the same without an id tells whose fault it is.
func (q *databaseCalls) isNoID(ctx context.Context, k *call, vars map[string]any, args []*string, err error) bool {
	ids, many := vars["ids"].([]string)
	var r *Refused
	if k.stmt.ids == 0 || many && len(ids) > 1 || !errors.As(err, &r) || r.Status != http.StatusBadRequest {
		return false
	}
	if len(args) == 1 {
		return true
	}
	args[k.stmt.ids-1] = nil
	_, err = q.db.Query(ctx, k.stmt.text, args, maxRows, q.maxBytes)
	return err == nil
}

// sqlText writes a value as PostgreSQL reads it, lists as arrays.
func sqlText(v any) (string, error) {
	all, isList := v.([]string)
	if !isList {
		return writeValue(v)
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + arrayEscapes.Replace(s) + `"`)
	}
	b.WriteByte('}')
	return b.String(), nil
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (q *databaseCalls) close() { q.db.Close() }

// watch hears what the database notifies: {"kind": "article", "ids": [1, 2]}, or without ids anything of the kind.
// What cannot be read may be about anything.
func (q *databaseCalls) watch(ctx context.Context, changed func([]Change)) {
	if q.conn.manifest.Notify == "" {
		return
	}
	everything := []Change{{}}
	q.db.Listen(ctx, q.conn.manifest.Notify, func(message string) {
		if c, ok := q.conn.heard(message); ok {
			changed([]Change{c})
		} else {
			changed(everything)
		}
	}, func() { changed(everything) })
}

// heard reads a message. False when it is none, or of a kind that nothing is made of.
func (c *manifestConnector) heard(message string) (Change, bool) {
	if !json.Valid([]byte(message)) {
		return Change{}, false
	}
	m, _ := decode(message).(map[string]any)
	kind, _ := m["kind"].(string)
	if !c.knows(kind) {
		return Change{}, false
	}
	ids, ok := []string(nil), true
	if m["ids"] != nil {
		ids, ok = toTexts(m["ids"])
		ok = ok && len(ids) > 0
	}
	return Change{Kind: kind, IDs: ids}, ok
}

// knows reports whether a name is that of a kind, or of records that a kind is made of.
func (c *manifestConnector) knows(name string) bool {
	for _, k := range c.kinds {
		if k.name == name || slices.ContainsFunc(k.tags, func(t tagRule) bool { return t.kind == name }) {
			return true
		}
	}
	return false
}
