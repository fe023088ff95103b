package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// migratedDesk has a component type of version 3 with migrations from 1.
func migratedDesk(t *testing.T) *desk {
	return newDesk(t, func(c *engine.Config) {
		c.ComponentTypes = []tutti.ComponentType{{
			Name: "Card", Version: 3,
			Props: []tutti.PropDefinition{
				{Name: "headline", Type: tutti.PropText, Required: true},
				{Name: "street", Type: tutti.PropText},
				{Name: "city", Type: tutti.PropText},
				{Name: "tone", Type: tutti.PropString, Values: []string{"calm", "loud"}, Required: true},
				{Name: "note", Type: tutti.PropText},
				{Name: "subject", Type: tutti.PropResource},
			},
			Slots: []tutti.SlotDefinition{{Name: "inner"}},
			Migrations: []tutti.Migration{
				{Version: 2, Rename: map[string]string{"title": "head", "offer": "subject"}, Drop: []string{"badge"}},
				{
					Version: 3, Rename: map[string]string{"head": "headline"},
					Split:   map[string]map[string]string{"address": {"street": "value.split(', ')[0]", "city": "value.split(', ')[1]"}},
					Default: map[string]json.RawMessage{"tone": json.RawMessage(`"calm"`), "note": json.RawMessage(`{"en": "Note", "de": "Notiz"}`)},
				},
			},
		}}
		c.CompositionTypes = []tutti.CompositionType{{Name: "page", Slots: []tutti.SlotDefinition{{Name: "main"}}}}
	})
}

