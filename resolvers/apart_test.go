package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/resolvers"
)

const (
	apartPersonas    = 64
	apartPages       = 200
	apartAtOnce      = 32
	apartOrdinaryOp  = `query Q($id: ID!, $channel: ID!, $locale: Locale, $context: ContextInput) { experience(composition: $id, channel: $channel, locale: $locale, context: $context) { version locale channel problems { code message } slots { components { component personal freshness { state } ... on Card { title } actions { href } } } } }`
	apartFlatOp      = `query F($id: ID!, $channel: ID!, $locale: Locale, $context: ContextInput) { experience(composition: $id, channel: $channel, locale: $locale, context: $context) { version locale channel problems { code message } components { component personal freshness { state } ... on Card { title } actions { href } } } }`
	apartHashedOp    = `query H($id: ID!, $channel: ID!, $locale: Locale, $context: ContextInput, $had: [SlotHash!]) { experience(composition: $id, channel: $channel, locale: $locale, context: $context, ifNoneMatch: $had) { version locale channel problems { code message } slots { hash unchanged components { component personal freshness { state } ... on Card { title } actions { href } } } } }`
	apartTellingOp   = `query W($id: ID!, $channel: ID!, $locale: Locale, $context: ContextInput) { experience(composition: $id, channel: $channel, locale: $locale, context: $context) { version locale channel problems { code message } components { why { variant } component personal freshness { state } ... on Card { title } actions { href } } } }`
	apartPreviewedOp = `query P($id: ID!, $channel: ID!, $locale: Locale, $preview: PreviewInput) { experience(composition: $id, channel: $channel, locale: $locale, preview: $preview) { version locale channel problems { code message } components { component personal freshness { state } ... on Card { title } actions { href } } } }`
)

// TestNobodyGetsAnothers asks two replicas for 200 pages as 64 personas, 32 at once, while items
// change and are forgotten, an origin fails, editors publish and preview, the config is reloaded
// and memory is short. Every answer is held against what this persona may see at this moment, as
// worked out here by hand. make e2e asks a million times (TUTTI_ANSWERS).
func TestNobodyGetsAnothers(t *testing.T) {
	a := newApart(t)
	total := int64(number(t, "TUTTI_ANSWERS", 3000))
	seed := uint64(number(t, "TUTTI_SEED", 1))
	often := max(100, total/1000)
	var asked, wrong atomic.Int64
	var wait sync.WaitGroup
	for g := range apartAtOnce {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			hot := g % 2
			for wrong.Load() == 0 {
				n := asked.Add(1)
				if n > total {
					return
				}
				if n%often == 0 {
					a.happen(r)
				}
				if n%(10*often) == 0 {
					hot = int(n/often*7+int64(g%2)) % apartPages // all turn to a page that is cold
				}
				page := hot
				if r.IntN(8) == 0 {
					page = r.IntN(apartPages)
				}
				if problem := a.ask(r, page); problem != "" && wrong.Add(1) == 1 {
					t.Errorf("TUTTI_SEED=%d: answer %d: %s", seed, n, problem)
				}
			}
		})
	}
	wait.Wait()
	for _, must := range []string{"gold", "silver", "hello", "note", "missing", "stale", "preview", "refused", "unchanged"} {
		if n, _ := a.seen.Load(must); n == nil && total >= 100_000 { // in a short run it is up to chance which faults are met
			t.Errorf("no answer had %s: too little was tried", must)
		}
	}
	t.Logf("%d answers, %d wrong", min(asked.Load(), total), wrong.Load())
}

// persona is one of those who ask.
type persona struct {
	number     int
	class      tutti.KeyClass
	token      string
	context    map[string]any
	tier       string // as far as it may count
	card       string // as far as it may count
	city, area string
	locale     string
	market     string
	channel    string
}

