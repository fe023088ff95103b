package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/config"
)

// TestWhatIsReadAnewIsKeptForATenthOfASecond: an answer that was given while its item was being
// read anew is given for 100 ms, and after that the new one.
func TestWhatIsReadAnewIsKeptForATenthOfASecond(t *testing.T) {
	began := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	var clock, revision atomic.Int64
	clock.Store(began.UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"records": []any{map[string]any{"id": r.URL.Query().Get("ids"), "title": fmt.Sprintf("r%d", revision.Load())}}})
	}))
	defer origin.Close()
	env := map[string]string{"SHOP_URL": origin.URL, "VISITOR_SECRET": strings.Repeat("v", 40)}
	cfg, err := config.Load("testdata/apart/tutti.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	x := openReplica(t, replicaConfig{config: cfg, dir: "testdata/apart", secret: bytes.Repeat([]byte("s"), 32), kept: cfg.AnswerBytes, keys: newKeyring(began), now: now, store: noStore{}})
	x.load([]engine.Doc{{Kind: tutti.CompositionDocument, Name: "page-2", Version: 1, Body: page(2, 1)}})
	want := func(when, state, title string) {
		t.Helper()
		const query = `{ experience(composition: "page-2", channel: "web") { freshness { state } slots { components { component ... on Card { title } } } } }`
		if got := string(x.ask(request{class: tutti.ServerKey, query: query})); !strings.Contains(got, `"state":"`+state+`"`) || !strings.Contains(got, `"title":"`+title+`"`) {
			t.Errorf("%s: want %s and %s in %s", when, state, title, got)
		}
	}
	want("at first", "FRESH", "r0")
	revision.Store(1)
	clock.Add(int64(time.Minute)) // fresh is 30 s
	want("when it is old", "STALE_REVALIDATING", "r0")
	for got := tutti.Missing; got != tutti.Fresh; { // the new one lands
		got = x.sources.Get(context.Background(), []tutti.Ref{{Source: "shop", Kind: "item", ID: "2"}}, tutti.Scope{Locale: "en", Market: "eu", Currency: "EUR"})[0].Freshness.State
	}
	clock.Add(int64(100*time.Millisecond) - 1)
	want("before 100 ms are over", "STALE_REVALIDATING", "r0")
	clock.Add(1)
	want("after 100 ms", "FRESH", "r1")
}
