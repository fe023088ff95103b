package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestDifferenceReadsAsPeopleKnowIt(t *testing.T) {
	before := "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n"
	after := "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nm\nn\n"
	want := "@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -9,5 +9,5 @@\n i\n j\n k\n-l\n m\n+n\n"
	if got := unified(before, after); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := unified(before, before); got != "" {
		t.Errorf("nothing differs, but it says\n%s", got)
	}
	if got, want := unified("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDifferenceLeadsThere: patch makes the one text of the other with it.
func TestDifferenceLeadsThere(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("needs the program patch")
	}
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		line := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "-x", "+y", " z"}), 1, 30)
		before := strings.Join(line.Draw(rt, "before"), "\n") + "\n"
		after := strings.Join(line.Draw(rt, "after"), "\n") + "\n"
		d := unified(before, after)
		if (d == "") != (before == after) {
			rt.Fatalf("%q and %q differ by %q", before, after, d)
		}
		if d == "" {
			return
		}
		file := filepath.Join(dir, "file")
		write(t, file, before)
		c := exec.Command(patch, "--quiet", file)
		c.Stdin = strings.NewReader("--- file\n+++ file\n" + d)
		if out, err := c.CombinedOutput(); err != nil || read(t, file) != after {
			rt.Fatalf("patch made %q of %q, want %q: %v %s\n%s", read(t, file), before, after, err, out, d)
		}
	})
}
