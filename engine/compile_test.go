package engine_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// What is wrong is told with its place and what to write instead.
func TestCompileRefuses(t *testing.T) {
	d := newDesk(t)
	in := func(component string) string { return page(component) }
	list := func(props string) string { return page("- {id: a, type: List, props: {" + props + "}}") }
	for _, c := range []struct{ name, doc, want string }{
		{"a misspelled key", "id: a\ntype: page\ntitel: x\nslots: []", "titel: There is no field “titel” here. Did you mean “title”?"},
		{"a misspelled key deep inside", in("- {id: a, type: List, porps: {}}"), "slots[0].components[0].porps: There is no field “porps” here. Did you mean “props”?"},
		{"an unknown composition type", "id: a\ntype: paeg\nslots: []", "type: There is no composition type “paeg”. Did you mean “page”?"},
		{"an unknown component type", in("- {id: a, type: Hro, props: {}}"), "slots.main[0].type: There is no component type “Hro”. Did you mean “Hero”?"},
		{"an unknown slot", "id: a\ntype: page\nslots: [{name: mian}]", "slots[0].name: There is no slot “mian” here. Did you mean “main”?"},
		{"a type that the slot does not take", "id: a\ntype: page\nslots: [{name: top, components: [{id: x, type: List}]}]", "slots.top[0].type: The slot “top” takes no List. It takes: Hero."},
		{"more than the slot takes", "id: a\ntype: page\nslots: [{name: top, components: [{id: x, type: Hero, props: {headline: a}}, {id: y, type: Hero, props: {headline: b}}]}]", "slots.top: The slot takes one component at most, and here are 2."},
		{"an id used twice", in("- {id: a, type: List, props: {size: small}}\n- {id: a, type: List, props: {size: small}}"), "slots.main[1].id: The id “a” is used twice. It stands at slots.main[0] too; ids are unique in a composition."},
		{"a missing required prop", in("- {id: a, type: Hero, props: {}}"), "slots.main[0].props.headline: Hero needs the prop “headline”. Write, for example: headline: {text: {en: …}}"},
		{"an unknown prop", list("sice: small"), "slots.main[0].props.sice: List has no prop “sice”. Did you mean “size”?"},
		{"a value of the wrong type", list("count: many"), `slots.main[0].props.count: "many" is no value for a prop of type int. Write 1.`},
		{"a value that is not allowed", list("size: smal"), `slots.main[0].props.size: "smal" is no value for a prop of type string. Did you mean “small”?`},
		{"a way that the prop's type does not take", list("items: {text: x}"), "slots.main[0].props.items: A prop of type resources takes no text. Write refs, select, bind, expr."},
		{"a ref written as a value", in("- {id: a, type: Hero, props: {headline: x, image: 'dam:asset/x'}}"), "slots.main[0].props.image: A prop of type resource takes no value. Write image: {ref: 'dam:asset/x'}"},
		{"two ways at once", list("items: {refs: ['catalog:product/1'], bind: hotel.image}"), "slots.main[0].props.items: It has more than one value: bind, refs. Keep one; write the others as fallback."},
		{"a malformed ref", list("items: {refs: [catalog]}"), "slots.main[0].props.items.refs[0]: the ref “catalog” has no '/' before the id. Write source:kind/id, for example stay:hotel/azul."},
		{"a ref to an unknown source", list("items: {refs: ['catalogue:product/1']}"), "slots.main[0].props.items.refs[0]: No source “catalogue” with a kind “product” is configured."},
		{"a kind that the prop does not take", in("- {id: a, type: Hero, props: {headline: x, image: {ref: 'stay:hotel/x'}}}"), "slots.main[0].props.image.ref: The prop “image” takes no Place (stay:hotel). It takes: Asset."},
		{"an internal kind", list("items: {refs: ['crm:note/1']}"), "slots.main[0].props.items.refs[0]: crm:note is internal: it is never delivered. Use a declared attribute of it in a rule, or another kind."},
		{"an unknown filter", list("items: {select: {source: social, kind: post, filter: {tags: x}}}"), "slots.main[0].props.items.select.filter.tags: social:post has no filter “tags”. Did you mean “tag”?"},
		{"an unknown sort", list("items: {select: {source: catalog, kind: product, sort: -prise}}"), "slots.main[0].props.items.select.sort: catalog:product cannot be sorted by “prise”. Did you mean “price”?"},
		{"a search where there is none", list("items: {select: {source: social, kind: post, text: sea}}"), "slots.main[0].props.items.select.text: social:post cannot be searched for text. Use a filter."},
		{"a binding to nothing", list("headline: {bind: hotl.title}"), "slots.main[0].props.headline.bind: “hotl” is no ref param and no prop with a resource. Did you mean “hotel”?"},
		{"a binding to a field that is not there", list("headline: {bind: hotel.titel}"), "slots.main[0].props.headline.bind: A stay:hotel has no field “titel”. Did you mean “title”?"},
		{"a binding to an item without repetition", list("headline: {bind: item.title}"), "slots.main[0].props.headline.bind: There is no item here. Repeat the component with each, or bind to a param or prop."},
		{"a binding of the wrong type", list("count: {bind: hotel.location}"), "slots.main[0].props.count.bind: The field “location” is a place, and the prop a int. Bind another field, or compute the value with expr."},
		{"a bad rule", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, rule: \"tier = 'gold'\"}]"), "slots.main[0].variants[0].rule: line 1, column 6: “=” is no comparison. Write == to compare, such as tier == 'gold'."},
		{"a rule with an unknown attribute", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, rule: \"teir == 'gold'\"}]"), "slots.main[0].variants[0].rule: line 1, column 1: “teir” is not declared. Did you mean “tier”?"},
		{"a rule with an unknown audience", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, rule: audience.glod}]"), "slots.main[0].variants[0].rule: line 1, column 1: “audience.glod” is not declared. Did you mean “audience.gold”?"},
		{"a variant's name used twice", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, hide: true}, {name: x, hide: true}]"), "slots.main[0].variants[1].name: The variant “x” is there twice."},
		{"a window in no zone", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, hide: true, windows: [{from: '2026-12-01T00:00', zone: Europe/Madird}]}]"), "slots.main[0].variants[0].windows[0].zone: “Europe/Madird” is no time zone. Write an IANA name, such as Europe/Madrid."},
		{"a window that ends before it begins", in("- id: a\n  type: List\n  props: {size: small}\n  variants: [{name: x, hide: true, windows: [{from: '2026-12-02', until: '2026-12-01'}]}]"), "slots.main[0].variants[0].windows[0]: The window ends before it begins. from is included, until is not."},
		{"an unclosed value in a text", list("headline: {text: {en: 'Hello ${tier'}}"), "slots.main[0].props.headline.text.en: line 1, column 7: “${” is not closed. Write } after the expression, or $${ for the two characters themselves."},
		{"a mistake in a text, placed in the text", list("headline: {text: 'Hello ${teir}'}"), "slots.main[0].props.headline.text: line 1, column 9: “teir” is not declared. Did you mean “tier”?"},
		{"personal and resource values mixed", list("headline: {text: \"${stay.guestName + hotel.title}\"}"), "slots.main[0].props.headline.text: Personal attributes and fields of resources stand together in one expression. Split it into two, such as ${stay.guestName} ${item.title}: what is shared can then be kept for everybody."},
		{"an unknown locale", list("headline: {text: {en: a, dee: b}}"), "slots.main[0].props.headline.text.dee: There is no locale “dee”. Did you mean “de”?"},
		{"an unknown channel", list("headline: {text: a, channels: {wbe: {text: b}}}"), "slots.main[0].props.headline.channels: There is no channel “wbe”. Did you mean “web”?"},
		{"an attribute in showWhen", in("- {id: a, type: List, props: {size: small}, showWhen: member}"), "slots.main[0].showWhen: “member” is no field of a resource. Attributes and audiences stand in the rules of variants."},
		{"a field that showWhen cannot know", in("- {id: a, type: List, props: {size: small}, showWhen: hotel.open}"), "slots.main[0].showWhen: A stay:hotel has no field “open”. There is: description, image, location, rating, tag, title."},
		{"repetition in repetition", in("- {id: a, type: Box, each: {refs: ['stay:hotel/x']}, slots: [{name: inner, components: [{id: b, type: Box, each: {refs: ['stay:hotel/x']}}]}]}"), "slots.main[0].slots.inner[0].each: A repetition stands inside another one. Repeat only one of the two components."},
		{"a default that does not fit", "id: a\ntype: page\nparams: [{name: n, type: int, default: x}]\nslots: []", "params.n.default: The default does not fit. Give a whole number."},
		{"a param of an unknown kind", "id: a\ntype: page\nparams: [{name: n, type: ref, kinds: [stay:hotl]}]\nslots: []", "params.n.kinds[0]: No source has the kind “stay:hotl”. Write source:kind, such as stay:hotel."},
		{"an action without a way", in("- {id: a, type: List, props: {size: small}, actions: [{label: x, intent: go}]}"), "slots.main[0].actions[0].intent: “go” is no intent. Write a name in capitals, such as CHECK_IN."},
		{"a fact of a param that is not there", "id: a\ntype: page\nslots: [{name: main, components: [{id: x, type: List, props: {size: small}, variants: [{name: v, rule: hotel.tag == 'x'}]}]}]", "slots.main[0].variants[0].rule: “hotel.tag” is a fact of the ref param “hotel”, which this composition has not. Add a param: {name: hotel, type: ref}."},
		{"a route without its param", "id: a\ntype: page\nparams: [{name: hotel, type: ref, kinds: [stay:hotel], required: true}]\nroutes: [{path: /x}]\nslots: []", `routes[0].path: The needed param “hotel” gets no value. Write {hotel} in the path and params: {hotel: "'stay:hotel/' + path.hotel"}.`},
		{"two routes to the same paths", "id: a\ntype: page\nparams: [{name: x, type: string}, {name: y, type: string}]\nroutes: [{path: '/a/{x}'}, {path: '/a/{y}'}]\nslots: []", "routes[1].path: It leads to the same paths as /a/{x}. Keep one of them."},
		{"a route that reads what is not in its path", "id: a\ntype: page\nparams: [{name: x, type: string}]\nroutes: [{path: '/a/{z}', params: {x: path.zz}}]\nslots: []", "routes[0].params.x: The path has no “{zz}”. Did you mean “z”?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := d.problems(c.doc)
			for _, p := range got {
				if p == c.want {
					return
				}
			}
			t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), c.want)
		})
	}
}

