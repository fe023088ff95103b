//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// network is a running Bluesky network of four people and 70 posts. It is itself what Tutti asks, the
// AppView, and can be killed; the rest of the network goes on.
type network struct {
	*realSystem
	pds   string // the server of people's data, where they write
	state struct {
		Password string
		People   map[string]string // DIDs by name
		Posts    map[string]string // at-uris by name
	}
}

// startNetwork starts one. Pictures have addresses of a cdn; "" = the AppView's own.
func startNetwork(t *testing.T, cdn string) *network {
	t.Helper()
	dir, temp, database := cacheFolder(t, "bluesky"), t.TempDir(), startCluster(t)
	port, pdsPort, appviewPort := freePort(t), freePort(t), freePort(t)
	env := append(os.Environ(), "PORT="+port, "PDS_PORT="+pdsPort, "APPVIEW_PORT="+appviewPort, "DATABASE="+database.address(), "TMPDIR="+temp, "LOG_ENABLED=false", "CDN="+cdn)
	node := func(script string, more ...string) func() *exec.Cmd {
		return func() *exec.Cmd {
			cmd := exec.Command("node", filepath.Join(dir, script))
			cmd.Dir, cmd.Env = dir, append(env, more...)
			return cmd
		}
	}
	below := startReal(t, &realSystem{name: "the network", url: "http://127.0.0.1:" + port, command: node("network.js")})
	n := &network{pds: "http://127.0.0.1:" + pdsPort}
	res, err := impatient.Get(below.url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	state, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(state, &n.state); err != nil {
		t.Fatal(err)
	}
	n.realSystem = startReal(t, &realSystem{
		name: "the AppView", url: "http://127.0.0.1:" + appviewPort, ready: "http://127.0.0.1:" + appviewPort + "/xrpc/_health",
		command: node("appview.js", "NETWORK="+string(state)),
	})
	return n
}

// TestRealBlueskyKeepsTheContract asks a real network what make test asks its recording: through the server of
// an account, which answers nobody else.
func TestRealBlueskyKeepsTheContract(t *testing.T) {
	n := startNetwork(t, "https://cdn.example.com/img")
	keepsContract(t, config.Source{Name: "social", Connector: "bluesky", URL: n.pds, Secrets: map[string]tutti.Secret{
		"identifier": tutti.NewSecret("cleo.test"), "appPassword": tutti.NewSecret(n.state.Password),
	}})
}
