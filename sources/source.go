package sources

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/recording"
)

// Source is one origin system instance: a connector with everything around it.
type Source struct {
	name, description string
	cfg               config.Source
	digest            [sha256.Size]byte // of the manifest
	conn              Connector
	kinds             map[string]*kind
	log               *slog.Logger
	now               func() time.Time
	meter             *meter
	breaker           *breaker
	gate              *gate
	health            *health
	events            *events
	refusals          complaints // of webhooks
	again             *again
	polled            []*polling
	cache             *cache.Cache[*entry]
	secret            []byte
	veil              *veil
	doubts            *doubts
	plays             *recording.Recording // what answers in place of the system; nil = the system does
	release           func()               // gives back what the connector holds
}

// kind is a kind of item with what the config says about it.
type kind struct {
	tutti.Kind
	def    Definition
	owner  string        // the mapped field that says whose an item is; "" = nobody's
	every  string        // everyTag
	hold   *hold         // what keeps items back; nil = nothing
	limit  time.Duration // of a load that takes several calls
	veil   *veil
	policy cache.Policy
	lanes  lanes
	names  *kind // the names that items have besides their ids, as a kind of its own; nil = there are none
	lookup bool  // this is such a kind
}

const maxID = 512 // bytes

// canonical gives the one spelling of an id; false when no item can have it.
func (k *kind) canonical(id string) (string, bool) {
	if !possible(id) {
		return "", false
	}
	if k.def.Canonical == nil {
		return id, true
	}
	return k.def.Canonical(id)
}

// possible reports whether anything can have that id, or name.
func possible(id string) bool {
	return id != "" && len(id) <= maxID && id != "." && id != ".." && printable(id)
}

// built is a connector made for one source.
type built struct {
	conn        Connector
	description string
	release     func()
}

//go:embed vendors/*.yaml
var vendors embed.FS

// Vendors gives the names of the manifests that come with the product.
func Vendors() []string {
	entries, _ := fs.ReadDir(vendors, "vendors") // embedded: cannot fail
	var all []string
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return all
}

// ReadManifest reads a vendor's manifest by its name, or a user's by its path, relative to dir.
func ReadManifest(connector, dir string) (*Manifest, error) {
	if tutti.IsName(connector) {
		b, err := vendors.ReadFile("vendors/" + connector + ".yaml")
		if err != nil {
			return nil, &tutti.Error{
				Code: tutti.Invalid, Message: "there is no connector “" + connector + "”.",
				Hint: "There are " + list(Vendors()) + "; for a manifest of your own write its path, for example  ./manifests/" + connector + ".yaml",
			}
		}
		return ParseManifest("sources/vendors/"+connector+".yaml", b)
	}
	path := connector
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable("manifest", connector, path, dir, err)
	}
	return ParseManifest(path, b)
}

// unreadable tells why a file cannot be read that is named relative to a folder; "" is the one where we are.
func unreadable(what, name, path, dir string, err error) *tutti.Error {
	what = "the " + what + " " + name
	e := &tutti.Error{Code: tutti.Invalid, Message: what + " cannot be read.", Cause: err}
	info, bad := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Message = what + " is not there."
		if dir != "" && path != name {
			e.Hint = "Its path is relative to " + dir + ", the folder of the config."
		}
	case bad == nil && info.IsDir():
		e.Message, e.Hint = what+" is a folder.", "Write the file in it."
	case errors.Is(err, fs.ErrPermission):
		e.Message = what + " may not be read by this user."
	}
	return e
}

