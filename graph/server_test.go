package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// house is a server with resolvers that answer little, a store in memory, and a clock.
type house struct {
	t        testing.TB
	server   *Server
	http     *httptest.Server
	store    *memoryKeys
	resolver *testQuery
	log      *lockedBuffer
	keys     map[tutti.KeyClass]string
	seen     []Observation
	clock    time.Time
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newHouse(t testing.TB, change ...func(*GenerationConfig)) *house {
	t.Helper()
	h := &house{t: t, store: &memoryKeys{}, resolver: &testQuery{}, log: &lockedBuffer{}, keys: map[tutti.KeyClass]string{}, clock: noon}
	c := GenerationConfig{ID: "one", ComponentTypes: testComponents, Attributes: testAttributes, Resolvers: testRoot{q: h.resolver}, Introspection: true}
	for _, f := range change {
		f(&c)
	}
	g, err := NewGeneration(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range tutti.KeyClasses {
		var origins []string
		if class == tutti.BrowserKey {
			origins = []string{"https://app.example"}
		}
		h.keys[class] = h.store.add(NewKey(class, "the "+string(class)+" key", origins, noon, time.Time{}))
	}
	var mu sync.Mutex
	h.server = NewServer(ServerConfig{
		Keys: h.store, Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: func() time.Time { return h.clock },
		Observe: func(_ context.Context, o Observation) { mu.Lock(); h.seen = append(h.seen, o); mu.Unlock() },
	}, g)
	h.http = httptest.NewServer(h.server)
	t.Cleanup(h.http.Close)
	return h
}

var testComponents = []tutti.ComponentType{
	{Name: "Hero", Version: 1, Description: "A \"large\" picture\nwith words."},
	{Name: "Card", Version: 1},
}

var testAttributes = []tutti.Attribute{
	{Name: "tier", Type: tutti.StringType, Description: "Loyalty tier.", Trust: tutti.TrustSigned, Purpose: tutti.Personalization, Values: []string{"silver", "gold"}, Claim: "tier"},
	{Name: "reservation", Type: tutti.StringType, Trust: tutti.TrustServer, Purpose: tutti.Necessary},
	{Name: "interests", Type: tutti.ListType},
	{Name: "visits", Type: tutti.IntType},
	{Name: "since", Type: tutti.TimestampType},
	{Name: "home", Type: tutti.PlaceType},
	{Name: "shoe", Type: tutti.DoubleType},
	{Name: "member", Type: tutti.BoolType},
	{Name: "oldName", Type: tutti.StringType, Deprecated: "Use tier."},
	{Name: "distance", Type: tutti.DoubleType, Derive: "1.0"},
	{Name: "stay.checkIn", Type: tutti.TimestampType, Enricher: "stay", Field: "checkIn"},
}

// answer is an HTTP answer, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	json   struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Path       []any
			Locations  []struct{ Line, Column int }
			Extensions struct{ Code, RequestID, Field, Hint string }
		}
	}
}

func (a answer) code() string {
	if len(a.json.Errors) == 0 {
		return ""
	}
	return a.json.Errors[0].Extensions.Code
}

func (h *house) send(method, path, key, body string, header ...string) answer {
	h.t.Helper()
	r, err := http.NewRequest(method, h.http.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &a.json); err != nil {
			h.t.Fatalf("the answer is not JSON: %s", b)
		}
	}
	return a
}

// ask sends an operation with the key of a class, as current clients do.
func (h *house) ask(class tutti.KeyClass, query string, variables map[string]any, header ...string) answer {
	h.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.send("POST", "/graphql", h.keys[class], string(body), append([]string{"Accept", graphqlJSON}, header...)...)
}

func (h *house) wantCode(a answer, status int, code tutti.Code) {
	h.t.Helper()
	if a.status != status || a.code() != string(code) {
		h.t.Errorf("got %d %s, want %d %s; body: %s", a.status, a.code(), status, code, a.body)
	}
}

// testRoot resolves with testQuery; what is not written there panics, as a mistake of ours would.
type testRoot struct {
	ResolverRoot
	q *testQuery
}

