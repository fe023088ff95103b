package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// A checker looks at what was read for what does not fit together.
type checker struct {
	c *Config
	d *decoder
}

// bad tells a problem at the nearest written place of a path.
func (k *checker) bad(path, message, write string) {
	k.d.problems = append(k.d.problems, k.c.Problem(path, message, write))
}

// written reports whether a path stands in the file.
func (k *checker) written(path string) bool { _, ok := k.c.lines[path]; return ok }

// told reports whether a problem about the path was told already.
func (k *checker) told(path string) bool {
	return slices.ContainsFunc(k.d.problems, func(p Problem) bool { return p.Field == path })
}

// missing tells that a path must be written, unless it is there.
func (k *checker) missing(path string, empty bool, write string) {
	if empty && !k.told(path) {
		k.bad(path, "is missing", write)
	}
}

// unknownName tells that a path names something that is not defined.
func (k *checker) unknownName(path, name, what string, known []string) {
	message := "names " + quoted(name) + ", which is no " + what
	if near := nearest(name, known); near != "" {
		message += "; did you mean " + quoted(near) + "?"
	} else if len(known) > 0 {
		message += "; there are " + strings.Join(known, ", ")
	}
	k.bad(path, message, "")
}

func (k *checker) name(path, name, what string) {
	if !tutti.IsName(name) {
		k.bad(path, "is no name of a "+what+": a name is a letter, then letters, digits, '-' or '_', 64 at most", "")
	}
}

// fillIn writes the defaults that depend on other parts of the file.
func (k *checker) fillIn() {
	l := &k.c.Locales
	if l.Default == "" && len(l.Names) > 0 {
		l.Default = l.Names[0]
	}
	if l.Default == "" {
		l.Default = "en"
	}
	if len(l.Names) == 0 {
		l.Names = []string{l.Default}
	}
	b := &k.c.Budgets
	if !k.written("budgets.wave") {
		b.Wave = min(b.Wave, b.Page)
	}
	if !k.written("budgets.learn") {
		b.Learn = min(b.Learn, b.Page)
	}
	for i := range k.c.Sources {
		s := &k.c.Sources[i]
		if !k.written("sources." + s.Name + ".limits.budget") {
			s.Limits.Budget = sourceBudget(b.Page)
		}
		s.FreshAssumed = !k.written("sources." + s.Name + ".freshness.fresh")
		for name, kind := range s.Kinds {
			if kind.Freshness != nil {
				k.inherit(kind.Freshness, s.Freshness, "sources."+s.Name+".kinds."+name+".freshness")
			}
		}
	}
	for i := range k.c.ComponentTypes {
		k.c.ComponentTypes[i].Version = max(1, k.c.ComponentTypes[i].Version)
	}
	for i := range k.c.CompositionTypes {
		k.c.CompositionTypes[i].Version = max(1, k.c.CompositionTypes[i].Version)
	}
}

// sourceBudget is what a page waits for one source where the config does not say: the rest is for
// what stands in for it.
func sourceBudget(page time.Duration) time.Duration {
	return max(page*2/3, time.Millisecond).Truncate(time.Millisecond)
}

// inherit gives a kind's freshness what its source says, where the kind says nothing.
func (k *checker) inherit(f *Freshness, from Freshness, path string) {
	if !k.written(path + ".fresh") {
		f.Fresh = from.Fresh
	}
	if !k.written(path + ".stale") {
		f.Stale = from.Stale
	}
	if !k.written(path + ".staleIfError") {
		f.StaleIfError = from.StaleIfError
	}
	if !k.written(path + ".negative") {
		f.Negative = from.Negative
	}
}

func (k *checker) all() {
	k.general()
	k.budgets()
	k.locales()
	k.markets()
	k.channels()
	k.sources()
	k.attributes()
	k.enrichers()
	k.componentTypes()
	k.compositionTypes()
}

func (k *checker) general() {
	k.address("baseUrl", k.c.BaseURL, "https://api.example.com")
	v := k.c.Visitors
	k.address("visitors.jwks", v.JWKS, "https://login.example.com/.well-known/jwks.json")
	if v.JWKS != "" && !v.Secret.IsZero() {
		k.bad("visitors.secret", "cannot stand beside visitors.jwks: tokens are verified in one way", "")
	}
	if !v.Secret.IsZero() && len(v.Secret.Reveal()) < 32 {
		k.bad("visitors.secret", "is shorter than 32 bytes, which HS256 needs", "openssl rand -hex 32")
	}
	limits := map[string]int{
		"tokens": k.c.Limits.Tokens, "documentBytes": k.c.Limits.DocumentBytes, "sameKeys": k.c.Limits.SameKeys, "selections": k.c.Limits.Selections,
		"expanded": k.c.Limits.Expanded, "depth": k.c.Limits.Depth, "fragments": k.c.Limits.Fragments, "aliases": k.c.Limits.Aliases,
		"directives": k.c.Limits.Directives, "rootFields": k.c.Limits.RootFields, "cost": k.c.Limits.Cost, "errors": k.c.Limits.Errors,
		"first": k.c.Limits.First, "contextBytes": k.c.Limits.ContextBytes, "bodyBytes": int(k.c.Limits.BodyBytes),
	}
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		if limits[key] < 1 && !k.told("limits."+key) {
			k.bad("limits."+key, "must be at least 1", "")
		}
	}
}