// read assembles a page and gives the props of its first component as JSON.
func (d *desk) read(doc string, facts map[string]any, locale string) string {
	d.t.Helper()
	v := anonymous()
	v.Locale = locale
	plan, _ := d.compile(doc).Decide(atAzul(), v, tutti.Facts{Values: facts})
	x, err := d.engine.Assemble(context.Background(), plan, engine.Need{Props: true})
	if err != nil {
		d.t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range x.Components {
		delete(c.Props, "subject") // told as a whole item
		b.Write(c.PropsJSON())
	}
	for _, p := range x.Problems {
		b.WriteString(" " + p.Path + ": " + p.Message)
	}
	return b.String()
}

func TestWhatWasStoredForOlderVersionsIsReadAsNow(t *testing.T) {
	const now = `{"headline":"Hello","street":"Main 1","city":"Bilbao","tone":"calm","note":"Note"}`
	for name, c := range map[string]struct{ props, want, locale string }{
		"as it is now":                    {`{headline: Hello, street: Main 1, city: Bilbao}`, now, "en"},
		"of version 2":                    {`{head: Hello, address: "Main 1, Bilbao"}`, now, "en"},
		"of version 1, through two steps": {`{title: Hello, address: "Main 1, Bilbao", badge: new}`, now, "en"},
		"what is written new counts":      {`{title: Old, headline: Hello, address: "X, Y", street: Main 1, city: Bilbao}`, now, "en"},
		"words by locale":                 {`{title: {text: {en: Hello, de: Hallo}}, address: {text: {en: "Main 1, Bilbao", de: "Haupt 1, Bilbo"}}}`, `{"headline":"Hallo","street":"Haupt 1","city":"Bilbo","tone":"calm","note":"Notiz"}`, "de"},
		"an expression":                   {`{title: Hello, address: {expr: "'Main 1, ' + hotel.title"}}`, `{"headline":"Hello","street":"Main 1","city":"Hotel Azul","tone":"calm","note":"Note"}`, "en"},
		"an attribute":                    {`{title: {expr: tier}, address: {expr: "tier + ', ' + tier"}}`, `{"headline":"gold","street":"gold","city":"gold","tone":"calm","note":"Note"}`, "en"},
		"a binding":                       {`{title: Hello, address: {bind: hotel.tag}}`, `{"headline":"Hello","street":"hotelazul","tone":"calm","note":"Note"}`, "en"},
		"words with values stay whole":    {`{title: Hello, address: {text: "${hotel.title}, Bilbao"}}`, `{"headline":"Hello","street":"Hotel Azul, Bilbao","tone":"calm","note":"Note"}`, "en"},
		"fallbacks":                       {`{title: Hello, address: {bind: hotel.image.alt, fallback: ["Main 1, Bilbao"]}}`, now, "en"},
		"what cannot be split is absent":  {`{title: Hello, address: "Main 1"}`, `{"headline":"Hello","street":"Main 1","tone":"calm","note":"Note"}`, "en"},
		"names in bindings and texts":     {`{offer: {ref: "=params.hotel"}, title: {bind: offer.title}, note: {text: "${offer.tag} and ${props.offer.tag} 'offer' ${item_offer(1)}"}}`, "", "en"},
		"names in expressions":            {`{offer: {ref: "=params.hotel"}, title: {expr: "offer.title + ' offer ' + props.offer.tag"}}`, `{"headline":"Hotel Azul offer hotelazul","tone":"calm","note":"Note"}`, "en"},
		"a channel's own":                 {`{title: {value: Hello, channels: {web: Hi}}, address: {value: "a, b", channels: {web: "c, d"}}}`, `{"headline":"Hi","street":"c","city":"d","tone":"calm","note":"Note"}`, "en"},
	} {
		t.Run(name, func(t *testing.T) {
			d := migratedDesk(t)
			doc := page("- id: a\n  type: Card\n  props: " + c.props)
			if c.want == "" {
				doc = strings.Replace(doc, " ${item_offer(1)}", "", 1)
				c.want = `{"headline":"Hotel Azul","tone":"calm","note":"hotelazul and hotelazul 'offer'"}`
			}
			if got := d.read(doc, map[string]any{"tier": "gold"}, c.locale); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestVariantsAndWhatStandsInsideAreMigratedToo(t *testing.T) {
	d := migratedDesk(t)
	doc := page(`
- id: a
  type: Card
  props: {title: Everybody, offer: {ref: "=params.hotel"}}
  showWhen: offer.rating > 4.0
  actions: [{label: "To ${offer.title}", intent: GO, href: "/x?h=${offer.tag}"}]
  variants:
    - {name: gold, rule: audience.gold, props: {title: Gold, badge: x}}
  slots: [{name: inner, components: [{id: b, type: Card, props: {head: Inside}}]}]
`)
	want := `{"headline":"Gold","tone":"calm","note":"Note"}{"headline":"Inside","tone":"calm","note":"Note"}`
	if got := d.read(doc, map[string]any{"tier": "gold"}, "en"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = strings.Replace(want, "Gold", "Everybody", 1)
	if got := d.read(doc, nil, "en"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAMigrationIsToldToWhoSaves(t *testing.T) {
	d := migratedDesk(t)
	body := yamlJSON(t, page("- {id: a, type: Card, props: {title: Hello, address: 'Main 1, Bilbao', badge: x}}"))
	before := string(body)
	_, problems, warnings := d.engine.Compile("", body, 1, d.set)
	if len(problems) > 0 || string(body) != before {
		t.Fatalf("problems %v, or the stored body was changed", problems)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Path+": "+w.Message+" "+w.Hint)
	}
	want := []string{
		"slots.main[0].props.title: Card has no prop “title” since version 2. It is read as head; write that instead.",
		"slots.main[0].props.badge: Card has no prop “badge” since version 2. It is not used any more.",
		"slots.main[0].props.head: Card has no prop “head” since version 3. It is read as headline; write that instead.",
		"slots.main[0].props.address: Card has no prop “address” since version 3. It is read as city and street; write that instead.",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if p := d.problems(page("- {id: a, type: Card, props: {titel: Hello}}")); len(p) != 2 {
		t.Errorf("a misspelled name is no old one: %v", p)
	}
}

// TestDraftsAndOldVersionsAreRead: the library reads published versions, drafts and what is
// restored alike.
func TestDraftsAndOldVersionsAreRead(t *testing.T) {
	d := migratedDesk(t)
	l := engine.NewLibrary(d.engine)
	old := engine.Doc{Kind: tutti.CompositionDocument, Name: "arrival", Version: 1, Body: yamlJSON(t, page("- {id: a, type: Card, props: {title: Hello}}"))}
	if problems := l.Load([]engine.Doc{old}, noon); len(problems) > 0 {
		t.Error(problems)
	}
	if _, err := l.Draft(old, nil, noon); err != nil {
		t.Error(err)
	}
	if problems, _ := l.CheckComposition("arrival", old.Body); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestMigrationsThatCannotWorkAreRefused(t *testing.T) {
	for field, m := range map[string]tutti.Migration{
		"componentTypes.Card.migrations[0].split.address.street": {Version: 2, Split: map[string]map[string]string{"address": {"street": "value.splitt(',')"}}},
		"componentTypes.Card.migrations[0].split.address.city":   {Version: 2, Split: map[string]map[string]string{"address": {"city": "tier"}}},
		"componentTypes.Card.migrations[0].default.tone":         {Version: 2, Default: map[string]json.RawMessage{"tone": json.RawMessage(`"shrill"`)}},
		"componentTypes.Card.migrations[0].default.subject":      {Version: 2, Default: map[string]json.RawMessage{"subject": json.RawMessage(`"dam:asset/a"`)}},
	} {
		cfg := deskConfig()
		cfg.ComponentTypes = []tutti.ComponentType{{Name: "Card", Version: 2, Migrations: []tutti.Migration{m}, Props: []tutti.PropDefinition{
			{Name: "street", Type: tutti.PropText}, {Name: "city", Type: tutti.PropText}, {Name: "tone", Type: tutti.PropString, Values: []string{"calm"}}, {Name: "subject", Type: tutti.PropResource},
		}}}
		_, err := engine.New(cfg, deskSources())
		var e *tutti.Error
		if !errors.As(err, &e) || e.Field != field || e.Code != tutti.Invalid {
			t.Errorf("%s: %v", field, err)
		}
	}
}
