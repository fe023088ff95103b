package sources

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	at       string // the address of the system, without a slash at the end
	own      map[*call]ownPart
	client   *fetch.Client
	system   system // instead of client, of a protocol that is not HTTP
	proof    proof  // of who asks, made for each request; nil = it is the same in all
	maxBytes int64
	gate     *gate             // of the source; nil where nobody calls it through one
	before   map[*field]string // what stands before the ids of refs
	links    map[*field]string
	signers  map[*renditions]*pathSigner // of those whose addresses are signed and whose secrets are set
	hook     *verifier                   // nil = the manifest has no webhook
	greeting *handshake                  // nil = there is none by GET
	locales  locales
	lost     complaints
	watches  map[*compiledKind]*watch
	now      func() time.Time
	limit    time.Duration // of one call
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
	problems = append(problems, m.settle(settings)...)
	conn := &manifestConnector{
		compiled: m.compiled, manifest: m, source: c.Name, settings: settings, secrets: secrets, maxBytes: c.Limits.MaxBytes,
		before: map[*field]string{}, links: map[*field]string{}, signers: map[*renditions]*pathSigner{}, now: d.Now, limit: c.Limits.Timeout, log: d.Log,
	}
	conn.locales, conn.watches = localesOf(d.Locales), map[*compiledKind]*watch{}
	for name, k := range m.compiled.kinds {
		if _, configured := c.Kinds[name]; configured {
			conn.watches[k] = newWatch(c.Name, k, settings, d)
		}
	}
	vars := map[string]any{"settings": settings, "secrets": secrets}
	address := m.at(c, vars)
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case !m.speaksHTTP():
	case address == "":
		problems = append(problems, place("url", "is missing", "Write, for example:  url: https://"+m.Name+".example.com"))
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" || base.User != nil:
		problems = append(problems, place("url", "is no address of a system", "Write, for example:  url: https://"+m.Name+".example.com"))
	}
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
	for _, name := range m.kindNames() {
		r := m.compiled.kinds[name].renditions
		if r == nil || r.signature == nil {
			continue
		}
		signer, ok := r.signature.open(vars)
		if !ok {
			problems = append(problems, place("secrets", "hold a key or salt for the renditions of "+name+" that is not hexadecimal", "Write them as the image proxy has them."))
		}
		if signer != nil {
			conn.signers[r] = signer
		}
	}
	if len(problems) == 0 && m.speaksHTTP() && !isSafe(base, c) && conn.sendsSecrets() {
		problems = append(problems, place("url", "leads to the system without TLS, and each call brings a secret", "Write https, or list the host under allowPrivate."))
	}
	problems = append(problems, conn.listen(c, place)...)
	if len(problems) > 0 {
		return nil, problems
	}
	if !m.speaksHTTP() {
		if conn.system, err = conn.openSystem(c, d, place); err != nil {
			return nil, []error{err}
		}
		return &built{conn: conn, description: m.Description, release: conn.system.close}, nil
	}
	conn.client = fetch.New(fetch.Config{AllowPrivate: c.AllowPrivate, MaxBytes: c.Limits.MaxBytes, Through: d.through(c.Name)})
	conn.at, conn.own = strings.TrimSuffix(base.String(), "/"), map[*call]ownPart{}
	if conn.greeting = conn.shakes(c); conn.hook != nil && conn.hook.scheme.Keys != "" {
		conn.hook.keys = &keys{address: conn.at + conn.hook.scheme.Keys, client: conn.client, now: d.Now}
	}
	for _, k := range m.compiled.kinds {
		for _, call := range k.calls() {
			conn.own[call] = conn.ownOf(call)
		}
	}
	if conn.proof, err = m.compiled.auth.prove(conn, c, place); err != nil {
		conn.client.Close()
		return nil, []error{err}
	}
	return &built{conn: conn, description: m.Description, release: conn.release}, nil
}

// at is the address of a source's system; "" when nobody says it.
func (m *Manifest) at(c config.Source, vars map[string]any) string {
	if c.URL != "" || m.URL == "" {
		return c.URL
	}
	escape := escapeSegment
	if m.compiled.url.whole() != nil {
		escape = nil // a setting that is the whole address
	}
	address, _, _ := m.compiled.url.render(vars, escape)
	return address
}

// Address is where the system of a source is, as its config or the manifest says; "" when neither does, and for
// what is not asked over HTTP.
func (m *Manifest) Address(c config.Source) string {
	if !m.speaksHTTP() {
		return ""
	}
	settings, secrets, _ := m.values(c, func(_, _, _ string) error { return nil })
	return m.at(c, map[string]any{"settings": settings, "secrets": secrets})
}

