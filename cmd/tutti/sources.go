package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

// sourcesCommand holds what can be done with origin systems.
type sourcesCommand struct {
	Check sourcesCheckCommand `cmd:"" help:"Call each origin system once for each kind: address, credentials and mapping."`
}

type sourcesCheckCommand struct {
	configFlag
	databaseFlag
	Name    string        `arg:"" optional:"" help:"One source. Default: all of them."`
	Timeout time.Duration `help:"For each source." default:"20s"`
}

// Help shows how to call it.
func (sourcesCheckCommand) Help() string {
	return `Examples:
  tutti sources check
  tutti sources check catalog --config prod/tutti.yaml

Where there is a database, answers are compared with what the server learned of their shape: a warning
names the place where a mapping reads something else now, and what is published and may show it.
Nothing is written to the database.`
}

// Run calls the sources and tells how each of them did.
func (c *sourcesCheckCommand) Run(ctx context.Context, out, _ io.Writer) error {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	learned, err := c.learned(ctx)
	if err != nil {
		fmt.Fprintf(out, "what the server learned cannot be read, so shapes are not compared: %v\n", err)
	}
	origins, err := openSources(cfg, sources.Deps{Dir: filepath.Dir(cfg.Path), Locales: cfg.Locales, Shapes: learned.shapes, Checking: true})
	if err != nil {
		return err
	}
	defer origins.Close()
	names := origins.Names()
	if c.Name != "" {
		names = []string{c.Name}
	}
	bad := 0
	for _, name := range names {
		started := time.Now()
		limited, cancel := context.WithTimeout(ctx, c.Timeout)
		err := origins.Check(limited, name)
		cancel()
		if err == nil {
			fmt.Fprintf(out, "%s: ok, %d ms\n", name, time.Since(started).Milliseconds())
			continue
		}
		bad++
		for _, e := range flatten(err) {
			fmt.Fprintf(out, "%s: %s\n", name, e)
		}
	}
	warnOfDrifts(out, cfg, origins, learned.published)
	if bad > 0 {
		return &tutti.Error{Code: tutti.Unavailable, Message: fmt.Sprintf("%d of %s did not answer as it should.", bad, count(len(names), "source"))}
	}
	return nil
}
