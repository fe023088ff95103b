package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func operation(text string) tutti.Operation {
	return tutti.Operation{ID: tutti.OperationID(text), Name: "Some", Text: text, CreatedBy: "App", CreatedAt: noon}
}

func testOperations(t *testing.T, database Database) {
	ctx := context.Background()
	first, own := operation("{ first }"), operation("query Second {\n  second # ü\n}")
	own.ID = "0cc175b9c0f1b6a831c399e269772661"

	t.Run("gives back what was stored, byte for byte, by id", func(t *testing.T) {
		s := start(t, database)
		all, err := s.Operations(ctx)
		noError(t, err)
		equal(t, "none", all, []tutti.Operation{})
		added, err := s.AddOperations(ctx, []tutti.Operation{first, own})
		noError(t, err)
		equal(t, "added", added, 2)
		want := []tutti.Operation{own, first}
		want[0].CreatedAt, want[1].CreatedAt = after(0), after(0)
		all, err = s.Operations(ctx)
		noError(t, err)
		equal(t, "all", all, want)
	})
	t.Run("stores the same again without a change", func(t *testing.T) {
		s := start(t, database)
		_, err := s.AddOperations(ctx, []tutti.Operation{first})
		noError(t, err)
		before, err := s.Changed(ctx)
		noError(t, err)
		again := first
		again.CreatedBy, again.Name = "Other", "Other"
		added, err := s.AddOperations(ctx, []tutti.Operation{again})
		noError(t, err)
		equal(t, "added", added, 0)
		all, err := s.Operations(ctx)
		noError(t, err)
		equal(t, "who stored it first", all[0].CreatedBy, "App")
		now, err := s.Changed(ctx)
		noError(t, err)
		equal(t, "changes", now, before)
	})
	t.Run("an id never gets another text, and then nothing is stored", func(t *testing.T) {
		s := start(t, database)
		_, err := s.AddOperations(ctx, []tutti.Operation{own})
		noError(t, err)
		other := own
		other.Text = "{ other }"
		_, err = s.AddOperations(ctx, []tutti.Operation{first, other})
		if e := wantCode(t, err, tutti.Conflict); !strings.Contains(e.Message, own.ID) {
			t.Errorf("the message does not name the id: %s", e.Message)
		}
		all, err := s.Operations(ctx)
		noError(t, err)
		equal(t, "what is stored", len(all), 1)
	})
	t.Run("refuses what no request could name", func(t *testing.T) {
		s := start(t, database)
		bad := map[string]tutti.Operation{}
		for _, id := range []string{"", "a b", "ä", "sha1:abc", "x-:abc", "x-own:", "x-own:a:b", "a/b", strings.Repeat("a", 201)} {
			o := first
			o.ID = id
			bad["id "+id] = o
		}
		wrong, empty, zero, timeless := first, first, first, first
		wrong.ID = tutti.OperationID("{ other }")
		empty.ID, empty.Text = "a", ""
		zero.ID, zero.Text = "a", "{ a }\x00"
		timeless.CreatedAt = time.Time{}
		bad["another text's hash"], bad["no text"], bad["a zero byte"], bad["no time"] = wrong, empty, zero, timeless
		for name, o := range bad {
			if added, err := s.AddOperations(ctx, []tutti.Operation{own, o}); added != 0 || tutti.CodeOf(err) != tutti.Invalid {
				t.Errorf("%s: got %d, %v, want code %s", name, added, err, tutti.Invalid)
			}
		}
		all, err := s.Operations(ctx)
		noError(t, err)
		equal(t, "what is stored", all, []tutti.Operation{})
		good := own
		good.ID = "x-own:~a_b.c-1"
		_, err = s.AddOperations(ctx, []tutti.Operation{good})
		noError(t, err)
	})
	t.Run("removes, and counts the change", func(t *testing.T) {
		s := start(t, database)
		_, err := s.AddOperations(ctx, []tutti.Operation{first, own})
		noError(t, err)
		before, err := s.Changed(ctx)
		noError(t, err)
		removed, err := s.RemoveOperations(ctx, []string{"nobody", first.ID, first.ID})
		noError(t, err)
		equal(t, "removed", removed, 1)
		all, err := s.Operations(ctx)
		noError(t, err)
		equal(t, "what is left", len(all), 1)
		now, err := s.Changed(ctx)
		noError(t, err)
		if now <= before {
			t.Error("removing did not move the number of changes")
		}
		removed, err = s.RemoveOperations(ctx, []string{first.ID})
		noError(t, err)
		equal(t, "removed again", removed, 0)
	})
	t.Run("notes their use to the day, never earlier, without a change", func(t *testing.T) {
		s := start(t, database)
		_, err := s.AddOperations(ctx, []tutti.Operation{first})
		noError(t, err)
		before, err := s.Changed(ctx)
		noError(t, err)
		day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		for _, step := range []struct {
			at   time.Time
			want time.Time
		}{{noon, day}, {noon.Add(-48 * time.Hour), day}, {noon.Add(24 * time.Hour), day.Add(24 * time.Hour)}} {
			noError(t, s.TouchOperations(ctx, []string{"nobody", first.ID}, step.at))
			all, err := s.Operations(ctx)
			noError(t, err)
			equal(t, "used", all[0].UsedAt, step.want)
		}
		now, err := s.Changed(ctx)
		noError(t, err)
		equal(t, "changes", now, before)
	})
}
