package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Drafts is promised at store.Store.
func (s *Store) Drafts(ctx context.Context, kind tutti.DocumentKind) ([]tutti.Draft, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT name, body, revision, updated_by, updated_at
		FROM drafts WHERE kind = ? AND body IS NOT NULL ORDER BY name`, kind)
	if err != nil {
		return nil, fail("reading drafts", err)
	}
	defer rows.Close()
	drafts := []tutti.Draft{}
	for rows.Next() {
		d := tutti.Draft{Kind: kind}
		if err := rows.Scan(&d.Name, (*[]byte)(&d.Body), &d.Revision, &d.UpdatedBy, at{&d.UpdatedAt}); err != nil {
			return nil, fail("reading drafts", err)
		}
		drafts = append(drafts, d)
	}
	return drafts, fail("reading drafts", rows.Err())
}

// Draft is promised at store.Store.
func (s *Store) Draft(ctx context.Context, kind tutti.DocumentKind, name string) (tutti.Draft, error) {
	d, err := draft(ctx, s.read, kind, name)
	if err != nil {
		return tutti.Draft{}, fail("reading a draft", err)
	}
	if d.Body == nil {
		return tutti.Draft{}, store.NoDraft(kind, name)
	}
	return d, nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// draft reads a draft's row. A deleted draft has no body; one that never was has revision 0 too.
func draft(ctx context.Context, q querier, kind tutti.DocumentKind, name string) (tutti.Draft, error) {
	d := tutti.Draft{Kind: kind, Name: name}
	err := q.QueryRowContext(ctx, `
		SELECT body, revision, updated_by, updated_at
		FROM drafts WHERE kind = ? AND name = ?`, kind, name).
		Scan((*[]byte)(&d.Body), &d.Revision, &d.UpdatedBy, at{&d.UpdatedAt})
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	return d, err
}

// SaveDraft is promised at store.Store.
func (s *Store) SaveDraft(ctx context.Context, d tutti.Draft, by string, now time.Time) (tutti.Draft, error) {
	body, err := store.CheckDraft(d)
	if err != nil {
		return tutti.Draft{}, err
	}
	d.Body = body
	err = s.change(ctx, "saving a draft", func(tx *sql.Tx) (err error) {
		d, err = s.saveDraft(ctx, tx, d, by, now)
		return err
	})
	if err != nil {
		return tutti.Draft{}, err
	}
	return d, nil
}

func (s *Store) saveDraft(ctx context.Context, tx *sql.Tx, d tutti.Draft, by string, now time.Time) (tutti.Draft, error) {
	old, err := draft(ctx, tx, d.Kind, d.Name)
	if err != nil {
		return d, err
	}
	if err := store.CheckRevision(old, d.Revision); err != nil {
		return d, err
	}
	d.Revision, d.UpdatedBy, d.UpdatedAt = old.Revision+1, by, store.Time(now)
	_, err = tx.ExecContext(ctx, `
		INSERT INTO drafts (kind, name, body, revision, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body, revision = excluded.revision,
			updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
		d.Kind, d.Name, string(d.Body), d.Revision, d.UpdatedBy, micros(d.UpdatedAt))
	if err != nil {
		return d, err
	}
	return d, s.count(ctx, tx)
}

// DeleteDraft is promised at store.Store.
func (s *Store) DeleteDraft(ctx context.Context, kind tutti.DocumentKind, name, by string, now time.Time) error {
	return s.change(ctx, "deleting a draft", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `
			UPDATE drafts SET body = NULL, revision = revision + 1, updated_by = ?, updated_at = ?
			WHERE kind = ? AND name = ? AND body IS NOT NULL`, by, micros(store.Time(now)), kind, name)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, store.NoDraft(kind, name))
		}
		return s.count(ctx, tx)
	})
}
