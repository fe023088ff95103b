// Package open chooses a store's engine by the address of the database. It owns nothing else.
package open

import (
	"context"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/postgres"
	"github.com/tuttihq/tutti/store/sqlite"
)

// Default is the database when nobody names one.
const Default = "sqlite:./tutti.db"

// Store opens the database at an address: sqlite:PATH, postgres://… or postgresql://…; an empty
// one means Default. It makes a missing SQLite file and migrates either. Any other address is
// an error with code Invalid; the message never repeats an address, which may hold a password.
func Store(ctx context.Context, address string) (store.Store, error) {
	if address == "" {
		address = Default
	}
	scheme, rest, _ := strings.Cut(address, ":")
	switch {
	case scheme == "sqlite" && rest != "" && !strings.HasPrefix(rest, ":"): // not SQLite's own :memory:
		s, err := sqlite.Open(ctx, rest)
		if err != nil {
			return nil, err // not s: a nil pointer in an interface is no nil
		}
		return s, nil
	case scheme == "postgres", scheme == "postgresql":
		s, err := postgres.Open(ctx, address)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return nil, &tutti.Error{
		Code: tutti.Invalid, Field: "TUTTI_DATABASE_URL", Message: "This is not the address of a database that Tutti knows.",
		Hint: "Write, for example:  sqlite:./tutti.db  or  postgres://user:password@host:5432/tutti",
	}
}
