package sources

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// compiled is a manifest whose expressions are ready to run. It is the same for every source
// that uses the manifest.
type compiled struct {
	url     *template
	headers []namedTemplate
	auth    *compiledAuth
	kinds   map[string]*compiledKind
	webhook *compiledWebhook
}

type namedTemplate struct {
	name string
	*template
}

type compiledKind struct {
	name       string
	pattern    matcher
	ownerID    *regexp.Regexp // what an owner looks like; nil = anything
	canonical  *expression
	alias      *compiledAlias // nil = items have no other names
	isPath     bool           // ids are paths
	usesID     bool           // expressions over records read id
	listSign   string         // what ids cannot hold because it separates them in a call
	single     bool           // one item is not asked for with batch
	wordsOnly  bool           // ids stand in an expression without quotation marks
	get        *call
	batch      *call
	selects    []*selectCall
	whole      *wholeKind   // instead of get and batch
	changes    *changesCall // nil = there is no feed of changes
	recordID   *expression
	exists     *expression
	fields     []field
	locale     *expression
	tags       []tagRule
	renditions *renditions
	def        Definition

	names []string // of the fields, in their order, which is the alphabet's
	tree  *tree    // what its expressions read of a record by plain paths
	used  *tree    // what the others read; nil = there are none
}

type tagRule struct {
	kind string
	id   *expression
}

// compiler collects the mistakes of one manifest.
type compiler struct {
	m        *Manifest
	of       *KindSpec // that is being compiled
	takes    []string  // the filters that the call takes which is being compiled
	problems []error
	wrongAt  map[string]bool // paths of expressions that cannot be read
	limited  *limits         // of all calls
}

// checkManifest compiles a manifest and gives its mistakes; the result stays with it.
func checkManifest(m *Manifest) []error {
	c := &compiler{m: m}
	c.needs()
	c.taken()
	c.m, _ = m.settled(m.examples())
	m.compiled = c.manifest()
	return c.problems
}

func (c *compiler) wrong(path, what, hint string) {
	if !c.follows(path) {
		c.problems = append(c.problems, c.m.wrong(path, what, hint))
	}
}

// follows reports whether a mistake is only the consequence of one that is told: what stands at the path, around it or directly
// in it has not the form that it must have, or is an expression that cannot be read.
func (c *compiler) follows(path string) bool {
	for p := path; p != ""; p = parent(p) {
		if c.m.unread[p] || c.wrongAt[p] {
			return true
		}
	}
	for p := range c.m.unread {
		if parent(p) == path {
			return true
		}
	}
	return false
}

func (c *compiler) manifest() *compiled {
	m, out := c.m, &compiled{kinds: map[string]*compiledKind{}}
	if !tutti.IsName(m.Name) {
		c.wrong("name", "is missing or no name", "Write, for example:  name: acme")
	}
	c.family()
	for group, decl := range map[string]map[string]Declaration{"settings": m.Settings, "secrets": m.Secrets} {
		for _, name := range sortedKeys(decl) {
			d, at := decl[name], group+"."+name
			if !tutti.IsName(name) || strings.Contains(name, "-") {
				c.wrong(at, "is no name: letters, digits and '_'", "")
			}
			if d.Description == "" {
				c.wrong(at+".description", "is missing", "Tell the operator what it is and where to find it.")
			}
			c.pattern(at+".pattern", d.Pattern)
			if group == "secrets" && d.Default != "" {
				c.wrong(at+".default", "is not possible for a secret", "Remove it.")
			}
		}
	}
	urlNames := settingNames
	if m.Protocol == "sql" {
		urlNames = configNames // it holds the password, and stays between us and the database
	}
	out.url = c.template("url", m.URL, urlNames)
	out.headers = c.headers("headers", m.Headers, configNames)
	c.protocol()
	out.auth = c.auth()
	c.limited = c.limits()
	if len(m.Kinds) == 0 {
		c.wrong("kinds", "is missing", "Write at least one kind of item.")
	}
	for _, name := range m.kindNames() {
		if !tutti.IsName(name) {
			c.wrong("kinds."+name, "is no name: a letter, then letters, digits, '-' or '_'", "")
		}
		if m.Kinds[name] == nil {
			c.wrong("kinds."+name, "is empty", "")
			continue
		}
		out.kinds[name] = c.kind(name, m.Kinds[name])
	}
	out.webhook = c.webhook()
	return out
}

