package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// wrk is the load: 32 connections that each ask again as soon as they are answered, from one
// thread, for the servers have the same two cores as it has.
type wrk struct {
	dir     string // for its scripts
	seconds int
	made    int
}

const (
	connections = 32
	wrkThreads  = 1
)

// load is what one run of wrk found.
type load struct {
	Requests, Bytes int
	Seconds         float64
	Failed          int
	P50, P99        float64 // milliseconds
	CPU             float64 // microseconds that wrk itself spent on each request
}

func (l load) rate() float64 { return float64(l.Requests) / l.Seconds }

const tellLua = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\nmeasured {"Requests":%d,"Bytes":%d,"Seconds":%.6f,"Failed":%d,"P50":%.4f,"P99":%.4f}\n', summary.requests, summary.bytes,
    summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`

// readyLua asks with the bodies of a file, a line each, in turn. All requests are written before
// the clock runs.
const readyLua = `
local requests, turn = {}, 0
init = function()
  for line in io.lines(%q) do requests[#requests + 1] = wrk.format("POST", nil, nil, line) end
end
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
`

// newLua asks for a new page each time: the file's bodies in turn, with the next number in the
// place of the mark in body and path. The number is always as long as the mark.
const newLua = `
local requests, turn, page = {}, 0, %d
init = function()
  for line in io.lines(%q) do
    local parts, from = {}, 1
    local request = wrk.format("POST", %q, nil, line)
    while true do
      local at = string.find(request, %q, from, true)
      if not at then break end
      parts[#parts + 1] = string.sub(request, from, at - 1)
      from = at + %d
    end
    parts[#parts + 1] = string.sub(request, from)
    requests[#requests + 1] = parts
  end
end
request = function()
  turn = turn %% #requests + 1
  page = page + 1
  return table.concat(requests[turn], page)
end
`

// mark stands where a page's number comes; page numbers that are put there are as long.
const (
	mark      = "77777777"
	firstPage = 10_000_000
)

// script writes a script of wrk.
func (w *wrk) script(headers map[string]string, lua string, args ...any) (string, error) {
	var b bytes.Buffer
	b.WriteString("wrk.method = \"POST\"\n")
	for name, value := range headers {
		fmt.Fprintf(&b, "wrk.headers[%q] = %q\n", name, value)
	}
	fmt.Fprintf(&b, lua, args...)
	b.WriteString(tellLua)
	return w.file("lua", b.Bytes())
}

// file writes a file beside the scripts.
func (w *wrk) file(ending string, content []byte) (string, error) {
	w.made++
	path := filepath.Join(w.dir, strconv.Itoa(w.made)+"."+ending)
	return path, os.WriteFile(path, content, 0o600)
}

// run loads url with a script.
func (w *wrk) run(ctx context.Context, script, url string) (l load, err error) {
	cmd := exec.CommandContext(ctx, "wrk", "--threads", strconv.Itoa(wrkThreads), "--connections", strconv.Itoa(connections), "--timeout", "10s",
		"--duration", strconv.Itoa(w.seconds)+"s", "--script", script, url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return l, fmt.Errorf("running wrk: %w: %s", err, out)
	}
	_, told, ok := bytes.Cut(out, []byte("\nmeasured "))
	if !ok {
		return l, fmt.Errorf("running wrk: it told nothing: %s", out)
	}
	if err := json.Unmarshal(told, &l); err != nil {
		return l, fmt.Errorf("reading what wrk told: %w: %s", err, out)
	}
	l.CPU = float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / float64(max(l.Requests, 1))
	if l.Failed > 0 || l.Requests == 0 {
		return l, fmt.Errorf("%d of %d requests failed: %s", l.Failed, l.Requests, out)
	}
	return l, nil
}
