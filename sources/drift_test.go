package sources

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// shifting is a played system that renames its members while it is used.
type shifting struct {
	*testHouse
	t      *testing.T
	now    atomic.Int64
	record atomic.Pointer[string]
	id     int
}

const shiftingManifest = `
name: acme
kinds:
  item:
    type: Product
    id: {pattern: "[0-9]+"}
    batch: {path: /items, query: {ids: {value: "${ids}", encode: csv}}, records: items, maxIds: 8}
    map:
      title: record.name
      price: money(record.price.cents, 'EUR')
      sku: record.variants[0].sku
      tags: record.variants.map(v, v.sku)
      size: {value: record.size, as: float}
      note: "path(record, settings.note)"
settings:
  note: {description: The field with a note., default: more.note}
`

const asItWas = `{"id":"%s","name":"Zname","price":{"cents":1490},"variants":[{"sku":"Zsku"}],"size":null,"more":{"note":"Znote"},"stock":{"a1b2c3":4,"Ana Zwho":1,"berta":2},"prices":{"berta":1}}`

func shift(t *testing.T, set ...func(*config.Source, *Deps)) *shifting {
	s := &shifting{t: t}
	s.now.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Unix())
	s.is(asItWas)
	clock := func(_ *config.Source, d *Deps) { d.Now = func() time.Time { return time.Unix(s.now.Load(), 0) } }
	s.testHouse = play(t, shiftingManifest, public, func(w http.ResponseWriter, r *http.Request) {
		var rows []string
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			rows = append(rows, fmt.Sprintf(*s.record.Load(), id))
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(rows, ","))
	}, append(set, clock)...)
	return s
}

func (s *shifting) is(record string) { s.record.Store(&record) }

// read reads so many answers of two records each, and gives what drifts then.
func (s *shifting) read(answers int) string {
	for range answers {
		s.now.Add(2)
		s.id += 2
		s.Get(s.t.Context(), refs(fmt.Sprint(s.id), fmt.Sprint(s.id+1)), tutti.Scope{})
	}
	return told(s.Drifts())
}

func told(all []tutti.Drift) string {
	var lines []string
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%s:%s %s: %s → %s, %s, since %s", d.Source, d.Kind, d.Pointer, d.Was, d.Is, strings.Join(d.Fields, "+"), d.Since.Format("15:04:05")))
	}
	return strings.Join(lines, "\n")
}

func TestARenamedFieldIsAWarning(t *testing.T) {
	s := shift(t)
	if got := s.read(20); got != "" {
		t.Fatalf("what never changed drifts: %s", got)
	}
	s.is(strings.Replace(asItWas, `"name"`, `"title"`, 1))
	want := "shop:item /name: text → absent, title, since 09:00:42"
	if got := s.read(1); got != want {
		t.Errorf("after a rename it is\n%s\nwant\n%s", got, want)
	}
	if got := s.read(3); got != want {
		t.Errorf("later it is\n%s\nwant\n%s", got, want)
	}
	log := s.said()
	if !strings.Contains(log, `msg="an origin changed the shape of its records" source=shop kind=item pointer=/name was=text is=absent fields=[title]`) || strings.Count(log, "an origin changed") != 1 {
		t.Errorf("the log says\n%s", log)
	}
	if n := s.metric("tutti_source_drifts"); n != 1 {
		t.Errorf("the metric says %v", n)
	}
	s.is(asItWas)
	if got := s.read(1); got != "" || !strings.Contains(s.said(), "an origin's records have their shape again") {
		t.Errorf("right again, it is\n%s", got)
	}
}

