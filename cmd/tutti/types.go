package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
)

// typesCommand writes what apps are built with.
type typesCommand struct {
	configFlag
	Out string `help:"The folder to write components.ts and schema.graphql into. Default: print the TypeScript." type:"path"`
}

// Help shows how to call it.
func (typesCommand) Help() string {
	return `TypeScript types for the component types of the config, and the schema for tools such as graphql-codegen. Calls nobody.

components.ts has an interface for each component type (Hero), what its JSON in the field props holds (HeroProps), the
union Component, and the list supports: what an app that was built with it can draw.

Examples:
  tutti types
  tutti types --config prod/tutti.yaml --out app/src/tutti`
}

// Run writes or prints.
func (c *typesCommand) Run(_ context.Context, out, _ io.Writer) error {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	types, err := graph.TypeScript(cfg.ComponentTypes, cfg.Attributes)
	if err != nil {
		return err
	}
	if c.Out == "" {
		return printed(out, types)
	}
	schema, err := schemaOf(cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return tutti.Errorf(tutti.Unavailable, "making the folder: %w", err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{"components.ts", types}, {"schema.graphql", schema}} {
		path := filepath.Join(c.Out, f.name)
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			return tutti.Errorf(tutti.Unavailable, "writing the types: %w", err)
		}
		fmt.Fprintln(out, shorten(path)+" written.")
	}
	return nil
}

// schemaOf prints the GraphQL schema of a config.
func schemaOf(cfg *config.Config) ([]byte, error) {
	gen, err := graph.NewGeneration(graph.GenerationConfig{ID: "schema", ComponentTypes: cfg.ComponentTypes, Attributes: cfg.Attributes})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(gen.Schema())
	return b.Bytes(), nil
}
