package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// TakePoll is promised at store.Store.
func (s *Store) TakePoll(ctx context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error) {
	p, until := tutti.Poll{Source: source, Kind: kind}, store.Time(now.Add(lease))
	err := s.change(ctx, "taking a poll", func(tx pgx.Tx) error {
		scan := func(row pgx.Row) error { return row.Scan(&p.Cursor, at{&p.Due}, at{&p.Last}) }
		err := scan(tx.QueryRow(ctx, `
			INSERT INTO polls (source, kind, cursor, holder, due_at) VALUES ($1, $2, '', $3, $4)
			ON CONFLICT (source, kind) DO UPDATE SET holder = excluded.holder, due_at = excluded.due_at WHERE polls.due_at <= $5
			RETURNING cursor, due_at, polled_at`, source, kind, s.writer, until, store.Time(now)))
		if p.Mine = err == nil; errors.Is(err, pgx.ErrNoRows) {
			err = scan(tx.QueryRow(ctx, "SELECT cursor, due_at, polled_at FROM polls WHERE source = $1 AND kind = $2", source, kind))
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
	err := s.change(ctx, "noting a poll", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE polls SET cursor = $1, due_at = $2, polled_at = $3 WHERE source = $4 AND kind = $5 AND holder = $6 AND due_at = $7",
			p.Cursor, store.Time(p.Due), when(p.Last), p.Source, p.Kind, s.writer, p.Lease)
		if err != nil || done.RowsAffected() == 0 {
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