type apart struct {
	t        *testing.T
	replicas [2]*replica
	config   replicaConfig
	personas [apartPersonas]persona
	clock    atomic.Int64
	origin   *httptest.Server
	seen     sync.Map
	hashed   [apartPages]hashes

	turn sync.RWMutex // held for writing while something happens that must not fall into an answer

	mu       sync.Mutex // guards all below; one thing happens at a time
	versions [apartPages]int
	docs     []engine.Doc
	asked    int // items that only mending asks for

	loaded     [2][apartPages]atomic.Int64 // the version that a replica surely has
	published  [apartPages]atomic.Int64    // the newest that it may have
	revised    [apartPages]atomic.Int64    // the revision of the item of a page
	forgotten  [2][apartPages]atomic.Int64 // the revision that a replica surely forgot older ones of
	reloaded   [2]atomic.Int64             // the generation that a replica surely has
	generation atomic.Int64                // the newest that it may have
	broken     atomic.Int64                // odd while the origin fails
	healthy    atomic.Int64                // the value of broken since which what failed is forgotten
}

// hashes are what slots of a page were delivered as, by hash, and the last of them.
type hashes struct {
	mu      sync.Mutex // guards all below
	content map[string][]answeredComponent
	last    []string
}

// had is what an app has that was anybody's before.
func (h *hashes) had() []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]any, len(h.last))
	for i, hash := range h.last {
		list[i] = map[string]any{"slot": "main", "hash": hash}
	}
	return list
}

// take puts in what an app has of an unchanged slot, and notes what came of another. One hash stands
// for one content.
func (h *hashes) take(s *answeredSlot) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, is := h.content[s.Hash]
	switch {
	case s.Unchanged && (!is || len(s.Components) > 0):
		return "unchanged, of what nobody had: " + s.Hash
	case s.Unchanged:
		s.Components = known
		return ""
	case is && !reflect.DeepEqual(withoutFreshness(s.Components), known):
		return fmt.Sprintf("one hash for two contents: %+v", known)
	case !is:
		if h.content == nil {
			h.content = map[string][]answeredComponent{}
		}
		h.content[s.Hash] = withoutFreshness(s.Components)
		if h.last = append(h.last, s.Hash); len(h.last) > 20 {
			h.last = h.last[1:]
		}
	}
	return ""
}

func withoutFreshness(list []answeredComponent) []answeredComponent {
	list = slices.Clone(list)
	for i := range list {
		list[i].Freshness.State = ""
	}
	return list
}

func newApart(t *testing.T) *apart {
	a := &apart{t: t}
	began := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	a.clock.Store(began.UnixNano())
	a.origin = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.origin.Close)
	env := map[string]string{"SHOP_URL": a.origin.URL, "VISITOR_SECRET": strings.Repeat("v", 40)}
	cfg, err := config.Load("testdata/apart/tutti.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	a.config = replicaConfig{
		config: cfg, dir: "testdata/apart", secret: bytes.Repeat([]byte("s"), 32), kept: cfg.AnswerBytes, keys: newKeyring(began),
		now: func() time.Time { return time.Unix(0, a.clock.Load()).UTC() }, store: drafts{},
	}
	a.generation.Store(1)
	for p := range apartPages {
		a.versions[p] = 1
		a.published[p].Store(1)
		a.docs = append(a.docs, engine.Doc{Kind: tutti.CompositionDocument, Name: pageName(p), Version: 1, Body: page(p, 1)})
	}
	for i := range a.replicas {
		a.replicas[i] = openReplica(t, a.config)
		a.replicas[i].load(a.docs)
		a.reloaded[i].Store(1)
		for p := range apartPages {
			a.loaded[i][p].Store(1)
		}
	}
	// For each thing that counts, two personas differ in it alone. The places are the same when their
	// parts are joined.
	places := [][2]string{{"ab", "c"}, {"a", "bc"}, {"aw][wb", "c"}, {"a", "bw][wc"}}
	for i := range a.personas {
		bit := func(n int) int { return i >> n & 1 }
		p := persona{number: i, class: tutti.ServerKey, locale: []string{"en", "de"}[bit(1)], market: []string{"eu", "us"}[bit(2)], channel: "web"}
		p.city, p.area = places[2*bit(4)+bit(3)][0], places[2*bit(4)+bit(3)][1]
		tier, card := []string{"silver", "gold"}[bit(4)], fmt.Sprintf("c%d", i)
		consents := bit(5) == 0
		attributes := map[string]any{}
		for name, v := range map[string]string{"city": p.city, "area": p.area} {
			attributes[name] = v
		}
		p.context = map[string]any{"market": p.market, "consent": map[string]any{"personalization": consents}, "attributes": attributes}
		if i%2 == 1 {
			p.class = tutti.BrowserKey
			claims := map[string]any{"card": card}
			if tier != "" {
				claims["tier"] = tier
			}
			p.token = visitorToken(t, cfg.Visitors, began, "guest-"+card, claims)
		} else {
			p.context["visitor"] = "guest-" + card
			attributes["card"] = card
			if tier != "" {
				attributes["tier"] = tier
			}
		}
		if consents {
			p.tier, p.card = tier, card
		}
		a.personas[i] = p
	}
	return a
}

