package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store/open"
	"github.com/tuttihq/tutti/store/storetest"
)

// replicas are two houses on one Postgres, over the same played origins. Webhooks go to the first.
type replicas struct {
	t          *testing.T
	database   string
	one, other *played
	third      func() *played // joins them later
}

func playReplicas(t *testing.T) *replicas {
	t.Helper()
	origins, err := demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origins.Close)
	r := &replicas{t: t, database: storetest.Postgres(t)}
	content := filepath.Join(t.TempDir(), "demo")
	if err := writeFiles(demo.Files(), content); err != nil {
		t.Fatal(err)
	}
	secret := tutti.NewSecret(randomText())
	cfg, err := config.Load(filepath.Join(content, "tutti.yaml"), demoEnvironment(origins, secret))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seed(t.Context(), r.database, content)
	if err != nil {
		t.Fatal(err)
	}
	r.third = func() *played { return r.join(cfg, content, origins, keys, secret) }
	r.one, r.other = r.third(), r.third()
	for _, name := range origins.Names() {
		origins.SetHook(name, r.one.server.address()+"/webhooks/"+name)
	}
	return r
}

// join starts a replica, and ends it with the test.
func (r *replicas) join(cfg *config.Config, content string, origins *demo.Origins, keys map[tutti.KeyClass]string, secret tutti.Secret) *played {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	s, err := start(ctx, cfg, "127.0.0.1:0", r.database, content, slog.New(slog.DiscardHandler))
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	p := &played{t: r.t, client: &http.Client{}, log: &journal{}, playing: &playing{origins: origins, server: s}}
	ended := make(chan error, 1)
	go func() { ended <- s.wait(ctx) }()
	r.t.Cleanup(func() {
		p.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("a replica ended with %v", err)
		}
	})
	if p.told, err = new(demoCommand).told(s.address(), "", keys, origins, cfg, secret); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// until asks again and again, for a minute at most.
func (r *replicas) until(what string, is func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute) // so that it fails before the whole suite does
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			r.t.Fatalf("never: %s", what)
		}
	}
}

func (p *played) says(query, words string) bool {
	p.t.Helper()
	return strings.Contains(p.ask(p.key(tutti.ManagementKey), "", query, nil).Raw, words)
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	r := playReplicas(t)
	both := []*played{r.one, r.other}
	const hotel = `{ resource(ref: "stay:hotel/azul") { title freshness { state } } }`

	t.Run("a webhook to one is heard by the other", func(t *testing.T) {
		for _, p := range both {
			if !p.says(hotel, "Hotel Azul") {
				t.Fatal("the hotel is not there")
			}
		}
		r.one.change("stay", "hotel", "azul", map[string]any{"name": "Hotel Nuevo"})
		if !r.one.says(hotel, "Hotel Nuevo") {
			t.Error("who took the webhook still shows the old name")
		}
		r.until("the other shows the new name", func() bool { return r.other.says(hotel, "Hotel Nuevo") })
	})
	t.Run("one about a visitor's item is heard too, and the database does not hold its id", func(t *testing.T) {
		const stay = `{ resource(ref: "stay:reservation/R-1007") { fields } }`
		token := r.other.token("guest-7")
		room := func() string { return r.other.ask(r.other.key(tutti.ManagementKey), token, stay, nil).Raw }
		before := room()
		if !strings.Contains(before, `"412"`) {
			t.Fatalf("the reservation is not there: %s", before)
		}
		r.one.change("stay", "reservation", "R-1007", map[string]any{"room": "canary-7"})
		r.until("the other shows the new room", func() bool { return strings.Contains(room(), "canary-7") })
		if strings.Contains(before, "canary-7") {
			t.Error("it was there before")
		}
		if rows := r.outbox(); strings.Contains(rows, "R-1007") || !strings.Contains(rows, "stay:reservation/~") {
			t.Errorf("the outbox holds %s", rows)
		}
	})
	t.Run("one that comes fifty times at once, to both, counts once", func(t *testing.T) {
		const body = `{"event":"hotel.updated","ids":["azul"],"at":"fifty"}`
		ts := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(r.one.origins.Secrets("stay")["webhook_secret"]))
		mac.Write([]byte(ts + "." + body))
		header := http.Header{"X-Hook-Timestamp": {ts}, "X-Hook-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
		before := strings.Count(r.outbox(), "stay:hotel/azul")
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if a := both[i%2].send(http.MethodPost, "/webhooks/stay", header, []byte(body)); a.Status != http.StatusAccepted {
					t.Errorf("it is answered %d %s", a.Status, a.Raw)
				}
			})
		}
		wg.Wait()
		if n := strings.Count(r.outbox(), "stay:hotel/azul") - before; n != 1 {
			t.Errorf("it is told %d times, want once", n)
		}
	})
	t.Run("what is published on one is published on the other", func(t *testing.T) {
		r.one.publish("fresh", object(t, `{"type": "page", "title": {"en": "A fresh page"}, "slots": []}`))
		const page = `{ experience(composition: "fresh", channel: "web") { title } }`
		if !r.one.says(page, "A fresh page") {
			t.Error("who published it does not show it")
		}
		r.until("the other shows the page", func() bool { return r.other.says(page, "A fresh page") })
	})
	t.Run("ids and cursors of one are good on the other", func(t *testing.T) {
		const list = `{ search(source: "catalog", kind: "product", first: 2) { nodes { id ref } pageInfo { endCursor } } }`
		var lists [2]struct {
			Search struct {
				Nodes    []struct{ ID, Ref string }
				PageInfo struct{ EndCursor string }
			}
		}
		for i, p := range both {
			p.ask(p.key(tutti.ServerKey), "", list, nil).into(t, &lists[i])
		}
		if lists[0].Search.Nodes[1].ID != lists[1].Search.Nodes[1].ID {
			t.Error("the ids differ")
		}
		var next [2]string
		for i, p := range both {
			next[i] = p.ask(p.key(tutti.ServerKey), "", `query($c: String!) { more(cursor: $c, first: 2) { nodes { id ref } } }`, map[string]any{"c": lists[1-i].Search.PageInfo.EndCursor}).Raw
		}
		if next[0] != next[1] || !strings.Contains(next[0], "catalog:product/") {
			t.Errorf("the next pages are %v", next)
		}
	})
	t.Run("a revoked key is refused by both", func(t *testing.T) {
		st, err := open.Store(t.Context(), r.database)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		keys, err := st.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if k.Class == tutti.ServerKey {
				if err := st.RevokeKey(t.Context(), k.ID, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, p := range both {
			r.until("the key is refused", func() bool {
				return p.ask(p.key(tutti.ServerKey), "", `{ channels { name } }`, nil).Status == http.StatusUnauthorized
			})
		}
	})
}

// outbox gives all tags that were told, as the database holds them.
func (r *replicas) outbox() string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "backup.jsonl")
	succeed(r.t, "backup", path, "--database", r.database)
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"table":"outbox"`) {
			rows = append(rows, line)
		}
	}
	return strings.Join(rows, "")
}
