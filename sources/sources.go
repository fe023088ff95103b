// Package sources owns everything that stands between the product and an origin system: the
// contract that a connector keeps, the manifest language in which most of them are written, and
// the guarded, cached Source around every one of them.
//
// A connector tells how to ask and how to read the answer. The house around it does the rest, the
// same for all: ids are checked, calls are batched and cut to the system's limits, kept in the
// cache, limited in time, size, rate and number, tried again once, broken off when a system is
// down, counted, and told without any content of the origin. The package does not decide who may
// see what (that is the engine's and the graph's), and it never stores content on disk.
package sources

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
	"github.com/tuttihq/tutti/internal/config"
)

// Deps are what sources need from the house. Only Cache and Dir usually differ from zero in tests.
type Deps struct {
	Cache   int64                 // bytes for kept resources and selections; 0 = config.DefaultCacheBytes
	Now     func() time.Time      // nil = time.Now
	Log     *slog.Logger          // nil = nothing is logged
	Dir     string                // where relative manifest paths start; "" = the working directory
	Metrics prometheus.Registerer // nil = nothing is registered
	// Seen notes a webhook's event id, and the tags of what it makes old as other processes may
	// know them (see Outward), and reports whether it is the first time, or the first since sameFor (0 = ever). Nil remembers the last
	// ten thousand ids of each source in memory, and tells nobody.
	Seen     func(ctx context.Context, source, eventID string, tags []string, sameFor time.Duration) (first bool, err error)
	Shapes   []tutti.Shape // what was stored of UnsavedShapes
	Checking bool          // answers are compared with these shapes, one record is enough, and nothing is learned
	// Shows gives the compositions that may show items of a kind, for a warning of drift. It is called rarely, and not with
	// anything held. Nil = nobody knows.
	Shows   func(source, kind string) []string
	Locales tutti.Locales // what stands in for a locale whose words a record does not have
	Polls   Polls         // where feeds of changes are, for all processes; nil keeps it in memory
	Secret  []byte        // the deployment's: the same in all its processes
	Stale   func() bool   // whether nothing may be called fresh for now; nil = never
	// Database opens the databases of sources whose protocol is SQL. Nil: there can be none.
	Database func(DatabaseConfig) (Database, error)
	// Through stands between a source and the network, for those who look at exchanges or answer them
	// themselves: see fetch.Config. Nil = nothing does.
	Through func(source string, network http.RoundTripper) http.RoundTripper
	// Manifest is that of every source, for those who have read it already. Nil = each is read where the config says.
	Manifest *Manifest
	// Former are the sources before, of another config: what systems asked them to wait for counts here too. Nil = there are none.
	Former *Sources
}

// Sources are all configured sources. Safe for concurrent use.
type Sources struct {
	deps   Deps
	cache  *cache.Cache[*entry]
	secret []byte // of this process; keys selections of one owner
	order  []*Source
	byName map[string]*Source
	meter  *meter

	polling     sync.Mutex // guards stopPolling
	stopPolling func()     // nil = nobody polls
	polls       sync.WaitGroup
	unwatch     context.CancelFunc // ends what Watch began; nil = nothing
	watching    sync.WaitGroup

	suppressing sync.Mutex // one Suppress at a time
	doubts      *doubts
}

