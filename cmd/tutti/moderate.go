package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tuttihq/tutti"
)

// moderationCommand lists what waits for an approval, over the API.
type moderationCommand struct {
	apiFlags
	Kind  string `arg:"" help:"The moderated kind, as source:kind."`
	State string `help:"pending, blocked, approved, rejected or passed. Default: pending and blocked." enum:",pending,blocked,approved,rejected,passed" default:""`
	First int    `help:"How many items of the origin are looked at, the first; 100 at most." default:"50"`
}

// Help shows how to call it.
func (moderationCommand) Help() string {
	return `A kind is moderated by its config:  moderation: approve  (nothing is delivered that nobody approved), or
moderation: auto  with  blocked: [words]  (nothing that holds one of them). Only refs and verdicts are stored.

Examples:
  tutti moderation social:post
  tutti moderation social:post --state rejected`
}

// Run prints a table.
func (c *moderationCommand) Run(ctx context.Context, out, errs io.Writer) error {
	source, kind, ok := strings.Cut(c.Kind, ":")
	if !ok {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "KIND", Message: "“" + c.Kind + "” is no kind.", Hint: "Write source:kind, such as social:post."}
	}
	a, err := c.connect()
	if err != nil {
		return err
	}
	vars := map[string]any{"source": source, "kind": kind, "first": c.First}
	if c.State != "" {
		vars["states"] = []string{strings.ToUpper(c.State)}
	}
	var got struct {
		Moderation struct {
			Nodes []struct {
				Ref, State, Title, Link string
				UpdatedAt               time.Time
			}
			PageInfo struct{ HasNextPage bool }
		}
	}
	err = a.do(ctx, `query Moderation($source: ID!, $kind: ID!, $states: [ModerationState!], $first: Int) {
  moderation(source: $source, kind: $kind, states: $states, first: $first) { nodes { ref state title link updatedAt } pageInfo { hasNextPage } }
}`, vars, &got)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "REF\tSTATE\tCHANGED\tTITLE\tLINK")
	for _, n := range got.Moderation.Nodes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", n.Ref, strings.ToLower(n.State), day(n.UpdatedAt), n.Title, n.Link)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if got.Moderation.PageInfo.HasNextPage {
		fmt.Fprintf(errs, "There are more than the first %d items of the origin.\n", c.First)
	}
	return nil
}

// moderateCommand approves or rejects items, over the API.
type moderateCommand struct {
	apiFlags
	Refs    []string  `arg:"" help:"The items, as source:kind/id."`
	Approve bool      `help:"They may be delivered." xor:"judgement" required:""`
	Reject  bool      `help:"They are never delivered." xor:"judgement" required:""`
	Undo    bool      `help:"Take an earlier verdict back." xor:"judgement" required:""`
	Seen    time.Time `help:"When the items were as they are judged, such as 2026-12-01T00:00:00Z. Default: now." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Reason  string    `help:"For the audit log: why. Visitors never see it."`
}

// Help shows how to call it.
func (moderateCommand) Help() string {
	return `All of them are judged, or none. An approval counts for an item as it was seen: one that its origin changes later
waits again.

Examples:
  tutti moderate social:post/9 social:post/12 --approve
  tutti moderate social:post/13 --reject --reason "an advertisement"
  tutti moderate social:post/13 --undo`
}

// Run asks the server.
func (c *moderateCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	judgement := "NONE"
	switch {
	case c.Approve:
		judgement = "APPROVED"
	case c.Reject:
		judgement = "REJECTED"
	}
	items := make([]map[string]any, len(c.Refs))
	for i, ref := range c.Refs {
		items[i] = map[string]any{"ref": ref, "judgement": judgement}
		if !c.Seen.IsZero() {
			items[i]["seen"] = c.Seen.UTC().Format(time.RFC3339Nano)
		}
	}
	vars := map[string]any{"items": items}
	if c.Reason != "" {
		vars["reason"] = c.Reason
	}
	var got struct {
		Moderate []struct{ Ref, Judgement string }
	}
	if err := a.do(ctx, `mutation Moderate($items: [ModerateInput!]!, $reason: String) { moderate(items: $items, reason: $reason) { ref judgement } }`, vars, &got); err != nil {
		return err
	}
	for _, v := range got.Moderate {
		what := strings.ToLower(v.Judgement)
		if v.Judgement == "NONE" {
			what = "not judged any more"
		}
		fmt.Fprintf(out, "%s is %s.\n", v.Ref, what)
	}
	return nil
}
