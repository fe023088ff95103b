package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti/internal/config"
)

// serveSmall runs a whole server on the small config and sets the environment of commands to it.
func serveSmall(t *testing.T) *api {
	t.Helper()
	dir := t.TempDir()
	path, database := filepath.Join(dir, "tutti.yaml"), "sqlite:"+filepath.Join(dir, "tutti.db")
	write(t, path, smallConfig)
	cfg, err := config.Load(path, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := succeed(t, "keys", "create", "test", "--class", "management", "--database", database)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s, err := start(ctx, cfg, "127.0.0.1:0", database, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.wait(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Setenv("TUTTI_URL", s.address())
	t.Setenv("TUTTI_MANAGEMENT_KEY", strings.TrimSpace(key))
	a, err := apiFlags{URL: s.address(), Key: strings.TrimSpace(key)}.connect()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// smallContent writes one document of each kind.
func smallContent(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "compositions/home.yaml"), "# our home page\n"+smallHome)
	write(t, filepath.Join(dir, "audiences/best.yaml"), "description: The best\nrule: best\n")
	write(t, filepath.Join(dir, "personas/ana.yaml"), "description: Ana\nlocation: {lat: 43.25, lon: -2.5}\nlocale: en\nattributes: {tier: gold}\nconsent: {personalization: true}\n")
	write(t, filepath.Join(dir, "redirects.yaml"), "redirects:\n  - {from: /old, to: /new, permanent: true}\n")
	return dir
}

// files gives all files of a folder by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		all[name] = read(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAppliedFilesComeBackTheSame(t *testing.T) {
	a := serveSmall(t)
	dir := smallContent(t)
	out, _ := succeed(t, "apply", "--dir", dir, "--publish", "--note", "First")
	wants(t, "apply", out, "audiences/best.yaml: saved", "compositions/home.yaml: saved", "personas/ana.yaml: saved", "redirects.yaml: saved", "audiences/best.yaml: published", "compositions/home.yaml: published")
	if strings.Contains(out, "ana.yaml: published") {
		t.Error("personas are published apart")
	}

	t.Run("nothing differs then", func(t *testing.T) {
		for _, args := range [][]string{{"apply", "--dir", dir, "--dry-run", "--publish", "--prune"}, {"apply", "--dir", dir, "--publish", "--prune"}} {
			out, errs := succeed(t, args...)
			if out != "" {
				t.Errorf("says %s", out)
			}
			wants(t, "apply", errs, "says the same")
		}
	})
	t.Run("exporting into the same folder changes no file", func(t *testing.T) {
		before := files(t, dir)
		out, errs := succeed(t, "export", "--dir", dir)
		if out != "" {
			t.Errorf("writes %s", out)
		}
		wants(t, "export", errs, "4 documents, 0 written")
		for name, content := range files(t, dir) {
			if before[name] != content {
				t.Errorf("%s became\n%s", name, content)
			}
		}
	})
	t.Run("exported into another folder, they say the same", func(t *testing.T) {
		other := t.TempDir()
		succeed(t, "export", "--dir", other)
		if got := files(t, other); len(got) != 4 {
			t.Fatalf("wrote %v", got)
		}
		_, errs := succeed(t, "apply", "--dir", other, "--publish", "--prune")
		wants(t, "apply", errs, "says the same")
		first := files(t, other)
		succeed(t, "export", "--dir", other)
		for name, content := range files(t, other) {
			if first[name] != content {
				t.Errorf("%s is written differently the second time", name)
			}
		}
	})
	t.Run("visitors get what was published", func(t *testing.T) {
		var got struct {
			Experience struct{ Version int }
		}
		if err := a.do(t.Context(), `{ experience(composition: "home", channel: "web") { version } }`, nil, &got); err != nil || got.Experience.Version != 1 {
			t.Errorf("version %d, %v", got.Experience.Version, err)
		}
	})
}

func TestDryRunShowsTheDifferenceAndChangesNothing(t *testing.T) {
	serveSmall(t)
	dir := smallContent(t)
	out, errs := succeed(t, "apply", "--dir", dir, "--dry-run")
	wants(t, "a dry run", out, "compositions/home.yaml: new", "@@ -0,0 +1,", "+type: page")
	wants(t, "a dry run", errs, "4 documents would change; nothing was")
	succeed(t, "apply", "--dir", dir, "--publish")

	write(t, filepath.Join(dir, "compositions/home.yaml"), strings.Replace(smallHome, "headline: Hello", "headline: Good day", 1))
	out, _ = succeed(t, "apply", "--dir", dir, "--dry-run")
	wants(t, "a dry run", out, "compositions/home.yaml: changed (the server has revision 1)", "--- server", "-          headline: Hello\n+          headline: Good day\n")
	if strings.Contains(out, "audiences") {
		t.Errorf("shows what does not differ:\n%s", out)
	}
	write(t, filepath.Join(dir, "audiences/more.yaml"), "rule: audience.best\n")
	succeed(t, "apply", "--dir", dir)
	out, _ = succeed(t, "apply", "--dir", dir, "--dry-run", "--publish")
	wants(t, "a dry run that would publish", out, "compositions/home.yaml: to be published", "audiences/more.yaml: to be published")
	again, _ := succeed(t, "apply", "--dir", dir, "--dry-run", "--publish")
	if again != out {
		t.Errorf("the first dry run changed something: now it says\n%s", again)
	}
	other := t.TempDir()
	succeed(t, "export", "--dir", other)
	wants(t, "the server's file", read(t, filepath.Join(other, "compositions/home.yaml")), "headline: Good day")
}

func TestWhatIsRefusedIsToldWithItsLine(t *testing.T) {
	serveSmall(t)
	dir := smallContent(t)
	write(t, filepath.Join(dir, "compositions/home.yaml"), strings.Replace(smallHome, "type: Hero", "type: Her", 1))
	code, out, errs := call(t, "apply", "--dir", dir, "--publish")
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "apply", errs, "home.yaml:8:", "Her")
	if strings.Contains(out, "home.yaml: published") {
		t.Errorf("it was published although it could not be saved:\n%s", out)
	}
}

