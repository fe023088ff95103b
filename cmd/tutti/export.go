package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// exportCommand writes what the server has into files.
type exportCommand struct {
	apiFlags
	Dir string `help:"The folder to write into." default:"." type:"path"`
}

// Help shows how to call it.
func (exportCommand) Help() string {
	return `Writes compositions/, audiences/, personas/ and redirects.yaml: the drafts as editors saved them last. A file that
says the same already is left as it is, with its comments.

Examples:
  tutti export --dir content
  TUTTI_URL=https://api.example.com/graphql tutti export --dir content`
}

// Run writes the files and says which.
func (c *exportCommand) Run(ctx context.Context, out, errs io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	docs, err := a.read(ctx)
	if err != nil {
		return err
	}
	written := 0
	for _, d := range docs {
		changed, err := writeDocument(c.Dir, d)
		if err != nil {
			return err
		}
		if changed {
			written++
			fmt.Fprintln(out, config.FileOf(d.kind, d.name))
		}
	}
	fmt.Fprintf(errs, "%s, %d written.\n", count(len(docs), "document"), written)
	return nil
}

// writeDocument writes one document, unless its file means the same already.
func writeDocument(dir string, d remote) (changed bool, err error) {
	path := filepath.Join(dir, config.FileOf(d.kind, d.name))
	canonical, err := config.Canonical(d.kind, d.body)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(path); err != nil && d.kind == tutti.RedirectsDocument && !d.live {
		return false, nil // an empty list needs no file
	}
	if here, err := config.ReadDocument(d.kind, path); err == nil && bytes.Equal(here.Body, canonical) {
		return false, nil
	}
	content, err := config.WriteYAML(d.kind, d.body)
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, tutti.Errorf(tutti.Unavailable, "making a folder: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return false, tutti.Errorf(tutti.Unavailable, "writing a file: %w", err)
	}
	return true, nil
}
