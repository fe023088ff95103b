package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// differentPages is how many pages are asked for by turns, when everything is known.
const differentPages = 100

// hotDecided: everything is known; 1,000 contexts lead to 8 plans.
func (m *measure) hotDecided(ctx context.Context) error {
	return m.hot(ctx, "hot-a", "everything known, 1,000 contexts that lead to 8 plans", decided, decided.requests(people(1000, false), differentPages, 20), 8)
}

// hotPersonal: everything is known; everybody has another place, which enters the plan rounded, and
// another name, which is filled into a hole.
func (m *measure) hotPersonal(ctx context.Context) error {
	n := 100_000
	if m.quick {
		n = 10_000
	}
	title := fmt.Sprintf("everything known, %d places and names, places rounded, names filled into holes", n)
	return m.hot(ctx, "hot-b", title, personal, personal.requests(people(n, true), differentPages, 1), 32)
}

// hot checks every answer, then measures the same requests against a server of ready bytes. A hot
// page makes no origin call.
func (m *measure) hot(ctx context.Context, name, title string, s shape, all []request, plans int) error {
	r, stop, err := m.known(ctx, name, s, all, plans)
	if err != nil {
		return err
	}
	defer stop()
	calls, _, err := m.origin.asked()
	if err != nil {
		return err
	}
	if err := m.run(ctx, r); err != nil {
		return err
	}
	after, _, err := m.origin.asked()
	if err != nil {
		return err
	}
	resident, err := m.house.status("VmRSS")
	if err != nil {
		return err
	}
	m.most = max(m.most, resident)
	r.print(title)
	fmt.Printf("  answers of %.1f KiB; %d requests checked before; %d plans; origin calls %d; Tutti resident %.0f MiB\n", float64(m.size)/1024, len(all), plans, after-calls, mib(resident))
	m.promised(r.ratio() >= 0.6, "%s: %.3f of a server that writes ready bytes; at least 0.60", name, r.ratio())
	m.promised(after == calls, "%s: %d origin calls; none", name, after-calls)
	return nil
}

// known makes ready to load Tutti and a server of ready bytes with the same requests, after every
// answer was checked; everything is in memory then. The people must lead to so many plans.
func (m *measure) known(ctx context.Context, name string, s shape, all []request, plans int) (_ *race, stop func(), err error) {
	pages, seen, err := m.checked(s, all)
	if err != nil {
		return nil, nil, err
	}
	if seen != plans {
		return nil, nil, fmt.Errorf("the people were to lead to %d plans, not %d", plans, seen)
	}
	m.size = len(pages[0])
	var lines bytes.Buffer
	for _, r := range all {
		lines.Write(append(r.body, '\n'))
	}
	file, err := m.wrk.file("txt", lines.Bytes())
	if err != nil {
		return nil, nil, err
	}
	script, err := m.wrk.script(m.house.headers(), readyLua, file)
	if err != nil {
		return nil, nil, err
	}
	static, err := m.static(pages)
	if err != nil {
		return nil, nil, err
	}
	loaded := func(p *process) *side {
		return &side{process: p, load: func() (load, error) { return m.wrk.run(ctx, script, p.url) }}
	}
	stop = func() { static.stop(); _ = os.Remove(file) }
	return &race{name: name, limit: "static", ours: loaded(m.house.process), theirs: loaded(static)}, stop, nil
}

// static starts the server of ready bytes, with these pages and the headers of Tutti's answers.
func (m *measure) static(pages [][]byte) (*process, error) {
	dir, err := os.MkdirTemp(m.dir, "static")
	if err != nil {
		return nil, err
	}
	header := m.headers.Clone()
	header.Del("Date")           // net/http sets it
	header.Del("Content-Length") // each page has its own
	var b bytes.Buffer
	if err := header.Write(&b); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "headers"), b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	for i, p := range pages {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".json"), p, 0o600); err != nil {
			return nil, err
		}
	}
	return m.limits.start("static", dir)
}

// memory tells how large the house is after the hot runs, and after some idle seconds.
func (m *measure) memory(ctx context.Context) error {
	now, err := m.house.status("VmRSS")
	if err != nil {
		return err
	}
	peak, err := m.house.status("VmHWM")
	if err != nil {
		return err
	}
	select {
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	idle, err := m.house.status("VmRSS")
	if err != nil {
		return err
	}
	program, err := m.house.status("RssFile")
	if err != nil {
		return err
	}
	live, err := m.house.meters("go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes")
	if err != nil {
		return err
	}
	fmt.Printf("\nmemory, hot\n  resident %.0f MiB after the hot runs (peak %.0f), %.0f MiB after 10 idle seconds; of that the program's own file %.0f MiB, heap in use %.0f MiB, stacks %.0f MiB\n",
		mib(now), mib(peak), mib(idle), mib(program), live[0]/(1<<20), live[1]/(1<<20))
	m.promised(m.most <= 60<<10, "memory, hot: %.0f MiB; at most 60 MiB", mib(m.most))
	return nil
}

func mib(kib int) float64 { return float64(kib) / 1024 }
