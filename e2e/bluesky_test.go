//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// as begins a session of a person at their server, and gives what calls there carry.
func (n *network) as(t *testing.T, name string) map[string]string {
	t.Helper()
	var session struct{ AccessJwt string }
	call(t, http.MethodPost, n.pds+"/xrpc/com.atproto.server.createSession", nil, map[string]any{"identifier": name + ".test", "password": n.state.Password}, &session)
	return map[string]string{"Authorization": "Bearer " + session.AccessJwt}
}

// TestRealBluesky assembles an experience with the posts of a network, and follows what becomes of them.
func TestRealBluesky(t *testing.T) {
	n := startNetwork(t, "")
	ana := n.as(t, "ana")
	var app struct{ Name, Password string }
	call(t, http.MethodPost, n.pds+"/xrpc/com.atproto.server.createAppPassword", ana, map[string]any{"name": "tutti"}, &app)
	const apart = "at://ana.test/app.bsky.feed.post/3n2aaaaaaaa25"
	page := strings.NewReplacer("$PLAIN", n.state.Posts["plain"], "$FACETS", n.state.Posts["facets"], "$QUOTE", n.state.Posts["quote"],
		"$HIDDEN", n.state.Posts["hidden"], "$SECRET", n.state.Posts["secret"], "$PICTURE", apart, "$NUDITY", n.state.Posts["nudity"]).Replace(wallPage)
	h := startHouse(t, house{
		env:   []string{"APPVIEW_URL=" + n.url, "PDS_URL=" + n.pds, "APP_USER=ana.test", "APP_PASSWORD=" + app.Password},
		files: map[string]string{"tutti.yaml": wallConfig, "content/compositions/wall.yaml": page},
	})
	type post struct {
		Ref, Title, AuthorHandle, Picture, PictureAlt, Link, Locale string
		Likes                                                       int
		Tags                                                        []string
		Text                                                        struct{ Plain, HTML string }
		Fields                                                      map[string]any
		Freshness                                                   struct{ State string }
		Image                                                       *item
	}
	type wall struct {
		Problems []pageProblem
		First    []*post
		Latest   []*post
		Another  *post
		Account  *post // asked as an account of the network
	}
	look := func(another string) wall {
		t.Helper()
		var x struct {
			Experience struct {
				Problems   []pageProblem
				Components []struct {
					Posts *struct{ Nodes []*post }
					Post  *post
				}
			}
		}
		ask(t, h.url, h.key, wallQuery, map[string]any{"p": map[string]any{"another": another}}, &x)
		c := x.Experience.Components
		return wall{x.Experience.Problems, c[0].Posts.Nodes, c[1].Posts.Nodes, c[2].Post, c[3].Post}
	}
	all := func(w wall) map[string]int {
		states := map[string]int{}
		for _, p := range slices.Concat(w.First, w.Latest, []*post{w.Another}) {
			if p != nil {
				states[p.Freshness.State]++
			}
		}
		return states
	}

	t.Run("unknown ids among many", func(t *testing.T) {
		w := look(n.state.Posts["reply"])
		if len(w.First) != 5 {
			t.Fatalf("%d posts come, want 5: %+v", len(w.First), w.Problems)
		}
		plain, facets, quote, picture, nudity := w.First[0], w.First[1], w.First[2], w.First[3], w.First[4]
		if plain.Text.Plain != "Tulips by the canal" || plain.Title != "Ana" || plain.AuthorHandle != "ana.test" || plain.Likes != 2 || plain.Locale != "en" {
			t.Errorf("a plain post is %+v", plain)
		}
		if !strings.Contains(facets.Text.HTML, `href="https://example.com/tulips"`) || !strings.Contains(facets.Text.HTML, "Grüße 🌷 from") || !slices.Equal(facets.Tags, []string{"tulips", "spring"}) {
			t.Errorf("a post with links in it is %+v", facets)
		}
		if quote.PictureAlt != "The same key" || quote.Fields["quotes"] != "social:post/"+n.state.Posts["plain"] {
			t.Errorf("a post with picture and quotation is %+v", quote)
		}
		if picture.Ref != "social:post/"+n.state.Posts["picture"] {
			t.Errorf("an at-uri with a handle stands for %s, want the same with the DID", picture.Ref)
		}
		if nudity.Fields["sensitive"] != true {
			t.Errorf("a post with a label is %+v", nudity)
		}
		var missing []string
		for _, p := range w.Problems {
			if p.Code == "NOT_FOUND" {
				missing = append(missing, p.Ref)
			}
		}
		if len(missing) != 4 || len(w.Problems) != 4 { // two that may not be shown, one that there is not, one that is malformed
			t.Errorf("the problems are %+v", w.Problems)
		}
	})
	t.Run("search to the end", func(t *testing.T) {
		found, _ := h.all(t, "social", "post", "boat trip", 25)
		if distinct(found) != 60 || len(found) != 60 {
			t.Errorf("“boat trip” is found %d times, %d distinct; want 60", len(found), distinct(found))
		}
	})
	t.Run("renditions", func(t *testing.T) {
		p := look(n.state.Posts["reply"]).First[3].Image
		if p == nil || p.Alt != "A key on a table" {
			t.Fatalf("the picture is %+v", p)
		}
		if width, height, kind := picture(t, p.URL); width < 320 || height == 0 || kind != "image/jpeg" {
			t.Errorf("%s is a %d × %d %s", p.URL, width, height, kind)
		}
	})
	t.Run("a change by polling", func(t *testing.T) {
		var made struct{ URI string }
		call(t, http.MethodPost, n.pds+"/xrpc/com.atproto.repo.createRecord", ana, map[string]any{"repo": n.state.People["ana"], "collection": "app.bsky.feed.post", "record": map[string]any{
			"$type": "app.bsky.feed.post", "text": "Fresh from the canal", "createdAt": time.Now().UTC().Format(time.RFC3339),
		}}, &made)
		within(t, pollEvery+10*time.Second, "the new post is there", func() (string, bool) {
			w := look(n.state.Posts["reply"])
			return w.Latest[0].Text.Plain, w.Latest[0].Ref == "social:post/"+made.URI
		})
	})
	t.Run("wrong credentials", func(t *testing.T) {
		if got := look(n.state.Posts["reply"]).Account; got == nil || got.Freshness.State != "FRESH" {
			t.Fatalf("as an account comes %+v", got)
		}
		call(t, http.MethodPost, n.pds+"/xrpc/com.atproto.server.revokeAppPassword", ana, map[string]any{"name": "tutti"}, nil)
		was := h
		defer func() { h = was }()
		h = startHouse(t, house{ // what was begun with the password goes on a while, what begins now does not
			env:   []string{"APPVIEW_URL=" + n.url, "PDS_URL=" + n.pds, "APP_USER=ana.test", "APP_PASSWORD=" + app.Password},
			files: map[string]string{"tutti.yaml": wallConfig, "content/compositions/wall.yaml": page},
		})
		w := look(n.state.Posts["reply"])
		if w.Account != nil || len(w.First) != 5 {
			t.Errorf("with an app password that was revoked come %+v, and %d other posts", w.Account, len(w.First))
		}
		if !slices.ContainsFunc(w.Problems, func(p pageProblem) bool { return strings.HasPrefix(p.Ref, "account:") && p.Code == "UNAVAILABLE" }) {
			t.Errorf("the problems are %+v", w.Problems)
		}
		if state, code := h.health(t, "account"); state != "DEGRADED" || code != "UNAVAILABLE" {
			t.Errorf("health says %s, %s", state, code)
		}
	})
	t.Run("killed and started again", func(t *testing.T) {
		look(n.state.Posts["reply"])
		n.kill()
		h.invalidate(t, "social")
		w := look(n.state.Posts["picture"])
		if len(w.First) != 5 || w.First[0].Freshness.State != "STALE_ERROR" {
			t.Errorf("while the AppView is down, what is kept comes as %+v", w.First)
		}
		if !slices.ContainsFunc(w.Problems, func(p pageProblem) bool { return p.Code == "UNAVAILABLE" && p.Stale }) {
			t.Errorf("while the AppView is down, the problems are %+v", w.Problems)
		}
		t.Logf("started again in %s", n.start().Round(time.Millisecond))
		within(t, 5*time.Second, "started again, everything is fresh", func() (string, bool) {
			states := all(look(n.state.Posts["reply"]))
			return fmt.Sprint(states), states["FRESH"] == 8 && len(states) == 1
		})
	})
}

