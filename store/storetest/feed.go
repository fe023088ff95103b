package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// openFeed opens a store's feed, until the test ends.
func openFeed(t *testing.T, s store.Store) store.Feed {
	t.Helper()
	f, err := s.Feed(t.Context())
	noError(t, err)
	t.Cleanup(f.Close)
	return f
}

func read(t *testing.T, f store.Feed, at time.Time) []store.Notice {
	t.Helper()
	notices, err := f.Read(t.Context(), at)
	noError(t, err)
	return notices
}

func testFeed(t *testing.T, database Database) {
	ctx := context.Background()

	t.Run("gives what others told, once", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		_, err := other.Seen(ctx, "dam", "before", []string{"dam:asset/0"}, noon, store.EventsKept)
		noError(t, err)
		f := openFeed(t, one)
		equal(t, "nothing", read(t, f, noon), []store.Notice{})

		_, err = other.Seen(ctx, "dam", "1", []string{"dam:asset/1", "dam:asset"}, noon, store.EventsKept)
		noError(t, err)
		noError(t, other.Suppress(ctx, suppression("dam:asset/2", 0), []string{"dam:asset/2"}))
		noError(t, other.Unsuppress(ctx, suppression("dam:asset/2", 0).Ref, []string{"dam:asset/2"}, "over", "key_1", noon))
		noError(t, other.Invalidate(ctx, true, []string{"dam:asset/*"}, tutti.AuditEntry{Action: tutti.AuditInvalidate, At: noon}))
		noError(t, other.AddKey(ctx, key("k1")))
		want := []store.Notice{
			{Topic: store.StaleTopic, Tags: []string{"dam:asset/1", "dam:asset"}},
			{Topic: store.PurgeTopic, Tags: []string{"dam:asset/2"}},
			{Topic: store.ChangedTopic, Tags: []string{}},
			{Topic: store.StaleTopic, Tags: []string{"dam:asset/2"}},
			{Topic: store.ChangedTopic, Tags: []string{}},
			{Topic: store.PurgeTopic, Tags: []string{"dam:asset/*"}},
			{Topic: store.ChangedTopic, Tags: []string{}},
		}
		equal(t, "notices", read(t, f, noon), want)
		equal(t, "again", read(t, f, noon), []store.Notice{})
	})
	t.Run("gives nobody what he told himself", func(t *testing.T) {
		s := start(t, database)
		f := openFeed(t, s)
		_, err := s.Seen(ctx, "dam", "1", []string{"dam:asset/1"}, noon, store.EventsKept)
		noError(t, err)
		save(t, s, "home", `{}`)
		equal(t, "notices", read(t, f, noon), []store.Notice{})
	})
	t.Run("a repeated event tells nothing", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		f := openFeed(t, one)
		for range 2 {
			_, err := other.Seen(ctx, "dam", "1", []string{"dam:asset/1"}, noon, store.EventsKept)
			noError(t, err)
		}
		equal(t, "notices", len(read(t, f, noon)), 1)
	})
	t.Run("loses nothing of what many write at once", func(t *testing.T) {
		const writers, each = 3, 40
		open := database(t)
		one := openOne(t, open)
		f := openFeed(t, one)
		var writing sync.WaitGroup
		for w := range writers {
			s := openOne(t, open)
			writing.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d/%d", w, i)
					if _, err := s.Seen(ctx, "dam", id, []string{id}, noon, store.EventsKept); err != nil {
						t.Errorf("noting an event: %v", err)
					}
				}
			})
		}
		written := make(chan struct{})
		go func() { writing.Wait(); close(written) }()
		times := map[string]int{}
		take := func() {
			for _, n := range read(t, f, noon) {
				times[n.Tags[0]]++
			}
		}
		for done := false; !done; {
			select {
			case <-written:
				done = true
			default:
			}
			take()
		}
		equal(t, "events", len(times), writers*each)
		for id, n := range times {
			if n != 1 {
				t.Errorf("%s came %d times", id, n)
			}
		}
	})
	t.Run("tells whoever did not read for too long that all is old", func(t *testing.T) {
		s := start(t, database)
		f := openFeed(t, s)
		equal(t, "first", read(t, f, noon), []store.Notice{})
		late := noon.Add(store.NoticesKept)
		equal(t, "in time", read(t, f, late), []store.Notice{})
		equal(t, "too late", read(t, f, late.Add(store.NoticesKept+time.Second)), store.Everything())
		equal(t, "and then again in time", read(t, f, late.Add(store.NoticesKept+2*time.Second)), []store.Notice{})
	})
	t.Run("an error loses nothing", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		f := openFeed(t, one)
		_, err := other.Seen(ctx, "dam", "1", []string{"dam:asset/1"}, noon, store.EventsKept)
		noError(t, err)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := f.Read(ended, noon); err == nil {
			t.Fatal("reading with an ended context gave no error")
		}
		equal(t, "afterwards", len(read(t, f, noon)), 1)
	})
	t.Run("is pruned with the events", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		f := openFeed(t, one)
		for i, id := range []string{"old", "young"} {
			_, err := other.Seen(ctx, "dam", id, []string{id}, after(i), store.EventsKept)
			noError(t, err)
		}
		_, err := other.PruneEvents(ctx, after(1).Add(store.EventsKept))
		noError(t, err)
		left := read(t, f, noon)
		if len(left) != 1 || !slices.Equal(left[0].Tags, []string{"young"}) {
			t.Errorf("left are %v", left)
		}
	})
}
