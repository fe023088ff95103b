package main

import (
	"context"
	"time"

	"github.com/tuttihq/tutti/graph"
)

// trust makes what the store has the trusted operations.
func (h *house) trust(ctx context.Context) error {
	list, err := h.store.Operations(ctx)
	if err != nil {
		return err
	}
	h.trusted.Store(&list)
	if h.server != nil { // the first time, the server is not made yet
		h.server.Trust(list)
	}
	return nil
}

// trustedTexts are the texts of the trusted operations: what they name stays in the schema.
func (h *house) trustedTexts() []string {
	list := *h.trusted.Load()
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = o.Text
	}
	return texts
}

// checkTrusted logs which trusted operations cannot be answered any more as the config is now. With
// thousands it takes seconds; it ends with the house.
func (h *house) checkTrusted(schema *graph.Generation) {
	for _, o := range *h.trusted.Load() {
		select {
		case <-h.closed:
			return
		default:
		}
		if problems := schema.Check(o.Text); len(problems) > 0 {
			h.log.Warn("a trusted operation cannot be answered as the config is", "operation", o.ID, "name", o.Name, "problem", problems[0])
		}
	}
}

// noteUses tells the store which trusted operations were asked for. When it returns, all uses
// before it are stored.
func (h *house) noteUses(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := h.server.Used()
	if len(ids) == 0 {
		return nil
	}
	return h.store.TouchOperations(ctx, ids, time.Now())
}

// noteLastUses does it when the house closes.
func (h *house) noteLastUses() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := h.noteUses(ctx); err != nil {
		h.log.Warn("the last uses of trusted operations were not noted", "error", err)
	}
}
