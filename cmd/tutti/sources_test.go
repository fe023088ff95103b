package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
)

// playDemo starts the demo's origin systems, lays its files out and sets the environment that
// they name.
func playDemo(t *testing.T) (origins *demo.Origins, dir string) {
	t.Helper()
	origins, err := demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origins.Close)
	dir = t.TempDir()
	if err := writeFiles(demo.Files(), dir); err != nil {
		t.Fatal(err)
	}
	env := demoEnvironment(origins, tutti.NewSecret(randomText()))
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)\}`).FindAllStringSubmatch(read(t, filepath.Join(dir, "tutti.yaml")), -1) {
		value, ok := env(m[1])
		if !ok {
			t.Errorf("the demo does not set %s", m[1])
		}
		t.Setenv(m[1], value)
	}
	return origins, dir
}

func TestSourcesAreCheckedOneByOne(t *testing.T) {
	origins, dir := playDemo(t)
	path := filepath.Join(dir, "tutti.yaml")
	out, _ := succeed(t, "sources", "check", "--config", path)
	for _, name := range origins.Names() {
		wants(t, "sources check", out, name+": ok")
	}
	out, _ = succeed(t, "sources", "check", "stay", "--config", path)
	if bytes.Count([]byte(out), []byte("\n")) != 1 {
		t.Errorf("checking one source says\n%s", out)
	}
	code, _, errs := call(t, "sources", "check", "stya", "--config", path)
	if code != failed {
		t.Errorf("an unknown source ends with %d: %s", code, errs)
	}

	t.Setenv("STAY_API_KEY", "wrong")
	code, out, errs = call(t, "sources", "check", "--config", path)
	if code != failed {
		t.Errorf("a wrong key ends with %d", code)
	}
	wants(t, "sources check", out, "stay: checking stay:hotel", "catalog: ok")
	wants(t, "sources check", errs, "1 of 5 sources")
}

// TestDemoContentIsWellAndComesBackTheSame: the demo's files pass validate, and are the same
// after they were written as export does.
func TestDemoContentIsWellAndComesBackTheSame(t *testing.T) {
	_, dir := playDemo(t)
	out, _ := succeed(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
	wants(t, "validate", out, "All is well")
	docs, err := config.ReadDocuments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		written, err := config.WriteYAML(d.Kind, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.ParseDocument(d.Kind, d.File, written)
		if err != nil || !bytes.Equal(again.Body, d.Body) {
			t.Errorf("%s is not the same after writing: %v\n%s", d.Name, err, written)
		}
	}
}
