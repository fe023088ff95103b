package engine_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/text"
)

func guest(n int) tutti.Owner {
	id := fmt.Sprintf("guest-%d", n)
	return tutti.Owner{Visitor: id, InSource: map[string]string{"stay": id, "support": fmt.Sprint(20978385 + n)}}
}

func putTickets(h *house) {
	h.putAs(tutti.Resource{Ref: ref("stay:reservation/R-1007"), Owner: "guest-7", Fields: tutti.FieldsOf(map[string]any{"title": "Ana's stay", "ticket": ref("support:ticket/1"), "room": "Zroom-412"})})
	h.putAs(tutti.Resource{Ref: ref("stay:reservation/R-1008"), Owner: "guest-8", Fields: tutti.FieldsOf(map[string]any{"title": "Ben's stay"})})
	h.putAs(tutti.Resource{Ref: ref("stay:reservation/nobodys"), Fields: tutti.FieldsOf(map[string]any{"title": "of nobody"})})
	for i, owner := range []string{"20978392", "20978393", "20978392", "20978393", "20978392"} {
		h.putAs(tutti.Resource{Ref: ref(fmt.Sprintf("support:ticket/%d", i+1)), Owner: owner, Fields: tutti.FieldsOf(map[string]any{"title": fmt.Sprintf("Request %d of %s", i+1, owner)})})
		h.putAs(tutti.Resource{Ref: ref(fmt.Sprintf("support:note/%d", i+1)), Owner: owner, Fields: tutti.FieldsOf(map[string]any{"title": fmt.Sprintf("Note %d of %s", i+1, owner)})})
	}
}

func ticketPage(h *house, owner tutti.Owner, reservation string) tutti.Plan {
	return plan("web",
		part{id: "fixed", owner: owner, props: map[string][]tutti.Value{
			"offer": one(toRef("stay:reservation/" + reservation)), "headline": one(bound("offer.title")), "short": one(bound("offer.ticket.title")),
		}},
		part{id: "tickets", owner: owner, props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "support", Kind: "ticket", First: 2}))}},
		part{id: "notes", owner: owner, props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "support", Kind: "note", First: 2}))}},
		part{id: "each", owner: owner, each: new(selecting(tutti.Selection{Source: "support", Kind: "ticket"})), props: map[string][]tutti.Value{"headline": one(bound("item.title"))}},
		part{id: "text", owner: owner, props: map[string][]tutti.Value{"offer": one(toRef("stay:reservation/" + reservation)), "headline": one(h.words("Room ${offer.room}"), literal("no room"))}},
	)
}

