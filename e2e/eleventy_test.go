//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
)

// site is a blog that Eleventy writes, with the newest three posts in its feeds, and a web server for it.
type site struct {
	t             *testing.T
	posts, folder string
	url           string
	dead          atomic.Bool
	full, same    atomic.Int64 // answers with the feed, and those that it is unchanged
}

func startSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, posts: t.TempDir(), folder: t.TempDir()}
	files := http.FileServer(http.Dir(s.folder))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.dead.Load() {
			panic(http.ErrAbortHandler)
		}
		if stat, err := os.Stat(filepath.Join(s.folder, filepath.Clean(r.URL.Path))); err == nil { // as web servers do: Last-Modified tells no two builds of a second apart
			w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, stat.ModTime().UnixNano(), stat.Size()))
		}
		kept := &status{ResponseWriter: w}
		files.ServeHTTP(kept, r)
		if kept.code == http.StatusNotModified {
			s.same.Add(1)
		} else {
			s.full.Add(1)
		}
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	for n := range 3 {
		s.write(n+1, fmt.Sprintf("Ship %d", n+1))
	}
	s.build()
	return s
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

func (s *site) write(n int, title string) {
	s.t.Helper()
	post := fmt.Sprintf("---\ntitle: %s\ndate: 2026-11-%02dT10:00:00Z\ntags: [posts]\n---\nIt *came* from [afar](/afar/). ![A ship](/ship%d.jpg)\n", title, n, n)
	if err := os.WriteFile(filepath.Join(s.posts, fmt.Sprintf("p%d.md", n)), []byte(post), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// build lets Eleventy write the site.
func (s *site) build() {
	s.t.Helper()
	dir := cacheFolder(s.t, "eleventy")
	posts, err := filepath.Rel(dir, s.posts)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), "node", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "POSTS="+posts, "SITE="+s.folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("building the site: %v (was it installed? make e2e)\n%s", err, out)
	}
}

const newsConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en]}
sources:
  news:
    connector: feed
    url: ${SITE_URL}
    settings: {path: "${FEED_PATH}"}
    allowPrivate: [127.0.0.1]
    freshness: {fresh: 200ms, stale: 0s, staleIfError: 24h}
    kinds:
      article: {access: public}
      picture: {access: public}
channels:
  web: {}
componentTypes:
  News:
    version: 1
    props:
      first: {type: resource, accepts: [Article]}
      none: {type: resource, accepts: [Article]}
      items: {type: resources, accepts: [Article], first: 10}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const newsPage = `
id: news
type: page
title: The news
slots:
  - id: main
    name: main
    components:
      - id: news
        type: News
        props:
          first: {ref: "news:article/https://blog.example/p1/"}
          none: {ref: "news:article/https://blog.example/p99/"}
          items: {select: {source: news, kind: article, sort: -published, first: 10}}
`

const newsQuery = `{ experience(composition: "news", channel: "web") { problems { path code } components {
	first: resource(prop: "first") { ...Post } none: resource(prop: "none") { ref } items: resources(prop: "items") { totalCount nodes { ...Post } } } } }
	fragment Post on Article { ref title link publishedAt body { plain } fields freshness { state } image { ... on Asset { url(width: 100) } } }`

type post struct {
	Ref, Title, Link, PublishedAt string
	Body                          textual
	Fields                        map[string]any
	Freshness                     struct{ State string }
	Image                         *item
}

// TestRealFeedsKeepTheContract asks the feeds of a blog what make test asks the recording of one of them.
func TestRealFeedsKeepTheContract(t *testing.T) {
	s := startSite(t)
	rec, err := sources.ReadRecording("feed", "")
	if err != nil {
		t.Fatal(err)
	}
	of := func(form string) config.Source {
		return config.Source{Name: "news", Connector: "feed", URL: s.url, Settings: map[string]string{"path": "/" + form + ".feed"}}
	}
	t.Run("atom", func(t *testing.T) { keepsContract(t, of("atom")) })
	for _, form := range []string{"rss", "json"} {
		t.Run(form, func(t *testing.T) {
			askAll(t, contract.System{Source: of(form), Kinds: rec.Kinds, Hooks: rec.Hooks, Patience: time.Second}) // a file is read at once
		})
	}
}

