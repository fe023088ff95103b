package contract

import (
	"context"
	"errors"
	"net/url"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources"
)

// opens makes databases that queries reach through the front.
func (f *front) opens(open func(sources.DatabaseConfig) (sources.Database, error)) func(sources.DatabaseConfig) (sources.Database, error) {
	if open == nil {
		return nil
	}
	return func(c sources.DatabaseConfig) (sources.Database, error) {
		db, err := open(c)
		return desk{db, f}, err
	}
}

// desk stands between a source and its database, as hop stands between a source and the network.
type desk struct {
	sources.Database
	*front
}

// Query counts the query, and fails it as a database might.
func (d desk) Query(ctx context.Context, query string, args []*string, rows int, bytes int64) ([]byte, error) {
	d.calls.Add(1)
	if f := d.fault.Load(); f != nil {
		switch f.Kind {
		case "oversize":
			bytes = 1 // whatever it answers is larger
		case "error":
			return nil, &sources.Refused{Status: f.Status}
		case "slow", "black-hole":
			<-ctx.Done()
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, tutti.Errorf(tutti.Unavailable, "asking the database: %w", ctx.Err())
			}
			return nil, tutti.Errorf(tutti.Timeout, "asking the database: it did not answer in time")
		default:
			return nil, tutti.Errorf(tutti.Unavailable, "asking the database: the connection ended")
		}
	}
	return d.Database.Query(ctx, query, args, rows, bytes)
}

// cannotFail tells why a fault is none that a system of a protocol can have; "" when it can.
func cannotFail(protocol, fault string) string {
	switch {
	case protocol == "files":
		return "a folder is read, and does not answer"
	case protocol == "sql" && fault != "slow" && fault != "reset" && fault != "error" && fault != "oversize" && fault != "black-hole":
		return "databases do not answer so"
	}
	return ""
}

// anotherUser is the address of a database with a user that it probably does not know.
func anotherUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.User != nil {
		u.User = url.UserPassword(spoil(u.User.Username()), "wrong")
	}
	if q := u.Query(); q.Has("user") {
		q.Set("user", spoil(q.Get("user")))
		u.RawQuery = q.Encode()
	}
	return u.String()
}
