package sources

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// paged is a manifest with one list.
func paged(more string) string {
	return `
name: acme
secrets: {token: {description: A token.}}
auth: {type: query, name: access_token, value: "${secrets.token}"}
kinds:
  item:
    type: Product
    get: {path: "/api/items/${id}"}
    select:
      - ` + strings.ReplaceAll(strings.TrimSpace(more), "\n", "\n        ") + `
    map: {title: record.name}
`
}

// walkPages reads a list to its end, and gives the ids of its items.
func walkPages(t *testing.T, h *testHouse, first int) (ids []string, err error) {
	t.Helper()
	sel := tutti.Selection{Source: "shop", Kind: "item", First: first}
	for range 50 {
		page, err := h.Select(t.Context(), sel, tutti.Scope{})
		if err != nil {
			return ids, err
		}
		for _, i := range page.Items {
			ids = append(ids, i.Resource.Ref.ID)
		}
		if page.Next == "" {
			return ids, nil
		}
		sel.After = page.Next
	}
	t.Fatal("the list does not end")
	return nil, nil
}

// seven are the played system's items.
var seven = []string{"a", "b", "c", "d", "e", "f", "g"}

func rows(ids []string) []map[string]any {
	out := []map[string]any{}
	for _, id := range ids {
		out = append(out, map[string]any{"id": id, "name": "Item " + id})
	}
	return out
}

func write(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// TestPagesFollowOneAnother reads seven items, three a page, in each way that systems page.
func TestPagesFollowOneAnother(t *testing.T) {
	slice := func(from int) []string { return seven[min(from, 7):min(from+3, 7)] }
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	for _, test := range []struct {
		name, manifest string
		origin         func(w http.ResponseWriter, r *http.Request)
	}{
		{"header", `
path: /api/items
query: {cursor: "${cursor}", limit: "${first}"}
records: items
paging: {type: header, header: X-Bynder-NextCursor}`, func(w http.ResponseWriter, r *http.Request) {
			from := number(r.URL.Query().Get("cursor"))
			if from+3 < 7 {
				w.Header().Set("X-Bynder-NextCursor", strconv.Itoa(from+3))
			}
			write(w, map[string]any{"items": rows(slice(from))})
		}},
		{"url", `
path: /api/items
query: {limit: "${first}"}
records: items
paging: {type: url, next: links.next}`, func(w http.ResponseWriter, r *http.Request) {
			from := number(r.URL.Query().Get("from"))
			next := map[string]any{}
			if from+3 < 7 { // as some do, with the credential that they got
				next["next"] = fmt.Sprintf("http://%s/api/items?from=%d&access_token=%s&limit=3#x", r.Host, from+3, r.URL.Query().Get("access_token"))
			}
			write(w, map[string]any{"items": rows(slice(from)), "links": next})
		}},
		{"a relative url", `
path: /api/items
records: items
paging: {type: url, next: next}`, func(w http.ResponseWriter, r *http.Request) {
			from := number(r.URL.Query().Get("from"))
			next := ""
			if from+3 < 7 {
				next = "?from=" + strconv.Itoa(from+3)
			}
			write(w, map[string]any{"items": rows(slice(from)), "next": next})
		}},
		{"link without a parameter", `
path: /api/items
records: .
paging: {type: link}`, func(w http.ResponseWriter, r *http.Request) {
			from := number(r.URL.Query().Get("from"))
			if from+3 < 7 {
				w.Header().Add("Link", fmt.Sprintf(`<http://%s/api/items?from=%d>; rel="next"`, r.Host, from+3))
			}
			write(w, rows(slice(from)))
		}},
		{"continue", `
path: /api/items
query: {list: "all", from: "0"}
records: items
paging: {type: continue, next: continue}`, func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Get("list") != "all" || len(q["from"]) != 1 || len(q["access_token"]) != 1 || q.Get("access_token") != "s3cret" {
				http.Error(w, "{}", http.StatusTeapot)
			}
			from := number(q.Get("from"))
			answer := map[string]any{"items": rows(slice(from))}
			if from+3 < 7 {
				answer["continue"] = map[string]any{"from": from + 3, "continue": "-||", "access_token": "theirs", "deep": map[string]any{}}
			}
			write(w, answer)
		}},
		{"keyset", `
path: /api/items
query: {where: {value: "id > ${cursor}", encode: expr, quote: json}, sort: id asc, limit: "${first}"}
records: items
paging: {type: keyset, key: record.id, start: "0"}`, func(w http.ResponseWriter, r *http.Request) {
			after := strings.Trim(strings.TrimPrefix(r.URL.Query().Get("where"), "id > "), `"`)
			from := slices.IndexFunc(seven, func(id string) bool { return id > after })
			if from < 0 {
				from = 7
			}
			write(w, map[string]any{"items": rows(slice(from))})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := play(t, paged(test.manifest), public, test.origin, func(c *config.Source, _ *Deps) {
				c.Secrets = map[string]tutti.Secret{"token": tutti.NewSecret("s3cret")}
			})
			ids, err := walkPages(t, h, 3)
			if err != nil || !slices.Equal(ids, seven) {
				t.Errorf("it gives %v (%v)", ids, err)
			}
			if h.calls() != 3 {
				t.Errorf("it took %d calls", h.calls())
			}
			for _, uri := range h.asked {
				if strings.Count(uri, "access_token=s3cret") != 1 || strings.Count(uri, "access_token") != 1 {
					t.Errorf("a call has not exactly our credential: %s", uri)
				}
			}
		})
	}
}

