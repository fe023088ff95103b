package recording

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// FuzzParse reads any file and asks what was read: nothing may panic, and what is written again is read again.
func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("../recordings/zendesk.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b[:4000]))
	f.Add("connector: a\nfrom: b\nkinds: {}\nexchanges:\n- request: {path: /x, query: {a: [b, '***c']}, json: &j {a: [1, 1.50, null, '***']}}\n  response: {json: *j}\n")
	f.Add("connector: a\nfrom: b\nkinds: {}\nexchanges:\n- when: changed\n  request: {graphql: {operation: Q, variables: {a: 1}}}\n  response: {status: 204}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse("x.yaml", []byte(text))
		if err != nil {
			return
		}
		p := r.Play()
		for _, body := range []string{"", `{"query":"query Q {a}","variables":{"a":1}}`, `{"a":[1,1.5,null,"x"]}`, "a=b"} {
			req := httptest.NewRequest(http.MethodPost, "https://x.example/x?a=b&a=dc", strings.NewReader(body))
			if res, err := p.RoundTrip(req); err != nil || res.StatusCode < 200 {
				t.Fatalf("%v, %v", res, err)
			}
		}
		p.Misses()
		again, err := r.Write()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("x.yaml", again); err != nil {
			t.Fatalf("written again it is refused: %v\n%s", err, again)
		}
	})
}