func TestEveryBreakOfABindingIsNoticed(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"another type":          {`"cents":1490`, `"cents":"14.90"`, "shop:item /price/cents: number → text, price"},
		"null":                  {`"cents":1490`, `"cents":null`, "shop:item /price/cents: number → null, price"},
		"the parent is another": {`{"cents":1490}`, `1490`, "shop:item /price/cents: number → absent, price"},
		"in a list":             {`{"sku":"Zsku"}`, `{"code":"Zsku"}`, "shop:item /variants/0/sku: text → absent, sku+tags"},
		"the list is an object": {`[{"sku":"Zsku"}]`, `{"first":1}`, "shop:item /variants/0/sku: text → absent, sku+tags"},
		"what holds the id":     {`"id":`, `"uid":`, "shop:item /id: text → absent, recordId"},
		"what a setting names":  {`"note"`, `"notes"`, "shop:item /more/note: text → absent, note"},
		"what no field reads":   {`"stock"`, `"stocks"`, ""},
		"what never was":        {`"size":null`, `"size":4`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := shift(t)
			s.read(20)
			s.is(strings.Replace(asItWas, c.from, c.to, 1))
			got, _, _ := strings.Cut(s.read(1), ", since")
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("it is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestWhatIsOftenAbsentDoesNotDriftSoon(t *testing.T) {
	s := shift(t)
	for range 10 {
		s.is(asItWas)
		s.read(1)
		s.is(strings.Replace(asItWas, `"name":"Zname",`, "", 1))
		if got := s.read(1); got != "" {
			t.Fatalf("a field that half of the records have drifts: %s", got)
		}
	}
	if got := s.read(4); !strings.HasPrefix(got, "shop:item /name: text → absent") {
		t.Errorf("when none has it any more it is %q", got)
	}
}

func TestAShapeSurvivesARestart(t *testing.T) {
	s := shift(t)
	s.read(20)
	stored := s.UnsavedShapes()
	if len(stored) != 1 || len(s.UnsavedShapes()) != 0 {
		t.Fatalf("%d shapes are to be stored", len(stored))
	}
	if body := string(stored[0].Body); strings.Contains(body, "Z") || strings.Contains(body, "a1b2c3") || strings.Contains(body, "berta") || !strings.Contains(body, `"/variants/*/sku":{"types":["text"]`) || len(body) > 2000 {
		t.Errorf("a shape tells too much: %s", body)
	}
	again := shift(t, func(_ *config.Source, d *Deps) { d.Shapes = stored })
	again.is(strings.Replace(asItWas, `"name"`, `"title"`, 1))
	if got := again.read(1); !strings.HasPrefix(got, "shop:item /name") {
		t.Errorf("after a restart it is %q", got)
	}
	third := shift(t, func(_ *config.Source, d *Deps) { d.Shapes = again.UnsavedShapes() })
	if a, b := told(third.Drifts()), told(again.Drifts()); a != b {
		t.Errorf("a warning does not survive a restart: %q, was %q", a, b)
	}
	broken := shift(t, func(_ *config.Source, d *Deps) {
		d.Shapes = []tutti.Shape{{Source: "shop", Kind: "item", Body: []byte("{")}}
	})
	if got := broken.read(5); got != "" {
		t.Errorf("a shape that cannot be read gives %q", got)
	}
}

func TestADriftCanBeAccepted(t *testing.T) {
	s := shift(t)
	s.read(20)
	other := shift(t, func(_ *config.Source, d *Deps) { d.Shapes = s.UnsavedShapes() })
	s.is(strings.Replace(strings.Replace(asItWas, `"name"`, `"title"`, 1), `"cents":1490`, `"cents":"14.90"`, 1))
	other.is(*s.record.Load())
	s.read(1)
	other.read(1)
	if n, err := s.AcceptDrifts("shop", "item"); n != 2 || err != nil {
		t.Fatalf("%d are accepted, %v", n, err)
	}
	if got := s.read(3); got != "" {
		t.Errorf("what is accepted drifts: %s", got)
	}
	other.HeardShapes(s.UnsavedShapes())
	if got := other.read(2); got != "" {
		t.Errorf("another process still says %s", got)
	}
	s.is(asItWas)
	if got := s.read(3); got != "" {
		t.Errorf("the old shape, which is known, drifts: %s", got)
	}
	if _, err := s.AcceptDrifts("shop", "thing"); tutti.CodeOf(err) != tutti.UnknownSource {
		t.Errorf("a kind that is not there: %v", err)
	}
}

func TestCheckingNeedsOneRecordAndLearnsNothing(t *testing.T) {
	s := shift(t)
	s.read(4)
	stored := s.UnsavedShapes()
	check := shift(t, func(_ *config.Source, d *Deps) { d.Shapes, d.Checking = stored, true })
	check.is(strings.Replace(asItWas, `"name"`, `"title"`, 1))
	check.Get(t.Context(), refs("1"), tutti.Scope{})
	if got := told(check.Drifts()); !strings.HasPrefix(got, "shop:item /name: text → absent") {
		t.Errorf("it is %q", got)
	}
}

// TestOnlyWhatMappingsReadIsLearned: names of other members may be data, and are kept neither here nor of what was stored.
func TestOnlyWhatMappingsReadIsLearned(t *testing.T) {
	b := bound{}
	b.add([]string{"a", "names/all"})
	b.add([]string{"list", "x"})
	seen := seenShape{}
	seen.look(`{"a":{"names/all":[{"berta":1}],"berta":2},"berta":3,"list":[{"x":1,"berta":1},{"x":"1"}]}`, b)
	want := seenShape{"": objectType, "/a": objectType, "/a/names~1all": listType, "/a/names~1all/*": objectType, "/list": listType, "/list/*": objectType, "/list/*/x": numberType | textType}
	if !maps.Equal(seen, want) {
		t.Errorf("it is %v, want %v", seen, want)
	}
	w := &watch{bound: b}
	w.restore([]byte(`{"sampled":9,"paths":{"":{"seen":9},"/berta":{"seen":9},"/a/names~1all":{"seen":9},"/a/berta":{"seen":9},"/list/*/x":{"seen":9},"/list/*/berta":{"seen":9},"/a":null}}`))
	if got := slices.Sorted(maps.Keys(w.shape.Paths)); !slices.Equal(got, []string{"", "/a/names~1all", "/list/*/x"}) {
		t.Errorf("of what was stored is left %q", got)
	}
}

func BenchmarkShape(b *testing.B) {
	record := string(benchProduct(nil, "12345"))
	s, _ := openProducts(b)
	c := s.byName["shop"].conn.(*manifestConnector)
	w := c.watches[c.kinds["product"]]
	b.ReportAllocs()
	for b.Loop() {
		w.sample(record)
	}
}

// metric gives the value of a gauge with one source.
func (s *shifting) metric(name string) float64 {
	s.t.Helper()
	all, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range all {
		if m.GetName() == name {
			return m.GetMetric()[0].GetGauge().GetValue()
		}
	}
	s.t.Fatalf("there is no metric %s", name)
	return 0
}
