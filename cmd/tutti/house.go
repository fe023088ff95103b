package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
	"github.com/tuttihq/tutti/resolvers"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/store"
)

// house is everything that one running server stands on. What follows from the config is in a
// generation, which is swapped whole; the store, the keys and the API's server stay.
type house struct {
	log    *slog.Logger
	store  store.Store
	dir    string // where relative manifest paths start
	secret []byte // the deployment's
	server *graph.Server
	meters *prometheus.Registry

	feed    store.Feed // what other processes tell
	contact *contact
	ending  atomic.Bool // readyz fails: nobody should send requests any more

	live    atomic.Pointer[generation]
	trusted atomic.Pointer[[]tutti.Operation] // as the store had them last

	opening sync.Mutex    // guards open; taken after mu
	open    []*generation // the live one, and those before that still answer requests

	mu     sync.Mutex // one piece of work with the store at a time; guards next and changed of the live generation
	closed chan struct{}
	done   sync.WaitGroup
}

// generation is everything that follows from one state of the config.
type generation struct {
	config  *config.Config
	sources *sources.Sources
	library *engine.Library
	kept    *graph.Kept // ready answers; nil = none are kept
	meters  *prometheus.Registry

	next    time.Time // when what is published changes by itself; zero = never
	changed int64     // the store's counter when the library last read what is published
}

// close ends the generation. Nothing may be asked of it any more.
func (g *generation) close() {
	if g.kept != nil {
		g.kept.Close()
	}
	g.sources.Close()
}

// openHouse builds a server's parts for a config: it reads what is published and calls no
// origin. Close must be called once nobody asks any more.
func openHouse(ctx context.Context, cfg *config.Config, st store.Store, dir string, log *slog.Logger) (*house, error) {
	secret, err := st.DeploymentSecret(ctx)
	if err != nil {
		return nil, err
	}
	h := &house{log: log, store: st, dir: dir, secret: secret, meters: prometheus.NewRegistry(), contact: newContact(time.Now()), closed: make(chan struct{})}
	if h.feed, err = st.Feed(ctx); err != nil { // before anything is read or kept that it may make old
		return nil, err
	}
	gen, schema, err := h.build(ctx, cfg)
	if err != nil {
		h.feed.Close()
		return nil, err
	}
	h.live.Store(gen)
	h.open = []*generation{gen}
	h.meterContact()
	h.server = graph.NewServer(graph.ServerConfig{Keys: st, Log: log, Observe: h.observer()}, schema)
	h.server.Trust(*h.trusted.Load())
	if err := h.prune(ctx); err != nil {
		h.feed.Close()
		gen.close()
		return nil, err
	}
	h.done.Go(func() { h.checkTrusted(schema) })
	h.done.Go(h.watchStore)
	gen.sources.StartPolling()
	return h, nil
}

// build makes a generation of a config, with what is published now.
func (h *house) build(ctx context.Context, cfg *config.Config) (*generation, *graph.Generation, error) {
	g := &generation{config: cfg, meters: prometheus.NewRegistry()}
	if err := h.keepShapes(ctx); err != nil {
		return nil, nil, err
	}
	shapes, err := h.store.Shapes(ctx)
	if err != nil {
		return nil, nil, err
	}
	var former *sources.Sources
	if live := h.live.Load(); live != nil {
		former = live.sources
	}
	g.sources, err = openSources(cfg, sources.Deps{
		Cache: cfg.CacheBytes, Log: h.log, Dir: h.dir, Metrics: g.meters, Seen: h.seen, Secret: h.secret, Polls: polls{h}, Stale: h.contact.stale, Locales: cfg.Locales,
		Shapes: shapes, Former: former, Shows: g.showing,
	})
	if err != nil {
		return nil, nil, err
	}
	schema, err := h.furnish(ctx, g)
	if err != nil {
		g.close()
		return nil, nil, err
	}
	g.sources.Watch()
	return g, schema, nil
}

// showing gives the compositions that may show items of a kind; none before there is a library.
func (g *generation) showing(source, kind string) []string {
	if g.library == nil {
		return nil
	}
	return g.library.Showing(source, kind)
}

