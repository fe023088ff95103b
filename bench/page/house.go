package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// house is a running tutti with the pages to measure.
type house struct {
	*process
	bin, dir, key string
	pprof         string // where its profiles are, when it was built with them
	client        *http.Client
}

// startHouse writes a config, starts bin and publishes the shapes. The log, a line for each request,
// goes to a file.
func startHouse(bin string, o origin, shapes ...shape) (_ *house, err error) {
	h := &house{bin: bin, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1100, DisableCompression: true}}}
	if h.dir, err = os.MkdirTemp("", "tutti-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.end()
		}
	}()
	files := map[string]string{"plain.yaml": manifest(), "tutti.yaml": config(o.url)}
	for name, rule := range audiences {
		files["content/audiences/"+name+".yaml"] = fmt.Sprintf("rule: %q\n", rule)
	}
	for _, s := range shapes {
		files["content/compositions/"+s.name+".yaml"] = s.composition()
	}
	for name, content := range files {
		path := filepath.Join(h.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	management, err := h.makeKey("management")
	if err != nil {
		return nil, err
	}
	if h.key, err = h.makeKey("server"); err != nil {
		return nil, err
	}
	if err := h.serve(); err != nil {
		return nil, err
	}
	apply := h.command("apply", "--url", h.url, "--dir", "content", "--publish")
	apply.Env = append(apply.Env, "TUTTI_MANAGEMENT_KEY="+management)
	if out, err := apply.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("publishing the pages: %w: %s", err, out)
	}
	return h, nil
}

func (h *house) serve() error {
	log, err := os.OpenFile(h.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	h.pprof = filepath.Join(h.dir, "pprof.sock")
	cmd := h.command("serve", "--listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TUTTI_PPROF="+h.pprof)
	cmd.Stderr = log
	if h.process, err = startProcess(cmd); err != nil {
		written, _ := os.ReadFile(h.log())
		return fmt.Errorf("%w: %s", err, written)
	}
	return nil
}

func (h *house) log() string { return filepath.Join(h.dir, "log") }

// tidy empties the log, so that a long run does not fill the disk.
func (h *house) tidy() error { return os.Truncate(h.log(), 0) }

// end stops it and removes what it wrote.
func (h *house) end() {
	if h.process != nil {
		h.stop()
	}
	_ = os.RemoveAll(h.dir)
}

func (h *house) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.bin, args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "TUTTI_DATABASE_URL=sqlite:./tutti.db", "TUTTI_CONFIG=tutti.yaml", "BENCH_HOOK_SECRET="+hookSecret)
	return cmd
}

var anyKey = regexp.MustCompile(`tutti_[a-z]+_[A-Za-z0-9_-]{43}`)

func (h *house) makeKey(class string) (string, error) {
	out, err := h.command("keys", "create", "bench-"+class, "--class", class).CombinedOutput()
	if key := anyKey.Find(out); err == nil && key != nil {
		return string(key), nil
	}
	return "", fmt.Errorf("making a key: %v: %s", err, out)
}

// body is the request for one page. A page that is text stands for a number that is put in later.
func (s shape) body(page any, context json.RawMessage) []byte {
	query, _ := json.Marshal(s.query())
	if context == nil {
		context = []byte("null")
	}
	return fmt.Appendf(nil, `{"query":%s,"variables":{"page":%v,"context":%s}}`, query, page, context)
}

// headers are those of every request.
func (h *house) headers() map[string]string {
	return map[string]string{"Authorization": "Bearer " + h.key, "Content-Type": "application/json", "Accept": "application/graphql-response+json"}
}

// ask gives an answer and the time to its last byte.
func (h *house) ask(body []byte) (answer []byte, header http.Header, took time.Duration, err error) {
	req, err := http.NewRequest(http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, 0, err
	}
	for name, value := range h.headers() {
		req.Header.Set(name, value)
	}
	began := time.Now()
	res, err := h.client.Do(req)
	if answer, err = read(res, err); err != nil {
		return nil, nil, 0, err
	}
	return answer, res.Header, time.Since(began), nil
}

// changed tells it, as the origin would, that an item is another one now.
func (h *house) changed(kind, id string) error {
	body := fmt.Appendf(nil, `{"kind":%q,"ids":[%q]}`, kind, id)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, h.root()+"/webhooks/"+kind+"s", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Hook-Timestamp", stamp)
	req.Header.Set("X-Hook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	_, err = read(h.client.Do(req))
	return err
}

func (h *house) root() string { return strings.TrimSuffix(h.url, "/graphql") }

// meters reads numbers of /metrics.
func (h *house) meters(names ...string) ([]float64, error) {
	b, err := read(h.client.Get(h.root() + "/metrics"))
	if err != nil {
		return nil, err
	}
	found := make([]float64, len(names))
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if i := slices.Index(names, name); i >= 0 {
			if found[i], err = strconv.ParseFloat(value, 64); err != nil {
				return nil, err
			}
		}
	}
	if slices.Contains(found, 0) {
		return nil, fmt.Errorf("of the meters %v there are %v", names, found)
	}
	return found, nil
}

// profile writes what its profiles say, such as heap, into a file. Only a binary with the tag pprof
// has them.
func (h *house) profile(what, file string) error {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.pprof)
	}}}
	b, err := read(client.Get("http://tutti/debug/pprof/" + what))
	if err != nil {
		return fmt.Errorf("taking a profile: %w", err)
	}
	return os.WriteFile(file, b, 0o644)
}
