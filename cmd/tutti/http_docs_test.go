package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestHTTPPageIsTrue runs the examples of docs/http.md one after the other and compares what comes
// back with what the page shows: … stands for anything.
func TestHTTPPageIsTrue(t *testing.T) {
	page := read(t, docs+"http.md")
	p := play(t)
	t.Chdir(t.TempDir())
	t.Setenv("TUTTI_URL", p.server.address()+"/graphql")
	t.Setenv("TUTTI_MANAGEMENT_KEY", p.key(tutti.ManagementKey))
	env := map[string]string{"TUTTI_URL": p.server.address() + "/graphql", "TUTTI_BROWSER_KEY": p.key(tutti.BrowserKey)}
	var last answer
	compared, ran := 0, 0
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```").FindAllStringSubmatch(page, -1) {
		switch language, block := m[1], m[2]; language {
		case "json":
			write(t, "operations.json", block)
		case "sh":
			for line := range strings.Lines(block) {
				line = strings.TrimSpace(line)
				ran++
				if args, ok := strings.CutPrefix(line, "tutti "); ok {
					succeed(t, words(args)...)
					continue
				}
				last = p.curl(line, env)
				if tag := last.Header.Get("ETag"); tag != "" {
					env["ETAG"] = tag
				}
				if _, rest, ok := strings.Cut(last.Raw, `"hash":"`); ok {
					env["HASH"], _, _ = strings.Cut(rest, `"`)
				}
			}
		case "http":
			compared++
			compare(t, block, last)
		default:
			t.Errorf("the page has a block of %s, which nobody checks", language)
		}
	}
	if ran < 9 || compared < 6 {
		t.Errorf("only %d lines ran, %d answers were compared", ran, compared)
	}
}

// compare holds an answer against what a page shows of it.
func compare(t *testing.T, shown string, a answer) {
	t.Helper()
	if strings.HasPrefix(shown, "HTTP/") {
		head, body, _ := strings.Cut(shown, "\n\n")
		status, header, _ := strings.Cut(head, "\n")
		if want := fmt.Sprintf("HTTP/1.1 %d %s", a.Status, http.StatusText(a.Status)); strings.TrimSpace(status) != want {
			t.Errorf("the page shows %q, it is %q: %s", status, want, a.Raw)
		}
		for line := range strings.Lines(header) {
			name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
			if got := a.Header.Get(name); !ok || !shows(value, got) {
				t.Errorf("the page shows %q, it is %q", strings.TrimSpace(line), got)
			}
		}
		shown = body
	}
	if shown = strings.TrimSpace(shown); !shows(shown, a.Raw) {
		t.Errorf("the page shows\n%s\nit is\n%s", shown, a.Raw)
	}
}

// shows reports whether a text is what a page shows, with … for anything.
func shows(shown, text string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(shown), "…", ".+")
	return regexp.MustCompile("(?s)^" + pattern + "$").MatchString(text)
}
