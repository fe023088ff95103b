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

// shop is an origin whose items have the title rN, and a clock.
type shop struct {
	t               *testing.T
	origin          *httptest.Server
	clock, revision atomic.Int64
}

func openShop(t *testing.T) *shop {
	s := &shop{t: t}
	s.clock.Store(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).UnixNano())
	s.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"records": []any{map[string]any{"id": r.URL.Query().Get("ids"), "title": fmt.Sprintf("r%d", s.revision.Load())}}})
	}))
	t.Cleanup(s.origin.Close)
	return s
}

func (s *shop) now() time.Time { return time.Unix(0, s.clock.Load()).UTC() }

// replica opens a replica with page-2 and a deployment's secret of this letter.
func (s *shop) replica(secret string) *replica {
	s.t.Helper()
	env := map[string]string{"SHOP_URL": s.origin.URL, "VISITOR_SECRET": strings.Repeat("v", 40)}
	cfg, err := config.Load("testdata/apart/tutti.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		s.t.Fatal(err)
	}
	x := openReplica(s.t, replicaConfig{
		config: cfg, dir: "testdata/apart", secret: bytes.Repeat([]byte(secret), 32), kept: cfg.AnswerBytes, keys: newKeyring(s.now()), now: s.now, store: noStore{},
	})
	x.load([]engine.Doc{{Kind: tutti.CompositionDocument, Name: "page-2", Version: 1, Body: page(2, "V1")}})
	return x
}

// lands waits until a replica has the item of page-2 fresh.
func (s *shop) lands(x *replica) {
	for got := tutti.Missing; got != tutti.Fresh; {
		got = x.sources.Get(context.Background(), []tutti.Ref{{Source: "shop", Kind: "item", ID: "2"}}, tutti.Scope{Locale: "en", Market: "eu", Currency: "EUR"})[0].Freshness.State
	}
}

// TestWhatIsReadAnewIsKeptForATenthOfASecond: an answer that was given while its item was being
// read anew is given for 100 ms, and after that the new one.
func TestWhatIsReadAnewIsKeptForATenthOfASecond(t *testing.T) {
	s := openShop(t)
	x := s.replica("s")
	want := func(when, state, title string) {
		t.Helper()
		const query = `{ experience(composition: "page-2", channel: "web") { freshness { state } slots { components { component ... on Card { title } } } } }`
		if got := string(x.ask(request{class: tutti.ServerKey, query: query})); !strings.Contains(got, `"state":"`+state+`"`) || !strings.Contains(got, `"title":"`+title+`"`) {
			t.Errorf("%s: want %s and %s in %s", when, state, title, got)
		}
	}
	want("at first", "FRESH", "r0")
	s.revision.Store(1)
	s.clock.Add(int64(time.Minute)) // fresh is 30 s
	want("when it is old", "STALE_REVALIDATING", "r0")
	s.lands(x)
	s.clock.Add(int64(100*time.Millisecond) - 1)
	want("before 100 ms are over", "STALE_REVALIDATING", "r0")
	s.clock.Add(1)
	want("after 100 ms", "FRESH", "r1")
}
