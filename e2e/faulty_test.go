//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// faults are the ways in which a source fails, each named like its source. One source is well.
var faults = map[string]fault{
	"refusing": {mode: "503"},
	"garbling": {mode: "garbage"},
	"reset":    {toxic: `{"type": "reset_peer", "attributes": {"timeout": 0}}`},
	"hole":     {toxic: `{"type": "timeout", "attributes": {"timeout": 0}}`},
	"dripping": {toxic: `{"type": "bandwidth", "attributes": {"rate": 1}}`}, // 1 KB/s, of 16 KB
	"late":     {toxic: `{"type": "latency", "attributes": {"latency": 20000}}`},
	"cut":      {toxic: `{"type": "limit_data", "attributes": {"bytes": 4096}}`}, // the connection ends in the middle of the body
	"bomb":     {mode: "bomb"},
	"deep":     {mode: "deep"},
	"longer":   {mode: "longer"},
	"shorter":  {mode: "shorter"},
	"well":     {},
}

// fault is what goes wrong: at the origin itself, or on the way to it.
type fault struct{ mode, toxic string }

// faultyOrigin plays a REST system behind a proxy that can fail.
type faultyOrigin struct {
	url   string
	mode  atomic.Value // a string: that of a fault
	proxy *toxiproxy.Proxy
	calls atomic.Int64
}

func startFaultyOrigin(t *testing.T, server *toxiproxy.ApiServer, name string) *faultyOrigin {
	t.Helper()
	o := &faultyOrigin{}
	o.mode.Store("")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: o}
	go func() { _ = srv.Serve(l) }()
	o.proxy = toxiproxy.NewProxy(server, name, "127.0.0.1:0", l.Addr().String())
	if err := o.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	o.url = "http://" + o.proxy.Listen
	t.Cleanup(func() { o.proxy.Stop(); _ = srv.Close() })
	return o
}

// ServeHTTP answers /item?ids=1-0,1-1 with a record of 1.6 KB for each.
func (o *faultyOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.calls.Add(1)
	w.Header().Set("Content-Type", "application/json")
	switch o.mode.Load() {
	case "503":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case "garbage":
		_, _ = w.Write([]byte(`{"records": [{"id": "1-0", "tit`))
		return
	case "bomb": // a gigabyte in a megabyte
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb())
		return
	case "deep":
		_, _ = w.Write([]byte(`{"records": ` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`))
		return
	case "longer": // than it says
		c, out, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + `{"records": []}` + strings.Repeat(" ", 2000))
			_ = out.Flush()
			_ = c.Close()
		}
		return
	case "shorter":
		w.Header().Set("Content-Length", "20000")
		_, _ = w.Write([]byte(`{"records": []}`))
		return
	}
	records := []map[string]any{}
	for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
		records = append(records, map[string]any{"id": id, "title": "The title of " + id, "summary": strings.Repeat("Words. ", 220)})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"records": records})
}

// bomb is a gzip body that is a thousand times as long when it is decoded.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write([]byte(`{"records": [{"id": "1-0", "title": "`))
	blank := make([]byte, 1<<20)
	for i := range blank {
		blank[i] = ' '
	}
	for range 1 << 10 {
		_, _ = z.Write(blank)
	}
	_, _ = z.Write([]byte(`"}]}`))
	_ = z.Close()
	return b.Bytes()
})

func (o *faultyOrigin) fail(t *testing.T, f fault) {
	t.Helper()
	o.mode.Store(f.mode)
	if f.toxic != "" {
		if _, err := o.proxy.Toxics.AddToxicJson(strings.NewReader(f.toxic)); err != nil {
			t.Fatal(err)
		}
	}
}

func (o *faultyOrigin) heal(t *testing.T) {
	o.mode.Store("")
	o.proxy.Toxics.ResetToxics(t.Context())
}

// faultyHouse is a running server whose pages each hold ten items of one of the sources.
type faultyHouse struct {
	url, key string
	origins  map[string]*faultyOrigin
	pid      int
}

const (
	faultyPages = 5 // of each source
	faultyItems = 10
)

const faultyManifest = `
name: plain
description: A plain REST system.
kinds:
  item:
    type: Article
    batch: {path: /item, query: {ids: {value: "${ids}", encode: csv}}, records: records, maxIds: 100}
    recordId: record.id
    map:
      title: record.title
      excerpt: record.summary
`

// startFaultyHouse starts a server on origins of its own. Everything is fresh for a second, then
// served at once for twenty, and then stands in for a day: a minute of faults meets all three.
func startFaultyHouse(t *testing.T) *faultyHouse {
	t.Helper()
	bomb() // takes seconds to make, which are not to be those of the faults
	log := zerolog.Nop()
	h := &faultyHouse{origins: map[string]*faultyOrigin{}}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), log)
	dir := t.TempDir()
	files := map[string]string{"plain.yaml": faultyManifest}
	var cfg strings.Builder
	cfg.WriteString("locales: {default: en, names: [en]}\nmarkets: {eu: {currency: EUR}}\nsources:\n")
	for name := range faults {
		h.origins[name] = startFaultyOrigin(t, server, name)
		fmt.Fprintf(&cfg, "  %s:\n    connector: ./plain.yaml\n    url: %s\n    allowPrivate: [127.0.0.1]\n    freshness: {fresh: 1s, stale: 20s, staleIfError: 24h}\n    kinds: {item: {access: public}}\n", name, h.origins[name].url)
		var page strings.Builder
		fmt.Fprintf(&page, "id: %s\ntype: page\ntitle: A page\nparams: [{name: page, type: int, required: true}]\nslots:\n  - id: main\n    name: main\n    components:\n      - id: row\n        type: Row\n        props:\n          items:\n            refs:\n", name)
		for n := range faultyItems {
			fmt.Fprintf(&page, "              - \"='%s:item/' + string(params.page) + '-%d'\"\n", name, n)
		}
		files["content/compositions/"+name+".yaml"] = page.String()
	}
	cfg.WriteString("channels: {web: {}}\ncomponentTypes:\n  Row: {version: 1, props: {items: {type: resources, first: 100}}}\ncompositionTypes:\n  page: {version: 1, slots: {main: {}}}\n")
	files["tutti.yaml"] = cfg.String()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listen := "127.0.0.1:" + freePort(t)
	env := append(os.Environ(), "TUTTI_DATABASE_URL=sqlite:"+filepath.Join(dir, "tutti.db"))
	tutti := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tutti %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	management := keyIn(t, tutti("keys", "create", "deploy", "--class", "management"))
	h.key = keyIn(t, tutti("keys", "create", "app", "--class", "server"))
	cmd := exec.Command(binary(t), "serve", "--config", "tutti.yaml", "--listen", listen)
	cmd.Dir, cmd.Env = dir, env
	run(t, cmd)()
	h.pid = cmd.Process.Pid
	await(t, "http://"+listen+"/readyz")
	h.url = "http://" + listen + "/graphql"
	env = append(env, "TUTTI_MANAGEMENT_KEY="+management)
	tutti("apply", "--url", h.url, "--dir", "content", "--publish")
	return h
}