func TestCompileTellsAllProblemsAtOnce(t *testing.T) {
	got := newDesk(t).problems(page(`
- {id: a, type: Hro}
- {id: b, type: List, props: {sice: small, items: {refs: [x]}}, variants: [{name: v, rule: teir}]}
`))
	if len(got) != 4 {
		t.Errorf("%d problems: %s", len(got), strings.Join(got, "\n"))
	}
}

func TestNestingIsFourDeep(t *testing.T) {
	nest := func(n int) string {
		doc := "{id: b0, type: Box}"
		for i := 1; i < n; i++ {
			doc = "{id: b" + string(rune('0'+i)) + ", type: Box, slots: [{name: inner, components: [" + doc + "]}]}"
		}
		return page("- " + doc)
	}
	d := newDesk(t)
	if got := d.problems(nest(4)); got != nil {
		t.Error(got)
	}
	got := d.problems(nest(5))
	if len(got) != 1 || !strings.Contains(got[0], "more than 4 deep") {
		t.Error(got)
	}
}

func TestWarnings(t *testing.T) {
	d := newDesk(t, func(c *engine.Config) { c.SourceVisitors = map[string]string{"stay": "visitor"} })
	_, problems, warnings := d.engine.Compile("", yamlJSON(t, page(`
- id: a
  type: List
  props:
    headline: {text: {de: "Punkte: ${score}"}}
    items: {select: {source: support, kind: ticket}}
- {id: b, type: Hero, props: {headline: "Hello ${tier}"}}
`)), 1, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, want := range []string{
		"slots.main[0].props.headline.text.de: “score” stands here with its exact value: this makes one page per visitor. Declare a step for it, such as step: 100.",
		"slots.main[0].props.headline.text: There are no words for the default locale en. Other locales fall back on it.",
		"slots.main[0].props.items.select: support:ticket belongs to visitors, but the source does not say how it calls them: nobody will get it. Write visitor: … for the source in tutti.yaml.",
		"slots.main[1].props.headline: A literal value stays as it is: ${…} is not filled in. Write text: … for words with values in them.",
	} {
		found := false
		for _, w := range warnings {
			found = found || w.String() == want
		}
		if !found {
			t.Errorf("no warning %q in %v", want, warnings)
		}
	}
}

func TestAudiencesAreChecked(t *testing.T) {
	d := newDesk(t)
	set, problems := d.engine.CompileAudiences([]tutti.Audience{
		{Name: "a", Rule: "audience.b"},
		{Name: "b", Rule: "audience.c || member"},
		{Name: "c", Rule: "audience.a"},
		{Name: "ok", Rule: "member"},
		{Name: "bad", Rule: "teir == 'gold'"},
		{Name: "needsBad", Rule: "audience.bad"},
	})
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"audiences.a.rule: The audience is made of itself: a → b → c → a.", "audiences.bad.rule: line 1, column 1: “teir” is not declared. Did you mean “tier”?",
		"audiences.needsBad.rule: line 1, column 1: “audience.bad” is not declared.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	c, problems, _ := d.engine.Compile("", yamlJSON(t, page("- {id: a, type: List, props: {size: small}, variants: [{name: v, rule: audience.ok, hide: true}]}")), 1, set)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if plan, _ := c.Decide(nil, anonymous(), tutti.Facts{Values: map[string]any{"member": true}}); len(plan.Slots[1].Components) != 0 {
		t.Error("the audience that is left is not true")
	}
}

