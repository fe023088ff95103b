package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() (store.Store, error) {
		path := filepath.Join(t.TempDir(), "tutti.db")
		return func() (store.Store, error) { return Open(t.Context(), path) }
	})
}
