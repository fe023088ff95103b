package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// suppression is one made at noon that ends after so many minutes; 0 = never.
func suppression(ref string, minutes int) tutti.Suppression {
	r, err := tutti.ParseRef(ref)
	if err != nil {
		panic(err)
	}
	s := tutti.Suppression{Ref: r, Reason: "recalled", CreatedBy: "key_1", CreatedAt: noon}
	if minutes > 0 {
		s.Until = noon.Add(time.Duration(minutes) * time.Minute)
	}
	return s
}

func testSuppressions(t *testing.T, database Database) {
	ctx := context.Background()
	refs := func(t *testing.T, s store.Store, minute int) []string {
		t.Helper()
		list, err := s.Suppressions(ctx, after(minute))
		noError(t, err)
		refs := []string{}
		for _, p := range list {
			refs = append(refs, p.Ref.String())
		}
		return refs
	}

	t.Run("are in force until they end", func(t *testing.T) {
		s := start(t, database)
		list, err := s.Suppressions(ctx, noon)
		noError(t, err)
		equal(t, "none", list, []tutti.Suppression{})
		noError(t, s.Suppress(ctx, suppression("dam:asset/b", 0), nil))
		noError(t, s.Suppress(ctx, suppression("dam:asset/a/ü:1", 10), nil))
		equal(t, "at first", refs(t, s, 0), []string{"dam:asset/a/ü:1", "dam:asset/b"})
		equal(t, "a minute before the end", refs(t, s, 9), []string{"dam:asset/a/ü:1", "dam:asset/b"})
		equal(t, "at the end", refs(t, s, 10), []string{"dam:asset/b"})
		list, err = s.Suppressions(ctx, noon)
		noError(t, err)
		want := suppression("dam:asset/a/ü:1", 10)
		want.CreatedAt, want.Until = after(0), after(10)
		equal(t, "all of it", list[0], want)
	})
	t.Run("the later one of an item counts", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.Suppress(ctx, suppression("dam:asset/a", 10), nil))
		longer := suppression("dam:asset/a", 20)
		longer.Reason = "longer"
		noError(t, s.Suppress(ctx, longer, nil))
		list, err := s.Suppressions(ctx, after(15))
		noError(t, err)
		equal(t, "reasons", []string{list[0].Reason}, []string{"longer"})
	})
	t.Run("are taken back once", func(t *testing.T) {
		s := start(t, database)
		p := suppression("dam:asset/a", 10)
		noError(t, s.Suppress(ctx, p, nil))
		noError(t, s.Unsuppress(ctx, p.Ref, nil, "a mistake", "key_2", after(1)))
		equal(t, "left", refs(t, s, 1), []string{})
		wantCode(t, s.Unsuppress(ctx, p.Ref, nil, "a mistake", "key_2", after(2)), tutti.NotFound)
		noError(t, s.Suppress(ctx, p, nil))
		wantCode(t, s.Unsuppress(ctx, p.Ref, nil, "it has ended", "key_2", after(10)), tutti.NotFound)
	})
	t.Run("say what cannot be stored", func(t *testing.T) {
		s := start(t, database)
		over, none, noRef, long, odd := suppression("dam:asset/a", 0), suppression("dam:asset/a", 0), suppression("dam:asset/a", 0), suppression("dam:asset/a", 0), suppression("dam:asset/a", 0)
		over.Until, none.Reason, noRef.Ref, long.Reason, odd.Reason = noon, "", tutti.Ref{}, strings.Repeat("x", 1001), "a\x00"
		for field, p := range map[string]tutti.Suppression{"until": over, "reason": none} {
			if e := wantCode(t, s.Suppress(ctx, p, nil), tutti.Invalid); e.Field != field {
				t.Errorf("got field %q, want %q", e.Field, field)
			}
		}
		for _, p := range []tutti.Suppression{long, odd} {
			wantCode(t, s.Suppress(ctx, p, nil), tutti.Invalid)
		}
		wantCode(t, s.Suppress(ctx, noRef, nil), tutti.MalformedRef)
		wantCode(t, s.Unsuppress(ctx, over.Ref, nil, "", "key_1", noon), tutti.Invalid)
		lines, err := s.Audit(ctx, 10, 0)
		noError(t, err)
		equal(t, "audit", lines, []tutti.AuditEntry{})
	})
	t.Run("move the number of changes", func(t *testing.T) {
		s := start(t, database)
		before, err := s.Changed(ctx)
		noError(t, err)
		noError(t, s.Suppress(ctx, suppression("dam:asset/a", 0), nil))
		on, err := s.Changed(ctx)
		noError(t, err)
		noError(t, s.Unsuppress(ctx, suppression("dam:asset/a", 0).Ref, nil, "over", "key_1", noon))
		off, err := s.Changed(ctx)
		noError(t, err)
		if on <= before || off <= on {
			t.Errorf("the numbers are %d, %d, %d", before, on, off)
		}
	})
	t.Run("are forgotten long after their end", func(t *testing.T) {
		s := start(t, database)
		noError(t, s.Suppress(ctx, suppression("dam:asset/a", 10), nil))
		noError(t, s.Suppress(ctx, suppression("dam:asset/b", 0), nil))
		_, err := s.PruneEvents(ctx, after(11).Add(store.EventsKept))
		noError(t, err)
		equal(t, "rows", len(backup(t, s, "suppressions")), 1)
		equal(t, "audit lines", len(backup(t, s, "audit")), 2)
	})
}

func testAudit(t *testing.T, database Database) {
	ctx := context.Background()
	t.Run("tells who did what, when and why, newest first", func(t *testing.T) {
		s := start(t, database)
		p := suppression("dam:asset/a", 10)
		noError(t, s.Suppress(ctx, p, nil))
		noError(t, s.Unsuppress(ctx, p.Ref, nil, "a mistake", "key_2", after(1)))
		noError(t, s.Invalidate(ctx, false, []string{"dam:asset"}, tutti.AuditEntry{Action: tutti.AuditInvalidate, Subject: "dam:asset", Detail: "stale", By: "key_3", At: after(2)}))
		lines, err := s.Audit(ctx, 10, 0)
		noError(t, err)
		for i := range lines {
			if i > 0 && lines[i].ID >= lines[i-1].ID {
				t.Errorf("id %d follows %d", lines[i].ID, lines[i-1].ID)
			}
		}
		second := lines[1].ID
		for i := range lines {
			lines[i].ID = 0
		}
		equal(t, "lines", lines, []tutti.AuditEntry{
			{Action: tutti.AuditInvalidate, Subject: "dam:asset", Detail: "stale", By: "key_3", At: after(2)},
			{Action: tutti.AuditUnsuppress, Subject: "dam:asset/a", Reason: "a mistake", By: "key_2", At: after(1)},
			{Action: tutti.AuditSuppress, Subject: "dam:asset/a", Detail: "until 2026-11-21T11:10:00Z", Reason: "recalled", By: "key_1", At: after(0)},
		})
		lines, err = s.Audit(ctx, 1, second)
		noError(t, err)
		equal(t, "before the second", []tutti.AuditAction{lines[0].Action}, []tutti.AuditAction{tutti.AuditSuppress})
	})
}
