package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// played is a whole house with its played origin systems, reached over HTTP as clients reach it.
// Its methods may be called by many goroutines at once, but for reconfigure.
type played struct {
	reopened int // how often
	*playing
	t       *testing.T
	client  *http.Client
	log     *journal // everything that the house logs, from level debug on
	printed string   // what the command prints for scripts
}

// play starts a demo on a free port with a data folder of its own, and ends it with the test.
func play(t *testing.T) *played {
	t.Helper()
	p := &played{t: t, log: &journal{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	command := demoCommand{Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"), JSON: true}
	var err error
	if p.playing, err = command.play(ctx, slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		cancel()
		t.Fatal(err)
	}
	var out bytes.Buffer
	told := command.tell(&out, p.told)
	p.printed = out.String()
	ended := make(chan error, 1)
	go func() { ended <- p.server.wait(ctx) }()
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		p.end()
	})
	if told != nil {
		t.Fatal(told)
	}
	return p
}

// logged gives the log once it says all parts: a request's line is written when its answer may have
// come already. After ten seconds without one of them it fails the test.
func (p *played) logged(parts ...string) string {
	p.t.Helper()
	for last := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		log := p.log.String()
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(log, part) }) {
			return log
		}
		if time.Now().After(last) {
			wants(p.t, "the log", log, parts...)
			return log
		}
	}
}

// journal keeps what is written to it.
type journal struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *journal) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *journal) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// key is the demo's key of a class.
func (p *played) key(class tutti.KeyClass) string { return p.told.Keys[class] }

// token proves a visitor: guest-7 or guest-8.
func (p *played) token(visitor string) string { return p.told.VisitorToken[visitor] }

// answer is what came back for one operation.
type answer struct {
	Status int             `json:"-"`
	Header http.Header     `json:"-"`
	Raw    string          `json:"-"`
	Data   json.RawMessage `json:"data"`
	Errors []answerError   `json:"errors"`
}

type answerError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code      tutti.Code `json:"code"`
		Hint      string     `json:"hint"`
		Field     string     `json:"field"`
		RequestID string     `json:"requestId"`
	} `json:"extensions"`
}

// code is the first error's code, "" without errors.
func (a answer) code() tutti.Code {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Extensions.Code
}

// into decodes the data.
func (a answer) into(t *testing.T, target any) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("answered with errors: %s", a.Raw)
	}
	if err := json.Unmarshal(a.Data, target); err != nil {
		t.Fatalf("%v in %s", err, a.Raw)
	}
}

// ask sends one operation with a key and, when it is not "", a visitor token. vars may be nil.
func (p *played) ask(key, token, query string, vars any) answer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	if token != "" {
		header.Set("Tutti-Visitor", token)
	}
	return p.send(http.MethodPost, "/graphql", header, body)
}

// send sends any request to the house. An answer that is not JSON has only Status, Header and Raw.
func (p *played) send(method, path string, header http.Header, body []byte) answer {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.server.address()+path, bytes.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	req.Header = header
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Error(err)
	}
	a := answer{Status: res.StatusCode, Header: res.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &a) // pages are not JSON
	return a
}

// calls counts the API calls that each origin got since the start or ResetCalls.
func (p *played) calls() map[string]int {
	n := map[string]int{}
	for _, name := range p.origins.Names() {
		if c := p.origins.Calls(name); c > 0 {
			n[name] = c
		}
	}
	return n
}

// reconfigure takes a config that differs from the demo's, as a reload does. change gets a copy
// whose lists are the demo's own: it must replace what it changes.
func (p *played) reconfigure(change func(*config.Config)) {
	p.t.Helper()
	cfg := *p.server.house.live.Load().config
	change(&cfg)
	if err := p.server.house.reload(p.t.Context(), &cfg); err != nil {
		p.t.Fatal(err)
	}
}

// playPatiently is play with origins that may take as long as a busy machine lets them, and whose
// answers do not grow old meanwhile: for tests that hold one answer against another.
func playPatiently(t *testing.T) *played {
	t.Helper()
	p := play(t)
	p.reconfigure(func(cfg *config.Config) {
		cfg.Budgets = config.Budgets{Page: time.Minute, Wave: time.Minute, Learn: time.Minute}
		cfg.Sources = slices.Clone(cfg.Sources)
		for i := range cfg.Sources {
			s := &cfg.Sources[i]
			s.Limits.Timeout, s.Limits.SoftTimeout, s.Limits.Budget = 30*time.Second, 30*time.Second, time.Minute
			s.Freshness.Fresh, s.Freshness.Stale = time.Hour, time.Hour
			s.Kinds = maps.Clone(s.Kinds)
			for name, k := range s.Kinds {
				k.Freshness = nil
				s.Kinds[name] = k
			}
		}
	})
	return p
}

func TestDemoTellsScriptsInOneLine(t *testing.T) {
	p := play(t)
	var told demoTold
	if err := json.Unmarshal([]byte(p.printed), &told); err != nil || bytes.Count([]byte(p.printed), []byte("\n")) != 1 {
		t.Fatalf("%v in %q", err, p.printed)
	}
	a := p.ask(told.Keys[tutti.BrowserKey], told.VisitorToken["guest-8"], `{ channels { name } }`, nil)
	if a.Status != http.StatusOK || len(a.Errors) > 0 {
		t.Errorf("answered %d: %s", a.Status, a.Raw)
	}
	if len(told.Keys) != 4 || len(told.Origins) != 5 || told.VisitorToken["guest-7"] == "" {
		t.Errorf("tells %s", p.printed)
	}
}
