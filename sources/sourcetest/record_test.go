package sourcetest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

var update = flag.Bool("update", false, "record the played systems anew into sources/recordings")

// asked is what the recordings of the played systems ask.
var asked = map[string]struct {
	kinds map[string]recording.Kind
	hooks string
}{
	"cloudinary": {kinds: map[string]recording.Kind{
		"asset": {Missing: strings.Repeat("0", 28) + "abcd", Field: "alt", First: 2, Pages: 2, Locales: []string{"en", "de"}, Selections: []recording.Selection{
			{Text: "hotel"}, {Filter: map[string]any{"tag": "place"}}, {Filter: map[string]any{"folder": "places"}}, {Sort: "-created"}, {Sort: "name"},
		}},
	}, hooks: `
- name: a picture has new tags
  json: {notification_type: resource_tags_changed, resources: [{asset_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", public_id: spring/hero_01}]}
  changes: [asset/0f1e2d3c4b5a69788796a5b4c3d2e1f0]
- name: a picture was uploaded
  json: {notification_type: upload, asset_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", public_id: spring/hero_01}
  changes: [asset/0f1e2d3c4b5a69788796a5b4c3d2e1f0]
- name: a folder was moved
  json: {notification_type: move_or_rename_asset_folder, from_path: spring, to_path: summer}
  changes: [asset]
`},
	"mastodon": {kinds: map[string]recording.Kind{
		"post": {Missing: "115399999999990001", Field: "text", First: 2, Pages: 2, Selections: []recording.Selection{{Text: "hotel"}, {Filter: map[string]any{"tag": "hotelazul"}}, {Filter: map[string]any{"account": "105"}}}},
	}, hooks: `
- name: a post was edited
  json: {event: status.updated, created_at: "2026-05-20T14:00:00Z", object: {id: "115400000000000001"}}
  changes: [post/115400000000000001]
`},
	"zendesk": {kinds: map[string]recording.Kind{
		"ticket": {Missing: "990001", Field: "status", Owner: "20978392", Other: "20978393", First: 2, Pages: 2, Selections: []recording.Selection{
			{Filter: map[string]any{"status": "open"}, Sort: "-updated"}, {Sort: "created"}, {Text: "arrival"},
		}},
		"article": {Missing: "990001", Field: "body", First: 2, Pages: 2, Locales: []string{"en", "de"}, Selections: []recording.Selection{
			{Text: "room"}, {Filter: map[string]any{"label": "arrival"}, Sort: "title"}, {Sort: "-created"}, {Sort: "-updated"},
		}},
	}, hooks: `
- name: the state of a ticket changed
  json: {type: "zen:event-type:ticket.status_changed", id: "01K0", time: "2026-05-20T14:00:00Z", subject: "zen:ticket:35436", event: {current: OPEN, previous: NEW}}
  changes: [ticket/35436]
- name: an article was published
  json: {type: "zen:event-type:article.published", id: "01K1", time: "2026-05-20T14:00:00Z", subject: "zen:article:360001000", event: {}}
  changes: [article/360001000]
`},
}

// TestPlayedSystemsAreRecorded records the played systems again when it is told to:
// go test ./sources/sourcetest -run TestPlayedSystemsAreRecorded -update
func TestPlayedSystemsAreRecorded(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	origins, err := demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origins.Close)
	for name, a := range asked {
		c := source(t, origins, played[name].origin, name, played[name].settings)
		var secrets []string
		for _, s := range c.Secrets {
			secrets = append(secrets, s.Reveal())
		}
		hooks, err := recording.Parse(name, []byte("connector: x\nfrom: x\nkinds: {}\nhooks:"+strings.ReplaceAll(a.hooks, "\n", "\n  ")))
		if err != nil {
			t.Fatal(err)
		}
		sys, err := contract.New(contract.System{Source: c, Dir: ".", Kinds: a.kinds, Hooks: hooks.Hooks, Recorder: recording.Record(c.URL, secrets)})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range sys.AskAll(t.Context()) {
			if r.Outcome == contract.Failed {
				t.Errorf("%s %s %s: %v", name, r.Kind, r.Question, r.Why)
			}
		}
		rec := &recording.Recording{Connector: name, From: "documentation, as the demo's played system answers", Settings: c.Settings, Kinds: sys.Kinds, Hooks: hooks.Hooks}
		rec.Exchanges, _ = sys.Recorder.Exchanges()
		b, err := rec.Write()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../recordings/"+name+".yaml", b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