func TestNobodyGetsWhatBelongsToAnother(t *testing.T) {
	h := newHouse(t)
	putTickets(h)
	t.Run("the owner", func(t *testing.T) {
		wantGolden(t, h.assemble(ticketPage(h, guest(7), "R-1007"), engine.Everything()), "owner")
		h.wantCalls("stay:reservation R-1007", "support:note select first 2 of 20978392", "support:ticket select first 10 of 20978392")
	})
	t.Run("another guest", func(t *testing.T) {
		x := h.assemble(ticketPage(h, guest(8), "R-1007"), engine.Everything())
		wantGolden(t, x, "not-the-owner")
		if all := fmt.Sprintf("%s %+v", show(x), x); strings.Contains(all, "Ana") || strings.Contains(all, "20978392") || strings.Contains(all, "Zroom-412") {
			t.Error("something of guest-7 came to guest-8")
		}
		h.Calls()
	})
	t.Run("reads like what does not exist", func(t *testing.T) {
		theirs := show(h.assemble(ticketPage(h, guest(8), "R-1007"), engine.Everything()))
		none := show(h.assemble(ticketPage(h, guest(8), "R-9999"), engine.Everything()))
		nobodys := show(h.assemble(ticketPage(h, guest(8), "nobodys"), engine.Everything()))
		if theirs != strings.ReplaceAll(none, "R-9999", "R-1007") || theirs != strings.ReplaceAll(nobodys, "nobodys", "R-1007") {
			t.Errorf("theirs:\n%s\nnone:\n%s\nnobody's:\n%s", theirs, none, nobodys)
		}
		h.Calls()
	})
	t.Run("without an owner nothing is asked", func(t *testing.T) {
		x := h.assemble(ticketPage(h, tutti.Owner{}, "R-1007"), engine.Everything())
		h.wantCalls()
		for _, p := range x.Problems {
			if p.Code != tutti.NotFound || p.Ref != "stay:reservation/R-1007" {
				t.Errorf("%+v", p)
			}
		}
		if len(x.Problems) == 0 {
			t.Error("the fixed ref is missing without a word")
		}
	})
	t.Run("an owner in a shared plan does not count", func(t *testing.T) {
		p := ticketPage(h, guest(7), "R-1007")
		for i := range p.Slots[0].Components {
			p.Slots[0].Components[i].Private = false
		}
		h.assemble(p, engine.Everything())
		h.wantCalls()
	})
	t.Run("a public component cannot reach a visitor's item by a relation", func(t *testing.T) {
		h.put("catalog:product/leak", map[string]any{"title": "Leak", "image": ref("stay:reservation/R-1007")})
		h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/leak")), "headline": one(bound("offer.image.title"))}}),
			engine.Need{Props: true, Components: engine.ComponentNeed{Resources: map[string]engine.ResourceNeed{"offer": {Relations: map[string]engine.ResourceNeed{"image": {}}}}}})
		h.wantCalls("catalog:product leak")
	})
}

func putHotel(h *house) {
	h.putAs(tutti.Resource{Ref: ref("stay:hotel/azul"), Locale: "en", Fields: tutti.FieldsOf(map[string]any{
		"title": "Hotel Azul", "image": ref("dam:asset/azul"), "description": text.FromHTML("<p>By the <b>sea</b></p>"), "location": tutti.Place{Lat: 43.263, Lon: -2.935},
		"phone": "+34 900 000 000", "link": "https://stay.example/azul",
	})})
	h.put("dam:asset/azul", map[string]any{"title": "Azul", "alt": "The house at night", "width": int64(3000), "height": int64(2000), "focal": tutti.Focal{X: 0.5, Y: 0.25}, "mediaType": "image/jpeg"})
	for i, name := range []string{"Breakfast", "Spa", "Bike", "Boat", "Late check-out"} {
		h.put(fmt.Sprintf("catalog:product/%d", i), map[string]any{
			"title": name, "price": tutti.MoneyFromMinor(int64(1000*(i+1)), "EUR"), "inStock": i != 1, "image": ref("dam:asset/azul"), "slug": "a/b c",
		})
	}
}

// arrival is a page with most of what a page can have.
func arrival(h *house, channel string) tutti.Plan {
	p := plan(channel,
		part{id: "hero", kind: "Card", props: map[string][]tutti.Value{
			"headline": one(h.words("Welcome, @{name}")), "body": one(h.words("**${hotel.title}**: ${hotel.description} [call](https://stay.example/${hotel.phone})")),
			"image": one(bound("hotel.image")), "offer": one(toRef("catalog:product/0")), "short": one(bound("hotel.title")), "price": one(bound("offer.price")),
			"link": one(h.words("/hotels/${hotel.title}?guest=@{name}")),
		}, actions: []tutti.ActionPlan{
			{Label: h.words("Check in, @{name}"), Intent: "CHECK_IN", Href: h.words("/check-in/${params.code}?for=@{name}"), DeepLink: h.words("stay://check-in/${params.code}")},
			{Label: literal("Call"), Intent: "CALL", Href: h.words("tel:${hotel.phone}")},
			{Label: literal("Run"), Intent: "RUN", Href: literal("javascript:alert(1)")},
			{Label: h.words("${hotel.nothing}"), Intent: "NONE", Href: literal("/nothing")},
		}, inside: []part{{
			id: "offers", kind: "Card", each: new(toRefs("catalog:product/0", "catalog:product/1", "catalog:product/gone", "catalog:product/2")), showWhen: h.program("item.inStock"),
			props: map[string][]tutti.Value{
				"headline": one(bound("item.title")), "offer": one(bound("item")), "image": one(bound("item.image")),
				"link": one(h.words("/offers/${item.slug}")),
			}, inside: []part{{id: "note", props: map[string][]tutti.Value{"headline": one(h.words("About ${item.title} at ${hotel.title}"))}}},
		}}},
		part{id: "list", props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "catalog", Kind: "product"})), "headline": one(h.words("${size(items.nodes)} of ${items.total}: ${items.nodes.map(i, i.title).join(', ')}"))}},
	)
	p.Params = tutti.Params{"hotel": ref("stay:hotel/azul"), "code": "A 7/9"}
	p.Title = h.words("Arrival at ${hotel.title}")
	return p
}

