package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres gives the address of an empty schema of its own on the server that
// TUTTI_TEST_POSTGRES names, until the test ends. Without a server the test fails: a promise
// about two databases is not kept by trying one.
func Postgres(t *testing.T) string {
	t.Helper()
	server := os.Getenv("TUTTI_TEST_POSTGRES")
	if server == "" {
		t.Fatal("no Postgres to test with: run make test, or scripts/with-postgres go test ./store/...")
	}
	u, err := url.Parse(server)
	noError(t, err)
	name := `"test_` + rand.Text() + `"`
	Exec(t, server, "CREATE SCHEMA "+name)
	t.Cleanup(func() { Exec(t, server, "DROP SCHEMA "+name+" CASCADE") })
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Exec runs one statement on a Postgres server.
func Exec(t *testing.T, address, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a test's context has ended when its cleanups run
	conn, err := pgx.Connect(ctx, address)
	noError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	noError(t, err)
}
