package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/engine/enginetest"
	"github.com/tuttihq/tutti/internal/expr"
)

// house is an engine over played sources, with the plans that tests make by hand.
type house struct {
	*engine.Engine
	*enginetest.Sources
	t testing.TB
}

var asOf = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func houseChannels() []tutti.Channel {
	return []tutti.Channel{
		{Name: "web", Widths: []int{480, 960, 1920}, Formats: []string{"avif", "webp", "jpeg"}},
		{Name: "mobile", Widths: []int{320, 640}, Formats: []string{"webp"}, Items: 3, DeepLinks: true},
		{Name: "email", Widths: []int{600}, Formats: []string{"jpeg"}, Links: "absolute", BaseURL: "https://stay.example/"},
		{Name: "chat", Widths: []int{640}, Message: true, Buttons: 5, Links: "absolute", BaseURL: "https://stay.example", MaxText: 80, RichText: tutti.PlainForm},
		{Name: "voice", Speech: true, MaxText: 120, RichText: tutti.SSMLForm},
		{Name: "narrow", Components: 2},
	}
}

func newHouse(t testing.TB, set ...func(*engine.Config)) *house {
	t.Helper()
	s := &enginetest.Sources{AsOf: asOf}
	image := func(more map[string]tutti.FieldType) map[string]tutti.FieldType {
		more["image"] = tutti.FieldRef
		return more
	}
	s.Add(tutti.Kind{Source: "dam", Name: "asset", Type: tutti.AssetType, Access: tutti.AccessPublic})
	s.Add(tutti.Kind{Source: "catalog", Name: "product", Type: tutti.ProductType, Access: tutti.AccessPublic, Fields: image(map[string]tutti.FieldType{})})
	s.Add(tutti.Kind{Source: "social", Name: "post", Type: tutti.SocialPostType, Access: tutti.AccessPublic})
	s.Add(tutti.Kind{Source: "support", Name: "article", Type: tutti.ArticleType, Access: tutti.AccessPublic})
	s.Add(tutti.Kind{Source: "support", Name: "ticket", Type: tutti.SupportTicketType, Access: tutti.AccessVisitor, OwnerFilter: true})
	s.Add(tutti.Kind{Source: "support", Name: "note", Type: tutti.RecordType, Access: tutti.AccessVisitor})
	s.Add(tutti.Kind{Source: "stay", Name: "hotel", Type: tutti.PlaceResourceType, Access: tutti.AccessPublic, Dimensions: []string{tutti.LocaleDimension}})
	s.Add(tutti.Kind{Source: "stay", Name: "reservation", Type: tutti.RecordType, Access: tutti.AccessVisitor, OwnerFilter: true})
	s.Add(tutti.Kind{Source: "stay", Name: "rate", Type: tutti.RecordType, Access: tutti.AccessInternal})
	cfg := engine.Config{
		Channels: houseChannels(), ComponentTypes: houseTypes(), Secret: []byte("the deployment's secret"),
		Locales: tutti.Locales{Default: "en", Names: []string{"en", "de", "de-AT"}},
	}
	for _, f := range set {
		f(&cfg)
	}
	e, err := engine.New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	return &house{Engine: e, Sources: s, t: t}
}

func houseTypes() []tutti.ComponentType {
	props := []tutti.PropDefinition{
		{Name: "headline", Type: tutti.PropText},
		{Name: "body", Type: tutti.PropRichText},
		{Name: "short", Type: tutti.PropText, MaxLength: 8, Cut: true},
		{Name: "offer", Type: tutti.PropResource},
		{Name: "image", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}},
		{Name: "items", Type: tutti.PropResources, First: 4},
		{Name: "link", Type: tutti.PropURL},
		{Name: "price", Type: tutti.PropMoney},
	}
	return []tutti.ComponentType{
		{Name: "Plain", Version: 1, Props: props},
		{Name: "Card", Version: 1, Props: props, Templates: map[string]tutti.Template{
			"voice": {Speech: tutti.Text{"": "${props.headline}. ${props.offer.title} costs ${props.offer.price.amount}.", "de": "${props.headline}. ${props.offer.title} kostet ${props.offer.price.amount}."}, Reprompt: tutti.Text{"": "Do you want ${props.headline}?"}},
			"chat":  {Text: tutti.Text{"": "${props.headline}: ${props.offer.title}"}, Image: "image", Buttons: true},
		}},
		{Name: "Marked", Version: 1, Props: props, Templates: map[string]tutti.Template{
			"voice": {Speech: tutti.Text{"": `Tea & scones < 5: ${props.headline}. ${props.body}`}},
		}},
		{Name: "Said", Version: 1, Props: props, Templates: map[string]tutti.Template{
			"voice": {Speech: tutti.Text{"": `Welcome <break time="300ms"/><emphasis>${props.headline}</emphasis> &amp; ${props.body}`}},
		}},
	}
}

