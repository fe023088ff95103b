//go:build e2e

package resolvers_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces text that stands once in a file; without old it adds to its end.
type edit struct{ file, old, new string }

// planted are mistakes that would give somebody what is another's.
var planted = []struct {
	name  string
	edits []edit
}{
	{"drop a dimension", []edit{
		{"engine/sign.go", "k.out.text(d.channel, d.locale, d.scope.Market, d.scope.Currency)", "k.out.text(d.channel, d.locale)"},
	}},
	{"coalesce on a coarser key", []edit{
		{"cache/handle.go", "f := c.flights[key.Key]", "f := c.flights[coarse(key.Key)]"},
		{"cache/handle.go", "c.flights[key.Key] = f", "c.flights[coarse(key.Key)] = f"},
		{"cache/flight.go", "key := b.asks[i].Key.Key;", "key := coarse(b.asks[i].Key.Key);"},
		{"cache/epochs.go", "", "\nfunc coarse(key string) string {\n\tfor i := 0; i+4 < len(key); i++ {\n\t\tif s := key[i:i+4]; s == \"2:en\" || s == \"2:de\" {\n\t\t\treturn key[:i]\n\t\t}\n\t}\n\treturn key\n}\n"},
	}},
	{"unescaped key join", []edit{
		{"engine/key.go", "		k.b = binary.AppendUvarint(k.b, uint64(len(p)))\n		k.b = append(k.b, p...)", "		k.b = append(k.b, p...)"},
	}},
	{"preview in a shared key", []edit{
		{"resolvers/deliver.go", " && !graph.ViewerFrom(ctx).Editing() && !req.previewed", ""},
		{"engine/sign.go", "c.number = compositions.Add(1)", "c.number = number(c.ID, c.Version)"},
		{"engine/sign.go", "", "\nvar numbers sync.Map\n\nfunc number(id string, version int) uint64 {\n\tn, _ := numbers.LoadOrStore([2]any{id, version}, compositions.Add(1))\n\treturn n.(uint64)\n}\n"},
	}},
	{"consent ignored", []edit{
		{"engine/learn.go", "if !l.v.Consent.Given(a.Purpose) {", "if false {"},
	}},
	{"error kept", []edit{
		{"resolvers/deliver.go", "if len(x.Problems)+len(d.problems) > 0 {", "if false {"},
		{"graph/answers.go", " || len(p.Problems) > 0 {", " {"},
	}},
	{"generation missing", []edit{
		{"resolvers/replica_test.go", "if c.kept > 0 {", "if c.kept > 0 && old == nil {"},
		{"resolvers/replica_test.go", "if old != nil {\n		old.Close()", "if false {\n		old.Close()"},
		{"engine/sign.go", "c.number = compositions.Add(1)", "c.number = number(c.ID, c.Version)"},
		{"engine/sign.go", "", "\nvar numbers sync.Map\n\nfunc number(id string, version int) uint64 {\n\tn, _ := numbers.LoadOrStore([2]any{id, version}, compositions.Add(1))\n\treturn n.(uint64)\n}\n"},
		{"graph/selection.go", "	return &Selection{number: number,", "	if number != 0 {\n		number = uint64(set[0].GetPosition().Start) + 1\n	}\n	return &Selection{number: number,"},
	}},
	{"locale missing", []edit{
		{"engine/sign.go", "k.out.text(d.channel, d.locale,", "k.out.text(d.channel, \"\","},
	}},
	{"policy class missing", []edit{
		{"graph/execute.go", "g.forbidden(known.restrictions, v.Class)", "verdict(known, func() gqlerror.List { return g.forbidden(known.restrictions, v.Class) })"},
		{"graph/execute.go", "", "\nvar verdicts sync.Map\n\nfunc verdict(op *operation, of func() gqlerror.List) gqlerror.List {\n\tlist, _ := verdicts.LoadOrStore(op, of())\n\treturn list.(gqlerror.List)\n}\n"},
		{"graph/execute.go", "import (\n", "import (\n	\"sync\"\n"},
	}},
}

// TestPlantedMistakesAreCaught plants each mistake, in a copy that only the compiler sees, and
// runs TestNobodyGetsAnothers on it: it must find an answer that is wrong.
func TestPlantedMistakesAreCaught(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay(t, root, p.edits), "-run", "^TestNobodyGetsAnothers$", "-count", "1", "./resolvers")
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "TUTTI_ANSWERS=15000")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), ": answer ") {
				t.Errorf("not caught: %v\n%.3000s", err, out)
				return
			}
			_, what, _ := strings.Cut(string(out), ": answer ")
			what, _, _ = strings.Cut(what, "\n")
			t.Logf("caught: answer %s", what)
		})
	}
}

// overlay writes the edited copies, and the file that tells the compiler of them.
func overlay(t *testing.T, root string, edits []edit) string {
	t.Helper()
	dir := t.TempDir()
	texts, replace := map[string]string{}, map[string]string{}
	for _, e := range edits {
		if _, read := texts[e.file]; !read {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[e.file] = string(b)
		}
		if e.old == "" {
			texts[e.file] += e.new
			continue
		}
		if n := strings.Count(texts[e.file], e.old); n != 1 {
			t.Fatalf("%s holds %q %d times: plant the mistake anew", e.file, e.old, n)
		}
		texts[e.file] = strings.Replace(texts[e.file], e.old, e.new, 1)
	}
	for file, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = copied
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
