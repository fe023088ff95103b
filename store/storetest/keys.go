package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func key(id string) tutti.Key {
	hash := sha256.Sum256([]byte(id))
	return tutti.Key{ID: id, Name: "App", Class: tutti.BrowserKey, Hash: hash[:], Origins: []string{"https://a.example", "*"}, CreatedAt: noon}
}

func testKeys(t *testing.T, database Database) {
	ctx := context.Background()

	t.Run("gives back what was added", func(t *testing.T) {
		s := start(t, database)
		keys, err := s.Keys(ctx)
		noError(t, err)
		equal(t, "none", keys, []tutti.Key{})
		_, err = s.KeyByHash(ctx, key("k1").Hash)
		wantCode(t, err, tutti.NotFound)

		second := key("k2")
		second.Origins, second.Class, second.CreatedAt = nil, tutti.ServerKey, noon.Add(-time.Hour)
		second.ExpiresAt, second.UsedAt = noon.Add(time.Hour), noon
		noError(t, s.AddKey(ctx, key("k1")))
		noError(t, s.AddKey(ctx, second))

		want1, want2 := key("k1"), second
		want1.CreatedAt = after(0)
		want2.Origins, want2.CreatedAt, want2.ExpiresAt, want2.UsedAt = []string{}, after(-60), after(60), after(0).Truncate(time.Hour)
		keys, err = s.Keys(ctx)
		noError(t, err)
		equal(t, "oldest first", keys, []tutti.Key{want2, want1})
		got, err := s.KeyByHash(ctx, want1.Hash)
		noError(t, err)
		equal(t, "by hash", got, want1)
	})
	t.Run("refuses one that is there, or that nobody could use", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.AddKey(ctx, key("k1")))
		sameID, sameHash := key("k1"), key("k1")
		sameID.Hash, sameHash.ID = key("k2").Hash, "k2"
		wantCode(t, s.AddKey(ctx, sameID), tutti.Conflict)
		wantCode(t, s.AddKey(ctx, sameHash), tutti.Conflict)
		noHash, noID, noTime := key("k3"), key("k3"), key("k3")
		noHash.Hash, noID.ID, noTime.CreatedAt = nil, "", time.Time{}
		for _, k := range []tutti.Key{noHash, noID, noTime} {
			wantCode(t, s.AddKey(ctx, k), tutti.Invalid)
		}
	})
	t.Run("stays revoked from the first time", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.AddKey(ctx, key("k1")))
		noError(t, s.RevokeKey(ctx, "k1", after(1)))
		noError(t, s.RevokeKey(ctx, "k1", after(2)))
		k, err := s.KeyByHash(ctx, key("k1").Hash)
		noError(t, err)
		equal(t, "revoked", k.RevokedAt, after(1))
		wantCode(t, s.RevokeKey(ctx, "nobody", after(1)), tutti.NotFound)
	})
	t.Run("ends at once although its end was planned for later", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.AddKey(ctx, key("k1")))
		noError(t, s.RevokeKey(ctx, "k1", after(5)))
		noError(t, s.RevokeKey(ctx, "k1", after(2)))
		k, err := s.KeyByHash(ctx, key("k1").Hash)
		noError(t, err)
		equal(t, "revoked", k.RevokedAt, after(2))
	})
	t.Run("notes its use to the hour, never earlier", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.AddKey(ctx, key("k1")))
		used := func() time.Time {
			k, err := s.KeyByHash(ctx, key("k1").Hash)
			noError(t, err)
			return k.UsedAt
		}
		equal(t, "never", used(), time.Time{})
		noError(t, s.TouchKey(ctx, "k1", noon.Add(70*time.Minute)))
		hour := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		equal(t, "first", used(), hour)
		noError(t, s.TouchKey(ctx, "k1", noon))
		equal(t, "earlier", used(), hour)
		noError(t, s.TouchKey(ctx, "k1", noon.Add(130*time.Minute)))
		equal(t, "later", used(), hour.Add(time.Hour))
		noError(t, s.TouchKey(ctx, "nobody", noon))
	})
	t.Run("the deployment secret is made once, whoever asks first", func(t *testing.T) {
		open := database(t)
		stores := []interface {
			DeploymentSecret(ctx context.Context) ([]byte, error)
		}{openOne(t, open), openOne(t, open)}
		secrets := make([][]byte, 20)
		var wg sync.WaitGroup
		for i := range secrets {
			wg.Go(func() {
				var err error
				if secrets[i], err = stores[i%2].DeploymentSecret(ctx); err != nil {
					t.Errorf("reading the secret: %v", err)
				}
			})
		}
		wg.Wait()
		for _, secret := range secrets {
			if len(secret) != 32 || !bytes.Equal(secret, secrets[0]) || bytes.Equal(secret, make([]byte, 32)) {
				t.Fatal("the secrets differ, or are no 32 random bytes")
			}
		}
		other, err := start(t, database).DeploymentSecret(ctx)
		noError(t, err)
		if bytes.Equal(other, secrets[0]) {
			t.Fatal("two deployments have one secret")
		}
	})
}
