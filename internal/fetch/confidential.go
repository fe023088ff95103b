package fetch

import "context"

type confidential struct{}

// Confidential says that the exchanges of a context give or take credentials: whoever stands between the client and
// the network may keep nothing of what is in them.
func Confidential(ctx context.Context) context.Context {
	return context.WithValue(ctx, confidential{}, true)
}

// IsConfidential reports whether Confidential was said.
func IsConfidential(ctx context.Context) bool {
	is, _ := ctx.Value(confidential{}).(bool)
	return is
}
