package graph

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func standardJSON(s string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		`{"query":"{ a(b: \"c\") }","variables":{"a":[1,-0.5e+10,null,true,{}],"b":{"c":"\u00e9\ud83d\ude00\ud83d\\"}}}`, ` [ ] `, `01`, `-`, `1.`, `1e`, `"\x"`, `"a` + "\n" + `"`, `{"a":1,"a":2}`, `{"a" 1}`,
		`[1,]`, `{,}`, `nul`, `"\u12"`, `"\ud800"`, `"\ud800\u0041"`, `"\\"`, `"\`, `{"a":1} x`, `"` + "\u2028" + `"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // refused before
		}
		got, err := decodeJSON(s)
		want, ok := standardJSON(s)
		if (err == nil) != ok {
			t.Fatalf("%q: %v, and encoding/json says %v", s, err, ok)
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, and encoding/json says %#v", s, got, want)
		}
		d := jsonDecoder{s: s}
		d.space()
		skipped := d.skip(0)
		d.space()
		if (skipped == nil && d.at == len(s)) != ok {
			t.Fatalf("%q: skipped to %d, %v, and encoding/json says %v", s, d.at, skipped, ok)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	body := `{"query":"query Page($page: Int!, $context: ContextInput) { experience(composition: \"page\", params: {page: $page}, channel: \"web\", context: $context) { id } }","variables":{"page":7,"context":{"location":{"lat":43.26,"lon":-2.93},"consent":{"personalization":true},"attributes":{"name":"Ana","tier":"gold","visits":12}}}}`
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeJSON(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := standardJSON(body); !ok {
				b.Fatal("refused")
			}
		}
	})
}
