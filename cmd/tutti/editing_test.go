package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// manage asks with the management key.
func (p *played) manage(query string, vars any) answer {
	p.t.Helper()
	return p.ask(p.key(tutti.ManagementKey), "", query, vars)
}

const (
	saveIt    = `mutation($id: ID!, $body: JSON!, $revision: Int!) { saveComposition(id: $id, body: $body, revision: $revision) { composition { draft { revision updatedBy changed } } warnings { path message } } }`
	publishIt = `mutation($id: ID!, $revision: Int!, $from: DateTime, $note: String) { publishComposition(id: $id, revision: $revision, from: $from, note: $note) { draft { revision changed } published { number note createdBy } } }`
)

// draft gives a stored composition as it was saved last, and its revision.
func (p *played) draft(id string) (body map[string]any, revision int) {
	p.t.Helper()
	var got struct {
		Composition *struct {
			Draft struct {
				Revision int
				Body     map[string]any
			}
		}
	}
	p.manage(`query($id: ID!) { composition(id: $id) { draft { revision body } } }`, map[string]any{"id": id}).into(p.t, &got)
	if got.Composition == nil {
		p.t.Fatalf("there is no composition %s", id)
	}
	return got.Composition.Draft.Body, got.Composition.Draft.Revision
}

// save saves a changed draft and gives its revision.
func (p *played) save(id string, change func(body map[string]any)) int {
	p.t.Helper()
	body, revision := p.draft(id)
	change(body)
	var got struct {
		SaveComposition struct {
			Composition struct{ Draft struct{ Revision int } }
		}
	}
	p.manage(saveIt, map[string]any{"id": id, "body": body, "revision": revision}).into(p.t, &got)
	return got.SaveComposition.Composition.Draft.Revision
}

// republish changes, saves and publishes a composition.
func (p *played) republish(id string, change func(body map[string]any)) {
	p.t.Helper()
	revision := p.save(id, change)
	var got json.RawMessage
	p.manage(publishIt, map[string]any{"id": id, "revision": revision}).into(p.t, &got)
}

// composed is a small page with a headline.
func composed(headline, rule string) map[string]any {
	hero := map[string]any{"id": "hero", "type": "Hero", "props": map[string]any{"headline": map[string]any{"text": map[string]any{"en": headline}}}}
	if rule != "" {
		hero["variants"] = []any{map[string]any{"name": "special", "rule": rule, "props": map[string]any{"headline": map[string]any{"text": map[string]any{"en": headline + ", special"}}}}}
	}
	return map[string]any{"type": "page", "title": map[string]any{"en": "A page"}, "slots": []any{map[string]any{"id": "top", "name": "top", "components": []any{hero}}}}
}

// headline gives what visitors see of a small page, or what stands in preview; "" with an error's code.
func (p *played) headline(id, preview string) (string, tutti.Code) {
	p.t.Helper()
	a := p.manage(`query($id: ID!) { experience(composition: $id, channel: "web"`+preview+`) { components { props } } }`, map[string]any{"id": id})
	if a.code() != "" {
		return "", a.code()
	}
	x := experienceOf(p.t, a)
	s, _ := x.component(p.t, x.Components[0].Component).Props["headline"].(string)
	return s, ""
}

const asDraft = `, preview: {perspective: {state: DRAFT}}`

