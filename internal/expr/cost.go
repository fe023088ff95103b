package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// The most that one evaluation may cost by the static estimate, in CEL's units (about one
// comparison each). A rule is evaluated for every request; a mapping once per fetched record.
const (
	ruleCost    = 20_000
	dynamicCost = 5_000_000
)

// sizes says how large values are taken to be: texts of 256 characters and lists of 50 items in
// rules; in dynamic values the same figure for both, because nobody knows what they are.
type sizes struct{ text, list, dyn uint64 }

func (s sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if n.ComputedSize() != nil {
		return nil
	}
	e := cost.SizeEstimate{Max: s.dyn}
	switch n.Type().Kind() {
	case types.StringKind, types.BytesKind:
		e.Max = s.text
	case types.ListKind, types.MapKind:
		e.Max = s.list
	}
	return &e
}

func (sizes) EstimateCallCost(_, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	return nil
}

// tooDear refuses an expression whose estimate exceeds the limit.
func tooDear(env *cel.Env, ast *cel.Ast, s sizes, limit uint64) error {
	estimate, err := env.EstimateCost(ast, s)
	if err != nil {
		return mistake(1, 1, "what it would cost cannot be estimated", "Write it simpler.")
	}
	if estimate.Max > limit {
		return mistake(1, 1, "evaluating this could take too long", "Avoid lists inside lists (map, filter, exists within another) and matches() on long texts.")
	}
	return nil
}
