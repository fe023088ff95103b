package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain runs the command instead of the tests when a test asks for it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("TUTTI_AS_COMMAND") != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// process is a tutti command that runs on its own.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, log <-chan string // lines; closed at the end
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), self, args...)}
	p.cmd.Env = append(os.Environ(), "TUTTI_AS_COMMAND=1")
	p.out, p.log = p.follow(p.cmd.StdoutPipe()), p.follow(p.cmd.StderrPipe())
	if err = p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

func (p *process) follow(r io.Reader, err error) <-chan string {
	if err != nil {
		p.t.Fatal(err)
	}
	all := make(chan string, 1000)
	go func() {
		defer close(all)
		for s := bufio.NewScanner(r); s.Scan(); {
			all <- s.Text()
		}
	}()
	return all
}

// says waits for a line with some words.
func says(t *testing.T, lines <-chan string, words string) string {
	t.Helper()
	var seen []string
	for line := range lines {
		if seen = append(seen, line); strings.Contains(line, words) {
			return line
		}
	}
	t.Fatalf("it ended without saying %q:\n%s", words, strings.Join(seen, "\n"))
	return ""
}

// ends waits for the end and gives the exit code.
func (p *process) ends() int {
	p.t.Helper()
	for range p.out { // both must be read before Wait
		continue
	}
	for range p.log {
		continue
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func TestServingThroughItsLife(t *testing.T) {
	dir := t.TempDir()
	path, database := filepath.Join(dir, "tutti.yaml"), "sqlite:"+filepath.Join(dir, "tutti.db")
	development := smallConfig + "development: true\n"
	write(t, path, development)
	key, _ := succeed(t, "keys", "create", "test", "--class", "management", "--database", database)
	key = strings.TrimSpace(key)
	p := launch(t, "serve", "--config", path, "--listen", "127.0.0.1:0", "--database", database, "--drain", "1h")
	address := strings.TrimSuffix(strings.Fields(says(t, p.out, "listens on"))[3], "/graphql")
	get := func(path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return res.StatusCode, readAll(t, res.Body)
	}
	a, err := apiFlags{URL: address, Key: key}.connect()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(query string) string {
		t.Helper()
		var got json.RawMessage
		if err := a.do(t.Context(), query, nil, &got); err != nil {
			return err.Error()
		}
		return string(got)
	}
	const schema = `{ channels { name } __type(name: "Banner") { name } }`

	t.Run("it is healthy and ready", func(t *testing.T) {
		for _, path := range []string{"/healthz", "/readyz"} {
			if code, said := get(path); code != http.StatusOK {
				t.Errorf("%s: %d %s", path, code, said)
			}
		}
		if got := ask(schema); got != `{"channels":[{"name":"web"}],"__type":null}` {
			t.Error(got)
		}
	})
	t.Run("a second process on the same database is refused", func(t *testing.T) {
		other := launch(t, "serve", "--config", path, "--listen", "127.0.0.1:0", "--database", database)
		wants(t, "the refusal", says(t, other.log, "database"), "Another Tutti process", "TUTTI_DATABASE_URL")
		if code := other.ends(); code != failed {
			t.Errorf("it ends with %d", code)
		}
		if got := ask(schema); !strings.Contains(got, "web") {
			t.Errorf("the first one suffers: %s", got)
		}
	})
	// turn puts another config in its place, in one step: somebody looks at it every second.
	turn := func(content string) {
		t.Helper()
		write(t, path+".new", content)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		p.signal(syscall.SIGHUP)
	}
	succeed(t, "apply", "--dir", smallContent(t), "--publish", "--url", address, "--key", key)
	t.Run("a changed config is taken as a whole", func(t *testing.T) {
		turn(strings.NewReplacer("channels: {web: {}}", "channels: {web: {}, chat: {message: true}}",
			"compositionTypes:\n", "  Banner: {props: {words: {type: text}}}\ncompositionTypes:\n").Replace(development))
		says(t, p.log, "the config was taken")
		if got := ask(schema); got != `{"channels":[{"name":"web"},{"name":"chat"}],"__type":{"name":"Banner"}}` {
			t.Error(got)
		}
		if got := ask(`{ experience(composition: "home", channel: "chat") { components { component ... on Banner { type } } } }`); !strings.Contains(got, `"hero"`) {
			t.Errorf("what was published is lost: %s", got)
		}
	})
	t.Run("a broken one changes nothing", func(t *testing.T) {
		turn(strings.Replace(development, "default: en", "default: xx", 1) + "nonsense: 1\n")
		wants(t, "the log", says(t, p.log, "nonsense"), "the config was not taken", "tutti.yaml:")
		if got := ask(schema); !strings.Contains(got, "Banner") || !strings.Contains(got, "chat") {
			t.Error(got)
		}
		if code, _ := get("/readyz"); code != http.StatusOK {
			t.Errorf("it is not ready: %d", code)
		}
	})
	t.Run("one that needs a missing secret changes nothing", func(t *testing.T) {
		turn(strings.Replace(development, "https://social.example", "${NOWHERE_TO_BE_FOUND}", 1))
		wants(t, "the log", says(t, p.log, "NOWHERE_TO_BE_FOUND"), "was not taken")
	})
	t.Run("a good one follows a broken one", func(t *testing.T) {
		turn(development)
		for says(t, p.log, "the config was taken"); ask(schema) != `{"channels":[{"name":"web"}],"__type":null}`; {
			says(t, p.log, "the config was taken") // that line told of an earlier one
		}
	})
	t.Run("it counts", func(t *testing.T) {
		_, said := get("/metrics")
		wants(t, "the metrics", said, `tutti_request_duration_seconds_count{class="management"`, `tutti_source_`, "go_goroutines")
		if strings.Contains(said, key) {
			t.Error("the metrics hold a key")
		}
	})
	t.Run("it serves on for a while after it says no", func(t *testing.T) {
		p.signal(syscall.SIGTERM)
		says(t, p.log, "serving on")
		if code, said := get("/readyz"); code != http.StatusServiceUnavailable {
			t.Errorf("/readyz: %d %s", code, said)
		}
		if got := ask(schema); got != `{"channels":[{"name":"web"}],"__type":null}` {
			t.Error(got)
		}
	})
	t.Run("it ends when it is told to", func(t *testing.T) {
		p.signal(syscall.SIGTERM) // again: whoever waits for it does not wait an hour
		if code := p.ends(); code != done {
			t.Errorf("it ends with %d", code)
		}
		again := launch(t, "serve", "--config", path, "--listen", "127.0.0.1:0", "--database", database)
		says(t, again.out, "listens on")
		again.signal(os.Interrupt)
		if code := again.ends(); code != done {
			t.Errorf("the next one ends with %d", code)
		}
	})
}

func TestDemoAsAProcess(t *testing.T) {
	p := launch(t, "demo", "--listen", "127.0.0.1:0", "--json")
	var told demoTold
	if err := json.Unmarshal([]byte(says(t, p.out, "graphql")), &told); err != nil || len(told.Keys) != 4 || len(told.Origins) != 5 {
		t.Fatalf("%v %+v", err, told)
	}
	if _, err := os.Stat(filepath.Join(told.Data, "tutti.db")); err != nil {
		t.Error(err)
	}
	p.signal(syscall.SIGTERM)
	if code := p.ends(); code != done {
		t.Errorf("it ends with %d", code)
	}
	if _, err := os.Stat(told.Data); !os.IsNotExist(err) {
		t.Errorf("a passing folder is left: %v", err)
	}
}