// furnish makes what stands on the sources: engine, library, resolvers, schema.
func (h *house) furnish(ctx context.Context, g *generation) (*graph.Generation, error) {
	cfg := g.config
	visitors := map[string]string{}
	budgets := engine.Budgets{Page: cfg.Budgets.Page, Wave: cfg.Budgets.Wave, Learn: cfg.Budgets.Learn, Source: map[string]time.Duration{}}
	for _, s := range cfg.Sources {
		budgets.Source[s.Name] = s.Limits.Budget
		if s.Visitor != "" {
			visitors[s.Name] = s.Visitor
		}
	}
	id, err := generationID(cfg, g.sources)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(engine.Config{
		Attributes: cfg.Attributes, Enrichers: cfg.Enrichers, Channels: cfg.Channels, Locales: cfg.Locales, Markets: cfg.Markets,
		ComponentTypes: cfg.ComponentTypes, CompositionTypes: cfg.CompositionTypes, SourceVisitors: visitors, Budgets: budgets, Secret: h.secret, Generation: id, Stale: h.contact.stale,
	}, g.sources)
	if err != nil {
		return nil, err
	}
	g.library = engine.NewLibrary(e)
	if err := h.read(ctx, g); err != nil {
		return nil, err
	}
	verifier, err := tokenVerifier(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.AnswerBytes > 0 {
		g.kept = graph.NewKept(cfg.AnswerBytes, g.sources, time.Now)
	}
	r := resolvers.New(resolvers.Deps{
		Engine: e, Library: g.library, Sources: g.sources, SourceStates: func() []resolvers.SourceState { return sourceStates(g) }, Store: h.store,
		Drifts: g.sources.Drifts, AcceptDrifts: h.acceptDrifts,
		Attributes: cfg.Attributes, Channels: cfg.Channels, Locales: cfg.Locales, ComponentTypes: cfg.ComponentTypes, CompositionTypes: cfg.CompositionTypes,
		Kept: g.kept, Reload: h.refresh, Told: h.told, Now: time.Now, Stale: h.contact.stale,
	})
	return graph.NewGeneration(graph.GenerationConfig{
		ID: id, ComponentTypes: cfg.ComponentTypes, Attributes: cfg.Attributes, Stored: h.trustedTexts(), Resolvers: r, Planner: r, Visitors: verifier, Limits: limits(cfg.Limits), Introspection: cfg.Development,
		BaseURL: cfg.BaseURL, Operations: cfg.Operations, Caching: graph.Caching{Client: cfg.ClientMaxAge, Shared: cfg.SharedMaxAge},
	})
}

// reload takes another config. When it cannot be built, everything stays as it was.
func (h *house) reload(ctx context.Context, cfg *config.Config) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	gen, schema, err := h.build(ctx, cfg)
	if err != nil {
		return err
	}
	h.opening.Lock()
	h.open = append(h.open, gen)
	h.opening.Unlock()
	old, former := h.live.Swap(gen), h.server.Generation()
	h.server.Swap(schema)
	old.sources.StopPolling()
	gen.sources.StartPolling()
	h.done.Go(func() { h.checkTrusted(schema) })
	h.done.Go(func() { h.retire(old, former.Busy, time.Minute) })
	return nil
}

// retire closes a generation that gets no new requests, as soon as those that began before have had
// a while, and those that may take longer (busy) are over.
func (h *house) retire(old *generation, busy func() bool, while time.Duration) {
	for again := true; again; again = again && busy() {
		select {
		case <-time.After(while):
		case <-h.closed:
			again = false
		}
	}
	h.opening.Lock()
	h.open = slices.DeleteFunc(h.open, func(g *generation) bool { return g == old })
	h.opening.Unlock()
	old.close()
}

// refresh reads what is published again, after a publication here or by somebody else.
func (h *house) refresh(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.read(ctx, h.live.Load())
}

// read fills a generation's library with what is published now, keeps what is suppressed or not
// approved out of its sources, and of those before it, and takes the operations that are trusted now. Documents
// that no longer fit the config are left out and logged.
func (h *house) read(ctx context.Context, g *generation) error {
	changed, err := h.store.Changed(ctx)
	if err != nil {
		return err
	}
	if err := h.trust(ctx); err != nil {
		return err
	}
	docs, next, rest, err := h.published(ctx)
	if err != nil {
		return err
	}
	suppressed, err := h.store.Suppressions(ctx, time.Now())
	if err != nil {
		return err
	}
	judged, err := h.store.Verdicts(ctx)
	if err != nil {
		return err
	}
	keepBack := func(s *sources.Sources) {
		s.Suppress(suppressed)
		s.Judge(judged)
	}
	keepBack(g.sources)
	h.everywhere(keepBack)
	for _, p := range suppressed {
		if !p.Until.IsZero() && (next.IsZero() || p.Until.Before(next)) {
			next = p.Until
		}
	}
	for _, p := range g.library.Load(docs, rest) {
		h.log.Warn("a published document is left out", "kind", p.Kind, "name", p.Name, "version", p.Version, "problem", p.Problem.String())
	}
	g.next, g.changed = next, changed
	return nil
}

// plannedInstants is how many instants ahead preview can see what is planned.
const plannedInstants = 100

