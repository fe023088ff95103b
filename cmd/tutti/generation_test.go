package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

func TestTheGenerationIsAnotherWhenItemsAreReadInAnotherWay(t *testing.T) {
	dir := t.TempDir()
	const tuttiYAML = `sources:
  shop: {connector: ./acme.yaml, url: "https://a.example", settings: {site: eu}, kinds: {item: {access: public}}}
`
	const manifest = `name: acme
description: A shop.
settings: {site: {description: Which of the sites.}}
kinds:
  item:
    type: Record
    description: A thing.
    get: {path: "/items/${id}"}
    map: {title: record.name}
`
	id := func(tuttiYAML, manifest string) string {
		t.Helper()
		write(t, filepath.Join(dir, "tutti.yaml"), tuttiYAML)
		write(t, filepath.Join(dir, "acme.yaml"), manifest)
		cfg, err := config.Load(filepath.Join(dir, "tutti.yaml"), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		origins, err := openSources(cfg, sources.Deps{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer origins.Close()
		id, err := generationID(cfg, origins)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := id(tuttiYAML, manifest)
	if id(tuttiYAML, strings.Replace(manifest, "record.name", "record.title", 1)) == first {
		t.Error("another mapping has the same generation")
	}
	if id(strings.Replace(tuttiYAML, "site: eu", "site: us", 1), manifest) == first {
		t.Error("another setting has the same generation")
	}
	if id(strings.Replace(tuttiYAML, "a.example", "b.example", 1), manifest) != first {
		t.Error("another address of the same system has another generation")
	}
}

func TestAConfigThatIsNotTakenHidesNoPublication(t *testing.T) {
	p := play(t)
	h := p.server.house
	broken := *h.live.Load().config
	broken.Visitors.Issuer = "" // found out only after what is published has been read
	h.mu.Lock()                 // as reload does
	defer h.mu.Unlock()
	live := h.live.Load()
	live.changed-- // somebody else has just published
	before := live.changed
	if _, _, err := h.build(t.Context(), &broken); err == nil {
		t.Fatal("a config without an issuer is taken")
	}
	if h.live.Load().changed != before {
		t.Error("what is published counts as read, but only the generation that was thrown away read it")
	}
}

// TestWhatIsToldCountsInEveryGeneration: while another config is taken, requests are answered by
// two generations. A change is acknowledged by one of them, and neither calls older content fresh.
func TestWhatIsToldCountsInEveryGeneration(t *testing.T) {
	t.Parallel()
	p := play(t)
	played := p.server.house
	cfg := *played.live.Load().config
	h, err := openHouse(t.Context(), &cfg, played.store, played.dir, played.log)
	if err != nil {
		t.Fatal(err)
	}
	close(h.closed) // nobody follows the outbox: it would tell all generations too, a moment later
	h.done.Wait()
	other, _, err := h.build(t.Context(), &cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.open = append(h.open, other)
	t.Cleanup(func() {
		h.feed.Close()
		other.close()
		h.live.Load().close()
	})
	hotel := tutti.Ref{Source: "stay", Kind: "hotel", ID: "azul"}
	cached := func() (all []bool) {
		for _, g := range h.open {
			all = append(all, g.sources.Get(t.Context(), []tutti.Ref{hotel}, tutti.Scope{})[0].Cached)
		}
		return all
	}
	mutate := func(mutation string) func() {
		return func() {
			r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query": `+strconv.Quote(mutation)+`}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+p.key(tutti.ManagementKey))
			w := httptest.NewRecorder()
			h.handler().ServeHTTP(w, r)
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"errors"`) {
				t.Errorf("%s: %d %s", mutation, w.Code, w.Body)
			}
		}
	}
	for name, tell := range map[string]func(){
		"a webhook": func() {
			if first, err := h.seen(t.Context(), "stay", "event-1", other.sources.Outward(hotel.Tag()), 0); err != nil || !first {
				t.Errorf("noting it: %v, %v", first, err)
			}
		},
		"invalidate": mutate(`mutation { invalidate(refs: ["stay:hotel/azul"]) { mode } }`),
		"purge":      mutate(`mutation { invalidate(kind: "stay:hotel", mode: PURGE) { mode } }`),
	} {
		cached()
		if got := cached(); !slices.Equal(got, []bool{true, true}) {
			t.Errorf("before %s, from memory come %v", name, got)
		}
		tell()
		if got := cached(); !slices.Equal(got, []bool{false, false}) {
			t.Errorf("after %s, from memory come %v", name, got)
		}
	}
	cached()
	if _, err := h.seen(t.Context(), "stay", "event-1", other.sources.Outward(hotel.Tag()), 0); err != nil {
		t.Error(err)
	}
	if got := cached(); !slices.Equal(got, []bool{true, true}) {
		t.Errorf("a webhook that comes again has an effect: from memory come %v", got)
	}
}

// TestPlansOutliveAReload: what is made for many goes on with the generation that it began with,
// and this is told and kept up to date as long.
func TestPlansOutliveAReload(t *testing.T) {
	t.Parallel()
	p := play(t)
	h := p.server.house
	old, _, err := h.build(t.Context(), h.live.Load().config)
	if err != nil {
		t.Fatal(err)
	}
	h.opening.Lock()
	h.open = append(h.open, old)
	h.opening.Unlock()
	isOpen := func() bool {
		h.opening.Lock()
		defer h.opening.Unlock()
		return slices.Contains(h.open, old)
	}
	asked := 0
	h.retire(old, func() bool {
		if asked++; !isOpen() {
			t.Error("it was retired while it was busy")
		}
		return asked < 3
	}, time.Nanosecond)
	if asked != 3 || isOpen() {
		t.Errorf("after %d looks it is open: %v", asked, isOpen())
	}
}
