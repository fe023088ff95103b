package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Publish is promised at store.Store.
func (s *Store) Publish(ctx context.Context, kind tutti.DocumentKind, name string, revision int, from time.Time, note, by string, now time.Time) (tutti.Publication, error) {
	from, err := store.CheckFrom(from, now)
	if err != nil {
		return tutti.Publication{}, err
	}
	p := tutti.Publication{Kind: kind, Name: name, From: from, CreatedBy: by, CreatedAt: store.Time(now)}
	err = s.change(ctx, "publishing", func(tx pgx.Tx) error {
		d, err := holdDraft(ctx, tx, kind, name)
		if err != nil {
			return err
		}
		if err := store.CheckPublish(d, revision); err != nil {
			return err
		}
		if p.Version, err = keepVersion(ctx, tx, d, note, by, p.CreatedAt); err != nil {
			return err
		}
		if err := appendPublication(ctx, tx, &p); err != nil {
			return err
		}
		return s.count(ctx, tx)
	})
	if err != nil {
		return tutti.Publication{}, err
	}
	return p, nil
}

// keepVersion gives the number of the newest version when it has the draft's body, else of a new one.
func keepVersion(ctx context.Context, tx pgx.Tx, d tutti.Draft, note, by string, now time.Time) (int, error) {
	var newest int
	var same bool
	err := tx.QueryRow(ctx, `
		SELECT number, body = $1 FROM versions
		WHERE kind = $2 AND name = $3 ORDER BY number DESC LIMIT 1`, string(d.Body), d.Kind, d.Name).Scan(&newest, &same)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, err
	}
	if same {
		return newest, nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO versions (kind, name, number, body, note, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.Kind, d.Name, newest+1, string(d.Body), note, by, when(now))
	return newest + 1, err
}

// appendPublication ends the line in force at p.From, and adds p until the next planned line.
func appendPublication(ctx context.Context, tx pgx.Tx, p *tutti.Publication) error {
	from := when(p.From)
	_, err := tx.Exec(ctx, `
		UPDATE publications SET until_at = $3, ended_by = $4
		WHERE kind = $1 AND name = $2 AND from_at <= $3 AND (until_at IS NULL OR until_at > $3)`, p.Kind, p.Name, from, p.CreatedBy)
	if err != nil {
		return err
	}
	// A line that was made to count at once, and yet begins later: the clock was set back since.
	_, err = tx.Exec(ctx, `
		UPDATE publications SET until_at = from_at, ended_by = $4
		WHERE kind = $1 AND name = $2 AND from_at > $3 AND from_at = created_at AND (until_at IS NULL OR until_at > from_at)`, p.Kind, p.Name, from, p.CreatedBy)
	if err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `
		SELECT MIN(from_at) FROM publications
		WHERE kind = $1 AND name = $2 AND from_at > $3 AND (until_at IS NULL OR until_at > from_at)`, p.Kind, p.Name, from).
		Scan(at{&p.Until})
	if err != nil {
		return err
	}
	return tx.QueryRow(ctx, `
		INSERT INTO publications (kind, name, version, from_at, until_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id`, p.Kind, p.Name, p.Version, from, when(p.Until), p.CreatedBy, when(p.CreatedAt)).
		Scan(&p.ID)
}

// Unpublish is promised at store.Store.
func (s *Store) Unpublish(ctx context.Context, kind tutti.DocumentKind, name, by string, now time.Time) error {
	return s.change(ctx, "unpublishing", func(tx pgx.Tx) error {
		if _, err := holdDraft(ctx, tx, kind, name); err != nil { // whoever publishes waits
			return err
		}
		done, err := tx.Exec(ctx, `
			UPDATE publications SET until_at = GREATEST(from_at, $3), ended_by = $4
			WHERE kind = $1 AND name = $2 AND (until_at IS NULL OR until_at > GREATEST(from_at, $3))`, kind, name, when(store.Time(now)), by)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return store.NotPublished(kind, name)
		}
		return s.count(ctx, tx)
	})
}

// Publications is promised at store.Store.
func (s *Store) Publications(ctx context.Context, kind tutti.DocumentKind, name string, first int, before int64) ([]tutti.Publication, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id, kind, name, version, from_at, until_at, created_by, created_at, COALESCE(ended_by, '') FROM publications
		WHERE ($1 = '' OR kind = $1) AND ($2 = '' OR name = $2) AND id < $3 ORDER BY id DESC LIMIT $4`,
		kind, name, before, max(first, 0))
	if err != nil {
		return nil, fail("reading publications", err)
	}
	defer rows.Close()
	publications := []tutti.Publication{}
	for rows.Next() {
		var p tutti.Publication
		if err := rows.Scan(&p.ID, &p.Kind, &p.Name, &p.Version, at{&p.From}, at{&p.Until}, &p.CreatedBy, at{&p.CreatedAt}, &p.EndedBy); err != nil {
			return nil, fail("reading publications", err)
		}
		publications = append(publications, p)
	}
	return publications, fail("reading publications", rows.Err())
}
