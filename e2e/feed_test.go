//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/postgres"
)

// events is how many are written; TUTTI_E2E_EVENTS sets another number.
func events(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("TUTTI_E2E_EVENTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 80_000
}

// slowEvents are written besides, in transactions that are committed late.
const slowEvents = 800

// TestNoEventIsLost: two processes write webhooks' events, others come in transactions that are
// committed late, while the reader's listening connection is killed every 250 ms. The reader gets
// each exactly once.
func TestNoEventIsLost(t *testing.T) {
	t.Parallel()
	c, total := startCluster(t), events(t)
	open := func(more string) *postgres.Store {
		s, err := postgres.Open(t.Context(), c.address()+more)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	reader := open("")
	f, err := reader.Feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stop := make(chan struct{})
	killed := c.killListeners(250*time.Millisecond, stop)

	began := time.Now()
	const writers, slow = 48, 8
	var writing sync.WaitGroup
	ids := make(chan int)
	writing.Go(func() {
		defer close(ids)
		for i := range total {
			ids <- i
		}
	})
	processes := []*postgres.Store{open("&pool_max_conns=24"), open("&pool_max_conns=24")}
	for w := range writers {
		writing.Go(func() {
			for i := range ids {
				id := strconv.Itoa(i)
				if _, err := processes[w%2].Seen(t.Context(), "dam", id, []string{id}, time.Now(), store.EventsKept); err != nil {
					t.Errorf("noting an event: %v", err)
				}
			}
		})
	}
	for w := range slow {
		writing.Go(func() { // not even one writer's own rows become visible in the order of their ids
			for i := w; i < slowEvents; i += slow {
				if err := late(t.Context(), c.address(), strconv.Itoa(total+i), rand.N(300*time.Millisecond)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()

	got := make(map[string]int, total)
	reads := 0
	read := func() {
		notices, err := f.Read(t.Context(), time.Now())
		if err != nil {
			t.Errorf("reading: %v", err)
		}
		reads++
		for _, n := range notices {
			if n.Topic == store.StaleTopic {
				got[n.Tags[0]]++
			}
		}
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-written:
			done = true
		case <-f.Wake():
		case <-tick.C:
		}
		read()
	}
	close(stop)
	lost, twice := 0, 0
	all := total + slowEvents
	for i := range all {
		switch got[strconv.Itoa(i)] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	t.Logf("%d events in %.0f s, %d reads, %d listeners killed: %d lost, %d given twice", all, time.Since(began).Seconds(), reads, <-killed, lost, twice)
	if lost > 0 || twice > 0 {
		t.Errorf("%d lost, %d given twice", lost, twice)
	}
}

// late writes an event as a process would whose commit takes long.
func late(ctx context.Context, address, id string, wait time.Duration) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO outbox (source, tags, created_at) VALUES ('dam', $1, now())", fmt.Sprintf(`["%s"]`, id))
		time.Sleep(wait)
		return err
	})
}
