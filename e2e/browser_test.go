//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPreviewPageInABrowser drives the preview page with Chromium: all channels, a wrong key, a
// phone's width, the keyboard alone. Its pictures stay in the cache folder, to be looked at.
func TestPreviewPageInABrowser(t *testing.T) {
	house := startDemo(t)
	shots := filepath.Join(cacheFolder(t, "browser"), "pictures")
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "preview.mjs", house.Preview, house.Keys["preview"], shots)
	cmd.Dir = cacheFolder(t, "browser")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the page does not hold what it promises: %v", err)
	}
}

// TestGraphQLOverHTTP runs the audits of the GraphQL-over-HTTP specification.
func TestGraphQLOverHTTP(t *testing.T) {
	house := startDemo(t)
	cmd := exec.CommandContext(t.Context(), "node", "run.mjs", house.GraphQL, house.Keys["server"])
	cmd.Dir = cacheFolder(t, "audit")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("an audit failed: %v", err)
	}
}
