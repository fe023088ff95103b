package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// dimension is something of which there can be more or less.
type dimension struct {
	name   string
	words  string
	values []int
	wide   bool // values of several orders of magnitude
}

var dimensions = []dimension{
	{name: "refs", words: "refs of a page", values: []int{10, 40, 200}},
	{name: "rules", words: "rules of a page", values: []int{10, 50, 200}},
	{name: "components", words: "components with the 40 refs", values: []int{4, 10, 40}},
	{name: "contexts", words: "different contexts that ask", values: []int{10, 1000, 100_000}, wide: true},
}

// shape is the page of the promises with one thing changed, and how many contexts ask for it.
func (d dimension) shape(value int) (s shape, contexts int) {
	s, contexts = decided, 1000
	switch d.name {
	case "refs":
		s.refs = value
	case "rules":
		s.rules = value
	case "components":
		s.rows = value
	case "contexts":
		return s, value
	}
	s.name = d.name + strconv.Itoa(value)
	return s, contexts
}

// cost is processor time for one answer, in microseconds.
type cost struct{ ours, limit float64 }

// plot measures the processor time of an answer, by turns with that of the limits, and prints and
// draws it: one picture for each dimension, for pages of which everything is known and for new ones.
func plot(ctx context.Context, o options, dir string) error {
	if err := os.MkdirAll(o.plots, 0o755); err != nil {
		return err
	}
	shapes := []shape{decided}
	for _, d := range dimensions {
		for _, v := range d.values {
			if s, _ := d.shape(v); s != decided {
				shapes = append(shapes, s)
			}
		}
	}
	m, err := newMeasure(ctx, o, dir, shapes...)
	if err != nil {
		return err
	}
	defer m.end()
	known, err := m.costs(ctx, func(s shape, all []person) (*race, func(), error) {
		each := min(max(10_000/len(all), 1), differentPages)
		return m.known(ctx, s.name, s, s.requests(all, differentPages, each), 8)
	})
	if err != nil {
		return err
	}
	unknown, err := m.costs(ctx, func(s shape, all []person) (*race, func(), error) { // last: it fills the memory
		r, _, stop, err := m.unknown(ctx, s.name, s, all)
		return r, stop, err
	})
	if err != nil {
		return err
	}
	for _, d := range dimensions {
		known, unknown := known[d.name], unknown[d.name]
		fmt.Printf("\n| %s | known: Tutti | ready bytes | new: Tutti | fan-out |\n|---|---|---|---|---|\n", d.words)
		for i, v := range d.values {
			fmt.Printf("| %s | %.0f µs | %.0f µs | %.0f µs | %.0f µs |\n", grouped(v), known[i].ours, known[i].limit, unknown[i].ours, unknown[i].limit)
		}
		picture := draw("Processor time of an answer, by "+d.words, d, []panel{
			{"everything known", "Tutti", "ready bytes", known},
			{"nothing known, origins at 0 ms", "Tutti", "fan-out", unknown},
		})
		if err := os.WriteFile(filepath.Join(o.plots, d.name+".svg"), picture, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// costs measures every value of every dimension, each prepared by ready.
func (m *measure) costs(ctx context.Context, ready func(shape, []person) (*race, func(), error)) (map[string][]cost, error) {
	all := map[string][]cost{}
	for _, d := range dimensions {
		for _, v := range d.values {
			s, contexts := d.shape(v)
			r, stop, err := ready(s, people(contexts, false))
			if err == nil {
				err = m.run(ctx, r)
				stop()
			}
			if err != nil {
				return nil, fmt.Errorf("%d %s: %w", v, d.words, err)
			}
			all[d.name] = append(all[d.name], r.cost())
		}
	}
	return all, nil
}

func (r *race) cost() cost { return cost{median(r.ours.cpu), median(r.theirs.cpu)} }

// grouped writes a number with commas.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
