package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Fill writes something into every table.
func Fill(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	publish(t, s, "home", `{"v":1,"text":"<ü> \u2028 \" \\ 9007199254740993"}`, time.Time{}, after(0))
	publish(t, s, "home", `{"v":2}`, after(60), after(1))
	save(t, s, "gone", `{}`)
	noError(t, s.DeleteDraft(ctx, tutti.CompositionDocument, "gone", "Ben", after(2)))
	publish(t, s, "taken back", `null`, time.Time{}, after(0))
	noError(t, s.Unpublish(ctx, tutti.CompositionDocument, "taken back", "Ben", after(3)))
	revoked := key("k2")
	revoked.ExpiresAt, revoked.UsedAt = after(90), after(0)
	noError(t, s.AddKey(ctx, key("k1")))
	noError(t, s.AddKey(ctx, revoked))
	noError(t, s.RevokeKey(ctx, "k2", after(4)))
	_, err := s.DeploymentSecret(ctx)
	noError(t, err)
	used := operation("query Used { __typename }")
	used.UsedAt = noon
	_, err = s.AddOperations(ctx, []tutti.Operation{used, operation("query Unused { __typename }")})
	noError(t, err)
	_, err = s.Seen(ctx, "dam", "1", []string{"dam:asset/1", "dam:asset/2"}, noon, store.EventsKept)
	noError(t, err)
	poll, err := s.TakePoll(ctx, "dam", "asset", noon, time.Minute)
	noError(t, err)
	poll.Cursor, poll.Last = "here", after(1)
	_, err = s.Polled(ctx, poll, nil, nil, noon)
	noError(t, err)
	noError(t, s.KeepShape(ctx, tutti.Shape{Source: "dam", Kind: "asset", Body: []byte(`{"paths":{}}`), At: noon}))
	noError(t, s.Suppress(ctx, suppression("dam:asset/1", 0), []string{"dam:asset/1"}))
	noError(t, s.Judge(ctx, []tutti.Verdict{verdict("social:post/a", tutti.Approved, 1)}, func(tutti.Ref) []string { return nil }))
	noError(t, s.Suppress(ctx, suppression("dam:asset/ü", 90), []string{"dam:asset/ü"}))
}

// CheckMove backs up a filled store, imports it into an empty one and compares the two: what
// their backups hold, and that the second goes on counting where the first stopped.
func CheckMove(t *testing.T, from, to store.Store) {
	t.Helper()
	ctx := t.Context()
	Fill(t, from)
	file := filepath.Join(t.TempDir(), "backup.jsonl")
	noError(t, from.Backup(ctx, file))
	before, err := to.Changed(ctx)
	noError(t, err)
	noError(t, to.Import(ctx, file))
	if changed, err := to.Changed(ctx); err != nil || changed <= before {
		t.Errorf("importing did not move the number of changes: %d, %v", changed, err)
	}
	again := filepath.Join(t.TempDir(), "again.jsonl")
	noError(t, to.Backup(ctx, again))
	one, err := os.ReadFile(file)
	noError(t, err)
	two, err := os.ReadFile(again)
	noError(t, err)
	if !bytes.Equal(one, two) {
		t.Fatalf("the backups differ:\n%s\n%s", one, two)
	}
	for _, table := range store.Tables() {
		if !bytes.Contains(one, []byte(`{"table":"`+table.Name+`"`)) {
			t.Errorf("the backup has no row of %s: Fill should write one", table.Name)
		}
	}
	secret, err := from.DeploymentSecret(ctx)
	noError(t, err)
	moved, err := to.DeploymentSecret(ctx)
	noError(t, err)
	equal(t, "secret", moved, secret)
	p := publish(t, to, "home", `{"v":3}`, time.Time{}, after(70))
	equal(t, "version", p.Version, 3)
	equal(t, "in force", inForce(t, to, "home", 0, 59, 60, 69, 70), []int{1, 1, 2, 2, 3})
	lines, err := to.Publications(ctx, "", "", 2, 0)
	noError(t, err)
	if lines[0].ID != p.ID || lines[1].ID >= p.ID {
		t.Errorf("the new line has id %d after %d", p.ID, lines[1].ID)
	}
}

// CheckOneState publishes something new as soon as the first row is read, and looks that none of
// it is among the rows that follow. dump is what an engine's Backup writes into its file.
func CheckOneState(t *testing.T, s store.Store, dump func(put func(store.Table, []any) error) error) {
	t.Helper()
	Fill(t, s)
	rows := func(meanwhile func()) (all []string) {
		t.Helper()
		noError(t, dump(func(table store.Table, values []any) error {
			if meanwhile != nil {
				meanwhile()
				meanwhile = nil
			}
			all = append(all, fmt.Sprintf("%s %v", table.Name, values))
			return nil
		}))
		return all
	}
	before := rows(nil)
	during := rows(func() {
		publish(t, s, "new", `{}`, time.Time{}, after(5))
		noError(t, s.AddKey(t.Context(), key("new")))
	})
	equal(t, "rows", during, before)
	// a draft, a version, a publication and a key, and a notice of each of the three changes
	if now := rows(nil); len(now) != len(before)+7 {
		t.Errorf("%d rows afterwards, want %d", len(now), len(before)+7)
	}
}

