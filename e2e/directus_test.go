//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestRealDirectus assembles an experience with files and articles of a real Directus and follows what
// happens to it.
func TestRealDirectus(t *testing.T) {
	listen := "127.0.0.1:" + freePort(t)
	l := startLibrary(t, "http://"+listen+"/webhooks/cms")
	h := startHouse(t, house{
		listen: listen, env: []string{"CMS_URL=" + l.url, "CMS_TOKEN=" + readersToken, "CMS_HOOK_SECRET=" + hookSecret},
		files: map[string]string{"tutti.yaml": cmsConfig, "content/compositions/home.yaml": cmsHome},
	})
	first := func(x realPage) *item { return x.Components[0].Resource }
	many := func(x realPage) []*item { return x.Components[1].Resources.Nodes }

	x := h.experience(t, "home", nil)
	article, files := first(x), many(x)
	t.Run("unknown ids among many", func(t *testing.T) {
		if article == nil || article.Title != "Article 1" || article.Excerpt == "" || article.Body.Plain == "" || article.Image == nil || !slices.Equal(article.Tags, []string{"sample"}) {
			t.Fatalf("the article did not come whole: %+v, %+v", article, x.Problems)
		}
		if len(files) != 3 || files[0].Title != "Picture 2" || files[0].Alt != "What picture 2 shows" {
			t.Errorf("the files that are there did not come: %+v", files)
		}
		var missing []string
		for _, p := range x.Problems {
			if p.Code == "NOT_FOUND" {
				missing = append(missing, p.Ref)
			}
		}
		slices.Sort(missing)
		if want := []string{"cms:article/" + articleID(0), "cms:asset/" + noFileID}; !slices.Equal(missing, want) || len(x.Problems) != len(want) {
			t.Errorf("the problems are %+v, want that %v are not found", x.Problems, want)
		}
	})
	t.Run("search to the end", func(t *testing.T) {
		refs, total := h.all(t, "cms", "article", "", 50)
		if distinct(refs) != 119 || total != 119 || len(refs) != 119 { // the draft is none of them
			t.Errorf("there are %d articles, %d distinct, of %d", len(refs), distinct(refs), total)
		}
		refs, total = h.all(t, "cms", "article", "article 11", 4) // 11 and 110 to 119
		if distinct(refs) != 11 || total != 11 || len(refs) != 11 {
			t.Errorf("“article 11” is found %d times of %d: %v", len(refs), total, refs)
		}
	})
	t.Run("renditions", func(t *testing.T) {
		p := article.Image
		if p.MediaType != "image/jpeg" || p.Width != 1200 || p.Height != 800 || p.Focal == nil || p.Focal.X != 0.25 || p.Focal.Y != 0.25 {
			t.Errorf("the picture is %+v", p)
		}
		if width, height, kind := picture(t, p.URL); width != 320 || height != 213 || kind != "image/jpeg" {
			t.Errorf("%s is a %d × %d %s", p.URL, width, height, kind)
		}
		if width, height, kind := picture(t, p.Crop); width != 320 || height != 180 || kind != "image/jpeg" {
			t.Errorf("%s is a %d × %d %s", p.Crop, width, height, kind)
		}
		hidden := files[2] // outside of the public folder
		res, err := impatient.Get(hidden.URL)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if hidden.Title != "Not for everybody" || res.StatusCode != http.StatusForbidden || strings.Contains(hidden.URL, readersToken) {
			t.Errorf("a picture that is not public is answered %d at %s", res.StatusCode, hidden.URL)
		}
	})
	t.Run("a change by webhook", func(t *testing.T) {
		title := "Written anew"
		if err := l.change(t.Context(), "article", articleID(1), map[string]any{"title": title}); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the new title is there", func() (string, bool) {
			got := first(h.experience(t, "home", nil)).Title
			return got, got == title
		})
		if err := l.change(t.Context(), "asset", fileID(2), map[string]any{"description": "Something else"}); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the new alternative text is there", func() (string, bool) {
			got := many(h.experience(t, "home", nil))[0].Alt
			return got, got == "Something else"
		})
	})
	t.Run("locales", func(t *testing.T) {
		got := first(h.experience(t, "home", map[string]any{"l": "de"}))
		if got.Title != "Artikel 1" || !strings.HasPrefix(got.Excerpt, "Worum") || got.Body.Plain != "Der Text von Artikel 1." || got.Image == nil {
			t.Errorf("in German comes %+v", got)
		}
		if err := l.change(t.Context(), "article", articleID(1), map[string]any{"translations": []any{map[string]any{"id": 1, "title": "Neu geschrieben"}}}); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the new translation is there", func() (string, bool) {
			got := first(h.experience(t, "home", map[string]any{"l": "de"})).Title
			return got, got == "Neu geschrieben"
		})
	})
	t.Run("a change by polling", func(t *testing.T) {
		const query = `query($ref: Ref!) { resource(ref: $ref) { title } }`
		title := func() string {
			var got struct{ Resource *item }
			ask(t, h.url, h.management, query, map[string]any{"ref": "polled:article/" + articleID(5)}, &got)
			if got.Resource == nil {
				return ""
			}
			return got.Resource.Title
		}
		if got := title(); got != "Article 5" {
			t.Fatalf("the title is %q", got)
		}
		for _, change := range []map[string]any{{"title": "Found by asking"}, {"status": "archived"}} {
			if err := l.change(t.Context(), "article", articleID(5), change); err != nil {
				t.Fatal(err)
			}
			want, _ := change["title"].(string)
			within(t, 5*time.Second, fmt.Sprintf("%v is there, without a webhook", change), func() (string, bool) {
				got := title()
				return got, got == want
			})
		}
	})
	t.Run("drafts", func(t *testing.T) {
		if err := l.change(t.Context(), "article", articleID(1), map[string]any{"status": "draft"}); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "what is no longer published is gone", func() (string, bool) {
			got := first(h.experience(t, "home", nil))
			return fmt.Sprint(got), got == nil
		})
		draft := first(h.experience(t, "home", map[string]any{"preview": map[string]any{"perspective": map[string]any{"state": "DRAFT"}}}))
		if draft == nil || draft.Title != "Written anew" {
			t.Errorf("with the perspective DRAFT comes %+v", draft)
		}
		if err := l.change(t.Context(), "article", articleID(1), map[string]any{"status": "published"}); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "what is published again is there", func() (string, bool) {
			got := first(h.experience(t, "home", nil))
			return fmt.Sprint(got), got != nil
		})
	})
	t.Run("wrong credentials", func(t *testing.T) {
		var reader struct{ Data []struct{ ID string } }
		l.admin(http.MethodGet, "/users?filter[email][_eq]=delivery@example.com&fields=id", nil, &reader)
		user := "/users/" + reader.Data[0].ID
		l.admin(http.MethodPatch, user, map[string]any{"token": "another-token"}, nil)
		h.invalidate(t, "cms")
		x := h.experience(t, "home", nil)
		if got := first(x); got == nil || got.Freshness.State != "STALE_ERROR" {
			t.Errorf("with a wrong token comes %+v", got)
		}
		if len(x.Problems) == 0 || x.Problems[0].Code != "UNAVAILABLE" || !x.Problems[0].Stale {
			t.Errorf("the problems are %+v", x.Problems)
		}
		if state, code := h.health(t, "cms"); state != "DEGRADED" || code != "UNAVAILABLE" {
			t.Errorf("health says %s, %s", state, code)
		}
		l.admin(http.MethodPatch, user, map[string]any{"token": readersToken}, nil)
		within(t, 5*time.Second, "with the right token again everything is fresh", func() (string, bool) {
			state := states(h.experience(t, "home", nil))
			return fmt.Sprint(state), state["FRESH"] == 4 && len(state) == 1
		})
	})
	t.Run("killed and started again", func(t *testing.T) {
		l.kill()
		h.invalidate(t, "cms")
		x := h.experience(t, "home", map[string]any{"p": map[string]any{"another": fileID(9)}})
		if got := many(x); len(got) != 3 || got[0].Freshness.State != "STALE_ERROR" {
			t.Errorf("while the system is down, what is kept comes as %+v", got)
		}
		if got := x.Components[2].Resource; got != nil {
			t.Errorf("while the system is down, what was never read comes as %+v", got)
		}
		if !x.tellsOfOutage() {
			t.Errorf("while the system is down, the problems are %+v", x.Problems)
		}
		t.Logf("started again in %s", l.start().Round(time.Millisecond))
		within(t, 5*time.Second, "started again, everything is fresh", func() (string, bool) {
			state := states(h.experience(t, "home", map[string]any{"p": map[string]any{"another": fileID(9)}}))
			return fmt.Sprint(state), state["FRESH"] == 5 && len(state) == 1
		})
	})
}

