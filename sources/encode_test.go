package sources

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// expressions compiles a parameter as a manifest writes it.
func expressions(t *testing.T, q QuerySpec) *exprPart {
	t.Helper()
	c := &compiler{m: &Manifest{file: "acme.yaml", Settings: map[string]Declaration{"queue": {}}, lines: map[string]spot{}}}
	p := c.exprPart("query", q, names("settings", "ids", "since", "text", "first", "filter", "cursor", "sort"))
	if len(c.problems) > 0 {
		t.Fatal(c.problems)
	}
	return p
}

func TestExpressionsAreWrittenInTheirLanguage(t *testing.T) {
	ids := []string{"1", `o'b"r\n`}
	at := time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)
	vars := map[string]any{"ids": ids, "text": `a' OR 1=1 -- "\`, "first": int64(20), "filter": map[string]any{"open": true}, "cursor": "500A'", "sort": "Created DESC", "settings": map[string]any{"queue": "General"}, "since": at}
	for _, test := range []struct {
		name string
		spec QuerySpec
		want string
	}{
		{"RT, by id", QuerySpec{Value: "${ids}", Each: "id = {}", Quote: "ticketsql"}, `id = '1' OR id = 'o\'b"r\\n'`},
		{
			"RT, a search",
			QuerySpec{Value: "{} ORDER", All: []string{"Queue = ${settings.queue}", "Status = ${filter.status}", "Subject LIKE ${text}"}, Quote: "ticketsql"},
			`Queue = 'General' AND Subject LIKE 'a\' OR 1=1 -- "\\' ORDER`,
		},
		{"RT, since", QuerySpec{Value: "LastUpdated > ${since}", Quote: "ticketsql"}, `LastUpdated > '2026-11-21 12:30:00'`},
		{
			"SOQL",
			QuerySpec{Value: "SELECT Id FROM Case WHERE {} ORDER BY ${sort} LIMIT ${first}", All: []string{"Id > ${cursor}", "SystemModstamp > ${since}", "IsClosed = ${filter.open}"}, Quote: "soql"},
			`SELECT Id FROM Case WHERE Id > '500A\'' AND SystemModstamp > 2026-11-21T12:30:00Z AND IsClosed = true ORDER BY Created DESC LIMIT 20`,
		},
		{"Lucene", QuerySpec{Value: "id:(${ids})", Quote: "lucene"}, `id:("1" OR "o'b\"r\\n")`},
		{"a list of JSON texts", QuerySpec{Value: "id in (${ids})", Join: ", ", Quote: "json"}, `id in ("1", "o'b\"r\\n")`},
		{"SQL", QuerySpec{Value: "id IN (${ids})", Join: ", ", Quote: "sql"}, `id IN ('1', 'o''b"r\n')`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok, err := expressions(t, test.spec).text(vars)
			if err != nil || !ok || got != test.want {
				t.Errorf("it writes\n%s (%v, %v), want\n%s", got, ok, err, test.want)
			}
		})
	}
	t.Run("without quotation marks only words", func(t *testing.T) {
		p := expressions(t, QuerySpec{Value: "id:(${ids})"})
		if got, ok, err := p.text(map[string]any{"ids": []string{"1", "two_3"}}); got != "id:(1 OR two_3)" || !ok || err != nil {
			t.Errorf("it writes %s (%v, %v)", got, ok, err)
		}
		for _, id := range []string{"1 OR 2", "1)", "", "é", "a-b", "1.5"} {
			if got, _, err := p.text(map[string]any{"ids": []string{id}}); tutti.CodeOf(err) != tutti.InvalidValue {
				t.Errorf("%q is written as %s", id, got)
			}
		}
	})
	t.Run("of which all conditions are absent, it is", func(t *testing.T) {
		p := expressions(t, QuerySpec{Value: "x {}", All: []string{"a = ${filter.no}"}, Quote: "sql"})
		if got, ok, err := p.text(map[string]any{"filter": map[string]any{}}); ok || err != nil {
			t.Errorf("it writes %q (%v)", got, err)
		}
	})
	t.Run("a control character is refused", func(t *testing.T) {
		p := expressions(t, QuerySpec{Value: "a = ${text}", Quote: "sql"})
		if got, _, err := p.text(map[string]any{"text": "a\nb"}); tutti.CodeOf(err) != tutti.InvalidValue {
			t.Errorf("it writes %q (%v)", got, err)
		}
	})
}

// FuzzQuoting reads back what was written: a text ends where its last mark stands, and nowhere before.
func FuzzQuoting(f *testing.F) {
	for _, s := range []string{"", `'`, `\`, `\'`, `"`, `''`, `a' OR '1'='1`, `é`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, q := range quotings {
			got := q.around(s)
			var read []byte
			i := 1
			for ; i < len(got); i++ {
				if q.escape == `\` && got[i] == '\\' {
					i++
				} else if got[i] == q.mark {
					if q.escape == `\` || i+1 == len(got) || got[i+1] != q.mark {
						break
					}
					i++
				}
				read = append(read, got[i])
			}
			if got[0] != q.mark || i != len(got)-1 || string(read) != s {
				t.Errorf("%s writes %q as %s, which reads %q and ends at %d", name, s, got, read, i)
			}
		}
	})
}

const exprManifest = `
name: acme
kinds:
  item:
    type: Product
    id: {pattern: "[0-9]+"}
    batch:
      path: /tickets
      query: {query: {value: "${ids}", encode: expr, each: "id = {}", quote: ticketsql}, per_page: "${count}"}
      records: items
      maxIds: 1000
      maxUrlBytes: 400
    map: {title: record.name}
`

func TestBatchesOfExpressionsFitTheURL(t *testing.T) {
	h := play(t, exprManifest, map[string]config.KindConfig{"item": {Access: tutti.AccessPublic}}, func(w http.ResponseWriter, r *http.Request) {
		var ids []string
		for one := range strings.SplitSeq(r.URL.Query().Get("query"), " OR ") {
			ids = append(ids, strings.Trim(strings.TrimPrefix(one, "id = "), "'"))
		}
		items(w, len(ids), ids...)
	})
	var many []string
	for i := range 100 {
		many = append(many, "1"+strings.Repeat("0", i%5)+"7")
	}
	for i, g := range h.Get(t.Context(), refs(many...), tutti.Scope{}) {
		if g.Resource == nil {
			t.Fatalf("%s is not there: %v", many[i], g.Err)
		}
	}
	h2 := refs()
	for i := range 100 {
		h2 = append(h2, tutti.Ref{Source: "shop", Kind: "item", ID: "1000" + string(rune('0'+i/10)) + string(rune('0'+i%10))})
	}
	for _, g := range h.Get(t.Context(), h2, tutti.Scope{}) {
		if g.Resource == nil {
			t.Fatal(g.Err)
		}
	}
	for _, uri := range h.asked {
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(u.RawQuery); n > 400+len("query=&per_page=1000") {
			t.Errorf("a query has %d bytes", n)
		}
	}
	if n := h.calls(); n < 5 || n > 20 {
		t.Errorf("it took %d calls", n)
	}
}

// TestAListHasASeparatorOfItsOwn asks a system whose lists are written a;b, in a form.
func TestAListHasASeparatorOfItsOwn(t *testing.T) {
	const manifest = `
name: acme
kinds:
  item:
    type: Record
    batch:
      path: /api
      form: {action: get, nos: {value: "${ids}", encode: csv, join: ";"}}
      records: items
      maxIds: 8
    map: {title: record.name}
`
	var asked []string
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.PostFormValue("nos"))
		items := []any{}
		for _, id := range strings.Split(r.PostFormValue("nos"), ";") {
			items = append(items, map[string]any{"id": id, "name": "No. " + id})
		}
		write(w, map[string]any{"items": items})
	})
	got := h.Get(t.Context(), refs("P-1", "P,2", "P;3"), tutti.Scope{})
	if len(asked) != 1 || asked[0] != "P-1;P,2" || got[1].Resource == nil || got[1].Resource.Fields.Get("title") != "No. P,2" {
		t.Errorf("it was asked for %q, and %v comes", asked, got)
	}
	if tutti.CodeOf(got[2].Err) != tutti.NotFound {
		t.Errorf("an id with the separator in it comes to %v", got[2].Err)
	}
}
