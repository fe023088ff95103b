package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"pgregory.net/rapid"
)

var agreeAttributes = []tutti.Attribute{
	{Name: "s", Type: tutti.StringType},
	{Name: "a.s", Type: tutti.StringType},
	{Name: "n", Type: tutti.IntType},
	{Name: "f", Type: tutti.DoubleType},
	{Name: "b", Type: tutti.BoolType},
	{Name: "c", Type: tutti.BoolType},
	{Name: "l", Type: tutti.ListType},
	{Name: "p", Type: tutti.PlaceType},
}

func condition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth > 0 && rapid.Bool().Draw(t, "deeper") {
			x, y := condition(depth-1).Draw(t, "x"), condition(depth-1).Draw(t, "y")
			return rapid.SampledFrom([]string{"(" + x + " && " + y + ")", "(" + x + " || " + y + ")", "!(" + x + ")"}).Draw(t, "join")
		}
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
		return rapid.SampledFrom([]string{
			"b", "!c", "b == true", "c != false", "s " + op + " 'x'", "'y' " + op + " a.s", "n " + op + " 2", "3 " + op + " n", "f " + op + " 2.5",
			"f > 2", "n < 2.5", "2.5 >= n", "s in ['x', 'y']", "a.s in []", "'x' in l", "'z' in l", "s == a.s", "a.s != s", "f == 2.5 && b == c", "n != n",
			"geo.distance(p, {'lat': 43.26, 'lon': -2.93}) " + op + " 500.0", "0.0 " + op + " geo.distance({'lat': 43, 'lon': -2}, p)", "geo.distance(p, p) < 1",
		}).Draw(t, "leaf")
	})
}

func TestSimpleRulesAgreeWithCEL(t *testing.T) {
	r, err := NewRules(agreeAttributes, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		src := condition(3).Draw(t, "rule")
		p, err := r.Compile(src, tutti.BoolType)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if p.simple == nil && !strings.Contains(src, "[]") {
			t.Fatalf("%s does not run in the fast evaluator", src)
		}
		known := knownMap{}
		for name, values := range map[string][]any{
			"s": {"x", "y", "q"}, "a.s": {"x", "y", ""}, "n": {int64(1), int64(2), int64(3)}, "f": {1.0, 2.5, 3.0}, "b": {true, false}, "c": {true, false},
			"l": {[]string{"x"}, []string{}, []string{"z", "x"}}, "p": {tutti.Place{Lat: 43.26, Lon: -2.93}, tutti.Place{Lat: 43.263, Lon: -2.93}, tutti.Place{Lat: 43, Lon: -2}},
		} {
			if i := rapid.IntRange(-1, len(values)-1).Draw(t, name); i >= 0 {
				known[name] = values[i]
			}
		}
		_, fast, ferr := p.EvalKnown(known)
		_, slow, serr := p.evalCEL(known)
		if fast != slow || ferr != nil || serr != nil {
			t.Fatalf("%s with %v: fast %s %v, CEL %s %v", src, known, fast, ferr, slow, serr)
		}
	})
}

func TestSpelledTextsAgreeWithCEL(t *testing.T) {
	r, err := NewRules(agreeAttributes, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"s", "a.s", "string(n)", "string(s)", "'x:y/'", "''", "('-' + string(n))"}), 2, 6).Draw(t, "parts")
		src := strings.Join(parts, " + ")
		p, err := r.Compile(src, tutti.StringType)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if p.spelled == nil {
			t.Fatalf("%s does not run in the fast evaluator", src)
		}
		known := knownMap{}
		for name, values := range map[string][]any{"s": {"x", "", "ü"}, "a.s": {"y", "z"}, "n": {int64(-1), int64(0), int64(1 << 62), 2}} {
			if i := rapid.IntRange(-1, len(values)-1).Draw(t, name); i >= 0 {
				known[name] = values[i]
			}
		}
		text, fast, ferr := p.EvalKnown(known)
		want, slow, serr := p.evalCEL(known)
		if text != want || fast != slow || ferr != nil || serr != nil {
			t.Fatalf("%s with %v: fast %v %s %v, CEL %v %s %v", src, known, text, fast, ferr, want, slow, serr)
		}
	})
	for _, src := range []string{"s + string(f)", "string(b) + s", "s.lowerAscii() + s", "b ? s : a.s"} {
		if p, err := r.Compile(src, ""); err != nil || p.spelled != nil {
			t.Errorf("%s: %v, spelled %v", src, err, p)
		}
	}
}

