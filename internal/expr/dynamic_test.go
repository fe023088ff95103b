package expr_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

func hotel() map[string]any {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	return map[string]any{
		"item": map[string]any{
			"name": "Hotel Azul", "rating": 4.5, "big": json.Number("9007199254740993"), "price": tutti.Money{Amount: "149.90", Currency: "EUR"},
			"image": tutti.Ref{Source: "dam", Kind: "asset", ID: "x"}, "location": tutti.Place{Lat: 43.263, Lon: -2.935}, "at": at,
			"tags": []string{"Sea", "Spa"}, "rooms": []any{map[string]any{"no": json.Number("412"), "free": true}, map[string]any{"no": json.Number("413"), "free": false}},
			"text": tutti.RichText{HTML: "<p>Hi</p>", Plain: "Hi"}, "a": map[string]any{"b": map[string]any{"c": []any{"z"}}}, "none": nil,
		},
		"n": int64(3),
	}
}

func TestDynamicValues(t *testing.T) {
	d, err := expr.NewDynamic("item", "n")
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]any{
		`item.name`:                             "Hotel Azul",
		`item.big`:                              int64(9007199254740993),
		`item.big + 1`:                          int64(9007199254740994),
		`item.price`:                            tutti.Money{Amount: "149.90", Currency: "EUR"},
		`item.price.amount`:                     "149.90",
		`true ? item.price : 0`:                 tutti.Money{Amount: "149.90", Currency: "EUR"},
		`item.image`:                            "dam:asset/x",
		`'x' + item.image`:                      "xdam:asset/x",
		`item.location.lat`:                     43.263,
		`item.at`:                               hotel()["item"].(map[string]any)["at"],
		`item.at.getFullYear()`:                 int64(2026),
		`item.tags`:                             []any{"Sea", "Spa"},
		`item.tags.map(t, t.lower()).join('-')`: "sea-spa",
		`join(item.tags, ', ')`:                 "Sea, Spa",
		`item.rooms.filter(r, r.free).map(r, r.no)`: []any{int64(412)},
		`item.rooms[1].no`:                          int64(413),
		`item.text.plain`:                           "Hi",
		`path(item, "a.b.c.0")`:                     "z",
		`path(item, "a.x.c.0")`:                     nil,
		`item.?a.?b.orValue("")`:                    map[string]any{"c": []any{"z"}},
		`item.?a.?x.orValue("none")`:                "none",
		`has(item.nope) ? 1 : 2`:                    int64(2),
		`n > 2 && item.rating >= 4`:                 true,
		`money(14990, "EUR")`:                       tutti.Money{Amount: "149.90", Currency: "EUR"},
		`plain("<p>a&amp;b</p><p>c</p>")`:           "a&b\n\nc",
		`upper("é") + lower("É") + trim(" x ")`:     "Éé" + "x",
		`replace("aba", "a", "c")`:                  "cbc",
		`split("a,b", ",")`:                         []any{"a", "b"},
		`{"x": [1, 2.5, null]}`:                     map[string]any{"x": []any{int64(1), 2.5, nil}},
		`item.none`:                                 nil,
		`int(geo.distance(item.location, {"lat": 43.263, "lon": -2.935}))`: int64(0),
		`cel.bind(x, item.price, x.currency)`:                              "EUR",
		`"%.1f km".format([1.25])`:                                         "1.2 km",
	} {
		p, err := d.Compile(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := p.Eval(hotel())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, %v; want %#v", src, got, err, want)
		}
	}
}

func TestAbsentIsNotFound(t *testing.T) {
	d, _ := expr.NewDynamic("item", "n", "gone")
	for _, src := range []string{`item.nope`, `item.nope + "x"`, `gone`, `gone.x`, `gone + 1`, `item.tags[7]`, `item.tags[7] + "x"`, `item.rooms[9].no`, `item.?nope`, `item.?nope.value()`, `item["x y"]`} {
		p, err := d.Compile(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if v, err := p.Eval(hotel()); !errors.Is(err, tutti.NotFound) {
			t.Errorf("%s = %v, %v; want NotFound", src, v, err)
		}
	}
	p, _ := d.Compile(`item.name - 1`)
	if _, err := p.Eval(hotel()); !errors.Is(err, tutti.Invalid) {
		t.Errorf("a mistake of types is %v, want Invalid", err)
	}
}

func TestPathsSayWhatIsRead(t *testing.T) {
	d, _ := expr.NewDynamic("hotel", "item", "props")
	for src, want := range map[string][][]string{
		`hotel.image.alt`:                                {{"hotel", "image", "alt"}},
		`hotel.images.map(i, i.alt)`:                     {{"hotel", "images"}, {"hotel", "images", "alt"}},
		`item.?place.?name.orValue(props.name)`:          {{"item", "place", "name"}, {"props", "name"}},
		`path(item, "place.image.0.alt")`:                {{"item", "place", "image", "alt"}},
		`has(item.image) && hotel["image"].width > 100`:  {{"hotel", "image", "width"}, {"item", "image"}},
		`cel.bind(x, hotel.image, x.alt)`:                {{"hotel", "image"}, {"hotel", "image", "alt"}},
		`hotel.images[0].alt + upper(item.name)`:         {{"hotel", "images", "alt"}, {"item", "name"}},
		`(item.a.b ? hotel.image : item.image).alt`:      {{"hotel", "image", "alt"}, {"item", "a", "b"}, {"item", "image", "alt"}},
		`hotel.images.filter(i, i.alt != "").size() > 0`: {{"hotel", "images"}, {"hotel", "images", "alt"}},
		`1 + 1`: nil,
	} {
		p, err := d.Compile(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := p.Paths(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads %v, want %v", src, got, want)
		}
	}
	p, _ := d.Compile(`item.a + item.b + hotel.c`)
	if got := p.Vars(); !reflect.DeepEqual(got, []string{"hotel", "item"}) {
		t.Errorf("vars = %v", got)
	}
}

func TestTemplates(t *testing.T) {
	for s, want := range map[string][]expr.TemplatePart{
		"":                         nil,
		"plain":                    {{Words: "plain"}},
		"Hello ${name}!":           {{Words: "Hello "}, {Expr: "name", Line: 1, Column: 9}, {Words: "!"}},
		"${a}${b}":                 {{Expr: "a", Line: 1, Column: 3}, {Expr: "b", Line: 1, Column: 7}},
		"a\n${ x + '}' }":          {{Words: "a\n"}, {Expr: "x + '}'", Line: 2, Column: 4}},
		`${{"a": {"b": "}\"}"}}}.`: {{Expr: `{"a": {"b": "}\"}"}}`, Line: 1, Column: 3}, {Words: "."}},
		"costs $${x} or $5 $":      {{Words: "costs ${x} or $5 $"}},
		"é${x}":                    {{Words: "é"}, {Expr: "x", Line: 1, Column: 4}},
	} {
		got, err := expr.ParseTemplate(s)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q = %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"a ${x", "${}", "${ }", "${'}"} {
		var e *tutti.Error
		if _, err := expr.ParseTemplate(s); !errors.As(err, &e) || e.Line != 1 || e.Column == 0 || e.Hint == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
}
