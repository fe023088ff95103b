package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/postgres"
	"github.com/tuttihq/tutti/sources/recording"
)

// connectorTestCommand asks a connector the contract.
type connectorTestCommand struct {
	File string `arg:"" optional:"" help:"The manifest, or the name of a connector that comes with Tutti. Default: that of --source."`
	systemFlags
	itemFlags
	Recording string `help:"Ask this recording instead of a running system; a connector's name for the one that comes with it." placeholder:"FILE"`
	JSON      bool   `help:"For scripts."`
}

// Help shows how to call it.
func (connectorTestCommand) Help() string {
	return `Asks what every source promises: one item and many with an unknown one among them, lists to the end, searches, sorts and
filters, locales, drafts, wrong credentials, forged webhooks, and what becomes of it when the system is slow, broken or says
that it is enough. Says of each question whether it passed, cannot be asked of this system and why, or failed, and then
where in the manifest to look. Only reads. Faults are put before the system; it never notices them.

What exists is found out by listing. Where a kind cannot be listed, --id names items. A recording may say more: what
to search for, which filters find something, who owns what (docs/recordings.md); --recording together with --url takes its
questions, and asks the running system.

Examples:
  tutti connector test ./acme.yaml --url https://acme.example --set site=eu --secret key=ACME_KEY
  tutti connector test ./acme.yaml --recording ./acme.recording.yaml
  tutti connector test --source shop --config prod/tutti.yaml
  tutti connector test zendesk --recording zendesk --json
  tutti connector test ./library.yaml --secret url=LIBRARY_URL --allow-private localhost`
}

// Run asks and reports.
func (c *connectorTestCommand) Run(ctx context.Context, out, _ io.Writer) error {
	sys, err := c.system()
	if err != nil {
		return err
	}
	results := sys.AskAll(ctx)
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(results); err != nil {
			return err
		}
	} else {
		report(out, results)
	}
	if n := counted(results)[contract.Failed]; n > 0 {
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s: %s not kept.", sys.Manifest.Name, are(n, "promise"))}
	}
	return ctx.Err()
}

func (c *connectorTestCommand) system() (*contract.System, error) {
	src, m, dir, err := c.manifest(c.File)
	if err != nil {
		return nil, err
	}
	s := contract.System{Source: src, Dir: dir, Manifest: m, Database: postgres.Opener(nil)}
	var r *recording.Recording
	switch {
	case c.Recording != "":
		if r, err = readRecording(c.Recording); err == nil && c.URL == "" && src.URL == "" {
			s.Recording = r
		}
	case src.Recording != "":
		r, err = sources.ReadRecording(src.Recording, dir)
		s.Recording = r
	}
	if err != nil {
		return nil, err
	}
	if r != nil {
		s.Kinds, s.Hooks = r.Kinds, r.Hooks
	}
	if s.Kinds, err = c.into(s.Kinds, m); err != nil {
		return nil, err
	}
	return contract.New(s)
}

// report writes results for a person, kind by kind. Questions of a kind that came to the same for the same reason stand together.
func report(out io.Writer, results []contract.Result) {
	last := "\x00"
	for i, r := range results {
		questions := []string{r.Question}
		if r.Outcome != contract.Passed {
			same := func(o contract.Result) bool {
				return o.Kind == r.Kind && o.Outcome == r.Outcome && o.Place == r.Place && slices.Equal(o.Why, r.Why)
			}
			if slices.ContainsFunc(results[:i], same) {
				continue // it was told
			}
			for _, o := range results[i+1:] {
				if same(o) {
					questions = append(questions, o.Question)
				}
			}
		}
		if r.Kind != last {
			name := r.Kind
			if name == "" {
				name = "the system"
			}
			fmt.Fprintln(out, name)
			last = r.Kind
		}
		fmt.Fprintf(out, "  %-6s  %s", r.Outcome, strings.Join(questions, ", "))
		switch {
		case r.Outcome == contract.Failed:
			if r.Place != "" {
				fmt.Fprintf(out, ", see %s", shorten(r.Place))
			}
			for _, why := range r.Why {
				fmt.Fprintf(out, "\n          %s", why)
			}
		case len(r.Why) > 0:
			fmt.Fprintf(out, ": %s", strings.Join(r.Why, "; "))
		}
		fmt.Fprintln(out)
	}
	n := counted(results)
	fmt.Fprintf(out, "%d passed, %d cannot be asked, %d failed.\n", n[contract.Passed], n[contract.Cannot], n[contract.Failed])
}

func counted(results []contract.Result) map[contract.Outcome]int {
	n := map[contract.Outcome]int{}
	for _, r := range results {
		n[r.Outcome]++
	}
	return n
}

// are writes a number with its word and verb: 1 promise is, 2 promises are.
func are(n int, word string) string {
	if n == 1 {
		return "1 " + word + " is"
	}
	return count(n, word) + " are"
}
