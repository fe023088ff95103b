package sourcetest_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/sourcetest"
)

// played says which played system a manifest speaks to and what that holds. A manifest that is
// not here fails the test, unless exceptions names it with a reason.
var played = map[string]struct {
	origin   string
	settings map[string]string
	kinds    map[string]sourcetest.Kind
	skip     map[string]string
}{
	"cloudinary": {origin: "dam", settings: map[string]string{"cloud": "demo"}, kinds: map[string]sourcetest.Kind{
		"asset": {Missing: strings.Repeat("0", 28) + "abcd", Field: "alt", Locale: "en", Change: map[string]any{"display_name": "Another name"}, Reads: field("title"), Want: "Another name"},
	}},
	"vendure": {origin: "catalog", kinds: map[string]sourcetest.Kind{
		"product": {Missing: "990001", Field: "price", Locale: "en", Record: "variant", Of: firstVariant, Change: map[string]any{"priceWithTax": 101}, Reads: field("price"), Want: tutti.Money{Amount: "1.01", Currency: "EUR"}},
		"picture": {IDs: someNumbers(140), Missing: "990001", Field: "mediaType", Locale: "en", Record: "product", Change: map[string]any{"name": "Renamed"}, Reads: field("alt"), Want: "Renamed"},
	}},
	"mastodon": {origin: "social", kinds: map[string]sourcetest.Kind{
		"post": {Missing: "115399999999990001", Field: "text", Change: map[string]any{"favourites_count": 4711}, Reads: field("likes"), Want: 4711},
	}, skip: map[string]string{"old webhooks": "Mastodon signs no time: a repetition is told by its body alone"}},
	"zendesk": {origin: "support", kinds: map[string]sourcetest.Kind{
		"ticket":  {Missing: "990001", Field: "status", Owner: "20978392", Other: "20978393", Change: map[string]any{"status": "hold"}, Reads: field("status"), Want: "hold"},
		"article": {Missing: "990001", Field: "body", Locale: "en", Change: map[string]any{"title": "Another title"}, Reads: field("title"), Want: "Another title"},
	}, skip: map[string]string{"ticket: changes": "the played help desk has no incremental export"}},
	"../../demo/manifests/stay.yaml": {origin: "stay", settings: map[string]string{"imageKind": "dam:asset"}, kinds: map[string]sourcetest.Kind{
		"hotel":       {Missing: "nowhere0001", Field: "location", Locale: "en", Change: map[string]any{"phone": "+34 1"}, Reads: field("phone"), Want: "+34 1"},
		"place":       {Missing: "nowhere0001", Field: "category", Locale: "en", Change: map[string]any{"name": "Another"}, Reads: field("title"), Want: "Another"},
		"reservation": {Missing: "R-990001", Field: "hotel", Owner: "guest-7", Other: "guest-8", Change: map[string]any{"room": "7"}, Reads: field("room"), Want: "7"},
	}},
}

// exceptions are manifests that run elsewhere or cannot run, each with the reason.
var exceptions = map[string]string{
	"directus": "e2e runs the contract suite against a real Directus",
	"rt":       "e2e runs the contract suite against a real Request Tracker",
	"s3":       "e2e/s3_test.go asks a real bucket; the recording runs the contract suite",
	"feed":     "a feed has no calls for ids, nor webhooks; sources/feed_test.go and e2e/eleventy_test.go prove it",
	"bluesky":  "e2e runs the contract suite against a real network",
	"postgres": "its queries go to a real PostgreSQL in sources/postgres",
	"rest":     "its recording runs the contract suite",
	"graphql":  "its recording runs the contract suite",
	"files":    "a folder is no server: sources/files_test.go asks one",
	"intercom": "its recording is asked, by sources/contract",
	"saleor":   "its recording is asked, by sources/contract",
	"shopify":  "its recording is asked, by sources/contract",
}

func manifests(t *testing.T) []string {
	t.Helper()
	own, err := filepath.Glob("../../demo/manifests/*.yaml")
	if err != nil || len(own) == 0 {
		t.Fatalf("finding the demo's manifests: %v", err)
	}
	return append(sources.Vendors(), own...)
}

func TestEveryManifestKeepsTheContract(t *testing.T) {
	origins, err := demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origins.Close)
	all := manifests(t)
	for name := range exceptions {
		if _, both := played[name]; both {
			t.Errorf("%s is an exception and runs all the same", name)
		}
	}
	for _, name := range all {
		if exceptions[name] != "" {
			continue
		}
		p, ok := played[name]
		if _, err := sources.ReadRecording(name, ""); !ok && err == nil {
			continue // its recording runs the contract suite
		}
		if !ok {
			t.Errorf("no system plays for the manifest %s: add it to played, or to exceptions with a reason", name)
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			sourcetest.Run(t, &sourcetest.System{
				Source: source(t, origins, p.origin, name, p.settings), Dir: ".", Kinds: p.kinds, Skip: p.skip,
				Calls: func() int { return origins.Calls(p.origin) },
				Fault: func(f sourcetest.Fault) error {
					return origins.Fault(p.origin, demo.Fault{Kind: f.Kind, Delay: f.Delay, Status: f.Status, RetryAfter: f.RetryAfter})
				},
				Heal: func() { origins.ClearFaults(p.origin) },
				Change: func(ctx context.Context, record, id string, fields map[string]any) error {
					return origins.Change(ctx, p.origin, record, id, maps.Clone(fields))
				},
				SetHook: func(url string) { origins.SetHook(p.origin, url) },
			})
		})
	}
}

// source is how a played system is configured.
func source(t *testing.T, origins *demo.Origins, origin, connector string, settings map[string]string) config.Source {
	t.Helper()
	m, err := sources.ReadManifest(connector, ".")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	given := map[string]string{}
	for name, v := range origins.Secrets(origin) {
		given[plain(name)] = v
	}
	c := config.Source{
		Name: origin, Connector: connector, URL: origins.URL(origin), Settings: maps.Clone(settings), Secrets: map[string]tutti.Secret{},
		AllowPrivate: []string{"127.0.0.1"}, Webhook: config.Webhook{Secret: tutti.NewSecret(given["webhooksecret"])},
	}
	for name := range m.Secrets {
		if v := given[plain(name)]; v != "" {
			c.Secrets[name] = tutti.NewSecret(v)
		}
	}
	return c
}

func field(name string) func(*tutti.Resource) any {
	return func(r *tutti.Resource) any { return r.Fields.Get(name) }
}

// firstVariant is the variant whose price counts.
func firstVariant(r *tutti.Resource) string {
	var rec struct {
		Variants []struct{ ID string }
	}
	_ = json.Unmarshal([]byte(r.Raw), &rec)
	return rec.Variants[0].ID
}

func someNumbers(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		b, _ := json.Marshal(i + 2)
		ids[i] = string(b)
	}
	return ids
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }
