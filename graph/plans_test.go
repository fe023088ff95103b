package graph

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
)

// testPlanner tells of each member by a refusal, in place of what the engine would make of it.
type testPlanner struct {
	mu    sync.Mutex
	asked []PlansAsk
	seen  []PlanAsker
	begun chan struct{} // gets one for each call, when it is not nil
	end   chan error    // when it is not nil: each call waits for it, or for its context
	err   error         // before any event
}

func (p *testPlanner) Plans(ctx context.Context, ask PlansAsk, emit func(Object) error) error {
	p.mu.Lock()
	p.asked = append(p.asked, ask)
	p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if err := emit(testObject{"PlansProgress", map[string]any{"composition": ask.Composition, "version": 1, "total": ask.Total, "decided": 0, "refused": 0, "groups": 0, "delivered": 0, "done": false}}); err != nil {
		return err
	}
	if p.begun != nil {
		p.begun <- struct{}{}
	}
	if p.end != nil {
		select {
		case err := <-p.end:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for m := range ask.Members {
		p.mu.Lock()
		p.seen = append(p.seen, m)
		p.mu.Unlock()
		var object Object = testObject{"PlanGroup", map[string]any{
			"key": "k", "private": false, "holes": []Object{}, "experience": testObject{"Experience", map[string]any{"id": "x", "title": "Line\nbreak", "components": []Object{testObject{"Hero", map[string]any{"id": "h", "props": Raw("{\n \"a\": 1\n}")}}}}},
			"members": []Object{testObject{"PlanMember", map[string]any{"index": m.Index, "id": m.ID, "fills": []string{"<b>"}, "problems": []Object{}}}},
		}}
		if m.Err != nil {
			told := PublicErrors(m.Err)
			errs := make([]Object, len(told))
			for i, e := range told {
				errs[i] = testObject{"PlanError", map[string]any{"code": string(e.Code), "message": e.Message, "field": e.Field, "hint": e.Hint}}
			}
			object = testObject{"PlanRefusal", map[string]any{"index": m.Index, "id": m.ID, "errors": errs}}
		}
		if err := emit(object); err != nil {
			return err
		}
	}
	return nil
}

// planHouse is a house that makes plans, with both of its paths.
func planHouse(t *testing.T, p *testPlanner, change ...func(*GenerationConfig)) *house {
	h := newHouse(t, append([]func(*GenerationConfig){func(c *GenerationConfig) { c.Planner = p }}, change...)...)
	mux := http.NewServeMux()
	mux.Handle("/graphql", h.server)
	mux.Handle("POST /plans", h.server.Plans())
	h.http.Close()
	h.http = httptest.NewServer(mux)
	t.Cleanup(h.http.Close)
	return h
}

// stream sends a request whose answer is no single JSON.
func (h *house) stream(ctx context.Context, path, key, media, accept, body string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.http.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", media)
	r.Header.Set("Authorization", "Bearer "+key)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func all(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func asking(t *testing.T, query string, variables map[string]any) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const plansOf = `subscription S($c: [MemberContextInput!]!) { told: plans(composition: "letter", channel: "email", contexts: $c) {
  ... on PlansProgress { total done } ... on PlanGroup { members { index id fills } experience { title components { id props } } } ... on PlanRefusal { index errors { code field } } } }`

func TestSubscriptionsComeAsEvents(t *testing.T) {
	p := &testPlanner{}
	h := planHouse(t, p)
	vars := map[string]any{"c": []any{
		map[string]any{"id": "r1", "locale": "de", "visitor": "guest-7", "attributes": map[string]any{"tier": "gold"}, "consent": map[string]any{"marketing": true}, "location": map[string]any{"lat": 1, "lon": 2.5}},
		map[string]any{},
	}}
	for _, accept := range []string{"text/event-stream", "application/graphql-response+json, application/json, Text/Event-Stream; q=0.9, multipart/mixed"} {
		res := h.stream(t.Context(), "/graphql", h.keys[tutti.ServerKey], "application/json", accept, asking(t, plansOf, vars))
		got := all(t, res)
		want := `event: next
data: {"data":{"told":{"total":2,"done":false}}}

event: next
data: {"data":{"told":{"members":[{"index":0,"id":"r1","fills":["\u003cb\u003e"]}],"experience":{"title":"Line\nbreak","components":[{"id":"h","props":{"a":1}}]}}}}

event: next
data: {"data":{"told":{"members":[{"index":1,"id":"","fills":["\u003cb\u003e"]}],"experience":{"title":"Line\nbreak","components":[{"id":"h","props":{"a":1}}]}}}}

event: complete
data:

`
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || res.Header.Get("Cache-Control") != "no-store" || got != want {
			t.Errorf("%s: %d %v\n%s", accept, res.StatusCode, res.Header, got)
		}
	}
	if ask := p.asked[0]; ask.Supports != nil {
		t.Errorf("supports %q without any", ask.Supports)
	}
	all(t, h.stream(t.Context(), "/graphql", h.keys[tutti.ServerKey], "application/json", eventStream, asking(t, strings.Replace(plansOf, "contexts:", `supports: ["Hero@2", "Card"], contexts:`, 1), vars)))
	if ask := p.asked[len(p.asked)-1]; !slices.Equal(ask.Supports, []string{"Hero@2", "Card"}) {
		t.Errorf("supports %q", ask.Supports)
	}
	if m := p.seen[0]; m.ID != "r1" || *m.Locale != "de" || *m.Context.Visitor != "guest-7" || m.Context.Attributes["tier"] != "gold" || !*m.Context.Consent.Marketing || m.Context.Location.Lon != 2.5 {
		t.Errorf("%+v %+v", m, m.Context)
	}
	if o := h.seen[0]; o.Kind != "subscription" || o.Operation != "S" || o.Status != http.StatusOK || o.Bytes == 0 || o.Code != "" {
		t.Errorf("%+v", o)
	}
}

func TestWhatIsWrongWithASubscription(t *testing.T) {
	h := planHouse(t, &testPlanner{})
	many := make([]any, maxContexts+1)
	for i := range many {
		many[i] = map[string]any{}
	}
	for _, c := range []struct {
		name, key, query string
		vars             map[string]any
		code             tutti.Code
	}{
		{"of a browser", h.keys[tutti.BrowserKey], plansOf, map[string]any{"c": []any{}}, tutti.Forbidden},
		{"of a management key", h.keys[tutti.ManagementKey], plansOf, map[string]any{"c": []any{}}, tutti.Forbidden},
		{"cannot be read", h.keys[tutti.ServerKey], "subscription {", nil, tutti.BadRequest},
		{"a variable of another type", h.keys[tutti.ServerKey], plansOf, map[string]any{"c": []any{map[string]any{"attributes": map[string]any{"nope": 1}}}}, tutti.UnknownAttribute},
		{"more contexts than allowed", h.keys[tutti.ServerKey], plansOf, map[string]any{"c": many}, tutti.TooLarge},
		{"two fields", h.keys[tutti.ServerKey], `subscription { a: plans(composition: "x", channel: "y", contexts: []) { __typename } b: plans(composition: "x", channel: "y", contexts: []) { __typename } }`, nil, tutti.BadRequest},
	} {
		res := h.stream(t.Context(), "/graphql", c.key, "application/json", eventStream, asking(t, c.query, c.vars))
		got := all(t, res)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(got, `event: next`+"\n"+`data: {"errors":[`) || !strings.Contains(got, `"code":"`+string(c.code)+`"`) || !strings.HasSuffix(got, "\n\nevent: complete\ndata:\n\n") {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, got)
		}
	}
	h.wantCode(h.ask(tutti.ServerKey, plansOf, map[string]any{"c": []any{}}), http.StatusBadRequest, tutti.BadRequest)
	if a := h.send("GET", "/graphql?query=subscription%7Bplans(composition:%22x%22,channel:%22y%22,contexts:[])%7B__typename%7D%7D", h.keys[tutti.ServerKey], "", "Accept", graphqlJSON); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != http.MethodPost {
		t.Errorf("over GET: %d %s", a.status, a.body)
	}
	if a := h.send("GET", "/graphql?query=%7Blocales%7D", h.keys[tutti.ServerKey], "", "Accept", eventStream); a.status != http.StatusNotAcceptable {
		t.Errorf("events over GET: %d %s", a.status, a.body)
	}
	if res := h.stream(t.Context(), "/graphql", "wrong", "application/json", eventStream, asking(t, plansOf, nil)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", res.StatusCode)
	}
}

func TestOneSubscriptionWrittenTwice(t *testing.T) {
	h := planHouse(t, &testPlanner{})
	got := all(t, h.stream(t.Context(), "/graphql", h.keys[tutti.ServerKey], plainJSON, eventStream, asking(t, `subscription($no: Boolean!) {
		plans(composition: "x", channel: "y", contexts: []) { ... on PlansProgress { total } } ...F  other: plans(composition: "z", channel: "y", contexts: []) @include(if: $no) { __typename } }
		fragment F on Subscription { plans(composition: "x", channel: "y", contexts: []) { ... on PlansProgress { composition } } }`, map[string]any{"no": false})))
	if want := "event: next\ndata: {\"data\":{\"plans\":{\"total\":0,\"composition\":\"x\"}}}\n\nevent: complete\ndata:\n\n"; got != want {
		t.Error(got)
	}
	none := all(t, h.stream(t.Context(), "/graphql", h.keys[tutti.ServerKey], plainJSON, eventStream, asking(t, `subscription { plans(composition: "x", channel: "y", contexts: []) @skip(if: true) { __typename } }`, nil)))
	if want := "event: complete\ndata:\n\n"; none != want {
		t.Error(none)
	}
}

func TestAQueryMayComeAsAnEventToo(t *testing.T) {
	h := planHouse(t, &testPlanner{})
	q := asking(t, `{ locales }`, nil)
	only := all(t, h.stream(t.Context(), "/graphql", h.keys[tutti.BrowserKey], "application/json", eventStream, q))
	if want := "event: next\ndata: {\"data\":{\"locales\":[\"en\",\"de\"]}}\n\nevent: complete\ndata:\n\n"; only != want {
		t.Errorf("%q", only)
	}
	either := h.stream(t.Context(), "/graphql", h.keys[tutti.BrowserKey], "application/json", "application/json, text/event-stream", q)
	if got := all(t, either); got != `{"data":{"locales":["en","de"]}}` || !strings.HasPrefix(either.Header.Get("Content-Type"), plainJSON) {
		t.Errorf("%s %s", either.Header.Get("Content-Type"), got)
	}
}

func TestPlansAsLines(t *testing.T) {
	p := &testPlanner{}
	h := planHouse(t, p)
	const head = `"composition": "letter", "channel": "email", "locale": "de", "supports": ["Hero@2", "Card"], "params": {"n": 12345678901234567890}, "select": "{ title ...F } fragment F on Experience { id }"`
	contexts := []string{
		`{"id": "a", "visitor": "guest-7", "attributes": {"tier": "gold"}}`, `{"attributes": {"tiers": "gold", "shoe": "x"}}`, `[]`, `null`, `{"id": "e", "nope": 1}`, `{"id": "f"}`,
	}
	const answered = `{"progress":{"composition":"letter","version":1,"total":6,"decided":0,"refused":0,"groups":0,"delivered":0,"done":false}}
{"group":{"key":"k","private":false,"members":[{"index":0,"id":"a","fills":["\u003cb\u003e"],"problems":[]}],"holes":[],"experience":{"title":"Line\nbreak","id":"x"}}}
{"refused":{"index":1,"id":"","errors":[{"code":"INVALID_VALUE","message":"The attribute shoe is of type double.","field":"context.attributes.shoe","hint":"Write a number, for example 1.5."},{"code":"UNKNOWN_ATTRIBUTE","message":"No attribute of this name is declared.","field":"context.attributes.tiers","hint":"Did you mean \"tier\"?"}]}}
{"refused":{"index":2,"id":"","errors":[{"code":"BAD_REQUEST","message":"The context is not a JSON object.","field":"context","hint":"Write, for example, {\"id\": \"r1\", \"visitor\": \"guest-7\"}."}]}}
{"refused":{"index":3,"id":"","errors":[{"code":"BAD_REQUEST","message":"The context is not a JSON object.","field":"context","hint":"Write, for example, {\"id\": \"r1\", \"visitor\": \"guest-7\"}."}]}}
{"refused":{"index":4,"id":"e","errors":[{"code":"INVALID_VALUE","message":"MemberContextInput has no field of this name.","field":"context.nope","hint":""}]}}
{"group":{"key":"k","private":false,"members":[{"index":5,"id":"f","fills":["\u003cb\u003e"],"problems":[]}],"holes":[],"experience":{"title":"Line\nbreak","id":"x"}}}
`
	for _, c := range []struct{ media, body string }{
		{"application/json", "{" + head + `, "contexts": [` + strings.Join(contexts, ",\n") + "]}"},
		{"application/x-ndjson; charset=utf-8", "{" + head + "}\r\n" + strings.Join(contexts, "\n\n") + "\n"},
		{"application/x-ndjson", "\n{" + head + "}\n" + strings.Join(contexts, "\n")},
	} {
		res := h.stream(t.Context(), "/plans", h.keys[tutti.ServerKey], c.media, "", c.body)
		got := all(t, res)
		// the order of the two mistakes in one context is that of their names
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/x-ndjson; charset=utf-8" || got != strings.ReplaceAll(answered, `\"tier\"`, "tier") {
			t.Errorf("%s: %d\n%s", c.media, res.StatusCode, got)
		}
		ask := p.asked[len(p.asked)-1]
		if params, _ := json.Marshal(ask.Params); ask.Composition != "letter" || ask.Channel != "email" || *ask.Locale != "de" || !slices.Equal(ask.Supports, []string{"Hero@2", "Card"}) || string(params) != `{"n":12345678901234567890}` {
			t.Errorf("%+v", ask)
		}
	}
	res := h.stream(t.Context(), "/plans", h.keys[tutti.ServerKey], "application/json", "", `{"composition": "letter", "channel": "email"}`)
	if got := all(t, res); strings.Count(got, "\n") != 1 {
		t.Errorf("without contexts: %d %s", res.StatusCode, got)
	}
	if ask := p.asked[len(p.asked)-1]; ask.Supports != nil { // nothing said is everything; an empty list is a mistake
		t.Errorf("supports %q without any", ask.Supports)
	}
}

func TestWhatIsWrongWithARequestForPlans(t *testing.T) {
	p := &testPlanner{}
	h := planHouse(t, p)
	server := h.keys[tutti.ServerKey]
	const good = `{"composition": "letter", "channel": "email", `
	for _, c := range []struct {
		name, key, media, body string
		status                 int
		code                   tutti.Code
		says                   string
	}{
		{"no key", "", plainJSON, good + `"contexts": []}`, 401, tutti.Unauthenticated, ""},
		{"a browser key", h.keys[tutti.BrowserKey], plainJSON, good + `"contexts": []}`, 403, tutti.Forbidden, "server keys"},
		{"a form", server, "application/x-www-form-urlencoded", "a=b", 415, tutti.BadRequest, jsonLines},
		{"nothing", server, plainJSON, "", 400, tutti.BadRequest, "composition"},
		{"a list", server, jsonLines, "[]\n{}", 400, tutti.BadRequest, "composition"},
		{"an unknown field", server, plainJSON, good + `"context": []}`, 400, tutti.BadRequest, "contexts"},
		{"contexts twice", server, jsonLines, good + `"contexts": []}` + "\n{}", 400, tutti.BadRequest, "first line"},
		{"two values", server, plainJSON, good + `"contexts": []} {}`, 400, tutti.BadRequest, ""},
		{"params that are none", server, plainJSON, good + `"params": [1], "contexts": []}`, 400, tutti.BadRequest, "params"},
		{"supports that are no texts", server, plainJSON, good + `"supports": [{"Hero": 2}], "contexts": []}`, 400, tutti.InvalidValue, "supports"},
		{"supports that is no list", server, plainJSON, good + `"supports": {"Hero": 2}, "contexts": []}`, 400, tutti.InvalidValue, "supports"},
		{"a locale that is none", server, plainJSON, good + `"locale": "?", "contexts": []}`, 400, tutti.InvalidValue, ""},
		{"no selection", server, plainJSON, good + `"select": "title", "contexts": []}`, 400, tutti.BadRequest, ""},
		{"an unknown selection", server, plainJSON, good + `"select": "{ titel }", "contexts": []}`, 400, tutti.BadRequest, "titel"},
		{"an operation", server, plainJSON, good + `"select": "{ title } query Q { locales }", "contexts": []}`, 400, tutti.BadRequest, "selection"},
		{"a field for editors", server, plainJSON, good + `"select": "{ components { why { reason } } }", "contexts": []}`, 403, tutti.Forbidden, "why"},
		{"too many lines", server, jsonLines, good + `"locale": "de"}` + strings.Repeat("\n{}", maxContexts+1), 413, tutti.TooLarge, "10,000"},
		{"too many contexts", server, plainJSON, good + `"contexts": [0` + strings.Repeat(",0", maxContexts) + `]}`, 413, tutti.TooLarge, "10,000"},
		{"too long", server, jsonLines, good + `"locale": "` + strings.Repeat("x", plansBytes) + `"}`, 413, tutti.TooLarge, "16 MB"},
		{"too long for a browser", h.keys[tutti.BrowserKey], jsonLines, good + `"locale": "` + strings.Repeat("x", 1<<20) + `"}`, 413, tutti.TooLarge, "1 MB"},
	} {
		res := h.stream(t.Context(), "/plans", c.key, c.media, "", c.body)
		got := all(t, res)
		if res.StatusCode != c.status || !strings.Contains(got, `"code":"`+string(c.code)+`"`) || !strings.Contains(got, c.says) || !json.Valid([]byte(got)) {
			t.Errorf("%s: %d %.600s", c.name, res.StatusCode, got)
		}
	}
	if len(p.asked) > 0 {
		t.Errorf("%d wrong requests were answered", len(p.asked))
	}
}

func TestErrorsOfPlansAsAWhole(t *testing.T) {
	const body = `{"composition": "letter", "channel": "email", "contexts": [{}]}`
	for err, status := range map[error]int{
		&tutti.Error{Code: tutti.UnknownComposition, Message: "there is none."}: 400, tutti.Errorf(tutti.Unavailable, "asking the store"): 503, errors.New("secret"): 500,
	} {
		h := planHouse(t, &testPlanner{err: err})
		res := h.stream(t.Context(), "/plans", h.keys[tutti.ServerKey], plainJSON, "", body)
		if got := all(t, res); res.StatusCode != status || !strings.HasPrefix(got, `{"errors":[`) || strings.Contains(got, "secret") {
			t.Errorf("%v: %d %s", err, res.StatusCode, got)
		}
	}
	later := &testPlanner{end: make(chan error, 2)}
	h := planHouse(t, later)
	later.end <- errors.New("secret")
	later.end <- errors.New("secret")
	lines := strings.Split(all(t, h.stream(t.Context(), "/plans", h.keys[tutti.ServerKey], plainJSON, "", body)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"progress":`) || !strings.HasPrefix(lines[1], `{"errors":[{"message":"Something`) || strings.Contains(lines[1], "secret") {
		t.Errorf("%q", lines)
	}
	events := all(t, h.stream(t.Context(), "/graphql", h.keys[tutti.ServerKey], plainJSON, eventStream, asking(t, plansOf, map[string]any{"c": []any{}})))
	if !strings.Contains(events, `"errors":[{"message":"Something went wrong on our side. Tell us the request id.","path":["told"]`) || !strings.HasSuffix(events, "event: complete\ndata:\n\n") {
		t.Error(events)
	}
	if o := h.seen[0]; o.Code != tutti.Internal || o.Errors != 1 {
		t.Errorf("%+v", o)
	}
	none := planHouse(t, nil, func(c *GenerationConfig) { c.Planner = nil })
	if res := none.stream(t.Context(), "/plans", none.keys[tutti.ServerKey], plainJSON, "", body); res.StatusCode != 503 {
		t.Errorf("without a planner: %d", res.StatusCode)
	}
}

// TestPlansEndWithTheirReader lets a client go away in the middle.
func TestPlansEndWithTheirReader(t *testing.T) {
	ended := make(chan error)
	h := planHouse(t, nil, func(c *GenerationConfig) {
		c.Planner = plannerFunc(func(ctx context.Context, ask PlansAsk, emit func(Object) error) error {
			_ = emit(testObject{"PlanRefusal", map[string]any{"index": 0, "errors": []Object{}}})
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	res := h.stream(ctx, "/plans", h.keys[tutti.ServerKey], plainJSON, "", `{"composition": "letter", "channel": "email", "contexts": [{}]}`)
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, `{"refused":`) {
		t.Errorf("the first line does not come while the others are made: %q, %v", line, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

type plannerFunc func(context.Context, PlansAsk, func(Object) error) error

func (f plannerFunc) Plans(ctx context.Context, ask PlansAsk, emit func(Object) error) error {
	return f(ctx, ask, emit)
}

func TestOnlyAFewPlansAreMadeAtOnce(t *testing.T) {
	p := &testPlanner{begun: make(chan struct{}), end: make(chan error)}
	h := planHouse(t, p)
	var done sync.WaitGroup
	for i := range plansAtOnce + 2 {
		done.Go(func() {
			path, accept, body := "/plans", "", `{"composition": "letter", "channel": "email", "contexts": []}`
			if i%2 == 0 {
				path, accept, body = "/graphql", eventStream, asking(t, plansOf, map[string]any{"c": []any{}})
			}
			res := h.stream(t.Context(), path, h.keys[tutti.ServerKey], plainJSON, accept, body)
			if got := all(t, res); res.StatusCode != http.StatusOK || strings.Contains(got, "errors") {
				t.Errorf("%d %s", res.StatusCode, got)
			}
		})
	}
	for range plansAtOnce {
		<-p.begun
	}
	p.mu.Lock()
	asked := len(p.asked)
	p.mu.Unlock()
	if asked != plansAtOnce {
		t.Errorf("%d were begun", asked)
	}
	if !h.server.Generation().Busy() {
		t.Error("what the plans are made of may be closed")
	}
	for range 2 {
		p.end <- nil
		<-p.begun
	}
	for range plansAtOnce {
		p.end <- nil
	}
	done.Wait()
	h.http.Close() // waits for the requests
	if h.server.Generation().Busy() {
		t.Error("nothing is made any more")
	}
}

func TestAPanicWhilePlansAreMade(t *testing.T) {
	for _, after := range []int{0, 1} {
		h := planHouse(t, nil, func(c *GenerationConfig) {
			c.Planner = plannerFunc(func(_ context.Context, _ PlansAsk, emit func(Object) error) error {
				for range after {
					_ = emit(testObject{"PlanRefusal", map[string]any{"index": 0, "errors": []Object{}}})
				}
				panic("secret")
			})
		})
		for range plansAtOnce + 1 { // places are given back
			res := h.stream(t.Context(), "/plans", h.keys[tutti.ServerKey], plainJSON, "", `{"composition": "letter", "channel": "email", "contexts": []}`)
			if got := all(t, res); res.StatusCode != map[int]int{0: 500, 1: 200}[after] || strings.Contains(got, "secret") || strings.Contains(got, "done") {
				t.Errorf("%d %s", res.StatusCode, got)
			}
		}
	}
}

// TestAMemberContextHasEverythingOfAContext keeps the two inputs together.
func TestAMemberContextHasEverythingOfAContext(t *testing.T) {
	s := newHouse(t).server.Generation().Schema()
	member := s.Types["MemberContextInput"]
	for _, f := range s.Types["ContextInput"].Fields {
		if own := member.Fields.ForName(f.Name); own == nil || own.Type.String() != f.Type.String() {
			t.Errorf("MemberContextInput.%s is %v", f.Name, own)
		}
	}
	if len(member.Fields) != len(s.Types["ContextInput"].Fields)+2 {
		t.Errorf("%d fields", len(member.Fields))
	}
}
