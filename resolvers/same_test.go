package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph/graphtest"
	"github.com/tuttihq/tutti/internal/config"
)

// TestKeptAnswersAreThoseMadeAnew holds a replica that keeps ready answers against one that keeps
// none and reads every item anew at its origin: byte for byte the same for random operations,
// contexts and moments, but for how fresh things are. make e2e asks 10,000 times (TUTTI_ROUNDS);
// TUTTI_SEED makes it begin elsewhere.
func TestKeptAnswersAreThoseMadeAnew(t *testing.T) {
	s := newSameness(t)
	rounds := number(t, "TUTTI_ROUNDS", 400)
	seed := uint64(number(t, "TUTTI_SEED", 1))
	r := rand.New(rand.NewPCG(seed, 1))
	var often []request
	for n := range rounds {
		if n%200 == 0 { // others ask for other things, each of them several times
			often = often[:0]
			for _, op := range s.operations(r, 4) {
				for range 8 {
					often = append(often, s.request(r, op))
				}
			}
		}
		s.pass(r)
		q := often[r.IntN(len(often))]
		if r.IntN(3) == 0 { // the same from somebody else
			q = s.request(r, graphtest.Operation{Query: q.query, OperationName: q.operation, Variables: q.variables})
		}
		s.had(r, q)
		got, want := s.keeps.ask(q), s.anew.ask(q)
		s.learn(q, want)
		if !bytes.Equal(got, want) && !sameErrors(got, want) {
			b, _ := json.Marshal(q.variables)
			t.Fatalf("TUTTI_SEED=%d: request %d, at %v, with a %s key: kept and made anew\n%s\n%s\n%s\n%s", seed, n, s.now(), q.class, got, want, q.query, b)
		}
		if bytes.Contains(want, []byte(`"errors"`)) {
			s.failed++
		}
	}
	if s.failed > rounds/3 {
		t.Errorf("%d of %d answers have errors: too few are compared", s.failed, rounds)
	}
	if s.shorter == 0 && rounds >= 3000 { // in a short run it is up to chance
		t.Error("no answer was without what the app had: too little is compared")
	}
}

var hashShape = regexp.MustCompile(`"[A-Za-z0-9_-]{22}"`)

// had lets an app sometimes send what it may have as the slots of a page: everything in the answers
// to this operation that looks like a hash.
func (s *sameness) had(r *rand.Rand, q request) {
	if _, takes := q.variables["ifNoneMatch"]; !takes {
		return
	}
	q.variables["ifNoneMatch"] = nil
	known := s.answers[q.query]
	if known == nil || r.IntN(2) == 0 {
		return
	}
	var list []any
	for i, hash := range hashShape.FindAll(known.answer, -1) {
		for _, slot := range []string{"top", "main", "more"} {
			if i < 33 {
				list = append(list, map[string]any{"slot": slot, "hash": string(hash[1:23])})
			}
		}
	}
	q.variables["ifNoneMatch"] = list
}

// sent is an answer, and to what.
type sent struct{ asked, answer []byte }

// learn keeps the answers that may have hashes in them, and notes one that came shorter than the
// same before.
func (s *sameness) learn(q request, answer []byte) {
	if !strings.Contains(q.query, "hash") || bytes.Contains(answer, []byte(`"errors"`)) {
		return
	}
	list := q.variables["ifNoneMatch"]
	q.variables["ifNoneMatch"] = nil
	asked, _ := json.Marshal(q.variables)
	q.variables["ifNoneMatch"] = list
	if known := s.answers[q.query]; list != nil && bytes.Equal(known.asked, asked) && len(answer) < len(known.answer) {
		s.shorter++
	} else if list == nil {
		s.answers[q.query] = &sent{asked, answer}
	}
}

