package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti/store"
)

// DeploymentSecret is promised at store.Store.
func (s *Store) DeploymentSecret(ctx context.Context) ([]byte, error) {
	var secret []byte
	err := s.change(ctx, "reading the deployment secret", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO secrets (name, value) VALUES ('deployment', $1) ON CONFLICT (name) DO NOTHING", store.NewSecret())
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT value FROM secrets WHERE name = 'deployment'").Scan(&secret)
	})
	return secret, err
}