func TestEditingAComposition(t *testing.T) {
	t.Parallel()
	p := play(t)
	save := func(body map[string]any, revision int) answer {
		return p.manage(saveIt, map[string]any{"id": "sale", "body": body, "revision": revision})
	}
	publish := func(revision int, from any) answer {
		return p.manage(publishIt, map[string]any{"id": "sale", "revision": revision, "from": from, "note": "Try"})
	}
	says := func(preview, want string) {
		t.Helper()
		if got, code := p.headline("sale", preview); got != want || code != "" {
			t.Errorf("%q says %q %s, not %q", preview, got, code, want)
		}
	}

	if a := save(composed("One", ""), 0); a.code() != "" {
		t.Fatal(a.Raw)
	}
	t.Run("a draft is seen in preview only", func(t *testing.T) {
		if _, code := p.headline("sale", ""); code != tutti.UnknownComposition {
			t.Errorf("visitors get %s", code)
		}
		says(asDraft, "One")
	})
	t.Run("who comes second is told who was first, and when", func(t *testing.T) {
		for _, revision := range []int{0, 7} {
			a := save(composed("Two", ""), revision)
			if a.code() != tutti.Conflict || !strings.Contains(a.Errors[0].Message, demoBy) || !regexp.MustCompile(`\d{4}-\d\d-\d\d`).MatchString(a.Errors[0].Message+a.Errors[0].Extensions.Hint) {
				t.Errorf("revision %d: %s", revision, a.Raw)
			}
		}
		says(asDraft, "One")
	})
	t.Run("published, it is delivered at once", func(t *testing.T) {
		if a := publish(1, nil); a.code() != "" {
			t.Fatal(a.Raw)
		}
		says("", "One")
	})
	t.Run("a bad rule is refused with place and proposal", func(t *testing.T) {
		a := save(composed("Two", "teir == 'gold'"), 1)
		if a.code() != tutti.Invalid {
			t.Fatal(a.Raw)
		}
		e := a.Errors[0]
		if e.Extensions.Field != "slots.top[0].variants[0].rule" || !strings.Contains(e.Message+e.Extensions.Hint, "tier") || !strings.Contains(a.Raw, "column") {
			t.Errorf("%s", a.Raw)
		}
		says(asDraft, "One")
	})
	t.Run("all mistakes come at once", func(t *testing.T) {
		body := composed("Two", "")
		body["slots"].([]any)[0].(map[string]any)["components"].([]any)[0].(map[string]any)["type"] = "Her"
		body["params"] = []any{map[string]any{"name": "x", "type": "nonsense"}}
		body["title"] = map[string]any{"en": "${nothing} and ${params.x}"}
		a := save(body, 1)
		var fields []string
		for _, e := range a.Errors {
			fields = append(fields, e.Extensions.Field)
		}
		slices.Sort(fields)
		if want := []string{"params.x.type", "slots.top[0].type", "title.en"}; a.code() != tutti.Invalid || !slices.Equal(fields, want) {
			t.Errorf("wrong are %q: %s", fields, a.Raw)
		}
	})
	t.Run("what makes a page per visitor is warned of", func(t *testing.T) {
		body := composed("Two", "")
		p.reconfigure(func(cfg *config.Config) {
			cfg.Attributes = append(slices.Clone(cfg.Attributes), tutti.Attribute{Name: "score", Type: tutti.IntType, Purpose: tutti.Necessary, Trust: tutti.TrustClient, Sensitivity: tutti.Segment})
		})
		body["title"] = map[string]any{"en": "Score ${score}"}
		if a := save(body, 1); a.code() != "" || !strings.Contains(a.Raw, `"warnings":[{"path":"title`) || !strings.Contains(a.Raw, "one page per visitor") {
			t.Errorf("%s", a.Raw)
		}
	})
	if a := save(composed("Three", ""), 2); a.code() != "" {
		t.Fatal(a.Raw)
	}
	t.Run("draft and published stay apart", func(t *testing.T) {
		says("", "One")
		says(asDraft, "Three")
	})
	t.Run("only the meant draft is published", func(t *testing.T) {
		if a := publish(1, nil); a.code() != tutti.Conflict {
			t.Errorf("%s", a.Raw)
		}
	})
	t.Run("published from an instant on", func(t *testing.T) {
		from := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		if a := publish(3, from.Format(time.RFC3339)); a.code() != "" {
			t.Fatal(a.Raw)
		}
		says("", "One")
		says(`, preview: {perspective: {at: "`+from.Add(-time.Second).Format(time.RFC3339)+`"}}`, "One")
		says(`, preview: {perspective: {at: "`+from.Format(time.RFC3339)+`"}}`, "Three")
		if a := publish(3, "2020-01-01T00:00:00Z"); a.code() != tutti.InvalidValue {
			t.Errorf("in the past: %s", a.Raw)
		}
	})
	t.Run("restored", func(t *testing.T) {
		a := p.manage(`mutation { restoreComposition(id: "sale", version: 1, revision: 3) { draft { revision body } } }`, nil)
		if a.code() != "" || !strings.Contains(a.Raw, `"revision":4`) {
			t.Fatal(a.Raw)
		}
		says(asDraft, "One")
	})
	t.Run("taken back", func(t *testing.T) {
		a := p.manage(`mutation { unpublishComposition(id: "sale") { published { number } draft { revision } } }`, nil)
		if a.code() != "" || !strings.Contains(a.Raw, `"published":null`) {
			t.Fatal(a.Raw)
		}
		if _, code := p.headline("sale", ""); code != tutti.UnknownComposition {
			t.Errorf("visitors get %s", code)
		}
		says(asDraft, "One")
	})
	t.Run("the log tells all of it", func(t *testing.T) {
		var got struct {
			Publications struct {
				Nodes []struct {
					Kind, Name, CreatedBy string
					Version               int
					From                  time.Time
					Until                 *time.Time
				}
			}
		}
		p.manage(`{ publications(kind: COMPOSITION, name: "sale") { nodes { kind name version from until createdBy } } }`, nil).into(t, &got)
		if len(got.Publications.Nodes) == 0 {
			t.Fatal("it is empty")
		}
		for _, n := range got.Publications.Nodes {
			if n.Kind != "COMPOSITION" || n.Name != "sale" || n.CreatedBy != demoBy || n.Until == nil || n.Until.Before(n.From) {
				t.Errorf("%+v", n)
			}
		}
		if last := got.Publications.Nodes[len(got.Publications.Nodes)-1]; last.Version != 1 {
			t.Errorf("the first is %+v", last)
		}
	})
}

