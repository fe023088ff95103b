package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
)

// schemaCheckCommand tells what a change of the config's types would break.
type schemaCheckCommand struct {
	configFlag
	apiFlags
	Operations []string `arg:"" optional:"" help:"Manifests of operations, or files that end in .graphql. Default: the trusted operations of the server." type:"existingfile"`
	AllowGone  bool     `help:"Operations that only name what is gone count as answered: while they are stored, they are, without it."`
	JSON       bool     `name:"json" help:"Print JSON, for scripts."`
}

// Help shows how to call it.
func (schemaCheckCommand) Help() string {
	return `Holds operations against the component types and attributes of a config that is not in force yet. Ends with status 1
when one of them would be refused, or names a component type or prop that is gone.

Examples:
  tutti schema check --config next/tutti.yaml
  tutti schema check persisted-query-manifest.json app/queries.graphql
  tutti schema check --allow-gone --json`
}

// checked is what --json prints.
type checked struct {
	Operations int            `json:"operations"`
	Broken     []graph.Broken `json:"broken"`
}

// Run checks and tells.
func (c *schemaCheckCommand) Run(ctx context.Context, out, _ io.Writer) error {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	list, err := c.operations(ctx)
	if err != nil {
		return err
	}
	broken, err := graph.BrokenBy(cfg.ComponentTypes, cfg.Attributes, list)
	if err != nil {
		return ofConfigError(cfg, err)
	}
	if c.JSON {
		b, err := json.MarshalIndent(checked{Operations: len(list), Broken: broken}, "", "  ")
		if err != nil {
			return tutti.Errorf(tutti.Internal, "writing JSON: %w", err)
		}
		if err := printed(out, append(b, '\n')); err != nil {
			return err
		}
	}
	lost := 0
	for _, b := range broken {
		if !b.Gone || !c.AllowGone {
			lost++
		}
		if !c.JSON {
			tellBroken(out, b)
		}
	}
	if lost > 0 {
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%d of %s would not get what they ask for.", lost, count(len(list), "operation")), Hint: "Keep the type or prop (deprecated: …), or retire the operations first."}
	}
	if !c.JSON {
		fmt.Fprintf(out, "All is well: %s.\n", count(len(list), "operation"))
	}
	return nil
}

func tellBroken(out io.Writer, b graph.Broken) {
	what := b.ID
	if b.Name != "" {
		what = b.Name + " (" + b.ID + ")"
	}
	state := "would be refused"
	if b.Gone {
		state = "would be answered without what is gone, while it is stored"
	}
	fmt.Fprintf(out, "%s %s:\n", what, state)
	for _, p := range b.Problems {
		fmt.Fprintln(out, "  "+p)
	}
}

// ofConfigError gives what is wrong with the types with the config's lines.
func ofConfigError(cfg *config.Config, err error) error {
	return config.Problems(ofConfig(cfg, err)).Sort()
}

// operations gives those of the files, or of the server.
func (c *schemaCheckCommand) operations(ctx context.Context) ([]tutti.Operation, error) {
	if len(c.Operations) == 0 {
		a, err := c.connect()
		if err != nil {
			return nil, err
		}
		return a.operationTexts(ctx)
	}
	var list []tutti.Operation
	for _, file := range c.Operations {
		if ext := filepath.Ext(file); ext == ".graphql" || ext == ".gql" {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, tutti.Errorf(tutti.Unavailable, "reading operations: %w", err)
			}
			list = append(list, tutti.Operation{ID: shorten(file), Name: nameOf(string(content)), Text: string(content)})
			continue
		}
		all, err := readManifest(file)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			list = append(list, tutti.Operation{ID: o.ID, Name: o.Name, Text: o.Text})
		}
	}
	return list, nil
}

const operationTextsQuery = `query OperationTexts($after: String) {
  operations(first: 100, after: $after) { nodes { id name text } pageInfo { endCursor hasNextPage } }
}`

// operationTexts gives all trusted operations of the server.
func (a *api) operationTexts(ctx context.Context) ([]tutti.Operation, error) {
	var all []tutti.Operation
	for after := (*string)(nil); ; {
		var page struct {
			Operations struct {
				Nodes    []struct{ ID, Name, Text string }
				PageInfo struct {
					EndCursor   *string
					HasNextPage bool
				}
			}
		}
		if err := a.do(ctx, operationTextsQuery, map[string]any{"after": after}, &page); err != nil {
			return nil, err
		}
		for _, n := range page.Operations.Nodes {
			all = append(all, tutti.Operation{ID: n.ID, Name: n.Name, Text: n.Text})
		}
		after = page.Operations.PageInfo.EndCursor
		if !page.Operations.PageInfo.HasNextPage || after == nil {
			return all, nil
		}
	}
}
