package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// workTime is how long a piece of work may take as seen from here. A statement_timeout is the
// server's: one that is gone, or frozen, ends nothing.
const workTime = 1200 * time.Millisecond

// limited is the pool with workTime for each piece of work, waiting for a connection included.
type limited struct{ *pgxpool.Pool }

// Query is the pool's. The rows must be closed soon: their time goes on.
func (l limited) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	rows, err := l.Pool.Query(ctx, sql, args...)
	if err != nil {
		cancel()
		return nil, err
	}
	return limitedRows{rows, cancel}, nil
}

type limitedRows struct {
	pgx.Rows
	cancel context.CancelFunc
}

func (r limitedRows) Close() {
	r.Rows.Close()
	r.cancel()
}

// QueryRow is the pool's.
func (l limited) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	return limitedRow{l.Pool.QueryRow(ctx, sql, args...), cancel}
}

type limitedRow struct {
	row    pgx.Row
	cancel context.CancelFunc
}

func (r limitedRow) Scan(to ...any) error {
	defer r.cancel()
	return r.row.Scan(to...)
}

// Exec is the pool's.
func (l limited) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	return l.Pool.Exec(ctx, sql, args...)
}
