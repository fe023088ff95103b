package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// tagsCommand tells how the headers of answers call things.
type tagsCommand struct {
	Tags []string `arg:"" name:"tag" help:"A ref (stay:hotel/azul), a kind (stay:hotel) or a composition (composition:home)."`
}

// Help shows how to call it.
func (tagsCommand) Help() string {
	return `Public answers carry the headers Surrogate-Key and Cache-Tag: a short key for each ref, kind and composition that they
were made of. These are the keys to purge in a CDN when one of them changed.

Examples:
  tutti tags stay:hotel/azul
  tutti tags stay:hotel/azul stay:hotel composition:home`
}

// Run prints one key a line, as they were asked for.
func (c *tagsCommand) Run(_ context.Context, out, _ io.Writer) error {
	for _, tag := range c.Tags {
		if !strings.Contains(tag, ":") {
			return &tutti.Error{Code: tutti.InvalidValue, Field: "TAG", Message: "“" + tag + "” is no tag.", Hint: "Write a ref (stay:hotel/azul), a kind (stay:hotel) or composition: and its id."}
		}
	}
	for _, tag := range c.Tags {
		fmt.Fprintln(out, graph.SurrogateKey(tag))
	}
	return nil
}
