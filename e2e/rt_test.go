//go:build e2e

package e2e

import (
	"context"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/sourcetest"
)

// tracker is a running Request Tracker with 58 tickets of three guests.
type tracker struct {
	*realSystem
	token  string // of the connector's user, who may also edit
	worked int    // the minutes that the last change told
}

// startTracker starts a Request Tracker that posts its edits to hook.
func startTracker(t *testing.T, hook string) *tracker {
	t.Helper()
	dir, port := cacheFolder(t, "rt"), freePort(t)
	data := copied(t, dir+"/data")
	token, err := os.ReadFile(data + "/token")
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracker{token: string(token), realSystem: &realSystem{
		name: "Request Tracker", url: "http://127.0.0.1:" + port, ready: "http://127.0.0.1:" + port + "/NoAuth/css/base.css",
		command: func() *exec.Cmd {
			cmd := exec.Command(dir + "/serve")
			cmd.Env = append(os.Environ(), "PORT="+port, "DATA="+data, "HOOK_URL="+hook, "HOOK_SECRET="+hookSecret)
			return cmd
		},
	}}
	startReal(t, tr.realSystem)
	return tr
}

// rest makes a call of the REST API, as an agent's tool does.
func (r *tracker) rest(ctx context.Context, method, path string, body, v any) error {
	return tryCall(ctx, method, r.url+"/REST/2.0"+path, map[string]string{"Authorization": "token " + r.token}, body, v)
}

// change changes a ticket; nil deletes it. What is said already changes too: RT posts no edit that edits nothing.
func (r *tracker) change(ctx context.Context, _, id string, fields map[string]any) error {
	if fields == nil {
		return r.rest(ctx, http.MethodDelete, "/ticket/"+id, nil, nil)
	}
	r.worked++
	all := map[string]any{"TimeWorked": r.worked}
	maps.Copy(all, fields)
	return r.rest(ctx, http.MethodPut, "/ticket/"+id, all, nil)
}

// TestRealRequestTrackerKeepsItsWebhooksToo runs the contract suite against a real Request Tracker.
func TestRealRequestTrackerKeepsItsWebhooksToo(t *testing.T) {
	hooks := startPosts(t)
	r := startTracker(t, hooks.url)
	suite(t, &sourcetest.System{
		Source: config.Source{
			Name: "support", Connector: "rt", Secrets: map[string]tutti.Secret{"token": tutti.NewSecret(r.token)},
			Webhook: config.Webhook{Secret: tutti.NewSecret(hookSecret)},
		},
		Kinds: map[string]sourcetest.Kind{"ticket": {
			Missing: "990001", Field: "status", Owner: "ana@example.test", Other: "ben@example.test",
			Change: map[string]any{"Subject": "Another title", "Priority": 40}, Reads: field("title"), Want: "Another title",
		}},
		Change: r.change, Patience: 2 * time.Second,
	}, r.url, hooks)
}

// TestRealRequestTrackerKeepsTheContract asks a real Request Tracker what make test asks its recording.
func TestRealRequestTrackerKeepsTheContract(t *testing.T) {
	r := startTracker(t, "")
	keepsContract(t, config.Source{Name: "support", Connector: "rt", URL: r.url, Secrets: map[string]tutti.Secret{"token": tutti.NewSecret(r.token)}})
}
