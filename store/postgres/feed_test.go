package postgres

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/storetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestFeedFindsWhatIsCommittedLate: a row with an earlier id and an earlier transaction becomes
// visible after a later one was read.
func TestFeedFindsWhatIsCommittedLate(t *testing.T) {
	address := storetest.Postgres(t)
	reader, writer := open(t, address), open(t, address)
	f := openFeed(t, reader)
	late, err := writer.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback(context.WithoutCancel(t.Context()))
	if err := writer.tell(t.Context(), late, store.StaleTopic, "dam", []string{"late"}, noon); err != nil {
		t.Fatal(err)
	}
	see(t, writer, "early")
	wantTags(t, f, noon, "early")
	see(t, writer, "second")
	wantTags(t, f, noon.Add(time.Minute), "second") // and not the early one again, though it is looked at again
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	see(t, writer, "third")
	wantTags(t, f, noon.Add(2*time.Minute), "late", "third")
	wantTags(t, f, noon.Add(3*time.Minute))
}

func TestBehindIsTheAgeOfTheOldestTransaction(t *testing.T) {
	f := &feed{given: map[int64]uint64{}}
	for i, step := range []struct {
		edge
		want time.Duration
	}{
		{edge{5, 5}, 0}, // none runs
		{edge{5, 6}, time.Minute},
		{edge{5, 9}, 2 * time.Minute},
		{edge{8, 9}, 0}, // another one
		{edge{8, 9}, time.Minute},
		{edge{9, 9}, 0},
	} {
		f.advance(step.edge, nil, noon.Add(time.Duration(i)*time.Minute))
		if got := f.Behind(); got != step.want {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
	}
}

func TestFeedForgetsWhatIsFinal(t *testing.T) {
	address := storetest.Postgres(t)
	reader, writer := open(t, address), open(t, address)
	f := openFeed(t, reader).(*feed)
	for i := range 3 {
		see(t, writer, string(rune('a'+i)))
		wantTags(t, f, noon, string(rune('a'+i)))
	}
	for id, xid := range f.given {
		if xid < f.after.xid {
			t.Errorf("row %d of the finished transaction %d is remembered", id, xid)
		}
	}
}

func TestFeedReadsMoreThanAPage(t *testing.T) {
	address := storetest.Postgres(t)
	reader, writer := open(t, address), open(t, address)
	f := openFeed(t, reader)
	const rows = 2*pageRows + 1
	_, err := writer.pool.Exec(t.Context(), `
		INSERT INTO outbox (source, tags, created_at) SELECT 'dam', '["' || n || '"]', now() FROM generate_series(1, $1::int) n`, rows)
	if err != nil {
		t.Fatal(err)
	}
	notices, err := f.Read(t.Context(), noon)
	if err != nil || len(notices) != rows {
		t.Fatalf("got %d notices, %v, want %d", len(notices), err, rows)
	}
	wantTags(t, f, noon)
}

func TestWritesWakeOtherProcesses(t *testing.T) {
	address := storetest.Postgres(t)
	reader, writer := open(t, address), open(t, address)
	f := openFeed(t, reader)
	<-f.Wake() // it listens now
	for _, id := range []string{"a", "b", "c"} {
		see(t, writer, id)
		for got := []string{}; !slices.Contains(got, id); { // its own first wake may be there twice
			<-f.Wake()
			got = tags(t, f, noon)
		}
	}
}

func TestClosingTellsTheLastWrite(t *testing.T) {
	address := storetest.Postgres(t)
	f := openFeed(t, open(t, address))
	<-f.Wake()
	writer, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	see(t, writer, "a")
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	<-f.Wake()
	wantTags(t, f, noon, "a")
}

func TestListenerComesBack(t *testing.T) {
	address := storetest.Postgres(t)
	reader, writer := open(t, address), open(t, address)
	f := openFeed(t, reader)
	for range 3 {
		<-f.Wake() // it listens, again
		killListener(t, writer)
	}
	<-f.Wake()
	see(t, writer, "a")
	for got := []string{}; len(got) == 0; got = tags(t, f, noon) {
		<-f.Wake()
	}
}

func killListener(t *testing.T, s *Store) {
	t.Helper()
	for killed := 0; killed == 0; {
		err := s.pool.QueryRow(t.Context(), `
			SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = 'tutti listens' AND query = $1 AND state = 'idle'`, "LISTEN "+s.channel).Scan(&killed)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func see(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Seen(t.Context(), "dam", id, []string{id}, noon, store.EventsKept); err != nil {
		t.Fatal(err)
	}
}

func openFeed(t *testing.T, s *Store) store.Feed {
	t.Helper()
	f, err := s.Feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func tags(t *testing.T, f store.Feed, at time.Time) []string {
	t.Helper()
	notices, err := f.Read(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, n := range notices {
		got = append(got, n.Tags...)
	}
	return got
}

func wantTags(t *testing.T, f store.Feed, at time.Time, want ...string) {
	t.Helper()
	if got := tags(t, f, at); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
