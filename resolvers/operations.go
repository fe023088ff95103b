package resolvers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// maxPushed is how many operations one request may push or remove: checking one takes up to some
// milliseconds.
const maxPushed = 200

func (q query) Operations(ctx context.Context, first *int, after *string) (*graph.OperationConnection, error) {
	n, err := pageSize(first, defaultPage, nextWithAfter)
	if err != nil {
		return nil, err
	}
	skip, err := readNumberCursor(after)
	if err != nil {
		return nil, err
	}
	all, err := q.Store.Operations(ctx)
	if err != nil {
		return nil, err
	}
	from := min(int(min(skip, int64(len(all)))), len(all))
	to := min(from+n, len(all))
	out := &graph.OperationConnection{Nodes: []*graph.Operation{}, PageInfo: pageInfo(to < len(all), int64(to)), TotalCount: len(all)}
	for _, o := range all[from:to] {
		line := &graph.Operation{ID: o.ID, Name: text(o.Name), Text: o.Text, CreatedBy: o.CreatedBy, CreatedAt: o.CreatedAt}
		if !o.UsedAt.IsZero() {
			line.UsedAt = &o.UsedAt
		}
		if problems := graph.GenerationFrom(ctx).Check(o.Text); len(problems) > 0 {
			line.Problem = &problems[0]
		}
		out.Nodes = append(out.Nodes, line)
	}
	return out, nil
}

func (m mutation) PushOperations(ctx context.Context, operations []*graph.OperationInput, dryRun *bool) (*graph.PushOperationsPayload, error) {
	if err := fewEnough("operations", len(operations)); err != nil {
		return nil, err
	}
	there, err := m.Store.Operations(ctx)
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(there))
	for _, o := range there {
		texts[o.ID] = o.Text
	}
	pushed := make([]tutti.Operation, len(operations))
	added := 0
	var errs []error
	for i, in := range operations {
		o := tutti.Operation{ID: operationID(in), Name: valueOf(in.Name), Text: in.Text, CreatedBy: by(ctx), CreatedAt: m.Now()}
		pushed[i] = o
		known, ok := texts[o.ID]
		switch {
		case !ok:
			added++
		case known != o.Text:
			errs = append(errs, notPushed(i, o, tutti.Conflict, "its id stands for another text already.", "An id never changes its meaning: give the new text an id of its own."))
		}
		texts[o.ID] = o.Text
		for _, problem := range graph.GenerationFrom(ctx).Check(o.Text) {
			errs = append(errs, notPushed(i, o, tutti.Invalid, problem, ""))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs[:min(len(errs), graph.GenerationFrom(ctx).Limits().Errors)]...)
	}
	if !valueOf(dryRun) {
		if added, err = m.Store.AddOperations(ctx, pushed); err != nil {
			return nil, err
		}
		if err := m.Reload(ctx); err != nil {
			return nil, err
		}
	}
	return &graph.PushOperationsPayload{Added: added, Known: len(pushed) - added}, nil
}

// operationID is the identifier of a pushed operation. A bare hash of its text is one with the
// prefix that is missing.
func operationID(in *graph.OperationInput) string {
	hash := tutti.OperationID(in.Text)
	if id := valueOf(in.ID); id != "" && "sha256:"+strings.ToLower(id) != hash {
		return id
	}
	return hash
}

func notPushed(i int, o tutti.Operation, code tutti.Code, message, hint string) error {
	name := o.Name
	if name == "" {
		name = o.ID
	}
	return &tutti.Error{Code: code, Field: fmt.Sprintf("operations[%d]", i), Message: name + ": " + message, Hint: hint}
}

func fewEnough(field string, n int) error {
	if n > maxPushed {
		return &tutti.Error{Code: tutti.InvalidValue, Field: field, Message: fmt.Sprintf("at most %d operations may be sent at once.", maxPushed), Hint: "Send them in several requests."}
	}
	return nil
}

func (m mutation) RemoveOperations(ctx context.Context, ids []string) (int, error) {
	if err := fewEnough("ids", len(ids)); err != nil {
		return 0, err
	}
	removed, err := m.Store.RemoveOperations(ctx, ids)
	if err != nil || removed == 0 {
		return 0, err
	}
	return removed, m.Reload(ctx)
}