// release ends what the connector holds.
func (c *manifestConnector) release() {
	if k, ok := c.proof.(*keeper); ok {
		k.close()
	}
	c.client.Close()
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

// do makes a call and reads its answer, which must be freed.
func (c *manifestConnector) do(ctx context.Context, k *call, vars map[string]any, validator string) (*answer, error) {
	if c.system != nil {
		return c.askSystem(ctx, k, vars, validator)
	}
	own := c.own[k]
	if own.err != nil {
		return nil, own.err
	}
	req, err := k.build(c.at, own, vars)
	if err != nil {
		return nil, err
	}
	ask := validator != "" && k.conditional
	if ask {
		req.Header = k.ask(req.Header, validator)
	}
	req.MaxBytes = c.maxBytes
	res, err := c.send(ctx, req)
	if err != nil {
		return nil, err
	}
	now := c.now()
	told := k.limits.left(res.Header, now)
	c.gate.learn(told)
	if ask && res.Status == http.StatusNotModified {
		return &answer{header: res.Header, call: k, until: told.until, fresh: k.freshFor(res.Header), same: true}, nil
	}
	if k.format != nil && res.Status/100 == 2 {
		if err := k.convert(res, req.URL); err != nil {
			return nil, err
		}
	}
	a, err := k.status(res, now, c.gate)
	if err == nil {
		a.until = told.until
	}
	return a, err
}

// send makes an exchange, with what proves who asks.
func (c *manifestConnector) send(ctx context.Context, req fetch.Request) (*fetch.Response, error) {
	if c.proof == nil {
		return c.client.Do(ctx, req)
	}
	return c.proof.do(ctx, c.client, req)
}

// ownPart is what every request of a call has in one source: it is made once.
type ownPart struct {
	plain  http.Header // of a call without headers of its own; never changed
	header http.Header // what goes over a call's own headers
	query  string      // credentials that stand in the address
	form   string      // or in a form
	err    error       // they cannot be written
}

// accept is what a call takes, if its headers do not say otherwise.
func (k *call) accept() http.Header {
	if k.graphql != nil {
		return http.Header{"Accept": {"application/graphql-response+json, application/json"}}
	}
	if k.format != nil {
		return http.Header{"Accept": {k.format.accept}}
	}
	return http.Header{"Accept": {"application/json"}}
}

// ownOf makes the own part of a call.
func (c *manifestConnector) ownOf(k *call) (own ownPart) {
	own.header = http.Header{}
	if k.graphql != nil || k.body != nil {
		own.header.Set("Content-Type", "application/json")
	} else if k.form != nil {
		own.header.Set("Content-Type", formType)
	}
	given := map[string]any{"settings": c.settings, "secrets": c.secrets}
	for _, h := range c.headers {
		v, ok, err := h.render(given, headerValue)
		if err != nil {
			return ownPart{err: err}
		}
		if ok {
			own.header.Set(h.name, v)
		}
	}
	own.err = c.auth.apply(&own, given)
	own.plain = k.accept()
	maps.Copy(own.plain, own.header)
	own.plain = c.client.Header(own.plain)
	return own
}

// vars are what every request may use. Whoever keeps nothing of them may let them go.
func (c *manifestConnector) vars(s tutti.Scope) map[string]any {
	vars := varsPool.Get().(map[string]any)
	vars["settings"], vars["draft"], vars["filter"] = c.settings, s.Draft, noFilter
	for name, v := range map[string]string{"locale": s.Locale, "market": s.Market, "currency": s.Currency} {
		if v != "" {
			vars[name] = v
		}
	}
	return vars
}

// varsPool lends maps that are empty.
var varsPool = sync.Pool{New: func() any { return make(map[string]any, 8) }}

func letGo(vars map[string]any) {
	clear(vars)
	varsPool.Put(vars)
}

var noFilter = map[string]any{} // never changed

// Fetch asks for one item with get, for more with batch, where the kind has both.
func (c *manifestConnector) Fetch(ctx context.Context, asks []Ask, s tutti.Scope) (Batch, error) {
	k := c.kinds[asks[0].Ref.Kind]
	if k.batch == nil || len(asks) == 1 && k.get != nil && (k.get.conditional || k.single) {
		return c.fetchOne(ctx, k, asks, s)
	}
	vars := c.vars(s)
	ids := make([]string, len(asks))
	for i, a := range asks {
		ids[i] = a.Ref.ID
	}
	vars["ids"], vars["count"] = ids, int64(len(ids))
	a, err := c.do(ctx, k.batch, vars, "")
	letGo(vars)
	if tutti.CodeOf(err) == tutti.NotFound {
		return none(asks), nil
	}
	if err != nil {
		return Batch{}, err
	}
	defer a.free()
	if k.batch.graphql != nil && k.batch.graphql.each != "" {
		return c.readEach(k, a, asks, s)
	}
	return c.readMany(k, a, asks, s)
}

// none says that the system has none of the asks.
func none(asks []Ask) Batch {
	lent := replyPool.Get().(*[]Reply)
	return Batch{Replies: slices.Grow((*lent)[:0], len(asks))[:len(asks)], lent: lent}
}

func (c *manifestConnector) fetchOne(ctx context.Context, k *compiledKind, asks []Ask, s tutti.Scope) (Batch, error) {
	vars := c.vars(s)
	vars["id"] = asks[0].Ref.ID
	a, err := c.do(ctx, k.get, vars, asks[0].Validator)
	switch {
	case tutti.CodeOf(err) == tutti.NotFound:
		return none(asks), nil
	case err != nil:
		return Batch{}, err
	}
	defer a.free()
	var b Batch
	switch {
	case a.same:
		b = Batch{Replies: []Reply{{Unchanged: true, Record: Record{Fresh: a.fresh}}}}
	case k.get.records != nil:
		b, err = c.readMany(k, a, asks, s)
	default:
		b = Batch{Replies: []Reply{c.readOne(k, a, asks, s)}, Until: a.until}
	}
	if err == nil && k.get.conditional {
		b.Replies[0].Record.Validator = k.get.validator(a.header)
	}
	return b, err
}

// readOne reads the one record of an answer, which must be the asked one.
func (c *manifestConnector) readOne(k *compiledKind, a *answer, asks []Ask, s tutti.Scope) Reply {
	if err := a.failureIn(a.call.record); err != nil {
		return Reply{Err: err}
	}
	if a.cut.rows == 0 {
		return a.noRecord(a.call.record)
	}
	row := k.see(c, a.body, a.spans(0), s.Locale)
	row.fresh, row.own = a.fresh, asks[0].Ref.ID
	return row.reply(asks)
}

// readEach reads an answer in which every id has an alias of its own.
func (c *manifestConnector) readEach(k *compiledKind, a *answer, asks []Ask, s tutti.Scope) (Batch, error) {
	if err := a.oneIsMissing(asks); err != nil {
		return Batch{}, err
	}
	b := none(asks)
	b.Until = a.until
	data, _ := a.at(a.call.places.data)
	one := cuts.Get().(*cut)
	defer cuts.Put(one)
	watch := c.watches[k].due()
	for i := range asks {
		alias := "a" + strconv.Itoa(i)
		if err := a.failureIn([]string{"data", alias}); err != nil {
			b.Replies[i].Err = err
			continue
		}
		at, ok := member(data, alias)
		if !ok {
			b.Replies[i] = a.noRecord([]string{"data", alias})
			continue
		}
		one.walk(at, k.tree) // it is valid: it is part of a valid answer
		row := k.see(c, at, one.spans, s.Locale)
		row.fresh = a.fresh
		row.watch = watch
		b.Replies[i] = row.reply(asks[i : i+1])
	}
	return b, nil
}

// oneIsMissing tells that one of several asks is not there, where the answer does not say which: halves tell.
func (a *answer) oneIsMissing(asks []Ask) error {
	if len(asks) > 1 && tutti.CodeOf(a.failure(nil)) == tutti.NotFound {
		return &Refused{Status: http.StatusBadRequest}
	}
	return nil
}

func (a *answer) noRecord(at []string) Reply {
	return Reply{Err: tutti.Errorf(tutti.BadAnswer, "reading the answer: there is no record at %s: %s", shownPath(at), a.found(at))}
}

// reply gives the record that must be that of the only ask.
func (s *seen) reply(asks []Ask) Reply {
	if isNull(s.text) {
		return Reply{}
	}
	rec, ok, err := s.read(&wanted{asks: asks, found: -1})
	switch {
	case err != nil:
		return Reply{Err: err}
	case !ok && s.other:
		return Reply{Err: tutti.Errorf(tutti.BadAnswer, "reading the answer: the record is another than the one asked for")}
	}
	return Reply{Record: rec}
}

// readMany reads a list as a set, keyed by the ids in the records.
func (c *manifestConnector) readMany(k *compiledKind, a *answer, asks []Ask, s tutti.Scope) (Batch, error) {
	if err := a.failure(a.call.records); err != nil {
		if len(asks) > 1 && tutti.CodeOf(err) == tutti.NotFound {
			err = &Refused{Status: http.StatusBadRequest} // one of them is not there: which, halves tell
		}
		return Batch{}, err
	}
	rows, err := a.rows()
	if err != nil {
		return Batch{}, err
	}
	b := none(asks)
	b.Until = a.until
	total, known := a.count(a.call.places.total)
	b.Cut = known && total > rows || a.says(a.call.places.more)
	ids := wanted{asks: asks, found: -1}
	watch := c.watches[k].due()
	for i := range rows {
		row := k.see(c, a.body, a.spans(i), s.Locale)
		row.fresh = a.fresh
		row.watch = watch
		if isNull(row.text) {
			b.Cut = b.Cut || a.unknownRow(i)
			continue // a null in place is an id that the system does not have
		}
		if a.failedRow(i) {
			b.Cut = true // whose row failed is not known for sure
			continue
		}
		rec, ok, err := row.read(&ids)
		if err != nil {
			b.Cut = true // it may be one of those asked for
		} else if ok {
			b.Replies[ids.found].Record = rec
		}
	}
	return b, nil
}
