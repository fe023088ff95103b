package sources

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

var (
	block     = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	indented  = regexp.MustCompile(`(?m)^(.)`)
	tableName = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|")
)

// TestManualIsTrue reads docs/manifests.md: every example is taken, and every scheme is in it.
func TestManualIsTrue(t *testing.T) {
	b, err := os.ReadFile("../docs/manifests.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	dir := t.TempDir()
	for i, m := range block.FindAllStringSubmatch(text, -1) {
		part := m[1]
		switch first, _, _ := strings.Cut(part, "\n"); {
		case strings.HasPrefix(part, "name:"):
			if err := os.MkdirAll(filepath.Join(dir, "manifests"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "manifests", "acme.yaml"), []byte(part), 0o600); err != nil {
				t.Fatal(err)
			}
			whole(t, i, part)
		case strings.HasPrefix(part, "# a whole one"):
			whole(t, i, part)
		case strings.HasPrefix(part, "sources:"):
			opened(t, dir, part)
		case first == "# under kinds.item":
			kind := "type: Record\n" + part
			if !strings.Contains(part, "\nget:") && !strings.Contains(part, "\nbatch:") && !strings.Contains(part, "\nwhole:") {
				kind += "get: {path: \"/items/${id}\"}\n"
			}
			if !strings.Contains(part, "\nmap:") {
				kind += "map: {title: record.name}\n"
			}
			whole(t, i, "name: acme\nkinds:\n  item:\n"+indented.ReplaceAllString(kind, "    $1"))
		case first == "# under kinds.book":
			kind := "type: Record\nbatch: {sql: select id from books where id = any($ids), maxIds: 500}\nmap: {title: record.title}\n" + part
			whole(t, i, "name: library\nprotocol: sql\nsecrets: {url: {description: The address.}}\nurl: ${secrets.url}\nkinds:\n  book:\n"+indented.ReplaceAllString(kind, "    $1"))
		case first == "# at the top":
			whole(t, i, "name: acme\n"+part+"kinds: {item: {type: Record, get: {path: \"/items/${id}\"}, map: {title: record.name}}}\n")
		default:
			t.Errorf("example %d does not say where it belongs:\n%s", i+1, part)
		}
	}
	named := map[string]bool{}
	for _, m := range tableName.FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for _, name := range sortedKeys(schemes) {
		if !named[name] {
			t.Errorf("no table has a line for %s", name)
		}
	}
}

// TestManualNamesEveryField compares the table of fields with the types that have them.
func TestManualNamesEveryField(t *testing.T) {
	b, err := os.ReadFile("../docs/manifests.md")
	if err != nil {
		t.Fatal(err)
	}
	common := tutti.CanonicalFields[tutti.RecordType]
	for kind, fields := range tutti.CanonicalFields {
		var all []string
		for _, name := range sortedKeys(fields) {
			if _, ok := common[name]; !ok {
				all = append(all, "`"+name+"` "+string(fields[name]))
			}
		}
		if line := "| `" + string(kind) + "` | " + strings.Join(all, ", ") + " |\n"; len(all) > 0 && !strings.Contains(string(b), line) {
			t.Errorf("no table has the line\n%s", line)
		}
	}
	for _, name := range sortedKeys(common) {
		if !strings.Contains(string(b), "`"+name+"` "+string(common[name])) {
			t.Errorf("%s, which all types have, is not told", name)
		}
	}
}

func whole(t *testing.T, i int, manifest string) {
	t.Helper()
	if _, err := ParseManifest("manifests.md", []byte(manifest)); err != nil {
		t.Errorf("example %d: %v\n%s", i+1, err, manifest)
	}
}

// opened reads a part of tutti.yaml and opens its sources.
func opened(t *testing.T, dir, part string) {
	t.Helper()
	path := filepath.Join(dir, "tutti.yaml")
	if err := os.WriteFile(path, []byte("locales: {default: en, names: [en]}\n"+part), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, func(name string) (string, bool) { return "secret", strings.HasSuffix(name, "_KEY") })
	if err != nil {
		t.Errorf("the config: %v", err)
		return
	}
	s, err := Open(c.Sources, Deps{Dir: dir})
	if err != nil {
		t.Errorf("opening its sources: %v", err)
		return
	}
	s.Close()
}
