package expr_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// record is JSON with what helpers read.
func recordOf(t *testing.T, s string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// errUnread stands for a value that cannot be read.
var errUnread = errors.New("it cannot be read")

// TestHelpersReadWhatSystemsWrite evaluates each expression twice, once without CEL and once with it.
func TestHelpersReadWhatSystemsWrite(t *testing.T) {
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339Nano, s); return v.UTC() }
	money := func(amount, currency string) tutti.Money { return tutti.Money{Amount: amount, Currency: currency} }
	for _, c := range []struct {
		record, src string
		want        any
	}{
		// money
		{`{"n":14990,"c":"EUR"}`, `money(record.n, record.c)`, money("149.90", "EUR")},
		{`{"n":-5,"c":"eur"}`, `money(record.n, record.c)`, money("-0.05", "EUR")},
		{`{"n":1500}`, `money(record.n, 'JPY')`, money("1500", "JPY")},
		{`{"n":1500}`, `money(record.n, 'KWD')`, money("1.500", "KWD")},
		{`{"n":12.0}`, `money(record.n, 'EUR')`, money("0.12", "EUR")},
		{`{"n":1e3}`, `money(record.n, 'EUR')`, money("10.00", "EUR")},
		{`{"n":1e300}`, `money(record.n, 'EUR')`, errUnread},
		{`{"n":9223372036854775808}`, `money(record.n, 'EUR')`, errUnread},
		{`{"n":150000}`, `money(record.n, 'JPY', 2)`, money("1500", "JPY")},
		{`{"n":150050,"d":2}`, `money(record.n, 'JPY', record.d)`, money("1500.5", "JPY")},
		{`{"n":-5,"d":4}`, `money(record.n, 'EUR', record.d)`, money("-0.0005", "EUR")},
		{`{"n":15,"d":-1}`, `money(record.n, 'EUR', record.d)`, errUnread},
		{`{"n":15,"d":19}`, `money(record.n, 'EUR', record.d)`, errUnread},
		{`{"n":15,"d":null}`, `money(record.n, 'EUR', record.d)`, nil},
		{`{"n":null}`, `money(record.n, 'EUR')`, nil},
		{`{"n":1,"c":null}`, `money(record.n, record.c)`, nil},
		{`{"n":1.5}`, `money(record.n, 'EUR')`, errUnread},
		{`{"n":"15"}`, `money(record.n, 'EUR')`, errUnread},
		{`{"n":1,"c":"EURO"}`, `money(record.n, record.c)`, errUnread},
		{`{"n":"149.90"}`, `money.major(record.n, 'EUR')`, money("149.90", "EUR")},
		{`{"n":149.9}`, `money.major(record.n, 'EUR')`, money("149.90", "EUR")},
		{`{"n":150}`, `money.major(record.n, 'EUR')`, money("150.00", "EUR")},
		{`{"n":1500}`, `money.major(record.n, 'JPY')`, money("1500", "JPY")},
		{`{"n":"1500.00"}`, `money.major(record.n, 'JPY')`, money("1500", "JPY")},
		{`{"n":0.0125}`, `money.major(record.n, 'EUR')`, money("0.0125", "EUR")},
		{`{"n":1.5e2}`, `money.major(record.n, 'KWD')`, money("150.000", "KWD")},
		{`{"n":1e-3}`, `money.major(record.n, 'KWD')`, money("0.001", "KWD")},
		{`{"n":"-0.00"}`, `money.major(record.n, 'EUR')`, money("0.00", "EUR")},
		{`{"n":"007.5"}`, `money.major(record.n, 'EUR')`, money("7.50", "EUR")},
		{`{"n":""}`, `money.major(record.n, 'EUR')`, nil},
		{`{"n":null}`, `money.major(record.n, 'EUR')`, nil},
		{`{"n":"1.234,50"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":"1,50"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":"1e3"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":"EUR 5"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":" 5"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":"5."}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":{}}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":true}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":"99999999999999999999999999999999999"}`, `money.major(record.n, 'EUR')`, errUnread},
		{`{"n":0.1}`, `money.major(double(record.n) * 3.0, 'EUR')`, money("0.30", "EUR")},
		{`{"n":49.9}`, `money.major(path(record, 'n'), 'EUR')`, money("49.90", "EUR")},
		{`{"n":1234567890123456.99}`, `money.major(path(record, 'n'), 'EUR')`, errUnread},
		// dates
		{`{"d":"2026-11-21T10:00:00+01:00"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21T09:00:00+0000"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21T10:00:00+01"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21T10:00:00"}`, `date(record.d, '', 'Europe/Berlin')`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-07-21T10:00:00"}`, `date(record.d, '', 'Europe/Berlin')`, at("2026-07-21T08:00:00Z")},
		{`{"d":"2026-11-21T10:00:00Z"}`, `date(record.d, '', 'Europe/Berlin')`, at("2026-11-21T10:00:00Z")},
		{`{"d":"2026-11-21"}`, `date(record.d)`, at("2026-11-21T00:00:00Z")},
		{`{"d":"21.11.2026 10:05"}`, `date(record.d, 'dd.MM.yyyy HH:mm', 'Europe/Berlin')`, at("2026-11-21T09:05:00Z")},
		{`{"d":"Nov 1, 2026 at 9:05 PM"}`, `date(record.d, "MMM d, yyyy 'at' h:mm a")`, at("2026-11-01T21:05:00Z")},
		{`{"d":"20261121T090500.250"}`, `date(record.d, "yyyyMMdd'T'HHmmss.SSS")`, at("2026-11-21T09:05:00.25Z")},
		{`{"d":"21.11.26"}`, `date(record.d, 'dd.MM.yyyy')`, errUnread},
		{`{"d":20261121}`, `date(record.d, 'yyyyMMdd')`, errUnread},
		{`{"d":1795251600}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":1795251600000}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":1000}`, `date(record.d, 'ms')`, at("1970-01-01T00:00:01Z")},
		{`{"d":"1795251600.5"}`, `date(record.d, 'unix')`, at("2026-11-21T09:00:00.5Z")},
		{`{"d":"0x10"}`, `date(record.d, 'unix')`, errUnread},
		{`{"d":1e300}`, `date(record.d, 'unix')`, errUnread},
		{`{"d":"Sat, 21 Nov 2026 09:00:00 GMT"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Sat, 21 Nov 2026 10:00:00 +0100"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"21 Nov 26 04:00 EST"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Sat, 1 Aug 2026 02:00:00 PDT"}`, `date(record.d)`, at("2026-08-01T09:00:00Z")},
		{`{"d":"Sat, 21 Nov 2026 10:00:00 CET"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Saturday, 21-Nov-26 09:00:00 UT"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Sat Nov 21 09:00:00 2026"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Sat, 21 Nov 2026 10:00:00"}`, `date(record.d, '', 'Europe/Berlin')`, at("2026-11-21T09:00:00Z")},
		{`{"d":"Sat, 21 Nov 2026 10:00:00 XYZ"}`, `date(record.d)`, errUnread},
		{`{"d":"Sat, 31 Nov 2026 10:00:00 GMT"}`, `date(record.d)`, errUnread},
		{`{"d":"yesterday"}`, `date(record.d)`, errUnread},
		{`{"d":"2026-11-21 09:00"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21 09:00:00 UTC"}`, `date(record.d, '', 'Europe/Berlin')`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21 09:00:00.5 XYZ"}`, `date(record.d)`, errUnread},
		{`{"d":"2026-11-21 10:00:00+01"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2026-11-21t09:00:00z"}`, `date(record.d)`, at("2026-11-21T09:00:00Z")},
		{`{"d":"2016-12-31T23:59:60Z"}`, `date(record.d)`, errUnread},
		{`{"d":"0000-00-00 00:00:00"}`, `date(record.d)`, errUnread},
		{`{"d":"9999-12-31T23:59:59-05:00"}`, `date(record.d)`, errUnread},
		{`{"d":"0001-01-01T00:00:00+14:00"}`, `date(record.d)`, errUnread},
		{`{"d":"31.12.9999 23:59"}`, `date(record.d, 'dd.MM.yyyy HH:mm', 'America/New_York')`, errUnread},
		{`{"d":"9 PM of 2026-11-21"}`, `date(record.d, "h a 'of' yyyy-MM-dd")`, at("2026-11-21T21:00:00Z")},
		{`{"d":true}`, `date(record.d)`, errUnread},
		{`{"d":"2026-11-21","z":"Atlantis/Centre"}`, `date(record.d, '', record.z)`, errUnread},
		{`{"d":""}`, `date(record.d)`, nil},
		{`{"d":null}`, `date(record.d, 'dd.MM.yyyy')`, nil},
		{`{"k":"a b/é?#%+.jpg"}`, `escape(record.k)`, "a%20b/%C3%A9%3F%23%25%2B.jpg"},
		{`{"k":"s3://b/é??>"}`, `base64url(record.k)`, "czM6Ly9iL8OpPz8-"},
		{`{"k":null}`, `base64url(record.k)`, nil},
		{`{"k":7}`, `escape(record.k)`, errUnread},
		{`{"d":"1970-01-01T00:00:00Z"}`, `nullIf(record.d, '1970-01-01T00:00:00Z')`, nil},
		{`{"d":"1970-01-01 00:00:00"}`, `nullIf(date(record.d), date(0))`, nil},
		{`{"d":"2026-11-21"}`, `nullIf(date(record.d), date(0))`, at("2026-11-21T00:00:00Z")},
		{`{"d":0}`, `nullIf(record.d, 0)`, nil},
		{`{"d":9007199254740993}`, `nullIf(record.d, 9007199254740992)`, int64(9007199254740993)},
		{`{"d":[]}`, `nullIf(record.d, 0)`, []any{}},
		// languages
		{`{"t":{"en":"Sea","de-CH":"Meer"}}`, `lang(record.t, 'de-CH')`, "Meer"},
		{`{"t":{"en":"Sea","de_CH":"Meer"}}`, `lang(record.t, 'de-ch')`, "Meer"},
		{`{"t":{"en":"Sea","de":"Meer"}}`, `lang(record.t, 'de-CH')`, "Meer"},
		{`{"t":{"en-US":"Sea","en-GB":"The sea"}}`, `lang(record.t, 'en')`, "The sea"},
		{`{"t":{"en":"Sea"}}`, `lang(record.t, 'fr')`, nil},
		{`{"t":{"en":"Sea","fr":null}}`, `lang(record.t, locales)`, "Sea"},
		{`{"t":{"en-US":"Sea","it":"Mare"}}`, `lang(record.t, locales)`, "Sea"},
		{`{"t":{"it":"Mare"}}`, `lang(record.t, locales + ['it'])`, "Mare"},
		{`{"t":[{"locale":"en","value":"Sea"},{"locale":"fr","value":"Mer"}]}`, `lang(record.t, 'fr')`, "Mer"},
		{`{"t":[{"languageCode":"fr","name":"Mer"}]}`, `path(lang(record.t, 'fr'), 'name')`, "Mer"},
		{`{"t":[{"tongue":"fr","value":"Mer"}]}`, `lang(record.t, 'fr', 'tongue')`, "Mer"},
		{`{"t":[1,null,{"locale":7}]}`, `lang(record.t, 'fr')`, nil},
		{`{"t":"Sea"}`, `lang(record.t, 'fr')`, "Sea"},
		{`{"t":7}`, `lang(record.t, 'fr')`, errUnread},
		{`{"t":null}`, `lang(record.t, 'fr')`, nil},
		{`{"t":{"en":{"a":[1]}}}`, `lang(record.t, 'en').a[0]`, int64(1)},
		// rich text
		{`{"b":"*a*","f":"markdown"}`, `rich(record.b, record.f).html`, "<em>a</em>"},
		{`{"b":"<i>a</i><script>x</script>"}`, `rich(record.b, 'html').html`, "<i>a</i>"},
		{`{"b":"a <b>"}`, `rich(record.b, 'plain').html`, "a &lt;b&gt;"},
		{`{"b":{"text":"a"}}`, `rich(record.b, 'facets').plain`, "a"},
		{`{"b":7}`, `rich(record.b, 'html')`, errUnread},
		{`{"b":"x","f":"rtf"}`, `rich(record.b, record.f)`, errUnread},
		{`{"b":"x"}`, `rich(record.b, 'contentful')`, errUnread},
		{`{"b":null}`, `rich(record.b, 'storyblok')`, nil},
		// addresses
		{`{"u":"/a/b.jpg"}`, `url(record.u, 'https://x.example/c/d')`, "https://x.example/a/b.jpg"},
		{`{"u":"b.jpg"}`, `url(record.u, 'https://x.example/c/d')`, "https://x.example/c/b.jpg"},
		{`{"u":"//y.example/b"}`, `url(record.u, 'https://x.example/')`, "https://y.example/b"},
		{`{"u":"https://y.example/b"}`, `url(record.u, 'https://x.example/')`, "https://y.example/b"},
		{`{"u":" "}`, `url(record.u, 'https://x.example/')`, nil},
		{`{"u":"%zz"}`, `url(record.u, 'https://x.example/')`, errUnread},
		{`{"u":"a","base":"nowhere"}`, `url(record.u, record.base)`, errUnread},
		{`{"u":7}`, `url(record.u, 'https://x.example/')`, errUnread},
		// lists
		{`{"v":[{"id":1,"p":[{"id":"a"}]},{"id":2,"p":[{"id":"b"},{"id":"c"}]},{}]}`, `path(record, 'v.*.p.*.id')`, []any{"a", "b", "c"}},
		{`{"v":[{"id":1},{"x":2}]}`, `path(record, 'v.*.id')`, []any{int64(1)}},
		{`{"v":{"id":1}}`, `path(record, 'v.*.id')`, nil},
	} {
		env, err := expr.NewDynamic("record", "locales")
		if err != nil {
			t.Fatal(err)
		}
		vars := map[string]any{"record": recordOf(t, c.record), "locales": []any{"fr-CH", "fr", "en"}}
		for _, src := range []string{c.src, `[` + c.src + `][0]`} { // the second is no helper alone: CEL evaluates it
			p, err := env.Compile(src)
			if err != nil {
				t.Errorf("%s: %v", src, err)
				continue
			}
			got, err := p.Eval(vars)
			if c.want == errUnread {
				if !errors.Is(err, tutti.Invalid) {
					t.Errorf("%s over %s gives %v, %v; want Invalid", src, c.record, got, err)
				}
				continue
			}
			if err != nil || !reflect.DeepEqual(plain(got), c.want) {
				t.Errorf("%s over %s gives %#v, %v; want %#v", src, c.record, got, err, c.want)
			}
		}
	}
}

// plain reads numbers that came through a helper as they are written.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func TestNoDigitIsLost(t *testing.T) {
	env, err := expr.NewDynamic("record")
	if err != nil {
		t.Fatal(err)
	}
	p, err := env.Compile(`money.major(record.n, 'EUR')`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Eval(map[string]any{"record": recordOf(t, `{"n":12345678901234567890.123456789}`)})
	if want := (tutti.Money{Amount: "12345678901234567890.123456789", Currency: "EUR"}); err != nil || got != want {
		t.Errorf("it is %v, %v; want %v", got, err, want)
	}
}

func TestMistakesWithHelpersAreExplained(t *testing.T) {
	env, err := expr.NewDynamic("record")
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		`money(record.n, 'EURO')`:                  "line 1, column 6: the currency is none. Write an ISO 4217 code such as 'EUR', or the path of one.",
		`money('5', 'EUR')`:                        "line 1, column 6: argument 1 of “money” must be a whole number.",
		`date(record.d, 'DD.MM.YYYY')`:             "line 1, column 5: the layout has an unknown sign: “DD”. Write it as  dd.MM.yyyy HH:mm , text in 'quotes'; or unix, or ms.",
		`date(record.d, 'yyyy-MM-01')`:             "line 1, column 5: the layout has an unknown sign: “0”. Write it as  dd.MM.yyyy HH:mm , text in 'quotes'; or unix, or ms.",
		`date(record.d, "yyyy 'Jan'")`:             "line 1, column 5: the layout holds “Jan”, which could be taken for a part of the time. Take it out of the value first, with replace(record.date, 'Jan', '').",
		`money(record.n, 'EUR', 'two')`:            "line 1, column 6: argument 3 of “money” must be a whole number.",
		`date(record.d, "yyyy 'at")`:               "line 1, column 5: the layout has an unknown sign: “'”. Write it as  dd.MM.yyyy HH:mm , text in 'quotes'; or unix, or ms.",
		`date(record.d, '', 'Berlin')`:             "line 1, column 5: there is no zone “Berlin”. Write a name such as Europe/Berlin.",
		`record.x == 1 ? rich(record.b, 'md') : 0`: "line 1, column 21: the form is unknown: “md”. Write one of html, markdown, plain, facets, contentful, storyblok.",
		`url(record.u, '/x')`:                      "line 1, column 4: the base is no address. Write, for example, url(record.path, 'https://www.example.com/').",
		`date(record.d, 7)`:                        "line 1, column 5: argument 2 of “date” must be text.",
		`langs(record.t, 'en')`:                    "line 1, column 1: “langs” is not declared. Did you mean “lang”?",
	} {
		_, err := env.Compile(src)
		if err == nil || err.Error() != want {
			t.Errorf("%s is explained by\n%v\nwant\n%s", src, err, want)
		}
	}
}
