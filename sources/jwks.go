package sources

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

const (
	keysFresh = time.Hour        // a key that the system withdraws counts no longer than this
	keysAgain = 30 * time.Second // what no known key fits leads to no more calls than one in this time
	keysLimit = 3 * time.Second
	keysBytes = 64 << 10
	mostKeys  = 20
)

// keys are what a system publishes to verify its signatures with (JWKS, RFC 7517). They are fetched when
// the first message comes, again when one is signed by none of them, and after an hour.
// Safe for concurrent use.
type keys struct {
	address string
	client  *fetch.Client
	now     func() time.Time
	known   atomic.Pointer[keySet]

	mu    sync.Mutex // one fetch at a time; guards asked
	asked time.Time  // when they were last asked for
}

type keySet struct {
	keys []jose.JSONWebKey
	read time.Time
}

// verify checks a detached JWS by RS256 over a payload (RFC 7515, appendix F; also RFC 7797).
func (k *keys) verify(ctx context.Context, text string, payload []byte) error {
	if strings.Count(text, ".") != 2 || strings.ContainsAny(text, " \t") {
		return forged("its signature has another form")
	}
	if payload == nil {
		payload = []byte{}
	}
	jws, err := jose.ParseDetached(text, payload, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(jws.Signatures) != 1 {
		return forged("its signature has another form")
	}
	id, tried := jws.Signatures[0].Protected.KeyID, (*keySet)(nil)
	for range 2 { // the system may have another key of that name by now, or of none
		var candidates []jose.JSONWebKey
		if candidates, tried, err = k.named(ctx, id, tried); err != nil {
			return err
		}
		for i := range candidates {
			if jws.DetachedVerify(payload, candidates[i].Key) == nil {
				return nil
			}
		}
	}
	return forged("its signature is wrong")
}

// named gives the keys that a signature may be made with, of another set than was tried, and their set. Unavailable when
// they cannot be fetched.
func (k *keys) named(ctx context.Context, id string, tried *keySet) ([]jose.JSONWebKey, *keySet, error) {
	set := k.known.Load()
	if found := set.named(id, k.now()); len(found) > 0 && set != tried {
		return found, set, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	set, now := k.known.Load(), k.now()
	if found := set.named(id, now); len(found) > 0 && set != tried { // somebody else fetched them meanwhile
		return found, set, nil
	}
	if !k.asked.IsZero() && now.Sub(k.asked) < keysAgain {
		if set == nil || now.Sub(set.read) >= keysFresh {
			return nil, nil, tutti.Errorf(tutti.Unavailable, "fetching the keys that webhooks are signed with: it failed a moment ago")
		}
		return nil, nil, forged("it is signed by a key that the system does not publish")
	}
	k.asked = now
	set, err := k.fetch(ctx, now)
	if err != nil {
		return nil, nil, tutti.Errorf(tutti.Unavailable, "fetching the keys that webhooks are signed with: %w", err)
	}
	k.known.Store(set)
	if found := set.named(id, now); len(found) > 0 {
		return found, set, nil
	}
	return nil, nil, forged("it is signed by a key that the system does not publish")
}

// named gives the keys of that name, or all when it is ""; none when the set is too old.
func (s *keySet) named(id string, now time.Time) []jose.JSONWebKey {
	if s == nil || now.Sub(s.read) >= keysFresh {
		return nil
	}
	if id == "" {
		return s.keys
	}
	var found []jose.JSONWebKey
	for _, key := range s.keys {
		if key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

// fetch asks the system, through the guarded client. The sender of a message cannot say where.
func (k *keys) fetch(ctx context.Context, now time.Time) (*keySet, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysLimit)
	defer cancel()
	res, err := k.client.Do(ctx, fetch.Request{URL: k.address, Header: http.Header{"Accept": {"application/json"}}, MaxBytes: keysBytes})
	if err != nil {
		return nil, err
	}
	defer res.Free()
	if res.Status != http.StatusOK {
		return nil, &Refused{Status: res.Status}
	}
	var all struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(res.Body, &all) != nil || len(all.Keys) > mostKeys {
		return nil, errors.New("the answer is no set of keys")
	}
	set := &keySet{read: now}
	for _, b := range all.Keys {
		var key jose.JSONWebKey // of a kind that we do not know: passed over
		if key.UnmarshalJSON(b) == nil && key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == "RS256") {
			set.keys = append(set.keys, key)
		}
	}
	return set, nil
}
