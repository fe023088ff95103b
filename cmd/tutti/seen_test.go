package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// seer is one way to ask: a key, a visitor token and what is said beside it.
type seer struct {
	name       string
	key, token string
	context    map[string]any
	preview    map[string]any
}

// editing reports whether this way may ask why.
func (s seer) editing() bool {
	return strings.Contains(s.key, "_preview_") || strings.Contains(s.key, "_management_")
}

// everyField selects what an experience and everything in it can show to each key.
const everyField = `
fragment E on Experience {
  id composition version title meta { title description } channel locale validUntil freshness { state asOf } holds { until within { lat lon radiusMeters inside } place }
  slots { name components { id component slots { name components { id } } } }
  components { ...C }
  problems { path ref code message stale } locales { path asked got }
  speech { ssml text reprompt } message { text image { id url } buttons { label href } }
}
fragment C on Component {
  __typename id component type variant props parent slot path personal freshness { state asOf }
  actions { label intent href deepLink expiresAt }
  image: resource(prop: "image") { ...R }
  item: resource(prop: "shown") { ...R }
  again: resource(prop: "shown") { __typename ref title ... on SupportTicket { text: description { plain } } ... on Record { fields } }
  items: resources(prop: "items", first: 10) { nodes { ...R } pageInfo { endCursor hasNextPage } totalCount }
}
fragment R on Resource {
  __typename id ref source kind title link tags locale updatedAt freshness { state asOf } fields
  ... on Asset { alt caption credit mediaType width height bytes url(width: 960) srcset(ratio: "16:9") expiresAt }
  ... on Product { description { html } slug sku price { amount currency } compareAtPrice { amount } inStock image { ref title } images { ref } }
  ... on SocialPost { body: text { html plain } authorName authorHandle publishedAt likes picture image { ref } place { ref title } }
  ... on SupportTicket { description { html markdown plain ssml } status priority createdAt }
  ... on Article { content: body { plain } excerpt section publishedAt image { ref } }
  ... on Place { description { plain } category location { lat lon } address phone image { ref } }
}`

// whyFields select what editing keys are told besides, raw what a management key gets.
const whyFields = `
fragment W on Experience {
  slots { why { ...D } components { why { ...D } assembled origins { source ref prop cached freshness { state } } } }
  components { why { ...D } assembled origins { source ref prop } }
}
fragment D on Decision { variant reason rules { variant rule result inWindow error attributes { name known withheld result } } }`

// experience asks for a whole composition with everything that the key may select.
func (p *played) experience(s seer, composition, channel, locale string, params map[string]any) answer {
	query := `query E($c: ID!, $ch: ID!, $l: Locale, $p: JSON, $x: ContextInput) { experience(composition: $c, channel: $ch, locale: $l, params: $p, context: $x) { ...E } }` + everyField
	vars := map[string]any{"c": composition, "ch": channel, "l": locale, "p": params, "x": s.context}
	if s.editing() {
		query = `query E($c: ID!, $ch: ID!, $l: Locale, $p: JSON, $x: ContextInput, $v: PreviewInput) { experience(composition: $c, channel: $ch, locale: $l, params: $p, context: $x, preview: $v) { ...E ...W } }` + everyField + whyFields
		vars["v"] = s.preview
	}
	return p.ask(s.key, s.token, query, vars)
}

// What makes answers differ that say the same: ids are hashes, instants are when something was read.
var (
	hashed = regexp.MustCompile(`"(id|parent|requestId|endCursor|asOf)":"[^"]*"`)
	timed  = regexp.MustCompile(`"(cached)":(true|false)|"(FRESH|CACHED)"`)
)

// alike is an answer without ids and instants, and with one name for each of the given words.
func (a answer) alike(words ...string) string {
	s := hashed.ReplaceAllString(a.Raw, `"$1":"…"`)
	s = timed.ReplaceAllString(s, `"…"`)
	for _, w := range words {
		s = strings.ReplaceAll(s, w, "…")
	}
	return s
}

