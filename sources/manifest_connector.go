package sources

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

// manifestConnector speaks to a system as a manifest says.
type manifestConnector struct {
	*compiled
	manifest *Manifest
	source   string
	settings map[string]any
	secrets  map[string]any
	base     *url.URL
	client   *fetch.Client
	maxBytes int64
	before   map[*field]string // what stands before the ids of refs
	links    map[*field]string
	hook     tutti.Secret
	now      func() time.Time
	log      *slog.Logger
}

// definitions describes the kinds, in a fixed order.
func (m *Manifest) definitions() []Definition {
	var all []Definition
	for _, name := range m.kindNames() {
		all = append(all, m.compiled.kinds[name].def)
	}
	return all
}

// build makes a connector with what a source's config gives, and tells what is missing there.
func (m *Manifest) build(c config.Source, d Deps, place func(path, what, hint string) error) (*built, []error) {
	settings, secrets, problems := m.values(c, place)
	conn := &manifestConnector{
		compiled: m.compiled, manifest: m, source: c.Name, settings: settings, secrets: secrets, maxBytes: c.Limits.MaxBytes,
		before: map[*field]string{}, links: map[*field]string{}, hook: c.Webhook.Secret, now: d.Now, log: d.Log,
	}
	vars := map[string]any{"settings": settings, "secrets": secrets}
	address := c.URL
	if address == "" && m.URL != "" {
		address, _, _ = m.compiled.url.render(vars, escapeSegment)
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case address == "":
		problems = append(problems, place("url", "is missing", "Write, for example:  url: https://"+m.Name+".example.com"))
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" || base.User != nil:
		problems = append(problems, place("url", "is no address of a system", "Write, for example:  url: https://"+m.Name+".example.com"))
	}
	conn.base = base
	for _, k := range m.compiled.kinds {
		for i := range k.fields {
			f := &k.fields[i]
			if f.ref != nil {
				conn.before[f], _, _ = f.ref.render(vars, nil)
			}
			if f.link != nil {
				conn.links[f], _, _ = f.link.render(vars, nil)
			}
		}
	}
	if m.Webhook != nil && conn.hook.IsZero() && m.Webhook.Secret != "" {
		conn.hook = c.Secrets[m.Webhook.Secret]
	}
	if m.Webhook == nil && !conn.hook.IsZero() {
		problems = append(problems, place("webhook", "is not possible: the connector "+m.Name+" knows no webhooks", "Remove it."))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	conn.client = fetch.New(fetch.Config{AllowPrivate: c.AllowPrivate, MaxBytes: c.Limits.MaxBytes})
	return &built{conn: conn, description: m.Description, release: conn.client.Close}, nil
}

// values gives the settings and secrets that the manifest declares, defaults filled in.
func (m *Manifest) values(c config.Source, place func(path, what, hint string) error) (settings, secrets map[string]any, problems []error) {
	settings, secrets = map[string]any{}, map[string]any{}
	for name := range c.Settings {
		if _, ok := m.Settings[name]; !ok {
			problems = append(problems, place("settings."+name, "is no setting of the connector "+m.Name, "It has "+list(sortedKeys(m.Settings))+"."))
		}
	}
	for name := range c.Secrets {
		if _, ok := m.Secrets[name]; !ok {
			problems = append(problems, place("secrets."+name, "is no secret of the connector "+m.Name, "It has "+list(sortedKeys(m.Secrets))+"."))
		}
	}
	for _, name := range sortedKeys(m.Settings) {
		d, v := m.Settings[name], c.Settings[name]
		if v == "" {
			v = d.Default
		}
		switch {
		case v == "" && d.Required:
			problems = append(problems, place("settings."+name, "is missing: "+strings.TrimSuffix(d.Description, "."), "Write, for example:  "+name+": "+d.Example))
		case v != "" && !d.matches(v):
			problems = append(problems, place("settings."+name, "does not match "+d.Pattern, "Write, for example:  "+name+": "+d.Example))
		case v != "":
			settings[name] = v
		}
	}
	for _, name := range sortedKeys(m.Secrets) {
		d, v := m.Secrets[name], c.Secrets[name]
		if v.IsZero() {
			if d.Required {
				problems = append(problems, place("secrets."+name, "is missing: "+strings.TrimSuffix(d.Description, "."), "Write, for example:  "+name+": ${"+strings.ToUpper(m.Name+"_"+name)+"}"))
			}
			continue
		}
		if !d.matches(v.Reveal()) {
			problems = append(problems, place("secrets."+name, "does not look like one: it does not match "+d.Pattern, ""))
		}
		secrets[name] = v.Reveal()
	}
	return settings, secrets, problems
}

// do makes a call and reads its answer.
func (c *manifestConnector) do(ctx context.Context, k *call, vars map[string]any, validator string) (*answer, error) {
	req, err := k.build(c.base, vars)
	if err != nil {
		return nil, err
	}
	given := map[string]any{"settings": c.settings, "secrets": c.secrets}
	for _, h := range c.headers {
		v, ok, err := h.render(given, headerValue)
		if err != nil {
			return nil, err
		}
		if ok {
			req.Header.Set(h.name, v)
		}
	}
	if err := c.auth.apply(&req, given); err != nil {
		return nil, err
	}
	if validator != "" && k.conditional {
		req.Header.Set("If-None-Match", validator)
	}
	req.MaxBytes = c.maxBytes
	res, err := c.client.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	if validator != "" && k.conditional && res.Status == http.StatusNotModified {
		return nil, errUnchanged
	}
	return k.status(c.manifest, res, c.now())
}

var errUnchanged = tutti.Errorf(tutti.Internal, "calling the system: the item is unchanged")

// vars are what every request may use.
func (c *manifestConnector) vars(s tutti.Scope) map[string]any {
	vars := map[string]any{"settings": c.settings, "draft": s.Draft, "filter": map[string]any{}}
	for name, v := range map[string]string{"locale": s.Locale, "market": s.Market, "currency": s.Currency} {
		if v != "" {
			vars[name] = v
		}
	}
	return vars
}

// Fetch asks for one item with get, for more with batch, where the kind has both.
func (c *manifestConnector) Fetch(ctx context.Context, asks []Ask, s tutti.Scope) (Batch, error) {
	k := c.kinds[asks[0].Ref.Kind]
	if k.batch == nil || len(asks) == 1 && k.get != nil && k.get.conditional {
		return c.fetchOne(ctx, k, asks[0], s)
	}
	vars := c.vars(s)
	ids := make([]string, len(asks))
	wanted := make(map[string]tutti.Ref, len(asks))
	for i, a := range asks {
		ids[i], wanted[a.Ref.ID] = a.Ref.ID, a.Ref
	}
	vars["ids"], vars["count"] = ids, int64(len(ids))
	a, err := c.do(ctx, k.batch, vars, "")
	if tutti.CodeOf(err) == tutti.NotFound {
		return Batch{}, nil // none of them
	}
	if err != nil {
		return Batch{}, err
	}
	if k.batch.graphql != nil && k.batch.graphql.each != "" {
		return c.readEach(k, a, asks, s), nil
	}
	return c.readMany(k, a, wanted, s)
}

func (c *manifestConnector) fetchOne(ctx context.Context, k *compiledKind, ask Ask, s tutti.Scope) (Batch, error) {
	vars := c.vars(s)
	vars["id"] = ask.Ref.ID
	a, err := c.do(ctx, k.get, vars, ask.Validator)
	switch {
	case err == errUnchanged:
		return Batch{Unchanged: map[tutti.Ref]bool{ask.Ref: true}}, nil
	case tutti.CodeOf(err) == tutti.NotFound:
		return Batch{}, nil
	case err != nil:
		return Batch{}, err
	}
	if k.get.records != nil {
		return c.readMany(k, &answer{header: a.header, body: a.body, failed: a.failed, until: a.until}, map[string]tutti.Ref{ask.Ref.ID: ask.Ref}, s)
	}
	b := Batch{Found: map[tutti.Ref]Record{}, Failed: map[tutti.Ref]error{}, Until: a.until}
	c.readAt(k, a, k.get.record, ask.Ref, s, &b)
	if rec, ok := b.Found[ask.Ref]; ok && k.get.conditional {
		rec.Validator = a.header.Get("ETag")
		b.Found[ask.Ref] = rec
	}
	return b, nil
}

// readEach reads an answer in which every id has an alias of its own.
func (c *manifestConnector) readEach(k *compiledKind, a *answer, asks []Ask, s tutti.Scope) Batch {
	b := Batch{Found: map[tutti.Ref]Record{}, Failed: map[tutti.Ref]error{}, Until: a.until}
	for i, ask := range asks {
		c.readAt(k, a, []string{"data", "a" + strconv.Itoa(i)}, ask.Ref, s, &b)
	}
	return b
}

// readAt reads the one record at a path, which must be the asked one.
func (c *manifestConnector) readAt(k *compiledKind, a *answer, path []string, ref tutti.Ref, s tutti.Scope, b *Batch) {
	if err := a.failureIn(path); err != nil {
		b.Failed[ref] = err
		return
	}
	at, ok := dig(a.body, path)
	if ok && isNull(at) {
		return
	}
	if !ok {
		b.Failed[ref] = tutti.Errorf(tutti.BadAnswer, "reading the answer: there is no record at %s", shownPath(path))
		return
	}
	rec, ok, err := c.record(k, at, s)
	switch {
	case err != nil:
		b.Failed[ref] = err
	case ok && rec.Resource.Ref != ref:
		b.Failed[ref] = tutti.Errorf(tutti.BadAnswer, "reading the answer: the record is another than the one asked for")
	case ok:
		b.Found[ref] = rec
	}
}

// readMany reads a list as a set, keyed by the ids in the records.
func (c *manifestConnector) readMany(k *compiledKind, a *answer, wanted map[string]tutti.Ref, s tutti.Scope) (Batch, error) {
	from := k.batch
	if from == nil {
		from = k.get
	}
	if err := a.failure(from.records); err != nil {
		return Batch{}, err
	}
	rows, err := from.rows(a)
	if err != nil {
		return Batch{}, err
	}
	b := Batch{Found: map[tutti.Ref]Record{}, Failed: map[tutti.Ref]error{}, Until: a.until}
	total, known := a.count(from.total)
	b.Cut = known && total > len(rows) || a.says(from.more)
	for i, row := range rows {
		if isNull(row) {
			continue // a null in place is an id that the system does not have
		}
		if len(a.failed) > 0 && a.failureIn(append(append([]string{}, from.records...), strconv.Itoa(i))) != nil {
			b.Cut = true // whose row failed is not known for sure
			continue
		}
		rec, ok, err := c.record(k, row, s)
		if err != nil {
			b.Cut = true // it may be one of those asked for
			continue
		}
		if ref, asked := wanted[rec.idOr("")]; ok && asked {
			b.Found[ref] = rec
		}
	}
	return b, nil
}

func (r Record) idOr(none string) string {
	if r.Resource == nil {
		return none
	}
	return r.Resource.Ref.ID
}

func (c *manifestConnector) record(k *compiledKind, row raw, s tutti.Scope) (Record, bool, error) {
	return k.read(c, row, s.Locale, func(field string, err error) {
		c.log.Warn("a field could not be read", "source", c.source, "kind", k.name, "field", field, "code", tutti.CodeOf(err))
	})
}
