package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store/storetest"
)

// quietSystem plays a system that posts no webhooks, and tells what changed since an instant.
type quietSystem struct {
	mu      sync.Mutex // guards all below
	title   string
	changed time.Time
	polls   int
}

const quietManifest = `
name: quiet
kinds:
  item:
    type: Article
    get: {path: "/items/${id}"}
    changes: {path: /changes, query: {since: "${since}"}, records: items, at: record.at}
    map: {title: record.title}
`

func (s *quietSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/changes" {
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "canary-1", "title": s.title})
		return
	}
	s.polls++
	items := []any{}
	if since, err := time.Parse(time.RFC3339, r.URL.Query().Get("since")); err == nil && !s.changed.Before(since) {
		items = append(items, map[string]any{"id": "canary-1", "at": s.changed.Format(time.RFC3339Nano)})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
}

func (s *quietSystem) change(title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.title, s.changed = title, time.Now().UTC()
}

// TestWhatOneReplicaIsToldAllHear lets a system change something of which it tells only who asks: both
// replicas show it.
func TestWhatOneReplicaIsToldAllHear(t *testing.T) {
	t.Parallel()
	system := &quietSystem{title: "The first title"}
	origin := httptest.NewServer(system)
	t.Cleanup(origin.Close)
	origins, err := demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origins.Close)
	content := filepath.Join(t.TempDir(), "demo")
	if err := writeFiles(demo.Files(), content); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(content, "quiet.yaml"), []byte(quietManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := tutti.NewSecret(randomText())
	cfg, err := config.Load(filepath.Join(content, "tutti.yaml"), demoEnvironment(origins, secret))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Sources = append(cfg.Sources, config.Source{
		Name: "quiet", Connector: "./quiet.yaml", URL: origin.URL, AllowPrivate: []string{"127.0.0.1"},
		Kinds:     map[string]config.KindConfig{"item": {Access: tutti.AccessPublic, Poll: new(20 * time.Millisecond)}},
		Freshness: config.Freshness{Fresh: time.Hour, Stale: time.Hour, StaleIfError: time.Hour},
	})
	r := &replicas{t: t, database: storetest.Postgres(t)}
	keys, err := seed(t.Context(), r.database, content)
	if err != nil {
		t.Fatal(err)
	}
	r.one, r.other = r.join(cfg, content, origins, keys, secret), r.join(cfg, content, origins, keys, secret)
	const item = `{ resource(ref: "quiet:item/canary-1") { title freshness { state } } }`
	for n := range 3 {
		title := fmt.Sprintf("Title number %d", n)
		system.change(title)
		for name, p := range map[string]*played{"one": r.one, "the other": r.other} {
			r.until(name+" shows "+title, func() bool { return p.says(item, title) })
		}
	}
	if health := `{ sources { name health { lastPoll } } }`; !r.one.says(health, `"lastPoll":"20`) && !r.one.says(health, `"lastPoll": "20`) {
		t.Error("nobody can see when it was polled")
	}
	metrics := r.one.send(http.MethodGet, "/metrics", nil, nil).Raw + r.other.send(http.MethodGet, "/metrics", nil, nil).Raw
	if !strings.Contains(metrics, `tutti_source_poll_age_seconds{kind="item",source="quiet"}`) {
		t.Error("the metrics do not tell of it")
	}
}
