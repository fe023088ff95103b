package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// articles is a folder that a test writes into, and a house over it.
type articles struct {
	*Sources
	t   *testing.T
	dir string
	log strings.Builder
}

func (a *articles) Write(b []byte) (int, error) { return a.log.Write(b) }

func openArticles(t *testing.T, files map[string]string) *articles {
	t.Helper()
	a := &articles{t: t, dir: t.TempDir()}
	for name, content := range files {
		a.put(name, content)
	}
	var err error
	a.Sources, err = Open([]config.Source{{
		Name: "docs", Connector: "files", Settings: map[string]string{"folder": "articles", "base": "https://www.example.com/docs/"},
		Kinds:  map[string]config.KindConfig{"article": {Access: tutti.AccessPublic}},
		Limits: config.SourceLimits{Timeout: time.Minute}, // no test depends on how fast the machine is
	}}, Deps{Dir: a.dir, Log: logTo(a)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func (a *articles) put(name, content string) {
	a.t.Helper()
	at := filepath.Join(a.dir, "articles", name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *articles) get(id string) tutti.Got {
	a.t.Helper()
	return a.Get(a.t.Context(), []tutti.Ref{{Source: "docs", Kind: "article", ID: id}}, tutti.Scope{})[0]
}

// list gives the ids that a selection comes to.
func (a *articles) list(s tutti.Selection) string {
	a.t.Helper()
	s.Source, s.Kind = "docs", "article"
	page, err := a.Select(a.t.Context(), s, tutti.Scope{})
	if err != nil {
		return string(tutti.CodeOf(err))
	}
	ids := []string{}
	for _, g := range page.Items {
		ids = append(ids, g.Resource.Ref.ID)
	}
	return strings.Join(ids, " ")
}

var someArticles = map[string]string{
	"rooms/sea.md":      "---\ntitle: The sea\ndate: 2026-11-02\ntags: [view, room]\nauthor: Ana\nstars: 5\nimage: img/sea.jpg\n---\nLook *out*. ![Sea](img/sea.png \"t\") ![Far](https://img.example/x.png)\n\n```\n![code](img/a.png)\n```\n",
	"rooms/old/land.md": "---\r\ntitle: The land\r\ndate: 2026-11-01T10:00:00+01:00\r\ntags: [view]\r\n---\r\nGreen hills.\r\n",
	"plain.markdown":    "Only words about breakfast.\n\n---\nand more",
	"table.yaml":        "id: the table\ntitle: A table\ndate: 2026-11-03\nbody: Set **for two**\n",
	"chair.json":        "\ufeff" + `{"title": "A chair", "price": 12345678901234567890, "date": "2026-10-01"}`,
	"draft.md":          "---\ndraft: true\n---\nNot yet.\n",
	".hidden/no.md":     "no",
	"notes.txt":         "no",
}

func TestAFolderOfFiles(t *testing.T) {
	a := openArticles(t, someArticles)
	sea := a.get("rooms/sea")
	if sea.Resource == nil {
		t.Fatal(sea.Err)
	}
	f := sea.Resource.Fields
	if f.Text("title") != "The sea" || f.Text("section") != "rooms" || f.Text("authorName") != "Ana" || f.Text("picture") != "https://www.example.com/docs/rooms/img/sea.jpg" {
		t.Errorf("the fields are %s", sea.Resource.Raw)
	}
	body := f.Get("body").(tutti.RichText).HTML
	for _, want := range []string{"<em>out</em>", `src="https://www.example.com/docs/rooms/img/sea.png"`, `src="https://img.example/x.png"`, "![code](img/a.png)"} {
		if !strings.Contains(body, want) {
			t.Errorf("the body has no %s: %s", want, body)
		}
	}
	if at := f.Get("publishedAt"); at != time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC) {
		t.Errorf("it is of %v", at)
	}
	for id, title := range map[string]string{"rooms/old/land": "The land", "plain": "plain", "the table": "A table", "chair": "A chair"} {
		if g := a.get(id); g.Resource == nil || g.Resource.Fields.Text("title") != title {
			t.Errorf("%s came as %+v", id, g)
		}
	}
	if raw := a.get("chair").Resource.Raw; !strings.Contains(raw, "12345678901234567890") {
		t.Errorf("a number lost digits: %s", raw)
	}
	for _, id := range []string{"draft", ".hidden/no", "notes", "table", "../tutti", "rooms"} {
		if g := a.get(id); tutti.CodeOf(g.Err) != tutti.NotFound {
			t.Errorf("%s came as %+v", id, g)
		}
	}
	for _, c := range []struct {
		s    tutti.Selection
		want string
	}{
		{tutti.Selection{Sort: "path"}, "chair plain rooms/old/land rooms/sea the table"},
		{tutti.Selection{Sort: "-date"}, "the table rooms/sea rooms/old/land chair plain"},
		{tutti.Selection{Sort: "title"}, "chair the table rooms/old/land rooms/sea plain"},
		{tutti.Selection{Sort: "-date", First: 2}, "the table rooms/sea"},
		{tutti.Selection{Sort: "-date", First: 2, After: "2"}, "rooms/old/land chair"},
		{tutti.Selection{Sort: "path", Filter: map[string]any{"tag": "view"}}, "rooms/old/land rooms/sea"},
		{tutti.Selection{Filter: map[string]any{"tag": "view", "author": "Ana"}}, "rooms/sea"},
		{tutti.Selection{Filter: map[string]any{"folder": "rooms/old"}}, "rooms/old/land"},
		{tutti.Selection{Filter: map[string]any{"folder": "room"}}, ""},
		{tutti.Selection{Filter: map[string]any{"field": "stars=5"}}, "rooms/sea"},
		{tutti.Selection{Text: "Break words"}, "plain"},
		{tutti.Selection{Text: "out sea"}, "rooms/sea"},
		{tutti.Selection{Text: "nowhere"}, ""},
		{tutti.Selection{Sort: "size"}, "INVALID_VALUE"},
	} {
		if got := a.list(c.s); got != c.want {
			t.Errorf("%+v gives %q, want %q", c.s, got, c.want)
		}
	}
}

func TestFilesThatCannotBeReadAreLeftOut(t *testing.T) {
	a := openArticles(t, map[string]string{
		"good.md": "---\ntitle: Good\n---\n", "broken.md": "---\ntitle: [CANARY\n---\n", "broken.json": `{"a": CANARY}`, "list.yaml": "[1, CANARY]",
		"big.md": strings.Repeat("x", maxFile+1), "long.yaml": "id: " + strings.Repeat("i", maxID+1),
	})
	outside := filepath.Join(a.dir, "secret.md")
	if err := os.WriteFile(outside, []byte("CANARY"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"out.md": outside, "up.md": "../secret.md", "in.md": "good.md", "gone.md": "nowhere.md", "folder": a.dir} {
		if err := os.Symlink(to, filepath.Join(a.dir, "articles", link)); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.list(tutti.Selection{Sort: "path"}); got != "good in" {
		t.Errorf("it holds %q", got)
	}
	log := a.log.String()
	for _, name := range []string{"broken.md", "broken.json", "list.yaml", "big.md", "long.yaml", "out.md", "up.md", "gone.md"} {
		if !strings.Contains(log, "file="+name) {
			t.Errorf("%s is not told of", name)
		}
	}
	if strings.Contains(log, "CANARY") {
		t.Errorf("the log tells content: %s", log)
	}
}

// TestAChangedFileIsForgottenAtOnce lets the watcher look when the test says so.
func TestAChangedFileIsForgottenAtOnce(t *testing.T) {
	a := openArticles(t, map[string]string{"one.md": "---\ntitle: One\n---\n", "two.md": "---\ntitle: Two\n---\n"})
	src := a.byName["docs"]
	from := src.conn.(*manifestConnector).system.(*folders)
	look := func() {
		for _, f := range from.of {
			if ids := f.changed(t.Context()); len(ids) > 0 {
				src.hear([]Change{{Kind: "article", IDs: ids}})
			}
			break
		}
	}
	a.get("one")
	two := a.get("two")
	look()
	if g := a.get("two"); !g.Cached || g.Freshness.AsOf != two.Freshness.AsOf {
		t.Errorf("nothing changed, and it came as %+v", g)
	}
	a.put("one.md", "---\ntitle: Another one\n---\n")
	a.put("three.md", "---\nid: third\n---\n")
	if g := a.get("one"); g.Resource.Fields.Text("title") != "One" {
		t.Errorf("before anybody looked it came as %v", g.Resource.Raw)
	}
	look()
	if g := a.get("one"); g.Resource.Fields.Text("title") != "Another one" || g.Freshness.State != tutti.Fresh {
		t.Errorf("the changed file came as %+v", g)
	}
	if g := a.get("two"); !g.Cached {
		t.Error("another file was forgotten too")
	}
	if got := a.list(tutti.Selection{Sort: "path"}); got != "one third two" {
		t.Errorf("the list is %q", got)
	}
	if err := os.Remove(filepath.Join(a.dir, "articles", "one.md")); err != nil {
		t.Fatal(err)
	}
	a.put("three.md", "---\nid: renamed\n---\n")
	look()
	if g := a.get("one"); tutti.CodeOf(g.Err) != tutti.NotFound || g.Resource != nil {
		t.Errorf("a removed file came as %+v", g)
	}
	if got := a.list(tutti.Selection{Sort: "path"}); got != "renamed two" {
		t.Errorf("the list is %q", got)
	}
	if err := os.Rename(filepath.Join(a.dir, "articles"), filepath.Join(a.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	a.Forget("docs")
	if g := a.get("two"); g.Resource == nil || g.Freshness.State != tutti.StaleError || tutti.CodeOf(g.Err) != tutti.Unavailable {
		t.Errorf("without a folder it came as %+v", g)
	}
	if err := a.Check(t.Context(), "docs"); err == nil || strings.Contains(err.Error(), a.dir) {
		t.Errorf("checking says %v", err)
	}
}

// endsAfter is a context that ends when it has been asked so often whether it has.
type endsAfter struct {
	context.Context
	left int
}

func (c *endsAfter) Err() error {
	if c.left--; c.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestALongLookGoesOn: a folder that takes longer to read than a call may take is read by several, and nobody waits for
// another's look longer than it may.
func TestALongLookGoesOn(t *testing.T) {
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("f%02d.md", i)] = "---\ntitle: a\n---\n"
	}
	a := openArticles(t, files)
	var f *folder
	for _, one := range a.byName["docs"].conn.(*manifestConnector).system.(*folders).of {
		f = one
	}
	if _, _, err := f.read(&endsAfter{t.Context(), 50}, ""); err == nil || len(f.begun) == 0 || len(f.files) != 0 {
		t.Fatalf("half a look reads %d files, %v", len(f.begun), err)
	}
	half := f.begun
	all, _, err := f.read(t.Context(), "")
	if err != nil || strings.Count(string(all), `"title"`) != 100 || f.version != 1 {
		t.Errorf("the next one comes to %d records, %v", strings.Count(string(all), `"title"`), err)
	}
	for p, one := range half {
		if f.files[p] != one {
			t.Errorf("%s is read twice", p)
		}
	}
	if err := f.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.read(ctx, ""); err == nil {
		t.Error("it waits for another's look beyond its time")
	}
	f.unlock()
}

func TestThousandsOfFiles(t *testing.T) {
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("d%d/f%d.md", i%50, i)] = fmt.Sprintf("---\ntitle: File %d\ndate: 2026-01-01\ntags: [t%d]\n---\n%s\n", i, i%7, strings.Repeat("Some words. ", 50))
	}
	a := openArticles(t, files)
	if g := a.get("d7/f1007"); g.Resource == nil || g.Resource.Fields.Text("title") != "File 1007" {
		t.Fatalf("it came as %+v", g)
	}
	page, err := a.Select(t.Context(), tutti.Selection{Source: "docs", Kind: "article", Filter: map[string]any{"tag": "t3"}, Sort: "title", First: 5}, tutti.Scope{})
	if err != nil || *page.Total != 429 || len(page.Items) != 5 {
		t.Fatalf("the selection is %+v, %v", page, err)
	}
}

func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	for i := range 5000 {
		at := filepath.Join(dir, fmt.Sprintf("d%d", i%50))
		_ = os.MkdirAll(at, 0o755)
		content := fmt.Sprintf("---\ntitle: File %d\ndate: 2026-01-01\ntags: [t%d]\n---\n%s\n", i, i%7, strings.Repeat("Some words. ", 200))
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("f%d.md", i)), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	open := func() *folder { return &folder{path: dir, log: logTo(&strings.Builder{})} }
	b.Run("read all", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := open().read(b.Context(), ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	f := open()
	b.Run("look for changes", func(b *testing.B) {
		for b.Loop() {
			f.changed(b.Context())
		}
	})
}