var (
	headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
	resources  = []string{"Asset", "Product", "SocialPost", "SupportTicket", "Article", "Place", "Record"}
	dimensions = []string{tutti.LocaleDimension, tutti.MarketDimension, tutti.CurrencyDimension, tutti.PerspectiveDimension}
)

func (c *compiler) kind(name string, k *KindSpec) *compiledKind {
	at := "kinds." + name
	out := &compiledKind{name: name}
	c.of = k
	defer func() { c.of = nil }()
	if !slices.Contains(resources, k.Type) {
		c.wrong(at+".type", unknown(k.Type), oneOf(k.Type, resources))
	}
	for i, d := range k.Dimensions {
		if !slices.Contains(dimensions, d) {
			c.wrong(fmt.Sprintf("%s.dimensions.%d", at, i), unknown(d), oneOf(d, dimensions))
		}
	}
	c.languages(at, k)
	if re := c.pattern(at+".id.pattern", k.ID.Pattern); re != nil {
		out.pattern = matcherOf(re, k.ID.Pattern)
	}
	if k.ID.Example != "" && out.pattern != nil && !out.pattern.MatchString(k.ID.Example) {
		c.wrong(at+".id.example", "is “"+k.ID.Example+"”, which does not match id.pattern", "Write an id that the system could have.")
	}
	out.ownerID = c.pattern(at+".ownerPattern", k.OwnerID)
	if k.ID.Canonical != "" {
		out.canonical = c.expression(at+".id.canonical", k.ID.Canonical, idNames)
	}
	out.alias = c.alias(at+".id.alias", k)
	if k.Get == nil && k.Batch == nil && k.Whole == nil {
		c.wrong(at, "has neither get nor batch", "Write how to ask for one item (get) or many (batch).")
	}
	if k.Whole != nil {
		out.whole = c.whole(at+".whole", name, k)
	}
	if k.Get != nil {
		out.get = c.call(at+".get", k.Get, k.Fragment, getNames)
		if k.Get.NotFound == nil && k.Get.GraphQL == nil { // elsewhere a status speaks of the whole list or API, never of one item
			out.get.statuses = []int{http.StatusNotFound, http.StatusGone}
		}
		if out.get.record == nil && k.Get.Records == "" {
			out.get.record = []string{}
		}
		if each := out.get.graphql != nil && out.get.graphql.each != ""; !each && c.readable(at+".get") && !out.get.uses("id") {
			c.wrong(at+".get", "does not use ${id}", "Write, for example:  path: /v1/items/${id}")
		}
	}
	if k.Batch != nil {
		out.batch = c.batch(at+".batch", k, out)
	}
	if out.isPath = k.ID.Path; out.isPath && out.get != nil {
		out.get.path.keepSlashes("id")
	}
	filters := c.filters(at, k.Filters)
	for i, s := range k.Select {
		out.selects = append(out.selects, c.selection(fmt.Sprintf("%s.select.%d", at, i), k, s))
	}
	recordID := k.RecordID
	if recordID == "" {
		recordID = "record.id"
	}
	out.recordID = c.expression(at+".recordId", recordID, recordNames)
	if k.Changes != nil {
		out.changes = c.changes(at+".changes", k, out)
	}
	out.exists = c.optional(at+".exists", k.Exists, recordNames)
	out.locale = c.optional(at+".locale", k.Locale, recordNames)
	for _, kind := range sortedKeys(k.Tags) {
		if !tutti.IsName(kind) {
			c.wrong(at+".tags."+kind, "is no name of a kind of record", "")
		}
		out.tags = append(out.tags, tagRule{kind, c.expression(at+".tags."+kind, k.Tags[kind], recordNames)})
	}
	out.fields = c.fields(at+".map", tutti.ResourceType(k.Type), k.Map)
	if _, ok := k.Map[k.Owner]; k.Owner != "" && !ok {
		c.wrong(at+".owner", "is no mapped field", "Write one of "+list(sortedKeys(k.Map))+".")
	}
	if k.Renditions != nil {
		out.renditions = c.renditions(at+".renditions", k.Renditions)
	}
	out.def = out.definition(k, filters)
	out.def.MaxAge = c.duration(at+".maxAge", k.MaxAge, 0)
	c.rights(at, k.Rights, &out.def)
	out.reads()
	return out
}

