package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/tuttihq/tutti/store"
)

// Seen is promised at store.Store.
func (s *Store) Seen(ctx context.Context, source, eventID string, tags []string, now time.Time, sameFor time.Duration) (bool, error) {
	first := false
	err := s.change(ctx, "noting an event", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `
			INSERT INTO events (source, id, seen_at) VALUES (?, ?, ?)
			ON CONFLICT (source, id) DO UPDATE SET seen_at = excluded.seen_at WHERE events.seen_at <= ?`,
			source, store.EventID(eventID), store.Time(now).UnixMicro(), store.Time(now).Add(-sameFor).UnixMicro())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		first = true
		return s.tell(ctx, tx, store.StaleTopic, source, tags, now)
	})
	return first && err == nil, err
}

// PruneEvents is promised at store.Store.
func (s *Store) PruneEvents(ctx context.Context, now time.Time) (int, error) {
	var n int64
	before := store.Time(now).Add(-store.EventsKept).UnixMicro()
	err := s.change(ctx, "pruning events", func(tx *sql.Tx) error {
		for _, q := range []string{"DELETE FROM outbox WHERE created_at < ?", "DELETE FROM suppressions WHERE until_at < ?"} {
			if _, err := tx.ExecContext(ctx, q, before); err != nil {
				return err
			}
		}
		done, err := tx.ExecContext(ctx, "DELETE FROM events WHERE seen_at < ?", before)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	return int(n), err
}
