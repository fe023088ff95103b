package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// measure is one run: the processes, and what was found so far.
type measure struct {
	options
	dir     string
	wrk     wrk
	limits  limits
	origin  origin
	house   *house
	headers http.Header // of an answer
	page    int         // no page is asked for twice but on purpose
	most    int         // KiB resident after a hot run
	size    int         // bytes of an answer
	kept    []promise
}

// promise is what the project says, and whether it held.
type promise struct {
	text string
	held bool
}

func newMeasure(ctx context.Context, o options, dir string, shapes ...shape) (m *measure, err error) {
	m = &measure{options: o, dir: dir, wrk: wrk{dir: dir, seconds: o.seconds}, page: firstPage}
	if m.limits, err = buildLimits(ctx, dir); err != nil {
		return nil, err
	}
	bin, err := build(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	p, err := m.limits.start("origin")
	if err != nil {
		return nil, err
	}
	m.origin = origin{p}
	if m.house, err = startHouse(bin, m.origin, shapes...); err != nil {
		m.origin.stop()
		return nil, err
	}
	return m, nil
}

// print says what is measured.
func (m *measure) print() {
	fmt.Printf("one page of %d refs in %d sources, 8 fields each, %d rules and %d audiences, %d different pages\n"+
		"POST from wrk with %d thread and %d connections, no compression; %d rounds of %d s, Tutti and limit by turns, medians of the paired ratios\n",
		decided.refs, decided.calls(), decided.rules, len(audiences), differentPages, wrkThreads, connections, m.rounds, m.seconds)
}

func (m *measure) end() {
	m.house.end()
	m.origin.stop()
}

// promised notes whether a promise held.
func (m *measure) promised(held bool, text string, args ...any) {
	m.kept = append(m.kept, promise{fmt.Sprintf(text, args...), held})
}

// verdict prints the promises, and gives an error when one does not hold.
func (m *measure) verdict() error {
	fmt.Println("\npromises")
	broken := 0
	for _, p := range m.kept {
		word := "held    "
		if !p.held {
			word = "NOT HELD"
			broken++
		}
		fmt.Println(" ", word, p.text)
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d promises do not hold", broken, len(m.kept))
	}
	return nil
}

// side is one of the two that are loaded by turns.
type side struct {
	process *process
	load    func() (load, error)

	rates, cpu, p50, p99, wrk []float64
}

// turn loads it once.
func (s *side) turn() (load, error) {
	before, err := s.process.cpu()
	if err != nil {
		return load{}, err
	}
	l, err := s.load()
	if err != nil {
		return load{}, err
	}
	after, err := s.process.cpu()
	s.rates = append(s.rates, l.rate())
	s.cpu = append(s.cpu, float64((after-before).Microseconds())/float64(l.Requests))
	s.p50, s.p99, s.wrk = append(s.p50, l.P50), append(s.p99, l.P99), append(s.wrk, l.CPU)
	return l, err
}

func (s *side) print(name string) {
	fmt.Printf("  %-8s %8.0f requests/s   CPU %6.1f µs (wrk %5.1f)   p50 %6.2f ms   p99 %6.2f ms\n", name, median(s.rates), median(s.cpu), median(s.wrk), median(s.p50), median(s.p99))
}

// race is Tutti and a limit, loaded by turns.
type race struct {
	name         string // of the case
	limit        string
	ours, theirs *side
	ratios       []float64 // of the rates, round by round

	allocations, bytes float64 // of Tutti for each answer, in the last round
}

// run loads both by turns. What of a round comes first changes from round to round; one round
// before is not counted.
func (m *measure) run(ctx context.Context, r *race) error {
	for round := range m.rounds + 1 {
		sides := []*side{r.ours, r.theirs}
		if round%2 == 1 {
			slices.Reverse(sides)
		}
		for _, s := range sides {
			if err := errors.Join(m.house.tidy(), ctx.Err()); err != nil {
				return err
			}
			before, err := m.house.meters("go_memstats_mallocs_total", "go_memstats_alloc_bytes_total")
			if err != nil {
				return err
			}
			wait := func() error { return nil }
			if s == r.ours && round == m.rounds && m.profiles != "" {
				wait = m.profile(r.name)
			}
			l, err := s.turn()
			if err = errors.Join(err, wait()); err != nil {
				return err
			}
			if s == r.ours {
				after, err := m.house.meters("go_memstats_mallocs_total", "go_memstats_alloc_bytes_total")
				if err != nil {
					return err
				}
				r.allocations, r.bytes = (after[0]-before[0])/float64(l.Requests), (after[1]-before[1])/float64(l.Requests)
			}
		}
		if round == 0 {
			r.ours, r.theirs = &side{process: r.ours.process, load: r.ours.load}, &side{process: r.theirs.process, load: r.theirs.load}
		}
	}
	for i := range m.rounds {
		r.ratios = append(r.ratios, r.ours.rates[i]/r.theirs.rates[i])
	}
	return nil
}

// ratio is the median of the paired ratios.
func (r *race) ratio() float64 { return median(r.ratios) }

func (r *race) print(title string) {
	fmt.Printf("\n%s: %s\n", r.name, title)
	r.ours.print("Tutti")
	r.theirs.print(r.limit)
	fmt.Printf("  ratio    %.3f (%.3f to %.3f)   of the CPU time %.3f   Tutti: %.0f allocations, %.1f KiB for each answer\n",
		r.ratio(), slices.Min(r.ratios), slices.Max(r.ratios), median(r.theirs.cpu)/median(r.ours.cpu), r.allocations, r.bytes/1024)
}

// profile takes profiles of Tutti while it is loaded, into a folder for this case. The function
// that it gives waits for them.
func (m *measure) profile(name string) func() error {
	dir := filepath.Join(m.profiles, name)
	done := make(chan error, 1)
	go func() {
		err := os.MkdirAll(dir, 0o755)
		for _, what := range []string{fmt.Sprintf("profile?seconds=%d", m.seconds), "allocs", "heap"} {
			if err == nil {
				kind, _, _ := strings.Cut(what, "?")
				err = m.house.profile(what, filepath.Join(dir, kind))
			}
		}
		done <- err
	}()
	return func() error { fmt.Println("profiles of", name, "are in", dir); return <-done }
}

func median[T float64 | time.Duration](l []T) T {
	l = slices.Clone(l)
	slices.Sort(l)
	return l[len(l)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
