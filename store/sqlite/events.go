package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/tuttihq/tutti/store"
)

// Seen is promised at store.Store.
func (s *Store) Seen(ctx context.Context, source, eventID string, tags []string, now time.Time) (bool, error) {
	first := false
	err := s.change(ctx, "noting an event", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `
			INSERT INTO events (source, id, seen_at) VALUES (?, ?, ?) ON CONFLICT (source, id) DO NOTHING`,
			source, store.EventID(eventID), store.Time(now).UnixMicro())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		first = true
		_, err = tx.ExecContext(ctx, "INSERT INTO outbox (source, tags, created_at) VALUES (?, ?, ?)",
			source, store.Strings(tags), store.Time(now).UnixMicro())
		return err
	})
	return first && err == nil, err
}

// PruneEvents is promised at store.Store.
func (s *Store) PruneEvents(ctx context.Context, now time.Time) (int, error) {
	var n int64
	before := store.Time(now).Add(-store.EventsKept).UnixMicro()
	err := s.change(ctx, "pruning events", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE created_at < ?", before); err != nil {
			return err
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
