package storetest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti/store"
)

func testEvents(t *testing.T, database Database) {
	ctx := context.Background()
	seen := func(t *testing.T, s store.Store, source, id string, at time.Time) bool {
		t.Helper()
		first, err := s.Seen(ctx, source, id, []string{source + ":asset/" + id}, at, store.EventsKept)
		noError(t, err)
		return first
	}

	t.Run("the first time is the first, per source", func(t *testing.T) {
		s := start(t, database)
		long := strings.Repeat("long ", 2000)
		for _, id := range []string{"1", "", "a\x00b", "a\xff", long, long + "."} {
			equal(t, "first", seen(t, s, "dam", id, after(0)), true)
			equal(t, "again", seen(t, s, "dam", id, after(1)), false)
			equal(t, "another source", seen(t, s, "catalog", id, after(1)), true)
		}
	})
	t.Run("of twenty at once one is first", func(t *testing.T) {
		open := database(t)
		stores := []store.Store{openOne(t, open), openOne(t, open)}
		var firsts atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				first, err := stores[i%2].Seen(ctx, "dam", "1", []string{"dam:asset/x"}, noon, store.EventsKept)
				if err != nil {
					t.Errorf("noting an event: %v", err)
				}
				if first {
					firsts.Add(1)
				}
			})
		}
		wg.Wait()
		equal(t, "firsts", firsts.Load(), int32(1))
		lines := backup(t, stores[0], "outbox")
		equal(t, "rows of the outbox", len(lines), 1)
		equal(t, "tags", lines[0]["tags"], `["dam:asset/x"]`)
	})
	t.Run("is another one after some time", func(t *testing.T) {
		s := start(t, database)
		for minute, want := range []bool{true, false, true, false, true} {
			first, err := s.Seen(ctx, "dam", "1", []string{"dam:asset/1"}, after(minute), 2*time.Minute)
			noError(t, err)
			equal(t, "first", first, want)
		}
		equal(t, "rows of the outbox", len(backup(t, s, "outbox")), 3)
	})
	t.Run("forgets after 48 hours", func(t *testing.T) {
		s := start(t, database)
		seen(t, s, "dam", "old", after(0))
		seen(t, s, "dam", "young", after(1))
		n, err := s.PruneEvents(ctx, after(0).Add(store.EventsKept))
		noError(t, err)
		equal(t, "pruned at 48 hours", n, 0)
		n, err = s.PruneEvents(ctx, after(1).Add(store.EventsKept))
		noError(t, err)
		equal(t, "pruned a minute later", n, 1)
		equal(t, "rows of the outbox", len(backup(t, s, "outbox")), 1)
		equal(t, "young", seen(t, s, "dam", "young", after(2)), false)
		equal(t, "old", seen(t, s, "dam", "old", after(2)), true)
	})
}
