package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// call runs a command line as a shell does, without what the shell may have in its environment.
func call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestAResultThatCannotBeWrittenIsAFailure writes what several commands print where there is no room.
func TestAResultThatCannotBeWrittenIsAFailure(t *testing.T) {
	for _, args := range [][]string{{"connectors"}, {"connectors", "--json"}, {"version"}, {"connector", "try", "vendure", "product/1", "--recording", "vendure", "--currency", "USD"}} {
		var errs strings.Builder
		if code := run(t.Context(), args, full{}, &errs); code != failed || strings.Count(errs.String(), "no space left on device") != 1 {
			t.Errorf("%v ends with %d: %s", args, code, errs.String())
		}
	}
}

// succeed is call for what must work.
func succeed(t *testing.T, args ...string) (out, errs string) {
	t.Helper()
	code, out, errs := call(t, args...)
	if code != done {
		t.Fatalf("tutti %s ends with %d: %s%s", strings.Join(args, " "), code, out, errs)
	}
	return out, errs
}

func wants(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s does not say %q:\n%s", what, p, text)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", done, "Usage: tutti <command>"},
		{"--help", done, "keys create"},
		{"version", done, "tutti "},
		{"nonsense", misuse, "Try:  tutti --help"},
		{"keys create x", misuse, "--class"},
		{"keys create x --class admin", misuse, "--class"},
		{"validate --config none.yaml", failed, "There is no config file"},
		{"apply --dir none", misuse, "none"},
	} {
		code, out, errs := call(t, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("tutti %s ends with %d, want %d: %s%s", c.args, code, c.code, out, errs)
		}
		wants(t, "tutti "+c.args, out+errs, c.says)
	}
}

// TestEveryCommandShowsExamples walks the command line, so that a new command is in it.
func TestEveryCommandShowsExamples(t *testing.T) {
	parser, err := kong.New(new(cli))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(leaf.Path(), parser.Model.Name+" ")
		out, _ := succeed(t, append(strings.Fields(path), "--help")...)
		wants(t, "the help of "+path, out, "Examples:", "tutti "+path)
		if _, ok := leaf.Target.Addr().Interface().(command); !ok {
			t.Errorf("tutti %s cannot be run", path)
		}
	}
}

func TestCancelledContextEndsACommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"export", "--key", "x", "--url", "http://127.0.0.1:1/graphql", "--dir", t.TempDir()}, &out, &errs); code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "export", errs.String(), "does not answer")
}
