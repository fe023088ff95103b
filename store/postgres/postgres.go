// Package postgres keeps the store in a PostgreSQL database (13 or newer), through pgx.
//
// It owns its SQL, its migrations and its pool of connections; what the methods promise is said
// at [store.Store]. All tables are in the schema that the connection's search_path names first.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Store is a store in a PostgreSQL database. Safe for concurrent use.
type Store struct {
	pool    limited
	schema  int64 // the newest migration that this code knows
	writer  string
	channel string

	writes   chan struct{} // holds one when a transaction was committed that nobody was told of
	closing  chan struct{}
	notified chan struct{} // closed when notify has ended
}

var _ store.Store = (*Store)(nil)

// What a connection gets when the address does not say otherwise. The defaults of pgx are 4
// connections and to wait for ever.
const (
	maxConns         = 10
	connectTimeout   = 2 * time.Second
	statementTimeout = 10 * time.Second
	lockTimeout      = 5 * time.Second
	idleTimeout      = 10 * time.Second // of a transaction that does nothing
)

// Open connects to a database by its address (postgres://…) and migrates it. The database must
// exist. It reads the usual parameters of such an address, and those of pgxpool (pool_max_conns).
func Open(ctx context.Context, address string) (*Store, error) {
	cfg, err := configure(address)
	if err != nil {
		return nil, err
	}
	schema, err := migrate(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "opening the database: %w", err)
	}
	s := &Store{
		pool: limited{pool}, schema: schema, writer: store.NewWriter(),
		writes: make(chan struct{}, 1), closing: make(chan struct{}), notified: make(chan struct{}),
	}
	if s.channel, err = channel(ctx, s.pool); err != nil {
		pool.Close()
		return nil, err
	}
	go s.notify()
	return s, nil
}

// Lock is promised at store.Store: any number of processes may serve one database.
func (s *Store) Lock(context.Context) (*store.Lock, error) { return store.NewLock(func() {}), nil }

func configure(address string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil { // pgx keeps the password out of its text
		return nil, &tutti.Error{
			Code: tutti.Invalid, Field: "TUTTI_DATABASE_URL", Message: "The address of the Postgres database can not be read.",
			Hint: "Write, for example:  postgres://user:password@host:5432/tutti", Cause: err,
		}
	}
	conn := cfg.ConnConfig
	if conn.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, &tutti.Error{
			Code: tutti.Invalid, Field: "TUTTI_DATABASE_URL", Message: "Tutti does not use the simple protocol.",
			Hint: "Take default_query_exec_mode=simple_protocol out of the address; behind a pooler, write default_query_exec_mode=exec.",
		}
	}
	if !named(address, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	if conn.ConnectTimeout == 0 || conn.ConnectTimeout > time.Minute { // pgx puts 2 minutes where nothing is said
		conn.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    "tutti",
		"statement_timeout":                   millis(statementTimeout),
		"lock_timeout":                        millis(lockTimeout),
		"idle_in_transaction_session_timeout": millis(idleTimeout),
	} {
		if conn.RuntimeParams[name] == "" {
			conn.RuntimeParams[name] = value
		}
	}
	conn.RuntimeParams["timezone"] = "UTC"
	cfg.AfterConnect = utc
	return cfg, nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// utc lets a connection give times in UTC, not in the zone of this machine.
func utc(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// Close is promised at store.Store.
func (s *Store) Close() error {
	close(s.closing)
	<-s.notified
	s.pool.Close()
	return nil
}

// change runs do in a transaction, within workTime, and tells other processes that something
// was written.
func (s *Store) change(ctx context.Context, doing string, do func(tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	return s.changeSlowly(ctx, doing, do)
}

// changeSlowly is change without a time limit.
func (s *Store) changeSlowly(ctx context.Context, doing string, do func(tx pgx.Tx) error) error {
	if err := pgx.BeginFunc(ctx, s.pool, do); err != nil {
		return fail(doing, err)
	}
	s.wrote()
	return nil
}

// count moves the number of Changed with the transaction, and tells it to other processes. It
// comes last in one: its row is locked until the commit.
func (s *Store) count(ctx context.Context, tx pgx.Tx) error {
	if err := s.tell(ctx, tx, store.ChangedTopic, "", nil, time.Now()); err != nil {
		return err
	}
	return move(ctx, tx)
}

func move(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE changes SET number = number + 1 WHERE id = 1")
	return err
}

// Changed is promised at store.Store.
func (s *Store) Changed(ctx context.Context) (int64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, "SELECT number FROM changes WHERE id = 1").Scan(&n)
	return n, fail("reading the number of changes", err)
}

// fail wraps what the database says; an error that has a code keeps it. nil stays nil. A
// database that does not answer is Unavailable.
func fail(doing string, err error) error {
	var public *tutti.Error
	if err == nil || errors.As(err, &public) {
		return err
	}
	if gone(err) {
		return &tutti.Error{
			Code: tutti.Unavailable, Message: "The database does not answer, so this cannot be done now.", Hint: "Try again in a moment.",
			Cause: fmt.Errorf(doing+": %w", err),
		}
	}
	return tutti.Errorf(tutti.Internal, doing+": %w", err)
}

// gone reports whether err says that the database could not be asked, or did not answer in time.
func gone(err error) bool {
	var connecting *pgconn.ConnectError
	var said *pgconn.PgError
	switch {
	case errors.Is(err, context.Canceled):
		return false // who asked left
	case errors.As(err, &connecting), errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return true
	case errors.As(err, &said):
		return len(said.Code) == 5 && (said.Code[:2] == "08" || said.Code[:3] == "57P") // connection lost, shutting down
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}

// exists reports whether err says that a row with this primary key or unique value is there.
func exists(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

// when writes a time; zero is null.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// at reads a time that may be null.
type at struct{ to *time.Time }

// ScanTimestamptz is what pgx calls.
func (a at) ScanTimestamptz(v pgtype.Timestamptz) error {
	*a.to = time.Time{}
	if v.Valid {
		*a.to = v.Time.UTC()
	}
	return nil
}
