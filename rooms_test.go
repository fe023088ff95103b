package tutti_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/tuttihq/tutti"

// rooms says which rooms a room's code (not its tests) may import; as in ARCHITECTURE.md.
// "*" is everything. A room that is not here may not exist.
var rooms = map[string][]string{
	"":                {},
	"graph":           {"", "cache"},
	"resolvers":       {"", "graph", "engine", "insights"},
	"engine":          {"", "internal"},
	"sources":         {"", "cache", "internal"},
	"cache":           {""},
	"store":           {""},
	"insights":        {""},
	"studio":          {},
	"demo":            {""},
	"internal/expr":   {"", "internal/text"},
	"internal/text":   {""},
	"internal/fetch":  {""},
	"internal/config": {""},
	"cmd/tutti":       {"*"},
	"bench":           {"*"},
	"e2e":             {"*"},
}

// TestRooms keeps the table of ARCHITECTURE.md true: who may import whom, and that the root
// imports the standard library only.
func TestRooms(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		room, ok := roomOf(filepath.ToSlash(filepath.Dir(path)))
		if !ok {
			t.Errorf("%s stands in no room; the rooms are in ARCHITECTURE.md", path)
			return nil
		}
		seen[room] = true
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if room == "" && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				t.Errorf("%s imports %s; the root imports the standard library only", path, imported)
			}
			if imported != module && !strings.HasPrefix(imported, module+"/") {
				continue
			}
			target, ok := roomOf(strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"))
			if !ok {
				t.Errorf("%s imports %s, which is no room", path, imported)
			} else if target != room && !mayImport(room, target) {
				t.Errorf("%s: room %q may not import room %q", path, room, target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"", "graph", "resolvers", "engine", "sources", "cache", "store", "demo", "cmd/tutti"} {
		if !seen[must] {
			t.Errorf("room %q has no code; was it renamed without this table?", must)
		}
	}
	if _, err := os.Stat("ARCHITECTURE.md"); err != nil {
		t.Error(err)
	}
}

func roomOf(dir string) (string, bool) {
	if dir == "." || dir == "" {
		return "", true
	}
	for parts := strings.Split(dir, "/"); len(parts) > 0; parts = parts[:len(parts)-1] {
		if name := strings.Join(parts, "/"); name != "" {
			if _, ok := rooms[name]; ok {
				return name, true
			}
		}
	}
	return "", false
}

func mayImport(room, target string) bool {
	for _, allowed := range rooms[room] {
		if allowed == "*" || allowed == target || allowed == "internal" && strings.HasPrefix(target, "internal/") {
			return true
		}
	}
	return false
}
