package sqlite

import (
	"context"
	"time"

	"github.com/tuttihq/tutti/store"
)

// feed reads the outbox by its ids: SQLite has one writer at a time, so rows become visible in
// their order.
type feed struct {
	s     *Store
	after int64     // the last id read
	last  time.Time // of the last Read
}

// Feed is promised at store.Store. Nothing wakes it: the one process that serves the file hears
// of commands like tutti keys by reading.
func (s *Store) Feed(ctx context.Context) (store.Feed, error) {
	f := &feed{s: s}
	err := s.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM outbox").Scan(&f.after)
	if err != nil {
		return nil, fail("opening the feed", err)
	}
	return f, nil
}

// Wake never receives.
func (f *feed) Wake() <-chan struct{} { return nil }

// Read is promised at store.Feed.
func (f *feed) Read(ctx context.Context, now time.Time) ([]store.Notice, error) {
	missed := !f.last.IsZero() && store.Missed(f.last, now)
	rows, err := f.s.read.QueryContext(ctx, "SELECT id, topic, tags, writer FROM outbox WHERE id > ? ORDER BY id", f.after)
	if err != nil {
		return nil, fail("reading the feed", err)
	}
	defer rows.Close()
	after, notices := f.after, []store.Notice{}
	for rows.Next() {
		var n store.Notice
		var tags, writer string
		if err := rows.Scan(&after, &n.Topic, &tags, &writer); err != nil {
			return nil, fail("reading the feed", err)
		}
		if writer == f.s.writer {
			continue
		}
		if n.Tags, err = store.ParseStrings(tags); err != nil {
			return nil, fail("reading the feed", err)
		}
		notices = append(notices, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fail("reading the feed", err)
	}
	f.after, f.last = after, now
	if missed {
		notices = append(notices, store.Everything()...)
	}
	return notices, nil
}

// Behind is always zero.
func (f *feed) Behind() time.Duration { return 0 }

// Close does nothing.
func (f *feed) Close() {}
