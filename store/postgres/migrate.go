package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/tuttihq/tutti"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database up to this code's newest migration and gives its number. A
// database that is further on already is left as it is. Processes that start together migrate
// one after the other.
func migrate(ctx context.Context, cfg *pgx.ConnConfig) (newest int64, err error) {
	cfg = cfg.Copy()
	cfg.RuntimeParams["statement_timeout"] = "0" // an index may take long
	cfg.RuntimeParams["lock_timeout"] = "60000"  // another process may be migrating
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return 0, &tutti.Error{
			Code: tutti.Unavailable, Message: "The Postgres database does not answer.",
			Hint: "Is it running, does it exist, and are user and password in TUTTI_DATABASE_URL right?", Cause: err,
		}
	}
	m, newest, err := migrator(db)
	if err != nil {
		return 0, err
	}
	if _, err := m.Up(ctx); err != nil {
		return 0, tutti.Errorf(tutti.Internal, "migrating the database: %w", err)
	}
	return newest, nil
}

func migrator(db *sql.DB) (*goose.Provider, int64, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	record, err := database.NewStore(goose.DialectPostgres, "tutti_migrations")
	if err != nil {
		return nil, 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	m, err := goose.NewProvider("", db, files, goose.WithStore(record), goose.WithSessionLocker(migrationLock{}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	sources := m.ListSources()
	return m, sources[len(sources)-1].Version, nil
}

// migrationLock waits for its turn. goose's own lock is one for all schemas and asks again every
// second at the soonest.
type migrationLock struct{}

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtextextended('tutti migrates ' || current_schema(), 0))")
	return err
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtextextended('tutti migrates ' || current_schema(), 0))")
	return err
}

// named reports whether an address sets a parameter, in its URL or its keyword form.
func named(address, parameter string) bool {
	if u, err := url.Parse(address); err == nil && u.Scheme != "" {
		return u.Query().Has(parameter)
	}
	return strings.Contains(address, parameter+"=")
}