// budgets must leave something: a page without time is empty.
func (k *checker) budgets() {
	b := k.c.Budgets
	for _, one := range []struct {
		key  string
		has  time.Duration
		with string
	}{{"page", b.Page, "1500ms"}, {"wave", b.Wave, "400ms"}, {"learn", b.Learn, "300ms"}} {
		if path := "budgets." + one.key; one.has < time.Millisecond && !k.told(path) {
			k.bad(path, "must be at least 1ms", one.key+": "+one.with)
		} else if one.has > b.Page && !k.told(path) {
			k.bad(path, "must not be longer than the page's budget of "+b.Page.String(), one.key+": "+one.with)
		}
	}
}

func (k *checker) address(path, address, example string) {
	if address == "" || k.told(path) {
		return
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		k.bad(path, "is no http or https address: "+quoted(address), last(path)+": "+example)
	}
}

func (k *checker) locales() {
	l := k.c.Locales
	good := func(path, name string) {
		if _, err := language.Parse(name); err != nil || strings.Contains(name, "_") {
			k.bad(path, "is no language tag (BCP 47): "+quoted(name), "de-AT")
		}
	}
	seen := map[string]bool{}
	for i, name := range l.Names {
		path := "locales.names[" + strconv.Itoa(i) + "]"
		good(path, name)
		if seen[name] {
			k.bad(path, "is written twice: "+quoted(name), "")
		}
		seen[name] = true
	}
	if !seen[l.Default] {
		k.unknownName("locales.default", l.Default, "configured locale", l.Names)
	}
	for _, from := range slices.Sorted(maps.Keys(l.Chains)) {
		chain, path := l.Chains[from], "locales.chains."+from
		good(path, from)
		for i, to := range chain {
			at := path + "[" + strconv.Itoa(i) + "]"
			if !seen[to] {
				k.unknownName(at, to, "configured locale", l.Names)
			} else if to == from || slices.Contains(chain[:i], to) {
				k.bad(at, "stands in its own chain twice: "+quoted(to), "")
			}
		}
	}
}

func (k *checker) markets() {
	for _, m := range k.c.Markets {
		path := "markets." + m.Name
		k.name(path, m.Name, "market")
		k.missing(path+".currency", m.Currency == "", "currency: EUR")
		if m.Currency != "" {
			if unit, err := currency.ParseISO(m.Currency); err != nil || unit.String() != m.Currency {
				k.bad(path+".currency", "is no currency of ISO 4217: "+quoted(m.Currency), "currency: EUR")
			}
		}
	}
}

var formats = []string{"avif", "webp", "jpeg", "png"}

