package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/tuttihq/tutti/store"
)

// Changed is promised at store.Store.
func (s *Store) Changed(ctx context.Context) (int64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, "SELECT number FROM changes WHERE id = 1").Scan(&n)
	return n, fail("reading the number of changes", err)
}

// count moves the number of Changed with the transaction, and tells it to other processes.
func (s *Store) count(ctx context.Context, tx *sql.Tx) error {
	if err := s.tell(ctx, tx, store.ChangedTopic, "", nil, time.Now()); err != nil {
		return err
	}
	return move(ctx, tx)
}

func move(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE changes SET number = number + 1 WHERE id = 1")
	return err
}

// tell writes a notice for other processes.
func (s *Store) tell(ctx context.Context, tx *sql.Tx, topic store.Topic, source string, tags []string, now time.Time) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (source, tags, created_at, topic, writer) VALUES (?, ?, ?, ?, ?)",
		source, store.Strings(tags), store.Time(now).UnixMicro(), topic, s.writer)
	return err
}
