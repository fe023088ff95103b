package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

func testPolls(t *testing.T, database Database) {
	ctx := context.Background()
	take := func(t *testing.T, s store.Store, minutes int) tutti.Poll {
		t.Helper()
		p, err := s.TakePoll(ctx, "dam", "asset", after(minutes), 2*time.Minute)
		noError(t, err)
		return p
	}
	done := func(t *testing.T, s store.Store, p tutti.Poll, stale, purged []string) bool {
		t.Helper()
		kept, err := s.Polled(ctx, p, stale, purged, after(1))
		noError(t, err)
		return kept
	}

	t.Run("one has the turn, and says when the next is due", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		p := take(t, one, 0)
		equal(t, "first", p, tutti.Poll{Source: "dam", Kind: "asset", Due: after(2), Mine: true, Lease: after(2)})
		equal(t, "the other", take(t, other, 1).Mine, false)
		equal(t, "the same again", take(t, one, 1).Mine, false)
		p.Cursor, p.Last, p.Due = "here", after(1), after(10)
		equal(t, "kept", done(t, one, p, nil, nil), true)
		q := take(t, other, 9)
		equal(t, "before it is due", q, tutti.Poll{Source: "dam", Kind: "asset", Cursor: "here", Last: after(1), Due: after(10)})
		q = take(t, other, 10)
		equal(t, "when it is due", q, tutti.Poll{Source: "dam", Kind: "asset", Cursor: "here", Last: after(1), Due: after(12), Mine: true, Lease: after(12)})
		equal(t, "another kind", mine(t, one, "dam", "picture"), true)
		equal(t, "another source", mine(t, one, "cms", "asset"), true)
	})
	t.Run("a turn that was over is lost", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		p := take(t, one, 0)
		q := take(t, other, 2)
		equal(t, "the other takes it", q.Mine, true)
		p.Cursor, p.Due = "late", after(3)
		equal(t, "kept", done(t, one, p, []string{"dam:asset/1"}, nil), false)
		equal(t, "told", len(backup(t, one, "outbox")), 0)
		q.Cursor, q.Due = "mine", after(3)
		equal(t, "kept", done(t, other, q, nil, nil), true)
		equal(t, "cursor", take(t, one, 3).Cursor, "mine")
	})
	t.Run("what is old is told with the cursor", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		f, err := other.Feed(ctx)
		noError(t, err)
		defer f.Close()
		p := take(t, one, 0)
		p.Due = after(3)
		equal(t, "kept", done(t, one, p, []string{"dam:asset/1", "dam:asset"}, []string{"dam:asset/2"}), true)
		notices, err := f.Read(ctx, after(1))
		noError(t, err)
		told := map[store.Topic][]string{}
		for _, n := range notices {
			told[n.Topic] = n.Tags
		}
		equal(t, "notices", told, map[store.Topic][]string{store.StaleTopic: {"dam:asset/1", "dam:asset"}, store.PurgeTopic: {"dam:asset/2"}})
	})
	t.Run("of twenty at once one has it", func(t *testing.T) {
		open := database(t)
		stores := []store.Store{openOne(t, open), openOne(t, open)}
		for round := range 3 {
			var turns atomic.Int32
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					p, err := stores[i%2].TakePoll(ctx, "dam", "asset", after(3*round), 2*time.Minute)
					if err != nil {
						t.Errorf("taking a poll: %v", err)
					}
					if p.Mine {
						turns.Add(1)
					}
				})
			}
			wg.Wait()
			equal(t, "turns", turns.Load(), int32(1))
		}
	})
}

func mine(t *testing.T, s store.Store, source, kind string) bool {
	t.Helper()
	p, err := s.TakePoll(t.Context(), source, kind, noon, time.Minute)
	noError(t, err)
	return p.Mine
}
