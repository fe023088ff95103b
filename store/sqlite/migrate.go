package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/tuttihq/tutti"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database up to this code's newest migration and gives its number. A
// database that is further on already is left as it is. It waits up to wait for another process
// that migrates, or serves.
func migrate(ctx context.Context, db *sql.DB, path string, wait time.Duration) (int64, error) {
	m, newest, err := migrator(db)
	if err != nil {
		return 0, err
	}
	pending, err := m.HasPending(ctx)
	if err != nil {
		return 0, tutti.Errorf(tutti.Internal, "reading which migrations ran: %w", err)
	}
	if !pending {
		return newest, nil
	}
	release, err := hold(ctx, path, wait)
	if err != nil {
		return 0, err
	}
	defer release()
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
	record, err := database.NewStore(goose.DialectSQLite3, "tutti_migrations")
	if err != nil {
		return nil, 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	m, err := goose.NewProvider("", db, files, goose.WithStore(record), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	sources := m.ListSources()
	return m, sources[len(sources)-1].Version, nil
}
