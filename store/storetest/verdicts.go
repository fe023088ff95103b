package storetest

import (
	"context"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

func verdict(ref string, j tutti.Judgement, minute int) tutti.Verdict {
	r, err := tutti.ParseRef(ref)
	if err != nil {
		panic(err)
	}
	return tutti.Verdict{Ref: r, Judgement: j, Seen: after(minute - 1), CreatedBy: "key_1", CreatedAt: after(minute)}
}

func testVerdicts(t *testing.T, database Database) {
	ctx := context.Background()
	noTags := func(tutti.Ref) []string { return nil }
	all := func(t *testing.T, s store.Store) []tutti.Verdict {
		t.Helper()
		list, err := s.Verdicts(ctx)
		noError(t, err)
		return list
	}
	t.Run("the last of an item counts, until it is taken back", func(t *testing.T) {
		s := start(t, database)
		equal(t, "none", all(t, s), []tutti.Verdict{})
		a, b := verdict("social:post/a", tutti.Approved, 1), verdict("social:post/b", tutti.Rejected, 1)
		b.Reason = "not about us"
		noError(t, s.Judge(ctx, []tutti.Verdict{b, a}, noTags))
		equal(t, "two", all(t, s), []tutti.Verdict{a, b})
		again := verdict("social:post/b", tutti.Approved, 5)
		noError(t, s.Judge(ctx, []tutti.Verdict{again}, noTags))
		equal(t, "judged again", all(t, s), []tutti.Verdict{a, again})
		noError(t, s.Judge(ctx, []tutti.Verdict{verdict("social:post/a", "", 6), verdict("social:post/nowhere", "", 6)}, noTags))
		equal(t, "taken back", all(t, s), []tutti.Verdict{again})
		lines, err := s.Audit(ctx, 10, 0)
		noError(t, err)
		got := []string{}
		for _, l := range lines {
			got = append(got, string(l.Action)+" "+l.Subject+" "+l.Detail+" "+l.Reason)
		}
		equal(t, "audit", got, []string{
			"moderate social:post/nowhere taken back ", "moderate social:post/a taken back ", "moderate social:post/b approved ",
			"moderate social:post/a approved ", "moderate social:post/b rejected not about us",
		})
	})
	t.Run("are stored all or none", func(t *testing.T) {
		s := start(t, database)
		before, err := s.Changed(ctx)
		noError(t, err)
		ahead, odd := verdict("social:post/a", tutti.Approved, 1), verdict("social:post/a", "perhaps", 1)
		ahead.Seen = after(2)
		for field, bad := range map[string]tutti.Verdict{"seen": ahead, "judgement": odd} {
			if e := wantCode(t, s.Judge(ctx, []tutti.Verdict{verdict("social:post/b", tutti.Approved, 1), bad}, noTags), tutti.Invalid); e.Field != field {
				t.Errorf("got field %q, want %q", e.Field, field)
			}
		}
		equal(t, "stored", all(t, s), []tutti.Verdict{})
		noError(t, s.Judge(ctx, []tutti.Verdict{verdict("social:post/b", tutti.Approved, 1)}, noTags))
		if now, err := s.Changed(ctx); err != nil || now <= before {
			t.Errorf("the number of changes is %d after %d, %v", now, before, err)
		}
	})
	t.Run("are told to the others", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		f := openFeed(t, one)
		tags := func(r tutti.Ref) []string { return []string{r.Tag()} }
		noError(t, other.Judge(ctx, []tutti.Verdict{verdict("social:post/a", tutti.Approved, 1), verdict("social:post/b", tutti.Rejected, 1)}, tags))
		equal(t, "notices", read(t, f, noon), []store.Notice{
			{Topic: store.StaleTopic, Tags: []string{"social:post/a"}},
			{Topic: store.PurgeTopic, Tags: []string{"social:post/b"}},
			{Topic: store.ChangedTopic, Tags: []string{}},
		})
	})
}
