package graph

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestGraphiQLComesFromTheBinaryAlone(t *testing.T) {
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		GraphiQL().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	page := get("/graphiql")
	if page.Code != 200 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("the page: %d %s", page.Code, page.Header().Get("Content-Type"))
	}
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "connect-src 'self'") || strings.Contains(policy, "http") || strings.Contains(policy, "unsafe-eval") {
		t.Errorf("the page may reach other hosts or evaluate text: %s", policy)
	}
	assets := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(assets) < 6 {
		t.Fatalf("the page names %d files", len(assets))
	}
	for _, a := range assets {
		if a[1] == "data:," {
			continue
		}
		if got := get(a[1]); !strings.HasPrefix(a[1], "/graphiql/") || got.Code != 200 || got.Body.Len() == 0 {
			t.Errorf("%s: %d", a[1], got.Code)
		}
	}
	if strings.Contains(page.Body.String(), "<script>") || regexp.MustCompile(` on[a-z]+=`).MatchString(page.Body.String()) {
		t.Error("the page has inline scripts, which its policy refuses")
	}
	if w := get("/graphiql/../../go.mod"); w.Code != http.StatusNotFound {
		t.Errorf("a path outside: %d", w.Code)
	}
}

func TestGraphiQLIsSmall(t *testing.T) {
	total := int64(0)
	err := fs.WalkDir(graphiqlAssets, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		total += i.Size()
		return err
	})
	if err != nil || total > 3<<20 || total < 1<<20 {
		t.Errorf("%d bytes, %v", total, err)
	}
}
