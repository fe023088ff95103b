package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// testHouse is one source over an origin that the test plays.
type testHouse struct {
	*Sources
	mu    sync.Mutex // guards asked and log
	asked []string   // request URIs
	log   strings.Builder
	reg   *prometheus.Registry
}

func (h *testHouse) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(b)
}

func (h *testHouse) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.asked)
}

const itemManifest = `
name: acme
settings: {site: {description: Which site., default: main}}
secrets: {token: {description: A token.}}
auth: {type: bearer, token: "${secrets.token}"}
kinds:
  item:
    type: Product
    id: {pattern: "[a-z0-9]+"}
    owner: owner
    batch:
      path: /items
      query: {ids: {value: "${ids}", encode: csv}}
      records: items
      total: total
      maxIds: 8
    filters:
      colour: {type: string}
    select:
      - {path: /list, query: {colour: "${filter.colour}", n: "${first}", after: "${cursor}"}, optional: [colour], records: items, total: total, paging: {type: cursor, next: next}}
      - {owner: true, path: /list, query: {owner: "${owner}"}, records: items}
    map:
      title: record.name
      price: money(record.cents, 'EUR')
      description: record.html
      link: record.url
      part: {value: record.part, as: string}
      owner: record.owner
    tags: {part: record.parts}
webhook:
  scheme: hook
  changes: [{kind: part, ids: event.parts}]
`

// play opens a manifest over an origin.
func play(t testing.TB, manifest string, kinds map[string]config.KindConfig, origin http.HandlerFunc, set ...func(*config.Source, *Deps)) *testHouse {
	t.Helper()
	h := &testHouse{reg: prometheus.NewRegistry()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked = append(h.asked, r.URL.RequestURI())
		h.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		origin(w, r)
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Source{Name: "shop", Connector: "./acme.yaml", URL: srv.URL, AllowPrivate: []string{"127.0.0.1"}, Kinds: kinds}
	c.Limits.Timeout = 10 * time.Second
	d := Deps{Dir: dir, Log: slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: h.reg}
	for _, s := range set {
		s(&c, &d)
	}
	all, err := Open([]config.Source{c}, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(all.Close)
	h.Sources = all
	return h
}

var public = map[string]config.KindConfig{"item": {Access: tutti.AccessPublic}}

func refs(ids ...string) []tutti.Ref {
	out := make([]tutti.Ref, len(ids))
	for i, id := range ids {
		out[i] = tutti.Ref{Source: "shop", Kind: "item", ID: id}
	}
	return out
}

// answer writes items with these ids.
func items(w http.ResponseWriter, total int, ids ...string) {
	rows := []map[string]any{}
	for _, id := range ids {
		rows = append(rows, map[string]any{"id": id, "name": "Item " + id, "cents": 1050, "parts": []string{"p" + id}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": rows, "total": total})
}

func asked(r *http.Request) []string { return strings.Split(r.URL.Query().Get("ids"), ",") }

func TestOneBadIDDoesNotFailItsBatch(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		ids := asked(r)
		for _, id := range ids {
			if id == "bad" {
				http.Error(w, "{}", http.StatusBadRequest)
				return
			}
		}
		items(w, len(ids), ids...)
	})
	got := h.Get(t.Context(), refs("a", "b", "c", "bad", "d", "e", "f", "g"), tutti.Scope{})
	for i, g := range got {
		if want := i != 3; (g.Resource != nil) != want {
			t.Errorf("item %d: %v, %v", i, g.Resource, g.Err)
		}
	}
	if code := tutti.CodeOf(got[3].Err); code != tutti.BadAnswer {
		t.Errorf("the bad one is %s", code)
	}
	if h.calls() != 7 { // one, and two in each of log2 8 rounds
		t.Errorf("it took %d calls: %v", h.calls(), h.asked)
	}
}

func TestASystemThatRefusesEverythingIsNotAskedForever(t *testing.T) {
	h := play(t, strings.Replace(itemManifest, "maxIds: 8", "maxIds: 64", 1), public, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "{}", http.StatusBadRequest)
	})
	var ids []string
	for i := range 64 {
		ids = append(ids, "i"+strings.Repeat("x", i))
	}
	for _, g := range h.Get(t.Context(), refs(ids...), tutti.Scope{}) {
		if tutti.CodeOf(g.Err) != tutti.BadAnswer {
			t.Fatalf("an item comes to %v", g.Err)
		}
	}
	if h.calls() > 25 {
		t.Errorf("it took %d calls", h.calls())
	}
}

func TestRowsCutOffAreNoMissingItems(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 3, "a") })
	got := h.Get(t.Context(), refs("a", "b", "c"), tutti.Scope{})
	if got[0].Resource == nil || tutti.CodeOf(got[1].Err) != tutti.BadAnswer || tutti.CodeOf(got[2].Err) != tutti.BadAnswer {
		t.Errorf("got %v, %v, %v", got[0].Err, got[1].Err, got[2].Err)
	}
	h.Get(t.Context(), refs("b"), tutti.Scope{})
	if h.calls() != 2 {
		t.Errorf("what was cut off was kept as missing: %d calls", h.calls())
	}
}

