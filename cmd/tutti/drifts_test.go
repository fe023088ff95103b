package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store"
)

const driftsQuery = `{ sources { name drifts { kind pointer was is since fields compositions } } }`

type driftsAnswer struct {
	Sources []struct {
		Name   string
		Drifts []struct {
			Kind, Pointer, Was, Is string
			Since                  time.Time
			Fields, Compositions   []string
		}
	}
}

// TestAChangedShapeIsAWarningUntilItIsAccepted: what was learned comes from the store, so a renamed
// member is a warning from the first record on.
func TestAChangedShapeIsAWarningUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	p := play(t)
	h := p.server.house
	body := `{"sampled":40,"paths":{"/id":{"types":["text"],"seen":40},"/designation":{"types":["text"],"seen":40},"/name":{"types":["number"],"seen":40}}}`
	if err := h.store.KeepShape(t.Context(), tutti.Shape{Source: "stay", Kind: "hotel", Body: []byte(body), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	p.reconfigure(func(*config.Config) {}) // a new generation reads it
	p.ask(p.key(tutti.ManagementKey), "", `{ resource(ref: "stay:hotel/azul") { title } }`, nil)
	var got driftsAnswer
	p.ask(p.key(tutti.ManagementKey), "", driftsQuery, nil).into(t, &got)
	i := slices.IndexFunc(got.Sources, func(s struct {
		Name   string
		Drifts []struct {
			Kind, Pointer, Was, Is string
			Since                  time.Time
			Fields, Compositions   []string
		}
	},
	) bool {
		return s.Name == "stay"
	})
	if len(got.Sources[i].Drifts) != 1 {
		t.Fatalf("the drifts are %+v", got.Sources)
	}
	d := got.Sources[i].Drifts[0]
	if d.Kind != "hotel" || d.Pointer != "/name" || d.Was != "number" || d.Is != "text" || d.Since.IsZero() || !slices.Equal(d.Fields, []string{"title"}) || !slices.Contains(d.Compositions, "hotel-arrival") {
		t.Errorf("the drift is %+v", d)
	}
	line := p.logged(`msg="an origin changed the shape of its records" source=stay kind=hotel pointer=/name was=number is=text fields=[title] compositions="[`)
	if !regexp.MustCompile(`changed the shape.*compositions="\[[^\]]*hotel-arrival`).MatchString(line) {
		t.Errorf("the log does not say where it may show: %s", line)
	}
	p.origins.ResetCalls()
	p.refuses("drifts", p.ask(p.key(tutti.BrowserKey), "", driftsQuery, nil), tutti.Forbidden)
	p.refuses("accepting", p.ask(p.key(tutti.ServerKey), "", `mutation { acceptDrifts(source: "stay", kind: "hotel") }`, nil), tutti.Forbidden)
	var accepted struct{ AcceptDrifts int }
	p.ask(p.key(tutti.ManagementKey), "", `mutation { acceptDrifts(source: "stay", kind: "hotel") }`, nil).into(t, &accepted)
	p.ask(p.key(tutti.ManagementKey), "", driftsQuery, nil).into(t, &got)
	if accepted.AcceptDrifts != 1 || len(got.Sources[i].Drifts) != 0 {
		t.Errorf("accepted, there are %+v", got.Sources[i].Drifts)
	}
	stored, err := h.store.Shapes(t.Context())
	if err != nil || !slices.ContainsFunc(stored, func(s tutti.Shape) bool {
		return s.Kind == "hotel" && strings.Contains(string(s.Body), `"accepted"`)
	}) {
		t.Errorf("what was accepted is not stored: %v, %v", stored, err)
	}
}

func TestCheckingSourcesTellsOfDrifts(t *testing.T) {
	_, dir := playDemo(t)
	database := "sqlite:" + filepath.Join(dir, "learned.db")
	body := `{"sampled":40,"paths":{"/id":{"types":["text"],"seen":40},"/name":{"types":["number"],"seen":40}}}`
	if err := (databaseFlag{database}).with(t.Context(), func(st store.Store) error {
		return st.KeepShape(t.Context(), tutti.Shape{Source: "stay", Kind: "hotel", Body: []byte(body), At: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	out, _ := succeed(t, "sources", "check", "stay", "--config", filepath.Join(dir, "tutti.yaml"), "--database", database)
	wants(t, "sources check", out, "stay: ok", "stay: warning: /name of hotel was number and is text; it is read by title")
}
