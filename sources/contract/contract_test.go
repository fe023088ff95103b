package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// exceptions are connectors without a recording, each with the reason and the test that proves it instead.
var exceptions = map[string]string{
	"postgres": "a recording holds HTTP alone: a test in sources/postgres asks a real PostgreSQL all questions",
	"files":    "a recording holds HTTP alone: TestAFolderKeepsTheContract asks a folder all questions",
}

// TestEveryConnectorKeepsTheContract asks every connector that comes with Tutti all questions, with its
// recording as the system. -run TestEveryConnectorKeepsTheContract/NAME -v shows what NAME's recording cannot do.
func TestEveryConnectorKeepsTheContract(t *testing.T) {
	for _, name := range sources.Vendors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := sources.ReadRecording(name, "")
			if why := exceptions[name]; why != "" {
				if err == nil {
					t.Errorf("it is an exception (%s) and has a recording all the same", why)
				}
				t.Skip(why)
			}
			if tutti.CodeOf(err) == tutti.NotFound {
				t.Fatalf("there is no sources/recordings/%s.yaml: write one, see docs/recordings.md, or name it in exceptions with the reason", name)
			}
			if err != nil {
				t.Fatal(err)
			}
			// A recording needs no network, so that time may stand still: nothing here waits, and nothing is late.
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)))
				asked(t, name, contract.System{Recording: r})
			})
		})
	}
}

// polledForReal are kinds whose recordings, made of running systems, hold no feed of changes: each is polled there.
var polledForReal = map[string]string{
	"bluesky: post":     "e2e/bluesky_test.go",
	"directus: article": "e2e/directus_test.go",
	"rt: ticket":        "e2e/rt_test.go",
}

// TestEveryFeedOfChangesIsAsked makes sure that a recording says since when something changed, for each kind that can be polled.
func TestEveryFeedOfChangesIsAsked(t *testing.T) {
	feeds := 0
	for _, name := range sources.Vendors() {
		m, err := sources.ReadManifest(name, "")
		if err != nil {
			t.Fatal(err)
		}
		r, err := sources.ReadRecording(name, "")
		if err != nil {
			continue // an exception
		}
		for kind, k := range m.Kinds {
			if k.Changes == nil || r.Kinds[kind].Without != "" {
				continue
			}
			feeds++
			at := name + ": " + kind
			if since, why := r.Kinds[kind].Changes, polledForReal[at]; (since == nil) != (why != "") {
				t.Errorf("%s: its recording asks what changed: %v; its exception: %q", at, since != nil, why)
			}
		}
	}
	if feeds < 15 {
		t.Errorf("%d kinds can be polled", feeds)
	}
}

// TestAFolderKeepsTheContract asks a folder of files all that can be asked of one.
func TestAFolderKeepsTheContract(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"one.md": "---\ntitle: One\ndate: 2026-11-01\ntags: [spring]\nauthor: Ana\n---\nThe **first** text", "two.md": "---\ntitle: Two\n---\nThe second", "three.json": `{"title": "Three"}`, "four.yaml": "title: Four\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	asked(t, "files", contract.System{
		Source: config.Source{Settings: map[string]string{"folder": dir}},
		Kinds: map[string]contract.Kind{"article": {IDs: []string{"one", "two", "four"}, Missing: "none", First: 2, Selections: []recording.Selection{
			{Text: "first", Finds: []string{"one"}}, {Filter: map[string]any{"tag": "spring"}, Finds: []string{"one"}}, {Sort: "title", Finds: []string{"four", "one"}},
		}}},
	})
}

func asked(t *testing.T, connector string, s contract.System) {
	t.Helper()
	s.Source.Connector = connector
	sys, err := contract.New(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range sys.AskAll(t.Context()) {
		what := strings.TrimPrefix(r.Kind+": "+r.Question, ": ")
		switch r.Outcome {
		case contract.Failed:
			t.Errorf("%s: %s\n\t%s", what, r.Place, strings.Join(r.Why, "\n\t"))
		default:
			t.Logf("%s: %s %s", what, r.Outcome, strings.Join(r.Why, "; "))
		}
	}
}