func TestIDsAreCutToTheURL(t *testing.T) {
	h := play(t, strings.Replace(itemManifest, "maxIds: 8", "maxIds: 100\n      maxUrlBytes: 100", 1), public, func(w http.ResponseWriter, r *http.Request) {
		items(w, len(asked(r)), asked(r)...)
	})
	var ids []string
	for i := range 10 {
		ids = append(ids, strings.Repeat("x", 28)+string(rune('a'+i)))
	}
	for i, g := range h.Get(t.Context(), refs(ids...), tutti.Scope{}) {
		if g.Resource == nil {
			t.Errorf("%d: %v", i, g.Err)
		}
	}
	if h.calls() != 4 { // three of 30 bytes fit into a hundred
		t.Errorf("ten ids took %d calls", h.calls())
	}
}

func TestAChangedPartForgetsWhatIsMadeOfIt(t *testing.T) {
	secret := tutti.NewSecret("s3cret")
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 2, "a", "b") },
		func(c *config.Source, _ *Deps) { c.Webhook.Secret = secret })
	h.Get(t.Context(), refs("a", "b"), tutti.Scope{})
	sel := tutti.Selection{Source: "shop", Kind: "item"}
	if _, err := h.Select(t.Context(), sel, tutti.Scope{}); err != nil {
		t.Fatal(err)
	}
	body := `{"parts": ["pa"]}`
	r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
	signHook(r.Header, secret, body, time.Now())
	w := httptest.NewRecorder()
	h.Webhook("shop").ServeHTTP(w, r)
	if w.Code != http.StatusAccepted {
		t.Fatalf("the webhook is answered %d", w.Code)
	}
	before := h.calls()
	got := h.Get(t.Context(), refs("a", "b"), tutti.Scope{})
	if got[0].Cached || !got[1].Cached || h.calls() != before+1 {
		t.Errorf("item a cached %v, item b cached %v, %d calls", got[0].Cached, got[1].Cached, h.calls()-before)
	}
	if page, _ := h.Select(t.Context(), sel, tutti.Scope{}); page.Cached {
		t.Error("the kind's selection is still kept")
	}
}

func signHook(h http.Header, secret tutti.Secret, body string, at time.Time) {
	ts := at.Unix()
	b, _ := json.Marshal(ts)
	h.Set("X-Hook-Timestamp", string(b))
	h.Set("X-Hook-Signature", "sha256="+hex.EncodeToString(hmacOf(sha256.New, secret.Reveal(), string(b)+"."+body)))
}

