package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tuttihq/tutti/store"
)

// Backup is promised at store.Store.
func (s *Store) Backup(ctx context.Context, path string) error {
	return store.WriteBackup(path, s.schema, func(put func(store.Table, []any) error) error {
		return s.dump(ctx, put)
	})
}

// dump puts every row of every table, all of one state of the database.
func (s *Store) dump(ctx context.Context, put func(store.Table, []any) error) error {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return fail("backing up", err)
	}
	defer tx.Rollback() // it only read
	for _, t := range store.Tables() {
		if err := dumpTable(ctx, tx, t, put); err != nil {
			return fail("backing up "+t.Name, err)
		}
	}
	return nil
}

func dumpTable(ctx context.Context, tx *sql.Tx, t store.Table, put func(store.Table, []any) error) error {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", t.List(), t.Name, t.Order))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, to := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for i, c := range t.Columns {
			if n, ok := values[i].(int64); ok && c.Type == store.TimeColumn {
				values[i] = time.UnixMicro(n).UTC()
			}
		}
		if err := put(t, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Import is promised at store.Store.
func (s *Store) Import(ctx context.Context, path string) error {
	return s.change(ctx, "importing", func(tx *sql.Tx) error {
		for _, t := range store.Tables() {
			var filled bool
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.Name+")").Scan(&filled); err != nil {
				return err
			}
			if filled {
				return store.NotEmpty(t.Name)
			}
		}
		err := store.ReadBackup(path, s.schema, func(t store.Table, values []any) error {
			for i, v := range values {
				if at, ok := v.(time.Time); ok {
					values[i] = at.UnixMicro()
				}
			}
			marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
			_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.Name, t.List(), marks), values...)
			return err
		})
		if err != nil {
			return err
		}
		return move(ctx, tx) // and no notice: the outbox holds what the backup held
	})
}
