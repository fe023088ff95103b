package engine_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/text"
)

// merge puts words in place of tokens, as a mail system does: plain replacing, and nothing else.
func merge(m *engine.Marked, words []string) *tutti.Experience {
	var pairs []string
	for i, h := range m.Holes {
		pairs = append(pairs, h.Token, words[i])
	}
	put := strings.NewReplacer(pairs...).Replace
	x := *m.Experience
	x.ID, x.Title, x.Description = put(x.ID), put(x.Title), put(x.Description)
	x.Components = nil
	for _, c := range m.Experience.Components {
		merged := *c
		merged.ID, merged.Parent = put(c.ID), put(c.Parent)
		merged.Props, merged.Actions = map[string]any{}, nil
		for name, v := range c.Props {
			switch w := v.(type) {
			case string:
				v = put(w)
			case tutti.RichText:
				v = tutti.RichText{HTML: put(w.HTML), Markdown: put(w.Markdown), Plain: put(w.Plain), SSML: put(w.SSML)}
			}
			merged.Props[name] = v
		}
		for _, a := range c.Actions {
			a.Label, a.Href, a.DeepLink = put(a.Label), put(a.Href), put(a.DeepLink)
			merged.Actions = append(merged.Actions, a)
		}
		x.Components = append(x.Components, &merged)
	}
	if x.Speech != nil {
		x.Speech = &tutti.Speech{SSML: put(x.Speech.SSML), Text: put(x.Speech.Text), Reprompt: put(x.Speech.Reprompt)}
	}
	if x.Message != nil {
		m := *x.Message
		m.Text, m.Buttons = put(m.Text), nil
		for _, b := range x.Message.Buttons {
			m.Buttons = append(m.Buttons, tutti.Button{Label: put(b.Label), Href: put(b.Href)})
		}
		x.Message = &m
	}
	return &x
}

func markedPlan(h *house, channel string) tutti.Plan {
	p := plan(channel, part{id: "c", kind: "Said", props: map[string][]tutti.Value{
		"headline": one(h.words("Hi @{name}, @{name} & @{other}")), "short": one(h.words("Hi @{name}!")),
		"body": one(h.words("Dear **@{name}**, see [this](/for/@{name}/x) or [that](https://x.example/?q=@{name}).\n\n- @{other}")),
		"link": one(h.words("/for/@{url/name}?q=@{url?name}")),
	}, actions: []tutti.ActionPlan{{Label: h.words("@{name}"), Intent: "GO", Href: h.words("/for/@{url/name}?q=@{url?name}")}}},
		part{id: "d", kind: "Said", props: map[string][]tutti.Value{"headline": one(h.words("The same for all"))}})
	p.Title, p.Description = h.words("For @{name}"), h.words("For all")
	return p
}

func TestWordsInPlaceOfTokensAreWhatFillMakes(t *testing.T) {
	h := newHouse(t)
	for _, channel := range []string{"web", "voice", "chat"} {
		ready := h.assemble(markedPlan(h, channel), engine.Everything())
		before := show(ready)
		m := h.Mark(ready)
		if show(ready) != before {
			t.Errorf("%s: marking changed what was assembled", channel)
		}
		for _, name := range []string{"Ana", "", "<b>&amp;", `"><img src=x>`, "a](b) <b>", "日本語 / ?", strings.Repeat("👨‍👩‍👧‍👦 and so on. ", 40), tutti.HoleStart + "2" + tutti.HoleEnd} {
			fills := tutti.Fills{"name": name, "other": "<i>" + name, "url/name": "p%2F" + url.PathEscape(name), "url?name": "q" + url.PathEscape(name)}
			filled, merged := h.Fill(ready, fills), merge(m, m.Words(fills))
			if got, want := show(merged), show(filled); got != want || merged.Title != filled.Title || merged.Description != filled.Description {
				t.Errorf("%s %q:\n%s\nfilled:\n%s", channel, name, got, want)
			}
			for i, c := range merged.Components {
				if c.Filled != filled.Components[i].Filled {
					t.Errorf("%s %q: component %d tells that it is filled: %v", channel, name, i, c.Filled)
				}
			}
			all := h.MarkAll(ready)
			words := make([]string, len(all.Blanks()))
			for i := range words {
				words[i] = all.Blanks().Word(i+1, fills)
			}
			merged = merge(all, words)
			if got, want := show(merged), show(filled); got != want || merged.ID != filled.ID || merged.Components[0].ID != filled.Components[0].ID || merged.ID == ready.ID {
				t.Errorf("%s %q, with ids %s and %s for %s and %s:\n%s\nfilled:\n%s", channel, name, merged.ID, merged.Components[0].ID, filled.ID, filled.Components[0].ID, got, want)
			}
		}
	}
}

func TestHolesTellTheirNameAndForm(t *testing.T) {
	h := newHouse(t)
	m := h.Mark(h.assemble(markedPlan(h, "web"), engine.Everything()))
	var got []string
	for _, hole := range m.Holes {
		got = append(got, hole.Name+" "+string(hole.Form))
	}
	want := []string{
		"name TEXT", "other TEXT", "name HTML", "name URL", "other HTML", "name MARKDOWN", "other MARKDOWN", "name SSML", "other SSML", "name URL", "name URL",
		"slots.main[0].props.short TEXT",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if m.Experience.Title != "For "+tutti.HoleStart+"1"+tutti.HoleEnd || m.Holes[0].Token != tutti.HoleStart+"1"+tutti.HoleEnd {
		t.Errorf("%q, %q", m.Experience.Title, m.Holes[0].Token)
	}
	if m.Experience.Components[0].ID != h.assemble(markedPlan(h, "web"), engine.Everything()).Components[0].ID {
		t.Error("marking changes ids")
	}
	none := h.Mark(h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"headline": one(h.words("Hi"))}}), engine.Everything()))
	if len(none.Holes) > 0 || len(none.Words(tutti.Fills{"name": "Ana"})) > 0 {
		t.Errorf("holes where there are none: %v", none.Holes)
	}
}

// FuzzMark holds that no words get out of their token: replaced in the marked experience they
// make what Fill makes, for which FuzzFill holds that nothing gets out.
func FuzzMark(f *testing.F) {
	h := newHouse(f)
	ready := h.assemble(markedPlan(h, "voice"), engine.Everything())
	m := h.Mark(ready)
	for _, s := range []string{"Ana", "<script>", "]]>&amp;", "\x00\x1b", "\xff", "a](b)", tutti.HoleStart + "1" + tutti.HoleEnd} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		fills := tutti.Fills{"name": name, "other": other}
		if got, want := show(merge(m, m.Words(fills))), show(h.Fill(ready, fills)); got != want {
			t.Errorf("%s\nfilled:\n%s", got, want)
		}
		for _, w := range m.Words(fills) {
			if w != text.StripHoles(w) {
				t.Errorf("the words %q hold a token", w)
			}
		}
	})
}