func pageName(n int) string { return fmt.Sprintf("page-%d", n) }

// page is the body of a version of a page. What stands in it says whose it is.
func page(n, version int) json.RawMessage {
	mark := func(who string) map[string]any {
		w := map[string]string{}
		for _, locale := range []string{"en", "de"} {
			w[locale] = fmt.Sprintf("P%d V%d %s %s", n, version, who, locale)
		}
		return map[string]any{"title": map[string]any{"text": w}}
	}
	card := func(id string, more map[string]any) map[string]any {
		c := map[string]any{"id": id, "type": "Card"}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	components := []any{
		card("mark", map[string]any{
			"props": mark("all"), "actions": []any{map[string]any{"label": "Go", "intent": "GO", "href": "/go"}},
			"variants": []any{map[string]any{"name": "gold", "rule": "tier == 'gold'", "props": mark("gold")}, map[string]any{"name": "silver", "rule": "tier == 'silver'", "props": mark("silver")}},
		}),
		card("item", map[string]any{
			"each": map[string]any{"refs": []any{fmt.Sprintf("shop:item/%d", n)}}, "props": map[string]any{"title": map[string]any{"bind": "item.title"}},
		}),
		card("place", map[string]any{"props": map[string]any{"title": map[string]any{"text": "[${city}][${area}]", "fallback": []any{map[string]any{"text": "nowhere"}}}}}),
	}
	if n%2 == 1 {
		components = append(components, card("hello", map[string]any{"props": map[string]any{"title": map[string]any{"text": "Hello ${guest.name}", "fallback": []any{"Hello"}}}}))
	}
	if n%4 == 3 {
		components = append(components, card("note", map[string]any{"each": map[string]any{"refs": []any{"='shop:note/' + card"}}, "props": map[string]any{"title": map[string]any{"bind": "item.title"}}}))
	}
	b, err := json.Marshal(map[string]any{"type": "page", "title": "A page", "slots": []any{map[string]any{"id": "main", "name": "main", "components": components}}})
	if err != nil {
		panic(err)
	}
	return b
}

// drafts has a draft of every page: version 0.
type drafts struct{ resolvers.Store }

func (drafts) Draft(_ context.Context, kind tutti.DocumentKind, name string) (tutti.Draft, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "page-"))
	if err != nil {
		return tutti.Draft{}, tutti.NotFound
	}
	return tutti.Draft{Kind: kind, Name: name, Revision: 1, Body: page(n, 0)}, nil
}

func (drafts) Drafts(context.Context, tutti.DocumentKind) ([]tutti.Draft, error) { return nil, nil }