// published gives what counts now, and what is planned. next is when the first plan comes true,
// rest when the first one does that is not among docs; zero when there is none.
func (h *house) published(ctx context.Context) (docs []engine.Doc, next, rest time.Time, err error) {
	type line struct {
		kind tutti.DocumentKind
		name string
		from time.Time
	}
	known := map[line]bool{}
	at := time.Now()
	for n := 0; n == 0 || n <= plannedInstants && !rest.IsZero(); n++ {
		var published []store.Published
		if published, rest, err = h.store.Published(ctx, at); err != nil {
			return nil, next, rest, err
		}
		for _, p := range published {
			if l := (line{p.Kind, p.Name, p.From}); !known[l] {
				known[l] = true
				docs = append(docs, engine.Doc{Kind: p.Kind, Name: p.Name, Version: p.Version, Body: p.Body, From: p.From, Until: p.Until})
			}
		}
		if n == 0 {
			next = rest
		}
		at = rest
	}
	return docs, next, rest, nil
}

// seen notes a webhook, and does what it asks in every generation. One that could not be noted
// may have been all the same.
func (h *house) seen(ctx context.Context, source, event string, tags []string, sameFor time.Duration) (first bool, err error) {
	first, err = h.store.Seen(ctx, source, event, tags, time.Now(), cmp.Or(sameFor, store.EventsKept))
	if first || err != nil {
		h.told(false, tags)
	}
	return first, err
}

// polls keeps in the store where feeds of changes are, and does in every generation what a poll tells.
type polls struct{ h *house }

// TakePoll is promised at store.Store.
func (p polls) TakePoll(ctx context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error) {
	return p.h.store.TakePoll(ctx, source, kind, now, lease)
}

// Polled is promised at store.Store. What could not be noted is read again, so it is told anyway.
func (p polls) Polled(ctx context.Context, turn tutti.Poll, stale, purged []string, now time.Time) (bool, error) {
	kept, err := p.h.store.Polled(ctx, turn, stale, purged, now)
	p.h.told(false, stale)
	p.h.told(true, purged)
	return kept, err
}

// Gather joins the meters of the house with those of the live generation.
func (h *house) Gather() ([]*dto.MetricFamily, error) {
	return prometheus.Gatherers{h.meters, h.live.Load().meters}.Gather()
}

// close ends everything but the store, which its opener closes.
func (h *house) close() {
	close(h.closed)
	h.done.Wait()
	h.feed.Close()
	h.live.Load().close()
}

// generationID names a state of the config by its content, so that it is the same on every
// replica and after every restart. Secrets are not part of it.
func generationID(cfg *config.Config, origins *sources.Sources) (string, error) {
	b, err := json.Marshal(struct {
		Attributes, Enrichers, Channels, Locales, Markets, Components, Compositions, Kinds, Readings any
	}{cfg.Attributes, cfg.Enrichers, cfg.Channels, cfg.Locales, cfg.Markets, cfg.ComponentTypes, cfg.CompositionTypes, origins.Kinds(), origins.Readings()})
	if err != nil {
		return "", tutti.Errorf(tutti.Internal, "naming the generation: %w", err)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9]), nil
}

func tokenVerifier(cfg *config.Config) (*graph.TokenVerifier, error) {
	v := cfg.Visitors
	if v.JWKS == "" && v.Secret.IsZero() {
		return nil, nil
	}
	return graph.NewTokenVerifier(graph.TokenConfig{
		Issuer: v.Issuer, Audience: v.Audience, Secret: v.Secret, JWKS: v.JWKS, Leeway: v.Leeway, Client: fetch.New(fetch.Config{}).HTTP(),
	})
}

func limits(l config.Limits) graph.Limits {
	return graph.Limits{
		BodyBytes: l.BodyBytes, DocumentBytes: l.DocumentBytes, ContextBytes: l.ContextBytes, Tokens: l.Tokens, Depth: l.Depth, SameKeys: l.SameKeys,
		Selections: l.Selections, Expanded: l.Expanded, Fragments: l.Fragments, Aliases: l.Aliases, Directives: l.Directives, RootFields: l.RootFields,
		First: l.First, Cost: l.Cost, Errors: l.Errors,
	}
}

func sourceStates(g *generation) []resolvers.SourceState {
	var list []resolvers.SourceState
	for _, s := range g.sources.Health() {
		state := resolvers.SourceState{
			Name: s.Source, State: string(s.State), Calls: s.Calls, Failures: s.Failures, MedianLatency: s.MedianLatency, LastError: s.LastError, LastSuccess: s.LastSuccess, LastPoll: s.LastPoll,
		}
		if c := g.config.Source(s.Source); c != nil {
			state.Connector, state.Description = c.Connector, c.Description
		}
		list = append(list, state)
	}
	return list
}
