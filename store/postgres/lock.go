package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tuttihq/tutti/store"
)

// lockPing is how often the connection that holds the lock is asked whether it still works: a
// broken network says nothing by itself.
const lockPing = 3 * time.Second

const lockKey = "hashtextextended('tutti serves ' || current_schema(), 0)"

// Lock is promised at store.Store. It is an advisory lock on a connection of its own: Postgres
// gives it back as soon as that connection ends. So it needs a direct connection, not one
// through a pooler that shares connections between transactions.
func (s *Store) Lock(ctx context.Context) (*store.Lock, error) {
	conn, err := s.lockConn(ctx)
	if err != nil {
		return nil, fail("locking the database", err)
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	lost, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		watch(watching, conn, lost)
	}()
	lock := store.NewLock(lost, func() {
		stop()
		<-watched
		release(conn)
		s.mu.Lock()
		s.lock = nil
		s.mu.Unlock()
	})
	s.mu.Lock()
	s.lock = lock
	s.mu.Unlock()
	return lock, nil
}

// lockConn connects and takes the lock.
func (s *Store) lockConn(ctx context.Context) (*pgx.Conn, error) {
	cfg := s.pool.Config().ConnConfig
	cfg.RuntimeParams["application_name"] = "tutti " + store.Holder()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var held bool
	if err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock("+lockKey+")").Scan(&held); err == nil && !held {
		err = heldBy(ctx, conn)
	}
	if err != nil {
		end(conn)
		return nil, err
	}
	return conn, nil
}

// heldBy reads who holds the lock. Postgres tells the name only to the same user.
func heldBy(ctx context.Context, conn *pgx.Conn) error {
	var name string
	var since time.Time
	err := conn.QueryRow(ctx, `
		SELECT COALESCE(a.application_name, ''), a.backend_start
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (l.classid::bigint << 32 | l.objid::bigint) = `+lockKey).Scan(&name, at{&since})
	if err != nil || since.IsZero() {
		return store.LockedBy("", "")
	}
	return store.LockedBy(name, since.Format(time.RFC3339))
}

// watch reads the connection, on which nothing comes while all is well, until ctx ends or the
// connection is lost.
func watch(ctx context.Context, conn *pgx.Conn, lost chan<- struct{}) {
	for {
		waiting, cancel := context.WithTimeout(ctx, lockPing)
		err := conn.PgConn().WaitForNotification(waiting)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue // nobody notifies here; should somebody, it is no loss
		}
		if pgconn.Timeout(err) && ping(ctx, conn) {
			continue
		}
		if ctx.Err() == nil {
			close(lost)
		}
		return
	}
}

// ping asks something, also when ctx ends meanwhile: cancelling would close the connection.
func ping(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockPing)
	defer cancel()
	return conn.Ping(ctx) == nil
}

// release gives the lock back before closing, for Postgres notices a closed connection only a
// moment later. Where the connection is lost, so is the lock.
func release(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), lockPing)
	defer cancel()
	_, _ = conn.Exec(ctx, "SELECT pg_advisory_unlock("+lockKey+")")
	end(conn)
}

// end closes a connection and waits until it is closed, but not long.
func end(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), lockPing)
	defer cancel()
	_ = conn.Close(ctx)
}
