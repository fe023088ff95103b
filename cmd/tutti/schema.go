package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

// schemaCommand holds the schemas that can be printed, and what depends on them.
type schemaCommand struct {
	Config   schemaConfigCommand   `cmd:"" help:"The JSON Schema of tutti.yaml."`
	Manifest schemaManifestCommand `cmd:"" help:"The JSON Schema of a source's manifest."`
	GraphQL  schemaGraphQLCommand  `cmd:"" name:"graphql" help:"The GraphQL schema of the API, with the types that the config makes."`
	Check    schemaCheckCommand    `cmd:"" help:"Tell which operations a change of the config's types would break."`
}

type schemaConfigCommand struct{}

// Help shows how to call it.
func (schemaConfigCommand) Help() string {
	return `Examples:
  tutti schema config > tutti.schema.json
and as the first line of tutti.yaml, for editors:
  # yaml-language-server: $schema=tutti.schema.json`
}

// Run prints the schema.
func (schemaConfigCommand) Run(_ context.Context, out, _ io.Writer) error {
	return printed(out, config.Schema())
}

type schemaManifestCommand struct{}

// Help shows how to call it.
func (schemaManifestCommand) Help() string {
	return `Examples:
  tutti schema manifest > manifest.schema.json
and as the first line of a manifest, for editors:
  # yaml-language-server: $schema=manifest.schema.json`
}

// Run prints the schema.
func (schemaManifestCommand) Run(_ context.Context, out, _ io.Writer) error {
	return printed(out, sources.ManifestSchema())
}

type schemaGraphQLCommand struct{ configFlag }

// Help shows how to call it.
func (schemaGraphQLCommand) Help() string {
	return `Without a config file: the schema that every deployment has.

Examples:
  tutti schema graphql > schema.graphql
  tutti schema graphql --config prod/tutti.yaml`
}

// Run prints the schema.
func (c *schemaGraphQLCommand) Run(_ context.Context, out, _ io.Writer) error {
	cfg := new(config.Config)
	if _, err := os.Stat(c.Config); !errors.Is(err, fs.ErrNotExist) || shorten(c.Config) != "tutti.yaml" {
		if cfg, err = config.Load(c.Config, os.LookupEnv); err != nil {
			return err
		}
	}
	schema, err := schemaOf(cfg)
	if err != nil {
		return err
	}
	return printed(out, schema)
}

func printed(out io.Writer, content []byte) error {
	if _, err := out.Write(content); err != nil {
		return tutti.Errorf(tutti.Unavailable, "printing: %w", err)
	}
	return nil
}
