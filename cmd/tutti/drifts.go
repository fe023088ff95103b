package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/store"
)

// shapesEvery is how often what was learned of origins' records is stored, and what others accepted is
// heard.
const shapesEvery = 10 * time.Second

// keepShapes hears what other processes accepted and stores what this one learned. Without a live
// generation there is nothing to do.
func (h *house) keepShapes(ctx context.Context) error {
	g := h.live.Load()
	if g == nil {
		return nil
	}
	stored, err := h.store.Shapes(ctx)
	if err != nil {
		return err
	}
	g.sources.HeardShapes(stored)
	for _, s := range g.sources.UnsavedShapes() {
		if err := h.store.KeepShape(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// acceptDrifts takes the shape of a kind's records for right, here and, in a while, everywhere.
func (h *house) acceptDrifts(ctx context.Context, source, kind string) (int, error) {
	n, err := h.live.Load().sources.AcceptDrifts(source, kind)
	if err != nil || n == 0 {
		return n, err
	}
	h.log.Info("the shape of an origin's records was accepted", "source", source, "kind", kind, "drifts", n)
	return n, h.keepShapes(ctx)
}

// learned is what the server knows and a check compares with.
type learned struct {
	shapes    []tutti.Shape
	published []store.Published
}

// learned reads it; nothing where there is no database.
func (c *sourcesCheckCommand) learned(ctx context.Context) (all learned, err error) {
	if path, isFile := strings.CutPrefix(c.Database, "sqlite:"); isFile {
		if _, err := os.Stat(path); err != nil {
			return all, nil
		}
	}
	err = c.with(ctx, func(st store.Store) (err error) {
		if all.shapes, err = st.Shapes(ctx); err == nil {
			all.published, _, err = st.Published(ctx, time.Now())
		}
		return err
	})
	return all, err
}

// warnOfDrifts tells where answers have another shape than the server learned.
func warnOfDrifts(out io.Writer, cfg *config.Config, origins *sources.Sources, published []store.Published) {
	drifts := origins.Drifts()
	if len(drifts) == 0 {
		return
	}
	library := libraryOf(cfg, origins, published)
	for _, d := range drifts {
		var touched []string
		if library != nil {
			touched = library.Showing(d.Source, d.Kind)
		}
		fmt.Fprintf(out, "%s: warning: %s of %s was %s and is %s; it is read by %s", d.Source, d.Pointer, d.Kind, d.Was, d.Is, strings.Join(d.Fields, ", "))
		if len(touched) > 0 {
			fmt.Fprintf(out, ", and may show on %s", strings.Join(touched, ", "))
		}
		fmt.Fprintln(out)
	}
}

// libraryOf is what is published, compiled; nil where the config makes no engine.
func libraryOf(cfg *config.Config, origins *sources.Sources, published []store.Published) *engine.Library {
	visitors := map[string]string{}
	for _, s := range cfg.Sources {
		if s.Visitor != "" {
			visitors[s.Name] = s.Visitor
		}
	}
	e, err := engine.New(engine.Config{
		Attributes: cfg.Attributes, Enrichers: cfg.Enrichers, Channels: cfg.Channels, Locales: cfg.Locales, Markets: cfg.Markets,
		ComponentTypes: cfg.ComponentTypes, CompositionTypes: cfg.CompositionTypes, SourceVisitors: visitors, Generation: "check",
	}, origins)
	if err != nil {
		return nil
	}
	library := engine.NewLibrary(e)
	var docs []engine.Doc
	for _, p := range published {
		docs = append(docs, engine.Doc{Kind: p.Kind, Name: p.Name, Version: p.Version, Body: p.Body})
	}
	library.Load(docs, time.Time{})
	return library
}
