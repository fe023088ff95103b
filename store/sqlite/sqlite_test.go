package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() (store.Store, error) {
		path := filepath.Join(t.TempDir(), "tutti.db")
		return func() (store.Store, error) { return Open(t.Context(), path) }
	})
}

func TestLock(t *testing.T) {
	storetest.RunLock(t, func(t *testing.T) func() (store.Store, error) {
		path := filepath.Join(t.TempDir(), "tutti.db")
		return func() (store.Store, error) { return Open(t.Context(), path) }
	})
}

// TestRunsOnNewerSchema keeps the promise of expand/contract: this code works on a database that
// the next version has migrated already.
func TestRunsOnNewerSchema(t *testing.T) {
	next := fstest.MapFS{"90001_next.sql": {Data: []byte(`-- +goose Up
		ALTER TABLE drafts ADD COLUMN next TEXT;
		ALTER TABLE versions ADD COLUMN next TEXT NOT NULL DEFAULT 'next';
		ALTER TABLE publications ADD COLUMN next INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE keys ADD COLUMN next TEXT;
		ALTER TABLE events ADD COLUMN next TEXT;
		ALTER TABLE operations ADD COLUMN next TEXT;
		ALTER TABLE outbox ADD COLUMN next TEXT;
		ALTER TABLE suppressions ADD COLUMN next TEXT;
		ALTER TABLE audit ADD COLUMN next TEXT;
		CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT;`)}}
	storetest.Run(t, func(t *testing.T) func() (store.Store, error) {
		path := filepath.Join(t.TempDir(), "tutti.db")
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		record, err := database.NewStore(goose.DialectSQLite3, "tutti_migrations")
		if err != nil {
			t.Fatal(err)
		}
		m, err := goose.NewProvider("", s.write, next, goose.WithStore(record), goose.WithAllowOutofOrder(true))
		if err != nil {
			t.Fatal(err)
		}
		if ran, err := m.Up(t.Context()); err != nil || len(ran) != 1 {
			t.Fatalf("migrating a step further: %v, %v", ran, err)
		}
		return func() (store.Store, error) { return Open(t.Context(), path) }
	})
}

func TestBackupsHoldEveryColumn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tutti.db"))
	rows, err := s.read.Query(`
		SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	storetest.CheckTables(t, columns)
}

func TestBackupIsOneState(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "tutti.db"))
	storetest.CheckOneState(t, s, func(put func(store.Table, []any) error) error { return s.dump(t.Context(), put) })
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "tutti.db"))
	lock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if _, err := s.DeploymentSecret(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	for _, want := range []string{"tutti.db", "tutti.db-wal", "tutti.db-shm", "tutti.db.lock"} {
		if !strings.Contains(strings.Join(names, " "), want) {
			t.Errorf("there is no %s among %v", want, names)
		}
	}
}

func TestPathsMayHoldAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b#c?d=e&f%20g+ü", "tutti?mode=memory.db")
	_, err := Open(t.Context(), path)
	if !errors.Is(err, tutti.Invalid) || !strings.Contains(err.Error(), "mkdir -p") {
		t.Errorf("without its folder: %v", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	secret, err := open(t, path).DeploymentSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, path).DeploymentSecret(t.Context())
	if err != nil || string(again) != string(secret) {
		t.Errorf("another database was opened: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.db")
	stores := make([]*Store, 8)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() {
			var err error
			if stores[i], err = Open(t.Context(), path); err != nil {
				t.Errorf("opening: %v", err)
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if s != nil {
			_ = s.Close()
		}
	}
}

func TestServedDatabaseIsNotMigratedByOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.db")
	release, err := hold(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := openWaiting(ctx, path, 0); !errors.Is(err, tutti.Locked) {
		t.Errorf("got error %v, want code %s", err, tutti.Locked)
	}
}

func TestNoDatabaseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil {
		t.Error("opened something that is no database")
	}
	if _, err := Open(t.Context(), filepath.Dir(path)); !errors.Is(err, tutti.Invalid) {
		t.Errorf("opening a folder: %v", err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it left a file: %v", err)
	}
}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
