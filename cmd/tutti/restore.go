package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tuttihq/tutti/store"
)

// restoreCommand reads a backup into an empty database.
type restoreCommand struct {
	databaseFlag
	File string `arg:"" help:"A file that tutti backup wrote." type:"existingfile"`
}

// Help shows how to call it.
func (restoreCommand) Help() string {
	return `Reads a file that tutti backup wrote, from SQLite or PostgreSQL, into an empty database of either. A database that holds
anything is left alone, and a file that is not whole is refused whole. This is also the way from one engine to the
other.

Examples:
  tutti restore tutti-2026-11-21.jsonl
  TUTTI_DATABASE_URL=postgres://tutti@db/tutti tutti restore tutti-2026-11-21.jsonl`
}

// Run reads the file.
func (c *restoreCommand) Run(ctx context.Context, out, _ io.Writer) error {
	return c.with(ctx, func(st store.Store) error {
		lock, err := st.Lock(ctx) // nobody serves what is half there
		if err != nil {
			return err
		}
		defer lock.Release()
		if err := st.Import(ctx, c.File); err != nil {
			return err
		}
		fmt.Fprintf(out, "Restored: %s\n", shorten(c.File))
		return nil
	})
}
