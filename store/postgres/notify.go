package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti/store"
)

// A NOTIFY takes a lock that all of a server's notifying transactions share, at their commit. So
// none is part of a write: one goroutine sends an empty one for all writes since its last, at
// most fifty a second. When one is lost, the others find the rows within a second by themselves.
const notifyEvery = 20 * time.Millisecond

// channel names what this schema's processes listen to. A name may have 63 bytes.
func channel(ctx context.Context, l limited) (string, error) {
	var schema string
	if err := l.QueryRow(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return "", fail("opening the database", err)
	}
	sum := sha256.Sum256([]byte(schema))
	return "tutti_" + hex.EncodeToString(sum[:8]), nil
}

const addOutbox = "INSERT INTO outbox (source, tags, created_at, topic, writer) VALUES ($1, $2, $3, $4, $5)"

// tell writes a notice for other processes.
func (s *Store) tell(ctx context.Context, tx pgx.Tx, topic store.Topic, source string, tags []string, now time.Time) error {
	_, err := tx.Exec(ctx, addOutbox,
		source, store.Strings(tags), store.Time(now), string(topic), s.writer)
	return err
}

// wrote says that a transaction was committed.
func (s *Store) wrote() {
	select {
	case s.writes <- struct{}{}:
	default: // the notification that is due anyway comes after this commit
	}
}

// notify sends notifications until the store is closed, the last one for what came before that.
func (s *Store) notify() {
	defer close(s.notified)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-s.writes:
		case <-s.closing:
			select {
			case <-s.writes:
				s.sendNotification()
			default:
			}
			return
		}
		s.sendNotification()
		pause.Reset(notifyEvery)
		select {
		case <-pause.C:
		case <-s.closing:
		}
	}
}

func (s *Store) sendNotification() {
	// Polling stands in for one that fails.
	_, _ = s.pool.Exec(context.Background(), "SELECT pg_notify($1, '')", s.channel)
}
