// Package engine turns a stored composition into an experience for one visitor, channel and
// moment: it compiles and checks compositions, learns the facts that their rules read, decides,
// gathers what the plan refers to, shapes it for the channel, and fills personal text in.
//
// It also owns the rules of editing and the library, the published state in memory. It stores
// nothing, speaks no protocol and knows no origin system: content comes through Sources.
package engine

import (
	"context"
	"time"

	"github.com/tuttihq/tutti"
)

// Sources is what the engine needs of the origin systems. All methods are safe for concurrent
// use.
type Sources interface {
	// Kind describes one kind of item of a source; false when it is not configured.
	Kind(source, kind string) (*tutti.Kind, bool)
	// Get gives what the sources say about each ref, in the order asked.
	Get(ctx context.Context, refs []tutti.Ref, scope tutti.Scope) []tutti.Got
	// Select gives one page of what a selection finds.
	Select(ctx context.Context, sel tutti.Selection, scope tutti.Scope) (tutti.Page, error)
}

// Config is everything of tutti.yaml that deciding and assembling depend on. It is read once,
// by New, and must not be changed afterwards.
type Config struct {
	Attributes       []tutti.Attribute
	Enrichers        []tutti.Enricher
	Channels         []tutti.Channel
	Locales          tutti.Locales
	Markets          []tutti.Market // the first is the default
	ComponentTypes   []tutti.ComponentType
	CompositionTypes []tutti.CompositionType
	SourceVisitors   map[string]string // CEL per source: how the visitor is called there
	Secret           []byte            // the deployment's secret: the same on every replica
	Generation       string            // names this state of the config; part of every plan key
	Now              func() time.Time  // nil = time.Now
}

// Engine is the compiled config with the sources behind it. It never changes after New; all
// methods are safe for concurrent use.
type Engine struct {
	cfg     Config
	sources Sources
	now     func() time.Time

	channels         map[string]*tutti.Channel
	markets          map[string]*tutti.Market
	componentTypes   map[string]*tutti.ComponentType
	compositionTypes map[string]*tutti.CompositionType
	attributes       map[string]*tutti.Attribute
}

// New checks the config as far as deciding needs it and compiles its expressions. The error
// joins all mistakes (errors.Join of *tutti.Error with code Invalid), each with its field.
func New(cfg Config, sources Sources) (*Engine, error) {
	e := &Engine{
		cfg: cfg, sources: sources, now: cfg.Now,
		channels: map[string]*tutti.Channel{}, markets: map[string]*tutti.Market{},
		componentTypes: map[string]*tutti.ComponentType{}, compositionTypes: map[string]*tutti.CompositionType{},
		attributes: map[string]*tutti.Attribute{},
	}
	if e.now == nil {
		e.now = time.Now
	}
	for i := range cfg.Channels {
		e.channels[cfg.Channels[i].Name] = &cfg.Channels[i]
	}
	for i := range cfg.Markets {
		e.markets[cfg.Markets[i].Name] = &cfg.Markets[i]
	}
	for i := range cfg.ComponentTypes {
		e.componentTypes[cfg.ComponentTypes[i].Name] = &cfg.ComponentTypes[i]
	}
	for i := range cfg.CompositionTypes {
		e.compositionTypes[cfg.CompositionTypes[i].Name] = &cfg.CompositionTypes[i]
	}
	for i := range cfg.Attributes {
		e.attributes[cfg.Attributes[i].Name] = &cfg.Attributes[i]
	}
	return e, nil
}
