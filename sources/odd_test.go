package sources

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestAnswersAreReadAsSystemsWriteThem asks for an item that is in an answer and for one that is not.
func TestAnswersAreReadAsSystemsWriteThem(t *testing.T) {
	const found = `{"items":[{"id":"a","name":"A"}],`
	for name, c := range map[string]struct {
		answer string
		other  tutti.Code // of the item that is not in it
	}{
		"all":                         {found + `"total":1}`, tutti.NotFound},
		"a total that is a text":      {found + `"total":"1"}`, tutti.NotFound},
		"cut, by a number":            {found + `"total":9}`, tutti.BadAnswer},
		"cut, by a text":              {found + `"total":"9"}`, tutti.BadAnswer},
		"cut, by a word":              {found + `"more":"yes"}`, tutti.BadAnswer},
		"not cut, by a word":          {found + `"more":"False"}`, tutti.NotFound},
		"not cut, by a figure":        {found + `"more":"0"}`, tutti.NotFound},
		"with a mark before it":       {"\ufeff" + found + `"total":1}`, tutti.NotFound},
		"with a mark and spaces":      {"\ufeff \n" + found + `"total":1}`, tutti.NotFound},
		"twice the same member":       {`{"items":[],"items":[{"id":"a","name":"A"}]}`, tutti.NotFound},
		"a half of a pair in a text":  {`{"items":[{"id":"a","name":"A\ud800"}]}`, tutti.NotFound},
		"an id that is a number, too": {`{"items":[{"id":7,"name":"7"},{"id":"a","name":"A"}]}`, tutti.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := strings.Replace(itemManifest, "      total: total\n", "      total: total\n      more: more\n", 1)
			h := play(t, manifest, public, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) })
			got := h.Get(t.Context(), refs("a", "b"), tutti.Scope{})
			if got[0].Resource == nil || !strings.HasPrefix(got[0].Resource.Fields.Get("title").(string), "A") {
				t.Errorf("the item that is there comes to %v", got[0].Err)
			}
			if tutti.CodeOf(got[1].Err) != c.other {
				t.Errorf("the item that is not comes to %v, want %s", got[1].Err, c.other)
			}
		})
	}
}

// TestWhetherAnItemExistsIsTrueOrFalse: a value that is neither says nothing, so that no live item is taken for a missing one.
func TestWhetherAnItemExistsIsTrueOrFalse(t *testing.T) {
	manifest := strings.Replace(itemManifest, "    map:\n", "    exists: record.live\n    map:\n", 1)
	for live, want := range map[string]tutti.Code{"true": "", "false": tutti.NotFound, "null": tutti.NotFound, "1": tutti.BadAnswer, `"true"`: tutti.BadAnswer, `"2026-11-21"`: tutti.BadAnswer} {
		h := play(t, manifest, public, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"items":[{"id":"a","name":"A","live":`+live+`}],"total":1}`)
		})
		if got := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; tutti.CodeOf(got.Err) != want && (want != "" || got.Resource == nil) {
			t.Errorf("where it is %s it comes to %v, want %s", live, got.Err, want)
		}
	}
}

// TestNoRecordsByTheirIdsMayBeAList asks for items of a system that writes an empty object as a list, as PHP does.
func TestNoRecordsByTheirIdsMayBeAList(t *testing.T) {
	manifest := strings.Replace(itemManifest, "      records: items\n", "      records: items\n      keyed: true\n", 1)
	for answer, want := range map[string]tutti.Code{`{"items":[]}`: tutti.NotFound, `{"items":{}}`: tutti.NotFound, `{"items":[ ]}`: tutti.NotFound, `{"items":[{"id":"a"}]}`: tutti.BadAnswer, `{"items":null}`: tutti.BadAnswer} {
		h := play(t, manifest, public, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		if got := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; tutti.CodeOf(got.Err) != want {
			t.Errorf("%s comes to %v, want %s", answer, got.Err, want)
		}
	}
}
