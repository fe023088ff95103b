package sourcetest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// post is a webhook as the system sent it.
type post struct {
	header http.Header
	body   []byte
	status int
}

// listen receives the system's webhooks, keeps them, and hands them on to the house.
func (sys *System) listen(t *testing.T, h *house) *[]post {
	t.Helper()
	var posts []post
	hook := h.Webhook(h.name)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p := post{header: r.Header.Clone(), body: body}
		p.status = p.to(hook)
		posts = append(posts, p)
		w.WriteHeader(p.status)
	}))
	sys.SetHook(srv.URL)
	t.Cleanup(func() { sys.SetHook(""); srv.Close() })
	return &posts
}

// to sends a webhook and gives the status of the answer.
func (p post) to(hook http.Handler) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/x", bytes.NewReader(p.body))
	r.Header = p.header.Clone()
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, r)
	return w.Code
}

// forgotten changes a record: its webhook must make the next read ask the origin again.
func forgotten(t *testing.T, sys *System, kind string, k Kind) {
	h := sys.open(t)
	posts := sys.listen(t, h)
	ids := sys.open(t).ids(t, kind, 2)
	got, _ := h.get(t.Context(), kind, ids...)
	if got[0].Resource == nil {
		t.Fatal(got[0].Err)
	}
	sel := tutti.Selection{Source: h.name, Kind: kind, First: 3, Owner: k.Owner}
	_, listErr := h.Select(t.Context(), sel, h.scope(kind))
	before := k.Reads(got[0].Resource)
	record, id := kind, ids[0]
	if k.Record != "" {
		record = k.Record
	}
	if k.Of != nil {
		id = k.Of(got[0].Resource)
	}
	if err := sys.Change(t.Context(), record, id, k.Change); err != nil {
		t.Fatal(err)
	}
	if len(*posts) != 1 || (*posts)[0].status != http.StatusAccepted {
		t.Fatalf("the change came as %d webhooks: %v", len(*posts), *posts)
	}
	if listErr == nil {
		calls := sys.Calls()
		if page, err := h.Select(t.Context(), sel, h.scope(kind)); err != nil || page.Cached || sys.Calls() == calls {
			t.Errorf("a selection after the webhook: %v, cached %v", err, page.Cached)
		}
	}
	again, calls := h.get(t.Context(), kind, ids[0])
	if again[0].Resource == nil || again[0].Freshness.State != tutti.Fresh || listErr != nil && (again[0].Cached || calls == 0) {
		t.Fatalf("after the webhook: %v, %v, %d calls", again[0].Freshness, again[0].Err, calls)
	}
	if after := show(k.Reads(again[0].Resource)); after != show(k.Want) || after == show(before) {
		t.Errorf("after the webhook it reads %s, before %s, want %s", after, show(before), show(k.Want))
	}
	if len(ids) > 1 {
		if got, calls := h.get(t.Context(), kind, ids[1]); calls != 0 || !got[0].Cached {
			t.Errorf("another item was forgotten too: %d calls", calls)
		}
	}
	if err := sys.Change(t.Context(), record, id, nil); err != nil { // gone at the origin
		t.Fatal(err)
	}
	if k.Record == "" {
		if gone, _ := h.get(t.Context(), kind, ids[0]); gone[0].Resource != nil || tutti.CodeOf(gone[0].Err) != tutti.NotFound {
			t.Errorf("after it was deleted: %v, %v", gone[0].Resource, gone[0].Err)
		}
	}
}

// trial is a webhook that was taken, and the item that it forgot.
type trial struct {
	*house
	hook     http.Handler
	real     post
	kind, id string
}

// try changes a record and keeps its webhook.
func try(t *testing.T, sys *System) *trial {
	t.Helper()
	h := sys.open(t)
	posts := sys.listen(t, h)
	kind := keys(sys.Kinds)[0]
	k := sys.Kinds[kind]
	ids := sys.open(t).ids(t, kind, 3)
	id := ids[len(ids)-1] // not one that the tests of forgetting use
	got, _ := h.get(t.Context(), kind, id)
	if got[0].Resource == nil {
		t.Fatal(got[0].Err)
	}
	record, of := kind, id
	if k.Record != "" {
		record = k.Record
	}
	if k.Of != nil {
		of = k.Of(got[0].Resource)
	}
	changed := maps.Clone(k.Change)
	if err := sys.Change(t.Context(), record, of, changed); err != nil {
		t.Fatal(err)
	}
	if _, calls := h.get(t.Context(), kind, id); calls == 0 {
		t.Fatal("the webhook had no effect")
	}
	return &trial{house: h, hook: h.Webhook(h.name), real: (*posts)[0], kind: kind, id: id}
}

// refused sends a message that must be answered so and have no effect.
func (tr *trial) refused(t *testing.T, what string, want int, p post) {
	t.Helper()
	if status := p.to(tr.hook); status != want {
		t.Errorf("%s is answered %d, want %d", what, status, want)
	}
	if _, calls := tr.get(t.Context(), tr.kind, tr.id); calls != 0 {
		t.Errorf("%s had an effect", what)
	}
}

// webhooks tries forged and repeated messages: none may have an effect.
func webhooks(t *testing.T, sys *System) {
	tr := try(t, sys)
	real := tr.real
	tr.refused(t, "a repetition", http.StatusAccepted, real)
	tr.refused(t, "a changed body", http.StatusUnauthorized, post{header: real.header, body: append(bytes.Clone(real.body), ' ')})
	tr.refused(t, "no body", http.StatusUnauthorized, post{header: real.header})
	tr.refused(t, "a body over 1 MB", http.StatusRequestEntityTooLarge, post{header: real.header, body: make([]byte, 1<<20+1)})
	for name, values := range real.header {
		if !strings.Contains(name, "Signature") && !strings.Contains(name, "Timestamp") {
			continue
		}
		missing, twice, other := real.header.Clone(), real.header.Clone(), real.header.Clone()
		missing.Del(name)
		twice[name] = append(twice[name], values[0])
		other.Set(name, flip(values[0]))
		tr.refused(t, "without "+name, http.StatusUnauthorized, post{header: missing, body: real.body})
		tr.refused(t, name+" twice", http.StatusUnauthorized, post{header: twice, body: real.body})
		tr.refused(t, name+" changed", http.StatusUnauthorized, post{header: other, body: real.body})
	}
}

// oldWebhooks sends what was signed long ago, or will be.
func oldWebhooks(t *testing.T, sys *System) {
	tr := try(t, sys)
	for what, ahead := range map[string]time.Duration{"an old message": 3 * time.Hour, "a message from the future": -6 * time.Hour} {
		tr.advance(ahead)
		tr.get(t.Context(), tr.kind, tr.id)
		tr.refused(t, what, http.StatusUnauthorized, tr.real)
	}
}

// flip changes the last character to another of its kind.
func flip(s string) string {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		switch {
		case b[i] >= '0' && b[i] < '9', b[i] >= 'a' && b[i] < 'f':
			b[i]++
			return string(b)
		case b[i] == '9', b[i] == 'f':
			b[i]--
			return string(b)
		}
	}
	return s + "1"
}
