package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti/store"
)

// Seen is promised at store.Store.
func (s *Store) Seen(ctx context.Context, source, eventID string, tags []string, now time.Time, sameFor time.Duration) (bool, error) {
	first := false
	err := s.change(ctx, "noting an event", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `
			INSERT INTO events (source, id, seen_at) VALUES ($1, $2, $3)
			ON CONFLICT (source, id) DO UPDATE SET seen_at = excluded.seen_at WHERE events.seen_at <= $4`,
			source, store.EventID(eventID), store.Time(now), store.Time(now).Add(-sameFor))
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return nil
		}
		first = true
		return s.tell(ctx, tx, store.StaleTopic, source, tags, now)
	})
	return first && err == nil, err
}

// PruneEvents is promised at store.Store.
func (s *Store) PruneEvents(ctx context.Context, now time.Time) (int, error) {
	var n int64
	before := store.Time(now).Add(-store.EventsKept)
	err := s.change(ctx, "pruning events", func(tx pgx.Tx) error {
		for _, q := range []string{"DELETE FROM outbox WHERE created_at < $1", "DELETE FROM suppressions WHERE until_at < $1"} {
			if _, err := tx.Exec(ctx, q, before); err != nil {
				return err
			}
		}
		done, err := tx.Exec(ctx, "DELETE FROM events WHERE seen_at < $1", before)
		if err != nil {
			return err
		}
		n = done.RowsAffected()
		return nil
	})
	return int(n), err
}