// TestEveryListEnds plays systems whose lists do not.
func TestEveryListEnds(t *testing.T) {
	const list = `
path: /api/items
query: {after: "${cursor}"}
records: items
`
	count := func(calls, most int, paging string, origin func(n int, w http.ResponseWriter, r *http.Request)) func(*testing.T) {
		return func(t *testing.T) {
			n := 0
			h := play(t, paged(list+paging), public, func(w http.ResponseWriter, r *http.Request) { n++; origin(n, w, r) })
			ids, err := walkPages(t, h, 3)
			if err != nil || len(ids) > most || h.calls() != calls {
				t.Errorf("%d items after %d calls (%v)", len(ids), h.calls(), err)
			}
		}
	}
	t.Run("after the most pages", count(5, 5, "paging: {type: cursor, next: next, maxPages: 5}", func(n int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows([]string{"i" + strconv.Itoa(n)}), "next": n})
	}))
	t.Run("where a cursor leads to itself", count(2, 2, "paging: {type: cursor, next: next}", func(n int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows([]string{"i" + strconv.Itoa(n)}), "next": "again"})
	}))
	t.Run("with an empty page", count(1, 0, "paging: {type: cursor, next: next}", func(_ int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows(nil), "next": "more"})
	}))
	t.Run("where the answer says so", count(1, 1, "paging: {type: cursor, next: next, end: done}", func(_ int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows([]string{"a"}), "next": "more", "done": true})
	}))
	t.Run("a url that leads to itself", count(2, 2, "paging: {type: url, next: next}", func(n int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows([]string{"i" + strconv.Itoa(n)}), "next": "/api/items?x=1"})
	}))
	t.Run("a key that does not go on", count(2, 6, "paging: {type: keyset, key: record.id}", func(_ int, w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"items": rows([]string{"a", "b", "c"})})
	}))
	t.Run("pages that are counted", func(t *testing.T) {
		n := 0
		h := play(t, paged(`
path: /api/items
query: {page: "${page}"}
records: items
paging: {type: page, maxPages: 4}`), public, func(w http.ResponseWriter, r *http.Request) {
			n++
			write(w, map[string]any{"items": rows([]string{"a" + strconv.Itoa(n), "b" + strconv.Itoa(n)})})
		})
		if ids, err := walkPages(t, h, 2); err != nil || len(ids) != 8 {
			t.Errorf("it gives %v (%v)", ids, err)
		}
	})
}

// TestAForeignCursorIsRefused sends cursors that no list gave: what could be a text of the system is sent
// as a parameter, and nothing becomes an address.
func TestAForeignCursorIsRefused(t *testing.T) {
	texts := []string{"1 http://evil.example/", "1 //evil.example/api", "1 /api/../other", "1 @evil.example/", "1 /api/x#y", "1 {"}
	other := []string{"x", "0 a", "-1 a", "10000 a", "1 ", "1x", "99999999999999999999x1", "1x2x3"}
	for paging, taken := range map[string]bool{
		"{type: cursor, next: n}": true, "{type: keyset, key: record.id}": true, "{type: header, header: X}": true, "{type: link, param: p}": true,
		"{type: url, next: n}": false, "{type: link}": false, "{type: continue, next: n}": false, "{type: page}": false, "{type: offset}": false, "{}": false,
	} {
		h := play(t, paged("path: /api/items\nquery: {c: \"${cursor}\", n: \"${page}\"}\nrecords: items\npaging: "+paging), public, func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]any{"items": rows(nil)}) })
		for _, after := range append(texts, other...) {
			_, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", After: after}, tutti.Scope{})
			if ok := err == nil; ok != (taken && slices.Contains(texts, after)) || err != nil && tutti.CodeOf(err) != tutti.InvalidValue {
				t.Errorf("%s with %q: %v", paging, after, err)
			}
		}
		for _, uri := range h.asked {
			if !strings.HasPrefix(uri, "/api/items?c=") {
				t.Errorf("%s: a call went to %s", paging, uri)
			}
		}
	}
}

