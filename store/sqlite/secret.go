package sqlite

import (
	"context"
	"database/sql"

	"github.com/tuttihq/tutti/store"
)

// DeploymentSecret is promised at store.Store.
func (s *Store) DeploymentSecret(ctx context.Context) ([]byte, error) {
	var secret []byte
	err := s.change(ctx, "reading the deployment secret", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO secrets (name, value) VALUES ('deployment', ?) ON CONFLICT (name) DO NOTHING", store.NewSecret())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT value FROM secrets WHERE name = 'deployment'").Scan(&secret)
	})
	return secret, err
}