func TestAPageOnEveryChannel(t *testing.T) {
	for _, channel := range []string{"web", "mobile", "email", "chat", "voice"} {
		t.Run(channel, func(t *testing.T) {
			h := newHouse(t)
			putHotel(h)
			x := h.assemble(arrival(h, channel), engine.Everything())
			wantGolden(t, h.Fill(x, tutti.Fills{"name": "Ana <b> & \"Co\""}), "arrival-"+channel)
			if x.Title != "Arrival at Hotel Azul" {
				t.Errorf("title %q", x.Title)
			}
		})
	}
}

func TestComponentsStandFlatAndNested(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	x := h.assemble(arrival(h, "web"), engine.Everything())
	var flat []string
	var walk func(slots []*tutti.Slot, parent string)
	walk = func(slots []*tutti.Slot, parent string) {
		for _, s := range slots {
			for _, c := range s.Components {
				if c.Parent != parent || c.Slot != s.Name {
					t.Errorf("%s: parent %s slot %s, want %s %s", c.Component, c.Parent, c.Slot, parent, s.Name)
				}
				flat = append(flat, c.ID)
				walk(c.Slots, c.ID)
			}
		}
	}
	walk(x.Slots, "")
	seen := map[string]bool{}
	for i, c := range x.Components {
		if c.ID != flat[i] || seen[c.ID] {
			t.Errorf("component %d: %s %s", i, c.Component, c.ID)
		}
		seen[c.ID] = true
	}
	if want := "offers#catalog:product/2"; x.Components[3].Component != want {
		t.Errorf("%s, want %s", x.Components[3].Component, want)
	}
}

func TestIDsChangeWithWhatShapedThem(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	base := arrival(h, "web")
	idsOf := func(p tutti.Plan, n engine.Need) map[string]string {
		x := h.assemble(p, n)
		m := map[string]string{"experience": x.ID}
		for _, c := range x.Components {
			m[c.Component] = c.ID
			for name, v := range c.Props {
				if d, ok := v.(*tutti.Delivered); ok {
					m[c.Component+"."+name] = d.ID
				}
			}
		}
		return m
	}
	first := idsOf(base, engine.Everything())
	if again := idsOf(base, engine.Everything()); !maps.Equal(first, again) {
		t.Error("ids are not stable")
	}
	for id := range maps.Values(first) {
		if len(id) != 22 {
			t.Errorf("id %q", id)
		}
	}
	for name, change := range map[string]func(p *tutti.Plan){
		"locale":      func(p *tutti.Plan) { p.Scope.Locale = "de"; p.Chain = []string{"de", "en"} },
		"market":      func(p *tutti.Plan) { p.Scope.Market = "fr" },
		"currency":    func(p *tutti.Plan) { p.Scope.Currency = "CHF" },
		"perspective": func(p *tutti.Plan) { p.Scope.Draft = true },
		"channel":     func(p *tutti.Plan) { p.Channel = "mobile" },
	} {
		p := base
		change(&p)
		for what, id := range idsOf(p, engine.Everything()) {
			if first[what] == id {
				t.Errorf("another %s, the same id of %s", name, what)
			}
		}
	}
	p := base
	p.Version = 4
	if other := idsOf(p, engine.Everything()); other["hero"] == first["hero"] || other["hero.offer"] != first["hero.offer"] {
		t.Error("another version: the component's id must change, the resource's stay")
	}
	private := ticketPage(h, guest(7), "R-1007")
	before := idsOf(private, engine.Everything())
	for i := range private.Slots[0].Components {
		private.Slots[0].Components[i].Key = "another process's HMAC"
	}
	if !maps.Equal(before, idsOf(private, engine.Everything())) {
		t.Error("ids of private components depend on a key of this process")
	}
	if theirs := idsOf(ticketPage(h, guest(8), "R-1007"), engine.Everything()); theirs["text"] == before["text"] {
		t.Error("two owners share an id")
	}
}

