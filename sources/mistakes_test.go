package sources

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakesAreExplained reads testdata/mistakes/*.txt: a manifest, a line of dashes, and what
// is said about it.
func TestMistakesAreExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding the mistakes: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			manifest, want, _ := strings.Cut(string(b), "\n-----\n")
			_, err = ParseManifest("acme.yaml", []byte(manifest+"\n"))
			if err == nil {
				t.Fatal("it is taken")
			}
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(file, []byte(manifest+"\n-----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			}
			if got != want {
				t.Errorf("it says:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