func testBackup(t *testing.T, database Database) {
	ctx := context.Background()
	file := func(t *testing.T) string { return filepath.Join(t.TempDir(), "backup.jsonl") }

	t.Run("moves everything into an empty database", func(t *testing.T) {
		CheckMove(t, start(t, database), start(t, database))
	})
	t.Run("is for its owner only, and never overwrites", func(t *testing.T) {
		s := start(t, database)
		path := file(t)
		noError(t, s.Backup(ctx, path))
		info, err := os.Stat(path)
		noError(t, err)
		equal(t, "mode", info.Mode().Perm(), fs.FileMode(0o600))
		before, err := os.ReadFile(path)
		noError(t, err)
		save(t, s, "home", `{}`)
		wantCode(t, s.Backup(ctx, path), tutti.Conflict)
		now, err := os.ReadFile(path)
		noError(t, err)
		equal(t, "the file that was there", string(now), string(before))
	})
	t.Run("leaves no half file", func(t *testing.T) {
		s := start(t, database)
		Fill(t, s)
		path := file(t)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Backup(ended, path); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want that it was cancelled", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file stayed: %v", err)
		}
	})
	t.Run("imports only into an empty database", func(t *testing.T) {
		s := start(t, database)
		path := file(t)
		noError(t, s.Backup(ctx, path))
		save(t, s, "home", `{"v":1}`)
		wantCode(t, s.Import(ctx, path), tutti.Conflict)
		d, err := s.Draft(ctx, tutti.CompositionDocument, "home")
		noError(t, err)
		equal(t, "the draft stays", d.Body, json.RawMessage(`{"v":1}`))
	})
	t.Run("refuses a file that is not whole, and reads nothing of it", func(t *testing.T) {
		s, empty := start(t, database), start(t, database)
		Fill(t, s)
		path := file(t)
		noError(t, s.Backup(ctx, path))
		whole, err := os.ReadFile(path)
		noError(t, err)
		lines := strings.SplitAfter(string(whole), "\n")
		last := len(lines) - 2
		for name, text := range map[string]string{
			"empty":               "",
			"something else":      "{}\n",
			"no JSON":             "hello\n",
			"cut between lines":   strings.Join(lines[:last], ""),
			"cut in a line":       string(whole[:len(whole)/2]),
			"a line less":         strings.Join(lines[:3], "") + strings.Join(lines[4:], ""),
			"more after its end":  string(whole) + lines[1],
			"an unknown table":    strings.Replace(string(whole), `"table":"outbox"`, `"table":"inbox"`, 1),
			"an unknown column":   strings.Replace(string(whole), `"updated_by"`, `"touched_by"`, 1),
			"a wrong type":        strings.Replace(string(whole), `"revision":1`, `"revision":"1"`, 1),
			"a time that is none": strings.Replace(string(whole), `"seen_at":"2`, `"seen_at":"x`, 1),
			"from the future":     strings.Replace(string(whole), `"schema":`, `"schema":9`, 1),
		} {
			broken := file(t)
			noError(t, os.WriteFile(broken, []byte(text), 0o600))
			if text == string(whole) {
				t.Fatalf("%s: the file is whole", name)
			}
			if err := empty.Import(ctx, broken); !errors.Is(err, tutti.Invalid) {
				t.Errorf("%s: got error %v, want code %s", name, err, tutti.Invalid)
			}
		}
		wantCode(t, empty.Import(ctx, file(t)), tutti.NotFound)
		noError(t, empty.Import(ctx, path)) // so it was still empty
	})
	t.Run("is one state while others write", func(t *testing.T) {
		open := database(t)
		s, other := openOne(t, open), openOne(t, open)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				d, err := other.SaveDraft(ctx, tutti.Draft{Kind: tutti.CompositionDocument, Name: "home", Body: fmt.Appendf(nil, "%d", i), Revision: i}, "Ana", after(i))
				if err == nil {
					_, err = other.Publish(ctx, d.Kind, d.Name, d.Revision, time.Time{}, "", "Ana", after(i))
				}
				if err != nil {
					t.Errorf("publishing: %v", err)
					return
				}
			}
		}()
		for range 3 {
			path := file(t)
			noError(t, s.Backup(ctx, path))
			noError(t, start(t, database).Import(ctx, path)) // a line of the log without its version would not go in
		}
		close(stop)
		<-stopped
	})
}

// backup gives the rows of one table as a backup holds them.
func backup(t *testing.T, s store.Store, table string) []map[string]any {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.jsonl")
	noError(t, s.Backup(t.Context(), path))
	text, err := os.ReadFile(path)
	noError(t, err)
	var rows []map[string]any
	for line := range strings.Lines(string(text)) {
		var l struct {
			Table string
			Row   map[string]any
		}
		noError(t, json.Unmarshal([]byte(line), &l))
		if l.Table == table {
			rows = append(rows, l.Row)
		}
	}
	return rows
}
