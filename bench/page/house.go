package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

const manifest = `
name: plain
description: A plain REST system, for measuring.
kinds:
%s`

const kind = `
  %s:
    type: %s
    id: {pattern: "[0-9]+-[0-9]+"}
    batch:
      path: /%s
      query: {ids: {value: "${ids}", encode: csv}}
      records: records
      maxIds: 100
    recordId: record.id
    map:
      title: record.title
      summary: {value: record.summary, as: string}
      link: record.link
      section: {value: record.section, as: string}
      code: {value: record.code, as: string}
      rank: {value: record.rank, as: int}
      updatedAt: record.updated
`

// query asks for eight fields of each of the 40 items.
const query = `query Page($page: Int!) { experience(composition: "page", params: {page: $page}, channel: "web") { id components { id component
  resources(prop: "items", first: 100) { nodes { id ref title link updatedAt kind fields __typename } } } problems { path code } } }`

// house is a running tutti with the page to measure.
type house struct {
	url, key string
	cmd      *exec.Cmd
	dir      string
}

// startHouse builds nothing: bin is the binary. It writes a config, publishes the page and listens.
func startHouse(bin string, o *origin) (*house, error) {
	dir, err := os.MkdirTemp("", "tutti-bench-")
	if err != nil {
		return nil, err
	}
	h := &house{dir: dir}
	files := map[string]string{"plain.yaml": plain(), "tutti.yaml": config(o), "compositions/page.yaml": composition()}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	management, err := h.makeKey(bin, "management")
	if err != nil {
		return nil, err
	}
	if h.key, err = h.makeKey(bin, "server"); err != nil {
		return nil, err
	}
	h.cmd = h.command(bin, "serve", "--listen", "127.0.0.1:0")
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var log bytes.Buffer
	h.cmd.Stderr = &log
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("starting tutti: %w: %s", err, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	h.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
	apply := h.command(bin, "apply", "--url", h.url, "--dir", ".", "--publish")
	apply.Env = append(apply.Env, "TUTTI_MANAGEMENT_KEY="+management)
	if out, err := apply.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("publishing the page: %w: %s", err, out)
	}
	return h, nil
}

func (h *house) command(bin string, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "TUTTI_DATABASE_URL=sqlite:./tutti.db")
	return cmd
}

var anyKey = regexp.MustCompile(`tutti_[a-z]+_[A-Za-z0-9_-]{43}`)

func (h *house) makeKey(bin, class string) (string, error) {
	out, err := h.command(bin, "keys", "create", "bench", "--class", class).CombinedOutput()
	if key := anyKey.Find(out); err == nil && key != nil {
		return string(key), nil
	}
	return "", fmt.Errorf("making a key: %v: %s", err, out)
}

func (h *house) stop() {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	_ = h.cmd.Wait()
	_ = os.RemoveAll(h.dir)
}

// meter reads one number of /metrics.
func (h *house) meter(name string) (float64, error) {
	res, err := http.Get(strings.TrimSuffix(h.url, "/graphql") + "/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(rest, 64)
		}
	}
	return 0, fmt.Errorf("no meter %s", name)
}

var types = map[string]string{"asset": "Asset", "product": "Product", "post": "SocialPost", "article": "Article"}

func plain() string {
	var kinds strings.Builder
	for _, k := range perPage {
		fmt.Fprintf(&kinds, kind, k.kind, types[k.kind], k.kind)
	}
	return fmt.Sprintf(manifest, kinds.String())
}

func config(o *origin) string {
	var b strings.Builder
	b.WriteString("locales: {default: en, names: [en]}\nmarkets: {eu: {currency: EUR}}\nsources:\n")
	for _, k := range perPage { // four systems, each with its own connections and limits
		fmt.Fprintf(&b, "  %ss:\n    connector: plain.yaml\n    url: %s\n    allowPrivate: [127.0.0.1]\n    limits: {concurrency: 256}\n    kinds:\n", k.kind, o.url)
		for _, other := range perPage {
			fmt.Fprintf(&b, "      %s: {access: %s}\n", other.kind, map[bool]string{true: "public", false: "internal"}[other.kind == k.kind])
		}
	}
	b.WriteString("channels:\n  web: {}\ncomponentTypes:\n  Row: {version: 1, props: {items: {type: resources, first: 20}}}\n")
	b.WriteString("compositionTypes:\n  page: {version: 1, slots: {main: {}}}\n")
	return b.String()
}

func composition() string {
	var b strings.Builder
	b.WriteString("id: page\ntype: page\ntitle: A page of forty\nparams: [{name: page, type: int, required: true}]\nslots:\n  - id: main\n    name: main\n    components:\n")
	for _, k := range perPage {
		fmt.Fprintf(&b, "      - id: %s\n        type: Row\n        props:\n          items:\n            refs:\n", k.kind)
		for i := range k.n {
			fmt.Fprintf(&b, "              - \"='%ss:%s/' + string(params.page) + '-%d'\"\n", k.kind, k.kind, i)
		}
	}
	return b.String()
}
