//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // what pictures are asked for
	_ "image/png"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// What the tests of real systems share: a system that can be killed and started again, a server in
// front of it, and the contract suite against it.
//
//	sys := startReal(t, &realSystem{name: …, url: …, command: …})
//	house := startHouse(t, house{files: …, env: …})
//	house.experience(t, "page", nil)
//	sys.kill(); …; sys.start()

// realSystem is software that nobody here wrote, running on this machine with data of the test's own.
type realSystem struct {
	name    string           // for messages
	url     string           // where it is
	ready   string           // the address that answers 200 when it is ready; "" = url
	command func() *exec.Cmd // starts it: the same each time, so that it has its port and data again

	t       *testing.T
	running *exec.Cmd
	ended   chan error // of running
	said    output
}

// startReal starts a system, waits until it is ready, and ends it with the test.
func startReal(t *testing.T, s *realSystem) *realSystem {
	t.Helper()
	if s.t = t; s.ready == "" {
		s.ready = s.url
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the last that %s said:\n%s", s.name, s.said.last(4000))
		}
	})
	s.start()
	return s
}

// start starts the system, for the first time or after kill, and gives how long it took to be ready.
func (s *realSystem) start() time.Duration {
	s.t.Helper()
	began, cmd := time.Now(), s.command()
	cmd.Stdout, cmd.Stderr = &s.said, &s.said
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true // what it starts is killed with it
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("starting %s: %v", s.name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.running, s.ended = cmd, ended
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(90 * time.Second); ; {
		select {
		case err := <-ended:
			s.running = nil
			s.t.Fatalf("%s ended: %v\n%s", s.name, err, s.said.last(4000))
		case <-deadline:
			s.t.Fatalf("%s was not ready within 90 s\n%s", s.name, s.said.last(4000))
		case <-tick.C:
		}
		if answers(s.ready) {
			return time.Since(began)
		}
	}
}

func answers(address string) bool {
	res, err := impatient.Get(address)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

var impatient = &http.Client{Timeout: 5 * time.Second}

// kill ends the system and all that it started at once, without letting it tidy up.
func (s *realSystem) kill() {
	if s.running == nil {
		return
	}
	_ = syscall.Kill(-s.running.Process.Pid, syscall.SIGKILL)
	<-s.ended
	s.running = nil
}

// output keeps what a program says.
type output struct {
	mu sync.Mutex // guards b
	b  []byte
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, b...)
	return len(b), nil
}

func (o *output) last(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b[max(0, len(o.b)-n):])
}

// copied gives a folder of the test's own with what from holds.
func copied(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "cp", "-r", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("copying %s: %s (was it installed? make e2e)", from, out)
	}
	return to
}

// house is a running `tutti serve`.
type house struct {
	files  map[string]string // by path: tutti.yaml, and content/… that is applied and published
	env    []string          // besides this process's
	listen string            // "" = a free port

	url             string
	key, management string // a server key, and one that may see health and previews
	said            *output
}

// startHouse checks the config, starts the server, publishes the content. It ends with the test.
func startHouse(t *testing.T, h house) *house {
	t.Helper()
	dir := t.TempDir()
	for name, content := range h.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if h.listen == "" {
		h.listen = "127.0.0.1:" + freePort(t)
	}
	env := append(append(os.Environ(), "TUTTI_DATABASE_URL=sqlite:"+filepath.Join(dir, "tutti.db")), h.env...)
	tutti := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tutti %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	tutti("validate", "--config", "tutti.yaml", "content")
	h.management, h.key = keyIn(t, tutti("keys", "create", "deploy", "--class", "management")), keyIn(t, tutti("keys", "create", "app", "--class", "server"))
	cmd := exec.Command(binary(t), "serve", "--config", "tutti.yaml", "--listen", h.listen, "--drain", "0s")
	cmd.Dir, cmd.Env = dir, env
	run(t, cmd)()
	await(t, "http://"+h.listen+"/readyz")
	h.url = "http://" + h.listen + "/graphql"
	env = append(env, "TUTTI_MANAGEMENT_KEY="+h.management)
	tutti("apply", "--url", h.url, "--dir", "content", "--publish")
	return &h
}

// page is what the tests look at of an experience.
type realPage struct {
	Freshness  struct{ State string }
	Problems   []pageProblem
	Components []struct {
		Component string
		Resource  *item
		Resources *struct {
			Nodes    []*item
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
			TotalCount *int
		}
	}
}

type pageProblem struct {
	Path, Ref, Code, Message string
	Stale                    bool
}

