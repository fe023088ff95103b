package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// TakePoll is promised at store.Store.
func (s *Store) TakePoll(ctx context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error) {
	p, until := tutti.Poll{Source: source, Kind: kind}, store.Time(now.Add(lease))
	err := s.change(ctx, "taking a poll", func(tx *sql.Tx) error {
		scan := func(row *sql.Row) error { return row.Scan(&p.Cursor, at{&p.Due}, at{&p.Last}) }
		err := scan(tx.QueryRowContext(ctx, `
			INSERT INTO polls (source, kind, cursor, holder, due_at) VALUES (?, ?, '', ?, ?)
			ON CONFLICT (source, kind) DO UPDATE SET holder = excluded.holder, due_at = excluded.due_at WHERE polls.due_at <= ?
			RETURNING cursor, due_at, polled_at`, source, kind, s.writer, until.UnixMicro(), store.Time(now).UnixMicro()))
		if p.Mine = err == nil; errors.Is(err, sql.ErrNoRows) {
			err = scan(tx.QueryRowContext(ctx, "SELECT cursor, due_at, polled_at FROM polls WHERE source = ? AND kind = ?", source, kind))
		}
		return err
	})
	if p.Mine = p.Mine && err == nil; p.Mine {
		p.Lease = until
	}
	return p, err
}

// Polled is promised at store.Store.
func (s *Store) Polled(ctx context.Context, p tutti.Poll, stale, purged []string, now time.Time) (bool, error) {
	kept := false
	err := s.change(ctx, "noting a poll", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE polls SET cursor = ?, due_at = ?, polled_at = ? WHERE source = ? AND kind = ? AND holder = ? AND due_at = ?",
			p.Cursor, store.Time(p.Due).UnixMicro(), micros(p.Last), p.Source, p.Kind, s.writer, p.Lease.UnixMicro())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		kept = true
		for topic, tags := range map[store.Topic][]string{store.StaleTopic: stale, store.PurgeTopic: purged} {
			if len(tags) == 0 {
				continue
			}
			if err := s.tell(ctx, tx, topic, p.Source, tags, now); err != nil {
				return err
			}
		}
		return nil
	})
	return kept && err == nil, err
}