func (k *checker) channels() {
	for _, c := range k.c.Channels {
		path := "channels." + c.Name
		k.name(path, c.Name, "channel")
		for i, w := range c.Widths {
			if w < 1 || w > 10000 || i > 0 && w <= c.Widths[i-1] {
				k.bad(path+".widths", "must be widths in pixels from small to large", "widths: [320, 640, 960]")
				break
			}
		}
		for i, f := range c.Formats {
			if !slices.Contains(formats, f) {
				k.bad(fmt.Sprintf("%s.formats[%d]", path, i), "is "+quoted(f)+"; it can be "+oneOf(formats), "formats: [webp, jpeg]")
			}
		}
		if c.Links != "" && c.Links != "relative" && c.Links != "absolute" {
			k.bad(path+".links", "is "+quoted(c.Links)+"; it can be relative or absolute", "links: absolute")
		}
		k.address(path+".baseUrl", c.BaseURL, "https://www.example.com")
		if c.Links == "absolute" && c.BaseURL == "" {
			k.bad(path+".baseUrl", "is missing: absolute links start with it", "baseUrl: https://www.example.com")
		}
		for i, n := range []int{c.Items, c.Components, c.Buttons, c.MaxText} {
			if n < 0 {
				k.bad(path+"."+[]string{"items", "components", "buttons", "maxText"}[i], "must not be negative", "")
			}
		}
		if c.Buttons > 0 && !c.Message {
			k.bad(path+".buttons", "needs message: true: buttons belong to a message", "message: true")
		}
	}
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9._-]+$|^\[?[0-9A-Fa-f:.]+\]?$`)

func (k *checker) sources() {
	for _, s := range k.c.Sources {
		path := "sources." + s.Name
		k.name(path, s.Name, "source")
		k.missing(path+".connector", s.Connector == "", "connector: vendure")
		k.address(path+".url", s.URL, "https://acme.example")
		if s.URL != "" && s.Recording != "" {
			k.bad(path+".recording", "stands beside url: answers come from one of them", "")
		}
		k.missing(path+".kinds", len(s.Kinds) == 0, "kinds: {product: {access: public}}")
		for i, h := range s.AllowPrivate {
			host := h
			if h2, port, err := net.SplitHostPort(h); err == nil {
				if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65536 {
					host = h2
				}
			}
			if !hostPattern.MatchString(host) {
				k.bad(fmt.Sprintf("%s.allowPrivate[%d]", path, i), "is no host or host:port: "+quoted(h), "allowPrivate: [127.0.0.1:3000]")
			}
		}
		l := s.Limits
		if l.Timeout == 0 || l.SoftTimeout > l.Timeout {
			k.bad(path+".limits.timeout", "must not be shorter than the softTimeout of "+l.SoftTimeout.String(), "timeout: 2s")
		}
		if at := path + ".limits.budget"; l.Budget < time.Millisecond && !k.told(at) {
			k.bad(at, "must be at least 1ms", "budget: 1s")
		} else if l.Budget > k.c.Budgets.Page && !k.told("budgets.page") {
			k.bad(at, "must not be longer than the page's budget of "+k.c.Budgets.Page.String(), "budget: "+sourceBudget(k.c.Budgets.Page).String())
		}
		k.negative(path, s.Freshness)
		if l.Concurrency < 1 && !k.told(path+".limits.concurrency") {
			k.bad(path+".limits.concurrency", "must be at least 1", "concurrency: 16")
		}
		if l.Rate < 0 {
			k.bad(path+".limits.rate", "must not be negative; 0 is no limit", "rate: 20")
		}
		if l.MaxBytes < 1 && !k.told(path+".limits.maxBytes") {
			k.bad(path+".limits.maxBytes", "must be at least 1", "maxBytes: 4MiB")
		}
		if k.written(path+".webhook") && s.Webhook.Secret.IsZero() && !k.told(path+".webhook.secret") {
			k.bad(path+".webhook.secret", "is missing: messages that nobody signed are not taken", "secret: ${"+constant(s.Name)+"_WEBHOOK_SECRET}")
		}
		for i, former := range s.Webhook.Former {
			if former.IsZero() {
				k.bad(fmt.Sprintf("%s.webhook.former[%d]", path, i), "is empty", "former: [\"${"+constant(s.Name)+"_WEBHOOK_SECRET_BEFORE}\"]")
			}
		}
		for _, key := range slices.Sorted(maps.Keys(s.Secrets)) {
			if s.Secrets[key].IsZero() && !k.told(path+".secrets."+key) {
				k.bad(path+".secrets."+key, "is empty", key+": ${"+constant(s.Name)+"_"+constant(key)+"}")
			}
		}
		k.kinds(s, path)
	}
}

func (k *checker) negative(path string, f Freshness) {
	if f.Negative > MaxNegative {
		k.bad(path+".freshness.negative", "must not be longer than "+MaxNegative.String()+": what was just published would stay unseen", "negative: "+MaxNegative.String())
	}
}

func (k *checker) kinds(s Source, sourcePath string) {
	for _, name := range slices.Sorted(maps.Keys(s.Kinds)) {
		kind, path := s.Kinds[name], sourcePath+".kinds."+name
		k.name(path, name, "kind")
		k.missing(path+".access", kind.Access == "", "access: public")
		if kind.Expose != "" && kind.Expose != "delivery" {
			k.bad(path+".expose", "is "+quoted(kind.Expose)+"; it can only be delivery", "expose: delivery")
		}
		if kind.Expose != "" && kind.Access == tutti.AccessInternal {
			k.bad(path+".expose", "cannot stand beside access: internal, which is never delivered", "")
		}
		if kind.Freshness != nil && k.written(path+".freshness.negative") {
			k.negative(path, *kind.Freshness)
		}
		if kind.Access == tutti.AccessVisitor {
			k.missing(path+".owner", kind.Owner == "", "owner: requester")
			k.missing(sourcePath+".visitor", s.Visitor == "", "visitor: visitor")
		}
	}
}

// constant writes a name as environment variables are written.
func constant(name string) string {
	return strings.ToUpper(strings.ReplaceAll(regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2"), "-", "_"))
}
