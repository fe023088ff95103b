package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a server of its own: Tutti, an origin or a limit.
type process struct {
	url  string
	cmd  *exec.Cmd
	stop func()
}

// startProcess starts cmd and waits for the line that ends with its address.
func startProcess(cmd *exec.Cmd) (*process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	p.stop = func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		p.stop()
		return nil, fmt.Errorf("starting %s: it gave no address: %q", filepath.Base(cmd.Path), line)
	}
	p.url = strings.TrimSpace(line[at:])
	return p, nil
}

// status reads a line of /proc/PID/status, such as VmRSS, in KiB.
func (p *process) status(name string) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("/proc/PID/status has no %s", name)
}

// cpu is the processor time that it has used so far, in steps of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from the third field on
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

// limits starts the processes of bench/limits; they end with this one.
type limits struct{ bin string }

func buildLimits(ctx context.Context, dir string) (limits, error) {
	bin := filepath.Join(dir, "limits")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/tuttihq/tutti/bench/limits").CombinedOutput()
	if err != nil {
		return limits{}, fmt.Errorf("building the limits: %w: %s", err, out)
	}
	return limits{bin}, nil
}

func (l limits) start(args ...string) (*process, error) {
	cmd := exec.Command(l.bin, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(cmd)
	if err != nil {
		return nil, err
	}
	p.stop = func() { _ = in.Close(); _ = cmd.Wait() }
	return p, nil
}

// origin is the process that plays the four systems.
type origin struct{ *process }

func (o origin) tell(path string) error {
	_, err := read(http.Post(o.url+"/-/"+path, "", nil))
	return err
}

// delayed makes it answer after so many milliseconds.
func (o origin) delayed(ms int) error { return o.tell("delay/" + strconv.Itoa(ms)) }

// asked tells how many calls, and items in them, there were so far.
func (o origin) asked() (calls, items int, err error) {
	b, err := read(http.Get(o.url + "/-/calls"))
	if err == nil {
		_, err = fmt.Sscan(string(b), &calls, &items)
	}
	return calls, items, err
}

// addresses are the calls that a page needs, for the fan-out.
func (o origin) addresses(s shape) []string {
	ids := map[string][]string{}
	for i := range s.rows {
		kind, first, after := s.row(i)
		for n := first; n < after; n++ {
			ids[kind] = append(ids[kind], fmt.Sprintf("{page}-%d", n))
		}
	}
	var all []string
	for _, k := range kinds {
		if len(ids[k.name]) > 0 {
			all = append(all, o.url+"/"+k.name+"?ids="+strings.Join(ids[k.name], ","))
		}
	}
	return all
}

// read gives the body of an answer with status 200, or 202 as webhooks give.
func read(res *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("status %s: %.500s", res.Status, b)
	}
	return b, err
}
