package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tuttihq/tutti/store"
)

// migrationWait is how long a process waits for another one that is migrating.
const migrationWait = 5 * time.Second

// Lock is promised at store.Store. It is a write transaction that stays open on a small database
// beside the file: the operating system ends it with the process, on every system alike, and
// others can still read in it who holds it.
func (s *Store) Lock(ctx context.Context) (*store.Lock, error) {
	release, err := hold(ctx, s.path, 0)
	if err != nil {
		return nil, err
	}
	lock := store.NewLock(func() {
		release()
		s.mu.Lock()
		s.lock = nil
		s.mu.Unlock()
	})
	s.mu.Lock()
	s.lock = lock
	s.mu.Unlock()
	return lock, nil
}

// hold takes the lock beside path, waiting for it up to wait.
func hold(ctx context.Context, path string, wait time.Duration) (release func(), err error) {
	path += ".lock"
	if err := create(path); err != nil {
		return nil, err
	}
	db, err := connect(path, url.Values{"_txlock": {"immediate"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds())}})
	if err != nil {
		return nil, err
	}
	tx, err := sign(ctx, db)
	if busy(err) {
		err = heldBy(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(fail("locking the database", err), db.Close())
	}
	return func() {
		_ = tx.Rollback()
		_ = db.Close()
	}, nil
}

// sign writes the name of this process where others can read it, and begins the transaction
// that is the lock.
func sign(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{
		"CREATE TABLE IF NOT EXISTS holder (name TEXT NOT NULL, since INTEGER NOT NULL) STRICT",
		"DELETE FROM holder",
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO holder (name, since) VALUES (?, unixepoch())", store.Holder()); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	// The lock outlives this call, so ctx must not end it.
	return db.BeginTx(context.WithoutCancel(ctx), nil)
}

func heldBy(ctx context.Context, db *sql.DB) error {
	var name string
	var since int64
	if err := db.QueryRowContext(ctx, "SELECT name, since FROM holder").Scan(&name, &since); err != nil {
		return store.LockedBy("", "") // it is just signing
	}
	return store.LockedBy(name, time.Unix(since, 0).UTC().Format(time.RFC3339))
}

func busy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
