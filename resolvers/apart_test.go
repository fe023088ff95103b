package resolvers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

const (
	apartPersonas = 64
	apartPages    = 200
	apartAtOnce   = 32
)

const apartComponent = `component personal freshness { state } ... on Card { title } actions { href }`

var (
	apartOrdinaryOp  = apartOp("Q", "context: $context", `slots { components { `+apartComponent+` } }`)
	apartFlatOp      = apartOp("F", "context: $context", `components { `+apartComponent+` }`)
	apartHashedOp    = apartOp("H", "context: $context, ifNoneMatch: $had", `slots { hash unchanged components { `+apartComponent+` } }`)
	apartMottoOp     = apartOp("M", "context: $context", `components { `+strings.Replace(apartComponent, "title", "title motto", 1)+` }`) // some generations have no such prop
	apartTellingOp   = apartOp("W", "context: $context", `components { why { variant } `+apartComponent+` }`)                             // editors only are told why
	apartPreviewedOp = apartOp("P", "preview: $preview", `components { `+apartComponent+` }`)
)

// apartOp is an operation that asks for one page.
func apartOp(name, more, of string) string {
	var types string
	for variable, as := range map[string]string{"$context": "ContextInput", "$preview": "PreviewInput", "$had": "[SlotHash!]"} {
		if strings.Contains(more, variable) {
			types += ", " + variable + ": " + as
		}
	}
	return fmt.Sprintf(`query %s($id: ID!, $channel: ID!, $locale: Locale%s) { experience(composition: $id, channel: $channel, locale: $locale, %s) { version locale channel problems { code stale } %s } }`, name, types, more, of)
}

// TestNobodyGetsAnothers asks two replicas for 200 pages as 64 personas, 32 at once, while items
// change and are forgotten, an origin fails, editors write, publish and preview, the config is
// reloaded, memory is short, and now and then all turn to pages that are cold. Every answer is held
// against what this persona may see at this moment, as worked out here by hand. make e2e asks a
// million times (TUTTI_ANSWERS), and plants mistakes that this test must find.
func TestNobodyGetsAnothers(t *testing.T) {
	a := newApart(t)
	total := int64(number(t, "TUTTI_ANSWERS", 3000))
	seed := uint64(number(t, "TUTTI_SEED", 1))
	a.chance = rand.New(rand.NewPCG(seed, 1000))
	often := max(100, total/1000)
	var asked, wrong atomic.Int64
	var wait sync.WaitGroup
	for g := range apartAtOnce {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for wrong.Load() == 0 {
				n := asked.Add(1)
				if n > total {
					return
				}
				if n%often == 0 {
					a.happen()
				}
				page := (int(a.hot.Load()) + g%2) % apartPages
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
	for _, must := range []string{"gold", "silver", "hello", "note", "missing", "stumbled", "stale", "preview", "draft", "unpublished", "persona", "motto", "unchanged", "refused"} {
		if n, _ := a.seen.Load(must); n == nil && total >= 100_000 { // in a short run it is up to chance which faults are met
			t.Errorf("no answer had %s: too little was tried", must)
		}
	}
	t.Logf("%d answers, %d wrong", min(asked.Load(), total), wrong.Load())
}

// ask sends one request and says what is wrong with its answer; "" when nothing is.
func (a *apart) ask(r *rand.Rand, n int) string {
	q, ex := a.question(r, a.somebody(r), n)
	for tries := 0; ; tries++ {
		body := a.send(&ex, q)
		var got answered
		if err := json.Unmarshal(body, &got); err != nil {
			return err.Error()
		}
		switch problem := a.check(&ex, &got); {
		case problem == "":
			return ""
		case problem == outdated && tries < 4: // a call that failed before may have landed just now; there are three kinds of items
		case problem == standIn && tries < 8: // that a call failed counts for seconds where something may stand in
			a.clock.Add(int64(10 * time.Second))
		default:
			return fmt.Sprintf("%s\npersona %+v on replica %d, page %d\nbefore %+v\nafter  %+v\n%s", problem, ex.p, ex.replica, n, ex.before, ex.after, body)
		}
	}
}

// somebody is often one of a family: a persona, and the six who differ from it in one thing alone.
func (a *apart) somebody(r *rand.Rand) *persona {
	if r.IntN(4) == 0 {
		return &a.personas[r.IntN(apartPersonas)]
	}
	i := int(a.family.Load())
	if k := r.IntN(7); k > 0 {
		i ^= 1 << (k - 1)
	}
	return &a.personas[i]
}

// question is one that a persona has, or an editor instead.
func (a *apart) question(r *rand.Rand, p *persona, n int) (request, expected) {
	q := request{class: p.class, token: p.token, query: apartOrdinaryOp, variables: map[string]any{"id": pageName(n), "channel": p.channel, "locale": p.locale, "context": p.context}}
	ex := expected{p: *p, page: n, replica: r.IntN(2)}
	editor := persona{locale: p.locale, market: "eu", channel: p.channel} // of whom nothing is known
	switch k := r.IntN(40); {
	case k < 4:
		q.query = apartFlatOp
	case k < 8: // an app that may have the page
		q.query, ex.hashed = apartHashedOp, true
		q.variables["had"] = a.hashed[n].had()
	case k < 10:
		q.query, ex.motto = apartMottoOp, true
	case k < 12:
		q.query, ex.refused = apartTellingOp, true
		if r.IntN(2) == 0 {
			q.class, q.token, ex.refused, ex.preview = tutti.PreviewKey, "", false, true
			q.variables["context"] = nil
			ex.p = editor
		}
	case k == 12 && p.class == tutti.BrowserKey: // says of itself what it may not
		q.variables["context"] = map[string]any{"market": p.market, "attributes": map[string]any{"tier": "gold"}}
		ex.refused = true
	case k < 17: // an editor, who forces a variant, looks at the draft, is somebody, or nothing of it
		preview := map[string]any{"consent": map[string]any{"personalization": true}}
		ex.p = editor
		switch r.IntN(6) {
		case 0:
			ex.p.tier = "gold"
			preview["variants"] = []any{map[string]any{"component": "mark", "variant": "gold"}}
		case 1, 2:
			ex.draft = true
			preview["perspective"] = map[string]any{"state": "DRAFT"}
		case 3:
			ex.p = *p
			preview = map[string]any{"persona": personaName(p.number)}
			a.seen.Store("persona", true)
		}
		q = request{class: tutti.PreviewKey, query: apartPreviewedOp, variables: map[string]any{"id": pageName(n), "channel": p.channel, "locale": p.locale, "preview": preview}}
		ex.preview = true
	}
	return q, ex
}

// send gives the answer to a request, and notes between which moments it was made.
func (a *apart) send(ex *expected, q request) []byte {
	a.turn.RLock()
	defer a.turn.RUnlock()
	ex.before = a.moment(ex.replica, ex.page)
	defer func() { ex.after = a.moment(ex.replica, ex.page) }()
	return a.replicas[ex.replica].ask(q)
}
