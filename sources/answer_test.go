package sources

import (
	"io"
	"net/http"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestWhatIsWrongWithAnAnswerIsTold plays answers that cannot be read, and says what their author learns: how far the manifest's
// paths lead, and nothing of what stands there.
func TestWhatIsWrongWithAnAnswerIsTold(t *testing.T) {
	const manifest = `
name: acme
failed: answer.ok == false
denied: answer.code == 9
kinds:
  item:
    type: Record
    get: {path: "/items/${id}", record: data.item}
    select: [{path: /items, records: data.items.list}]
    map: {title: record.name}
`
	for name, tt := range map[string]struct {
		contentType, body string
		code              tutti.Code
		get, list         string
	}{
		"HTML":              {"text/html; charset=utf-8", "<p>Sign in</p>", tutti.BadAnswer, "reading the answer: it is HTML (text/html) and not JSON", "="},
		"an unknown type":   {"canary/canary", "{}", tutti.BadAnswer, "reading the answer: it is another content type and not JSON", "="},
		"text that is none": {"text/plain", "Sorry", tutti.BadAnswer, "reading the answer: it is not valid JSON", "="},
		"nothing":           {"application/json", "", tutti.BadAnswer, "reading the answer: it is empty", "="},
		"another member":    {"application/json", `{"canary": {}}`, tutti.BadAnswer, "reading the answer: there is no record at data.item: its top has no member data", "reading the answer: there is no list at data.items.list: its top has no member data"},
		"too deep":          {"application/json", `{"data": {"item": 7, "items": [{"list": 1}]}}`, tutti.BadAnswer, "reading a record: it is no JSON object", "reading the answer: there is no list at data.items.list: data.items is a list"},
		"no list":           {"application/json", `{"data": {"item": "canary", "items": {"list": {"canary": 1}}}}`, tutti.BadAnswer, "reading a record: it is no JSON object", "reading the answer: there is no list at data.items.list: it is an object"},
		"a text above":      {"application/json", `{"data": "canary"}`, tutti.BadAnswer, "reading the answer: there is no record at data.item: data is a text", "reading the answer: there is no list at data.items.list: data is a text"},
		"an error":          {"application/json", `{"ok": false}`, tutti.BadAnswer, "reading the answer: the system tells of an error in it", "="},
		"denied":            {"application/json", `{"ok": false, "code": 9}`, tutti.Unavailable, "the system refuses the credentials, with status 200 OK", "="},
	} {
		t.Run(name, func(t *testing.T) {
			h := play(t, manifest, public, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				_, _ = io.WriteString(w, tt.body)
			})
			got := h.Get(t.Context(), refs("1"), tutti.Scope{})[0]
			if tutti.CodeOf(got.Err) != tt.code || got.Err.Error() != tt.get {
				t.Errorf("an item comes to %s, %v", tutti.CodeOf(got.Err), got.Err)
			}
			if tt.list == "=" {
				tt.list = tt.get
			}
			if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", First: 3}, tutti.Scope{}); err == nil || err.Error() != tt.list {
				t.Errorf("a list comes to %v", err)
			}
		})
	}
}

// TestJSONOfAnyName reads JSON that a web server calls something else.
func TestJSONOfAnyName(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/vnd.acme.v2+json", "text/json", "text/plain; charset=utf-8", "text/javascript", "binary/octet-stream", ""} {
		h := play(t, "name: acme\nkinds: {item: {type: Record, get: {path: '/items/${id}'}, map: {title: record.name}}}", public, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = io.WriteString(w, `{"id": "1", "name": "Rose"}`)
		})
		if got := h.Get(t.Context(), refs("1"), tutti.Scope{})[0]; got.Resource == nil || got.Resource.Fields.Get("title") != "Rose" {
			t.Errorf("of %q comes %v", contentType, got.Err)
		}
	}
}