func TestAudiencesThatNameEachOtherFindTheirOrder(t *testing.T) {
	serveSmall(t)
	dir := smallContent(t)
	write(t, filepath.Join(dir, "audiences/a.yaml"), "rule: audience.z && best\n")
	write(t, filepath.Join(dir, "audiences/z.yaml"), "rule: audience.best\n")
	out, errs := succeed(t, "apply", "--dir", dir, "--publish")
	wants(t, "apply", out, "audiences/a.yaml: published", "audiences/z.yaml: published", "compositions/home.yaml: published")
	if errs != "" {
		t.Errorf("says %s", errs)
	}
	_, errs = succeed(t, "apply", "--dir", dir, "--publish")
	wants(t, "apply a second time", errs, "says the same")
}

func TestUnpublishedAudiencesAreExplained(t *testing.T) {
	serveSmall(t)
	code, _, errs := call(t, "apply", "--dir", smallContent(t))
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "apply", errs, "home.yaml:14:", "--publish does that first")
}

func TestPruneTakesBackWhatTheFolderHasNot(t *testing.T) {
	a := serveSmall(t)
	dir := smallContent(t)
	succeed(t, "apply", "--dir", dir, "--publish")
	empty := t.TempDir()
	_, errs := succeed(t, "apply", "--dir", empty, "--publish")
	wants(t, "apply without --prune", errs, "says the same")
	out, _ := succeed(t, "apply", "--dir", empty, "--prune", "--dry-run")
	wants(t, "a dry run", out, "compositions/home.yaml: to be unpublished", "audiences/best.yaml: to be unpublished", "personas/ana.yaml: to be deleted", "redirects.yaml: to be emptied")
	out, _ = succeed(t, "apply", "--dir", empty, "--prune")
	wants(t, "apply", out, "compositions/home.yaml: unpublished", "audiences/best.yaml: unpublished", "personas/ana.yaml: deleted", "redirects.yaml: emptied")
	_, errs = succeed(t, "apply", "--dir", empty, "--prune")
	wants(t, "apply a second time", errs, "says the same")
	var got json.RawMessage
	if err := a.do(t.Context(), `{ experience(composition: "home", channel: "web") { version } }`, nil, &got); err == nil || !strings.Contains(err.Error(), "home") {
		t.Errorf("visitors still get it: %s %v", got, err)
	}
}

func TestLostRaceIsExplained(t *testing.T) {
	a := serveSmall(t)
	dir := smallContent(t)
	succeed(t, "apply", "--dir", dir, "--publish")
	docs, err := config.ReadDocuments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		_, _, err := a.save(t.Context(), d, 7) // a revision that the server does not have
		if err == nil {
			t.Errorf("%s was saved over somebody else's", d.Name)
			continue
		}
		wants(t, d.Name, explain(located(d, err)), "was not saved", "--dry-run", filepath.Base(d.File))
	}
}

func TestWrongServersAndKeysAreExplained(t *testing.T) {
	serveSmall(t)
	dir := smallContent(t)
	const bad = "tutti_management_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, c := range []struct{ args, says string }{
		{"--key " + bad, "does not take this key"},
		{"--url " + os.Getenv("TUTTI_URL") + "/healthz", "is no GraphQL API"},
		{"--url ftp://x", "no http or https address"},
	} {
		code, _, errs := call(t, append([]string{"apply", "--dir", dir}, strings.Fields(c.args)...)...)
		if code != failed {
			t.Errorf("apply %s ends with %d", c.args, code)
		}
		wants(t, "apply "+c.args, errs, c.says)
		if strings.Contains(errs, bad) || strings.Contains(errs, os.Getenv("TUTTI_MANAGEMENT_KEY")) {
			t.Errorf("apply %s prints a key", c.args)
		}
	}
}