// serve plays the shop.
func (a *apart) serve(w http.ResponseWriter, r *http.Request) {
	if a.broken.Load()%2 == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var answer map[string]any
	switch kind {
	case "item":
		records := []any{}
		for _, id := range strings.Split(r.URL.Query().Get("ids"), ",") {
			n, _ := strconv.Atoi(id)
			n %= apartPages
			title := fmt.Sprintf("item %d %s %s r%d", n, r.URL.Query().Get("lang"), r.URL.Query().Get("market"), a.revised[n].Load())
			records = append(records, map[string]any{"id": id, "title": title})
		}
		answer = map[string]any{"records": records}
	case "guest":
		answer = map[string]any{"record": map[string]any{"id": id, "name": "Name of " + id, "guest": "guest-" + id}}
	case "note":
		answer = map[string]any{"record": map[string]any{"id": id, "title": "note of " + id, "guest": "guest-" + id}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// happen lets one thing happen.
func (a *apart) happen(r *rand.Rand) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := r.IntN(apartPages)
	switch r.IntN(12) {
	case 0, 1, 2: // an item changes, and a webhook tells
		rev := a.revised[n].Add(1)
		for i, x := range a.replicas {
			x.sources.Forget(fmt.Sprintf("shop:item/%d", n))
			a.forgotten[i][n].Store(rev)
		}
	case 3, 4: // an editor publishes; the replicas hear of it one after the other
		a.versions[n]++
		v := a.versions[n]
		a.docs[n].Version, a.docs[n].Body = v, page(n, v)
		a.published[n].Store(int64(v))
		for i, x := range a.replicas {
			x.load(a.docs)
			a.loaded[i][n].Store(int64(v))
		}
	case 5, 6: // the origin fails, or is well again
		if b := a.broken.Add(1); b%2 == 0 {
			a.turn.Lock() // who asks now began before
			a.clock.Add(int64(5 * time.Minute))
			a.mend()
			a.healthy.Store(b)
			a.turn.Unlock()
		}
	case 7: // another config; what was published stays
		g := a.generation.Add(1)
		cfg := *a.config.config
		cfg.Channels = append([]tutti.Channel(nil), cfg.Channels...)
		for i := range cfg.Channels {
			cfg.Channels[i].BaseURL = fmt.Sprintf("https://g%d.example", g)
		}
		c := a.config
		c.config = &cfg
		for i, x := range a.replicas {
			x.reload(c, fmt.Sprintf("g%d", g), a.docs)
			a.reloaded[i].Store(g)
		}
	default: // time goes by; what is old is read again
		a.clock.Add(int64(time.Duration(r.IntN(20)) * time.Second))
	}
}

// mend asks the origin for what nobody has asked for until it is trusted again: the breaker lets
// one call through first.
func (a *apart) mend() {
	for _, x := range a.replicas {
		for tries := 0; ; tries++ {
			a.asked++
			ref := tutti.Ref{Source: "shop", Kind: "item", ID: strconv.Itoa(apartPages + a.asked%9000)}
			if got := x.sources.Get(context.Background(), []tutti.Ref{ref}, tutti.Scope{Locale: "en", Market: "eu"}); got[0].Resource != nil {
				break
			} else if tries == 1000 {
				a.t.Errorf("the origin is not asked again: %v", got[0].Err)
				return
			}
			a.clock.Add(int64(time.Second))
		}
	}
}

// answered is what an answer says.
type answered struct {
	Data struct {
		Experience *struct {
			Version         int
			Locale, Channel string
			Problems        []struct{ Code string }
			Components      []answeredComponent
			Slots           []answeredSlot
		}
	}
	Errors []struct{ Extensions struct{ Code tutti.Code } }
}

type answeredSlot struct {
	Hash       string
	Unchanged  bool
	Components []answeredComponent
}

type answeredComponent struct {
	Component string
	Personal  bool
	Freshness struct{ State string }
	Title     string
	Actions   []struct{ Href string }
}

// ask sends one request and says what is wrong with its answer; "" when nothing is.
func (a *apart) ask(r *rand.Rand, n int) string {
	p := &a.personas[r.IntN(apartPersonas)]
	i := r.IntN(2)
	q := request{class: p.class, token: p.token, query: apartOrdinaryOp, variables: map[string]any{"id": pageName(n), "channel": p.channel, "locale": p.locale, "context": p.context}}
	ex := expected{p: *p, page: n, replica: i}
	switch k := r.IntN(40); {
	case k < 4:
		q.query = apartFlatOp
	case k < 8: // an app that may have the page
		q.query, ex.hashed = apartHashedOp, true
		q.variables["had"] = a.hashed[n].had()
	case k == 8: // what only editors are told
		q.query, ex.refused = apartTellingOp, true
		if r.IntN(2) == 0 {
			q.class, q.token, ex.refused, ex.preview = tutti.PreviewKey, "", false, true
			q.variables["context"] = nil
			ex.p = persona{locale: p.locale, market: "eu", channel: p.channel}
		}
	case k == 9 && p.class == tutti.BrowserKey: // says of itself what it may not
		q.variables["context"] = map[string]any{"market": p.market, "attributes": map[string]any{"tier": "gold"}}
		ex.refused = true
	case k == 9: // an editor, who forces a variant or looks at the draft, or neither
		preview := map[string]any{"consent": map[string]any{"personalization": true}}
		ex.p = persona{locale: p.locale, market: "eu", channel: p.channel}
		switch r.IntN(3) {
		case 0:
			ex.p.tier = "gold"
			preview["variants"] = []any{map[string]any{"component": "mark", "variant": "gold"}}
		case 1:
			ex.draft = true
			preview["perspective"] = map[string]any{"state": "DRAFT"}
		}
		q = request{class: tutti.PreviewKey, query: apartPreviewedOp, variables: map[string]any{"id": pageName(n), "channel": p.channel, "locale": p.locale, "preview": preview}}
		ex.preview = true
	}
	for tries := 0; ; tries++ {
		body := a.send(&ex, q)
		var got answered
		if err := json.Unmarshal(body, &got); err != nil {
			return err.Error()
		}
		switch problem := a.check(&ex, &got); {
		case problem == "":
			return ""
		case problem == outdated && tries < 3: // a call that began before may have failed just now: that counts for seconds
			a.clock.Add(int64(10 * time.Second))
		default:
			return fmt.Sprintf("%s\npersona %+v on replica %d, page %d\nbefore %+v\nafter  %+v\n%s", problem, ex.p, i, n, ex.before, ex.after, body)
		}
	}
}

// outdated is what is wrong with an answer that tells of an origin that is well again.
const outdated = "a problem that is no more"

func (a *apart) send(ex *expected, q request) []byte {
	a.turn.RLock()
	defer a.turn.RUnlock()
	ex.before = a.moment(ex.replica, ex.page)
	defer func() { ex.after = a.moment(ex.replica, ex.page) }()
	return a.replicas[ex.replica].ask(q)
}

// moment is what may be at one.
type moment struct{ loaded, published, revised, forgotten, reloaded, generation, broken, healthy int64 }

func (a *apart) moment(i, n int) moment {
	return moment{
		a.loaded[i][n].Load(), a.published[n].Load(), a.revised[n].Load(), a.forgotten[i][n].Load(), a.reloaded[i].Load(), a.generation.Load(), a.broken.Load(), a.healthy.Load(),
	}
}

type expected struct {
	p                       persona
	page, replica           int
	refused, draft, preview bool
	hashed                  bool
	before, after           moment
}

// check holds an answer against what may be in it.
func (a *apart) check(ex *expected, got *answered) string {
	if ex.refused {
		a.seen.Store("refused", true)
		if got.Data.Experience != nil || len(got.Errors) == 0 || got.Errors[0].Extensions.Code != tutti.Forbidden {
			return "not refused"
		}
		return ""
	}
	x := got.Data.Experience
	if len(got.Errors) > 0 || x == nil {
		return "errors"
	}
	if ex.preview {
		a.seen.Store("preview", true)
	}
	if x.Locale != ex.p.locale || x.Channel != ex.p.channel {
		return "another's language or channel"
	}
	oldest, newest := ex.before.loaded, ex.after.published
	if ex.draft {
		oldest, newest = 0, 0
	}
	if v := int64(x.Version); v < oldest && !ex.draft || v > newest && !ex.draft {
		return fmt.Sprintf("version %d, of %d to %d", v, oldest, newest)
	}
	well := ex.before.broken%2 == 0 && ex.before.broken == ex.after.broken && ex.before.healthy == ex.before.broken
	list := x.Components
	for _, s := range x.Slots {
		if ex.hashed {
			if problem := a.hashed[ex.page].take(&s); problem != "" {
				return problem
			}
			if s.Unchanged {
				a.seen.Store("unchanged", true)
			}
		}
		list = append(list, s.Components...)
	}
	found := map[string]bool{}
	for _, c := range list {
		id, _, _ := strings.Cut(c.Component, "#")
		if found[id] {
			return "twice: " + id
		}
		found[id] = true
		if problem := a.component(ex, id, &c, x.Version, well); problem != "" {
			return problem
		}
	}
	failed := len(x.Problems)
	if well && failed > 0 {
		return outdated
	}
	if failed > 0 {
		a.seen.Store("missing", true)
	}
	for id, must := range map[string]bool{
		"mark": true, "place": true, "item": well, "hello": ex.page%2 == 1, "note": well && ex.page%4 == 3 && ex.p.card != "",
	} {
		if must && !found[id] {
			return "without " + id
		}
	}
	return ""
}

func (a *apart) component(ex *expected, id string, c *answeredComponent, version int, well bool) string {
	p := &ex.p
	want := ""
	switch id {
	case "mark":
		who := "all"
		if p.tier != "" {
			who = p.tier
			a.seen.Store(who, true)
		}
		if ex.draft {
			version = 0
		}
		want = fmt.Sprintf("P%d V%d %s %s", ex.page, version, who, p.locale)
		if len(c.Actions) != 1 {
			return "without its action"
		}
		var g int64 = 1
		if _, err := fmt.Sscanf(c.Actions[0].Href, "https://g%d.example/go", &g); err != nil && c.Actions[0].Href != "https://one.example/go" {
			return "leads to " + c.Actions[0].Href
		}
		if g < ex.before.reloaded || g > ex.after.generation {
			return fmt.Sprintf("of generation %d, not %d to %d", g, ex.before.reloaded, ex.after.generation)
		}
	case "item":
		about, revision, _ := strings.Cut(c.Title, " r")
		rev, _ := strconv.ParseInt(revision, 10, 64)
		if about != fmt.Sprintf("item %d %s %s", ex.page, p.locale, p.market) {
			return "another's item: " + c.Title
		}
		if c.Freshness.State != "FRESH" {
			a.seen.Store("stale", true)
		}
		if rev > ex.after.revised || c.Freshness.State == "FRESH" && rev < ex.before.forgotten {
			return fmt.Sprintf("a forgotten revision as fresh: %s", c.Title)
		}
		return ""
	case "place":
		want = "[" + p.city + "][" + p.area + "]"
		if ex.preview || p.city == "" || p.area == "" {
			if c.Title == "nowhere" {
				return ""
			}
		}
	case "hello":
		want = "Hello"
		if p.card != "" && c.Title != want {
			a.seen.Store("hello", true)
			want = "Hello Name of " + p.card
		} else if p.card != "" && well {
			return outdated
		}
	case "note":
		if p.card == "" {
			return "a note without consent"
		}
		a.seen.Store("note", true)
		want = "note of " + p.card
	default:
		return "unknown: " + id
	}
	if c.Title != want {
		return fmt.Sprintf("%s says %q, not %q", id, c.Title, want)
	}
	return ""
}
