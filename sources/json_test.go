package sources

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// FuzzJSON: whatever is valid JSON comes to what encoding/json makes of it.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[{"c":"d"},null],"a":"two"}`, ` [ 1 , -2.50e+10 ,"x\"]" , {} , [ ] , true,false ] `, `"\ud83d\ude00 \u00e9 \/"`, `{"\u0061":{"b":2},"":0}`,
		`123456789012345678901234567890.10`, "{\"a\xff\":\"\xc3\x28\"}", `null`, ` 0 `, `{"a" : { "b":"\\" } , "c":"}"}`, `[[[["]"]]]]`, `{`, `[1`, `"`, ``,
	} {
		f.Add([]byte(s), "a")
	}
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		if !json.Valid(b) {
			return // it is refused before
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Skip(err)
		}
		if got := decode(string(b)); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is read as %#v, not %#v", b, got, want)
		}
		var object map[string]raw
		if json.Unmarshal(b, &object) == nil && object != nil {
			for name, v := range object {
				if got, ok := dig(b, []string{name}); !strings.Contains(name, "\ufffd") && (!ok || string(got) != string(v)) {
					t.Fatalf("%q in %s is %s, not %s", name, b, got, v)
				}
			}
			if _, ok := object[key]; !ok {
				if got, found := dig(b, []string{key}); found {
					t.Fatalf("%q in %s is %s", key, b, got)
				}
			}
		}
		var list []raw
		if json.Unmarshal(b, &list) == nil && list != nil {
			if got := elements(bytes.TrimSpace(b)); !reflect.DeepEqual(got, list) {
				t.Fatalf("%s has the elements %s, not %s", b, got, list)
			}
		}
	})
}

// FuzzCut: one walk takes exactly what encoding/json takes for JSON, and finds at each path what
// following that path alone finds, also where a name stands twice.
func FuzzCut(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[{"c":"d"},null],"a":{"b":"two"}}`, ` [ 1 , -2.50e+10 ,"x\"]" , {} , [ ] , true,false ] `, `{"a":{"b":[0,{"c":"\ud83d\ude00"}]}}`, `{"\u0061":{"b":2},"":0}`,
		`{"r":[{"a":{"b":1}},{"a":2},null,{"a":{"b":3,"b":4}}],"t":4}`, `{"r":[1],"r":[{"a":5},{"a":6}]}`, "{\"a\xff\":\"\xc3\x28\"}", `01`, `-`, `1.`, `1e`, `"\x"`, `"\u12g4"`, "\"\x1f\"", `[1,]`, `{"a":1,}`,
		`{"a" 1}`, `nul`, `{"a":"12345678\n1234567\"8"}`, `{`, `[1`, `"`, ``, `1 2`,
	} {
		f.Add([]byte(s))
	}
	paths := [][]string{{"a"}, {"a", "b"}, {"a", "b", "1", "c"}, {"b", "0"}, {"b", "00", "c"}, {"t"}}
	f.Fuzz(func(t *testing.T, b []byte) {
		row, all := newTree(), newTree()
		row.add()
		inRow := []*tree{row.add("a"), row.add("a", "b")}
		row.number(0)
		list := all.add("r")
		list.row, list.each = row, true
		var places []*tree
		for _, p := range paths {
			places = append(places, all.add(p...))
		}
		all.number(0)
		var c cut
		if got, want := c.walk(b, all), json.Valid(b); got != want {
			t.Fatalf("%q is JSON: %v, want %v", b, got, want)
		} else if !want {
			return
		}
		same := func(s span, whole raw, path []string) {
			t.Helper()
			want, ok := dig(whole, path)
			if got := string(b[s.from:s.to]); (s.to > 0) != ok || got != string(want) {
				t.Fatalf("at %v in %s there is %q, not %q", path, whole, got, want)
			}
			if s.plain && unquote(string(want)) != string(want[1:len(want)-1]) {
				t.Fatalf("%s is not as it says", want)
			}
		}
		for i, p := range places {
			same(c.spans[p.slot], b, paths[i])
		}
		var records []raw
		if at, ok := dig(b, []string{"r"}); ok && at[0] == '[' {
			records = elements(at)
		}
		if c.rows != len(records) {
			t.Fatalf("%s has %d records, not %d", b, len(records), c.rows)
		}
		for i, r := range records {
			spans := c.row(i, row.until)
			same(spans[row.slot], r, nil)
			same(spans[inRow[0].slot], r, []string{"a"})
			same(spans[inRow[1].slot], r, []string{"a", "b"})
		}
	})
}

func TestNestingIsLimited(t *testing.T) {
	for n, want := range map[int]bool{maxNesting: true, maxNesting + 1: false} {
		b := []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
		if got := new(cut).walk(b, newTree()); got != want || json.Valid(b) != want {
			t.Errorf("%d lists in one another are taken: %v, want %v", n, got, want)
		}
	}
}

// readAlone reads a record that is nothing else; an error when it is not JSON.
func (k *compiledKind) readAlone(c *manifestConnector, record raw, locale string) (Record, bool, error) {
	var one cut
	if !one.walk(record, k.tree) {
		return Record{}, false, tutti.BadAnswer
	}
	s := k.see(c, record, one.spans, locale)
	return s.read(nil)
}