// item is a resource of any type, with what realQuery selects of it.
type item struct {
	Typename  string `json:"__typename"`
	Ref       string
	Title     string
	Locale    string
	Tags      []string
	Fields    map[string]any
	Freshness struct{ State string }
	URL, Crop string // of an asset: 320 wide in its own shape, and 320 × 180
	Alt       string
	Caption   string
	MediaType string
	Width     int
	Height    int
	Focal     *struct{ X, Y float64 }
	Price     *money // of a product
	Image     *item  // of a product or article
	Excerpt   string // of an article
	Body      *textual
	Text      *textual // of a post
}

type (
	money   struct{ Amount, Currency string }
	textual struct{ Plain string }
)

const itemFragment = `
fragment Picture on Asset { url(width: 320) crop: url(width: 320, height: 180) alt caption mediaType width height focal { x y } }
fragment Item on Resource { __typename ref title locale tags fields freshness { state } ...Picture
	... on Product { price { amount currency } image { __typename ref title freshness { state } ...Picture } }
	... on Article { excerpt body { plain } image { __typename ref title freshness { state } ...Picture } }
	... on SocialPost { text { plain } } }`

const realQuery = `query($c: ID!, $p: JSON, $l: Locale, $context: ContextInput, $preview: PreviewInput) { experience(composition: $c, params: $p, channel: "web", locale: $l, context: $context, preview: $preview) {
	freshness { state } problems { path ref code message stale }
	components { component resource(prop: "item") { ...Item } resources(prop: "items") { totalCount pageInfo { hasNextPage endCursor } nodes { ...Item } } } } }` + itemFragment

var withoutPreview = strings.NewReplacer(", $preview: PreviewInput", "", ", preview: $preview", "")

// experience assembles a composition. vars are of realQuery, such as l for the locale; those of a
// preview are asked with the management key.
func (h *house) experience(t *testing.T, composition string, vars map[string]any) realPage {
	t.Helper()
	all := map[string]any{"c": composition}
	maps.Copy(all, vars)
	key, query := h.key, withoutPreview.Replace(realQuery)
	if vars["preview"] != nil {
		key, query = h.management, realQuery
	}
	var x struct{ Experience realPage }
	ask(t, h.url, key, query, all, &x)
	return x.Experience
}

// states counts the items of a page by their freshness.
func states(x realPage) map[string]int {
	n := map[string]int{}
	for _, c := range x.Components {
		if c.Resource != nil {
			n[c.Resource.Freshness.State]++
		}
		if c.Resources != nil {
			for _, i := range c.Resources.Nodes {
				n[i.Freshness.State]++
			}
		}
	}
	return n
}

// all gives every item that a source's search has for a text, and what the last page says is the total,
// page by page of the size first.
func (h *house) all(t *testing.T, source, kind, text string, first int) (refs []string, total int) {
	t.Helper()
	const query = `query($s: ID!, $k: ID!, $text: String, $first: Int, $after: String) { search(source: $s, kind: $k, text: $text, first: $first, after: $after) {
		totalCount pageInfo { hasNextPage endCursor } nodes { ref } } }`
	var after any
	var words any
	if text != "" {
		words = text
	}
	for range 100 {
		var x struct {
			Search struct {
				TotalCount *int
				PageInfo   struct {
					HasNextPage bool
					EndCursor   string
				}
				Nodes []item
			}
		}
		ask(t, h.url, h.management, query, map[string]any{"s": source, "k": kind, "text": words, "first": first, "after": after}, &x)
		for _, n := range x.Search.Nodes {
			refs = append(refs, n.Ref)
		}
		if x.Search.TotalCount != nil {
			total = *x.Search.TotalCount
		}
		if !x.Search.PageInfo.HasNextPage {
			return refs, total
		}
		after = x.Search.PageInfo.EndCursor
	}
	t.Fatalf("the pages of %s:%s do not end", source, kind)
	return nil, 0
}

// health gives a source's state and the code of its last error.
func (h *house) health(t *testing.T, source string) (state, lastError string) {
	t.Helper()
	var x struct {
		Sources []struct {
			Name   string
			Health struct{ State, LastError string }
		}
	}
	ask(t, h.url, h.management, `{ sources { name health { state lastError } } }`, nil, &x)
	for _, s := range x.Sources {
		if s.Name == source {
			return s.Health.State, s.Health.LastError
		}
	}
	t.Fatalf("there is no source %s", source)
	return "", ""
}

// invalidate makes old what is kept of a source: it is read anew, and stands in where that fails.
func (h *house) invalidate(t *testing.T, source string) {
	t.Helper()
	ask(t, h.url, h.management, `mutation($s: ID!) { invalidate(source: $s, reason: "a test") { mode } }`, map[string]any{"s": source}, nil)
}

