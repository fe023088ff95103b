package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/resolvers"
	"github.com/tuttihq/tutti/sources"
)

// replica is one server, without its store: from the text of an operation to the bytes of the
// answer. Safe for concurrent use.
type replica struct {
	t       testing.TB
	sources *sources.Sources
	library *engine.Library
	server  *graph.Server
	gen     *graph.Generation
	kept    *graph.Kept
	keys    keyring
}

// replicaConfig is what a replica is made of.
type replicaConfig struct {
	config  *config.Config
	dir     string // where relative manifest paths start
	secret  []byte // the deployment's
	now     func() time.Time
	origins func() time.Time // the clock of the sources; nil = now
	kept    int64            // bytes for ready answers; 0 = none are kept
	waits   bool             // to keep something until it is asked for again, as servers do
	keys    keyring
	store   resolvers.Store
}

func openReplica(t testing.TB, c replicaConfig) *replica {
	t.Helper()
	if c.origins == nil {
		c.origins = c.now
	}
	r := &replica{t: t, keys: c.keys}
	var err error
	if r.sources, err = sources.Open(c.config.Sources, sources.Deps{Cache: c.config.CacheBytes, Now: c.origins, Dir: c.dir, Secret: c.secret}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sources.Close)
	r.furnish(c, "one", nil)
	t.Cleanup(func() {
		if r.kept != nil {
			r.kept.Close()
		}
	})
	return r
}

// furnish makes what stands on the sources, as another generation of the same config.
func (r *replica) furnish(c replicaConfig, generation string, docs []engine.Doc) {
	visitors := map[string]string{}
	for _, s := range c.config.Sources {
		if s.Visitor != "" {
			visitors[s.Name] = s.Visitor
		}
	}
	e, err := engine.New(engine.Config{
		Attributes: c.config.Attributes, Enrichers: c.config.Enrichers, Channels: c.config.Channels, Locales: c.config.Locales, Markets: c.config.Markets,
		ComponentTypes: c.config.ComponentTypes, CompositionTypes: c.config.CompositionTypes, SourceVisitors: visitors, Secret: c.secret, Generation: generation,
		Budgets: engine.Budgets{Page: time.Minute, Wave: time.Minute, Learn: time.Minute}, // a slow machine must not change an answer
	}, r.sources)
	if err != nil {
		r.t.Fatal(err)
	}
	library := engine.NewLibrary(e)
	for _, p := range library.Load(docs, time.Time{}) {
		r.t.Fatalf("%s %s is left out: %s", p.Kind, p.Name, p.Problem.String())
	}
	r.library = library
	old := r.kept
	if c.kept > 0 {
		if r.kept = graph.NewKept(c.kept, r.sources, c.now); !c.waits {
			r.kept.AtOnce()
		}
	}
	verifier, err := graph.NewTokenVerifier(graph.TokenConfig{Issuer: c.config.Visitors.Issuer, Audience: c.config.Visitors.Audience, Secret: c.config.Visitors.Secret, Leeway: time.Minute, Now: c.now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.gen, err = graph.NewGeneration(graph.GenerationConfig{
		ID: generation, ComponentTypes: c.config.ComponentTypes, Attributes: c.config.Attributes, Visitors: verifier,
		Limits: graph.Limits{Aliases: 1000, Directives: 1000, Cost: 1 << 40, SameKeys: 1000, SamePlace: 1 << 20, Expanded: 1 << 20, Depth: 50, Selections: 1 << 16},
		Resolvers: resolvers.New(resolvers.Deps{
			Engine: e, Library: r.library, Sources: r.sources, Store: c.store, Attributes: c.config.Attributes, Channels: c.config.Channels, Locales: c.config.Locales,
			ComponentTypes: c.config.ComponentTypes, CompositionTypes: c.config.CompositionTypes, Kept: r.kept, Now: c.now,
		}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if r.server == nil {
		r.server = graph.NewServer(graph.ServerConfig{Keys: c.keys, Now: c.now, Timeout: time.Minute}, r.gen)
	} else {
		r.server.Swap(r.gen)
	}
	if old != nil {
		old.Close()
	}
}

// reload takes another config with the same sources, with documents that are published.
func (r *replica) reload(c replicaConfig, generation string, docs []engine.Doc) {
	r.furnish(c, generation, docs)
}

// load publishes documents.
func (r *replica) load(docs []engine.Doc) {
	r.t.Helper()
	for _, p := range r.library.Load(docs, time.Time{}) {
		r.t.Fatalf("%s %s is left out: %s", p.Kind, p.Name, p.Problem.String())
	}
}

// request is one operation with who asks.
type request struct {
	class     tutti.KeyClass
	token     string // of a visitor; "" = none
	query     string
	operation string
	variables map[string]any
}

// ask gives the whole body of the answer.
func (r *replica) ask(q request) []byte {
	body, err := json.Marshal(map[string]any{"query": q.query, "operationName": q.operation, "variables": q.variables})
	if err != nil {
		panic(err)
	}
	h := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	h.Header.Set("Authorization", "Bearer "+r.keys[q.class])
	h.Header.Set("Content-Type", "application/json")
	h.Header.Set("Accept", "application/graphql-response+json")
	h.Header.Set("X-Request-Id", "test-0123456789")
	if q.token != "" {
		h.Header.Set("Tutti-Visitor", q.token)
	}
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, h)
	return w.Body.Bytes()
}

// keyring holds a key of each class, as plain text.
type keyring map[tutti.KeyClass]string

var keysOf sync.Map // plain text → tutti.Key

func newKeyring(now time.Time) keyring {
	k := keyring{}
	for _, class := range tutti.KeyClasses {
		plain, key := graph.NewKey(class, string(class), nil, now, time.Time{})
		k[class] = plain
		keysOf.Store(plain, key)
	}
	return k
}

// Keys implements graph.KeyStore.
func (k keyring) Keys(context.Context) ([]tutti.Key, error) {
	var list []tutti.Key
	for _, plain := range k {
		key, _ := keysOf.Load(plain)
		list = append(list, key.(tutti.Key))
	}
	return list, nil
}

// TouchKey implements graph.KeyStore.
func (keyring) TouchKey(context.Context, string, time.Time) error { return nil }

// documents reads a folder as what is published.
func documents(t testing.TB, kind tutti.DocumentKind, dir string) []engine.Doc {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in %s: %v", dir, err)
	}
	var docs []engine.Doc
	for _, file := range files {
		d, err := config.ReadDocument(kind, file)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, engine.Doc{Kind: kind, Name: strings.TrimSuffix(filepath.Base(file), ".yaml"), Version: 1, Body: d.Body})
	}
	return docs
}

// visitorToken proves a visitor.
func visitorToken(t testing.TB, v config.Visitors, now time.Time, visitor string, claims map[string]any) string {
	t.Helper()
	all := jwt.MapClaims{"sub": visitor, "iss": v.Issuer, "aud": v.Audience, "iat": now.Unix(), "exp": now.Add(30 * 24 * time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, all).SignedString([]byte(v.Secret.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// noStore has no drafts.
type noStore struct{ resolvers.Store }

func (noStore) Draft(context.Context, tutti.DocumentKind, string) (tutti.Draft, error) {
	return tutti.Draft{}, errors.Join(tutti.NotFound)
}
