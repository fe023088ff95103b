// Package expr is the only place that knows CEL: the language of rules, of values computed from
// params and attributes, of texts with values in them, and of mappings.
//
// It owns the functions that expressions may call, how Go values look to them, what a mistake
// looks like to the person who wrote it, and how much an expression may cost. It knows nothing
// of compositions, sources or visitors. Everything compiled here is safe for concurrent use.
package expr

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// MaxSource is the longest expression in characters.
const MaxSource = 8192

// base is the environment that all others extend: standard functions and ours, no variables.
var base = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append([]cel.EnvOption{
		cel.CustomTypeAdapter(adapter{}),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.ParserRecursionLimit(60),
		cel.ParserErrorRecoveryLimit(4),
		ext.Strings(),
		ext.Lists(ext.ListsMaxRangeSize(1000)),
		ext.Math(),
		ext.Bindings(),
	}, ourFunctions()...)...)
})
