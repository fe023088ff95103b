package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Invalidate is promised at store.Store.
func (s *Store) Invalidate(ctx context.Context, purge bool, tags []string, line tutti.AuditEntry) error {
	return s.change(ctx, "invalidating", func(tx pgx.Tx) error {
		if err := audit(ctx, tx, line); err != nil {
			return err
		}
		return s.tell(ctx, tx, store.TopicOf(purge), "", tags, line.At)
	})
}

// Suppress is promised at store.Store.
func (s *Store) Suppress(ctx context.Context, p tutti.Suppression, tags []string) error {
	p, err := store.CheckSuppression(p)
	if err != nil {
		return err
	}
	return s.change(ctx, "suppressing", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO suppressions (ref, reason, until_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (ref) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at,
				created_by = excluded.created_by, created_at = excluded.created_at`,
			p.Ref.String(), p.Reason, when(p.Until), p.CreatedBy, when(p.CreatedAt))
		if err != nil {
			return err
		}
		if err := audit(ctx, tx, store.Suppressed(p)); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, store.PurgeTopic, p.Ref.Source, tags, p.CreatedAt); err != nil {
			return err
		}
		return s.count(ctx, tx)
	})
}

// Unsuppress is promised at store.Store.
func (s *Store) Unsuppress(ctx context.Context, ref tutti.Ref, tags []string, reason, by string, now time.Time) error {
	if err := store.CheckReason(reason); err != nil {
		return err
	}
	return s.change(ctx, "taking a suppression back", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM suppressions WHERE ref = $1 AND (until_at IS NULL OR until_at > $2)", ref.String(), when(store.Time(now)))
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return store.NotSuppressed(ref)
		}
		line := tutti.AuditEntry{Action: tutti.AuditUnsuppress, Subject: ref.String(), Reason: reason, By: by, At: now}
		if err := audit(ctx, tx, line); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, store.StaleTopic, ref.Source, tags, now); err != nil {
			return err
		}
		return s.count(ctx, tx)
	})
}

// Suppressions is promised at store.Store.
func (s *Store) Suppressions(ctx context.Context, now time.Time) ([]tutti.Suppression, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT ref, reason, until_at, created_by, created_at
		FROM suppressions WHERE until_at IS NULL OR until_at > $1 ORDER BY ref`, when(store.Time(now)))
	if err != nil {
		return nil, fail("reading suppressions", err)
	}
	defer rows.Close()
	list := []tutti.Suppression{}
	for rows.Next() {
		var p tutti.Suppression
		var ref string
		if err := rows.Scan(&ref, &p.Reason, at{&p.Until}, &p.CreatedBy, at{&p.CreatedAt}); err != nil {
			return nil, fail("reading suppressions", err)
		}
		if p.Ref, err = tutti.ParseRef(ref); err != nil {
			return nil, fail("reading suppressions", err)
		}
		list = append(list, p)
	}
	return list, fail("reading suppressions", rows.Err())
}

const addAudit = "INSERT INTO audit (action, subject, detail, reason, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)"

// audit adds a line to the audit log.
func audit(ctx context.Context, tx pgx.Tx, line tutti.AuditEntry) error {
	_, err := tx.Exec(ctx, addAudit,
		line.Action, line.Subject, line.Detail, line.Reason, line.By, when(store.Time(line.At)))
	return err
}

// Audit is promised at store.Store.
func (s *Store) Audit(ctx context.Context, first int, before int64) ([]tutti.AuditEntry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id, action, subject, detail, reason, created_by, created_at
		FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2`, before, max(first, 0))
	if err != nil {
		return nil, fail("reading the audit log", err)
	}
	defer rows.Close()
	lines := []tutti.AuditEntry{}
	for rows.Next() {
		var l tutti.AuditEntry
		if err := rows.Scan(&l.ID, &l.Action, &l.Subject, &l.Detail, &l.Reason, &l.By, at{&l.At}); err != nil {
			return nil, fail("reading the audit log", err)
		}
		lines = append(lines, l)
	}
	return lines, fail("reading the audit log", rows.Err())
}
