package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestChangedFileIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.yaml")
	write(t, path, "development: false\n")
	w := NewWatcher(path, environment)
	if _, _, changed := w.Changed(); changed {
		t.Error("a file that nobody touched has changed")
	}
	write(t, path, "development: true\nbaseUrl: https://x.example\n")
	if c, err, changed := w.Changed(); !changed || err != nil || !c.Development {
		t.Errorf("got %v, %v, %v", c, err, changed)
	}
	if _, _, changed := w.Changed(); changed {
		t.Error("the same change comes twice")
	}
	write(t, path, "devlopment: true\n")
	if c, err, changed := w.Changed(); !changed || c != nil || !errors.Is(err, tutti.Invalid) || !strings.Contains(err.Error(), "did you mean “development”?") {
		t.Errorf("a broken file gives %v, %v, %v", c, err, changed)
	}
	if _, _, changed := w.Changed(); changed {
		t.Error("a broken file is told twice")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err, changed := w.Changed(); !changed || !errors.Is(err, tutti.NotFound) {
		t.Errorf("a file that is gone gives %v, %v", err, changed)
	}
	if _, _, changed := w.Changed(); changed {
		t.Error("a file that is gone is told twice")
	}
	write(t, path, "development: true\n")
	if c, err, changed := w.Changed(); !changed || err != nil || c == nil {
		t.Errorf("a file that came back gives %v, %v", err, changed)
	}
}

func TestTouchedFileIsNoChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.yaml")
	write(t, path, "development: true\n")
	w := NewWatcher(path, environment)
	if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, _, changed := w.Changed(); changed {
		t.Error("the same content at another time is a change")
	}
}

func TestWatchingEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tutti.yaml")
	write(t, path, "development: true\n")
	ctx, cancel := context.WithCancel(t.Context())
	w := NewWatcher(path, environment)
	write(t, path, "development: false\n# changed\n")
	var got []*Config
	err := w.Run(ctx, time.Millisecond, func(c *Config, err error) {
		if err != nil {
			t.Error(err)
		}
		got = append(got, c)
		cancel()
	})
	if !errors.Is(err, context.Canceled) || len(got) != 1 || got[0].Development {
		t.Errorf("got %v and %v", got, err)
	}
}