const wallQuery = `query($p: JSON) { experience(composition: "wall", channel: "web", params: $p) { problems { path ref code message stale }
	components { posts: resources(prop: "items") { nodes { ...Post } } post: resource(prop: "item") { ...Post } } } }
fragment Post on SocialPost { ref title authorHandle picture pictureAlt link locale likes tags text { plain html } fields freshness { state }
	image { __typename ref title ... on Asset { alt url(width: 320) } } }`

// wallConfig has the network twice: as everybody sees it, and as an account does through its server.
var wallConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en, de]}
markets:
  eu: {currency: EUR}
sources:
  social:
    connector: bluesky
    url: ${APPVIEW_URL}
    settings: {watch: ana.test}
    allowPrivate: [127.0.0.1]
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      post: {access: public, poll: ` + pollEvery.String() + `}
      picture: {access: public}
      profile: {access: public}
  account:
    connector: bluesky
    url: ${PDS_URL}
    secrets: {identifier: "${APP_USER}", appPassword: "${APP_PASSWORD}"}
    allowPrivate: [127.0.0.1]
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      post: {access: public}
      picture: {access: public}
      profile: {access: public}
channels:
  web: {widths: [320], formats: [jpeg]}
componentTypes:
  Post:
    version: 1
    props:
      item: {type: resource, accepts: [SocialPost]}
  Posts:
    version: 1
    props:
      items: {type: resources, accepts: [SocialPost], first: 20}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const wallPage = `
id: wall
type: page
title: From the network
params: [{name: another, type: string}]
slots:
  - id: main
    name: main
    components:
      - id: posts
        type: Posts
        props:
          items:
            refs: ["social:post/$PLAIN", "social:post/$HIDDEN", "social:post/$FACETS", "social:post/$SECRET", "social:post/$QUOTE", "social:post/$PICTURE", "social:post/at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2aaaaaaaa23", "social:post/nonsense", "social:post/$NUDITY"]
      - {id: latest, type: Posts, props: {items: {select: {source: social, kind: post, filter: {author: ana.test}, first: 2}}}}
      - {id: another, type: Post, props: {item: {ref: "='social:post/' + params.another"}}}
      - {id: account, type: Post, props: {item: {ref: "account:post/$PLAIN"}}}
`
