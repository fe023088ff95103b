package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
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

// apart is the world of TestNobodyGetsAnothers, and what is known of it without asking: what a
// replica surely has by now, and the newest that it may have.
type apart struct {
	t        *testing.T
	replicas [2]*replica
	config   replicaConfig
	personas [apartPersonas]persona
	clock    atomic.Int64
	hot      atomic.Int64 // the first of the two pages that most ask for
	family   atomic.Int64 // one of the personas who most often ask
	origin   *httptest.Server
	seen     sync.Map
	hashed   [apartPages]hashes

	turn sync.RWMutex // held for writing while something happens that must not fall into an answer

	mu       sync.Mutex // guards all below; one thing happens at a time
	chance   *rand.Rand
	deck     []func(*apart)
	versions [apartPages]int
	docs     []engine.Doc // the pages, and then the personas
	asked    int          // items that only mending asks for

	loaded     [2][apartPages]atomic.Int64 // the version that a replica surely has
	published  [apartPages]atomic.Int64    // the newest that it may have
	drafted    [apartPages]atomic.Int64    // the revision of the draft of a page
	revised    [apartPages]atomic.Int64    // the revision of the item of a page
	forgotten  [2][apartPages]atomic.Int64 // the revision that a replica surely forgot older ones of
	purged     [2][apartPages]atomic.Int64 // the same of those that must not even stand in
	reloaded   [2]atomic.Int64             // the generation that a replica surely has
	generation atomic.Int64                // the newest that it may have
	broken     atomic.Int64                // odd while the origin fails
	healthy    atomic.Int64                // the value of broken since which what failed is forgotten
	stumbles   atomic.Int64                // how many calls fail from now on
	failed     atomic.Int64                // how many did
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
		now: func() time.Time { return time.Unix(0, a.clock.Load()).UTC() }, store: drafts{a: a},
	}
	a.generation.Store(1)
	for p := range apartPages {
		a.versions[p] = 1
		a.published[p].Store(1)
		a.drafted[p].Store(1)
		a.docs = append(a.docs, engine.Doc{Kind: tutti.CompositionDocument, Name: pageName(p), Version: 1, Body: page(p, "V1")})
	}
	for i := range a.personas {
		a.personas[i] = newPersona(t, i, cfg.Visitors, began)
		a.docs = append(a.docs, a.personas[i].doc(t))
	}
	for i := range a.replicas {
		a.replicas[i] = openReplica(t, a.keeping(a.config, i))
		a.replicas[i].load(a.docs)
		a.reloaded[i].Store(1)
		for p := range apartPages {
			a.loaded[i][p].Store(1)
		}
	}
	return a
}

// keeping is a config with what a replica keeps of ready answers: one has everything at once and is short of room,
// and forgets; the other waits until something is asked for again, and writes the rest from memory that is lent.
func (a *apart) keeping(c replicaConfig, replica int) replicaConfig {
	c.kept, c.waits = c.config.AnswerBytes<<(4*replica), replica == 1
	return c
}

// places are where personas are: city and area. Joined without lengths, the first two are the same,
// and the last two are so with the marks of a value between them: anybody may say such words.
var places = [][2]string{{"ab", "c"}, {"a", "bc"}, {"ab\x01sc", "d"}, {"ab", "c\x01sd"}}

// newPersona makes one of the personas: for each thing that counts, two of them differ in it alone,
// but that another tier is also elsewhere.
func newPersona(t *testing.T, i int, v config.Visitors, began time.Time) persona {
	bit := func(n int) int { return i >> n & 1 }
	p := persona{number: i, class: tutti.ServerKey, locale: []string{"en", "de"}[bit(1)], market: []string{"eu", "us"}[bit(2)], channel: "web"}
	p.city, p.area = places[2*bit(4)+bit(3)][0], places[2*bit(4)+bit(3)][1]
	tier, card := []string{"silver", "gold"}[bit(4)], fmt.Sprintf("c%d", i)
	consents := bit(5) == 0
	attributes := map[string]any{"city": p.city, "area": p.area}
	p.context = map[string]any{"market": p.market, "consent": map[string]any{"personalization": consents}, "attributes": attributes}
	if i%2 == 1 {
		p.class = tutti.BrowserKey
		p.token = visitorToken(t, v, began, "guest-"+card, map[string]any{"card": card, "tier": tier})
	} else {
		p.context["visitor"] = "guest-" + card
		attributes["card"], attributes["tier"] = card, tier
	}
	if consents {
		p.tier, p.card = tier, card
	}
	return p
}

