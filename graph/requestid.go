package graph

import (
	"context"
	"math/rand/v2"
	"net/http"
)

// RequestIDHeader carries the id of a request, in both directions.
const RequestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// RequestIDFrom gives the id of the request, "" outside of one.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithRequestID puts the id of a request into a context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requestID takes the id that a proxy or client gave when it is safe to repeat, or makes one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(RequestIDHeader); len(id) >= 8 && len(id) <= 128 && sane(id) {
		return id
	}
	return madeID()
}

// madeID tells requests apart, and keeps no secret: 16 hexadecimal digits.
func madeID() string {
	var b [16]byte
	for i, n := 0, rand.Uint64(); i < len(b); i, n = i+1, n>>4 {
		b[i] = hexDigits[n&15]
	}
	return string(b[:])
}

func sane(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == ':') {
			return false
		}
	}
	return true
}