func ref(s string) tutti.Ref {
	r, err := tutti.ParseRef(s)
	if err != nil {
		panic(err)
	}
	return r
}

func (h *house) put(s string, fields map[string]any) {
	h.putAs(tutti.Resource{Ref: ref(s), Fields: tutti.FieldsOf(fields)})
}

func (h *house) putAs(r tutti.Resource) {
	if r.Fields.Len() == 0 {
		r.Fields = tutti.FieldsOf(map[string]any{"title": r.Ref.ID})
	}
	if r.Ref.Source == "dam" {
		id := r.Ref.ID
		r.Assets = &tutti.Renditions{URL: func(w, h int, format string) string {
			return fmt.Sprintf("https://dam.example/%s/%dx%d.%s", id, w, h, format)
		}}
	}
	h.Put(r)
}

func (h *house) program(src string) tutti.Program {
	h.t.Helper()
	d, err := expr.NewDynamic("item", "props", "params", "hotel", "offer", "image", "items", "headline")
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := d.Compile(src)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// words makes a text value: ${…} is a program, @{…} a hole.
func (h *house) words(s string) tutti.Value {
	h.t.Helper()
	v := tutti.Value{Kind: tutti.TextValue}
	for i, chunk := range strings.Split(s, "@{") {
		if i > 0 {
			hole, rest, _ := strings.Cut(chunk, "}")
			v.Text = append(v.Text, tutti.TextPart{Hole: hole})
			chunk = rest
		}
		parts, err := expr.ParseTemplate(chunk)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, p := range parts {
			if p.Expr != "" {
				v.Text = append(v.Text, tutti.TextPart{Program: h.program(p.Expr)})
			} else {
				v.Text = append(v.Text, tutti.TextPart{Words: p.Words})
			}
		}
	}
	return v
}

func literal(v any) tutti.Value { return tutti.Value{Kind: tutti.LiteralValue, Literal: v} }

func toRef(s string) tutti.Value { return tutti.Value{Kind: tutti.RefValue, Refs: []tutti.Ref{ref(s)}} }

func toRefs(list ...string) tutti.Value {
	v := tutti.Value{Kind: tutti.RefsValue}
	for _, s := range list {
		v.Refs = append(v.Refs, ref(s))
	}
	return v
}

func selecting(s tutti.Selection) tutti.Value {
	return tutti.Value{Kind: tutti.SelectValue, Select: &s}
}

func bound(path string) tutti.Value {
	steps := strings.Split(path, ".")
	return tutti.Value{Kind: tutti.BindValue, Bind: tutti.BindPath{From: steps[0], Path: steps[1:]}}
}

// part is one component of a hand-made plan.
type part struct {
	id, kind string
	props    map[string][]tutti.Value
	required string
	actions  []tutti.ActionPlan
	each     *tutti.Value
	showWhen tutti.Program
	owner    tutti.Owner
	inside   []part
}

func plan(channel string, parts ...part) tutti.Plan {
	return tutti.Plan{
		Composition: "page", Version: 3, Channel: channel, Locale: "en", Chain: []string{"en"}, Scope: tutti.Scope{Locale: "en", Market: "es", Currency: "EUR"},
		Params: tutti.Params{}, Slots: []tutti.SlotPlan{{ID: "s1", Name: "main", Components: componentPlans("slots.main", parts)}},
	}
}

func componentPlans(path string, parts []part) []tutti.ComponentPlan {
	var list []tutti.ComponentPlan
	for i, p := range parts {
		if p.kind == "" {
			p.kind = "Plain"
		}
		cp := tutti.ComponentPlan{
			Component: p.id, Type: p.kind, Version: 1, Path: fmt.Sprintf("%s[%d]", path, i), Actions: p.actions, Each: p.each, ShowWhen: p.showWhen,
			Owner: p.owner, Private: p.owner.Visitor != "", Key: "key of " + p.id,
		}
		for _, def := range houseTypes()[0].Props {
			if values, ok := p.props[def.Name]; ok {
				def.Required = def.Name == p.required
				cp.Props = append(cp.Props, tutti.PropPlan{Definition: &def, Values: values})
			}
		}
		if p.inside != nil {
			cp.Slots = []tutti.SlotPlan{{ID: p.id + "-in", Name: "inner", Components: componentPlans(cp.Path+".slots.inner", p.inside)}}
		}
		list = append(list, cp)
	}
	return list
}

func one(v ...tutti.Value) []tutti.Value { return v }

func (h *house) assemble(p tutti.Plan, n engine.Need) *tutti.Experience {
	h.t.Helper()
	x, err := h.Assemble(context.Background(), p, n)
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

// show writes an experience as a person wants to read it: components with their props, and what
// is missing.
func show(x *tutti.Experience) string {
	var b strings.Builder
	for _, c := range x.Components {
		fmt.Fprintf(&b, "%s %s in %s, %s %v\n", c.Component, c.Type, c.Slot, c.Freshness.State, c.Assembled)
		fmt.Fprintf(&b, "  props %s\n", readable(c.PropsJSON()))
		for _, a := range c.Actions {
			fmt.Fprintf(&b, "  action %s %q href %q deepLink %q\n", a.Intent, readable([]byte(a.Label)), readable([]byte(a.Href)), a.DeepLink)
		}
	}
	for _, hidden := range x.Hidden {
		fmt.Fprintf(&b, "hidden %s at %s %v\n", hidden.Component, hidden.Path, hidden.Reasons)
	}
	for _, p := range x.Problems {
		stale := ""
		if p.Stale {
			stale = ", something stood in"
		}
		fmt.Fprintf(&b, "problem %s %s %s: %s%s\n", p.Path, p.Ref, p.Code, p.Message, stale)
	}
	for _, l := range x.Locales {
		fmt.Fprintf(&b, "locale %s asked %s got %s\n", l.Path, l.Asked, l.Got)
	}
	if x.Speech != nil {
		fmt.Fprintf(&b, "speech %s\n       %s\n       reprompt %s\n", readable([]byte(x.Speech.SSML)), readable([]byte(x.Speech.Text)), readable([]byte(x.Speech.Reprompt)))
	}
	if m := x.Message; m != nil {
		image := "none"
		if m.Image != nil {
			image = m.Image.PictureURL(0, 0, "")
		}
		fmt.Fprintf(&b, "message %q\n        image %s, buttons %v\n", readable([]byte(m.Text)), image, m.Buttons)
	}
	return b.String()
}

// readable shows holes as @{…} and leaves ids and cursors out: tests of their own look at them.
func readable(b []byte) string {
	s := strings.NewReplacer(tutti.HoleStart, "@{", tutti.HoleEnd, "}").Replace(string(b))
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	var without func(v any) any
	without = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "id")
			if _, ok := v["endCursor"]; ok {
				v["endCursor"] = "…"
			}
			for k := range v {
				v[k] = without(v[k])
			}
		case []any:
			for i := range v {
				v[i] = without(v[i])
			}
		}
		return v
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.Encode(without(v))
	return strings.TrimSpace(out.String())
}

func (h *house) wantCalls(want ...string) {
	h.t.Helper()
	got := h.Calls()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.t.Errorf("origin calls:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// wantGolden compares with testdata/assemble/<name>.txt; TUTTI_UPDATE=1 writes it anew.
func wantGolden(t testing.TB, x *tutti.Experience, name string) {
	t.Helper()
	got := show(x)
	file := filepath.Join("testdata", "assemble", name+".txt")
	if os.Getenv("TUTTI_UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant, after %s:\n%s", got, file, want)
	}
}