func personaName(n int) string { return fmt.Sprintf("persona-%d", n) }

// doc is the persona as editors have it.
func (p *persona) doc(t *testing.T) engine.Doc {
	card := fmt.Sprintf("c%d", p.number)
	b, err := json.Marshal(tutti.Persona{
		Name: personaName(p.number), Visitor: "guest-" + card, Market: p.market, Consent: tutti.Consent{tutti.Personalization: p.card != ""},
		Attributes: map[string]any{"city": p.city, "area": p.area, "card": card, "tier": []string{"silver", "gold"}[p.number>>4&1]},
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine.Doc{Kind: tutti.PersonaDocument, Name: personaName(p.number), Version: 1, Body: b}
}

func pageName(n int) string { return fmt.Sprintf("page-%d", n) }

// page is the body of a state of a page. What stands in it says whose it is.
func page(n int, state string) json.RawMessage {
	mark := func(who string) map[string]any {
		w := map[string]string{}
		for _, locale := range []string{"en", "de"} {
			w[locale] = fmt.Sprintf("P%d %s %s %s", n, state, who, locale)
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

// hasDraft tells which pages somebody is at work on. Revisions of drafts and versions of what is
// published are numbered alike.
func hasDraft(page int) bool { return page%4 < 2 }

// drafts are those of the pages.
type drafts struct {
	resolvers.Store
	a *apart
}

func (d drafts) Draft(_ context.Context, kind tutti.DocumentKind, name string) (tutti.Draft, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "page-"))
	if err != nil || !hasDraft(n) {
		return tutti.Draft{}, tutti.NotFound
	}
	revision := int(d.a.drafted[n].Load())
	return tutti.Draft{Kind: kind, Name: name, Revision: revision, Body: page(n, fmt.Sprintf("D%d", revision))}, nil
}

func (drafts) Drafts(context.Context, tutti.DocumentKind) ([]tutti.Draft, error) { return nil, nil }

// serve plays the shop. Its items have unpublished texts too.
func (a *apart) serve(w http.ResponseWriter, r *http.Request) {
	if a.broken.Load()%2 == 1 || a.stumbles.Load() > 0 && a.stumbles.Add(-1) >= 0 {
		a.failed.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var answer map[string]any
	switch kind {
	case "item":
		q, records := r.URL.Query(), []any{}
		for _, id := range strings.Split(q.Get("ids"), ",") {
			n, _ := strconv.Atoi(id)
			n %= apartPages
			records = append(records, map[string]any{"id": id, "title": itemTitle(n, q.Get("lang"), q.Get("market"), q.Get("state") == "draft", a.revised[n].Load())})
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

func itemTitle(n int, locale, market string, unpublished bool, revision int64) string {
	state := "published"
	if unpublished {
		state = "unpublished"
	}
	return fmt.Sprintf("item %d %s %s %s r%d", n, state, locale, market, revision)
}

// moment is what may be at one.
type moment struct {
	loaded, published, drafted, revised, forgotten, purged, reloaded, generation, broken, healthy, failed int64
}

func (a *apart) moment(i, n int) moment {
	return moment{
		a.loaded[i][n].Load(), a.published[n].Load(), a.drafted[n].Load(), a.revised[n].Load(), a.forgotten[i][n].Load(), a.purged[i][n].Load(),
		a.reloaded[i].Load(), a.generation.Load(), a.broken.Load(), a.healthy.Load(), a.failed.Load(),
	}
}