func TestFillLeavesTheReadyAnswerAlone(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	x := h.assemble(arrival(h, "web"), engine.Everything())
	before := show(x)
	var wg sync.WaitGroup
	answers := make([]*tutti.Experience, 8)
	for i := range answers {
		wg.Go(func() { answers[i] = h.Fill(x, tutti.Fills{"name": fmt.Sprint("Guest ", i)}) })
	}
	wg.Wait()
	if show(x) != before {
		t.Error("filling changed the ready answer")
	}
	ids := map[string]bool{}
	for i, a := range answers {
		if got := a.Components[0].Props["headline"]; got != fmt.Sprint("Welcome, Guest ", i) {
			t.Errorf("%v", got)
		}
		if ids[a.ID] || ids[a.Components[0].ID] || a.Components[1].Parent != a.Components[0].ID || a.Slots[0].Components[0] != a.Components[0] {
			t.Error("ids do not tell the visitors' answers apart, or the tree is torn")
		}
		ids[a.ID], ids[a.Components[0].ID] = true, true
		if a.Components[3].ID != x.Components[3].ID {
			t.Error("a component without holes got another id")
		}
		if s := show(a); strings.Contains(s, "@{") {
			t.Errorf("holes are left:\n%s", s)
		}
	}
	plain := h.assemble(ticketPage(h, tutti.Owner{}, "R"), engine.Everything())
	if h.Fill(plain, nil) != plain {
		t.Error("an answer without holes was copied")
	}
}

func TestTextOfAnOriginAsksForNoPersonalValue(t *testing.T) {
	h := newHouse(t)
	evil := tutti.HoleStart + "email" + tutti.HoleEnd
	h.put("catalog:product/p", map[string]any{"title": "Buy" + evil, "description": tutti.RichText{HTML: evil, Markdown: evil, Plain: evil + "!", SSML: evil}, "more": map[string]any{"deep": []any{evil}}})
	x := h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{
		"headline": one(h.words("${offer.title} @{name} ${offer.more.deep[0]}")), "offer": one(toRef("catalog:product/p")), "body": one(bound("offer.description")),
	}}), engine.Everything())
	got := string(h.Fill(x, tutti.Fills{"name": "Ana" + evil, "email": "ana@example.com"}).Components[0].PropsJSON())
	if strings.Contains(got, "ana@example.com") || !strings.Contains(got, "Buyemail Ana") {
		t.Error(got)
	}
}

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	h := newHouse(t)
	family, flag := "👨‍👩‍👧‍👦", "🇪🇸"
	for _, c := range []struct{ name, headline, fill, want string }{
		{"short enough", "12345678", "", "12345678"},
		{"cut", "123456789", "", "1234567…"},
		{"emoji of many parts", strings.Repeat(family, 9), "", strings.Repeat(family, 7) + "…"},
		{"flags", strings.Repeat(flag, 10), "", strings.Repeat(flag, 7) + "…"},
		{"combining marks", strings.Repeat("e\u0301", 9), "", strings.Repeat("e\u0301", 7) + "…"},
		{"no space before the ellipsis", "12345  89", "", "12345…"},
		{"a filled one", "Hi @{name}", "Maximiliane", "Hi Maxi…"},
		{"a filled one that fits", "Hi @{name}", "Ana", "Hi Ana"},
		{"a filled one with emoji", "@{name}", strings.Repeat(family, 9), strings.Repeat(family, 7) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := h.assemble(plan("web", part{id: "c", props: map[string][]tutti.Value{"short": one(h.words(c.headline)), "headline": one(h.words(c.headline))}}), engine.Everything())
			x = h.Fill(x, tutti.Fills{"name": c.fill})
			got := x.Components[0].Props["short"].(string)
			if got != c.want || text.Length(got) > 8 {
				t.Errorf("%q (%d), want %q", got, text.Length(got), c.want)
			}
			if whole := x.Components[0].Props["headline"]; whole != strings.ReplaceAll(c.headline, "@{name}", c.fill) {
				t.Errorf("a text without a limit became %q", whole)
			}
		})
	}
}

