package postgres

import (
	"context"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// KeepShape is promised at store.Store.
func (s *Store) KeepShape(ctx context.Context, shape tutti.Shape) error {
	if err := store.CheckShape(shape); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO shapes (source, kind, body, kept_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (source, kind) DO UPDATE SET body = excluded.body, kept_at = excluded.kept_at`,
		shape.Source, shape.Kind, string(shape.Body), store.Time(shape.At))
	return fail("keeping a shape", err)
}

// Shapes is promised at store.Store.
func (s *Store) Shapes(ctx context.Context) ([]tutti.Shape, error) {
	rows, err := s.pool.Query(ctx, "SELECT source, kind, body, kept_at FROM shapes ORDER BY source, kind")
	if err != nil {
		return nil, fail("reading shapes", err)
	}
	defer rows.Close()
	list := []tutti.Shape{}
	for rows.Next() {
		var one tutti.Shape
		var body string
		if err := rows.Scan(&one.Source, &one.Kind, &body, at{&one.At}); err != nil {
			return nil, fail("reading shapes", err)
		}
		one.Body = []byte(body)
		list = append(list, one)
	}
	return list, fail("reading shapes", rows.Err())
}
