package recording

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestManualIsTrue reads the examples of docs/recordings.md.
func TestManualIsTrue(t *testing.T) {
	b, err := os.ReadFile("../../docs/recordings.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(b), -1)
	if len(blocks) == 0 {
		t.Error("there is no example")
	}
	for _, m := range blocks {
		r, err := Parse("acme.recording.yaml", []byte(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		p := r.Play()
		if status, body := ask(t, p, "GET", "https://x.example/v2/items?lang=en&ids=1,990001,2", ""); status != 200 || body != `{"items":[{"id":1,"name":"Rose"},{"id":2,"name":"Tulip"}],"total":2}` {
			t.Errorf("it answers %d %s", status, body)
		}
		if status, _ := ask(t, p, "GET", "https://x.example/v2/items?ids=1&lang=en", ""); status != 501 {
			t.Errorf("what it does not have is answered %d", status)
		}
		miss := strings.Join(p.Misses(), "\n")
		if want := "nearest is exchanges.0 (line 21), where query ids is “1,990001,2”"; !strings.Contains(miss, want) || !strings.Contains(string(b), want) {
			t.Errorf("it tells %s", miss)
		}
		p.At(WrongCredentials)
		if status, _ := ask(t, p, "GET", "https://x.example/v2/items?lang=en&ids=1,990001,2", ""); status != 401 {
			t.Errorf("wrong credentials are answered %d", status)
		}
	}
}

func ask(t *testing.T, through http.RoundTripper, method, address, body string) (int, string) {
	t.Helper()
	var r *http.Request
	var err error
	if body == "" {
		r, err = http.NewRequestWithContext(t.Context(), method, address, nil)
	} else {
		r, err = http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	res, err := through.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(got)
}
