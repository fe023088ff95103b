package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/tuttihq/tutti/internal/config"
)

const docs = "../../docs/"

// blocks gives the fenced examples of a page, by their language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	var found []string
	rest := read(t, page)
	for {
		_, after, ok := strings.Cut(rest, "```"+language+"\n")
		if !ok {
			return found
		}
		block, remaining, ok := strings.Cut(after, "\n```")
		if !ok {
			t.Fatalf("%s has an example without an end", page)
		}
		found, rest = append(found, block+"\n"), remaining
	}
}

// exampleFiles joins the YAML examples of pages by the file that their first line names, and
// gives those that name none.
func exampleFiles(t *testing.T, pages ...string) (files map[string]string, others []string) {
	t.Helper()
	files = map[string]string{}
	for _, page := range pages {
		for _, block := range blocks(t, docs+page, "yaml") {
			first, _, _ := strings.Cut(block, "\n")
			if name, ok := strings.CutPrefix(first, "# "); ok && strings.HasSuffix(name, ".yaml") {
				files[name] += block
			} else {
				others = append(others, block)
			}
		}
	}
	return files, others
}

// exampleEnvironment sets what the examples take from the environment.
func exampleEnvironment(t *testing.T) {
	for _, name := range []string{"CATALOG_WEBHOOK_SECRET", "DAM_API_KEY", "DAM_API_SECRET", "STAY_API_KEY", "SUPPORT_EMAIL", "SUPPORT_API_TOKEN", "TUTTI_VISITOR_SECRET"} {
		t.Setenv(name, strings.Repeat("x", 32))
	}
}

// TestExamplesOfTheDocsAreValid checks the pages' files as tutti validate does.
func TestExamplesOfTheDocsAreValid(t *testing.T) {
	exampleEnvironment(t)
	for name, pages := range map[string][]string{"configuration and compositions": {"configuration.md", "compositions.md"}, "channels": {"channels.md"}} {
		t.Run(name, func(t *testing.T) {
			files, others := exampleFiles(t, pages...)
			if len(others) > 0 {
				t.Errorf("an example names no file:\n%s", others[0])
			}
			dir := t.TempDir()
			for name, content := range files {
				write(t, filepath.Join(dir, name), content)
			}
			write(t, filepath.Join(dir, "manifests/stay.yaml"), read(t, "../../demo/manifests/stay.yaml"))
			out, _ := succeed(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
			if files["compositions/home.yaml"] != "" {
				wants(t, "validate", out, count(len(files)-1, "document"))
			}
		})
	}
	t.Run("keys", func(t *testing.T) {
		files, others := exampleFiles(t, "keys.md")
		if len(files) > 0 || len(others) == 0 {
			t.Error("keys.md has other examples than this test knows")
		}
		for _, block := range others {
			if _, err := config.Parse("keys.md", []byte(block), os.LookupEnv); err != nil {
				t.Errorf("%v in\n%s", err, block)
			}
		}
	})
}

// TestCommandsOfTheDocsExist reads every command line that starts with tutti.
func TestCommandsOfTheDocsExist(t *testing.T) {
	folder, err := filepath.Abs(docs)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(pages) < 4 {
		t.Fatalf("found %v, %v", pages, err)
	}
	t.Chdir(t.TempDir()) // folders and files that commands read must exist
	if err := os.MkdirAll("content", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "tutti.jsonl", "")
	write(t, "operations.json", "{}")
	seen := 0
	for _, page := range pages {
		for _, block := range blocks(t, page, "sh") {
			for line := range strings.Lines(block) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
				args, ok := strings.CutPrefix(strings.TrimSuffix(line, " &"), "tutti ")
				if !ok {
					continue
				}
				seen++
				parser, err := kong.New(new(cli), kong.Name("tutti"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := parser.Parse(words(args)); err != nil {
					t.Errorf("%s: tutti %s: %v", filepath.Base(page), args, err)
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d command lines were found", seen)
	}
}

// words splits a command line at spaces, as a shell does, with double quotes.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
