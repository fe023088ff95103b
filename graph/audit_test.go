package graph

import (
	"os"
	"os/exec"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestPassesAllAudits runs the public audits of GraphQL over HTTP. They need Node and a package,
// so plain test runs leave them out until e2e/audit/run has fetched it; make e2e always runs them.
func TestPassesAllAudits(t *testing.T) {
	if _, err := os.Stat("../e2e/audit/node_modules/graphql-http"); err != nil && os.Getenv("TUTTI_E2E") == "" {
		t.Skip("needs e2e/audit/node_modules; set TUTTI_E2E=1 to fetch it")
	}
	h := newHouse(t)
	out, err := exec.CommandContext(t.Context(), "../e2e/audit/run", h.http.URL+"/graphql", h.keys[tutti.ServerKey]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
