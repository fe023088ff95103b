package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// configFlag says where tutti.yaml is. It is part of several commands.
type configFlag struct {
	Config string `help:"The config file." default:"tutti.yaml" type:"path" env:"TUTTI_CONFIG"`
}

// validateCommand checks files without a server.
type validateCommand struct {
	configFlag
	Dirs []string `arg:"" optional:"" help:"Folders with compositions/, audiences/, personas/ and redirects.yaml. Default: the config's folder." type:"existingdir"`
}

// Help shows how to call it.
func (validateCommand) Help() string {
	return `Tells all problems at once, each with file and line. Calls no origin system and needs no database. Environment
variables that the config names must be set; for a check alone any value does.

Examples:
  tutti validate
  tutti validate --config prod/tutti.yaml content`
}

// DocumentChecker checks documents against a config and against each other.
type DocumentChecker func(cfg *config.Config, docs []config.Document) []config.Problem

// Run checks and tells.
func (c *validateCommand) Run(_ context.Context, out, _ io.Writer) error {
	problems, documents, err := c.check(checkDocuments)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return shortened(problems).Sort()
	}
	fmt.Fprintf(out, "All is well: %s, %s.\n", shorten(c.Config), count(documents, "document"))
	return nil
}

// check reads everything and gives all problems.
func (c *validateCommand) check(checker DocumentChecker) (problems config.Problems, documents int, err error) {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil && !errors.As(err, &problems) {
		return nil, 0, err
	}
	dirs := c.Dirs
	if len(dirs) == 0 {
		dirs = []string{filepath.Dir(c.Config)}
	}
	var docs []config.Document
	seen := map[string]config.Document{}
	for _, dir := range dirs {
		some, err := config.ReadDocuments(dir)
		var more config.Problems
		if err != nil && !errors.As(err, &more) {
			return nil, 0, err
		}
		problems = append(problems, more...)
		for _, d := range some {
			key := config.FileOf(d.Kind, d.Name)
			if other, twice := seen[key]; twice {
				problems = append(problems, d.Problem("", "has the same name as "+shorten(other.File), ""))
				continue
			}
			seen[key] = d
			docs = append(docs, d)
		}
	}
	if cfg != nil { // without a config nothing says what would be right in a document
		problems = append(problems, checker(cfg, docs)...)
	}
	return problems, len(docs), nil
}

// shorten names a file as a person in the working directory would.
func shorten(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	if short, err := filepath.Rel(here, file); err == nil && len(short) < len(file) {
		return short
	}
	return file
}

func shortened(problems config.Problems) config.Problems {
	for i := range problems {
		if problems[i].File != "" {
			problems[i].File = shorten(problems[i].File)
		}
	}
	return problems
}

// ofKind gives the documents of one kind.
func ofKind(docs []config.Document, kind tutti.DocumentKind) []config.Document {
	var some []config.Document
	for _, d := range docs {
		if d.Kind == kind {
			some = append(some, d)
		}
	}
	return some
}
