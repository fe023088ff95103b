package sqlite

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
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO shapes (source, kind, body, kept_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (source, kind) DO UPDATE SET body = excluded.body, kept_at = excluded.kept_at`,
		shape.Source, shape.Kind, string(shape.Body), store.Time(shape.At).UnixMicro())
	return fail("keeping a shape", err)
}

// Shapes is promised at store.Store.
func (s *Store) Shapes(ctx context.Context) ([]tutti.Shape, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT source, kind, body, kept_at FROM shapes ORDER BY source, kind")
	if err != nil {
		return nil, fail("reading shapes", err)
	}
	defer rows.Close()
	list := []tutti.Shape{}
	for rows.Next() {
		var one tutti.Shape
		if err := rows.Scan(&one.Source, &one.Kind, &one.Body, at{&one.At}); err != nil {
			return nil, fail("reading shapes", err)
		}
		list = append(list, one)
	}
	return list, fail("reading shapes", rows.Err())
}
