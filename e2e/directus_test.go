//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// library is a running Directus: 13 files, one of them not public, and 120 articles, one of them a draft.
type library struct{ *realSystem }

const (
	adminsToken  = "the-admins-token"        // as e2e/directus/directus.mjs says
	readersToken = "a-token-that-only-reads" // as e2e/directus/fill.mjs says
)

// The ids that fill.mjs gives.
func fileID(n int) string    { return fmt.Sprintf("00000000-0000-4000-8000-0000000000%02d", n) }
func articleID(n int) string { return fmt.Sprintf("11111111-0000-4000-8000-000000000%03d", n) }

const noFileID = "00000000-0000-4000-8000-000000990001"

// startLibrary starts a Directus with a flow that posts its events to hook.
func startLibrary(t *testing.T, hook string) *library {
	t.Helper()
	dir, port := cacheFolder(t, "directus"), freePort(t)
	data := copied(t, dir+"/data")
	l := &library{startReal(t, &realSystem{
		name: "Directus", url: "http://127.0.0.1:" + port, ready: "http://127.0.0.1:" + port + "/server/ping",
		command: func() *exec.Cmd {
			cmd := exec.Command("node", "directus.mjs", "start")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PORT="+port, "DATA="+data)
			return cmd
		},
	})}
	var flow, post struct{ Data struct{ ID string } }
	l.admin(http.MethodPost, "/flows", map[string]any{"name": "Tell Tutti", "status": "active", "trigger": "event", "accountability": nil, "options": map[string]any{
		"type": "action", "scope": []string{"items.create", "items.update", "items.delete", "files.upload"}, "collections": []string{"articles", "directus_files"},
	}}, &flow)
	l.admin(http.MethodPost, "/operations", map[string]any{"flow": flow.Data.ID, "key": "post", "name": "Post", "type": "request", "position_x": 19, "position_y": 1, "options": map[string]any{
		"method": "POST", "url": hook, "headers": []any{map[string]any{"header": "Authorization", "value": "Bearer " + hookSecret}}, "body": "{{$trigger}}",
	}}, &post)
	l.admin(http.MethodPatch, "/flows/"+flow.Data.ID, map[string]any{"operation": post.Data.ID}, nil)
	return l
}

func (l *library) admin(method, path string, body, v any) {
	l.t.Helper()
	call(l.t, method, l.url+path, map[string]string{"Authorization": "Bearer " + adminsToken}, body, v)
}

// change changes a file or an article; nil deletes it.
func (l *library) change(ctx context.Context, record, id string, fields map[string]any) error {
	path := map[string]string{"asset": "/files/", "article": "/items/articles/"}[record] + id
	header := map[string]string{"Authorization": "Bearer " + adminsToken}
	if fields == nil {
		return tryCall(ctx, http.MethodDelete, l.url+path, header, nil, nil)
	}
	return tryCall(ctx, http.MethodPatch, l.url+path, header, fields, nil)
}

// TestRealDirectusKeepsTheContract asks a real Directus what make test asks its recording.
func TestRealDirectusKeepsTheContract(t *testing.T) {
	l := startLibrary(t, "http://127.0.0.1:9/")
	keepsContract(t, config.Source{
		Name: "cms", Connector: "directus", URL: l.url, Settings: map[string]string{"public": "https://cms.example.com", "image": "hero"},
		Secrets: map[string]tutti.Secret{"token": tutti.NewSecret(readersToken)},
	})
}
