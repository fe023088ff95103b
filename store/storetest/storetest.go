// Package storetest is the contract that every engine of the store keeps: one suite, run against
// each of them on a real database. What is special to an engine is tested in its own folder.
package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
)

// Database makes an empty database for one test, and gives the function that opens it: each
// call opens it once more, as another process would. The test closes what it opened.
type Database func(t *testing.T) (open func() (store.Store, error))

// Run runs the whole contract.
func Run(t *testing.T, database Database) {
	t.Run("drafts", func(t *testing.T) { testDrafts(t, database) })
	t.Run("publications", func(t *testing.T) { testPublications(t, database) })
	t.Run("published", func(t *testing.T) { testPublished(t, database) })
	t.Run("keys", func(t *testing.T) { testKeys(t, database) })
	t.Run("operations", func(t *testing.T) { testOperations(t, database) })
	t.Run("events", func(t *testing.T) { testEvents(t, database) })
	t.Run("polls", func(t *testing.T) { testPolls(t, database) })
	t.Run("shapes", func(t *testing.T) { testShapes(t, database) })
	t.Run("suppressions", func(t *testing.T) { testSuppressions(t, database) })
	t.Run("verdicts", func(t *testing.T) { testVerdicts(t, database) })
	t.Run("audit", func(t *testing.T) { testAudit(t, database) })
	t.Run("feed", func(t *testing.T) { testFeed(t, database) })
	t.Run("backup", func(t *testing.T) { testBackup(t, database) })
}

// noon is an instant with a zone and nanoseconds, both of which a store drops.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))

// after is noon plus minutes, as a store gives it back.
func after(minutes int) time.Time {
	return store.Time(noon.Add(time.Duration(minutes) * time.Minute))
}

// start gives a store on a new, empty database.
func start(t *testing.T, database Database) store.Store {
	t.Helper()
	return openOne(t, database(t))
}

func openOne(t *testing.T, open func() (store.Store, error)) store.Store {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

// save writes a draft, whatever revision it has.
func save(t *testing.T, s store.Store, name, body string) tutti.Draft {
	t.Helper()
	now, err := s.Draft(t.Context(), tutti.CompositionDocument, name)
	if err != nil && !errors.Is(err, tutti.NotFound) {
		t.Fatal(err)
	}
	d, err := s.SaveDraft(t.Context(), tutti.Draft{Kind: tutti.CompositionDocument, Name: name, Body: json.RawMessage(body), Revision: now.Revision}, "Ana", noon)
	if err != nil {
		t.Fatalf("saving %s: %v", name, err)
	}
	return d
}

// publish saves a body and publishes it.
func publish(t *testing.T, s store.Store, name, body string, from, at time.Time) tutti.Publication {
	t.Helper()
	d := save(t, s, name, body)
	p, err := s.Publish(t.Context(), d.Kind, d.Name, d.Revision, from, "", "Ana", at)
	if err != nil {
		t.Fatalf("publishing %s: %v", name, err)
	}
	return p
}

// wantCode checks an error's code, and that it has a message for a person.
func wantCode(t *testing.T, err error, code tutti.Code) *tutti.Error {
	t.Helper()
	var public *tutti.Error
	if !errors.As(err, &public) || public.Code != code || public.Message == "" {
		t.Fatalf("got error %v, want a message with code %s", err, code)
	}
	return public
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal compares by their JSON and by == of it, so that nil and empty slices differ.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	g, err := json.MarshalIndent(got, "", "  ")
	noError(t, err)
	w, err := json.MarshalIndent(want, "", "  ")
	noError(t, err)
	if string(g) != string(w) {
		t.Fatalf("%s: got\n%s\nwant\n%s", what, g, w)
	}
}
