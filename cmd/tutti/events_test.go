package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/open"
)

// TestOldWebhooksAreForgotten: a server that starts keeps only events that a sender may repeat.
func TestOldWebhooksAreForgotten(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st, err := open.Store(ctx, "sqlite:"+filepath.Join(t.TempDir(), "tutti.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	note := func(event string, age time.Duration) bool {
		t.Helper()
		first, err := st.Seen(ctx, "shop", event, nil, time.Now().Add(-age), store.EventsKept)
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	note("old", store.EventsKept+time.Hour)
	note("new", time.Hour)
	cfg, err := config.Parse("tutti.yaml", []byte("locales: {default: en, names: [en]}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(ctx, cfg, st, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if !note("old", 0) || note("new", 0) {
		t.Error("an old event is kept, or one that may come again is forgotten")
	}
}
