package storetest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

func testDrafts(t *testing.T, database Database) {
	ctx := context.Background()
	const kind = tutti.CompositionDocument
	page := func(name, body string, revision int) tutti.Draft {
		return tutti.Draft{Kind: kind, Name: name, Body: json.RawMessage(body), Revision: revision}
	}

	t.Run("gives back what was saved, after reopening too", func(t *testing.T) {
		open := database(t)
		s := openOne(t, open)
		got, err := s.SaveDraft(ctx, page("home", "{ \"b\": [1.0, 2],\n \"a\": \"<ü&\\u0000>\" }", 0), "Ana", noon)
		noError(t, err)
		want := tutti.Draft{Kind: kind, Name: "home", Body: json.RawMessage(`{"b":[1.0,2],"a":"<ü&\u0000>"}`), Revision: 1, UpdatedBy: "Ana", UpdatedAt: after(0)}
		equal(t, "saved", got, want)
		if string(got.Body) != string(want.Body) {
			t.Fatalf("got body %s, want %s", got.Body, want.Body)
		}
		got, err = openOne(t, open).Draft(ctx, kind, "home")
		noError(t, err)
		equal(t, "read", got, want)
		if string(got.Body) != string(want.Body) || got.UpdatedAt != want.UpdatedAt {
			t.Fatalf("got %s at %v, want %s at %v", got.Body, got.UpdatedAt, want.Body, want.UpdatedAt)
		}
	})
	t.Run("lists one kind by name in byte order", func(t *testing.T) {
		s := start(t, database)
		for _, name := range []string{"b", "a-b", "aa", "Z", "ä", "a", "a b"} {
			save(t, s, name, `{}`)
		}
		_, err := s.SaveDraft(ctx, tutti.Draft{Kind: tutti.AudienceDocument, Name: "gold", Body: json.RawMessage(`{}`)}, "Ana", noon)
		noError(t, err)
		drafts, err := s.Drafts(ctx, kind)
		noError(t, err)
		var names []string
		for _, d := range drafts {
			names = append(names, d.Name)
			if d.Kind != kind || d.Revision != 1 || string(d.Body) != "{}" || d.UpdatedBy != "Ana" || d.UpdatedAt != after(0) {
				t.Errorf("got draft %+v", d)
			}
		}
		equal(t, "names", names, []string{"Z", "a", "a b", "a-b", "aa", "b", "ä"})
	})
	t.Run("none is an empty list", func(t *testing.T) {
		drafts, err := start(t, database).Drafts(ctx, kind)
		noError(t, err)
		equal(t, "drafts", drafts, []tutti.Draft{})
	})
	t.Run("says not found", func(t *testing.T) {
		s := start(t, database)
		_, err := s.Draft(ctx, kind, "nowhere")
		wantCode(t, err, tutti.NotFound)
		_, err = s.SaveDraft(ctx, page("nowhere", "{}", 3), "Ana", noon)
		wantCode(t, err, tutti.NotFound)
		wantCode(t, s.DeleteDraft(ctx, kind, "nowhere", "Ana", noon), tutti.NotFound)
	})
	t.Run("a lost race tells who and when and what to do", func(t *testing.T) {
		s := start(t, database)
		save(t, s, "home", `{"v":1}`)
		_, err := s.SaveDraft(ctx, page("home", `{"v":2}`, 1), "Ben", noon)
		noError(t, err)
		for revision, words := range map[int][]string{
			1: {"Ben", "2026-11-21 11:00:00 UTC", `"home"`, "revision 2", "revision 1"},
			0: {"Ben", "2026-11-21 11:00:00 UTC", "revision 2", "not new"},
			7: {"Ben", "revision 2"},
		} {
			_, err = s.SaveDraft(ctx, page("home", `{"v":3}`, revision), "Cem", noon)
			e := wantCode(t, err, tutti.Conflict)
			for _, w := range words {
				if !strings.Contains(e.Message, w) {
					t.Errorf("revision %d: message %q does not say %q", revision, e.Message, w)
				}
			}
			if !strings.Contains(e.Hint, "revision 2") || e.Field != "revision" {
				t.Errorf("revision %d: hint %q, field %q", revision, e.Hint, e.Field)
			}
		}
		d, err := s.Draft(ctx, kind, "home")
		noError(t, err)
		equal(t, "the draft stays", d.Body, json.RawMessage(`{"v":2}`))
	})
	t.Run("refuses what is no document", func(t *testing.T) {
		s := start(t, database)
		for field, d := range map[string]tutti.Draft{
			"name":     page("", "{}", 0),
			"kind":     {Name: "x", Body: json.RawMessage("{}")},
			"body":     page("x", "{", 0),
			"revision": page("x", "{}", -1),
		} {
			_, err := s.SaveDraft(ctx, d, "Ana", noon)
			if e := wantCode(t, err, tutti.Invalid); e.Field != field {
				t.Errorf("got field %q, want %q", e.Field, field)
			}
		}
		for _, d := range []tutti.Draft{page("a\x00b", "{}", 0), page("a\xffb", "{}", 0), page("x", "\"\xff\"", 0), page("x", "", 0), page("x", "{} {}", 0)} {
			_, err := s.SaveDraft(ctx, d, "Ana", noon)
			wantCode(t, err, tutti.Invalid)
		}
		drafts, err := s.Drafts(ctx, kind)
		noError(t, err)
		equal(t, "drafts", drafts, []tutti.Draft{})
	})
	t.Run("deleted is gone, and its revisions count on", func(t *testing.T) {
		s := start(t, database)
		save(t, s, "home", `{}`)
		noError(t, s.DeleteDraft(ctx, kind, "home", "Ben", noon))
		_, err := s.Draft(ctx, kind, "home")
		wantCode(t, err, tutti.NotFound)
		drafts, err := s.Drafts(ctx, kind)
		noError(t, err)
		equal(t, "drafts", drafts, []tutti.Draft{})
		wantCode(t, s.DeleteDraft(ctx, kind, "home", "Ben", noon), tutti.NotFound)

		_, err = s.SaveDraft(ctx, page("home", `{}`, 1), "Cem", noon)
		e := wantCode(t, err, tutti.Conflict)
		if !strings.Contains(e.Message, "deleted by Ben") || !strings.Contains(e.Hint, "revision 0") {
			t.Errorf("got %q %q", e.Message, e.Hint)
		}
		d, err := s.SaveDraft(ctx, page("home", `{}`, 0), "Cem", noon)
		noError(t, err)
		if d.Revision <= 2 {
			t.Errorf("got revision %d: somebody's old one could fit it", d.Revision)
		}
	})
	t.Run("of fifty savers of one revision exactly one wins", func(t *testing.T) {
		open := database(t)
		stores := []store.Store{openOne(t, open), openOne(t, open)} // two processes
		for round, revision := range []int{0, 1} {
			var wg sync.WaitGroup
			errs := make([]error, 50)
			for i := range errs {
				wg.Go(func() { _, errs[i] = stores[i%2].SaveDraft(ctx, page("home", `{}`, revision), "Ana", noon) })
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else {
					wantCode(t, err, tutti.Conflict)
				}
			}
			if won != 1 {
				t.Fatalf("round %d: %d savers won", round, won)
			}
		}
	})
	t.Run("every change moves the number of changes, and nothing else does", func(t *testing.T) {
		open := database(t)
		s, other := openOne(t, open), openOne(t, open)
		number := func() int64 {
			n, err := other.Changed(ctx)
			noError(t, err)
			return n
		}
		last := number()
		moves := func(what string, moved bool, do func() error) {
			t.Helper()
			noError(t, do())
			if n := number(); (n > last) != moved || n < last {
				t.Errorf("%s: from %d to %d", what, last, n)
			}
			last = number()
		}
		moves("save", true, func() error { _, err := s.SaveDraft(ctx, page("home", `{}`, 0), "Ana", noon); return err })
		moves("publish", true, func() error { _, err := s.Publish(ctx, kind, "home", 1, time.Time{}, "", "Ana", noon); return err })
		moves("restore", true, func() error { _, err := s.Restore(ctx, kind, "home", 1, 1, "Ana", noon); return err })
		moves("unpublish", true, func() error { return s.Unpublish(ctx, kind, "home", "Ana", noon) })
		moves("delete", true, func() error { return s.DeleteDraft(ctx, kind, "home", "Ana", noon) })
		moves("add a key", true, func() error { return s.AddKey(ctx, key("k1")) })
		moves("touch a key", false, func() error { return s.TouchKey(ctx, "k1", noon) })
		moves("revoke a key", true, func() error { return s.RevokeKey(ctx, "k1", noon) })
		moves("an event", false, func() error { _, err := s.Seen(ctx, "dam", "1", nil, noon, store.EventsKept); return err })
		moves("a secret", false, func() error { _, err := s.DeploymentSecret(ctx); return err })
		moves("a conflict", false, func() error {
			_, err := s.SaveDraft(ctx, page("home", `{}`, 99), "Ana", noon)
			wantCode(t, err, tutti.Conflict)
			return nil
		})
	})
}
