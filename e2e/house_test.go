//go:build e2e

// Package e2e proves the whole house against software that nobody here wrote. scripts/e2e
// installs that software, builds the binary and runs these tests.
package e2e

import (
	"bufio"
	"bytes"
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
	"time"
)

// demoHouse is a running `tutti demo --json`.
type demoHouse struct {
	GraphQL      string            `json:"graphql"`
	Preview      string            `json:"preview"`
	Keys         map[string]string `json:"keys"`
	VisitorToken map[string]string `json:"visitorToken"`
	Origins      map[string]string `json:"origins"`
	Data         string            `json:"data"`
}

func binary(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("TUTTI_BIN")
	if bin == "" {
		t.Fatal("TUTTI_BIN is not set: run make e2e")
	}
	return bin
}

func cacheFolder(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("TUTTI_E2E_CACHE")
	if dir == "" {
		t.Fatal("TUTTI_E2E_CACHE is not set: run make e2e")
	}
	return filepath.Join(dir, name)
}

// startDemo starts the demo and gives what its one line says. It is ended with the test, and
// must then end cleanly.
func startDemo(t *testing.T, args ...string) demoHouse {
	t.Helper()
	began := time.Now()
	cmd := exec.Command(binary(t), append([]string{"demo", "--listen", "127.0.0.1:0", "--json"}, args...)...)
	line := run(t, cmd)
	var d demoHouse
	if err := json.Unmarshal(line(), &d); err != nil {
		t.Fatalf("reading the demo's line: %v", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the demo was ready after %s; 15 s are promised", took)
	}
	return d
}

// run starts a command that ends with SIGTERM at the end of the test, and gives its lines.
func run(t *testing.T, cmd *exec.Cmd) (line func() []byte) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan []byte, 1000)
	ended := make(chan error, 1)
	go func() {
		scanner := bufio.NewScanner(out)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
		close(lines)
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil && filepath.Base(cmd.Path) != "node" {
				t.Errorf("%s did not end cleanly: %v\n%s", filepath.Base(cmd.Path), err, errs.String())
			}
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("%s did not end within 20 s of SIGTERM\n%s", filepath.Base(cmd.Path), errs.String())
		}
	})
	return func() []byte {
		t.Helper()
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("%s ended: %v\n%s", filepath.Base(cmd.Path), <-ended, errs.String())
			}
			return l
		case <-time.After(60 * time.Second):
			t.Fatalf("%s said nothing for 60 s\n%s", filepath.Base(cmd.Path), errs.String())
		}
		return nil
	}
}

// ask sends one operation and decodes data into v. Errors of the answer fail the test.
func ask(t *testing.T, url, key, query string, variables any, v any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%s answered %d: %s", strings.Split(url, "?")[0], res.StatusCode, raw)
	}
	if v != nil {
		if err := json.Unmarshal(answer.Data, v); err != nil {
			t.Fatal(err)
		}
	}
}
