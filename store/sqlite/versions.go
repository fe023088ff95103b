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

// Version is promised at store.Store.
func (s *Store) Version(ctx context.Context, kind tutti.DocumentKind, name string, number int) (tutti.Version, error) {
	v, err := version(ctx, s.read, kind, name, number)
	return v, fail("reading a version", err)
}

func version(ctx context.Context, q querier, kind tutti.DocumentKind, name string, number int) (tutti.Version, error) {
	v := tutti.Version{Kind: kind, Name: name, Number: number}
	err := q.QueryRowContext(ctx, `
		SELECT body, note, created_by, created_at
		FROM versions WHERE kind = ? AND name = ? AND number = ?`, kind, name, number).
		Scan((*[]byte)(&v.Body), &v.Note, &v.CreatedBy, at{&v.CreatedAt})
	if errors.Is(err, sql.ErrNoRows) {
		return tutti.Version{}, store.NoVersion(kind, name, number)
	}
	return v, err
}

// Versions is promised at store.Store.
func (s *Store) Versions(ctx context.Context, kind tutti.DocumentKind, name string, first, before int) ([]tutti.Version, error) {
	if before <= 0 {
		before = math.MaxInt
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT number, body, note, created_by, created_at
		FROM versions WHERE kind = ? AND name = ? AND number < ? ORDER BY number DESC LIMIT ?`,
		kind, name, before, max(first, 0))
	if err != nil {
		return nil, fail("reading versions", err)
	}
	defer rows.Close()
	versions := []tutti.Version{}
	for rows.Next() {
		v := tutti.Version{Kind: kind, Name: name}
		if err := rows.Scan(&v.Number, (*[]byte)(&v.Body), &v.Note, &v.CreatedBy, at{&v.CreatedAt}); err != nil {
			return nil, fail("reading versions", err)
		}
		versions = append(versions, v)
	}
	return versions, fail("reading versions", rows.Err())
}

// Restore is promised at store.Store.
func (s *Store) Restore(ctx context.Context, kind tutti.DocumentKind, name string, number, revision int, by string, now time.Time) (tutti.Draft, error) {
	var d tutti.Draft
	err := s.change(ctx, "restoring a version", func(tx *sql.Tx) error {
		v, err := version(ctx, tx, kind, name, number)
		if err != nil {
			return err
		}
		d, err = s.saveDraft(ctx, tx, tutti.Draft{Kind: kind, Name: name, Body: v.Body, Revision: revision}, by, now)
		return err
	})
	if err != nil {
		return tutti.Draft{}, err
	}
	return d, nil
}
