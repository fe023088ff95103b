package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

func testPublished(t *testing.T, database Database) {
	ctx := context.Background()

	t.Run("none is an empty list", func(t *testing.T) {
		docs, next, err := start(t, database).Published(ctx, noon)
		noError(t, err)
		equal(t, "docs", docs, []store.Published{})
		equal(t, "next", next, time.Time{})
	})
	t.Run("gives all kinds, and the next instant of a change", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		publish(t, s, "home", `{"v":2}`, after(30), after(0))
		publish(t, s, "later", `{"v":1}`, after(20), after(0))
		for _, kind := range []tutti.DocumentKind{tutti.RedirectsDocument, tutti.AudienceDocument} {
			_, err := s.SaveDraft(ctx, tutti.Draft{Kind: kind, Name: "gold", Body: json.RawMessage(`{}`)}, "Ana", noon)
			noError(t, err)
			_, err = s.Publish(ctx, kind, "gold", 1, time.Time{}, "", "Ana", after(0))
			noError(t, err)
		}
		gold := store.Published{Name: "gold", Version: 1, Body: json.RawMessage(`{}`), From: after(0)}
		audience, redirects := gold, gold
		audience.Kind, redirects.Kind = tutti.AudienceDocument, tutti.RedirectsDocument
		home := store.Published{Kind: tutti.CompositionDocument, Name: "home", Version: 1, Body: json.RawMessage(`{"v":1}`), From: after(0), Until: after(30)}
		later := store.Published{Kind: tutti.CompositionDocument, Name: "later", Version: 1, Body: json.RawMessage(`{"v":1}`), From: after(20)}
		home2 := store.Published{Kind: tutti.CompositionDocument, Name: "home", Version: 2, Body: json.RawMessage(`{"v":2}`), From: after(30)}
		for _, c := range []struct {
			minute int
			docs   []store.Published
			next   time.Time
		}{
			{-1, []store.Published{}, after(0)},
			{0, []store.Published{audience, home, redirects}, after(20)},
			{19, []store.Published{audience, home, redirects}, after(20)},
			{20, []store.Published{audience, home, later, redirects}, after(30)},
			{30, []store.Published{audience, home2, later, redirects}, time.Time{}},
		} {
			docs, next, err := s.Published(ctx, after(c.minute))
			noError(t, err)
			equal(t, fmt.Sprintf("docs at minute %d", c.minute), docs, c.docs)
			equal(t, fmt.Sprintf("next at minute %d", c.minute), next, c.next)
		}
	})
	t.Run("whatever is published, planned and taken back", func(t *testing.T) {
		s := start(t, database)
		round := 0
		rapid.Check(t, func(r *rapid.T) {
			round++
			checkTimeline(t, r, s, fmt.Sprintf("page%d", round))
		})
	})
}

// checkTimeline plays editors at work on one document, and compares every minute of it with a
// plain list of what should count then.
func checkTimeline(t *testing.T, r *rapid.T, s store.Store, name string) {
	ctx, kind := context.Background(), tutti.CompositionDocument
	const minutes = 12
	var counts [minutes]int           // the version that should count, by minute; 0 = none
	planned := map[int]int{}          // minute → version
	newest, body, revision := 0, 0, 0 // of the draft
	now := 0
	for range rapid.IntRange(1, 8).Draw(r, "steps") {
		now = min(now+rapid.IntRange(0, 3).Draw(r, "pass"), minutes-1)
		switch rapid.SampledFrom([]string{"publish", "publish", "unpublish"}).Draw(r, "act") {
		case "publish":
			if b := rapid.IntRange(1, 3).Draw(r, "body"); b != body || newest == 0 {
				body = b
				newest++
			}
			d, err := s.SaveDraft(ctx, tutti.Draft{Kind: kind, Name: name, Body: fmt.Appendf(nil, "%d", body), Revision: revision}, "Ana", after(now))
			if err != nil {
				r.Fatal(err)
			}
			revision = d.Revision
			from := rapid.IntRange(now, minutes-1).Draw(r, "from")
			if _, err := s.Publish(ctx, kind, name, revision, after(from), "", "Ana", after(now)); err != nil {
				r.Fatal(err)
			}
			planned[from] = newest
			counts[from] = newest
			for m := from + 1; m < minutes && planned[m] == 0; m++ {
				counts[m] = newest
			}
		case "unpublish":
			some := false
			for m := now; m < minutes; m++ {
				some = some || counts[m] != 0
				counts[m] = 0
				delete(planned, m)
			}
			err := s.Unpublish(ctx, kind, name, "Ana", after(now))
			if some != (err == nil) {
				r.Fatalf("unpublishing at minute %d: %v, something to take back: %t", now, err, some)
			}
		}
	}
	for m := range minutes {
		if got := inForce(t, s, name, m)[0]; got != counts[m] {
			r.Fatalf("minute %d: version %d counts, want %d", m, got, counts[m])
		}
	}
}
