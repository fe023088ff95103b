//go:build e2e

package resolvers_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPlantedMistakesAreCaught plants each mistake, in a copy that only the compiler sees, and
// runs TestNobodyGetsAnothers on it: it must find an answer that is wrong, and ends with it.
func TestPlantedMistakesAreCaught(t *testing.T) {
	root := repository(t)
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay(t, root, p.edits), "-run", "^TestNobodyGetsAnothers$", "-count", "1", "./resolvers")
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "TUTTI_ANSWERS=60000") // many times as many as it takes
			out, err := cmd.CombinedOutput()
			_, what, caught := strings.Cut(string(out), ": answer ")
			if err == nil || !caught {
				t.Fatalf("not caught: %v\n%.3000s", err, out)
			}
			what, _, _ = strings.Cut(what, "\n")
			t.Logf("caught: answer %s", what)
		})
	}
}