// Open makes the configured sources. It calls none of them. All mistakes are told at once, as a
// joined error of *tutti.Error with code Invalid: what is wrong in the config names its place as
// Field (sources.catalog.kinds.item), and Message goes on after it; what is wrong in a manifest
// says file and line in Message, once, however many sources use it. Close gives back what it holds.
func Open(cfgs []config.Source, d Deps) (*Sources, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Cache <= 0 {
		d.Cache = config.DefaultCacheBytes
	}
	s := &Sources{deps: d, byName: map[string]*Source{}, secret: make([]byte, 32), doubts: newDoubts(d.Now, d.Stale)}
	_, _ = rand.Read(s.secret) // never fails
	var problems []error
	for _, c := range cfgs {
		src, err := openSource(c, d)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.order = append(s.order, src)
		s.byName[c.Name] = src
	}
	if err := once(problems); err != nil {
		for _, src := range s.order {
			src.close()
		}
		return nil, err
	}
	s.cache = cache.New(cache.Config{MaxBytes: d.Cache, Now: d.Now}, (*entry).size)
	s.meter = newMeter(s, d.Metrics)
	if d.Polls == nil {
		d.Polls = &ownPolls{by: map[[2]string]tutti.Poll{}}
	}
	for _, src := range s.order {
		src.polled = src.feeds(d.Polls)
		src.webhooksTellAll()
	}
	for _, src := range s.order {
		if was := d.Former.source(src.name); was != nil && was.asksAs(src) {
			src.gate.goOn(was.gate)
		}
	}
	s.deps.Former = nil
	for _, src := range s.order {
		src.cache, src.secret, src.meter, src.doubts = s.cache, s.secret, s.meter, s.doubts
	}
	return s, nil
}

// source gives one by its name; nil when there is none.
func (s *Sources) source(name string) *Source {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// asksAs reports whether both ask the same system as the same caller.
func (s *Source) asksAs(other *Source) bool {
	a, b := s.cfg, other.cfg
	return a.Connector == b.Connector && a.URL == b.URL && maps.Equal(a.Settings, b.Settings) && maps.Equal(a.Secrets, b.Secrets)
}

// once joins mistakes, each told a single time: a manifest may serve several sources.
func once(all []error) error {
	var problems []error
	told := map[string]bool{}
	var add func(error)
	add = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				add(e)
			}
		} else if !told[err.Error()] {
			told[err.Error()] = true
			problems = append(problems, err)
		}
	}
	for _, err := range all {
		add(err)
	}
	return errors.Join(problems...)
}

// Names gives the sources' names in the order of the config.
func (s *Sources) Names() []string {
	names := make([]string, len(s.order))
	for i, src := range s.order {
		names[i] = src.name
	}
	return names
}

// Reading is how a source's items are read: what decides, besides the items, what is delivered.
type Reading struct {
	Source   string
	Manifest []byte // a digest
	Settings map[string]string
}

// Readings tells of every source how its items are read, in the order of the config. Addresses
// and secrets, which may differ between replicas, are not part of it.
func (s *Sources) Readings() []Reading {
	all := make([]Reading, len(s.order))
	for i, src := range s.order {
		all[i] = Reading{Source: src.name, Manifest: src.digest[:], Settings: src.cfg.Settings}
	}
	return all
}

// Kind describes a kind of a source; false when there is none. Never change what it points to.
func (s *Sources) Kind(source, kind string) (*tutti.Kind, bool) {
	src, ok := s.byName[source]
	if !ok {
		return nil, false
	}
	k, ok := src.kinds[kind]
	if !ok {
		return nil, false
	}
	return &k.Kind, true
}

// Kinds gives all kinds of all sources, in the order of the config, then by name.
func (s *Sources) Kinds() []*tutti.Kind {
	var all []*tutti.Kind
	for _, src := range s.order {
		for _, name := range src.kindNames() {
			all = append(all, &src.kinds[name].Kind)
		}
	}
	return all
}

// MaxIDs is how many items of a kind one call of the origin gives; 0 for a kind that is not there.
func (s *Sources) MaxIDs(source, kind string) int {
	if src, ok := s.byName[source]; ok && src.kinds[kind] != nil {
		return max(1, src.kinds[kind].def.MaxIDs)
	}
	return 0
}

// Info tells what a source is.
type Info struct {
	Name        string
	Connector   string
	Description string
	Visitor     string // CEL: how a visitor is called there; "" = visitors are unknown there
	Webhook     bool   // it takes webhooks
}

// Info tells what a source is; false when there is none of that name.
func (s *Sources) Info(source string) (Info, bool) {
	src, ok := s.byName[source]
	if !ok {
		return Info{}, false
	}
	return Info{Name: src.name, Connector: src.cfg.Connector, Description: src.description, Visitor: src.cfg.Visitor, Webhook: src.takesWebhooks()}, true
}