func TestATooLongTextThatMayNotBeCutIsTold(t *testing.T) {
	h := newHouse(t)
	p := plan("web", part{id: "c", props: map[string][]tutti.Value{"short": one(literal("123456789"))}})
	p.Slots[0].Components[0].Props[0].Definition.Cut = false
	x := h.assemble(p, engine.Everything())
	if x.Components[0].Props["short"] != "123456789" || len(x.Problems) != 1 || x.Problems[0].Path != "slots.main[0].props.short" || x.Problems[0].Code != tutti.TooLarge {
		t.Errorf("%v %+v", x.Components[0].Props, x.Problems)
	}
}

func TestAChannelTakesSoManyComponents(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	x := h.assemble(plan("narrow",
		part{id: "sold-out", showWhen: h.program("offer.inStock"), props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/1"))}},
		part{id: "a", props: map[string][]tutti.Value{"headline": one(literal("a"))}},
		part{id: "b", props: map[string][]tutti.Value{"headline": one(literal("b"))}},
		part{id: "c", props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/2"))}},
	), engine.Everything())
	if len(x.Components) != 2 || x.Components[0].Component != "a" || x.Components[1].Component != "b" {
		t.Errorf("%s", show(x))
	}
	h.wantCalls("catalog:product 1")
}

func TestShowWhenIsShownOnlyWhenTrue(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	for rule, shown := range map[string]bool{
		"offer.inStock": true, "!offer.inStock": false, "offer.nothing == 1": false, "offer.title": false, "hotel.title == 'Hotel Azul' && params.n > 2": true,
		"has(props.headline) && size(props.headline) == 2": true, "size(items.nodes) == 0": false, "offer.image.alt.startsWith('The')": true,
	} {
		p := plan("web", part{id: "c", showWhen: h.program(rule), props: map[string][]tutti.Value{"offer": one(toRef("catalog:product/0")), "headline": one(literal("Hi"))}, inside: []part{{id: "in"}}})
		p.Params = tutti.Params{"hotel": ref("stay:hotel/azul"), "n": int64(3)}
		x := h.assemble(p, engine.Need{})
		if got := len(x.Components) == 2; got != shown || (len(x.Hidden) == 1) == shown {
			t.Errorf("%s: shown %v, hidden %v", rule, got, x.Hidden)
		}
	}
}

func TestSpeechIsValidAndShort(t *testing.T) {
	h := newHouse(t)
	p := plan("voice",
		part{id: "a", kind: "Said", props: map[string][]tutti.Value{"headline": one(h.words("Tom & @{name}")), "body": one(h.words("It is **fine** <script>x</script> today."))}},
		part{id: "b", kind: "Marked", props: map[string][]tutti.Value{"headline": one(literal("A < B")), "body": one(literal("First one. Second one. Third one that is too long to be said by anyone."))}},
	)
	x := h.Fill(h.assemble(p, engine.Everything()), tutti.Fills{"name": "<Ana>"})
	wantGolden(t, x, "speech")
	d := xml.NewDecoder(strings.NewReader(x.Speech.SSML))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, x.Speech.SSML)
		}
	}
	if n := text.Length(x.Speech.Text); n > 120 {
		t.Errorf("%d characters", n)
	}
}

