package postgres

import (
	"context"
	"time"

	"github.com/tuttihq/tutti/store"
)

// Published is promised at store.Store.
func (s *Store) Published(ctx context.Context, now time.Time) ([]store.Published, time.Time, error) {
	// One statement, so one state of the database. Planned lines come without their bodies.
	rows, err := s.pool.Query(ctx, `
		SELECT p.kind, p.name, p.version, p.from_at, p.until_at, CASE WHEN p.from_at <= $1 THEN v.body END
		FROM publications p JOIN versions v ON v.kind = p.kind AND v.name = p.name AND v.number = p.version
		WHERE p.until_at IS NULL OR p.until_at > GREATEST($1, p.from_at)
		ORDER BY p.kind, p.name, p.from_at`, when(store.Time(now)))
	if err != nil {
		return nil, time.Time{}, fail("reading what is published", err)
	}
	defer rows.Close()
	set := store.NewPublishedSet(now)
	for rows.Next() {
		var p store.Published
		if err := rows.Scan(&p.Kind, &p.Name, &p.Version, at{&p.From}, at{&p.Until}, (*[]byte)(&p.Body)); err != nil {
			return nil, time.Time{}, fail("reading what is published", err)
		}
		set.Add(p)
	}
	if err := rows.Err(); err != nil {
		return nil, time.Time{}, fail("reading what is published", err)
	}
	docs, next := set.Result()
	return docs, next, nil
}
