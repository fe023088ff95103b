package recording

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// writings are ways in which systems write a text back.
var writings = map[string]func(string) string{
	"as it is":         func(s string) string { return s },
	"a query":          url.QueryEscape,
	"a path":           url.PathEscape,
	"small escapes":    func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
	"escaped twice":    func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"JSON":             func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"JSON in JSON":     func(s string) string { b, _ := json.Marshal(s); b, _ = json.Marshal(string(b)); return string(b) },
	"JSON of PHP":      func(s string) string { b, _ := json.Marshal(s); return strings.ReplaceAll(string(b), "/", `\/`) },
	"HTML":             html.EscapeString,
	"hexadecimal":      func(s string) string { return hex.EncodeToString([]byte(s)) },
	"large hex":        func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 of a pair": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("me:" + s)) },
	"base64 in one":    func(s string) string { return base64.URLEncoding.EncodeToString([]byte("user:" + s + ":more")) },
	"base64 in a query": func(s string) string {
		return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("you\n" + s)))
	},
	"in a sentence": func(s string) string { return "the word " + s + " stands here" },
}

// TestSecretsAreFoundHoweverWritten writes secrets in all ways, and looks for what is left of them.
func TestSecretsAreFoundHoweverWritten(t *testing.T) {
	check := func(t interface {
		Errorf(format string, args ...any)
		Helper()
	}, secret string,
	) {
		t.Helper()
		r := Record("", []string{secret})
		for name, write := range writings {
			if strings.Contains(name, "small") && strings.ToLower(secret) != secret {
				continue
			}
			written := write(secret)
			cleaned := r.Clean("<" + written + ">")
			if !strings.Contains(cleaned, anything) || strings.Contains(cleaned, secret) {
				t.Errorf("%s of %q: %s stays %s", name, secret, written, cleaned)
			}
			if neighbours := 20; len(cleaned) > len("<>the word  stands here")+len(anything)+neighbours {
				t.Errorf("%s of %q leaves %s of %s", name, secret, cleaned, written)
			}
		}
	}
	for _, s := range []string{"hunter+2/secret==", "p&<w>\"'ä€😀", "a b\tc", `back\slash`, "0123456789abcdef", "with.dots[and](more)*", strings.Repeat("long-", 300)} {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringMatching(`[ -~]{6,40}`).Draw(t, "secret")) })
}

// TestContentStays makes sure that what is no secret is left alone.
func TestContentStays(t *testing.T) {
	r := Record("", []string{"s3cr3t-key", "abc"})
	const text = `{"title": "The key to a secret garden", "id": "s3cr3t", "b64": "c2VjcmV0"}`
	if got := r.Clean(text); got != text {
		t.Errorf("it became %s", got)
	}
	if _, left := r.Exchanges(); len(left) != 1 || !strings.Contains(left[0], "too short") {
		t.Errorf("of a short secret it tells %q", left)
	}
}

// TestARecordingHasNoTokenAndTheHeadersThatAreRead records a system that tells in each answer with which token it was asked.
func TestARecordingHasNoTokenAndTheHeadersThatAreRead(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		w.Header().Set("X-Left", "7")
		w.Header().Set("X-Other", "8")
		w.Header().Set("Set-Cookie", "sid="+token)
		w.Header().Add("Link", `</items?p=2&token=`+token+`>; rel="next"`)
		w.Header().Add("Link", `</items?p=9>; rel="last"`)
		_ = json.NewEncoder(w).Encode(map[string]string{"next": "/items?access_token=" + url.QueryEscape(token)})
	}))
	defer s.Close()
	r := Record(s.URL, nil)
	r.Reads(func(name string) bool { return name == "X-Left" })
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/items", nil)
	req.Header.Set("Authorization", "Bearer made-at-run-time/7")
	res, err := r.Through(http.DefaultTransport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	all, _ := r.Exchanges()
	b, err := (&Recording{Connector: "acme", From: "a test", Exchanges: all}).Write()
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if strings.Contains(text, "made-at-run-time") || strings.Contains(text, "sid=") || strings.Contains(text, "X-Other") {
		t.Errorf("it tells too much:\n%s", text)
	}
	for _, want := range []string{"X-Left: \"7\"", "access_token=***", "p=2&token=***", `</items?p=9>; rel="last"`} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %s:\n%s", want, text)
		}
	}
}
