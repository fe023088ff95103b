package config

import (
	"context"
	"crypto/sha256"
	"os"
	"time"
)

// Watcher sees when a config file changes. It is for one goroutine.
type Watcher struct {
	path string
	env  func(string) (string, bool)
	seen state
}

// state is what tells one content of a file from another.
type state struct {
	modified time.Time
	size     int64
	sum      [sha256.Size]byte
	there    bool
}

// NewWatcher begins with the file as it is now: make it before Load, so that a change between
// the two is not lost.
func NewWatcher(path string, env func(string) (string, bool)) *Watcher {
	w := &Watcher{path: path, env: env}
	w.seen, _ = w.look()
	return w
}

// Changed reads the file again when its content is another than the last time. It gives false
// when it is the same; else the new config, or the error of a file that is broken or gone, once.
func (w *Watcher) Changed() (*Config, error, bool) {
	now, same := w.look()
	if same {
		return nil, nil, false
	}
	w.seen = now
	c, err := Load(w.path, w.env)
	return c, err, true
}

// look gives the file's state, and whether the content is what was seen last. The content is
// read only when time or size changed.
func (w *Watcher) look() (now state, same bool) {
	info, err := os.Stat(w.path)
	if err != nil {
		return state{}, !w.seen.there
	}
	now = state{modified: info.ModTime(), size: info.Size(), there: true, sum: w.seen.sum}
	if w.seen.there && now.modified.Equal(w.seen.modified) && now.size == w.seen.size {
		return now, true
	}
	content, err := os.ReadFile(w.path)
	if err != nil {
		return state{}, !w.seen.there
	}
	now.sum = sha256.Sum256(content)
	if w.seen.there && now.sum == w.seen.sum {
		w.seen = now
		return now, true
	}
	return now, false
}

// Watch looks at a config file every second and calls onChange, one call at a time, with the new
// config when its content changed, or with the error when it is broken or gone. The holder keeps
// the old config then. It returns ctx's error when ctx ends. For a reload that somebody asks for
// (SIGHUP), call Load.
func Watch(ctx context.Context, path string, onChange func(*Config, error)) error {
	return NewWatcher(path, os.LookupEnv).Run(ctx, time.Second, onChange)
}

// Run does what Watch does, looking every so often.
func (w *Watcher) Run(ctx context.Context, every time.Duration, onChange func(*Config, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if c, err, changed := w.Changed(); changed {
				onChange(c, err)
			}
		}
	}
}