func TestMeasuredDistancesAgreeWithCEL(t *testing.T) {
	r, err := NewRules([]tutti.Attribute{{Name: "p", Type: tutti.PlaceType}, {Name: "a.p", Type: tutti.PlaceType}}, nil, []tutti.Param{{Name: "lat", Type: "float"}, {Name: "lon", Type: "int"}})
	if err != nil {
		t.Fatal(err)
	}
	places := []any{tutti.Place{Lat: 43.26, Lon: -2.93}, tutti.Place{Lat: -90, Lon: 180}, tutti.Place{}, map[string]float64{"lat": 1, "lon": 2}}
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.SampledFrom([]string{"p", "a.p", "{'lat': 43.26, 'lon': -2.93}", "{'lon': 0, 'lat': -90.0}", "{'lat': params.lat, 'lon': params.lon}", "{'lon': -2.93, 'lat': params.lat}"})
		src := "geo.distance(" + place.Draw(t, "from") + ", " + place.Draw(t, "to") + ")"
		p, err := r.Compile(src, tutti.DoubleType)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if p.measured == nil {
			t.Fatalf("%s does not run in the fast evaluator", src)
		}
		known := knownMap{}
		for _, name := range []string{"p", "a.p"} {
			if i := rapid.IntRange(-1, len(places)-1).Draw(t, name); i >= 0 {
				known[name] = places[i]
			}
		}
		for name, values := range map[string][]any{"params.lat": {43.26, -90.0, 91.0}, "params.lon": {int64(-2), int64(181)}} {
			if i := rapid.IntRange(-1, len(values)-1).Draw(t, name); i >= 0 {
				known[name] = values[i]
			}
		}
		metres, fast, ferr := p.EvalKnown(known)
		want, slow, serr := p.evalCEL(known)
		if metres != want || fast != slow || (ferr == nil) != (serr == nil) {
			t.Fatalf("%s with %v: fast %v %s %v, CEL %v %s %v", src, known, metres, fast, ferr, want, slow, serr)
		}
	})
	for _, src := range []string{"geo.distance(p, a.p) + 1.0", "geo.distance(p, {'lat': 100.0, 'lon': 0.0})", "geo.distance(p, {'lat': p.lat, 'lon': 0.0})"} {
		if p, err := r.Compile(src, ""); err != nil || p.measured != nil {
			t.Errorf("%s: %v, measured %v", src, err, p)
		}
	}
}

// What strangers write must never panic, and what compiles must say what it reads.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"s == 'x'", "l.exists(i, i == s)", "a.s", "n / 0 > f", "has(a.s)", "{'a': [1]}", "s.matches('a+')", "s = 'x'", "'${'", "[1,2].map(i, i*n)", "b ? s : a.s", "path({'a': l}, 'a.0')", "”", "optional.of(s)", "geo.distance({'lat':1,'lon':2},{'lat':1})"} {
		f.Add(s)
	}
	r, err := NewRules(agreeAttributes, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	d, err := NewDynamic("s", "a", "n", "f", "b", "c", "l")
	if err != nil {
		f.Fatal(err)
	}
	known := map[string]any{"s": "x", "n": int64(1), "f": 1.5, "b": true, "l": []string{"x"}}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := r.Compile(src, "")
		if err != nil {
			teaches(t, err)
		} else {
			p.Eval(known)
			if len(p.Reads()) > len(agreeAttributes) {
				t.Fatalf("%q reads %v", src, p.Reads())
			}
		}
		if q, err := d.Compile(src); err != nil {
			teaches(t, err)
		} else {
			q.Eval(map[string]any{"s": "x", "n": int64(1), "f": 1.5, "b": true, "l": []string{"x"}, "a": map[string]any{"s": "y"}})
		}
		if parts, err := ParseTemplate(src); err != nil {
			teaches(t, err)
		} else if !strings.Contains(src, "${") && len(src) > 0 && (len(parts) != 1 || parts[0].Words != src) {
			t.Fatalf("%q became %v", src, parts)
		}
	})
}

func teaches(t *testing.T, err error) {
	e, ok := err.(*tutti.Error)
	if !ok || e.Code != tutti.Invalid || e.Line < 1 || e.Column < 1 || e.Message == "" {
		t.Fatalf("%#v does not say where", err)
	}
}

func BenchmarkRule(b *testing.B) {
	r, err := NewRules(agreeAttributes, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	known := knownMap{"s": "x", "a.s": "y", "n": int64(3), "f": 1.5, "b": true}
	for _, src := range []string{"s == 'x' && n > 2 && f < 2.0 && a.s != 'x' && b", "s.startsWith('x') && n > 2 && f < 2.0 && a.s != 'x' && b", "s.startsWith('x') && c"} {
		p, err := r.Compile(src, tutti.BoolType)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%.20s", src), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.EvalKnown(known)
			}
		})
		b.Run(fmt.Sprintf("%.20s by CEL", src), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.evalCEL(known)
			}
		})
	}
}

func BenchmarkDynamic(b *testing.B) {
	d, err := NewDynamic("item")
	if err != nil {
		b.Fatal(err)
	}
	vars := map[string]any{"item": map[string]any{"image": map[string]any{"alt": "x"}, "name": "Azul"}}
	for _, src := range []string{"item.image.alt", "item.name + ', ' + item.image.alt", "{'a': item.name, 'b': item.?image.?alt.orValue('')}"} {
		p, err := d.Compile(src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%.20s", src), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(vars); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	r, err := NewRules(agreeAttributes, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Compile("s == 'x' && n > 2 && f < 2.0 && a.s != 'x' && b", tutti.BoolType); err != nil {
			b.Fatal(err)
		}
	}
}