func TestTheNextAddressStaysAtTheSystem(t *testing.T) {
	const base, asked = "https://acme.example/api/v2", "https://acme.example/api/v2/items?page=1"
	for target, want := range map[string]string{
		"": "",
		"https://acme.example/api/v2/items?page=2":     "/api/v2/items?page=2",
		"https://ACME.example:443/api/v2/items?page=2": "/api/v2/items?page=2",
		"/api/v2/items?page=2":                         "/api/v2/items?page=2",
		"?page=2":                                      "/api/v2/items?page=2",
		"more?page=2":                                  "/api/v2/more?page=2",
		"https://acme.example/api/v2/items?key=s3cret&page=2&%6bey=s3cret": "/api/v2/items?page=2",
		"https://acme.example/api/v2/items?page=2#fragment":                "/api/v2/items?page=2",
		"https://acme.example/api/v2/a%2Fb?x=%26":                          "/api/v2/a%2Fb?x=%26",
	} {
		if got, err := sameOrigin(base, asked, target, "key"); err != nil || got != want {
			t.Errorf("%s leads to %q (%v), want %q", target, got, err, want)
		}
	}
	for _, target := range []string{
		"http://acme.example/api/v2/items", "https://evil.example/api/v2/items", "//evil.example/api/v2/items", "https://acme.example:8443/api/v2/items",
		"https://acme.example@evil.example/api/v2", "https://user:pw@acme.example/api/v2/items", "https://acme.example.evil.example/api/v2/items", "https://acme.example/other",
		"https://acme.example/api/v2/../../admin", "/admin", "https://acme.example/api/v2x/items", "/api/v2/%2e%2e/%2E%2E/admin", `\\evil.example\api\v2`, `https://acme.example\@evil.example/`,
		"javascript:alert(1)", "data:,x", "file:///etc/passwd", "https:evil", "https://acme.example/api/v2/a\r\nHost: evil", "https://[::1]/api/v2", "https://acme.example/api/v2//evil.example/", "%zz",
	} {
		if got, err := sameOrigin(base, asked, target, "key"); tutti.CodeOf(err) != tutti.BadAnswer {
			t.Errorf("%s is taken: %q (%v)", target, got, err)
		} else if strings.Contains(err.Error(), "evil") {
			t.Errorf("the error quotes the answer: %v", err)
		}
	}
}

func TestTheNextLinkIsFound(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{`<https://a.example/?p=2>; rel="next", <https://a.example/?p=9>; rel="last"`}, "https://a.example/?p=2"},
		{[]string{`<https://a.example/?p=0>; rel="prev"`, `<https://a.example/?p=2>;rel=next`}, "https://a.example/?p=2"},
		{[]string{`<?p=2>; title="a, <b>; rel=\"next\""; rel="prev"`, `<?p=3> ; REL = "last Next"`}, "?p=3"},
		{[]string{`<?p=2>; rel="prev"; rel="next"`}, ""},                                    // only the first counts
		{[]string{`<?p=2>; rel="next"; anchor="#other", <?p=3>; rel=next; type=x`}, "?p=3"}, // of another context
		{[]string{`<?p=2>; rel="nextish"`}, ""},
		{[]string{`<?a=1,2;3>; rel="x", <?a=4,5;6>; rel="next"`}, "?a=4,5;6"},
		{[]string{`<?p=2; rel="next"`, `garbage`, `<>;rel=next`}, ""},
		{[]string{`<?p=2>; rel="next`}, "?p=2"},
		{[]string{`<?p=2>; =; ;;, ,<?p=3>;rel=next`}, "?p=3"},
	} {
		h := http.Header{"Link": test.lines}
		if got := nextLink(h); got != test.want {
			t.Errorf("%q: %q, want %q", test.lines, got, test.want)
		}
	}
}

func FuzzNextLink(f *testing.F) {
	f.Add(`<https://a.example/?p=2>; rel="next", <https://a.example/?p=9>; rel="last"`)
	f.Add(`<?p=2>; title="a, <b>; rel=\"next\""; rel="prev"`)
	f.Fuzz(func(t *testing.T, line string) {
		got := nextLink(http.Header{"Link": {line}})
		if got != "" && !strings.Contains(line, got) {
			t.Errorf("%q is not in %q", got, line)
		}
		if to, err := sameOrigin("https://a.example/api", "https://a.example/api/x", got, "key"); err == nil && to != "" {
			if again, err := sameOrigin("https://a.example/api", "https://a.example/api", to, ""); err != nil || again != to {
				t.Errorf("%q is taken as %q, and that as %q (%v)", got, to, again, err)
			}
		}
	})
}
