// Package sqlite keeps the store in one SQLite file: the default of a deployment of one process.
//
// It owns its SQL and its migrations; what the methods promise is said at [store.Store]. Beside
// the file lie SQLite's own -wal and -shm files and a small .lock file.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Store is a store in one SQLite file. Safe for concurrent use.
type Store struct {
	path   string
	write  *sql.DB // one connection: SQLite has one writer at a time anyway
	read   *sql.DB
	schema int64 // the newest migration that this code knows
	writer string

	mu   sync.Mutex
	lock *store.Lock // guarded by mu; nil = not held
}

var _ store.Store = (*Store)(nil)

// Open opens the database at path, makes it when it is not there (readable by its owner only),
// and migrates it. While another process serves a database that has to be migrated, it gives
// code Locked. The folder must exist.
func Open(ctx context.Context, path string) (*Store, error) {
	return openWaiting(ctx, path, migrationWait)
}

func openWaiting(ctx context.Context, path string, wait time.Duration) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "finding the database: %w", err)
	}
	if err := create(path); err != nil {
		return nil, err
	}
	schema, err := migrate(ctx, path, wait)
	if err != nil {
		return nil, err
	}
	write, err := connect(path, writing)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := connect(path, reading)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(8)
	return &Store{path: path, write: write, read: read, schema: schema, writer: store.NewWriter()}, nil
}

// create makes the file with its permissions before SQLite would make it with others.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("There is no folder %s for the database.", filepath.Dir(path)), Hint: "Make it first: mkdir -p " + filepath.Dir(path)}
	}
	if err != nil {
		return &tutti.Error{Code: tutti.Invalid, Message: "The database file " + path + " cannot be opened to read and write.", Hint: "It and its folder must belong to, or be writable for, the user that Tutti runs as.", Cause: err}
	}
	return f.Close()
}

// How a connection is opened. peeking changes nothing at all, reading may make the -wal file.
var (
	peeking = url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)"}}
	reading = url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "query_only(1)"}}
	writing = url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
)

func connect(path string, how url.Values) (*sql.DB, error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: how.Encode()}).String())
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "opening the database: %w", err)
	}
	return db, nil
}

// Close is promised at store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	lock := s.lock
	s.mu.Unlock()
	if lock != nil {
		lock.Release()
	}
	if err := errors.Join(s.read.Close(), s.write.Close()); err != nil {
		return tutti.Errorf(tutti.Internal, "closing the database: %w", err)
	}
	return nil
}

// change runs do in a write transaction. When do changed what Changed counts, it says so.
func (s *Store) change(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fail(doing, err)
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := do(tx); err != nil {
		return fail(doing, err)
	}
	return fail(doing, tx.Commit())
}

// fail wraps what the database says; an error that has a code keeps it. nil stays nil.
func fail(doing string, err error) error {
	var public *tutti.Error
	if err == nil || errors.As(err, &public) {
		return err
	}
	return tutti.Errorf(tutti.Internal, doing+": %w", err)
}

// micros writes a time; zero is null.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// at reads a time that may be null.
type at struct{ to *time.Time }

func (a at) Scan(v any) error {
	switch n := v.(type) {
	case nil:
		*a.to = time.Time{}
	case int64:
		*a.to = time.UnixMicro(n).UTC()
	default:
		return fmt.Errorf("%T is no time", v)
	}
	return nil
}