func TestEditingAudiences(t *testing.T) {
	t.Parallel()
	p := play(t)
	const save = `mutation($name: ID!, $rule: String!, $revision: Int!) { saveAudience(name: $name, rule: $rule, revision: $revision) { revision published } }`
	audience := func(name, rule string, revision int) answer {
		return p.manage(save, map[string]any{"name": name, "rule": rule, "revision": revision})
	}
	publish := func(name string, revision int) answer {
		return p.manage(`mutation($name: ID!, $revision: Int!) { publishAudience(name: $name, revision: $revision) { published } }`, map[string]any{"name": name, "revision": revision})
	}
	if a := audience("best", "tier == 'platinum'", 0); a.code() != "" || !strings.Contains(a.Raw, `"published":false`) {
		t.Fatal(a.Raw)
	}
	page := func() answer {
		return p.manage(saveIt, map[string]any{"id": "best-page", "body": composed("Hello", "audience.best"), "revision": 0})
	}
	if a := page(); a.code() != tutti.Invalid {
		t.Errorf("a page names an audience that is not published: %s", a.Raw)
	}
	if a := publish("best", 1); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if a := page(); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if a := p.manage(publishIt, map[string]any{"id": "best-page", "revision": 1}); a.code() != "" {
		t.Fatal(a.Raw)
	}
	greets := func(tier string) string {
		x := experienceOf(t, p.ask(p.key(tutti.ServerKey), "", `query($tier: String) { experience(composition: "best-page", channel: "web",
			context: {attributes: {tier: $tier}, consent: {personalization: true}}) { components { component props } } }`, map[string]any{"tier": tier}))
		s, _ := x.component(t, "hero").Props["headline"].(string)
		return s
	}
	if greets("platinum") != "Hello, special" || greets("gold") != "Hello" {
		t.Errorf("greets %q and %q", greets("platinum"), greets("gold"))
	}
	if a := audience("best", "tier == 'gold'", 1); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if greets("platinum") != "Hello, special" {
		t.Error("a draft of an audience counts")
	}
	if a := publish("best", 2); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if greets("platinum") != "Hello" || greets("gold") != "Hello, special" {
		t.Error("a published audience does not count at once")
	}
	if a := p.manage(`mutation { unpublishAudience(name: "best") { name } }`, nil); a.code() != tutti.Conflict || !strings.Contains(a.Raw, "best-page") {
		t.Errorf("a used audience: %s", a.Raw)
	}
	for name, rule := range map[string]string{"itself": "audience.itself", "worst": "teir == 'gold'", "number": "1 + 1"} {
		if a := audience(name, rule, 0); a.code() != tutti.Invalid {
			t.Errorf("%s: %s", rule, a.Raw)
		}
	}
	if a := p.manage(`{ publications(kind: AUDIENCE, name: "best") { nodes { version until } } }`, nil); strings.Count(a.Raw, "version") != 2 {
		t.Errorf("the log says %s", a.Raw)
	}
}

