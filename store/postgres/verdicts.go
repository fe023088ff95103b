package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Judge is promised at store.Store. All goes in one exchange with the server.
func (s *Store) Judge(ctx context.Context, list []tutti.Verdict, tags func(tutti.Ref) []string) error {
	all := &pgx.Batch{}
	for _, v := range list {
		v, err := store.CheckVerdict(v)
		if err != nil {
			return err
		}
		if v.Judgement == "" {
			all.Queue("DELETE FROM verdicts WHERE ref = $1", v.Ref.String())
		} else {
			all.Queue(`
				INSERT INTO verdicts (ref, judgement, reason, seen_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (ref) DO UPDATE SET judgement = excluded.judgement, reason = excluded.reason,
					seen_at = excluded.seen_at, created_by = excluded.created_by, created_at = excluded.created_at`,
				v.Ref.String(), v.Judgement, v.Reason, when(v.Seen), v.CreatedBy, when(v.CreatedAt))
		}
		line := store.Judged(v)
		all.Queue(addAudit, line.Action, line.Subject, line.Detail, line.Reason, line.By, when(store.Time(line.At)))
		all.Queue(addOutbox, v.Ref.Source, store.Strings(tags(v.Ref)), store.Time(v.CreatedAt), string(store.TopicOfVerdict(v)), s.writer)
	}
	return s.change(ctx, "storing verdicts", func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, all).Close(); err != nil {
			return err
		}
		return s.count(ctx, tx)
	})
}

// Verdicts is promised at store.Store.
func (s *Store) Verdicts(ctx context.Context) ([]tutti.Verdict, error) {
	rows, err := s.pool.Query(ctx, "SELECT ref, judgement, reason, seen_at, created_by, created_at FROM verdicts ORDER BY ref")
	if err != nil {
		return nil, fail("reading verdicts", err)
	}
	defer rows.Close()
	list := []tutti.Verdict{}
	for rows.Next() {
		var v tutti.Verdict
		var ref string
		if err := rows.Scan(&ref, &v.Judgement, &v.Reason, at{&v.Seen}, &v.CreatedBy, at{&v.CreatedAt}); err != nil {
			return nil, fail("reading verdicts", err)
		}
		if v.Ref, err = tutti.ParseRef(ref); err != nil {
			return nil, fail("reading verdicts", err)
		}
		list = append(list, v)
	}
	return list, fail("reading verdicts", rows.Err())
}
