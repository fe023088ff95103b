package sources

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/recording"
)

//go:embed recordings/*.yaml
var recordings embed.FS

// ReadRecording reads the recording that comes with a connector, by the connector's name, or a user's by its
// path, relative to dir. NotFound for a connector without one.
func ReadRecording(name, dir string) (*recording.Recording, error) {
	if tutti.IsName(name) {
		b, err := recordings.ReadFile("recordings/" + name + ".yaml")
		if err != nil {
			return nil, &tutti.Error{Code: tutti.NotFound, Message: "there is no recording of a connector “" + name + "”.", Hint: "For one of your own write its path, for example  ./" + name + ".recording.yaml"}
		}
		return recording.Parse("sources/recordings/"+name+".yaml", b)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		e := unreadable("recording", name, path, dir, err)
		if e.Hint == "" {
			e.Hint = "Make one with  tutti connector record"
		}
		return nil, e
	}
	return recording.Parse(path, b)
}

// Recorded completes the config of a source that a recording answers for: address, settings, and made-up secrets, where
// they are not written.
func Recorded(c config.Source, m *Manifest, r *recording.Recording) config.Source {
	if c.URL = r.URL; c.URL == "" && m.URL == "" {
		c.URL = recording.Address
	}
	settings := maps.Clone(r.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	maps.Copy(settings, c.Settings)
	c.Settings = settings
	secrets := map[string]tutti.Secret{}
	for name := range m.Secrets {
		made := r.Secrets[name]
		if made == "" {
			made = "made-up"
		}
		secrets[name] = tutti.NewSecret(made)
	}
	maps.Copy(secrets, c.Secrets)
	c.Secrets = secrets
	return c
}

// recorded puts a recording in the place of the system, where the config says so.
func recorded(c config.Source, d Deps, m *Manifest, place func(path, what, hint string) error) (config.Source, Deps, *recording.Recording, error) {
	if c.Recording == "" {
		return c, d, nil, nil
	}
	r, err := ReadRecording(c.Recording, d.Dir)
	if err != nil {
		var e *tutti.Error
		if errors.As(err, &e) && (e.Code == tutti.NotFound || e.Cause != nil) {
			return c, d, nil, place("recording", "is wrong: "+strings.TrimSuffix(e.Message, "."), e.Hint)
		}
		return c, d, nil, err
	}
	if r.Connector != m.Name {
		return c, d, nil, place("recording", "is of the connector "+r.Connector+", not of "+m.Name, "")
	}
	player := &playing{Player: r.Play(), source: c.Name, log: d.Log}
	d.Through = func(string, http.RoundTripper) http.RoundTripper { return player }
	return Recorded(c, m, r), d, r, nil
}

// playing is a recording in the place of a system.
type playing struct {
	*recording.Player
	source string
	log    *slog.Logger
	told   sync.Once
}

// RoundTrip answers, and tells the first time that there is no answer. What was asked is told nowhere: it may hold what a
// visitor asks for.
func (p *playing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.Player.RoundTrip(r)
	if len(p.Misses()) > 0 {
		p.told.Do(func() {
			p.log.Warn("a recording has no answer to what is asked: it answers what stands in it, and nothing else (tutti connector try --source shows it)", "source", p.source)
		})
	}
	return res, err
}

// checkPlayed asks for an item that the recording says that it has: it holds no other questions.
func (s *Source) checkPlayed(ctx context.Context, k *kind) error {
	known := s.plays.Kinds[k.Name]
	if len(known.IDs) == 0 {
		return nil
	}
	id, ok := k.canonical(known.IDs[0])
	if !ok {
		return nil
	}
	scope := tutti.Scope{Market: known.Market, Currency: known.Currency}
	if len(known.Locales) > 0 {
		scope.Locale = known.Locales[0]
	}
	ask := []Ask{{Ref: tutti.Ref{Source: s.name, Kind: k.Name, ID: id}}}
	return s.fetchOrSplit(ctx, k, ask, nil, k.scope(scope), nil).Replies[0].Err
}

// through is what stands between one source and the network; nil = nothing.
func (d Deps) through(source string) func(http.RoundTripper) http.RoundTripper {
	if d.Through == nil {
		return nil
	}
	return func(network http.RoundTripper) http.RoundTripper { return d.Through(source, network) }
}
