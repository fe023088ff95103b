package postgres

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tuttihq/tutti/store"
)

// feed reads the outbox. Rows become visible in the order of commits, and have their ids in
// another; a place is therefore (xid, id), and everything before the oldest transaction that
// still runs is final. Rows after that are given at once, and looked at again: what was given is
// remembered, and only the place from which the next Read looks is held back.
type feed struct {
	s    *Store
	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}

	after place
	given map[int64]uint64 // rows after that place that were given: xid by id
	last  time.Time        // of the last Read

	oldest uint64    // the oldest transaction that ran at the last Read
	since  time.Time // the Read that saw it first
	behind atomic.Int64
}

// place is a row's place in the outbox; with id 0, before all rows of a transaction.
type place struct {
	xid uint64
	id  int64
}

const pageRows = 2000

// Feed is promised at store.Store. A connection of its own listens for notifications.
func (s *Store) Feed(ctx context.Context) (store.Feed, error) {
	f := &feed{s: s, wake: make(chan struct{}, 1), done: make(chan struct{}), given: map[int64]uint64{}}
	err := s.pool.QueryRow(ctx, "SELECT pg_snapshot_xmin(pg_current_snapshot())").Scan(&f.after.xid)
	if err != nil {
		return nil, fail("opening the feed", err)
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	go func() {
		defer close(f.done)
		f.listen(listening)
	}()
	return f, nil
}

// Wake is promised at store.Feed.
func (f *feed) Wake() <-chan struct{} { return f.wake }

// Behind is promised at store.Feed.
func (f *feed) Behind() time.Duration { return time.Duration(f.behind.Load()) }

// Close is promised at store.Feed.
func (f *feed) Close() {
	f.stop()
	<-f.done
}

// Read is promised at store.Feed.
func (f *feed) Read(ctx context.Context, now time.Time) ([]store.Notice, error) {
	notices, given := []store.Notice{}, []place{}
	from, first := f.after, edge{}
	for n := 0; ; n++ {
		p, err := f.page(ctx, from)
		if err != nil {
			return nil, fail("reading the feed", err)
		}
		if n == 0 {
			first = p.edge // what is final by the first page is final in all
		}
		notices, given = append(notices, p.notices...), append(given, p.given...)
		from = p.last
		if p.rows < pageRows {
			break
		}
	}
	if !f.last.IsZero() && store.Missed(f.last, now) {
		notices = append(notices, store.Everything()...)
	}
	f.advance(first, given, now)
	f.last = now
	return notices, nil
}

// edge is where the rows begin that are not final: the oldest running transaction, and the next.
type edge struct{ oldest, next uint64 }

type page struct {
	edge
	rows    int
	last    place
	given   []place // of rows not given before
	notices []store.Notice
}

// page reads rows after a place, in one statement, so in one snapshot.
func (f *feed) page(ctx context.Context, from place) (page, error) {
	p := page{last: from}
	rows, err := f.s.pool.Query(ctx, `
		SELECT pg_snapshot_xmin(s), pg_snapshot_xmax(s), o.xid, o.id, o.topic, o.tags, o.writer
		FROM pg_current_snapshot() s
		LEFT JOIN LATERAL (
			SELECT xid, id, topic, tags, writer FROM outbox WHERE (xid, id) > ($1, $2) ORDER BY xid, id LIMIT $3
		) o ON true`, from.xid, from.id, pageRows)
	if err != nil {
		return p, err
	}
	defer rows.Close()
	for rows.Next() {
		var xid *uint64
		var id *int64
		var topic, tags, writer *string
		if err := rows.Scan(&p.oldest, &p.next, &xid, &id, &topic, &tags, &writer); err != nil {
			return p, err
		}
		if xid == nil {
			break // there is none
		}
		p.rows, p.last = p.rows+1, place{*xid, *id}
		if _, again := f.given[*id]; again || *writer == f.s.writer {
			continue
		}
		n := store.Notice{Topic: store.Topic(*topic)}
		if n.Tags, err = store.ParseStrings(*tags); err != nil {
			return p, err
		}
		p.given, p.notices = append(p.given, p.last), append(p.notices, n)
	}
	return p, rows.Err()
}

// advance moves the place up to what is final, and remembers what was given after it.
func (f *feed) advance(e edge, given []place, now time.Time) {
	f.after = place{xid: max(f.after.xid, e.oldest)}
	for _, p := range given {
		f.given[p.id] = p.xid
	}
	for id, xid := range f.given {
		if xid < f.after.xid {
			delete(f.given, id)
		}
	}
	if e.oldest != f.oldest || e.oldest == e.next { // another one, or none runs
		f.oldest, f.since = e.oldest, now
	}
	f.behind.Store(int64(now.Sub(f.since)))
}

// How the listening connection is kept: a broken network says nothing by itself, so it is asked;
// a lost one is made anew, soon at first.
const (
	listenPing     = 3 * time.Second
	listenAgain    = 50 * time.Millisecond
	listenAgainMax = time.Second
)

// listen wakes the reader for each notification, and whenever some may have been missed.
func (f *feed) listen(ctx context.Context) {
	wait := listenAgain
	for ctx.Err() == nil {
		if conn, err := f.dial(ctx); err == nil {
			wait = listenAgain
			f.signal() // what was told while nobody listened
			f.hear(ctx, conn)
			end(conn)
		}
		pause := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
		wait = min(2*wait, listenAgainMax)
	}
}

func (f *feed) dial(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, listenPing)
	defer cancel()
	cfg := f.s.pool.Config().ConnConfig
	cfg.RuntimeParams["application_name"] = "tutti listens"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+f.s.channel); err != nil {
		end(conn)
		return nil, err
	}
	return conn, nil
}

// hear passes notifications on until ctx ends or the connection is lost.
func (f *feed) hear(ctx context.Context, conn *pgx.Conn) {
	for ctx.Err() == nil {
		waiting, cancel := context.WithTimeout(ctx, listenPing)
		err := conn.PgConn().WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			f.signal()
		case !pgconn.Timeout(err) || !ping(ctx, conn):
			return
		}
	}
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func ping(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, listenPing)
	defer cancel()
	return conn.Ping(ctx) == nil
}

// end closes a connection and waits until it is closed, but not long.
func end(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
