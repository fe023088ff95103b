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

func testPublications(t *testing.T, database Database) {
	ctx := context.Background()
	const kind = tutti.CompositionDocument
	log := func(t *testing.T, s store.Store, name string) []tutti.Publication {
		t.Helper()
		lines, err := s.Publications(ctx, kind, name, 100, 0)
		noError(t, err)
		return lines
	}

	t.Run("makes a version and a line of the log", func(t *testing.T) {
		s := start(t, database)
		save(t, s, "home", `{"v":1}`)
		p, err := s.Publish(ctx, kind, "home", 1, time.Time{}, "first", "Ben", noon)
		noError(t, err)
		want := tutti.Publication{ID: p.ID, Kind: kind, Name: "home", Version: 1, From: after(0), CreatedBy: "Ben", CreatedAt: after(0)}
		equal(t, "publication", p, want)
		equal(t, "log", log(t, s, "home"), []tutti.Publication{want})
		v, err := s.Version(ctx, kind, "home", 1)
		noError(t, err)
		equal(t, "version", v, tutti.Version{Kind: kind, Name: "home", Number: 1, Body: json.RawMessage(`{"v":1}`), Note: "first", CreatedBy: "Ben", CreatedAt: after(0)})
		d, err := s.Draft(ctx, kind, "home")
		noError(t, err)
		equal(t, "the draft's revision stays", d.Revision, 1)
	})
	t.Run("ends the one before, and keeps the same body's version", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		again := publish(t, s, "home", `{ "v": 1 }`, time.Time{}, after(1))
		equal(t, "version of the same body", again.Version, 1)
		other := publish(t, s, "home", `{"v":2}`, time.Time{}, after(2))
		equal(t, "version of another body", other.Version, 2)
		back := publish(t, s, "home", `{"v":1}`, time.Time{}, after(3))
		equal(t, "version of a former, not the newest body", back.Version, 3)
		lines := log(t, s, "home")
		equal(t, "ends, newest first", []time.Time{lines[0].Until, lines[1].Until, lines[2].Until, lines[3].Until},
			[]time.Time{{}, after(3), after(2), after(1)})
		equal(t, "who ended it", []string{lines[0].EndedBy, lines[1].EndedBy}, []string{"", "Ana"})
	})
	t.Run("refuses a stale revision and a draft that is not there", func(t *testing.T) {
		s := start(t, database)
		_, err := s.Publish(ctx, kind, "home", 0, time.Time{}, "", "Ana", noon)
		wantCode(t, err, tutti.NotFound)
		save(t, s, "home", `{"v":1}`)
		save(t, s, "home", `{"v":2}`)
		_, err = s.Publish(ctx, kind, "home", 1, time.Time{}, "", "Ben", noon)
		if e := wantCode(t, err, tutti.Conflict); !strings.Contains(e.Message, "Ana") || !strings.Contains(e.Message, "revision 2") {
			t.Errorf("got %q", e.Message)
		}
		noError(t, s.DeleteDraft(ctx, kind, "home", "Ana", noon))
		_, err = s.Publish(ctx, kind, "home", 3, time.Time{}, "", "Ben", noon)
		wantCode(t, err, tutti.NotFound)
		equal(t, "log", log(t, s, "home"), []tutti.Publication{})
		versions, err := s.Versions(ctx, kind, "home", 10, 0)
		noError(t, err)
		equal(t, "versions", versions, []tutti.Version{})
	})
	t.Run("what is planned stays planned when something is published before it", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		planned := publish(t, s, "home", `{"v":2}`, after(60), after(1))
		equal(t, "planned", planned.From, after(60))
		now := publish(t, s, "home", `{"v":3}`, time.Time{}, after(2))
		equal(t, "the new one ends where the planned one begins", now.Until, after(60))
		equal(t, "in force, before and after", inForce(t, s, "home", 0, 1, 2, 59, 60, 61), []int{1, 1, 3, 3, 2, 2})
		publish(t, s, "home", `{"v":4}`, after(60), after(3))
		equal(t, "replaced", inForce(t, s, "home", 59, 60), []int{3, 4})
		lines := log(t, s, "home")
		equal(t, "the replaced line never counted", lines[2].Until, lines[2].From)
	})
	t.Run("an instant in the past means now", func(t *testing.T) {
		s := start(t, database)
		p := publish(t, s, "home", `{}`, after(-10), after(0))
		equal(t, "from", p.From, after(0))
		_, err := s.Publish(ctx, kind, "home", 1, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), "", "Ana", noon)
		wantCode(t, err, tutti.Invalid)
	})
	t.Run("a clock that was set back loses no publication", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		publish(t, s, "home", `{"v":2}`, time.Time{}, after(10))
		publish(t, s, "home", `{"v":3}`, time.Time{}, after(5))
		equal(t, "in force", inForce(t, s, "home", 4, 5, 10, 100), []int{1, 3, 3, 3})
	})
	t.Run("unpublishing ends it, and what is planned", func(t *testing.T) {
		s := start(t, database)
		wantCode(t, s.Unpublish(ctx, kind, "home", "Ana", after(0)), tutti.NotFound)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		publish(t, s, "home", `{"v":2}`, after(60), after(1))
		publish(t, s, "other", `{"v":1}`, time.Time{}, after(0))
		noError(t, s.Unpublish(ctx, kind, "home", "Ben", after(2)))
		equal(t, "in force", inForce(t, s, "home", 1, 2, 60), []int{1, 0, 0})
		equal(t, "the other document", inForce(t, s, "other", 2), []int{1})
		lines := log(t, s, "home")
		equal(t, "who ended it", []string{lines[0].EndedBy, lines[1].EndedBy}, []string{"Ben", "Ben"})
		equal(t, "their ends", []time.Time{lines[0].Until, lines[1].Until}, []time.Time{after(60), after(2)})
		_, next, err := s.Published(ctx, after(3))
		noError(t, err)
		equal(t, "the next change", next, time.Time{})
		wantCode(t, s.Unpublish(ctx, kind, "home", "Ana", after(3)), tutti.NotFound)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(4))
		equal(t, "published again", inForce(t, s, "home", 3, 4), []int{0, 3})
	})
	t.Run("deleting the draft leaves what is published", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		noError(t, s.DeleteDraft(ctx, kind, "home", "Ana", after(1)))
		equal(t, "in force", inForce(t, s, "home", 2), []int{1})
		noError(t, s.Unpublish(ctx, kind, "home", "Ana", after(3)))
	})
	t.Run("restores a version as the draft", func(t *testing.T) {
		s := start(t, database)
		publish(t, s, "home", `{"v":1}`, time.Time{}, after(0))
		publish(t, s, "home", `{"v":2}`, time.Time{}, after(1))
		d, err := s.Restore(ctx, kind, "home", 1, 2, "Ben", after(2))
		noError(t, err)
		want := tutti.Draft{Kind: kind, Name: "home", Body: json.RawMessage(`{"v":1}`), Revision: 3, UpdatedBy: "Ben", UpdatedAt: after(2)}
		equal(t, "restored", d, want)
		d, err = s.Draft(ctx, kind, "home")
		noError(t, err)
		equal(t, "read", d, want)
		_, err = s.Restore(ctx, kind, "home", 1, 2, "Cem", after(3))
		wantCode(t, err, tutti.Conflict)
		_, err = s.Restore(ctx, kind, "home", 9, 3, "Cem", after(3))
		wantCode(t, err, tutti.NotFound)
		noError(t, s.DeleteDraft(ctx, kind, "home", "Ana", after(4)))
		_, err = s.Restore(ctx, kind, "home", 2, 0, "Cem", after(5))
		noError(t, err)
	})
	t.Run("pages through versions and the log, newest first", func(t *testing.T) {
		s := start(t, database)
		_, err := s.Version(ctx, kind, "home", 1)
		wantCode(t, err, tutti.NotFound)
		for i := range 5 {
			publish(t, s, "home", `{"v":`+string(rune('1'+i))+`}`, time.Time{}, after(i))
		}
		publish(t, s, "other", `{}`, time.Time{}, after(9))
		numbers := func(first, before int) []int {
			versions, err := s.Versions(ctx, kind, "home", first, before)
			noError(t, err)
			got := []int{}
			for _, v := range versions {
				got = append(got, v.Number)
				if want := `{"v":` + string(rune('0'+v.Number)) + `}`; string(v.Body) != want || v.CreatedBy != "Ana" || v.Name != "home" || v.Kind != kind {
					t.Errorf("got version %+v, want body %s", v, want)
				}
			}
			return got
		}
		equal(t, "first page", numbers(2, 0), []int{5, 4})
		equal(t, "second page", numbers(2, 4), []int{3, 2})
		equal(t, "last page", numbers(2, 2), []int{1})
		equal(t, "behind the end", numbers(2, 1), []int{})
		equal(t, "none asked", numbers(0, 0), []int{})

		lines := log(t, s, "home")
		equal(t, "lines", len(lines), 5)
		page, err := s.Publications(ctx, kind, "home", 2, lines[1].ID)
		noError(t, err)
		equal(t, "second page of the log", page, lines[2:4])
		all, err := s.Publications(ctx, "", "", 100, 0)
		noError(t, err)
		equal(t, "all documents", len(all), 6)
		none, err := s.Publications(ctx, tutti.PersonaDocument, "", 100, 0)
		noError(t, err)
		equal(t, "another kind", none, []tutti.Publication{})
		named, err := s.Publications(ctx, "", "other", 100, 0)
		noError(t, err)
		equal(t, "by name alone", len(named), 1)
	})
	t.Run("twenty publish at once: one version, one in force", func(t *testing.T) {
		open := database(t)
		stores := []store.Store{openOne(t, open), openOne(t, open)}
		save(t, stores[0], "home", `{"v":1}`)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if _, err := stores[i%2].Publish(ctx, kind, "home", 1, time.Time{}, "", "Ana", after(i%3)); err != nil {
					t.Errorf("publishing: %v", err)
				}
			})
		}
		wg.Wait()
		equal(t, "in force", inForce(t, stores[0], "home", 3), []int{1})
		versions, err := stores[0].Versions(ctx, kind, "home", 100, 0)
		noError(t, err)
		equal(t, "versions", len(versions), 1)
		equal(t, "lines", len(log(t, stores[0], "home")), 20)
	})
	t.Run("publishes the revision that was meant, whoever saves meanwhile", func(t *testing.T) {
		open := database(t)
		s, other := openOne(t, open), openOne(t, open)
		for i := range 10 {
			name := "home" + string(rune('a'+i))
			save(t, s, name, `{"v":1}`)
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := other.SaveDraft(ctx, tutti.Draft{Kind: kind, Name: name, Body: json.RawMessage(`{"v":2}`), Revision: 1}, "Ben", noon)
				if err != nil {
					t.Errorf("saving: %v", err)
				}
			})
			_, err := s.Publish(ctx, kind, name, 1, time.Time{}, "", "Ana", after(0))
			wg.Wait()
			if err != nil {
				wantCode(t, err, tutti.Conflict)
				continue
			}
			v, err := s.Version(ctx, kind, name, 1)
			noError(t, err)
			equal(t, "what was published", v.Body, json.RawMessage(`{"v":1}`))
		}
	})
}

// inForce gives the version of a document that counts at each of these minutes, 0 for none.
func inForce(t *testing.T, s store.Store, name string, minutes ...int) []int {
	t.Helper()
	versions := []int{}
	for _, m := range minutes {
		docs, _, err := s.Published(t.Context(), after(m))
		noError(t, err)
		version := 0
		for _, d := range docs {
			if d.Name == name && version != 0 {
				t.Fatalf("at minute %d two publications of %s count", m, name)
			}
			if d.Name == name {
				version = d.Version
			}
		}
		versions = append(versions, version)
	}
	return versions
}
