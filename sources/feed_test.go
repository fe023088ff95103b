package sources

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// TestFeedsBecomeOneShape reads testdata/feeds: a feed, a line of dashes, and what manifests read of it.
func TestFeedsBecomeOneShape(t *testing.T) {
	files, err := filepath.Glob("testdata/feeds/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding the feeds: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			feed, want, _ := strings.Cut(string(b), "\n-----\n")
			got := ""
			if out, err := readFeed([]byte(feed), "https://blog.example/news/feed?key=secret"); err != nil {
				got = string(tutti.CodeOf(err)) + ": " + err.Error() + "\n"
			} else {
				got = indentedJSON(t, out)
			}
			if *update {
				if err := os.WriteFile(file, []byte(feed+"\n-----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			}
			if got != want {
				t.Errorf("it becomes:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func indentedJSON(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFeedsAreLimited(t *testing.T) {
	for what, feed := range map[string]string{
		"too large":  "<rss>" + strings.Repeat(" ", maxFeed),
		"too deep":   "<rss><channel><item>" + strings.Repeat("<x:a>", 100_000),
		"an entity":  `<!DOCTYPE rss [<!ENTITY a "aaaa">]><rss><channel><title>&a;</title></channel></rss>`,
		"no feed":    "<html><body>Not here</body></html>",
		"cut off":    "<rss><channel><item><title>One</ti",
		"empty":      "",
		"other JSON": `{"items": 3}`,
		"UTF-16":     "\xfe\xff\x00<\x00r\x00s\x00s\x00>",
	} {
		if out, err := readFeed([]byte(feed), "https://blog.example/"); err == nil {
			t.Errorf("%s is taken: %s", what, out)
		} else if c := tutti.CodeOf(err); c != tutti.BadAnswer && c != tutti.TooLarge {
			t.Errorf("%s is %v", what, err)
		}
	}
}

// blog is a feed whose items a test changes.
type blog struct {
	items []string
	tag   string
	dead  bool
	full  int // answers with a body
}

func (b *blog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case b.dead:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Header.Get("If-None-Match") == b.tag && r.Header.Get("If-Modified-Since") == "Sun, 22 Nov 2026 08:00:00 GMT":
		w.WriteHeader(http.StatusNotModified)
	default:
		b.full++
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("ETag", b.tag)
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 08:00:00 GMT")
		_, _ = w.Write([]byte(`<rss version="2.0"><channel><title>News</title>`))
		for i, id := range b.items {
			_, _ = w.Write([]byte("<item><guid>https://blog.example/" + id + "</guid><title>About " + id + "</title><link>/posts/" + id + "</link><pubDate>Sun, " +
				[]string{"22", "15", "08", "01"}[i%4] + " Nov 2026 10:00:00 EST</pubDate><category>all</category><category>" + id + "</category></item>"))
		}
		_, _ = w.Write([]byte("</channel></rss>"))
	}
}

var feedKinds = map[string]config.KindConfig{"article": {Access: tutti.AccessPublic}, "picture": {Access: tutti.AccessPublic}}

// feedHouse opens the connector feed over a blog, with a clock.
func feedHouse(t *testing.T, b *blog) (h *testHouse, ahead *time.Duration) {
	t.Helper()
	ahead = new(time.Duration)
	began := time.Now()
	h = play(t, "", feedKinds, b.ServeHTTP, func(c *config.Source, d *Deps) {
		c.Connector, c.Settings = "feed", map[string]string{"path": "/feeds/news.xml?size=full"}
		d.Now = func() time.Time { return began.Add(*ahead) }
	})
	return h, ahead
}

func article(id string) tutti.Ref {
	return tutti.Ref{Source: "shop", Kind: "article", ID: "https://blog.example/" + id}
}

func atOrigin(link, path string) bool {
	return strings.HasPrefix(link, "http://127.0.0.1:") && strings.HasSuffix(link, path)
}

func TestOneCallOfAFeedServesItemsAndLists(t *testing.T) {
	b := &blog{items: []string{"a", "b", "c"}, tag: `"1"`}
	h, ahead := feedHouse(t, b)
	got := h.Get(t.Context(), []tutti.Ref{article("b"), article("nowhere"), article("c")}, tutti.Scope{})
	if got[0].Resource == nil || got[0].Resource.Fields.Text("title") != "About b" || !atOrigin(got[0].Resource.Fields.Text("link"), "/posts/b") {
		t.Fatalf("b came as %+v", got[0])
	}
	if tutti.CodeOf(got[1].Err) != tutti.NotFound || got[2].Resource == nil {
		t.Errorf("the others came as %v and %v", got[1], got[2].Err)
	}
	list := tutti.Selection{Source: "shop", Kind: "article", First: 2, Sort: "published", Filter: map[string]any{"tag": "all"}}
	page, err := h.Select(t.Context(), list, tutti.Scope{})
	if err != nil || len(page.Items) != 2 || page.Items[0].Resource.Ref != article("c") || *page.Total != 3 {
		t.Fatalf("the list is %+v, %v", page, err)
	}
	list.After = page.Next
	page, err = h.Select(t.Context(), list, tutti.Scope{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Resource.Ref != article("a") || page.Next != "" {
		t.Fatalf("the next page is %+v, %v", page, err)
	}
	page, err = h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "article", Text: "ABOUT b"}, tutti.Scope{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Resource.Ref != article("b") {
		t.Errorf("a search gives %+v, %v", page, err)
	}
	if h.calls() != 1 || h.asked[0] != "/feeds/news.xml?size=full" {
		t.Errorf("the feed was asked for as %v", h.asked)
	}
	*ahead = 15 * time.Minute
	got = h.Get(t.Context(), []tutti.Ref{article("a")}, tutti.Scope{})
	if got[0].Resource == nil || got[0].Freshness.State != tutti.Fresh {
		t.Errorf("later a came as %+v", got[0])
	}
	if b.full != 1 || h.calls() != 2 {
		t.Errorf("an unchanged feed came %d times whole, in %d calls", b.full, h.calls())
	}
}

func TestTheLastCopyOfWhatLeftAFeedStandsIn(t *testing.T) {
	b := &blog{items: []string{"a", "b"}, tag: `"1"`}
	h, ahead := feedHouse(t, b)
	h.Get(t.Context(), []tutti.Ref{article("a")}, tutti.Scope{}) // b comes along
	b.items, b.tag = []string{"c", "a"}, `"2"`
	*ahead = 20 * time.Minute
	got := h.Get(t.Context(), []tutti.Ref{article("b"), article("c"), article("d")}, tutti.Scope{})
	if got[0].Resource == nil || got[0].Freshness.State != tutti.StaleError || tutti.CodeOf(got[0].Err) != tutti.NotFound {
		t.Errorf("what fell off came as %+v", got[0])
	}
	if got[1].Resource == nil || got[1].Freshness.State != tutti.Fresh || got[2].Resource != nil || tutti.CodeOf(got[2].Err) != tutti.NotFound {
		t.Errorf("the others came as %+v", got[1:])
	}
	if b.full != 2 {
		t.Errorf("the feed came %d times", b.full)
	}
	h.Forget("shop:article")
	b.dead = true
	for _, g := range h.Get(t.Context(), []tutti.Ref{article("a"), article("c")}, tutti.Scope{}) {
		if g.Resource == nil || g.Freshness.State != tutti.StaleError {
			t.Errorf("of a dead feed came %+v", g)
		}
	}
	h.Purge(article("b").Tag())
	if g := h.Get(t.Context(), []tutti.Ref{article("b")}, tutti.Scope{})[0]; g.Resource != nil {
		t.Errorf("what was withdrawn came as %+v", g)
	}
}

// TestForgettingReachesTheKeptFeed makes sure that an item is never made again of a feed that was fetched before
// it was forgotten, and that ages are those of the feed.
func TestForgettingReachesTheKeptFeed(t *testing.T) {
	b := &blog{items: []string{"a", "b"}, tag: `"1"`}
	h, ahead := feedHouse(t, b)
	first := h.Get(t.Context(), []tutti.Ref{article("a")}, tutti.Scope{})[0]
	*ahead = 30 * time.Second
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "article"}, tutti.Scope{})
	if err != nil || !page.Freshness.AsOf.Equal(first.Freshness.AsOf) {
		t.Errorf("a list out of a feed of %v is as of %v (%v)", first.Freshness.AsOf, page.Freshness.AsOf, err)
	}
	b.items, b.tag = []string{"b"}, `"2"`
	h.Forget(article("a").Tag())
	if g := h.Get(t.Context(), []tutti.Ref{article("a")}, tutti.Scope{})[0]; g.Freshness.State != tutti.StaleError {
		t.Errorf("a forgotten item came as %+v", g)
	}
	if b.full != 2 {
		t.Errorf("the feed was read %d times", b.full)
	}
}

func TestPicturesOfAFeedNeedNoCallOfTheirOwn(t *testing.T) {
	h := play(t, "", feedKinds, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [
			{"id": 7, "url": "/7", "image": "/7.jpg", "title": "Seven", "content_text": "1 < 2"}, {"id": "x y", "title": "Eight"}]}`))
	}, func(c *config.Source, d *Deps) {
		c.Connector, c.Settings = "feed", map[string]string{"path": "/feed.json"}
	})
	got := h.Get(t.Context(), []tutti.Ref{
		{Source: "shop", Kind: "article", ID: "7"},
		{Source: "shop", Kind: "article", ID: "x y"},
		{Source: "shop", Kind: "picture", ID: "7"},
		{Source: "shop", Kind: "picture", ID: "x y"},
	}, tutti.Scope{})
	if got[0].Resource == nil || got[1].Resource == nil || got[2].Resource == nil || got[3].Resource != nil {
		t.Fatalf("it came as %+v", got)
	}
	if r := got[0].Resource; r.Fields.Get("image") != (tutti.Ref{Source: "shop", Kind: "picture", ID: "7"}) || r.Fields.Get("body").(tutti.RichText).Plain != "1 < 2" {
		t.Errorf("the article is %v", r.Raw)
	}
	if p := got[2].Resource.Fields.Text("original"); !atOrigin(p, "/7.jpg") || h.calls() != 1 {
		t.Errorf("the picture is at %s, after %d calls", p, h.calls())
	}
}

// TestAHubTellsThatAFeedIsNew answers the hub that asks whether it is subscribed, and reads the feed again when it posts.
func TestAHubTellsThatAFeedIsNew(t *testing.T) {
	b := &blog{items: []string{"a"}, tag: `"1"`}
	const topic = "https://blog.example/feeds/news.xml"
	h := play(t, "", feedKinds, b.ServeHTTP, func(c *config.Source, d *Deps) {
		c.Connector, c.Settings = "feed", map[string]string{"path": "/feeds/news.xml", "topic": topic}
		c.Webhook.Secret = tutti.NewSecret("a-secret-of-the-hub")
	})
	hub := h.Webhook("shop")
	asks := func(of string) int {
		w := httptest.NewRecorder()
		hub.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks/shop?hub.mode=subscribe&hub.challenge=c1&hub.lease_seconds=864000&hub.topic="+url.QueryEscape(of), nil))
		return w.Code
	}
	if asks(topic) != http.StatusOK || asks("https://other.example/") != http.StatusNotFound {
		t.Errorf("the hub is answered %d, and %d for another feed", asks(topic), asks("https://other.example/"))
	}
	h.Get(t.Context(), []tutti.Ref{article("a")}, tutti.Scope{})
	b.items, b.tag = []string{"b", "a"}, `"2"`
	body := []byte("<feed>what stands here is not believed</feed>")
	m := hmac.New(sha256.New, []byte("a-secret-of-the-hub"))
	m.Write(body)
	r, w := httptest.NewRequest(http.MethodPost, "/webhooks/shop", bytes.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(m.Sum(nil)))
	if hub.ServeHTTP(w, r); w.Code != http.StatusAccepted {
		t.Errorf("the message is answered %d", w.Code)
	}
	if g := h.Get(t.Context(), []tutti.Ref{article("b")}, tutti.Scope{})[0]; g.Resource == nil || b.full != 2 {
		t.Errorf("the new item comes to %v, and the feed was read %d times", g.Err, b.full)
	}
}