func TestASlowSelectionCannotUndoForget(t *testing.T) {
	under, goOn := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		name := "new"
		if asked.Add(1) == 1 { // read before the change, answered after it
			name = "old"
			close(under)
			<-goOn
		}
		_, _ = w.Write([]byte(`{"items": [{"id": "a", "name": "` + name + `"}]}`))
	})
	done := make(chan tutti.Page, 1)
	go func() {
		page, _ := h.Select(context.Background(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
		done <- page
	}()
	<-under
	h.Forget("shop:item/a")
	close(goOn)
	page := <-done
	for _, g := range append(page.Items, h.Get(t.Context(), refs("a"), tutti.Scope{})...) {
		if g.Resource == nil || g.Resource.Fields.Get("title") != "new" {
			t.Errorf("what was fetched before the change is served after it: %v, %v", g.Resource, g.Err)
		}
	}
	if len(page.Items) != 1 {
		t.Errorf("the page has %d items", len(page.Items))
	}
}

func TestNothingOfAVisitorReachesAnother(t *testing.T) {
	h := play(t, itemManifest, map[string]config.KindConfig{"item": {Access: tutti.AccessVisitor}}, func(w http.ResponseWriter, r *http.Request) {
		rows := []map[string]any{{"id": "a", "owner": "ana"}, {"id": "b", "owner": "ben"}, {"id": "c"}} // a system that does not filter
		_ = json.NewEncoder(w).Encode(map[string]any{"items": rows})
	})
	sel := tutti.Selection{Source: "shop", Kind: "item"}
	if _, err := h.Select(t.Context(), sel, tutti.Scope{}); tutti.CodeOf(err) != tutti.Forbidden || h.calls() != 0 {
		t.Errorf("without an owner: %v, %d calls", err, h.calls())
	}
	for owner, id := range map[string]string{"ana": "a", "ben": "b", "eve": ""} {
		sel.Owner = owner
		page, err := h.Select(t.Context(), sel, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		ids := ""
		for _, g := range page.Items {
			ids += g.Resource.Ref.ID
		}
		if ids != id {
			t.Errorf("%s gets %q, want %q", owner, ids, id)
		}
	}
	got := h.Get(t.Context(), refs("a"), tutti.Scope{})
	if got[0].Resource.Owner != "ana" {
		t.Errorf("the owner of a is %q", got[0].Resource.Owner)
	}
}

func TestKeysHoldNoVisitorAndOnlyDeclaredDimensions(t *testing.T) {
	sel := tutti.Selection{Source: "s", Kind: "k", Owner: "guest-7", First: 3}
	a, err := selectionKey([]byte("one"), sel, tutti.Scope{})
	b, _ := selectionKey([]byte("two"), sel, tutti.Scope{})
	if err != nil || strings.Contains(a, "guest-7") || a == b {
		t.Errorf("the key %q tells the owner, or does not depend on the secret", a)
	}
	sel.Owner = "guest-8"
	if c, _ := selectionKey([]byte("one"), sel, tutti.Scope{}); c == a {
		t.Error("two owners have one key")
	}
	k := &kind{Kind: tutti.Kind{Source: "s", Name: "k", Dimensions: []string{tutti.LocaleDimension}}}
	full := tutti.Scope{Locale: "de", Market: "eu", Currency: "EUR", Draft: true}
	if got := k.scope(full); got != (tutti.Scope{Locale: "de"}) {
		t.Errorf("the scope keeps %+v", got)
	}
	if key("a", "bc") == key("ab", "c") || key("a", "") == key("a") {
		t.Error("two lists have one key")
	}
}

// Canary: nothing of an origin's content, no id and no secret in the log, whatever goes wrong.
func TestNothingOfAnOriginIsLogged(t *testing.T) {
	const canary = "c4n4ry"
	answers := []func(w http.ResponseWriter){
		func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"items":[{"id":"` + canary + `","name":"` + canary + `","cents":"` + canary + `","parts":[{}]}]}`))
		},
		func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"items": "` + canary + `"}`)) },
		func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"` + canary)) },
		func(w http.ResponseWriter) { http.Error(w, canary, http.StatusInternalServerError) },
		func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/"+canary)
			_, _ = w.Write([]byte(canary))
		},
		func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://"+canary+"/")
			w.WriteHeader(http.StatusFound)
		},
		func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", canary)
			http.Error(w, canary, http.StatusTooManyRequests)
		},
	}
	for i, answer := range answers {
		h := play(t, itemManifest, public, func(w http.ResponseWriter, _ *http.Request) { answer(w) },
			func(c *config.Source, _ *Deps) {
				c.Secrets = map[string]tutti.Secret{"token": tutti.NewSecret(canary)}
				c.Webhook.Secret = tutti.NewSecret(canary)
			})
		g := h.Get(t.Context(), refs(canary), tutti.Scope{})[0]
		_, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", Filter: map[string]any{"colour": canary}}, tutti.Scope{})
		h.Webhook("shop").ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x?"+canary, strings.NewReader(canary)))
		h.mu.Lock()
		log := h.log.String()
		h.mu.Unlock()
		if !strings.Contains(log, "webhook refused") || strings.Contains(log, canary) {
			t.Errorf("answer %d: the log tells it:\n%s", i, log)
		}
		for _, e := range []error{g.Err, err} {
			if e != nil && strings.Contains(e.Error(), canary) {
				t.Errorf("answer %d: the error tells it: %v", i, e)
			}
		}
		if i == 0 && (g.Resource == nil || g.Resource.Fields.Get("price") != nil || !strings.Contains(log, "field=price")) {
			t.Errorf("a field that cannot be read must be missing and told by name: %v\n%s", g.Resource, log)
		}
	}
}

