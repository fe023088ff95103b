package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tuttihq/tutti/store"
)

// backupCommand writes the whole database into one file.
type backupCommand struct {
	databaseFlag
	File string `arg:"" help:"The file to write. It must not be there yet." type:"path"`
}

// Help shows how to call it.
func (backupCommand) Help() string {
	return `One consistent state as JSON lines, also while a server runs. Keep the file as safe as the database: it holds the
hashes of keys and the deployment's secret. It holds no content of an origin system.

Examples:
  tutti backup tutti-2026-11-21.jsonl`
}

// Run writes the file.
func (c *backupCommand) Run(ctx context.Context, out, _ io.Writer) error {
	return c.with(ctx, func(st store.Store) error {
		if err := st.Backup(ctx, c.File); err != nil {
			return err
		}
		fmt.Fprintf(out, "Written: %s\n", shorten(c.File))
		return nil
	})
}
