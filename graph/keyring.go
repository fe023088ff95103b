package graph

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

// KeyStore holds the keys.
type KeyStore interface {
	// Keys gives all keys, revoked and expired ones too.
	Keys(ctx context.Context) ([]tutti.Key, error)
	// TouchKey notes that a key was used.
	TouchKey(ctx context.Context, id string, at time.Time) error
}

const (
	keyringFresh = 4 * time.Second // with the load's time limit a revocation is seen within 5 s
	keyringFirst = 5 * time.Second // the limit of the first load, without which nobody gets in
	keyringLoad  = 400 * time.Millisecond
	keyringRetry = time.Second
)

// keyring answers from a copy of all keys, at most 5 s old, so that made-up keys cost the store
// nothing. While the store does not answer, the last copy counts: nothing can be revoked then.
type keyring struct {
	store KeyStore
	now   func() time.Time
	log   *slog.Logger

	loading sync.Mutex // one load at a time; taken before mu

	mu      sync.Mutex // guards all below
	keys    map[string]tutti.Key
	due     time.Time            // when to load again
	stale   bool                 // nobody may be answered from keys before the next load
	epoch   int                  // counts invalidations
	touched map[string]time.Time // by key id: the hour in which its use was noted last
}

func newKeyring(store KeyStore, now func() time.Time, log *slog.Logger) *keyring {
	return &keyring{store: store, now: now, log: log, stale: true, touched: map[string]time.Time{}}
}

// invalidate makes every look that begins after it see what the store has now.
func (k *keyring) invalidate() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stale = true
	k.epoch++
}

// find gives the valid key of a text. ok is false without telling why it is not; the error says
// that keys cannot be looked up at all.
func (k *keyring) find(ctx context.Context, plain string) (key tutti.Key, ok bool, err error) {
	if !keyShaped(plain) {
		return tutti.Key{}, false, nil
	}
	hash, now := hashKey(plain), k.now()
	keys, err := k.all(ctx, now)
	if err != nil {
		return tutti.Key{}, false, err
	}
	key, ok = keys[string(hash[:])]
	if !ok || subtle.ConstantTimeCompare(key.Hash, hash[:]) != 1 || !key.Valid(now) {
		return tutti.Key{}, false, nil
	}
	k.touch(ctx, key, now)
	return key, true, nil
}

// touch notes the use of a key once an hour.
func (k *keyring) touch(ctx context.Context, key tutti.Key, now time.Time) {
	hour := now.Truncate(time.Hour)
	k.mu.Lock()
	due := key.UsedAt.Before(hour) && k.touched[key.ID].Before(hour)
	if due {
		k.touched[key.ID] = hour
	}
	k.mu.Unlock()
	if !due {
		return
	}
	if err := k.store.TouchKey(context.WithoutCancel(ctx), key.ID, now); err != nil {
		k.log.WarnContext(ctx, "noting the use of a key", "key", key.ID, "err", err)
	}
}

// allows reports whether a valid key lists the origin.
func (k *keyring) allows(ctx context.Context, origin string) bool {
	now := k.now()
	keys, err := k.all(ctx, now)
	if err != nil {
		return false
	}
	for _, key := range keys {
		if key.Valid(now) && listsOrigin(key.Origins, origin) {
			return true
		}
	}
	return false
}

// all gives the copy of all keys by hash, loading it anew when it is old. While one caller
// loads, others get the former copy, unless it was invalidated: then they wait.
func (k *keyring) all(ctx context.Context, now time.Time) (map[string]tutti.Key, error) {
	k.mu.Lock()
	keys, stale, fresh := k.keys, k.stale, now.Before(k.due)
	k.mu.Unlock()
	if !stale && fresh {
		return keys, nil
	}
	if stale {
		k.loading.Lock()
	} else if !k.loading.TryLock() {
		return keys, nil
	}
	defer k.loading.Unlock()

	k.mu.Lock()
	keys, epoch := k.keys, k.epoch
	if !k.stale && now.Before(k.due) { // somebody else has just loaded
		k.mu.Unlock()
		return keys, nil
	}
	k.mu.Unlock()

	limit := keyringLoad
	if keys == nil {
		limit = keyringFirst
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	list, err := k.store.Keys(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.due = now.Add(keyringRetry)
		if k.keys != nil {
			k.stale = false
			k.log.ErrorContext(ctx, "loading keys; the former ones still count", "err", err)
			return k.keys, nil
		}
		return nil, tutti.Errorf(tutti.Internal, "loading keys: %w", err)
	}
	loaded := make(map[string]tutti.Key, len(list))
	for _, key := range list {
		loaded[string(key.Hash)] = key
	}
	k.keys, k.due = loaded, now.Add(keyringFresh)
	k.stale = epoch != k.epoch // invalidated while loading: what came may be too old for the next
	return loaded, nil
}

func listsOrigin(list []string, origin string) bool {
	for _, o := range list {
		if o == "*" || o == origin {
			return true
		}
	}
	return false
}
