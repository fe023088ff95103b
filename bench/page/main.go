// Command page measures one page of 40 refs in 4 sources, 8 fields each, decided by 20 rules and 5
// audiences, against the two limits of bench/limits, in one run:
//
//	go run ./bench/page                          # everything, some minutes
//	go run ./bench/page -quick -case hot-a       # a look, in seconds
//	go run ./bench/page -quick -case hot-a -profile /tmp/profiles
//
// It needs wrk (Debian's package; scripts/bench installs it). It prints the figures of
// docs/performance.md, and ends with status 1 when a promise of the project does not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "", "the binary to measure; built when not given")
	flag.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds: to look, not to conclude")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of each")
	flag.IntVar(&o.seconds, "seconds", 4, "how long one side of a round is loaded")
	flag.StringVar(&o.profiles, "profile", "", "a folder for profiles of Tutti, one set for each case")
	flag.StringVar(&o.plots, "plots", "", "a folder: measure instead what a page costs with more refs, rules, components and contexts, and draw it there")
	chosen := flag.String("case", strings.Join(caseNames(), ","), "what to measure")
	flag.Parse()
	o.cases = strings.Split(*chosen, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // what was started is ended also when nobody reads on
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	bin, profiles   string
	plots           string
	quick           bool
	rounds, seconds int
	cases           []string
}

// cases are what can be measured, in the order in which it is done: what needs a small memory first.
var cases = []struct {
	name string
	run  func(*measure, context.Context) error
}{
	{"hot-a", (*measure).hotDecided},
	{"hot-b", (*measure).hotPersonal},
	{"memory", (*measure).memory},
	{"change", (*measure).change},
	{"one", (*measure).one},
	{"crowd", (*measure).crowd},
	{"cold", (*measure).cold},
}

func caseNames() (names []string) {
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}

func (o *options) check() error {
	for _, name := range o.cases {
		if !slices.Contains(caseNames(), name) {
			return fmt.Errorf("there is no case %q; there are %s", name, strings.Join(caseNames(), ", "))
		}
	}
	if slices.Contains(o.cases, "memory") { // it is that of a house that is hot
		o.cases = append(o.cases, "hot-a", "hot-b")
	}
	if o.quick {
		o.rounds, o.seconds = 3, 1
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("wrk is missing. Install it:  apt-get install wrk   (scripts/bench does)")
	}
	return nil
}

func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tutti-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.plots != "" {
		return plot(ctx, o, dir)
	}
	m, err := newMeasure(ctx, o, dir, decided, personal)
	if err != nil {
		return err
	}
	defer m.end()
	m.print()
	for _, c := range cases {
		if slices.Contains(o.cases, c.name) {
			if err := c.run(m, ctx); err != nil {
				m.promised(false, "%s: %v", c.name, err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return m.verdict()
}

// build makes the binary to measure, with profiles if they are wanted.
func build(ctx context.Context, o options, dir string) (string, error) {
	if o.bin != "" {
		return filepath.Abs(o.bin)
	}
	bin := filepath.Join(dir, "tutti")
	args := []string{"build", "-trimpath", "-o", bin}
	if o.profiles != "" {
		args = append(args, "-tags", "pprof")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/tuttihq/tutti/cmd/tutti")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building tutti: %w: %s", err, out)
	}
	return bin, nil
}