// openSource makes one source. All that the config says wrongly about it comes as one joined error.
func openSource(c config.Source, d Deps) (*Source, error) {
	place := func(path, what, hint string) error {
		return &tutti.Error{Code: tutti.Invalid, Field: join("sources."+c.Name, path), Message: what + ".", Hint: hint}
	}
	m, err := d.Manifest, error(nil)
	if m == nil {
		m, err = ReadManifest(c.Connector, d.Dir)
	}
	if err != nil {
		var e *tutti.Error
		if errors.As(err, &e) && strings.HasPrefix(e.Message, "the") {
			return nil, place("connector", "is wrong: "+strings.TrimSuffix(e.Message, "."), e.Hint)
		}
		return nil, err
	}
	fill(&c.Limits, &c.Freshness)
	c, d, played, err := recorded(c, d, m, place)
	if err != nil {
		return nil, err
	}
	b, problems := m.build(c, d, place)
	s := &Source{
		name: c.Name, description: c.Description, cfg: c, digest: m.digest, kinds: map[string]*kind{}, log: d.Log, now: d.Now,
		breaker: &breaker{now: d.Now}, gate: m.Limits.gate(d.Now, c.Limits), health: &health{now: d.Now},
		events: newEvents(d.Seen, d.Now), plays: played,
	}
	if b != nil {
		s.conn, s.release = b.conn, b.release
		if c, ok := b.conn.(*manifestConnector); ok {
			c.gate = s.gate
		}
		if s.description == "" {
			s.description = b.description
		}
	}
	for _, name := range sortedKeys(c.Kinds) {
		if m.Kinds[name] == nil {
			problems = append(problems, place("kinds."+name, "is no kind of the connector "+m.Name, "It has "+list(m.kindNames())+"."))
		}
	}
	for _, def := range m.definitions() {
		kc, ok := c.Kinds[def.Name]
		if !ok {
			continue // a kind that the config does not name is not there
		}
		k, err := newKind(c, def, kc, place)
		problems = append(problems, err...)
		s.kinds[def.Name] = k
	}
	if len(c.Kinds) == 0 {
		problems = append(problems, place("kinds", "is missing", "Write, for example:  kinds: {"+m.kindNames()[0]+": {access: public}}"))
	}
	if len(problems) > 0 {
		s.close()
		return nil, errors.Join(problems...)
	}
	s.veil = newVeil(d.Secret, s.kinds)
	for _, k := range s.kinds {
		if k.veil = s.veil; k.names != nil {
			k.names.veil = s.veil
		}
	}
	s.again = newAgain(s.forgets(s.name), func(ctx context.Context, tags []string) {
		if _, err := s.note(ctx, "again:"+rand.Text(), tags, 0); err != nil {
			s.log.Warn("what a webhook named could not be forgotten a second time elsewhere", "source", s.name, "code", tutti.CodeOf(err))
		}
	})
	return s, nil
}

func newKind(c config.Source, def Definition, kc config.KindConfig, place func(path, what, hint string) error) (*kind, []error) {
	var problems []error
	at := "kinds." + def.Name
	f := c.Freshness
	if kc.Freshness != nil {
		f = *kc.Freshness
	}
	k := &kind{def: def, owner: kc.Owner, every: everyTag(c.Name, def.Name), policy: cache.Policy{
		Fresh: f.Fresh, Stale: f.Stale, StaleIfError: f.StaleIfError, Negative: f.Negative,
		SoftLimit: c.Limits.SoftTimeout, HardLimit: -1, // each call sees to its time itself
	}}
	if most := def.MaxAge; most > 0 {
		p := &k.policy
		p.Fresh = min(p.Fresh, most)
		p.Stale, p.StaleIfError = min(p.Stale, most-p.Fresh), min(p.StaleIfError, most-p.Fresh)
	}
	k.limit = 2 * c.Limits.Timeout // for its turn, and for the answer
	k.Kind = tutti.Kind{
		Source: c.Name, Name: def.Name, Type: def.Type, Description: def.Description, Access: kc.Access, Expose: kc.Expose == "delivery",
		Fields: def.Fields, Dimensions: def.Dimensions, Filters: sortedKeys(def.Filters), Sorts: def.Sorts, Search: def.Search, OwnerFilter: def.OwnerFilter, Moderation: kc.Moderation,
	}
	switch kc.Access {
	case tutti.AccessPublic, tutti.AccessInternal:
	case tutti.AccessVisitor:
		if k.owner == "" {
			k.owner = def.Owner
		}
		if k.owner == "" {
			problems = append(problems, place(at+".owner", "is missing, for access visitor", "Write the field that says whose an item is, one of "+list(sortedKeys(def.Fields))+"."))
		}
	default:
		problems = append(problems, place(at+".access", "is missing or unknown", "Write  access: public  (or visitor, internal)."))
	}
	if t, ok := def.Fields[k.owner]; k.owner != "" && (!ok || t != tutti.FieldString && t != tutti.FieldInt) {
		problems = append(problems, place(at+".owner", "is no mapped field with a text or whole number", "The kind has "+list(sortedKeys(def.Fields))+"."))
	}
	k.hold, problems = newHold(def, kc, at, place, problems)
	if k.Expose && kc.Access == tutti.AccessInternal {
		problems = append(problems, place(at+".expose", "contradicts access internal", "Remove it."))
	}
	k.names = k.namesOf(def.Alias)
	return k, problems
}

