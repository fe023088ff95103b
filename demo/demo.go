// Package demo plays five origin systems over real HTTP, each in its vendor's own protocol: a
// DAM, a catalog, a social network, a help desk and a hotel system. They hold one believable
// travel world in several languages. It also embeds the configuration and content of the demo.
//
// It owns the played systems, their data and the demo's files. It knows nothing of connectors,
// mappings or the engine: those must read these systems as they would read the real ones.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// Names are the played systems, by the names that the demo's configuration gives them.
var names = [...]string{"dam", "catalog", "social", "support", "stay"}

// OriginsConfig says how the systems are played. The zero value works.
type OriginsConfig struct {
	Listen string           // the address of each listener; "" = 127.0.0.1:0. With a fixed port only the first can start
	Delay  time.Duration    // how long each API call takes at least
	Now    func() time.Time // nil = time.Now; stays and posts lie around this moment
	Log    *slog.Logger     // nil = nothing is logged
}

// Origins are the running systems. All methods are safe for concurrent use.
type Origins struct {
	byName map[string]*origin
}

// StartOrigins starts all five systems, each on its own listener, and returns when all of them
// accept calls. Whoever starts them must Close them.
func StartOrigins(cfg OriginsConfig) (*Origins, error) {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w, err := loadWorld(cfg.Now())
	if err != nil {
		return nil, err
	}
	o := &Origins{byName: map[string]*origin{}}
	for _, name := range names {
		p, err := startOrigin(name, cfg, players[name], w)
		if err != nil {
			o.Close()
			return nil, err
		}
		o.byName[name] = p
	}
	return o, nil
}

// players make the vendor's side of each system.
var players = map[string]func(w *world, base string, s map[string]string, now func() time.Time) (player, error){
	"dam": newDAM, "catalog": newCatalog, "social": newSocial, "support": newSupport, "stay": newStay,
}

// Names gives the names of the systems, always in the same order.
func (o *Origins) Names() []string { return append([]string(nil), names[:]...) }

// URL is where a system is reached, without a slash at the end; "" for an unknown name.
func (o *Origins) URL(name string) string {
	if p, ok := o.byName[name]; ok {
		return p.url
	}
	return ""
}

// Secrets are what a client must know to speak to a system, new at each start:
// dam api_key, api_secret; catalog webhook_secret; social webhook_secret; support email, api_token,
// webhook_secret; stay api_key, webhook_secret. (Cloudinary signs webhooks with the api_secret; it
// stands under webhook_secret too.) The map is the caller's own; empty for an unknown name.
func (o *Origins) Secrets(name string) map[string]string {
	out := map[string]string{}
	if p, ok := o.byName[name]; ok {
		for k, v := range p.secrets {
			out[k] = v
		}
	}
	return out
}

// Env gives the environment that the demo's tutti.yaml asks for, but for the visitors' secret:
// URLs and secrets of all systems, by names such as DAM_URL and SUPPORT_API_TOKEN.
func (o *Origins) Env() map[string]string {
	env := map[string]string{}
	for name, p := range o.byName {
		prefix := strings.ToUpper(name) + "_"
		env[prefix+"URL"] = p.url
		for k, v := range p.secrets {
			env[prefix+strings.ToUpper(k)] = v
		}
	}
	return env
}

// SetHook says where a system posts its webhooks; "" stops them.
func (o *Origins) SetHook(name, url string) {
	if p, ok := o.byName[name]; ok {
		p.mu.Lock()
		p.hook = url
		p.mu.Unlock()
	}
}

// Calls counts the API calls that a system got since the start or the last ResetCalls; calls
// that met a fault included, pictures and the control surface left out.
func (o *Origins) Calls(name string) int {
	if p, ok := o.byName[name]; ok {
		return int(p.calls.Load())
	}
	return 0
}

// ResetCalls starts counting anew in all systems.
func (o *Origins) ResetCalls() {
	for _, p := range o.byName {
		p.calls.Store(0)
	}
}

// Change changes one record in the vendor's own field names, as an editor in that system would,
// then posts the vendor's signed webhook and waits for the answer. With nil fields the record is
// deleted. Codes: UnknownSource, NotFound, InvalidValue for a kind the system does not have,
// Unavailable when the hook cannot be reached or does not answer 2xx; the change stands anyway.
func (o *Origins) Change(ctx context.Context, name, kind, id string, fields map[string]any) error {
	p, ok := o.byName[name]
	if !ok {
		return tutti.Errorf(tutti.UnknownSource, "changing %s %s: no played system is named %q", kind, id, name)
	}
	return p.change(ctx, kind, id, fields)
}

// Close ends all systems at once, also calls that a fault keeps waiting, and returns when they
// have ended.
func (o *Origins) Close() {
	for _, p := range o.byName {
		p.close()
	}
}

// random gives n random bytes as hex.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func notFound(kind, id string) error {
	return tutti.Errorf(tutti.NotFound, "changing a record: there is no %s %s", kind, id)
}

func noKind(kind string, kinds ...string) error {
	return tutti.Errorf(tutti.InvalidValue, "changing a record: no kind %q; there are %s", kind, fmt.Sprint(kinds))
}