// reads gathers what the kind's expressions read of a record, so that one walk over an answer finds
// it, and only what CEL reads is decoded.
func (k *compiledKind) reads() {
	for _, f := range k.fields {
		k.names = append(k.names, f.name)
	}
	k.tree = newTree()
	k.tree.add()
	for _, e := range k.expressions() {
		switch {
		case e == nil:
		case e.path != nil && e.path[0] == "record":
			e.at = k.tree.add(e.path[1:]...)
		case e.helper != nil:
			e.argsAt = make([]*tree, len(e.helper.Args()))
			for i, a := range e.helper.Args() {
				if a.Path != nil && a.Path[0] == "record" {
					e.argsAt[i] = k.tree.add(a.Path[1:]...)
				}
			}
		default:
			if e.list != nil {
				e.listAt = k.tree.add(e.list[1:]...)
			}
			for _, p := range e.prog.Paths() {
				k.usesID = k.usesID || p[0] == "id"
				if p[0] != "record" {
					continue
				}
				if k.used == nil {
					k.used = newTree()
				}
				k.used.add(p[1:]...)
			}
		}
	}
	k.tree.number(0)
	for _, c := range k.calls() {
		c.find(k.tree)
	}
	if k.whole != nil {
		k.whole.reads(k.selects)
	}
}

// expressions are those that are evaluated over a record.
func (k *compiledKind) expressions() []*expression {
	all := []*expression{k.recordID, k.exists, k.locale}
	for _, f := range k.fields {
		all = append(all, f.value)
	}
	for _, t := range k.tags {
		all = append(all, t.id)
	}
	for _, s := range k.selects {
		all = append(all, s.ids, s.key)
	}
	if f := k.changes; f != nil {
		all = append(all, f.ids, f.at, f.deleted, f.key)
	}
	if r := k.renditions; r != nil {
		all = append(all, r.when)
		for _, one := range r.sizes {
			all = append(all, one.value)
		}
		for _, t := range []*template{r.scale, r.crop} {
			for _, p := range t.parts {
				all = append(all, p.expr)
			}
		}
	}
	return all
}

func (k *compiledKind) calls() []*call {
	var all []*call
	for _, c := range []*call{k.get, k.batch} {
		if c != nil {
			all = append(all, c)
		}
	}
	if k.alias != nil {
		all = append(all, k.alias.call)
	}
	for _, s := range k.selects {
		if s.whole == nil {
			all = append(all, s.call)
		}
	}
	if k.whole != nil && k.whole.call != nil {
		all = append(all, k.whole.call)
	}
	if k.changes != nil {
		all = append(all, k.changes.call)
	}
	return all
}

func (c *compiler) filters(at string, in map[string]Filter) map[string]Filter {
	out := map[string]Filter{}
	for _, name := range sortedKeys(in) {
		f, path := in[name], at+".filters."+name
		if !slices.Contains([]string{"string", "int", "float", "bool", "place", "time", "ref"}, f.Type) {
			c.wrong(path+".type", unknown(f.Type), "Write string, int, float, bool, place, time or ref.")
		}
		if !tutti.IsName(name) || strings.Contains(name, "-") {
			c.wrong(path, "is no name: letters, digits and '_'", "")
		}
		if p := c.pattern(path+".pattern", f.Pattern); p != nil {
			f.pattern = p
		}
		out[name] = f
	}
	return out
}

