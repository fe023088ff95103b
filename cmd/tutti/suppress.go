package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tuttihq/tutti"
)

// suppressCommand withdraws an item, over the API.
type suppressCommand struct {
	apiFlags
	Ref    string        `arg:"" help:"The item, as source:kind/id."`
	Reason string        `help:"For the audit log: why. Visitors never see it." required:""`
	Until  time.Time     `help:"When it ends by itself, such as 2026-12-01T00:00:00Z. Default: when it is taken back." format:"2006-01-02T15:04:05Z07:00" xor:"until" placeholder:"TIME"`
	For    time.Duration `help:"How long it lasts, such as 24h." xor:"until"`
}

// Help shows how to call it.
func (suppressCommand) Help() string {
	return `Nothing shows the item from now on, on every replica, whatever its origin says. Prints which published components
may have shown it.

Examples:
  tutti suppress catalog:product/42 --reason "recalled by the maker"
  tutti suppress social:post/9 --for 24h --reason "a complaint is looked into"
  tutti unsuppress social:post/9 --reason "it is fine"`
}

const suppressMutation = `mutation Suppress($ref: Ref!, $until: DateTime, $reason: String!) {
  suppress(ref: $ref, until: $until, reason: $reason) { suppression { ref until } touches { composition component type how } }
}`

// Run asks the server.
func (c *suppressCommand) Run(ctx context.Context, out, errs io.Writer) error {
	if c.For < 0 {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "--for", Message: "must not be negative."}
	}
	a, err := c.connect()
	if err != nil {
		return err
	}
	vars := map[string]any{"ref": c.Ref, "reason": c.Reason}
	if c.For > 0 {
		c.Until = time.Now().Add(c.For)
	}
	if !c.Until.IsZero() {
		vars["until"] = c.Until.UTC().Format(time.RFC3339Nano)
	}
	var got struct {
		Suppress struct {
			Suppression struct {
				Ref   string
				Until time.Time
			}
			Touches []touch
		}
	}
	if err := a.do(ctx, suppressMutation, vars, &got); err != nil {
		return err
	}
	end := "until it is taken back"
	if !got.Suppress.Suppression.Until.IsZero() {
		end = "until " + day(got.Suppress.Suppression.Until) + " UTC"
	}
	fmt.Fprintf(errs, "%s is withdrawn %s. What may have shown it:\n", got.Suppress.Suppression.Ref, end)
	return printTouches(out, got.Suppress.Touches)
}

// unsuppressCommand lets an item be delivered again, over the API.
type unsuppressCommand struct {
	apiFlags
	Ref    string `arg:"" help:"The item, as source:kind/id."`
	Reason string `help:"For the audit log: why." required:""`
}

// Help shows how to call it.
func (unsuppressCommand) Help() string {
	return `Examples:
  tutti unsuppress catalog:product/42 --reason "the maker has replaced it"`
}

// Run asks the server.
func (c *unsuppressCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	var got struct{ Unsuppress bool }
	err = a.do(ctx, `mutation Unsuppress($ref: Ref!, $reason: String!) { unsuppress(ref: $ref, reason: $reason) }`, map[string]any{"ref": c.Ref, "reason": c.Reason}, &got)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s is delivered again.\n", c.Ref)
	return err
}

// suppressionsCommand lists what is withdrawn, over the API.
type suppressionsCommand struct{ apiFlags }

// Help shows how to call it.
func (suppressionsCommand) Help() string {
	return `Examples:
  tutti suppressions`
}

// Run prints a table.
func (c *suppressionsCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	var got struct {
		Suppressions []struct {
			Ref, Reason, CreatedBy string
			CreatedAt, Until       time.Time
		}
	}
	if err := a.do(ctx, `query Suppressions { suppressions { ref reason until createdBy createdAt } }`, nil, &got); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "REF\tUNTIL\tBY\tSINCE\tREASON")
	for _, s := range got.Suppressions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Ref, day(s.Until), s.CreatedBy, day(s.CreatedAt), s.Reason)
	}
	return w.Flush()
}

// auditCommand shows the audit log, over the API.
type auditCommand struct {
	apiFlags
	First int `help:"How many lines, the newest; 100 at most." default:"50"`
}

// Help shows how to call it.
func (auditCommand) Help() string {
	return `Keys stand there by their ids: tutti keys list has their names.

Examples:
  tutti audit
  tutti audit --first 5`
}

// Run prints a table.
func (c *auditCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	var got struct {
		Audit struct {
			Nodes []struct {
				Action, Subject, Detail, Reason, By string
				At                                  time.Time
			}
		}
	}
	if err := a.do(ctx, `query Audit($first: Int) { audit(first: $first) { nodes { action subject detail reason by at } } }`, map[string]any{"first": c.First}, &got); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tBY\tACTION\tSUBJECT\tHOW\tREASON")
	for _, l := range got.Audit.Nodes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", day(l.At), l.By, l.Action, l.Subject, l.Detail, l.Reason)
	}
	return w.Flush()
}
