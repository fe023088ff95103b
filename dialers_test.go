package tutti_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// dialers are the only files that may open connections themselves, each with the reason. Everything else goes through
// internal/fetch, which looks at the address that is really dialled.
var dialers = map[string]string{
	"graph/jwks.go":  "of a client without a transport; the house gives the guarded one",
	"demo/origin.go": "the played systems post their webhooks",
}

// TestNobodyElseDials looks for what opens connections in everything that ships.
func TestNobodyElseDials(t *testing.T) {
	opens := map[string]bool{}
	for _, name := range strings.Fields(`http.Get http.Head http.Post http.PostForm http.DefaultClient http.DefaultTransport http.Client http.Transport
		net.Dial net.DialTimeout net.DialTCP net.DialUDP net.DialIP net.DialUnix net.Dialer tls.Dial tls.DialWithDialer tls.Dialer`) {
		opens[name] = true
	}
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch name := d.Name(); {
			case path == ".", !strings.HasPrefix(name, ".") && name != "node_modules" && name != "testdata" && name != "tools" && name != "bench" && name != "e2e":
				return nil
			}
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "scripts/") || strings.HasPrefix(filepath.ToSlash(path), "internal/fetch/") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		made := func(e ast.Expr) (string, bool) {
			s, ok := e.(*ast.SelectorExpr)
			if !ok {
				return "", false
			}
			p, ok := s.X.(*ast.Ident)
			return s.Sel.Name, ok && opens[p.Name+"."+s.Sel.Name]
		}
		ast.Inspect(f, func(n ast.Node) bool {
			name, found := "", false
			switch n := n.(type) {
			case *ast.CompositeLit: // a client or dialer of its own
				name, found = made(n.Type)
			case *ast.CallExpr:
				name, found = made(n.Fun)
			case *ast.SelectorExpr:
				if name, found = made(n); found {
					found = strings.HasPrefix(name, "Default")
				}
			}
			if found {
				used[path] = true
				if dialers[filepath.ToSlash(path)] == "" {
					t.Errorf("%s uses %s: only internal/fetch opens connections", path, name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range dialers {
		if !used[path] {
			t.Errorf("the exception %s is no longer needed", path)
		}
	}
}