// definition is what the house knows of the kind.
func (k *compiledKind) definition(spec *KindSpec, filters map[string]Filter) Definition {
	d := Definition{
		Name: k.name, Type: tutti.ResourceType(spec.Type), Description: spec.Description, Dimensions: spec.Dimensions, Languages: spec.Languages != "",
		Fields: map[string]tutti.FieldType{}, Owner: spec.Owner, Canonical: k.canonicalID, MaxIDs: 1, Example: spec.ID.Example, Filters: filters,
	}
	for _, f := range k.fields {
		d.Fields[f.name] = f.kind
	}
	if spec.Batch != nil {
		d.limits(spec.Batch, k.batch)
	}
	d.Alias = k.alias.describe(spec.ID.Alias)
	if k.whole != nil {
		d.Whole, d.Rolling, d.MaxIDs = k.whole.of, k.whole.rolling, maxWhole
	}
	for _, t := range k.tags {
		d.DependsOn = append(d.DependsOn, t.kind)
	}
	for _, s := range k.selects {
		d.Search = d.Search || s.spec.Text != ""
		d.OwnerFilter = d.OwnerFilter || s.spec.Owner
		d.Lists = d.Lists || len(s.spec.Filters) == 0 && s.spec.Text != "required" && !s.spec.Owner
		d.MaxFirst = max(d.MaxFirst, s.maxFirst())
		for name := range s.spec.Sorts {
			if !slices.Contains(d.Sorts, name) {
				d.Sorts = append(d.Sorts, name)
			}
		}
	}
	slices.Sort(d.Sorts)
	return d
}

// limits are those of a call for many.
func (d *Definition) limits(b *BatchSpec, call *call) {
	if d.MaxIDs = b.MaxIDs; b.MaxRows > 0 {
		d.MaxIDs = min(d.MaxIDs, b.MaxRows)
	}
	if call != nil && call.idsInURL {
		if d.MaxIDBytes = b.MaxURLBytes; d.MaxIDBytes == 0 {
			d.MaxIDBytes = 6 << 10 // Node servers answer 431 over 16 KiB of headers, proxies cut at 8
		}
		d.EachIDBytes = call.idCost()
	}
}

// canonicalID gives the one spelling of an id; false when the kind's syntax forbids it.
func (k *compiledKind) canonicalID(id string) (string, bool) {
	if k.canonical != nil {
		v, ok, err := k.canonical.eval(map[string]any{"id": id})
		s, isText := v.(string)
		if !ok || err != nil || !isText || s == "" || len(s) > maxID || !printable(s) {
			return "", false
		}
		id = s
	}
	if k.isPath && !isPath(id) {
		return "", false
	}
	if k.pattern != nil && !k.pattern.MatchString(id) || !mayBeListed(id, k.listSign, k.wordsOnly) {
		return "", false
	}
	return id, true
}

// WhyNot tells why no item of a kind can have an id; "" when one may.
func (m *Manifest) WhyNot(kind, id string) string {
	k, spec := m.compiled.kinds[kind], m.Kinds[kind]
	if k == nil || spec == nil {
		return "the manifest has no such kind"
	}
	if _, ok := k.canonicalID(id); ok {
		return ""
	}
	switch {
	case k.canonical != nil:
		return "what id.canonical makes of it is no id: it is empty, too long, or does not match id.pattern"
	case k.isPath && !isPath(id):
		return "it is no path (id.path)"
	case k.pattern != nil && !k.pattern.MatchString(id):
		return "it does not match id.pattern, " + spec.ID.Pattern
	case k.listSign != "" && strings.Contains(id, k.listSign):
		return "it holds “" + k.listSign + "”, which stands between ids in a call"
	case k.wordsOnly && !isWord(id):
		return "ids stand in an expression (encode: expr) without quotation marks, so they are words and whole numbers (quote: names how a language writes others)"
	}
	return "it is longer than any id, or holds signs that nobody sees"
}

