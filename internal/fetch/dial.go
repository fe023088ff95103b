package fetch

import (
	"context"
	"net"
	"slices"
)

// Dialer gives how connections are made that are no HTTP, under the same rules. A socket of this machine
// (network unix) needs localhost among AllowPrivate.
func Dialer(cfg Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = defaultDialTimeout
	}
	d := &dialer{allow: parseAllowed(cfg.AllowPrivate), timeout: cfg.DialTimeout, resolver: cfg.Resolver}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "unix" {
			return d.DialContext(ctx, network, address)
		}
		if !slices.Contains(cfg.AllowPrivate, "localhost") {
			return nil, notPublic
		}
		plain := net.Dialer{Timeout: d.timeout}
		return plain.DialContext(ctx, network, address)
	}
}
