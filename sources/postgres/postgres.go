// Package postgres opens PostgreSQL databases for sources whose protocol is SQL. It only reads: every
// query runs in a transaction of its own that is read only and limited in time, rows and bytes. What stands
// around a query (cache, breaker, retries, health) is package sources'.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
	"github.com/tuttihq/tutti/sources"
)

// Opener gives how databases are opened. Their listening is told to the log.
func Opener(log *slog.Logger) func(sources.DatabaseConfig) (sources.Database, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(c sources.DatabaseConfig) (sources.Database, error) { return open(c, log) }
}

// Database is one database. Safe for concurrent use.
type Database struct {
	pool   *pgxpool.Pool
	config sources.DatabaseConfig
	log    *slog.Logger

	closing sync.Once
}

// open makes a database. It connects when it is first asked. The error tells nothing of the address.
func open(c sources.DatabaseConfig, log *slog.Logger) (*Database, error) {
	cfg, err := pgxpool.ParseConfig(c.URL.Reveal())
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Second
	}
	if c.Connections <= 0 {
		c.Connections = 4
	}
	guard(cfg.ConnConfig, c)
	cfg.MaxConns, cfg.MinConns = int32(min(c.Connections, 1000)), 0
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, errors.New("it cannot be used")
	}
	return &Database{pool: pool, config: c, log: log}, nil
}

// guard lets connections reach only what the operator allows, and do nothing but read, for a while. What the
// address says otherwise does not count.
func guard(c *pgx.ConnConfig, cfg sources.DatabaseConfig) {
	limit := strconv.FormatInt(max(cfg.Timeout.Milliseconds(), 1), 10)
	for name, value := range map[string]string{
		"default_transaction_read_only": "on", "statement_timeout": limit, "lock_timeout": limit,
		"idle_in_transaction_session_timeout": "60000", "TimeZone": "UTC", "DateStyle": "ISO", "IntervalStyle": "iso_8601", "application_name": "tutti",
	} {
		c.RuntimeParams[name] = value
	}
	delete(c.RuntimeParams, "options")
	c.ConnectTimeout = cfg.Timeout
	c.DialFunc = fetch.Dialer(fetch.Config{AllowPrivate: cfg.AllowPrivate, DialTimeout: cfg.Timeout})
	c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer looks it up, and checks what it dials
}

// Close gives back all connections.
func (d *Database) Close() { d.closing.Do(d.pool.Close) }

var readOnly = pgx.TxOptions{AccessMode: pgx.ReadOnly}

// Query gives the rows as a JSON list of objects: see sources.Database.
func (d *Database) Query(ctx context.Context, query string, args []*string, rows int, bytes int64) (answer []byte, err error) {
	conn, err := d.acquire(ctx)
	if err != nil {
		return nil, told("connecting to the database", err)
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, readOnly)
	if err != nil {
		return nil, told("connecting to the database", err)
	}
	defer func() {
		if end := tx.Rollback(ctx); end != nil && err == nil {
			err = told("asking the database", end)
		}
	}()
	// Everything is text, both ways: the database reads each argument as the type that the query wants.
	all := []any{pgx.QueryExecModeCacheDescribe, pgx.QueryResultFormats{pgx.TextFormatCode}}
	for _, a := range args {
		if a == nil {
			all = append(all, nil)
		} else {
			all = append(all, *a)
		}
	}
	got, err := tx.Query(ctx, query, all...)
	if err != nil {
		return nil, told("asking the database", err)
	}
	defer got.Close()
	return readRows(got, rows, bytes)
}

// acquire takes a connection. Where it gets none though it did not have to wait for its turn, the server is gone
// or was: other connections that nobody uses now may be as dead, and are left.
func (d *Database) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := d.pool.Acquire(ctx)
	if err == nil || errors.Is(err, context.Canceled) {
		return conn, err
	}
	if s := d.pool.Stat(); s.AcquiredConns() < s.MaxConns() {
		d.pool.Reset()
	}
	return nil, err
}