func (r testRoot) Query() QueryResolver       { return r.q }
func (r testRoot) Mutation() MutationResolver { return testMutation{} }

type testMutation struct{ MutationResolver }

func (testMutation) DeletePersona(context.Context, string) (bool, error) { return true, nil }

type testQuery struct {
	QueryResolver
	mu       sync.Mutex
	calls    int
	context  tutti.Context
	problems []tutti.Problem
	viewer   Viewer
	delivery *Delivery // what experiences say about themselves
	err      error
}

func (q *testQuery) Locales(context.Context) ([]string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	return []string{"en", "de"}, q.err
}

func (q *testQuery) Sources(context.Context) ([]*Source, error) { return []*Source{}, nil }

func (q *testQuery) Experience(ctx context.Context, composition string, params any, channel string, locale *string, input *ContextInput, supports []string, part *PagePart, ifNoneMatch []*SlotHash, preview *PreviewInput) (*Answer, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	q.viewer = ViewerFrom(ctx)
	c, problems, err := GenerationFrom(ctx).CheckContext(q.viewer, input)
	if err != nil {
		return nil, err
	}
	q.context, q.problems = c, problems
	if q.delivery != nil {
		Deliver(ctx, *q.delivery)
	}
	return NewAnswer(ctx, testObject{"Experience", map[string]any{
		"id": "x1", "composition": composition, "channel": channel,
		"components": []Object{testObject{"Hero", map[string]any{"id": "h1"}}, testObject{"Card", map[string]any{"id": "c1"}}},
	}}), nil
}

func (q *testQuery) Resource(ctx context.Context, ref tutti.Ref, locale *string, channel *string, input *ContextInput, preview *PreviewInput) (ResourceAnswer, error) {
	return NewAnswer(ctx, testObject{"Place", map[string]any{"id": "r1", "ref": ref.String()}}), nil
}

type testObject struct {
	name   string
	fields map[string]any
}

func (o testObject) TypeName() string { return o.name }
func (o testObject) Field(name string, _ Args) (any, error) {
	v, ok := o.fields[name]
	if !ok {
		return nil, errors.New("no such field: " + name)
	}
	return v, nil
}

// memoryKeys is a KeyStore that counts.
type memoryKeys struct {
	mu      sync.Mutex
	keys    []tutti.Key
	loads   int
	touches []string
	err     error
	during  func() // called while loading, after the copy was made
}

func (m *memoryKeys) add(plain string, k tutti.Key) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = append(m.keys, k)
	return plain
}

func (m *memoryKeys) change(name string, f func(*tutti.Key)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.keys {
		if m.keys[i].Name == name {
			f(&m.keys[i])
		}
	}
}

func (m *memoryKeys) Keys(context.Context) ([]tutti.Key, error) {
	m.mu.Lock()
	m.loads++
	list, err, during := append([]tutti.Key(nil), m.keys...), m.err, m.during
	m.during = nil
	m.mu.Unlock()
	if during != nil {
		during()
	}
	return list, err
}

func (m *memoryKeys) TouchKey(_ context.Context, id string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.touches = append(m.touches, id)
	return nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAnswersQueries(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.BrowserKey, `query Q($c: ID!) { experience(composition: "arrival", channel: $c) { id channel components { __typename id ... on Hero { hero: id } } } locales }`, map[string]any{"c": "web"})
	want := `{"data":{"experience":{"id":"x1","channel":"web","components":[{"__typename":"Hero","id":"h1","hero":"h1"},{"__typename":"Card","id":"c1"}]},"locales":["en","de"]}}`
	if a.status != 200 || a.body != want {
		t.Errorf("got %d %s\nwant %s", a.status, a.body, want)
	}
	if got := a.header.Get("Content-Type"); got != "application/graphql-response+json; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
	if n := len(h.seen); n != 1 || h.seen[0].Operation != "Q" || h.seen[0].Kind != "query" || h.seen[0].Class != tutti.BrowserKey || h.seen[0].Status != 200 || h.seen[0].Bytes != len(want) {
		t.Errorf("observed %+v", h.seen)
	}
}