// byChance are addresses of this machine and instants: what stands in them is nobody's.
var byChance = regexp.MustCompile(`127\.0\.0\.1:\d+|\[::1\]:\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?`)

// hides fails the test when an answer holds one of the words. A number among them is looked for as
// a whole one, and a port or a fraction of a second is none.
func hides(t *testing.T, what, text string, words ...string) {
	t.Helper()
	if !slices.ContainsFunc(words, func(w string) bool { return indexWhole(text, w) >= 0 }) {
		return
	}
	text = byChance.ReplaceAllString(text, "…")
	for _, w := range words {
		if i := indexWhole(text, w); i >= 0 {
			t.Errorf("%s holds %q: …%s…", what, w, text[max(0, i-150):min(len(text), i+150)])
		}
	}
}

// indexWhole is strings.Index, but for the middle of a longer number.
func indexWhole(text, word string) int {
	digit := func(at int) bool { return at >= 0 && at < len(text) && '0' <= text[at] && text[at] <= '9' }
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		from += i
		end := from + len(word)
		if !(digit(from) && digit(from-1)) && !(digit(end-1) && digit(end)) {
			return from
		}
		from++
	}
}

func TestHidesFindsNumbersThatAreMeant(t *testing.T) {
	for text, at := range map[string]int{
		`"id":35508,`: 5, `ticket/35508"`: 7, `[35508]`: 1, "x-35508": 2, `135508`: -1, `355081 35508`: 7, `0.35508`: 2, `Zroom-412`: -1,
	} {
		if got := indexWhole(text, "35508"); got != at {
			t.Errorf("%s: found at %d", text, got)
		}
	}
	if s := byChance.ReplaceAllString(`http://127.0.0.1:35508/a "2026-11-22T09:10:43.355081Z" [::1]:35508`, ""); strings.Contains(s, "355") || strings.Contains(s, "43.") {
		t.Errorf("%s", s)
	}
}

// change changes a record in an origin.
func (p *played) change(source, kind, id string, fields map[string]any) {
	p.t.Helper()
	if err := p.origins.Change(p.t.Context(), source, kind, id, fields); err != nil {
		p.t.Fatal(err)
	}
}

// publish saves and publishes a composition as an editor does.
func (p *played) publish(id string, body map[string]any) {
	p.t.Helper()
	var saved struct {
		SaveComposition struct {
			Composition struct{ Draft struct{ Revision int } }
		}
	}
	p.ask(p.key(tutti.ManagementKey), "", `mutation($id: ID!, $body: JSON!) { saveComposition(id: $id, body: $body, revision: 0) { composition { draft { revision } } } }`,
		map[string]any{"id": id, "body": body}).into(p.t, &saved)
	a := p.ask(p.key(tutti.ManagementKey), "", `mutation($id: ID!, $r: Int!) { publishComposition(id: $id, revision: $r) { id } }`,
		map[string]any{"id": id, "r": saved.SaveComposition.Composition.Draft.Revision})
	if len(a.Errors) > 0 {
		p.t.Fatal(a.Raw)
	}
}

// object reads JSON that a test writes.
func object(t *testing.T, s string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// anyComponent adds a component type that takes items of every type, so that a composition can
// try to show what it should not.
func anyComponent(cfg *config.Config) {
	cfg.ComponentTypes = append(append([]tutti.ComponentType(nil), cfg.ComponentTypes...), tutti.ComponentType{
		Name: "Anything", Version: 1, Description: "Shows whatever it is given",
		Props: []tutti.PropDefinition{
			{Name: "words", Type: tutti.PropText},
			{Name: "value", Type: tutti.PropString},
			{Name: "rich", Type: tutti.PropRichText},
			{Name: "shown", Type: tutti.PropResource},
			{Name: "items", Type: tutti.PropResources, First: 10},
		},
		Templates: map[string]tutti.Template{
			"voice": {Speech: tutti.Text{"": "${props.words}."}}, "chat": {Text: tutti.Text{"": "${props.words}"}},
		},
	})
}