// mayBeListed reports whether an id can stand where ids are joined by a sign, or stand without quotation marks.
func mayBeListed(id, sign string, wordsOnly bool) bool {
	return (sign == "" || !strings.Contains(id, sign)) && (!wordsOnly || isWord(id))
}

// readable reports whether every expression below a path can be read, and everything there has its form: only then can be told what
// is used there.
func (c *compiler) readable(path string) bool {
	for _, bad := range []map[string]bool{c.m.unread, c.wrongAt} {
		for p := range bad {
			if strings.HasPrefix(p, path+".") {
				return false
			}
		}
	}
	return true
}

// oneOf proposes what to write: the one of a few words that was probably meant, or else any.
func oneOf(found string, all []string) string {
	if near := expr.Nearest(found, all); near != "" {
		return "Write " + near + "."
	}
	return "Write one of " + list(all) + "."
}

// declareOr proposes to declare a name, or to take one that is declared.
func declareOr(group, found string, have []string) string {
	if len(have) == 0 {
		return "Declare it under " + group + "."
	}
	if near := expr.Nearest(found, have); near != "" {
		return "Write " + near + ", or declare it under " + group + "."
	}
	return "Declare it under " + group + ", or write one of " + list(have) + "."
}

// unknown says of one of a few words what was found instead.
func unknown(found string) string {
	if found == "" {
		return "is missing"
	}
	return "is unknown: “" + found + "”"
}

func (c *compiler) pattern(path, src string) *regexp.Regexp {
	if src == "" {
		return nil
	}
	re, err := regexp.Compile(`^(?:` + src + `)$`)
	if err != nil {
		c.wrong(path, "is no valid pattern: “"+src+"”", "Patterns are RE2 and match the whole value.")
	}
	return re
}

func (c *compiler) optional(path, src string, in func() (*expr.Dynamic, error)) *expression {
	if src == "" {
		return nil
	}
	return c.expression(path, src, in)
}

func (c *compiler) expression(path, src string, in func() (*expr.Dynamic, error)) *expression {
	e, err := compileExpression(src, in)
	if err != nil {
		c.badExpression(path, err)
		return nil
	}
	c.declared(path, e)
	return e
}

// declared makes sure that an expression reads only settings, secrets, dimensions and filters that there are.
func (c *compiler) declared(path string, e *expression) {
	for _, p := range e.prog.Paths() {
		for group, have := range map[string]map[string]Declaration{"settings": c.m.Settings, "secrets": c.m.Secrets} {
			if len(p) < 2 || p[0] != group {
				continue
			}
			if _, ok := have[p[1]]; !ok {
				c.wrong(path, "uses "+group+"."+p[1]+", which is not declared", declareOr(group, p[1], sortedKeys(have)))
			}
		}
		c.depends(path, p)
	}
}

func (c *compiler) template(path, src string, in func() (*expr.Dynamic, error)) *template {
	t, err := compileTemplate(src, in)
	if err != nil {
		c.badExpression(path, err)
		return &template{}
	}
	for _, p := range t.parts {
		if p.expr != nil {
			c.declared(path, p.expr)
		}
	}
	return t
}

// ofConnection are headers that a request has anyway, whatever a manifest says.
var ofConnection = []string{"Connection", "Content-Length", "Host", "Transfer-Encoding"}

func (c *compiler) headers(path string, in map[string]string, at func() (*expr.Dynamic, error)) []namedTemplate {
	var out []namedTemplate
	for _, name := range sortedKeys(in) {
		if !headerName.MatchString(name) {
			c.wrong(path+"."+name, "is no name of a header", "")
		}
		if slices.Contains(ofConnection, http.CanonicalHeaderKey(name)) {
			c.wrong(path+"."+name, "is about the connection, and is written with it", "Remove it.")
		}
		out = append(out, namedTemplate{http.CanonicalHeaderKey(name), c.template(path+"."+name, in[name], at)})
	}
	return out
}
