package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
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
// that migrates, or serves; when there is nothing to do it waits for nobody.
func migrate(ctx context.Context, path string, wait time.Duration) (newest int64, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	newest = int64(len(files)) // they are numbered 1, 2, …
	ran, err := migrated(ctx, path, newest)
	if err != nil || ran {
		return newest, err
	}
	release, err := hold(ctx, path, wait)
	if err != nil {
		return 0, err
	}
	defer release()
	db, err := connect(path, writing)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	m, err := migrator(db)
	if err != nil {
		return 0, err
	}
	if _, err := m.Up(ctx); err != nil {
		return 0, tutti.Errorf(tutti.Internal, "migrating the database: %w", err)
	}
	return newest, nil
}

// migrated reports whether all migrations up to newest ran. It only reads, for others may be
// migrating.
func migrated(ctx context.Context, path string, newest int64) (bool, error) {
	db, err := connect(path, peeking)
	if err != nil {
		return false, err
	}
	defer db.Close()
	var ran int64
	err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'tutti_migrations'").Scan(&ran)
	if err == nil && ran > 0 {
		err = db.QueryRowContext(ctx, "SELECT COUNT(DISTINCT version_id) FROM tutti_migrations WHERE is_applied AND version_id BETWEEN 1 AND ?", newest).Scan(&ran)
	}
	return ran == newest, fail("reading which migrations ran", err)
}

func migrator(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	record, err := database.NewStore(goose.DialectSQLite3, "tutti_migrations")
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	m, err := goose.NewProvider("", db, files, goose.WithStore(record), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "finding migrations: %w", err)
	}
	return m, nil
}
