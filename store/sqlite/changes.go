package sqlite

import (
	"context"
	"database/sql"
)

// Changed is promised at store.Store.
func (s *Store) Changed(ctx context.Context) (int64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, "SELECT number FROM changes WHERE id = 1").Scan(&n)
	return n, fail("reading the number of changes", err)
}

// count moves the number of Changed with the transaction.
func count(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE changes SET number = number + 1 WHERE id = 1")
	return err
}
