package postgres

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
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
		address := storetest.Postgres(t)
		return func() (store.Store, error) { return Open(t.Context(), address) }
	})
}

// TestRunsOnNewerSchema keeps the promise of expand/contract: this code works on a database that
// the next version has migrated already.
func TestRunsOnNewerSchema(t *testing.T) {
	next := fstest.MapFS{"90001_next.sql": {Data: []byte(`-- +goose Up
		ALTER TABLE drafts ADD COLUMN next text;
		ALTER TABLE versions ADD COLUMN next text NOT NULL DEFAULT 'next';
		ALTER TABLE publications ADD COLUMN next bigint NOT NULL DEFAULT 0;
		ALTER TABLE keys ADD COLUMN next text;
		ALTER TABLE events ADD COLUMN next text;
		ALTER TABLE operations ADD COLUMN next text;
		ALTER TABLE suppressions ADD COLUMN next text;
		ALTER TABLE audit ADD COLUMN next text;
		ALTER TABLE outbox ADD COLUMN next xid8 NOT NULL DEFAULT pg_current_xact_id();
		CREATE TABLE next (id bigint PRIMARY KEY);`)}}
	storetest.Run(t, func(t *testing.T) func() (store.Store, error) {
		address := storetest.Postgres(t)
		s := open(t, address)
		db := stdlib.OpenDBFromPool(s.pool.Pool)
		defer db.Close()
		record, err := database.NewStore(goose.DialectPostgres, "tutti_migrations")
		if err != nil {
			t.Fatal(err)
		}
		m, err := goose.NewProvider("", db, next, goose.WithStore(record), goose.WithAllowOutofOrder(true))
		if err != nil {
			t.Fatal(err)
		}
		if ran, err := m.Up(t.Context()); err != nil || len(ran) != 1 {
			t.Fatalf("migrating a step further: %v, %v", ran, err)
		}
		return func() (store.Store, error) { return Open(t.Context(), address) }
	})
}

func TestBackupsHoldEveryColumn(t *testing.T) {
	s := open(t, storetest.Postgres(t))
	rows, err := s.pool.Query(t.Context(), `
		SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()`)
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
	s := open(t, storetest.Postgres(t))
	storetest.CheckOneState(t, s, func(put func(store.Table, []any) error) error { return s.dump(t.Context(), put) })
}

func TestManyProcessesServeOneDatabase(t *testing.T) {
	address := storetest.Postgres(t)
	for range 3 {
		lock, err := open(t, address).Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Release()
	}
}

func TestConnectionsHaveLimits(t *testing.T) {
	s := open(t, storetest.Postgres(t))
	for name, want := range map[string]string{
		"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s", "timezone": "UTC", "application_name": "tutti",
	} {
		var got string
		if err := s.pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
}

func TestAddressSetsLimits(t *testing.T) {
	cfg, err := configure("postgres://u:p@h/d")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MaxConns != 10 || cfg.ConnConfig.ConnectTimeout != 2*time.Second {
		t.Errorf("got %d connections, %v to connect", cfg.MaxConns, cfg.ConnConfig.ConnectTimeout)
	}
	cfg, err = configure("postgres://u:p@h/d?pool_max_conns=33&connect_timeout=7&statement_timeout=70")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MaxConns != 33 || cfg.ConnConfig.ConnectTimeout != 7*time.Second || cfg.ConnConfig.RuntimeParams["statement_timeout"] != "70" {
		t.Errorf("got %d connections, %v to connect, %v", cfg.MaxConns, cfg.ConnConfig.ConnectTimeout, cfg.ConnConfig.RuntimeParams)
	}
}

func TestWrongAddressesShowNoPassword(t *testing.T) {
	for address, code := range map[string]tutti.Code{
		"postgres://u:hunter2@h/d?default_query_exec_mode=simple_protocol": tutti.Invalid,
		"postgres://u:hunter2@h:port/d":                                    tutti.Invalid,
		"postgres://u:hunter2@127.0.0.1:1/d":                               tutti.Unavailable,
	} {
		_, err := Open(t.Context(), address)
		if !errors.Is(err, code) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got error %v, want code %s and no password", err, code)
		}
	}
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	address := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := Open(t.Context(), address)
			if err != nil {
				t.Errorf("opening: %v", err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

func open(t *testing.T, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
