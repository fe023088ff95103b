package resolvers

import (
	"context"

	"github.com/tuttihq/tutti/graph"
)

// driftsBySource gives the drifts of every source, with what they touch.
func (r *Resolvers) driftsBySource() map[string][]*graph.Drift {
	all := map[string][]*graph.Drift{}
	if r.Deps.Drifts == nil {
		return all
	}
	for _, d := range r.Deps.Drifts() {
		all[d.Source] = append(all[d.Source], &graph.Drift{
			Kind: d.Kind, Pointer: d.Pointer, Was: d.Was, Is: d.Is, Since: d.Since, Fields: d.Fields, Compositions: r.Library.Showing(d.Source, d.Kind),
		})
	}
	return all
}

func (m mutation) AcceptDrifts(ctx context.Context, source, kind string) (int, error) {
	return m.Deps.AcceptDrifts(ctx, source, kind)
}