func TestMetricsTellCallsWithoutIDs(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 1, asked(r)...) })
	h.Get(t.Context(), refs("someitem"), tutti.Scope{})
	h.Get(t.Context(), refs("someitem"), tutti.Scope{})
	families, err := h.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range families {
		all.WriteString(f.String() + "\n")
	}
	for _, want := range []string{"tutti_source_calls_total", `"ok"`, "tutti_source_call_seconds", "tutti_source_breaker_state", "tutti_cache_events_total"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("there is no %s in the metrics", want)
		}
	}
	if strings.Contains(all.String(), "someitem") {
		t.Error("the metrics tell an id")
	}
	next, err := Open([]config.Source{h.byName["shop"].cfg}, h.deps) // a new generation takes the place of the old
	if err != nil {
		t.Fatal(err)
	}
	h.Sources.meter.close()
	if families, err = h.reg.Gather(); err != nil || len(families) == 0 {
		t.Errorf("closing the old sources took the new ones' metrics away: %v", err)
	}
	next.Close()
}

func TestAThousandReadersAreOneCall(t *testing.T) {
	goOn := make(chan struct{})
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { <-goOn; items(w, 1, asked(r)...) })
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if g := h.Get(context.Background(), refs("a"), tutti.Scope{})[0]; g.Resource == nil {
				t.Errorf("a reader gets %v", g.Err)
			}
		})
	}
	close(goOn)
	wg.Wait()
	if h.calls() != 1 {
		t.Errorf("they took %d calls", h.calls())
	}
}

func TestAChangeThatCannotBeNotedIsForgottenAllTheSame(t *testing.T) {
	secret := tutti.NewSecret("s3cret")
	noted := false
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 1, "a") }, func(c *config.Source, d *Deps) {
		c.Webhook.Secret = secret
		d.Seen = func(context.Context, string, string, []string, time.Duration) (bool, error) {
			if noted {
				return false, nil
			}
			noted = true // it is written, but the answer of the database is lost
			return false, tutti.Errorf(tutti.Internal, "committing: the connection closed")
		}
	})
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	body := `{"parts": ["pa"]}`
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusAccepted} {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
		signHook(r.Header, secret, body, time.Now())
		w := httptest.NewRecorder()
		h.Webhook("shop").ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("message %d is answered %d, want %d", i, w.Code, want)
		}
	}
	if got := h.Get(t.Context(), refs("a"), tutti.Scope{}); got[0].Cached {
		t.Error("what was fetched before an acknowledged change is served as fresh")
	}
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
