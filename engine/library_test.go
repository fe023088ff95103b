package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

func (d *desk) doc(kind tutti.DocumentKind, name, body string) engine.Doc {
	return engine.Doc{Kind: kind, Name: name, Version: 1, Body: yamlJSON(d.t, body)}
}

const hotelPage = `
type: page
title: Hotel
params: [{name: hotel, type: ref, kinds: [stay:hotel], required: true}]
routes:
  - {path: "/{locale}/hotels/{hotel}", params: {hotel: "'stay:hotel/' + path.hotel"}, list: {source: stay, kind: hotel, sort: name}}
  - {path: "/{locale}/h/{hotel}"}
slots: [{name: main, components: [{id: a, type: List, props: {size: small}, variants: [{name: v, rule: audience.arriving, hide: true}]}]}]
`

func newLibrary(t testing.TB) (*desk, *engine.Library) {
	d := newDesk(t)
	l := engine.NewLibrary(d.engine)
	problems := l.Load([]engine.Doc{
		d.doc("audience", "gold", "rule: tier == 'gold'"), d.doc("audience", "nearby", "rule: distance < 1000"), d.doc("audience", "arriving", "rule: audience.nearby && member"),
		d.doc("composition", "hotel", hotelPage),
		d.doc("composition", "best", "type: page\nroutes: [{path: '/{locale}/hotels/best'}]\nslots: []"),
		d.doc("composition", "home", "type: page\nroutes: [{path: '/'}, {path: '/{locale}'}]\nslots: []"),
		d.doc("persona", "ana", "visitor: guest-7\nattributes: {tier: gold}"),
		d.doc("redirects", "redirects", "redirects: [{from: /azul/, to: /en/hotels/azul, permanent: true}]"),
	}, time.Time{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d, l
}

func TestRoutesLeadToPages(t *testing.T) {
	_, l := newLibrary(t)
	for _, c := range []struct{ path, want string }{
		{"/en/hotels/azul", "hotel stay:hotel/azul en /en/hotels/azul"},
		{"/de/hotels/azul/?x=1", "hotel stay:hotel/azul de /de/hotels/azul"},
		{"/DE-at/hotels/azul", "hotel stay:hotel/azul de-AT /de-AT/hotels/azul"},
		{"/en/hotels/best", "best <nil> en /en/hotels/best"},
		{"/en/hotels/a%2Fb%3Ac", "hotel stay:hotel/a/b:c en /en/hotels/a%2Fb:c"},
		{"/en/h/azul", "hotel stay:hotel/azul en /en/hotels/azul"},
		{"/", "home <nil>  /"},
		{"/es", "home <nil> es /"},
		{"/azul?utm=1", "→ /en/hotels/azul"},
		{"/fr/hotels/azul", "nothing"},
		{"/en/hotels", "nothing"},
		{"/en/hotels/azul/more", "nothing"},
		{"/en/hotels/%00", "nothing"},
	} {
		m, ok := l.Route(c.path, "en", time.Time{})
		got := "nothing"
		if ok && m.Redirect != nil {
			got = "→ " + m.Redirect.To
		} else if ok {
			got = fmt.Sprint(m.Compiled.ID, " ", m.Params["hotel"], " ", m.Locale, " ", m.Canonical)
		}
		if got != c.want {
			t.Errorf("%s leads to %q, want %q", c.path, got, c.want)
		}
	}
	m, _ := l.Route("/en/hotels/azul", "", time.Time{})
	if want := []engine.Alternate{{"en", "/en/hotels/azul"}, {"de", "/de/hotels/azul"}, {"es", "/es/hotels/azul"}}; !reflect.DeepEqual(m.Alternates, want) {
		t.Errorf("%v", m.Alternates)
	}
}

func TestRoutesAreListedInPages(t *testing.T) {
	d, l := newLibrary(t)
	for i := range 4 {
		d.sources.Put(tutti.Resource{Ref: tutti.Ref{Source: "stay", Kind: "hotel", ID: fmt.Sprintf("h %d", i)}, Fields: tutti.FieldsOf(map[string]any{"title": "x"})})
	}
	var paths []string
	for after, rounds := "", 0; ; rounds++ {
		got, err := l.Routes(context.Background(), "de", 3, after)
		if err != nil || len(got.Entries) > 3 || rounds > 5 {
			t.Fatal(got, err)
		}
		for _, e := range got.Entries {
			paths = append(paths, e.Path)
			if m, ok := l.Route(e.Path, "", time.Time{}); !ok || m.Compiled.ID != e.Composition || !reflect.DeepEqual(m.Params, e.Params) {
				t.Errorf("%s does not lead back", e.Path)
			}
		}
		if after = got.Next; after == "" {
			break
		}
	}
	want := []string{"/", "/de", "/de/hotels/best", "/de/hotels/azul", "/de/hotels/h%200", "/de/hotels/h%201", "/de/hotels/h%202", "/de/hotels/h%203"}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("%v, want %v", paths, want)
	}
	if _, err := l.Routes(context.Background(), "de", 3, "nonsense!"); tutti.CodeOf(err) != tutti.InvalidValue {
		t.Error(err)
	}
}

func TestABrokenDocumentIsLeftOutAndReported(t *testing.T) {
	d, l := newLibrary(t)
	problems := l.Load([]engine.Doc{
		d.doc("audience", "gold", "rule: teir == 'gold'"),
		d.doc("composition", "uses", "type: page\nslots: [{name: main, components: [{id: a, type: List, props: {size: small}, variants: [{name: v, rule: audience.gold, hide: true}]}]}]"),
		d.doc("composition", "fine", "type: page\nslots: []"),
		{Kind: "composition", Name: "garbage", Version: 3, Body: json.RawMessage(`{"slots": 5`)},
		d.doc("persona", "p", "visitor: [1]"),
		d.doc("redirects", "redirects", "redirects: [{from: /a, to: /b}, {from: /b, to: /a}]"),
	}, time.Time{})
	var left []string
	for _, p := range problems {
		left = append(left, string(p.Kind)+" "+p.Name)
	}
	if want := []string{"audience gold", "composition garbage", "composition uses", "persona p", "redirects redirects"}; !sameSet(left, want) {
		t.Errorf("%v", problems)
	}
	if _, err := l.Composition("fine", time.Time{}); err != nil {
		t.Error(err)
	}
	_, err := l.Composition("fin", time.Time{})
	if tutti.CodeOf(err) != tutti.UnknownComposition || !strings.Contains(err.Error(), "“fine”") {
		t.Error(err)
	}
}

func TestPublicationsCountFromUntil(t *testing.T) {
	d, l := newLibrary(t)
	page := func(title string, version int, from, until time.Time) engine.Doc {
		x := d.doc("composition", "sale", "type: page\ntitle: "+title+"\nslots: []")
		x.Version, x.From, x.Until = version, from, until
		return x
	}
	monday, friday, sunday := noon.AddDate(0, 0, 2), noon.AddDate(0, 0, 6), noon.AddDate(0, 0, 8)
	l.Load([]engine.Doc{page("Old", 1, noon.AddDate(0, 0, -9), friday), page("New", 2, monday, friday)}, sunday)
	for _, c := range []struct {
		at    time.Time
		title string
		until time.Time
	}{{time.Time{}, "Old", monday}, {monday, "New", friday}, {friday, "", time.Time{}}, {noon.AddDate(0, 0, -8), "Old", monday}, {noon.AddDate(0, 0, -10), "", time.Time{}}} {
		compiled, err := l.Composition("sale", c.at)
		if c.title == "" {
			if tutti.CodeOf(err) != tutti.UnknownComposition {
				t.Errorf("at %v: %v", c.at, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("at %v: %v", c.at, err)
			continue
		}
		v := anonymous()
		v.At = c.at
		plan, _ := compiled.Decide(nil, v, tutti.Facts{})
		if wordsOf(plan.Title) != c.title || !plan.Until.Equal(c.until) {
			t.Errorf("at %v: %q until %v, want %q until %v", c.at, wordsOf(plan.Title), plan.Until, c.title, c.until)
		}
	}
}

func TestEditingRules(t *testing.T) {
	d, l := newLibrary(t)
	if problems, _ := l.CheckComposition("hotel", yamlJSON(t, hotelPage)); len(problems) > 0 {
		t.Errorf("what is published passes: %v", problems)
	}
	problems, _ := l.CheckComposition("other", yamlJSON(t, "type: page\nparams: [{name: x, type: string}]\nroutes: [{path: '/{locale}/hotels/{x}'}]\nslots: []"))
	if len(problems) != 1 || problems[0].Message != "The path “/{locale}/hotels/{x}” already leads to the composition “hotel”." {
		t.Errorf("%v", problems)
	}
	if problems, _ = l.CheckComposition("other", yamlJSON(t, "id: another\ntype: page\nslots: []")); len(problems) != 1 || problems[0].Path != "id" {
		t.Errorf("%v", problems)
	}
	if p := l.CheckAudience(tutti.Audience{Name: "nearby", Rule: "audience.arriving"}); len(p) != 1 || !strings.Contains(p[0].Message, "made of itself") {
		t.Errorf("%v", p)
	}
	if p := l.CheckAudience(tutti.Audience{Name: "new", Rule: "audience.gold && member"}); len(p) != 0 {
		t.Errorf("%v", p)
	}
	if got := l.AudienceUsedBy("nearby"); !reflect.DeepEqual(got, []string{"audience.arriving", "hotel"}) {
		t.Errorf("%v", got)
	}
	if got := l.AudienceUsedBy("gold"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for _, list := range [][]tutti.Redirect{
		{{From: "/a", To: "/b"}, {From: "/b/", To: "/c"}, {From: "/c", To: "/a?x=1"}},
		{{From: "/a", To: "/a"}},
		{{From: "a", To: "/b"}},
		{{From: "/a", To: "javascript:alert(1)"}},
		{{From: "/a", To: "//evil.example"}},
		{{From: "/a", To: "/b"}, {From: "/a/", To: "/c"}},
	} {
		if p := l.CheckRedirects(list); len(p) != 1 {
			t.Errorf("%v: %v", list, p)
		}
	}
	if p := l.CheckRedirects([]tutti.Redirect{{From: "/a", To: "/b"}, {From: "/b", To: "https://x.example/a"}}); len(p) != 0 {
		t.Errorf("%v", p)
	}
	if p := l.CheckPersona(tutti.Persona{Name: "x", Attributes: map[string]any{"teir": "gold", "tier": "glod", "visits": "many", "distance": 5.0}, Locale: "fr", Market: "uk", Location: &tutti.Place{Lat: 99}}); len(p) != 7 {
		t.Errorf("%d: %v", len(p), p)
	}
	if p := l.CheckPersona(tutti.Persona{Name: "ana", Attributes: map[string]any{"tier": "gold", "visits": 3.0}, Locale: "de-AT"}); len(p) != 0 {
		t.Errorf("%v", p)
	}
	_ = d
}

func TestDrafts(t *testing.T) {
	d, l := newLibrary(t)
	doc := d.doc("composition", "hotel", strings.ReplaceAll(hotelPage, "title: Hotel", "title: Edited"))
	doc.Version = 7
	one, err := l.Draft(doc, nil, time.Time{})
	if err != nil || one.Version != 0 {
		t.Fatal(err)
	}
	if two, _ := l.Draft(doc, nil, time.Time{}); one != two {
		t.Error("the same revision is compiled twice")
	}
	edited := d.doc("audience", "arriving", "rule: member")
	with, err := l.Draft(doc, []engine.Doc{edited}, time.Time{})
	if err != nil || with == one {
		t.Fatal("an audience that is being edited does not count")
	}
	if plan, _ := with.Decide(atAzul(), anonymous(), tutti.Facts{Values: map[string]any{"member": true}}); len(plan.Slots[1].Components) != 0 {
		t.Error("the edited audience is not used")
	}
	bad := d.doc("composition", "x", "type: nope\nslots: []")
	if _, err := l.Draft(bad, nil, time.Time{}); tutti.CodeOf(err) != tutti.Invalid {
		t.Error(err)
	}
}

func TestReadersNeverWaitForALoad(t *testing.T) {
	d, l := newLibrary(t)
	docs := []engine.Doc{d.doc("composition", "hotel", hotelPage), d.doc("audience", "arriving", "rule: member")}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if c, err := l.Composition("hotel", time.Time{}); err != nil || c.ID != "hotel" {
					t.Error(err)
				}
				l.Route("/en/hotels/azul", "en", time.Time{})
				l.AudienceUsedBy("arriving")
			}
		})
	}
	for range 10 {
		l.Load(docs, time.Time{})
		l.UseEngine(d.engine)
	}
	wg.Wait()
}