func distinct(list []string) int {
	list = slices.Clone(list)
	slices.Sort(list)
	return len(slices.Compact(list))
}

const cmsConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en, de]}
markets:
  eu: {currency: EUR}
sources:
  cms:
    connector: directus
    settings: {public: "${CMS_URL}", collection: articles, status: status, image: hero}
    secrets: {token: "${CMS_TOKEN}"}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${CMS_HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      asset: {access: public}
      article: {access: public}
  polled:
    connector: directus
    settings: {public: "${CMS_URL}", image: hero, files: "cms:asset"}
    secrets: {token: "${CMS_TOKEN}"}
    allowPrivate: [127.0.0.1]
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      article: {access: public, poll: 1s}
channels:
  web: {widths: [320, 640], formats: [jpeg]}
componentTypes:
  Story:
    version: 1
    props:
      item: {type: resource, accepts: [Article, Asset]}
  Files:
    version: 1
    props:
      items: {type: resources, accepts: [Asset, Article], first: 20}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

var cmsHome = `
id: home
type: page
title: The home page
params: [{name: another, type: string}]
slots:
  - id: main
    name: main
    components:
      - id: lead
        type: Story
        props:
          item: {ref: "cms:article/` + articleID(1) + `"}
      - id: files
        type: Files
        props:
          items:
            refs: ["cms:asset/` + fileID(2) + `", "cms:asset/` + noFileID + `", "cms:article/` + articleID(0) + `", "cms:asset/` + fileID(3) + `", "cms:asset/` + fileID(13) + `"]
      - id: other
        type: Story
        props:
          item: {ref: "='cms:asset/' + params.another"}
`
