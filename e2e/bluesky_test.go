//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/sourcetest"
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

func startNetwork(t *testing.T) *network {
	t.Helper()
	dir, temp, database := cacheFolder(t, "bluesky"), t.TempDir(), startCluster(t)
	port, pdsPort, appviewPort := freePort(t), freePort(t), freePort(t)
	env := append(os.Environ(), "PORT="+port, "PDS_PORT="+pdsPort, "APPVIEW_PORT="+appviewPort, "DATABASE="+database.address(), "TMPDIR="+temp, "LOG_ENABLED=false")
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

// postsOf gives the at-uris of a person's latest posts.
func (n *network) postsOf(t *testing.T, name string) (uris []string) {
	t.Helper()
	var feed struct {
		Feed []struct{ Post struct{ URI string } }
	}
	call(t, http.MethodGet, n.url+"/xrpc/app.bsky.feed.getAuthorFeed?limit=100&actor="+n.state.People[name], nil, nil, &feed)
	for _, f := range feed.Feed {
		uris = append(uris, f.Post.URI)
	}
	return uris
}

// TestRealBlueskyKeepsTheContract runs the contract suite against a real network.
func TestRealBlueskyKeepsTheContract(t *testing.T) {
	n := startNetwork(t)
	const nobody = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
	missing := "at://" + n.state.People["ana"] + "/app.bsky.feed.post/3aaaaaaaaaaaa"
	const noWebhook = "Bluesky posts no webhooks"
	suite(t, &sourcetest.System{
		Source: config.Source{Name: "social", Connector: "bluesky"},
		Kinds: map[string]sourcetest.Kind{
			"post":    {IDs: n.postsOf(t, "cleo"), Missing: missing, Field: "text"},
			"picture": {IDs: []string{n.state.Posts["picture"], n.state.Posts["quote"]}, Missing: missing, Field: "alt"},
			"profile": {IDs: []string{n.state.People["ana"], n.state.People["ben"], n.state.People["cleo"]}, Missing: nobody, Field: "handle"},
		},
		Patience: 2 * time.Second,
		Skip: map[string]string{
			"webhooks": noWebhook, "old webhooks": noWebhook,
			"post: forgotten means gone": noWebhook, "picture: forgotten means gone": noWebhook, "profile: forgotten means gone": noWebhook,
		},
	}, n.url, nil)
}
