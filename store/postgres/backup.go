package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

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
	oneState := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return fail("backing up", pgx.BeginTxFunc(ctx, s.pool, oneState, func(tx pgx.Tx) error {
		for _, t := range store.Tables() {
			if err := dumpTable(ctx, tx, t, put); err != nil {
				return fail("backing up "+t.Name, err)
			}
		}
		return nil
	}))
}

func dumpTable(ctx context.Context, tx pgx.Tx, t store.Table, put func(store.Table, []any) error) error {
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", t.List(), t.Name, t.Order))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if err := put(t, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Import is promised at store.Store.
func (s *Store) Import(ctx context.Context, path string) error {
	return s.changeSlowly(ctx, "importing", func(tx pgx.Tx) error {
		for _, t := range store.Tables() {
			// Nobody writes meanwhile, so what is empty stays empty.
			if _, err := tx.Exec(ctx, "LOCK TABLE "+t.Name+" IN EXCLUSIVE MODE"); err != nil {
				return err
			}
			var filled bool
			if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.Name+")").Scan(&filled); err != nil {
				return err
			}
			if filled {
				return store.NotEmpty(t.Name)
			}
		}
		err := store.ReadBackup(path, s.schema, func(t store.Table, values []any) error {
			marks := make([]string, len(values))
			for i := range marks {
				marks[i] = fmt.Sprintf("$%d", i+1)
			}
			_, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.Name, t.List(), strings.Join(marks, ", ")), values...)
			return err
		})
		if err != nil {
			return err
		}
		for _, t := range store.Tables() {
			if !t.Identity {
				continue
			}
			// Rows that came with their ids did not move the counter of ids.
			_, err := tx.Exec(ctx, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM %[1]s), false)", t.Name))
			if err != nil {
				return err
			}
		}
		return move(ctx, tx) // and no notice: the outbox holds what the backup held
	})
}