// Get resolves refs, in their order. Refs of one source, kind and scope are one call of the
// origin, or as many as its batch limit forces; none when they are kept; one for many readers who
// ask at the same time. It never fails as a whole: see tutti.Got for what one ref can come to. An
// id that the kind's syntax forbids is NotFound without a call. Nobody may change refs any more: the
// calls may go on when the caller has left.
//
// Whose a resource is stands in Resource.Owner; the caller compares it.
func (s *Sources) Get(ctx context.Context, refs []tutti.Ref, scope tutti.Scope) []tutti.Got {
	if k := s.only(refs); k != nil {
		return s.byName[k.Source].get(ctx, k, refs, scope)
	}
	got := make([]tutti.Got, len(refs))
	var groups []*group
	for i, r := range refs {
		src, k, err := s.find(r.Source, r.Kind)
		if err != nil {
			got[i] = missing(err)
			continue
		}
		n := slices.IndexFunc(groups, func(g *group) bool { return g.k == k })
		if n < 0 {
			n = len(groups)
			groups = append(groups, &group{src: src, k: k})
		}
		groups[n].refs, groups[n].at = append(groups[n].refs, r), append(groups[n].at, i)
	}
	if len(groups) == 0 {
		return got
	}
	landed := make(chan struct{})
	var open atomic.Int32
	open.Store(int32(len(groups)))
	for _, g := range groups {
		g.reading = g.src.begin(ctx, g.k, g.refs, scope, func() {
			if open.Add(-1) == 0 {
				close(landed)
			}
		})
	}
	why := wait(ctx, landed)
	for _, g := range groups {
		for j, one := range g.reading.take(why, nil) {
			got[g.at[j]] = one
		}
	}
	return got
}

// only gives the kind that all refs are of, which is the usual case; nil when they are of several,
// or of one that is not there.
func (s *Sources) only(refs []tutti.Ref) *kind {
	if len(refs) == 0 {
		return nil
	}
	first := refs[0]
	for _, r := range refs[1:] {
		if r.Source != first.Source || r.Kind != first.Kind {
			return nil
		}
	}
	src, ok := s.byName[first.Source]
	if !ok {
		return nil
	}
	return src.kinds[first.Kind]
}

// group is what is asked of one kind.
type group struct {
	src     *Source
	k       *kind
	refs    []tutti.Ref
	at      []int
	reading *question
}

// Begin is Get for refs of one kind, without the waiting. landed is called once, from any goroutine
// and perhaps before Begin returns, when everything has come. It must not block. take adds the
// answers to got, for whoever calls it first. Before everything has come the caller leaves with it: landed is
// not called any more, what is not there has code Timeout, perhaps beside an old copy, and the calls
// go on and fill the cache.
func (s *Sources) Begin(ctx context.Context, refs []tutti.Ref, scope tutti.Scope, landed func()) (take func(got []tutti.Got) []tutti.Got) {
	if len(refs) == 0 {
		landed()
		return func(got []tutti.Got) []tutti.Got { return got }
	}
	src, k, err := s.find(refs[0].Source, refs[0].Kind)
	if err != nil {
		landed()
		return func(got []tutti.Got) []tutti.Got {
			return append(got, slices.Repeat([]tutti.Got{missing(err)}, len(refs))...)
		}
	}
	r := src.begin(ctx, k, refs, scope, landed)
	return func(got []tutti.Got) []tutti.Got { return r.take(errLeft, got) }
}

// BeginSelect is Select, in the same way.
func (s *Sources) BeginSelect(ctx context.Context, sel tutti.Selection, scope tutti.Scope, landed func()) (take func() (tutti.Page, error)) {
	src, k, err := s.find(sel.Source, sel.Kind)
	if err != nil {
		landed()
		return func() (tutti.Page, error) { return tutti.Page{}, err }
	}
	w := src.beginPage(ctx, k, sel, scope, landed)
	return func() (tutti.Page, error) { return w.take(errLeft) }
}

var errLeft = tutti.Errorf(tutti.Timeout, "waiting for an origin: the time for it is over")

