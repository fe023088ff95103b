package sources

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// TestWhatLagsIsForgottenAgain: what was read between an event and the second forgetting is read anew.
func TestWhatLagsIsForgottenAgain(t *testing.T) {
	secret := tutti.NewSecret("s3cret")
	again, told := make(chan struct{}, 1), atomic.Int32{}
	manifest := strings.Replace(itemManifest, "  changes:", "  again: 1s\n  changes:", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 1, "a") }, func(c *config.Source, d *Deps) {
		c.Webhook.Secret = secret
		d.Seen = func(_ context.Context, _, id string, tags []string, _ time.Duration) (bool, error) {
			if told.Add(1); strings.HasPrefix(id, "again:") && slices.Contains(tags, "shop:part/pa") {
				again <- struct{}{}
			}
			return true, nil
		}
	})
	body := `{"parts": ["pa"]}`
	r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
	signHook(r.Header, secret, body, time.Now())
	h.Webhook("shop").ServeHTTP(httptest.NewRecorder(), r)
	h.Get(t.Context(), refs("a"), tutti.Scope{}) // an old copy, perhaps
	<-again
	src := h.byName["shop"]
	func() { // the second forgetting is over
		src.events.mu.Lock()
		defer src.events.mu.Unlock()
	}()
	if got := h.Get(t.Context(), refs("a"), tutti.Scope{}); got[0].Cached || told.Load() != 2 {
		t.Errorf("what was read in between is served as fresh: cached %v, %d times told", got[0].Cached, told.Load())
	}
}

// TestASenderThatHangsUpIsHeard: what it posted is noted for all processes, though nobody waits for the answer.
func TestASenderThatHangsUpIsHeard(t *testing.T) {
	secret, noted := tutti.NewSecret("s3cret"), 0
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 1, "a") }, func(c *config.Source, d *Deps) {
		c.Webhook.Secret = secret
		d.Seen = func(ctx context.Context, _, _ string, _ []string, _ time.Duration) (bool, error) {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			noted++
			return true, nil
		}
	})
	gone, leave := context.WithCancel(t.Context())
	leave()
	body := `{"parts": ["pa"]}`
	r := httptest.NewRequestWithContext(gone, http.MethodPost, "/webhooks/shop", strings.NewReader(body))
	signHook(r.Header, secret, body, time.Now())
	w := httptest.NewRecorder()
	if h.Webhook("shop").ServeHTTP(w, r); noted != 1 || w.Code != http.StatusAccepted {
		t.Errorf("it is noted %d times and answered %d", noted, w.Code)
	}
}

// TestWhatMayBeAnotherChangeIsNotLost: what comes as the same bytes soon after has its effect too, together and a little
// later, where nothing tells a repetition from another change; after that it is another one.
func TestWhatMayBeAnotherChangeIsNotLost(t *testing.T) {
	const bare = "  scheme: bearer\n"
	var now atomic.Int64
	h := play(t, strings.Replace(itemManifest, "  scheme: hook\n", bare, 1), public, func(w http.ResponseWriter, r *http.Request) { items(w, 1, "a") }, func(c *config.Source, d *Deps) {
		c.Webhook.Secret = tutti.NewSecret(ownSecret)
		d.Now = func() time.Time { return time.Unix(1_800_000_000+now.Load(), 0) }
	})
	src := h.byName["shop"]
	for _, c := range []struct {
		at    int64
		body  string
		stale bool
		waits int // how many are to be forgotten later
	}{
		{0, `{"parts": ["pa"]}`, true, 0},
		{1, `{"parts": ["pa"]}`, false, 1},
		{9, `{"parts": ["pa"]}`, false, 1},
		{9, `{"parts": ["pa", "pb"]}`, true, 1},
		{10, `{"parts": ["pa"]}`, true, 1},
	} {
		now.Store(c.at)
		h.Get(t.Context(), refs("a"), tutti.Scope{})
		r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+ownSecret)
		w := httptest.NewRecorder()
		h.Webhook("shop").ServeHTTP(w, r)
		if got := h.Get(t.Context(), refs("a"), tutti.Scope{}); w.Code != http.StatusAccepted || got[0].Cached == c.stale {
			t.Errorf("at %d s it is answered %d, and the item is from memory: %v", c.at, w.Code, got[0].Cached)
		}
		src.again.mu.Lock()
		waits := len(src.again.waiting)
		src.again.mu.Unlock()
		if waits != c.waits {
			t.Errorf("at %d s %d wait, want %d", c.at, waits, c.waits)
		}
	}
}

// TestTheSecondTimeIsBounded: each after its time, together where they fall together, everything when too much waits,
// nothing after the end.
func TestTheSecondTimeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var forgotten [][]string
		a := newAgain([]string{"shop"}, func(_ context.Context, tags []string) {
			mu.Lock()
			forgotten = append(forgotten, tags)
			mu.Unlock()
		})
		check := func(after time.Duration, want ...[]string) {
			t.Helper()
			time.Sleep(after) // of a clock that nobody waits for
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.EqualFunc(forgotten, want, slices.Equal) {
				t.Errorf("forgotten is %v, want %v", forgotten, want)
			}
			forgotten = nil
		}
		a.later(5*time.Second, "1", []string{"b", "a"})
		a.later(5*time.Second, "2", []string{"a", "c"})
		check(4 * time.Second)
		a.later(5*time.Second, "3", []string{"d"})
		check(time.Second, []string{"a", "b", "c"})
		check(3 * time.Second)
		check(time.Second, []string{"d"})
		a.later(5*time.Second, "4", nil)
		check(time.Minute)
		many := make([]string, mostPending)
		for i := range many {
			many[i] = strconv.Itoa(i)
		}
		a.later(5*time.Second, "5", many)
		a.later(5*time.Second, "6", []string{"one more"})
		check(5*time.Second, []string{"shop"})
		a.later(5*time.Second, "7", []string{"e"})
		a.close()
		a.later(5*time.Second, "8", []string{"f"})
		check(time.Minute)
	})
}