// TestWhatIsSharedInsideAPersonalPartIsKept asks the same operations again and again for visitors of
// whom each has something of his own inside what they share: what is kept of one of them is put into the page of
// another, and nothing else is.
func TestWhatIsSharedInsideAPersonalPartIsKept(t *testing.T) {
	s := newSameness(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, query := range []string{
		`query($composition: ID!, $params: JSON, $channel: ID!, $context: ContextInput) { experience(composition: $composition, params: $params, channel: $channel, context: $context) {
			id components { id component parent slot path personal props slots { name components { id component parent ... on Card { title image { ref alt } } } } } problems { path code } locales { path got } } }`,
		`query($composition: ID!, $params: JSON, $channel: ID!, $context: ContextInput) { experience(composition: $composition, params: $params, channel: $channel, context: $context) {
			slots { name components { id ... on Cards { headline slots { components { __typename id component personal path ... on Card { title } } } } } } problems { path code } } }`,
		`query($composition: ID!, $params: JSON, $channel: ID!, $context: ContextInput) { experience(composition: $composition, params: $params, channel: $channel, context: $context) {
			slots { name hash components { id component } } components { id component parent props } problems { path code } } }`,
	} {
		for n := range 240 {
			visitor := []string{"guest-7", "guest-8", "guest-9", ""}[n%4]
			context := map[string]any{"attributes": map[string]any{}, "consent": map[string]any{"personalization": true}}
			if visitor != "" {
				context["visitor"] = visitor
				context["attributes"] = map[string]any{"reservation": map[string]any{"guest-7": "R-1007", "guest-8": "R-1008", "guest-9": "R-1009"}[visitor], "tier": []string{"gold", "silver"}[n/4%2]}
			}
			q := request{query: query, class: tutti.ServerKey, variables: map[string]any{"composition": "mixed", "params": map[string]any{"hotel": "stay:hotel/azul"}, "channel": "web", "context": context}}
			if n%40 == 39 {
				s.pass(r)
			}
			s.asked.Add(1)
			if got, want := s.keeps.ask(q), s.anew.ask(q); !bytes.Equal(got, want) {
				t.Fatalf("%s, request %d: kept and made anew\n%s\n%s\n%s", visitor, n, got, want, query)
			}
		}
	}
}

func number(t testing.TB, env string, otherwise int) int {
	s := os.Getenv(env)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sameErrors compares answers whose fields at the top failed at once, in any order.
func sameErrors(a, b []byte) bool {
	var x, y struct {
		Data   json.RawMessage
		Errors []json.RawMessage
	}
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x.Errors) < 2 || len(x.Errors) != len(y.Errors) || !bytes.Equal(x.Data, y.Data) {
		return false
	}
	for _, e := range x.Errors {
		found := false
		for _, f := range y.Errors {
			found = found || bytes.Equal(e, f)
		}
		if !found {
			return false
		}
	}
	return true
}

type sameness struct {
	t           *testing.T
	origins     *demo.Origins
	keeps, anew *replica
	clock       atomic.Int64
	asked       atomic.Int64 // days that the sources of anew are ahead: nothing that they keep counts any more
	tokens      map[string]string
	docs        []engine.Doc
	version     int
	changed     int
	failed      int
	answers     map[string]*sent // by the operation's text
	shorter     int              // answers that came without what the app had
}

func (s *sameness) now() time.Time { return time.Unix(0, s.clock.Load()).UTC() }

func newSameness(t *testing.T) *sameness {
	s := &sameness{t: t, tokens: map[string]string{}, version: 1, answers: map[string]*sent{}}
	began := time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)
	s.clock.Store(began.UnixNano())
	var err error
	if s.origins, err = demo.StartOrigins(demo.OriginsConfig{Now: func() time.Time { return began }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.origins.Close)
	env := s.origins.Env()
	env["TUTTI_VISITOR_SECRET"] = strings.Repeat("v", 40)
	for name := range env {
		if key, ok := strings.CutSuffix(name, "_APIKEY"); ok {
			env[key+"_API_KEY"] = env[name]
		}
	}
	cfg, err := config.Load("../demo/tutti.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	for i := range cfg.Sources {
		cfg.Sources[i].Limits.Timeout, cfg.Sources[i].Limits.SoftTimeout = time.Minute, time.Minute
	}
	s.docs = append(documents(t, tutti.AudienceDocument, "../demo/audiences"), documents(t, tutti.CompositionDocument, "../demo/compositions")...)
	s.docs = append(s.docs, documents(t, tutti.CompositionDocument, "testdata/pages")...)
	c := replicaConfig{config: cfg, dir: "../demo", secret: bytes.Repeat([]byte("s"), 32), now: s.now, kept: 8 << 20, keys: newKeyring(began), store: noStore{}}
	s.keeps = openReplica(t, c)
	c.kept, c.origins = 0, func() time.Time { return began.AddDate(0, 0, int(s.asked.Load())) }
	s.anew = openReplica(t, c)
	s.keeps.load(s.docs)
	s.anew.load(s.docs)
	for visitor, claims := range map[string]map[string]any{"guest-7": {"tier": "gold", "reservation": "R-1007"}, "guest-8": {"tier": "silver", "reservation": "R-1008"}, "guest-9": {}} {
		s.tokens[visitor] = visitorToken(t, cfg.Visitors, began, visitor, claims)
	}
	return s
}

// pass lets time go by and things happen: an item changes at its origin and is forgotten, an
// editor publishes.
func (s *sameness) pass(r *rand.Rand) {
	s.asked.Add(1)
	step := []time.Duration{0, 0, 0, 0, 0, time.Millisecond, time.Second, time.Second, 20 * time.Second, 5 * time.Minute}[r.IntN(10)]
	s.clock.Add(int64(step))
	switch r.IntN(60) {
	case 0:
		s.changed++
		id := []string{"azul", "brisa"}[r.IntN(2)]
		if err := s.origins.Change(context.Background(), "stay", "hotel", id, map[string]any{"name": fmt.Sprintf("Hotel %s %d", id, s.changed)}); err != nil {
			s.t.Fatal(err)
		}
		s.keeps.sources.Forget("stay:hotel/"+id, "stay:hotel")
		s.anew.sources.ForgetAll()
	case 1:
		s.version++
		n := r.IntN(len(s.docs))
		s.docs[n].Version = s.version
		s.keeps.load(s.docs)
		s.anew.load(s.docs)
	}
}

// operations makes operations for one experience, of which all arguments come with the request.
func (s *sameness) operations(r *rand.Rand, n int) []graphtest.Operation {
	privileged := false
	m := graphtest.Operations{
		R: r, Schema: s.keeps.gen.Schema(), Roots: []string{"experience"},
		Argument: func(_, arg string) (any, bool) { return graphtest.Variable(arg), arg != "preview" },
		LeaveOut: func(_ *ast.Definition, field string) bool {
			switch field {
			case "freshness", "assembled", "origins": // how fresh, and from where
				return true
			case "why", "leftOut", "raw":
				return !privileged
			}
			return false
		},
	}
	var list []graphtest.Operation
	for range n {
		privileged = r.IntN(8) == 0
		list = append(list, m.Make())
	}
	return list
}

func (s *sameness) request(r *rand.Rand, op graphtest.Operation) request {
	pick := func(list ...any) any { return list[r.IntN(len(list))] }
	q := request{query: op.Query, operation: op.OperationName, variables: map[string]any{}}
	for name, v := range op.Variables {
		q.variables[name] = v
	}
	page := pick("home", "hotel", "hotel-arrival", "nested", "nested", "own", "own", "mixed", "mixed", "offer", "help").(string)
	params := map[string]any{}
	switch page {
	case "hotel", "hotel-arrival", "nested", "own", "mixed":
		params["hotel"] = pick("stay:hotel/azul", "stay:hotel/azul", "stay:hotel/brisa", "stay:hotel/nowhere")
	case "offer":
		params["product"] = fmt.Sprintf("catalog:product/%d", 1+r.IntN(4))
	case "help":
	}
	attributes := map[string]any{}
	c := map[string]any{"attributes": attributes, "consent": map[string]any{"personalization": r.IntN(4) > 0}}
	if r.IntN(2) == 0 {
		c["location"] = map[string]any{"lat": 43.26 + r.Float64()/50, "lon": -2.94 + r.Float64()/50}
	}
	if r.IntN(3) == 0 {
		c["market"] = pick("eu", "uk")
	}
	switch p := r.IntN(10); {
	case p < 5:
		q.class = tutti.ServerKey
	case p < 9:
		q.class = tutti.BrowserKey
	default:
		q.class = tutti.ManagementKey
	}
	visitor := pick("", "guest-7", "guest-8", "guest-9").(string)
	if q.class == tutti.BrowserKey {
		q.token = s.tokens[visitor]
	} else if visitor != "" {
		c["visitor"] = visitor
		if r.IntN(3) > 0 {
			attributes["reservation"] = map[string]any{"guest-7": "R-1007", "guest-8": "R-1008", "guest-9": "R-1007"}[visitor]
		}
	}
	if r.IntN(2) == 0 && q.class != tutti.BrowserKey || r.IntN(20) == 0 {
		attributes["tier"] = pick("gold", "silver", "platinum")
	}
	if r.IntN(3) == 0 {
		attributes["party"] = pick("family", "solo")
	}
	for name, v := range map[string]any{"composition": page, "params": params, "channel": pick("web", "web", "mobile", "email", "chat", "voice"), "locale": pick("en", "de", "es", "de-AT", nil), "context": c, "supports": nil, "ifNoneMatch": nil} {
		if strings.Contains(op.Query, "$"+name+":") {
			q.variables[name] = v
		}
	}
	return q
}
