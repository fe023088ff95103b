//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// step is a fenced block of the tutorial: what to run, or a file to write, and what is printed.
type step struct {
	run   string
	fails bool
	file  string
	says  []string
}

// stepsOf reads the blocks of a page: ```sh is run, ```sh fails is run and fails, ```yaml is the file that its
// first line names, and ```text is what the block before prints, … standing for anything.
func stepsOf(t *testing.T, page string) (all []step) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)( fails)?\n(.*?)^```$").FindAllStringSubmatch(string(b), -1) {
		switch m[1] {
		case "sh":
			all = append(all, step{run: m[3], fails: m[2] != ""})
		case "yaml":
			first, rest, _ := strings.Cut(m[3], "\n")
			all = append(all, step{file: strings.TrimPrefix(first, "# "), run: "# " + strings.TrimPrefix(first, "# ") + "\n" + rest})
		case "text":
			all[len(all)-1].says = strings.Split(strings.TrimSpace(m[3]), "\n")
		default:
			t.Fatalf("the tutorial has a block of %s", m[1])
		}
	}
	return all
}

// TestTheTutorialsCommands runs every command of docs/connector-tutorial.md, in one shell, against a real
// json-server, and compares what they print.
func TestTheTutorialsCommands(t *testing.T) {
	steps, dir := stepsOf(t, "../docs/connector-tutorial.md"), t.TempDir()
	ports := strings.NewReplacer("127.0.0.1:3000", "127.0.0.1:"+freePort(t), "127.0.0.1:8080", "127.0.0.1:"+freePort(t))
	port := strings.TrimPrefix(ports.Replace("127.0.0.1:3000"), "127.0.0.1:")
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	program := func(name, text string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program("tutti", fmt.Sprintf(`exec %q "$@"`, binary(t)))
	program("npx", fmt.Sprintf(`shift 2; exec node %q "$@"`, cacheFolder(t, "json-server")+"/node_modules/json-server/lib/cli/bin.js"))

	var script strings.Builder
	script.WriteString("trap 'echo \"$BASH_COMMAND\" >>$0.failed' ERR\n")
	for i, s := range steps {
		text := strings.ReplaceAll(ports.Replace(s.run), "--port 3000", "--port "+port)
		if s.file != "" {
			fmt.Fprintf(&script, "mkdir -p \"$(dirname %[1]s)\"\ncat >%[1]s <<'END OF FILE'\n%[2]sEND OF FILE\n", s.file, text)
			continue
		}
		fmt.Fprintf(&script, "{\n%s} >$0.%d 2>&1; echo $? >$0.code.%d\n", text, i, i)
	}
	path := filepath.Join(bin, "tutorial")
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("bash", path)
	shell.Dir, shell.SysProcAttr = work, &syscall.SysProcAttr{Setpgid: true}
	shell.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir)
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }) // and what it left running
	ended := make(chan error, 1)
	go func() { ended <- shell.Wait() }()
	select {
	case <-ended:
	case <-time.After(3 * time.Minute):
		t.Error("the tutorial does not end")
	}
	check(t, path, steps, ports)
}

func check(t *testing.T, path string, steps []step, ports *strings.Replacer) {
	t.Helper()
	read := func(name string) string { b, _ := os.ReadFile(path + name); return string(b) }
	var mayFail strings.Builder
	for i, s := range steps {
		if s.file != "" {
			continue
		}
		said := read(fmt.Sprintf(".%d", i))
		if code := strings.TrimSpace(read(fmt.Sprintf(".code.%d", i))); (code != "0") != s.fails {
			t.Errorf("%s\nends with %q:\n%s", s.run, code, said)
		}
		if s.fails {
			mayFail.WriteString(s.run)
		}
		for _, line := range s.says {
			parts := strings.Split(regexp.QuoteMeta(ports.Replace(strings.TrimSpace(line))), "…")
			if !regexp.MustCompile(strings.Join(parts, ".*")).MatchString(said) {
				t.Errorf("%s\ndoes not say\n%s\nbut\n%s", s.run, line, said)
			}
		}
	}
	for line := range strings.Lines(read(".failed")) {
		if !strings.Contains(mayFail.String(), strings.TrimSpace(line)) {
			t.Errorf("%s fails", strings.TrimSpace(line))
		}
	}
}