func TestListsAreAsLongAsAsked(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	items := func(first int) engine.Need {
		return engine.Need{Components: engine.ComponentNeed{Lists: map[string]engine.ListNeed{"items": {First: first}}}}
	}
	for _, c := range []struct {
		channel     string
		asked, want int
	}{{"web", 0, 4}, {"mobile", 0, 3}, {"mobile", 5, 5}, {"web", 1, 1}, {"web", 100, 5}} {
		x := h.assemble(plan(c.channel, part{id: "c", props: map[string][]tutti.Value{"items": one(selecting(tutti.Selection{Source: "catalog", Kind: "product"}))}}), items(c.asked))
		if got := len(x.Components[0].Props["items"].(*tutti.List).Nodes); got != c.want {
			t.Errorf("%s asked %d: %d items, want %d", c.channel, c.asked, got, c.want)
		}
	}
}

func TestExpiryOfActionsIsKept(t *testing.T) {
	h := newHouse(t)
	x := h.assemble(plan("web", part{id: "c", actions: []tutti.ActionPlan{{Label: literal("Go"), Intent: "GO", Href: literal("/go"), ExpiresAt: asOf}}}), engine.Need{})
	if a := x.Components[0].Actions; len(a) != 1 || !a[0].ExpiresAt.Equal(asOf) {
		t.Errorf("%v", a)
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	h := newHouse(t)
	putHotel(h)
	p := arrival(h, "web")
	want := show(h.assemble(p, engine.Everything()))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			x, err := h.Assemble(context.Background(), p, engine.Everything())
			if err != nil || show(x) != want {
				t.Errorf("%v %s", err, show(x))
			}
		})
	}
	wg.Wait()
}

func TestTemplateMistakesAreToldAllAtOnce(t *testing.T) {
	_, err := engine.New(engine.Config{Channels: houseChannels(), Secret: []byte("x"), ComponentTypes: []tutti.ComponentType{{Name: "Bad", Templates: map[string]tutti.Template{
		"voice": {Speech: tutti.Text{"": "${props.}"}, Reprompt: tutti.Text{"": "${nothing}"}}, "chat": {Image: "picture"},
	}}, {Name: "Open", Templates: map[string]tutti.Template{"voice": {Speech: tutti.Text{"": "<emphasis>${props.a} & b"}}}}}, Now: time.Now}, newHouse(t).Sources)
	for _, want := range []string{"componentTypes.Bad.templates.voice.speech", "componentTypes.Bad.templates.voice.reprompt", "componentTypes.Bad.templates.chat.image", "componentTypes.Open.templates.voice.speech"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word about %s in %v", want, err)
		}
	}
}

func BenchmarkAssembleFortyRefsWarm(b *testing.B) {
	h := newHouse(b)
	h.Keep = true
	p, n := fortyRefs(h), engine.Everything()
	h.assemble(p, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Assemble(context.Background(), p, n); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	h := newHouse(b)
	putHotel(h)
	x := h.assemble(arrival(h, "web"), engine.Everything())
	fills := tutti.Fills{"name": "Ana"}
	b.ReportAllocs()
	for b.Loop() {
		h.Fill(x, fills)
	}
}

func BenchmarkAssembleArrivalWarm(b *testing.B) {
	h := newHouse(b)
	h.Keep = true
	putHotel(h)
	p, n := arrival(h, "web"), engine.Everything()
	h.assemble(p, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Assemble(context.Background(), p, n); err != nil {
			b.Fatal(err)
		}
	}
}