func TestEditingPersonasAndRedirects(t *testing.T) {
	t.Parallel()
	p := play(t)
	t.Run("a persona counts at once, in preview", func(t *testing.T) {
		const save = `mutation($p: PersonaInput!, $r: Int!) { savePersona(name: "carla", persona: $p, revision: $r) { revision consent } }`
		carla := map[string]any{"locale": "de", "attributes": map[string]any{"tier": "silver"}, "consent": map[string]any{"personalization": true}}
		if a := p.manage(save, map[string]any{"p": carla, "r": 0}); a.code() != "" {
			t.Fatal(a.Raw)
		}
		x := experienceOf(t, p.ask(p.key(tutti.PreviewKey), "", `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web",
			preview: {persona: "carla"}) { title components { component variant props } } }`, nil))
		if x.Title != "Ankommen im Hotel Azul" || x.component(t, "offers").Props["headline"] != "Für unsere Silber-Gäste" {
			t.Errorf("%s, %v", x.Title, x.component(t, "offers").Props["headline"])
		}
		if a := p.manage(save, map[string]any{"p": map[string]any{"attributes": map[string]any{"teir": "gold"}}, "r": 1}); a.code() == "" {
			t.Errorf("an unknown attribute: %s", a.Raw)
		}
		if a := p.manage(save, map[string]any{"p": carla, "r": 0}); a.code() != tutti.Conflict {
			t.Errorf("a lost race: %s", a.Raw)
		}
		if a := p.manage(`mutation { deletePersona(name: "carla") }`, nil); a.code() != "" || !strings.Contains(a.Raw, "true") {
			t.Errorf("%s", a.Raw)
		}
		if a := p.manage(`{ personas { name } }`, nil); strings.Contains(a.Raw, "carla") {
			t.Errorf("still there: %s", a.Raw)
		}
	})
	t.Run("redirects count at once, loops are refused", func(t *testing.T) {
		const save = `mutation($list: [RedirectInput!]!, $r: Int!) { saveRedirects(redirects: $list, revision: $r) { revision } }`
		list := func(pairs ...string) (all []any) {
			for i := 0; i < len(pairs); i += 2 {
				all = append(all, map[string]any{"from": pairs[i], "to": pairs[i+1], "permanent": true})
			}
			return all
		}
		var got struct{ Redirects struct{ Revision int } }
		p.manage(`{ redirects { revision } }`, nil).into(t, &got)
		r := got.Redirects.Revision
		for name, bad := range map[string][]any{
			"a loop": list("/a", "/b", "/b", "/c", "/c", "/a"), "itself": list("/a", "/a"), "twice": list("/a", "/b", "/a", "/c"), "a script": list("/a", "javascript:alert(1)"),
		} {
			if a := p.manage(save, map[string]any{"list": bad, "r": r}); a.code() != tutti.Invalid {
				t.Errorf("%s: %s", name, a.Raw)
			}
		}
		if a := p.manage(save, map[string]any{"list": list("/summer", "/en/hotels/azul"), "r": r}); a.code() != "" {
			t.Fatal(a.Raw)
		}
		if to := p.route("/summer", nil); to == nil || to.To != "/en/hotels/azul" || !to.Permanent {
			t.Errorf("leads to %+v", to)
		}
		if to := p.route("/faq", nil); to != nil {
			t.Errorf("a removed redirect leads to %+v", to)
		}
	})
}

func TestContentGoesThroughFiles(t *testing.T) {
	p := play(t)
	t.Setenv("TUTTI_URL", p.told.GraphQL)
	t.Setenv("TUTTI_MANAGEMENT_KEY", p.key(tutti.ManagementKey))
	dir := t.TempDir()
	out, _ := succeed(t, "export", "--dir", dir)
	wants(t, "export", out, "hotel-arrival.yaml", "redirects.yaml")
	_, errs := succeed(t, "apply", "--dir", dir, "--dry-run", "--publish", "--prune")
	wants(t, "apply after export", errs, "says the same")

	path := filepath.Join(dir, "compositions", "hotel-arrival.yaml")
	changed := strings.Replace(read(t, path), "Check in now and go straight up", "Up you go", 1)
	write(t, path, changed)
	out, _ = succeed(t, "apply", "--dir", dir, "--dry-run")
	wants(t, "a dry run", out, "hotel-arrival.yaml: changed", "--- ", "+++ ", "@@ ", "Up you go")
	if lines := regexp.MustCompile(`(?m)^[+-][^+-].*$`).FindAllString(out, -1); len(lines) != 2 {
		t.Errorf("one line differs, it shows %q", lines)
	}
	says := func() string {
		if text := p.arrive(ana("web", "en")).component(t, "check-in").Text; text != nil {
			return text.HTML
		}
		return ""
	}
	if got := says(); strings.Contains(got, "Up you go") {
		t.Errorf("a dry run changed it: %s", got)
	}
	succeed(t, "apply", "--dir", dir)
	if got := says(); strings.Contains(got, "Up you go") {
		t.Errorf("a draft is delivered: %s", got)
	}
	out, _ = succeed(t, "apply", "--dir", dir, "--publish", "--note", "Shorter")
	wants(t, "apply", out, "hotel-arrival.yaml: published")
	if got := says(); got != "Room 412 is yours. Up you go." {
		t.Errorf("published, it says %s", got)
	}
}

// TestAStoredCompositionNamesItself, so that what is exported and applied again is no change.
func TestAStoredCompositionNamesItself(t *testing.T) {
	t.Parallel()
	p := play(t)
	a := p.manage(`mutation($b: JSON!) { saveComposition(id: "plain", body: $b, revision: 0) { composition { draft { body } } } }`,
		map[string]any{"b": map[string]any{"type": "page", "title": "Plain", "slots": []any{}}})
	var x struct {
		SaveComposition struct {
			Composition struct {
				Draft struct{ Body struct{ ID string } }
			}
		}
	}
	a.into(t, &x)
	if id := x.SaveComposition.Composition.Draft.Body.ID; id != "plain" {
		t.Errorf("it is stored as %q: %s", id, a.Raw)
	}
}
