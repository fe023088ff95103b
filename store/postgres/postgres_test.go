package postgres

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() (store.Store, error) {
		address := schema(t)
		return func() (store.Store, error) { return Open(t.Context(), address) }
	})
}

// schema makes an empty schema and gives the address of a database whose tables go there.
func schema(t *testing.T) string {
	t.Helper()
	server := os.Getenv("TUTTI_TEST_POSTGRES")
	if server == "" {
		t.Fatal("no Postgres to test with: run make test, or scripts/with-postgres go test ./store/...")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + rand.Text()
	exec(t, server, `CREATE SCHEMA "`+name+`"`)
	t.Cleanup(func() { exec(t, server, `DROP SCHEMA "`+name+`" CASCADE`) })
	q := u.Query()
	q.Set("search_path", `"`+name+`"`)
	u.RawQuery = q.Encode()
	return u.String()
}

func exec(t *testing.T, address, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // cleanups run after its end
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