func TestConfigIsChecked(t *testing.T) {
	cfg := deskConfig()
	cfg.Attributes = append(cfg.Attributes,
		tutti.Attribute{Name: "x", Type: tutti.DoubleType, Derive: "y + 1.0"}, tutti.Attribute{Name: "y", Type: tutti.DoubleType, Derive: "x + 1.0"},
		tutti.Attribute{Name: "claimed", Type: tutti.StringType},
		tutti.Attribute{Name: "stay", Type: tutti.StringType},
		tutti.Attribute{Name: "e", Type: tutti.StringType, Enricher: "stya", Field: "x"},
	)
	cfg.SourceVisitors = map[string]string{"stay": "claimed", "support": "claims.sub + stya.supportId"}
	_, err := engine.New(cfg, deskSources())
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"derived from itself", "“stay” is also the beginning of “stay.guestName”", "There is no enricher “stya”. Did you mean “stay”?",
		"Anybody may assert “claimed”", "stya",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestParams(t *testing.T) {
	d := newDesk(t)
	c := d.compile(page("- {id: a, type: List, props: {size: small}}"))
	got, err := c.CheckParams(map[string]any{"hotel": "stay:hotel/a:b/c", "count": 7.0})
	if err != nil || got["hotel"] != ref("stay:hotel/a:b/c") || got["count"] != int64(7) {
		t.Errorf("%v %v", got, err)
	}
	if got, err = c.CheckParams(nil); err != nil || got["count"] != int64(3) || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
	t.Run("what is right is taken as it is, and what is not stays as it was", func(t *testing.T) {
		raw := map[string]any{"count": int64(7), "sku": "x"}
		if got, err := c.CheckParams(raw); err != nil || !maps.Equal(got, raw) {
			t.Errorf("%v %v", got, err)
		}
		raw = map[string]any{"hotel": "stay:hotel/azul", "count": nil, "sku": nil}
		if got, err := c.CheckParams(raw); err != nil || !maps.Equal(got, map[string]any{"hotel": ref("stay:hotel/azul"), "count": int64(3)}) {
			t.Errorf("%v %v", got, err)
		}
		if len(raw) != 3 || raw["hotel"] != "stay:hotel/azul" || raw["count"] != nil {
			t.Errorf("what the request gave became %v", raw)
		}
	})
	required := d.compile("id: a\ntype: page\nparams: [{name: hotel, type: ref, kinds: [stay:hotel], required: true}]\nslots: []")
	for _, x := range []struct {
		c    *engine.Compiled
		raw  map[string]any
		code tutti.Code
		text string
	}{
		{c, map[string]any{"hotell": 1}, tutti.UnknownParam, "Did you mean “hotel”?"},
		{required, nil, tutti.MissingParam, "Give a ref such as stay:hotel/…."},
		{c, map[string]any{"hotel": "azul"}, tutti.MalformedRef, "stay:hotel/azul"},
		{c, map[string]any{"hotel": "nosuch:hotel/azul"}, tutti.UnknownSource, "Give a ref of stay:hotel."},
		{c, map[string]any{"hotel": "dam:asset/x"}, tutti.InvalidValue, "Give a ref of stay:hotel."},
		{c, map[string]any{"hotel": 5}, tutti.InvalidValue, "Give a ref such as stay:hotel/…."},
		{c, map[string]any{"count": 1.5}, tutti.InvalidValue, "Give a whole number."},
		{c, map[string]any{"count": "3"}, tutti.InvalidValue, "Give a whole number."},
		{c, map[string]any{"sku": strings.Repeat("x", 2000)}, tutti.InvalidValue, "Give a text."},
	} {
		_, err := x.c.CheckParams(x.raw)
		if tutti.CodeOf(err) != x.code || !strings.Contains(err.Error(), x.text) {
			t.Errorf("%v: %v (%s), want %s %q", x.raw, err, tutti.CodeOf(err), x.code, x.text)
		}
	}
	if calls := d.sources.Calls(); len(calls) != 0 {
		t.Errorf("origins were called: %v", calls)
	}
}

func TestResolving(t *testing.T) {
	e := newDesk(t).engine
	for asked, want := range map[string]string{"": "en", "de": "de en", "DE-at": "de-AT de en", "de-CH": "de en", "es": "es en", "en-GB-oxendict": "en"} {
		locale, chain, err := e.ResolveLocale(asked)
		if err != nil || strings.Join(chain, " ") != want || locale != chain[0] {
			t.Errorf("%q: %s %v %v", asked, locale, chain, err)
		}
	}
	if _, _, err := e.ResolveLocale("fr"); tutti.CodeOf(err) != tutti.UnknownLocale || !strings.Contains(err.Error(), "en, de, es") {
		t.Error(err)
	}
	if _, err := e.ResolveChannel("wbe"); tutti.CodeOf(err) != tutti.UnknownChannel || !strings.Contains(err.Error(), "“web”") {
		t.Error(err)
	}
	if m, c, err := e.ResolveMarket("", ""); m != "eu" || c != "EUR" || err != nil {
		t.Error(m, c, err)
	}
	if m, c, err := e.ResolveMarket("us", ""); m != "us" || c != "USD" || err != nil {
		t.Error(m, c, err)
	}
	for _, x := range [][2]string{{"uk", ""}, {"", "eur"}} {
		if _, _, err := e.ResolveMarket(x[0], x[1]); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Error(x, err)
		}
	}
}
