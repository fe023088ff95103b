// Command page measures one page of 40 refs in 4 sources (10 assets, 15 products, 10 posts, 5
// articles), 8 fields each, against a plain fan-out of the same calls, in one run:
//
//	go run ./bench/page -bin bin/tutti
//
// It prints the figures of docs/performance.md, and ends with status 1 when a promise of the
// project does not hold: the number of origin calls, or the time of a cold page.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	bin := flag.String("bin", "bin/tutti", "the binary to measure")
	rounds := flag.Int("rounds", 150, "cold pages of each")
	flag.Parse()
	if err := run(*bin, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(bin string, rounds int) error {
	o, err := startOrigin()
	if err != nil {
		return err
	}
	fanout, err := startFanout(o)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(bin, "/") {
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		bin = wd + "/" + bin
	}
	h, err := startHouse(bin, o)
	if err != nil {
		return err
	}
	defer h.stop()
	m := &measure{o: o, h: h, fanout: fanout, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1100, MaxConnsPerHost: 0}}}
	fmt.Println("one page of 40 refs in 4 sources, 8 fields each; origins on this machine")
	return errors.Join(m.cold(rounds), m.warm(), m.crowd(1000)) // all are measured, whatever does not hold
}

type measure struct {
	o      *origin
	h      *house
	fanout string
	client *http.Client
	page   int // no page is asked for twice but on purpose
}

func (m *measure) next() int { m.page++; return m.page }

// tutti asks for a page and gives the time to the last byte.
func (m *measure) tutti(page int) (time.Duration, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"page": page}})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(http.MethodPost, m.h.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+m.h.key)
	req.Header.Set("Content-Type", "application/json")
	began := time.Now()
	b, err := m.read(m.client.Do(req))
	took := time.Since(began)
	if err == nil && (strings.Count(string(b), `"ref":`) != 40 || !strings.Contains(string(b), `"problems":[]`)) {
		err = fmt.Errorf("the page is not whole: %.900s", b)
	}
	return took, err
}

func (m *measure) reference(page int) (time.Duration, error) {
	began := time.Now()
	_, err := m.read(m.client.Get(fmt.Sprintf("%s?page=%d", m.fanout, page)))
	return time.Since(began), err
}

func (m *measure) read(res *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// cold measures pages of which nothing is known, origins 20 ms away, by turns with the fan-out.
func (m *measure) cold(rounds int) error {
	m.o.delay.Store(int64(20 * time.Millisecond))
	for range 10 { // connections, compiled operations
		if _, err := m.tutti(m.next()); err != nil {
			return err
		}
		if _, err := m.reference(m.next()); err != nil {
			return err
		}
	}
	var ours, theirs []time.Duration
	m.o.calls.Store(0)
	calls := int64(0)
	spent, err := m.spent()
	if err != nil {
		return err
	}
	for range rounds {
		before := m.o.calls.Load()
		t, err := m.tutti(m.next())
		if err != nil {
			return err
		}
		calls = max(calls, m.o.calls.Load()-before)
		if n := m.o.calls.Load() - before; n != 4 {
			return fmt.Errorf("a cold page made %d origin calls; 4 are promised", n)
		}
		ours = append(ours, t)
		if t, err = m.reference(m.next()); err != nil {
			return err
		}
		theirs = append(theirs, t)
	}
	a, b := median(ours), median(theirs)
	fmt.Printf("cold, origins at 20 ms    p50 %.2f ms   fan-out %.2f ms   difference %.2f ms   ratio %.3f   origin calls %d\n", ms(a), ms(b), ms(a-b), float64(a)/float64(b), calls)
	if err := spent(rounds); err != nil {
		return err
	}
	if a-b > 2*time.Millisecond {
		return fmt.Errorf("a cold page takes %.2f ms more than the fan-out; 2 ms are promised", ms(a-b))
	}
	return nil
}

// warm measures a page whose resources are all in memory.
func (m *measure) warm() error {
	m.o.delay.Store(0)
	page := m.next()
	for range 200 {
		if _, err := m.tutti(page); err != nil {
			return err
		}
	}
	const n = 3000
	m.o.calls.Store(0)
	spent, err := m.spent()
	if err != nil {
		return err
	}
	var times []time.Duration
	for range n {
		t, err := m.tutti(page)
		if err != nil {
			return err
		}
		times = append(times, t)
	}
	calls := m.o.calls.Load()
	fmt.Printf("resources warm            p50 %.2f ms   origin calls %d\n", ms(median(times)), calls)
	if err := spent(n); err != nil {
		return err
	}
	if calls != 0 {
		return fmt.Errorf("a warm page made origin calls: %d", calls)
	}
	return nil
}

// spent notes what the house has spent so far, and gives a function that prints what each of the
// pages since then took.
func (m *measure) spent() (func(pages int) error, error) {
	names := []string{"process_cpu_seconds_total", "go_memstats_mallocs_total", "go_memstats_alloc_bytes_total", "process_resident_memory_bytes"}
	read := func() (all [4]float64, err error) {
		for i, name := range names {
			if all[i], err = m.h.meter(name); err != nil {
				return all, err
			}
		}
		return all, nil
	}
	before, err := read()
	return func(pages int) error {
		after, err := read()
		n := float64(pages)
		fmt.Printf("  each                    CPU %.0f µs   %.0f allocations   %.0f KiB   resident %.0f MiB\n",
			(after[0]-before[0])/n*1e6, (after[1]-before[1])/n, (after[2]-before[2])/n/1024, after[3]/(1<<20))
		return err
	}, err
}

// crowd lets many readers ask at once for a page of which nothing is known.
func (m *measure) crowd(readers int) error {
	m.o.delay.Store(int64(200 * time.Millisecond)) // so that all are there before the first answer
	page := m.next()
	m.o.calls.Store(0)
	errs := make(chan error, readers)
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			if _, err := m.tutti(page); err != nil {
				errs <- err
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		return err
	}
	calls := m.o.calls.Load()
	fmt.Printf("%d readers at once, cold  origin calls %d\n", readers, calls)
	if calls != 4 {
		return fmt.Errorf("%d readers at once made %d origin calls; 4 are promised", readers, calls)
	}
	return nil
}

func median(l []time.Duration) time.Duration {
	slices.Sort(l)
	return l[len(l)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
