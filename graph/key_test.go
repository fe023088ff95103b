package graph

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	for _, class := range tutti.KeyClasses {
		plain, key := NewKey(class, "n", nil, noon, noon.Add(time.Hour))
		if !regexp.MustCompile(`^tutti_`+string(class)+`_[A-Za-z0-9_-]{43}$`).MatchString(plain) || !keyShaped(plain) {
			t.Errorf("shape of %s", plain)
		}
		if seen[plain] || seen[key.ID] || len(key.Hash) != 32 || bytes.Contains(key.Hash, []byte(plain)) || !key.Valid(noon) || key.Valid(noon.Add(time.Hour)) {
			t.Errorf("key %+v", key)
		}
		seen[plain], seen[key.ID] = true, true
	}
}

func TestWrongKeysAreAllTheSame(t *testing.T) {
	h := newHouse(t)
	h.clock = noon.Add(time.Minute)
	expired := h.store.add(NewKey(tutti.ServerKey, "expired", nil, noon, noon.Add(time.Second)))
	revoked := h.store.add(NewKey(tutti.ServerKey, "revoked", nil, noon, time.Time{}))
	h.store.change("revoked", func(k *tutti.Key) { k.RevokedAt = noon })
	unknown, _ := NewKey(tutti.ServerKey, "unknown", nil, noon, time.Time{})
	good := h.keys[tutti.ServerKey]
	var texts []string
	for name, header := range map[string]string{
		"none": "", "expired": "Bearer " + expired, "revoked": "Bearer " + revoked, "unknown": "Bearer " + unknown, "empty": "Bearer ",
		"another scheme": "Basic " + good, "cut": "Bearer " + good[:len(good)-1], "another class": "Bearer " + strings.Replace(good, "server", "management", 1),
	} {
		a := h.send("POST", "/graphql", "", `{"query":"{ locales }"}`, "Authorization", header, RequestIDHeader, "the-same-request")
		h.wantCode(a, 401, tutti.Unauthenticated)
		if a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
		texts = append(texts, a.body)
	}
	for _, s := range texts {
		if s != texts[0] {
			t.Errorf("answers differ: %s and %s", texts[0], s)
		}
	}
	if h.resolver.calls != 0 {
		t.Error("a resolver was called")
	}
	if a := h.send("POST", "/graphql?key="+good, "", `{"query":"{ locales }"}`); a.status != 401 {
		t.Errorf("a key in the address: %d", a.status)
	}
	if strings.Contains(h.log.String(), good[20:]) {
		t.Error("a key stands in the log")
	}
}

func TestRevocationCounts(t *testing.T) {
	for name, c := range map[string]struct {
		after      time.Duration
		invalidate bool
	}{"within five seconds": {5 * time.Second, false}, "at once when told": {0, true}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			if a := h.ask(tutti.ServerKey, "{ locales }", nil); a.status != 200 {
				t.Fatal(a.body)
			}
			h.store.change("the server key", func(k *tutti.Key) { k.RevokedAt = noon })
			h.clock = h.clock.Add(c.after)
			if c.invalidate {
				h.server.Invalidate()
			}
			h.wantCode(h.ask(tutti.ServerKey, "{ locales }", nil), 401, tutti.Unauthenticated)
		})
	}
}

func TestInvalidateDuringALoad(t *testing.T) {
	h := newHouse(t)
	h.store.during = func() { // the copy is made, the key still in it
		h.store.change("the server key", func(k *tutti.Key) { k.RevokedAt = noon })
		h.server.Invalidate()
	}
	_ = h.ask(tutti.ServerKey, "{ locales }", nil) // came before the revocation was told: either way
	h.wantCode(h.ask(tutti.ServerKey, "{ locales }", nil), 401, tutti.Unauthenticated)
}

func TestMadeUpKeysCostTheStoreNothing(t *testing.T) {
	h := newHouse(t)
	for range 50 {
		unknown, _ := NewKey(tutti.ServerKey, "x", nil, noon, time.Time{})
		h.wantCode(h.send("POST", "/graphql", unknown, `{"query":"{ locales }"}`), 401, tutti.Unauthenticated)
	}
	if h.store.loads != 1 {
		t.Errorf("the store was asked %d times", h.store.loads)
	}
}

func TestKeysWhileTheStoreIsGone(t *testing.T) {
	h := newHouse(t)
	h.store.err = errors.New("dial tcp 10.0.0.7: connection refused")
	a := h.ask(tutti.ServerKey, "{ locales }", nil)
	h.wantCode(a, 503, tutti.Internal)
	if strings.Contains(a.body, "10.0.0.7") {
		t.Errorf("the address of the database shows: %s", a.body)
	}
	h.store.err = nil
	if a := h.ask(tutti.ServerKey, "{ locales }", nil); a.status != 200 {
		t.Fatal(a.body)
	}
	h.store.err = errors.New("gone again")
	h.clock = h.clock.Add(time.Minute)
	if a := h.ask(tutti.ServerKey, "{ locales }", nil); a.status != 200 {
		t.Errorf("known keys do not count while the store is gone: %s", a.body)
	}
}

func TestUseIsNotedOnceAnHour(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.ask(tutti.ServerKey, "{ locales }", nil)
	}
	if len(h.store.touches) != 1 {
		t.Errorf("noted %d times", len(h.store.touches))
	}
	h.clock = h.clock.Add(time.Hour)
	h.ask(tutti.ServerKey, "{ locales }", nil)
	if len(h.store.touches) != 2 {
		t.Errorf("noted %d times after an hour", len(h.store.touches))
	}
}
