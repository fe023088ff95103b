package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Invalidate is promised at store.Store.
func (s *Store) Invalidate(ctx context.Context, purge bool, tags []string, line tutti.AuditEntry) error {
	return s.change(ctx, "invalidating", func(tx *sql.Tx) error {
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
	return s.change(ctx, "suppressing", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO suppressions (ref, reason, until_at, created_by, created_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (ref) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at,
				created_by = excluded.created_by, created_at = excluded.created_at`,
			p.Ref.String(), p.Reason, micros(p.Until), p.CreatedBy, micros(p.CreatedAt))
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
	return s.change(ctx, "taking a suppression back", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM suppressions WHERE ref = ? AND (until_at IS NULL OR until_at > ?)", ref.String(), micros(store.Time(now)))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, store.NotSuppressed(ref))
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
	rows, err := s.read.QueryContext(ctx, `
		SELECT ref, reason, until_at, created_by, created_at
		FROM suppressions WHERE until_at IS NULL OR until_at > ? ORDER BY ref`, micros(store.Time(now)))
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

// audit adds a line to the audit log.
func audit(ctx context.Context, tx *sql.Tx, line tutti.AuditEntry) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (action, subject, detail, reason, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		line.Action, line.Subject, line.Detail, line.Reason, line.By, micros(store.Time(line.At)))
	return err
}

// Audit is promised at store.Store.
func (s *Store) Audit(ctx context.Context, first int, before int64) ([]tutti.AuditEntry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT id, action, subject, detail, reason, created_by, created_at
		FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?`, before, max(first, 0))
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
