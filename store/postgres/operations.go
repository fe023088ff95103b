package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// AddOperations is promised at store.Store.
func (s *Store) AddOperations(ctx context.Context, list []tutti.Operation) (int, error) {
	list, err := store.CheckOperations(list)
	if err != nil {
		return 0, err
	}
	added := 0
	err = s.change(ctx, "storing operations", func(tx pgx.Tx) error {
		for _, o := range list {
			done, err := tx.Exec(ctx, `
				INSERT INTO operations (id, name, body, created_by, created_at, used_at)
				VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
				o.ID, o.Name, o.Text, o.CreatedBy, store.Time(o.CreatedAt), when(store.Day(o.UsedAt)))
			if err != nil {
				return err
			}
			if done.RowsAffected() > 0 {
				added++
				continue
			}
			var there string
			if err := tx.QueryRow(ctx, "SELECT body FROM operations WHERE id = $1", o.ID).Scan(&there); err != nil {
				return err
			}
			if there != o.Text {
				return store.OtherOperation(o.ID)
			}
		}
		if added == 0 {
			return nil
		}
		return s.count(ctx, tx)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// Operations is promised at store.Store.
func (s *Store) Operations(ctx context.Context) ([]tutti.Operation, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, name, body, created_by, created_at, used_at FROM operations ORDER BY id")
	if err != nil {
		return nil, fail("reading operations", err)
	}
	defer rows.Close()
	list := []tutti.Operation{}
	for rows.Next() {
		var o tutti.Operation
		if err := rows.Scan(&o.ID, &o.Name, &o.Text, &o.CreatedBy, at{&o.CreatedAt}, at{&o.UsedAt}); err != nil {
			return nil, fail("reading operations", err)
		}
		list = append(list, o)
	}
	return list, fail("reading operations", rows.Err())
}

// RemoveOperations is promised at store.Store.
func (s *Store) RemoveOperations(ctx context.Context, ids []string) (int, error) {
	removed := 0
	err := s.change(ctx, "removing operations", func(tx pgx.Tx) error {
		for _, id := range slices.Sorted(slices.Values(ids)) {
			done, err := tx.Exec(ctx, "DELETE FROM operations WHERE id = $1", id)
			if err != nil {
				return err
			}
			removed += int(done.RowsAffected())
		}
		if removed == 0 {
			return nil
		}
		return s.count(ctx, tx)
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// TouchOperations is promised at store.Store.
func (s *Store) TouchOperations(ctx context.Context, ids []string, now time.Time) error {
	return s.change(ctx, "noting the use of operations", func(tx pgx.Tx) error {
		for _, id := range slices.Sorted(slices.Values(ids)) {
			_, err := tx.Exec(ctx, "UPDATE operations SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)", id, when(store.Day(now)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
