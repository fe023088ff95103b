package sources

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

// protocols are the ways in which systems are asked. Everything that follows from an answer is the same.
var protocols = []string{"http", "files", "sql"}

// system answers the calls of a manifest whose protocol is not HTTP.
type system interface {
	// ask gives the JSON that answers a call, and what it is asked for again with; nil JSON when that still
	// counts. Codes as of Connector.
	ask(ctx context.Context, k *call, vars map[string]any, validator string) (answer []byte, version string, err error)
	// watch tells what changes in the system until ctx ends. Changes without a kind: anything may have.
	watch(ctx context.Context, changed func([]Change))
	close()
}

// speaks reports whether a manifest's calls are HTTP.
func (m *Manifest) speaksHTTP() bool { return m.Protocol == "" || m.Protocol == "http" }

// protocol checks what belongs to the manifest's protocol, and what to none.
func (c *compiler) protocol() {
	m := c.m
	if m.Protocol != "" && !slices.Contains(protocols, m.Protocol) {
		c.wrong("protocol", unknown(m.Protocol), oneOf(m.Protocol, protocols))
	}
	if m.Notify != "" && m.Protocol != "sql" {
		c.wrong("notify", "is only for protocol: sql", "Remove it.")
	}
	if m.Notify != "" && !sqlChannel.MatchString(m.Notify) {
		c.wrong("notify", "is no name of a channel: small letters, digits and '_'", "Write, for example:  notify: tutti_content")
	}
	if m.speaksHTTP() {
		return
	}
	for _, k := range []struct {
		key string
		has bool
	}{{"auth", m.Auth != nil}, {"graphql", m.GraphQL != ""}, {"headers", len(m.Headers) > 0}} {
		if k.has {
			c.wrong(k.key, "is not for protocol: "+m.Protocol, "Remove it.")
		}
	}
	if m.Protocol == "sql" && m.URL == "" {
		c.wrong("url", "is missing", "Write, for example:  url: ${secrets.url}")
	}
	if m.Protocol == "files" && m.URL != "" {
		c.wrong("url", "is not for protocol: files", "Write the folder under whole.files of a kind.")
	}
}

// systemCall compiles a call that is no HTTP.
func (c *compiler) systemCall(at string, s *CallSpec, in namesOf) *call {
	out := &call{limits: c.limited, method: http.MethodGet, path: &template{}}
	for _, k := range []struct {
		key string
		has bool
	}{
		{"method", s.Method != ""},
		{"path", s.Path != ""},
		{"query", len(s.Query) > 0},
		{"headers", len(s.Headers) > 0},
		{"body", s.Body != nil},
		{"graphql", s.GraphQL != nil},
		{"format", s.Format != ""},
		{"conditional", s.Conditional != ""},
		{"fresh", s.Fresh != ""},
	} {
		if k.has {
			c.wrong(at+"."+k.key, "is not for protocol: "+c.m.Protocol, "Remove it.")
		}
	}
	if s.SQL != "" && c.m.Protocol != "sql" {
		c.wrong(at+".sql", "is only for protocol: sql", "Write  protocol: sql  at the top.")
	}
	if s.Files != nil && c.m.Protocol != "files" {
		c.wrong(at+".files", "is only for protocol: files", "Write  protocol: files  at the top.")
	}
	out.records, out.record = c.path(at+".records", s.Records), c.path(at+".record", s.Record)
	out.total, out.more = c.path(at+".total", s.Total), c.path(at+".more", s.More)
	if out.records == nil && out.record == nil {
		out.records = []string{}
	}
	switch c.m.Protocol {
	case "files":
		c.files(at+".files", s.Files, out)
	case "sql":
		c.sql(at+".sql", s.SQL, out, in)
	}
	return out
}

// openSystem makes what answers the calls of a source.
func (c *manifestConnector) openSystem(cfg config.Source, d Deps, place func(path, what, hint string) error) (system, error) {
	if cfg.URL != "" {
		return nil, place("url", "is not possible: the connector "+c.manifest.Name+" does not speak HTTP", "Remove it.")
	}
	if c.manifest.Protocol == "files" {
		return c.openFolders(d)
	}
	return c.openDatabase(cfg, d, place)
}

// askSystem is do for what is no HTTP.
func (c *manifestConnector) askSystem(ctx context.Context, k *call, vars map[string]any, validator string) (*answer, error) {
	body, version, err := c.system.ask(ctx, k, vars, validator)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if version != "" {
		header["Etag"] = []string{version}
	}
	if body == nil {
		return &answer{header: header, call: k, same: true}, nil
	}
	a := &answer{from: &fetch.Response{}, header: header, body: body, call: k}
	if err := a.check(http.StatusOK, c.now()); err != nil {
		a.free()
		return nil, err
	}
	return a, nil
}

// Watch begins to hear of changes from systems that tell of them by other ways than webhooks: folders, and
// databases that notify. What changed is forgotten. Call it at most once; Close ends it.
func (s *Sources) Watch() {
	var ctx context.Context
	ctx, s.unwatch = context.WithCancel(context.Background())
	for _, src := range s.order {
		c, ok := src.conn.(*manifestConnector)
		if !ok || c.system == nil {
			continue
		}
		s.watching.Go(func() { c.system.watch(ctx, src.hear) })
	}
}

// hear forgets what a system says has changed.
func (s *Source) hear(changes []Change) {
	var tags []string
	for _, c := range changes {
		if c.Kind == "" {
			tags = append(tags, s.forgets(s.name)...)
		} else {
			tags = append(tags, s.changed(c)...)
		}
	}
	s.cache.Forget(tags...)
	s.log.Info("changes heard", "source", s.name, "changes", len(changes), "tags", len(tags))
}

// every calls do at once and then so often until ctx ends, or less often: it is to take a twentieth of the time
// at most.
func every(ctx context.Context, d time.Duration, do func()) {
	for {
		began := time.Now()
		do()
		if pause(ctx, max(d, 20*time.Since(began))) != nil {
			return
		}
	}
}

func isOneOf(s, list string) bool { return slices.Contains(strings.Fields(list), s) }