// TestRealFeeds reads the feeds of a blog that Eleventy writes, in all three forms, and follows what is
// written, what falls off the end, and a site that is down.
func TestRealFeeds(t *testing.T) {
	s := startSite(t)
	for _, form := range []string{"rss", "atom", "json"} {
		t.Run(form, func(t *testing.T) {
			h := startHouse(t, house{
				env:   []string{"SITE_URL=" + s.url, "FEED_PATH=/" + form + ".feed"},
				files: map[string]string{"tutti.yaml": newsConfig, "content/compositions/news.yaml": newsPage},
			})
			look := func() (first *post, items []post, problems []pageProblem) {
				var x struct {
					Experience struct {
						Problems   []pageProblem
						Components []struct {
							First *post
							Items struct{ Nodes []post }
						}
					}
				}
				ask(t, h.url, h.key, newsQuery, nil, &x)
				c := x.Experience.Components[0]
				return c.First, c.Items.Nodes, x.Experience.Problems
			}
			first, items, problems := look()
			if first == nil || len(items) != 3 || items[2].Ref != first.Ref {
				t.Fatalf("the feed came as %+v and %+v, with %+v", first, items, problems)
			}
			if first.Title != "Ship 1" || first.Link != "https://blog.example/p1/" || first.PublishedAt != "2026-11-01T10:00:00Z" || first.Body.Plain != "It came from afar. A ship" {
				t.Errorf("the post is %+v", first)
			}
			if first.Fields["authorName"] != "Ana" || first.Image == nil || first.Image.URL != "https://blog.example/ship1.jpg" {
				t.Errorf("its author is %v, its picture %+v", first.Fields["authorName"], first.Image)
			}
			if len(problems) != 1 || problems[0].Path != "slots.main[0].props.none" || problems[0].Code != "NOT_FOUND" {
				t.Errorf("problems: %+v", problems)
			}
			if form == "json" { // the rest is the same for all, and the site is changed in it
				s.follow(t, h, look)
			}
		})
	}
}

// follow lets the site change, die and come back.
func (s *site) follow(t *testing.T, h *house, look func() (first *post, items []post, problems []pageProblem)) {
	t.Helper()
	full := s.full.Load()
	within(t, 5*time.Second, "the unchanged feed was asked for again", func() (string, bool) {
		look()
		return fmt.Sprint(s.same.Load()), s.same.Load() > 0
	})
	if s.full.Load() != full {
		t.Error("an unchanged feed came whole again")
	}
	s.write(2, "Ship 2 is back")
	s.build()
	within(t, 5*time.Second, "the change is there", func() (string, bool) {
		_, items, _ := look()
		return fmt.Sprintf("%+v", items), len(items) == 3 && items[1].Title == "Ship 2 is back"
	})
	s.write(4, "Ship 4")
	s.build()
	within(t, 5*time.Second, "the new post is there, and the last copy of the one that fell off", func() (string, bool) {
		first, items, _ := look()
		return fmt.Sprintf("%+v, %+v", first, items), len(items) == 3 && items[0].Title == "Ship 4" && first != nil && first.Title == "Ship 1" && first.Freshness.State == "STALE_ERROR"
	})
	s.dead.Store(true)
	within(t, 5*time.Second, "a site that is down is told of, and its posts stay", func() (string, bool) {
		_, items, problems := look()
		return fmt.Sprintf("%+v, %+v", items, problems), len(items) == 3 && items[0].Freshness.State == "STALE_ERROR"
	})
	if state, _ := h.health(t, "news"); state == "UP" {
		t.Errorf("the source is %s", state)
	}
	s.dead.Store(false)
	within(t, 10*time.Second, "the site is back", func() (string, bool) {
		_, items, _ := look()
		return fmt.Sprintf("%+v", items), len(items) == 3 && items[0].Freshness.State == "FRESH"
	})
}
