package sources

import (
	"context"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// heldDatabase counts how many are open.
type heldDatabase struct{ open *int }

func (d heldDatabase) Query(context.Context, string, []*string, int, int64) ([]byte, error) {
	return nil, nil
}
func (d heldDatabase) Listen(context.Context, string, func(string), func()) {}
func (d heldDatabase) Close()                                               { *d.open-- }

// TestWhatIsNotOpenedHoldsNothing: a config with a mistake is read again and again while somebody writes it, and each
// time what was opened before the mistake was seen is given back.
func TestWhatIsNotOpenedHoldsNothing(t *testing.T) {
	open, made := 0, 0
	d := Deps{Database: func(DatabaseConfig) (Database, error) { open, made = open+1, made+1; return heldDatabase{&open}, nil }}
	good := config.Source{Name: "content", Connector: "postgres", Secrets: map[string]tutti.Secret{"url": tutti.NewSecret("postgres://db.example/content")}, Kinds: map[string]config.KindConfig{"article": {Access: tutti.AccessPublic}}}
	bad := good
	bad.Kinds = map[string]config.KindConfig{"article": {Access: "everybody"}, "nothing": {Access: tutti.AccessPublic}}
	for what, all := range map[string][]config.Source{"a mistake of its own": {bad}, "a mistake of another": {good, {Name: "other", Connector: "nowhere"}}} {
		if _, err := Open(all, d); err == nil || made == 0 || open != 0 {
			t.Errorf("%s: %d of %d databases are still open (%v)", what, open, made, err)
		}
		made, open = 0, 0
	}
}