// within asks again and again until what it looks for is there, at the latest after limit, and gives
// the time it took. look tells what it saw.
func within(t *testing.T, limit time.Duration, what string, look func() (saw string, ok bool)) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		saw, ok := look()
		took := time.Since(began)
		if took > limit {
			t.Fatalf("%s: not within %s; the last that was seen: %s", what, limit, saw)
		}
		if ok {
			t.Logf("%s after %s", what, took.Round(time.Millisecond))
			return took
		}
		<-tick.C
	}
}

// picture fetches a rendition as a visitor does, without credentials, and gives its size in pixels and
// its media type.
func picture(t *testing.T, address string) (width, height int, mediaType string) {
	t.Helper()
	res, err := impatient.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d", address, res.StatusCode)
	}
	c, _, err := image.DecodeConfig(res.Body)
	if err != nil {
		t.Fatalf("%s is no picture: %v", address, err)
	}
	return c.Width, c.Height, res.Header.Get("Content-Type")
}

// call makes one call of a system's own API, as its editors do, and decodes the answer into v. A status
// over 299 fails the test.
func call(t *testing.T, method, address string, header map[string]string, body, v any) {
	t.Helper()
	if err := tryCall(t.Context(), method, address, header, body, v); err != nil {
		t.Fatal(err)
	}
}

func tryCall(ctx context.Context, method, address string, header map[string]string, body, v any) error {
	var from io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		from = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, from)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode > 299 {
		return fmt.Errorf("%s %s answers %d: %.500s", method, address, res.StatusCode, raw)
	}
	if v == nil || len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, v)
}

// way is the way to a system: it counts the answers by status. A system that is gone is gone on its way, too.
type way struct {
	url  string
	poll string // what the addresses of polls hold: they are not counted; "" = there are none

	mu sync.Mutex // guards n
	n  map[int]int
}

// startWay makes a way to the system at an address.
func startWay(t *testing.T, system string) *way {
	t.Helper()
	to, err := url.Parse(system)
	if err != nil {
		t.Fatal(err)
	}
	w := &way{n: map[int]int{}}
	proxy := httputil.NewSingleHostReverseProxy(to) // the host that was signed stays
	proxy.ModifyResponse = func(r *http.Response) error {
		if w.poll != "" && strings.Contains(r.Request.URL.RawQuery, w.poll) {
			return nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.n[r.StatusCode]++
		return nil
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// take gives the counts and begins anew.
func (w *way) take() map[int]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.n
	w.n = map[int]int{}
	return n
}

func await(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("%s was not ready within 15 s", url)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func field(name string) func(*tutti.Resource) any {
	return func(r *tutti.Resource) any { return r.Fields.Get(name) }
}

var update = flag.Bool("update", false, "record the real systems anew into sources/recordings")

// keepsContract asks a real system all questions of the contract suite, about the items that its connector's
// recording names: the same as "make test" asks the recording. With -update it writes what the system
// answers into the recording. It waits for nothing: what a change brings, the other tests see.
func keepsContract(t *testing.T, c config.Source) {
	t.Helper()
	rec, err := sources.ReadRecording(c.Connector, "")
	if err != nil {
		t.Fatal(err)
	}
	s := contract.System{Source: c, Kinds: rec.Kinds, Hooks: rec.Hooks}
	if *update {
		var secrets []string
		for _, v := range c.Secrets {
			secrets = append(secrets, v.Reveal())
		}
		s.Recorder = recording.Record(c.URL, secrets)
	}
	askAll(t, s)
	if !*update || t.Failed() {
		return
	}
	rec.Settings = c.Settings
	rec.Exchanges, _ = s.Recorder.Exchanges()
	b, err := rec.Write()
	if err != nil {
		t.Fatal(err)
	}
	file := "../sources/recordings/" + c.Connector + ".yaml"
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// askAll asks a system on this machine all questions of the contract suite.
func askAll(t *testing.T, s contract.System) {
	t.Helper()
	s.Source.AllowPrivate = []string{"127.0.0.1"}
	sys, err := contract.New(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range sys.AskAll(t.Context()) {
		what, why := strings.TrimPrefix(r.Kind+": "+r.Question, ": "), strings.Join(r.Why, "\n\t")
		if r.Outcome == contract.Failed {
			t.Errorf("%s: %s\n\t%s", what, r.Place, why)
		} else {
			t.Logf("%s: %s %s", what, r.Outcome, why)
		}
	}
}

// tellsOfOutage reports whether the problems of a page say UNAVAILABLE both of what an old copy stands in for
// and of what is missing.
func (p realPage) tellsOfOutage() bool {
	var standsIn, missing bool
	for _, problem := range p.Problems {
		if problem.Code == "UNAVAILABLE" {
			standsIn, missing = standsIn || problem.Stale, missing || !problem.Stale
		}
	}
	return standsIn && missing
}
