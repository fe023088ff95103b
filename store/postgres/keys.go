package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// AddKey is promised at store.Store.
func (s *Store) AddKey(ctx context.Context, k tutti.Key) error {
	if err := store.CheckKey(k); err != nil {
		return err
	}
	return s.change(ctx, "adding a key", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO keys (id, name, class, hash, origins, created_at, expires_at, revoked_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			k.ID, k.Name, k.Class, k.Hash, store.Strings(k.Origins), store.Time(k.CreatedAt),
			when(store.Time(k.ExpiresAt)), when(store.Time(k.RevokedAt)), when(store.Hour(k.UsedAt)))
		if exists(err) {
			return store.KeyExists(err)
		}
		if err != nil {
			return err
		}
		return s.count(ctx, tx)
	})
}

// Keys is promised at store.Store.
func (s *Store) Keys(ctx context.Context) ([]tutti.Key, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+keyColumns+" FROM keys ORDER BY created_at, id")
	if err != nil {
		return nil, fail("reading keys", err)
	}
	defer rows.Close()
	keys := []tutti.Key{}
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fail("reading keys", err)
		}
		keys = append(keys, k)
	}
	return keys, fail("reading keys", rows.Err())
}

// KeyByHash is promised at store.Store.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (tutti.Key, error) {
	k, err := scanKey(s.pool.QueryRow(ctx, "SELECT "+keyColumns+" FROM keys WHERE hash = $1", hash))
	if errors.Is(err, pgx.ErrNoRows) {
		return tutti.Key{}, store.NoKey()
	}
	return k, fail("reading a key", err)
}

const keyColumns = "id, name, class, hash, origins, created_at, expires_at, revoked_at, used_at"

func scanKey(row interface{ Scan(to ...any) error }) (tutti.Key, error) {
	var k tutti.Key
	var origins string
	err := row.Scan(&k.ID, &k.Name, &k.Class, &k.Hash, &origins, at{&k.CreatedAt}, at{&k.ExpiresAt}, at{&k.RevokedAt}, at{&k.UsedAt})
	if err != nil {
		return tutti.Key{}, err
	}
	k.Origins, err = store.ParseStrings(origins)
	return k, err
}

// RevokeKey is promised at store.Store.
func (s *Store) RevokeKey(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, "revoking a key", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE keys SET revoked_at = LEAST(revoked_at, $1) WHERE id = $2", when(store.Time(now)), id)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return store.NoKey()
		}
		return s.count(ctx, tx)
	})
}

// TouchKey is promised at store.Store.
func (s *Store) TouchKey(ctx context.Context, id string, now time.Time) error {
	_, err := s.pool.Exec(ctx, "UPDATE keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)", id, when(store.Hour(now)))
	return fail("noting the use of a key", err)
}