// fill puts defaults where the config was made by hand and says nothing.
func fill(l *config.SourceLimits, f *config.Freshness) {
	d := config.DefaultSourceLimits
	if l.Timeout <= 0 {
		l.Timeout = d.Timeout
	}
	if l.SoftTimeout <= 0 {
		l.SoftTimeout = min(d.SoftTimeout, l.Timeout)
	}
	if l.Concurrency <= 0 {
		l.Concurrency = d.Concurrency
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = d.MaxBytes
	}
	if *f == (config.Freshness{}) {
		*f = config.DefaultFreshness
	}
}

func (s *Source) kindNames() []string { return sortedKeys(s.kinds) }

func (s *Source) close() {
	if s.release != nil {
		s.release()
	}
}

// Check calls a source once for each kind, to see whether address, credentials and mapping are
// right: it lists one item where the kind can be listed without more, and else asks for an
// example id, which need not exist. Nil when all of them answered as the manifest promises, else
// a joined error. UnknownSource for a name that is not configured. Nothing goes through the cache.
func (s *Sources) Check(ctx context.Context, name string) error {
	src, ok := s.byName[name]
	if !ok {
		return s.unknown(name, "")
	}
	var problems []error
	for _, kn := range src.kindNames() {
		if err := src.check(ctx, src.kinds[kn]); err != nil {
			problems = append(problems, fmt.Errorf("checking %s: %w", src.kinds[kn].kindTag(), err))
		}
	}
	return errors.Join(problems...)
}

func (s *Source) check(ctx context.Context, k *kind) error {
	var scope tutti.Scope
	if k.HasDimension(tutti.LocaleDimension) {
		scope.Locale = "en" // any will do: the item need not exist in it
	}
	if k.def.Whole != "" {
		_, err := s.askWhole(ctx, k, "", scope)
		return err
	}
	if s.plays != nil {
		return s.checkPlayed(ctx, k)
	}
	selector, ok := s.conn.(Selector)
	if ok && (k.def.Lists || k.def.Example == "") {
		err := s.call(ctx, k.Name, func(ctx context.Context) (time.Time, error) {
			p, err := selector.Select(ctx, tutti.Selection{Source: s.name, Kind: k.Name, First: 1}, scope)
			return p.Until, err
		})
		if !errors.Is(err, tutti.InvalidValue) {
			return err
		}
	}
	id, ok := k.canonical(k.def.Example)
	if !ok {
		return nil // there is no way to ask without knowing more
	}
	ref := tutti.Ref{Source: s.name, Kind: k.Name, ID: id}
	b := s.fetchOrSplit(ctx, k, []Ask{{Ref: ref}}, nil, scope, nil)
	if err := b.Replies[0].Err; err != nil && !errors.Is(err, tutti.NotFound) {
		return err
	}
	return nil
}
