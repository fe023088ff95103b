package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tuttihq/tutti"
)

// invalidateCommand makes kept content old, over the API.
type invalidateCommand struct {
	apiFlags
	Refs   []string `arg:"" optional:"" help:"Items, as source:kind/id."`
	Kind   string   `help:"All items of a kind, as source:kind." placeholder:"KIND"`
	Source string   `help:"All items of a source." placeholder:"NAME"`
	Purge  bool     `help:"Never show what was kept again, not even while the origin does not answer."`
	Reason string   `help:"For the audit log: why."`
	DryRun bool     `name:"dry-run" help:"Only say what it would touch."`
}

// Help shows how to call it.
func (invalidateCommand) Help() string {
	return `Prints which published components may show what is named, and why: REF (it names the item), KIND (it shows items of
that kind), LINKED (it shows items that can link to others), FACT (a rule reads a fact of it).

Examples:
  tutti invalidate dam:asset/sunset
  tutti invalidate --kind catalog:product --dry-run
  tutti invalidate --source dam --purge --reason "licence ended"`
}

const invalidateMutation = `mutation Invalidate($refs: [Ref!], $kind: String, $source: ID, $mode: InvalidateMode, $reason: String, $dryRun: Boolean) {
  invalidate(refs: $refs, kind: $kind, source: $source, mode: $mode, reason: $reason, dryRun: $dryRun) { touches { composition component type how } }
}`

// touch is a place that may show an item.
type touch struct{ Composition, Component, Type, How string }

// Run asks the server.
func (c *invalidateCommand) Run(ctx context.Context, out, errs io.Writer) error {
	given := 0
	for _, is := range []bool{len(c.Refs) > 0, c.Kind != "", c.Source != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return &tutti.Error{Code: tutti.InvalidValue, Message: "Name items, or --kind, or --source: exactly one of them.", Hint: "For example:  tutti invalidate dam:asset/sunset"}
	}
	a, err := c.connect()
	if err != nil {
		return err
	}
	vars := map[string]any{"mode": "STALE", "dryRun": c.DryRun}
	if c.Purge {
		vars["mode"] = "PURGE"
	}
	for name, value := range map[string]string{"kind": c.Kind, "source": c.Source, "reason": c.Reason} {
		if value != "" {
			vars[name] = value
		}
	}
	if len(c.Refs) > 0 {
		vars["refs"] = c.Refs
	}
	var got struct{ Invalidate struct{ Touches []touch } }
	if err := a.do(ctx, invalidateMutation, vars, &got); err != nil {
		return err
	}
	if c.DryRun {
		fmt.Fprintln(errs, "Nothing was done. It would touch:")
	}
	return printTouches(out, got.Invalidate.Touches)
}

func printTouches(out io.Writer, touches []touch) error {
	if len(touches) == 0 {
		_, err := fmt.Fprintln(out, "No published composition can show it.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "COMPOSITION\tCOMPONENT\tTYPE\tHOW")
	for _, t := range touches {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Composition, t.Component, t.Type, t.How)
	}
	return w.Flush()
}