// Listen hears the messages on a channel, on a connection of its own, until ctx ends: see sources.Database.
// While it cannot, it tries again and again, and tells the log once.
func (d *Database) Listen(ctx context.Context, channel string, heard func(string), lost func()) {
	const shortest, longest = 500 * time.Millisecond, 2 * time.Second // until it hears again, nobody knows what changed
	wait, deaf := shortest, false
	for ctx.Err() == nil {
		began := time.Now()
		err := d.listen(ctx, channel, heard, func() {
			if deaf {
				d.log.Info("listening to a database again", "source", d.config.Source)
			}
			deaf = false
			lost()
		})
		if ctx.Err() != nil {
			return
		}
		if !deaf {
			d.log.Warn("listening to a database", "source", d.config.Source, "err", err)
		}
		deaf = true
		if time.Since(began) > longest {
			wait = shortest
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longest)
	}
}

const listenCheck = 3 * time.Second // how often a quiet connection is looked at: a server that is gone without a word says nothing

func (d *Database) listen(ctx context.Context, channel string, heard func(string), lost func()) error {
	cfg := d.pool.Config().ConnConfig.Copy()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return told("connecting to the database", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "listen "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return told("listening", err)
	}
	lost()
	for {
		quiet, cancel := context.WithTimeout(ctx, listenCheck)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			heard(n.Payload)
		case ctx.Err() != nil:
			return ctx.Err()
		case !pgconn.Timeout(err):
			return told("listening", err)
		default:
			check, cancel := context.WithTimeout(ctx, d.config.Timeout)
			err := conn.Ping(check)
			cancel()
			if err != nil {
				return told("listening", err)
			}
		}
	}
}

// told gives an error without any of its words: those of the database may hold content, those of a connection
// its address.
func told(doing string, err error) error {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return refused(doing, pg.Code)
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return tutti.Errorf(tutti.Timeout, "%s: it did not answer in time", doing)
	case errors.Is(err, context.Canceled):
		return tutti.Errorf(tutti.Unavailable, "%s: %w", doing, context.Canceled)
	case errors.Is(err, fetch.ErrRefused):
		return tutti.Errorf(tutti.Unavailable, "%s: its address is private, and allowPrivate does not name it: %w", doing, fetch.ErrRefused)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return tutti.Errorf(tutti.Unavailable, "%s: the connection ended", doing)
	}
	return tutti.Errorf(tutti.Unavailable, "%s: it cannot be reached", doing)
}

// ofRows is told for an error that came after the arguments were read: data that a query cannot compute with is a
// row's.
func ofRows(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && strings.HasPrefix(pg.Code, "22") {
		return fmt.Errorf("reading the rows: SQLSTATE %s: %w", pg.Code, &sources.Refused{Status: http.StatusUnprocessableEntity})
	}
	return told("asking the database", err)
}

// refused sorts what a database says by its SQLSTATE, as if it were a status of HTTP.
func refused(doing, state string) error {
	status := &sources.Refused{Status: http.StatusInternalServerError}
	switch state[:min(2, len(state))] {
	case "57":
		if state == "57014" { // statement_timeout, or somebody cancelled it
			return tutti.Errorf(tutti.Timeout, "%s: it did not answer in time", doing)
		}
		status.Status = http.StatusServiceUnavailable
	case "28", "42":
		status.Status = http.StatusForbidden
		if state[:2] == "42" && state != "42501" {
			return tutti.Errorf(tutti.BadAnswer, "%s: it does not understand the query (SQLSTATE %s)", doing, state)
		}
	case "25": // it wanted to write
		return tutti.Errorf(tutti.BadAnswer, "%s: the query does more than read (SQLSTATE %s)", doing, state)
	case "22":
		status.Status = http.StatusBadRequest
	case "53", "08", "58":
		status.Status = http.StatusServiceUnavailable
	case "55":
		return tutti.Errorf(tutti.Timeout, "%s: what it asks for is locked", doing)
	}
	return fmt.Errorf("%s: SQLSTATE %s: %w", doing, state, status)
}
