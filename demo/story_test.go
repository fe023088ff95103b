package demo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

// stage is the demo's configuration and content before its played systems, without a server.
type stage struct {
	origins      *demo.Origins
	engine       *engine.Engine
	audiences    *engine.Audiences
	compositions map[string]json.RawMessage
	personas     map[string]tutti.Persona
}

func setStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{compositions: map[string]json.RawMessage{}, personas: map[string]tutti.Persona{}}
	var err error
	if s.origins, err = demo.StartOrigins(demo.OriginsConfig{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.origins.Close)
	env := s.origins.Env()
	env["TUTTI_VISITOR_SECRET"] = "a secret of thirty-two characters"
	dir := t.TempDir()
	if err := os.CopyFS(dir, demo.Files()); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, "tutti.yaml"), func(n string) (string, bool) { v, ok := env[n]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	src, err := sources.Open(cfg.Sources, sources.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	visitors := map[string]string{}
	for _, c := range cfg.Sources {
		if c.Visitor != "" {
			visitors[c.Name] = c.Visitor
		}
	}
	s.engine, err = engine.New(engine.Config{
		Attributes: cfg.Attributes, Enrichers: cfg.Enrichers, Channels: cfg.Channels, Locales: cfg.Locales, Markets: cfg.Markets,
		ComponentTypes: cfg.ComponentTypes, CompositionTypes: cfg.CompositionTypes, SourceVisitors: visitors, Secret: []byte("secret"),
	}, src)
	if err != nil {
		t.Fatal(err)
	}
	s.read(t, dir)
	return s
}

func (s *stage) read(t *testing.T, dir string) {
	t.Helper()
	docs, err := config.ReadDocuments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var audiences []tutti.Audience
	for _, d := range docs {
		var err error
		switch d.Kind {
		case tutti.AudienceDocument:
			var a tutti.Audience
			err = json.Unmarshal(d.Body, &a)
			audiences = append(audiences, a)
		case tutti.PersonaDocument:
			var p tutti.Persona
			err = json.Unmarshal(d.Body, &p)
			s.personas[d.Name] = p
		case tutti.CompositionDocument:
			s.compositions[d.Name] = d.Body
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var problems []engine.Problem
	if s.audiences, problems = s.engine.CompileAudiences(audiences); len(problems) > 0 {
		t.Fatal(problems)
	}
}

// play assembles a composition for a persona.
func (s *stage) play(t *testing.T, composition, persona, channel string, params map[string]any) *tutti.Experience {
	t.Helper()
	body, ok := s.compositions[composition]
	if !ok {
		t.Fatalf("there is no composition %s", composition)
	}
	c, problems, warnings := s.engine.Compile(composition, body, 1, s.audiences)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, w := range warnings {
		t.Errorf("%s: %v", composition, w)
	}
	checked, err := c.CheckParams(params)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := s.personas[persona]
	if !ok {
		t.Fatalf("there is no persona %s", persona)
	}
	v := tutti.Context{Visitor: p.Visitor, Location: p.Location, Locale: p.Locale, Channel: channel, Attributes: p.Attributes, Consent: p.Consent, At: time.Now()}
	for attempt := 1; ; attempt++ {
		x, told := s.assemble(t, c, checked, v)
		slow := slices.ContainsFunc(told, func(p tutti.Problem) bool { return p.Code == tutti.Timeout })
		if slow && attempt < 20 {
			continue // a busy machine: what came too late is in the cache the next time
		}
		for _, p := range told {
			t.Errorf("%s for %s on %s: %+v", composition, persona, channel, p)
		}
		return x
	}
}

// assemble gives the answer and all problems on the way to it.
func (s *stage) assemble(t *testing.T, c *engine.Compiled, params tutti.Params, v tutti.Context) (*tutti.Experience, []tutti.Problem) {
	t.Helper()
	facts, told := s.engine.Learn(t.Context(), c, params, v)
	plan, _ := c.Decide(params, v, facts)
	x, err := s.engine.Assemble(t.Context(), plan, engine.Everything())
	if err != nil {
		t.Fatal(err)
	}
	x = s.engine.Fill(x, c.FillsOf(&plan, facts))
	return x, append(told, x.Problems...)
}

var azul = map[string]any{"hotel": "stay:hotel/azul"}

func TestEveryCompositionIsAssembledForEveryPersonaOnEveryChannel(t *testing.T) {
	s := setStage(t)
	params := map[string]map[string]any{
		"home": nil, "hotel": azul, "hotel-arrival": azul, "offer": {"product": "catalog:product/1"}, "help": {"article": "support:article/360001000"},
	}
	for composition := range s.compositions {
		if _, ok := params[composition]; !ok {
			t.Errorf("composition %s is not tried here", composition)
		}
		for persona := range s.personas {
			for _, channel := range []string{"web", "mobile", "email", "chat", "voice"} {
				x := s.play(t, composition, persona, channel, params[composition])
				if x.Title == "" || len(x.Components) == 0 {
					t.Errorf("%s for %s on %s is empty", composition, persona, channel)
				}
			}
		}
	}
}

func component(x *tutti.Experience, id string) *tutti.Component {
	for _, c := range x.Components {
		if c.Component == id {
			return c
		}
	}
	return nil
}

func titles(t *testing.T, x *tutti.Experience, id string) []string {
	t.Helper()
	c := component(x, id)
	if c == nil {
		t.Fatalf("there is no component %s", id)
	}
	list, ok := c.Props["items"].(*tutti.List)
	if !ok {
		t.Fatalf("%s has no items but %T", id, c.Props["items"])
	}
	var out []string
	for _, n := range list.Nodes {
		title, _ := n.Resource.Fields.Get("title").(string)
		out = append(out, title)
	}
	return out
}

func TestAGuestArrives(t *testing.T) {
	s := setStage(t)
	x := s.play(t, "hotel-arrival", "ana-arriving", "mobile", azul)
	hero := component(x, "welcome")
	if hero.Props["headline"] != "Welcome, Ana" {
		t.Errorf("headline %q", hero.Props["headline"])
	}
	if image, ok := hero.Props["image"].(*tutti.Delivered); !ok || image.Resource.Fields.Get("alt") != "Hotel Azul, Bilbao at the water, hills behind" {
		t.Errorf("image %+v", hero.Props["image"])
	}
	checkIn := component(x, "check-in")
	if checkIn == nil || len(checkIn.Actions) != 2 {
		t.Fatalf("check-in %+v", checkIn)
	}
	a := checkIn.Actions[0]
	if a.Intent != "CHECK_IN" || a.Href != "/stays/R-1007/check-in" || a.DeepLink != "stayapp://check-in/R-1007" || !a.ExpiresAt.After(time.Now()) {
		t.Errorf("action %+v", a)
	}
	for id, n := range map[string]int{"offers": 2, "nearby": 3, "request": 1} {
		if got := titles(t, x, id); len(got) != n {
			t.Errorf("%s has %v, not %d", id, got, n)
		}
	}
	if got := titles(t, x, "request"); got[0] != "Late arrival" {
		t.Errorf("request %v", got)
	}
	if component(x, "help") != nil {
		t.Error("a guest with a stay sees the article")
	}
}

func TestNobodyInParticularGetsAnotherPage(t *testing.T) {
	s := setStage(t)
	x := s.play(t, "hotel-arrival", "niemand", "web", azul)
	if got := component(x, "welcome").Props["headline"]; got != "Willkommen im Hotel Azul" {
		t.Errorf("headline %q", got)
	}
	for _, id := range []string{"check-in", "request"} {
		if component(x, id) != nil {
			t.Errorf("a stranger sees %s", id)
		}
	}
	if got := titles(t, x, "offers"); len(got) != 2 || got[0] != "Frühstück in Bilbao, Hotel Azul" {
		t.Errorf("offers %v", got)
	}
	if got := titles(t, x, "help"); len(got) != 1 || got[0] != "Online einchecken" {
		t.Errorf("help %v", got)
	}
	list := component(x, "nearby").Props["items"].(*tutti.List)
	for _, n := range list.Nodes {
		if n.Resource.Locale != "de" {
			t.Errorf("a post in %s: %v", n.Resource.Locale, n.Resource.Fields.Get("text"))
		}
	}
}

func TestWithoutConsentNothingPersonalIsUsed(t *testing.T) {
	s := setStage(t)
	x := s.play(t, "hotel-arrival", "without-consent", "mobile", azul)
	if got := component(x, "welcome").Props["headline"]; got != "Welcome to Hotel Azul" {
		t.Errorf("headline %q", got)
	}
	if component(x, "check-in") != nil || component(x, "request") != nil {
		t.Error("a guest without consent is recognised")
	}
}

func TestSpeakerAndChat(t *testing.T) {
	s := setStage(t)
	voice := s.play(t, "hotel-arrival", "ana-arriving", "voice", azul)
	if voice.Speech == nil || voice.Speech.Text == "" || voice.Speech.Reprompt != "Shall I check you in?" {
		t.Errorf("speech %+v", voice.Speech)
	}
	chat := s.play(t, "hotel-arrival", "ana-arriving", "chat", azul)
	if m := chat.Message; m == nil || m.Text == "" || m.Image == nil || len(m.Buttons) == 0 || len(m.Buttons) > 3 {
		t.Errorf("message %+v", m)
	}
}
