package sources

import (
	"context"
	"net/http"
	"testing"
	"time"

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

// TestAnotherConfigDoesNotOpenTheGate: what a system asked for counts after the config was read anew, unless it is asked as
// somebody else, or is another.
func TestAnotherConfigDoesNotOpenTheGate(t *testing.T) {
	h := play(t, itemManifest, public, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	for what, test := range map[string]struct {
		change func(c *config.Source)
		calls  int
	}{
		"other freshness": {func(c *config.Source) { c.Freshness.Fresh = time.Hour }, 0},
		"another token":   {func(c *config.Source) { c.Secrets = map[string]tutti.Secret{"token": tutti.NewSecret("new")} }, 1},
		"another address": {func(c *config.Source) { c.URL += "/v2" }, 1},
		"another site":    {func(c *config.Source) { c.Settings = map[string]string{"site": "b"} }, 1},
	} {
		c, before := h.order[0].cfg, h.calls()
		test.change(&c)
		next, err := Open([]config.Source{c}, Deps{Dir: h.deps.Dir, Former: h.Sources})
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Get(t.Context(), refs("a"), tutti.Scope{})[0].Err; tutti.CodeOf(err) != tutti.RateLimited || h.calls() != before+test.calls {
			t.Errorf("%s: %v, after %d calls", what, err, h.calls()-before)
		}
		next.Close()
	}
}
