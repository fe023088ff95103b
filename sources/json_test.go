package sources

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
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
