// Package engine turns a stored composition into an experience for one visitor, channel and
// moment: it compiles and checks compositions, learns the facts that their rules read, decides,
// gathers what the plan refers to, shapes it for the channel, and fills personal text in.
//
// It also owns the rules of editing and the library, the published state in memory. It stores
// nothing, speaks no protocol and knows no origin system: content comes through Sources.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
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
	// Begin is Get for refs of one kind, without the waiting. landed is called once, from any
	// goroutine and perhaps before Begin returns, when everything has come; it does not block. take
	// adds the answers to got. Taken before everything has come, what is not there has code Timeout, perhaps
	// beside an old copy, landed is not called any more, and the calls go on for others. With a
	// context that has ended only memory is asked.
	Begin(ctx context.Context, refs []tutti.Ref, scope tutti.Scope, landed func()) (take func(got []tutti.Got) []tutti.Got)
	// BeginSelect is Select, in the same way.
	BeginSelect(ctx context.Context, sel tutti.Selection, scope tutti.Scope, landed func()) (take func() (tutti.Page, error))
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
	Budgets          Budgets
	Secret           []byte           // the deployment's secret: the same on every replica
	Generation       string           // names this state of the config; part of every plan key
	Now              func() time.Time // nil = time.Now
	Stale            func() bool      // whether nothing may be called fresh for now; nil = never
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
	chains           map[string][]string // by lower-case locale
	forms            map[string][]*tutti.DownlevelForm
	migrations       map[string]*migrations // by component type

	declared   []tutti.Attribute           // all attributes, the built-in ones included
	attributes map[string]*tutti.Attribute // the same by name
	derived    map[string]*expr.Rule       // by attribute
	enrichers  map[string]*computed        // by enricher: the ref
	visitors   map[string]*computed        // by source: how the visitor is called there
	moving     map[string]bool             // attributes that depend on the visitor's place

	movingVisitors bool // so does what a source calls the visitor

	secret   []byte   // of this process only: for the keys of private component plans
	dynamics sync.Map // environments of dynamic expressions, by their variables

	assembling *assembling // what gathering, shaping and filling share
}

// New checks the config as far as deciding needs it and compiles its expressions. The error
// joins all mistakes (errors.Join of *tutti.Error with code Invalid), each with its field.
func New(cfg Config, sources Sources) (*Engine, error) {
	e := &Engine{
		cfg: cfg, sources: sources, now: cfg.Now,
		channels: byName(cfg.Channels, func(c *tutti.Channel) string { return c.Name }), markets: byName(cfg.Markets, func(m *tutti.Market) string { return m.Name }),
		componentTypes:   byName(cfg.ComponentTypes, func(t *tutti.ComponentType) string { return t.Name }),
		compositionTypes: byName(cfg.CompositionTypes, func(t *tutti.CompositionType) string { return t.Name }),
		chains:           cfg.Locales.AllChains(), attributes: map[string]*tutti.Attribute{}, secret: make([]byte, 32),
	}
	e.forms = formsOf(e.componentTypes)
	if e.now == nil {
		e.now = time.Now
	}
	if _, err := rand.Read(e.secret); err != nil {
		return nil, tutti.Errorf(tutti.Internal, "making the secret of this process: %w", err)
	}
	var n notes
	e.declareFacts(&n)
	e.migrations = compileMigrations(cfg.ComponentTypes, &n)
	var errs []error
	for _, p := range n.problems {
		errs = append(errs, p.Err())
	}
	var err error
	e.assembling, err = newAssembling(&e.cfg, sources)
	errs = append(errs, err)
	return e, errors.Join(errs...)
}

func byName[T any](list []T, name func(*T) string) map[string]*T {
	m := make(map[string]*T, len(list))
	for i := range list {
		m[name(&list[i])] = &list[i]
	}
	return m
}

// dynamic gives the environment for expressions over these variables.
func (e *Engine) dynamic(vars []string) (*expr.Dynamic, error) {
	vars = slices.Clone(vars)
	slices.Sort(vars)
	vars = slices.Compact(vars)
	key := strings.Join(vars, " ")
	if d, ok := e.dynamics.Load(key); ok {
		return d.(*expr.Dynamic), nil
	}
	d, err := expr.NewDynamic(vars...)
	if err == nil {
		e.dynamics.Store(key, d)
	}
	return d, err
}