// Select answers a selection, through the cache. First of 0 is 20, more than the origin gives at
// once is cut to that. Codes: UnknownSource; InvalidValue for a filter, sort or text that the
// kind does not have, with what it has; Forbidden for a kind with access visitor and no
// Selection.Owner; and what the origin's call came to. An item that belongs to somebody else than
// Selection.Owner is left out.
func (s *Sources) Select(ctx context.Context, sel tutti.Selection, scope tutti.Scope) (tutti.Page, error) {
	src, k, err := s.find(sel.Source, sel.Kind)
	if err != nil {
		return tutti.Page{}, err
	}
	landed := make(chan struct{})
	w := src.beginPage(ctx, k, sel, scope, func() { close(landed) })
	return w.take(wait(ctx, landed))
}

// Forget makes sure that what was fetched before this call is never served as fresh again. A
// ref's tag (source:kind/id) forgets what was made of that record and the kind's selections; a
// kind's tag (source:kind) all items and selections of the kind; a source's name everything of it.
func (s *Sources) Forget(tags ...string) { s.cache.Forget(s.tagsOf(tags...)...) }

// Purge is Forget for what must not be seen again: it does not even stand in for what cannot be
// loaded.
func (s *Sources) Purge(tags ...string) { s.cache.Purge(s.tagsOf(tags...)...) }

// ForgetAll is Forget for everything.
func (s *Sources) ForgetAll() { s.cache.ForgetAll() }

// Outward gives what Forget or Purge of these tags means for the caches of other processes: all
// tags to be bumped there, with ids only of items that are public.
func (s *Sources) Outward(tags ...string) []string {
	var all []string
	for _, t := range tags {
		if src := s.byName[sourceOf(t)]; src != nil {
			all = append(all, src.veil.outward(src.forgets(t))...)
		}
	}
	return all
}

// Heard does what another process told with the tags of its Outward.
func (s *Sources) Heard(purge bool, tags []string) {
	if purge {
		s.cache.Purge(tags...)
	} else {
		s.cache.Forget(tags...)
	}
}

// tagsOf gives all tags to bump when what these stand for changed.
func (s *Sources) tagsOf(tags ...string) []string {
	var all []string
	for _, t := range tags {
		src := s.byName[sourceOf(t)]
		if src == nil {
			all = append(all, t)
			continue
		}
		all = append(all, src.forgets(t)...)
	}
	return all
}

// Moment is the number of the last Forget, for Forgotten.
func (s *Sources) Moment() uint64 { return s.cache.Moment() }

// Forgotten says whether something with these marks (see tutti.Got) was forgotten after a moment.
func (s *Sources) Forgotten(marks []uint32, after uint64) bool {
	return s.cache.Forgotten(marks, after)
}

// Close stops everything, and waits for nothing but what a webhook has being forgotten a second time just then. Nothing
// may be called after it.
func (s *Sources) Close() {
	s.StopPolling()
	if s.unwatch != nil {
		s.unwatch()
		s.watching.Wait()
	}
	s.meter.close()
	for _, src := range s.order {
		src.again.close()
	}
	s.cache.Close()
	for _, src := range s.order {
		src.close()
	}
}

func (s *Sources) find(source, name string) (*Source, *kind, error) {
	if src, ok := s.byName[source]; ok {
		if k, ok := src.kinds[name]; ok {
			return src, k, nil
		}
	}
	return nil, nil, s.unknown(source, name)
}

func (s *Sources) unknown(source, kind string) error {
	if src, ok := s.byName[source]; ok {
		return &tutti.Error{Code: tutti.UnknownSource, Message: "the source " + source + " has no kind “" + kind + "”.", Hint: "It has " + list(src.kindNames()) + "."}
	}
	return &tutti.Error{Code: tutti.UnknownSource, Message: "there is no source “" + source + "”.", Hint: "There are " + list(s.Names()) + "."}
}

func missing(err error) tutti.Got {
	return tutti.Got{Err: err, Freshness: tutti.Freshness{State: tutti.Missing}}
}

func sourceOf(tag string) string {
	if i := strings.IndexByte(tag, ':'); i >= 0 {
		return tag[:i]
	}
	return tag
}

// list writes names for a person: a, b and c.
func list(names []string) string {
	names = slices.Clone(names)
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
