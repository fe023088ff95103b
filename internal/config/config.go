// Package config owns tutti.yaml: its types, how it is read and checked, how it is read again
// when it changes, and the YAML files of compositions, audiences, personas and redirects.
//
// It tells all mistakes at once, each with file, line, field and the line to write instead. It
// knows nothing of manifests, databases or rules: what only another room can know (whether a
// source has a kind, whether a rule compiles) is checked there, with lines given by Document.
package config

import (
	"time"

	"github.com/tuttihq/tutti"
)

// Config is everything that tutti.yaml says, with defaults filled in. It is read by many at
// once and never changed after Load.
type Config struct {
	Path string // the file it was read from; "" when it was made by hand

	Sources          []Source
	Channels         []tutti.Channel
	Locales          tutti.Locales
	Markets          []tutti.Market // the first is the default
	Attributes       []tutti.Attribute
	Enrichers        []tutti.Enricher
	ComponentTypes   []tutti.ComponentType
	CompositionTypes []tutti.CompositionType

	Visitors    Visitors
	Limits      Limits
	Budgets     Budgets
	Operations  tutti.OperationMode // which operations browser and server keys may ask for
	Development bool                // introspection for all keys, GraphiQL, the preview page
	BaseURL     string              // where the server is reached from outside; "" = as listened
	CacheBytes  int64               // memory for kept resources
	AnswerBytes int64               // memory for ready answers; 0 = none are kept

	ClientMaxAge time.Duration // how long apps and browsers may keep an answer to GET
	SharedMaxAge time.Duration // how long caches between may, such as a CDN

	Listen   string // from TUTTI_LISTEN or a flag, never from the file
	Database string // from TUTTI_DATABASE_URL or a flag, never from the file

	lines map[string]int // of every path that is written
}

// Source is one origin system instance.
type Source struct {
	Name         string                  `json:"-"`
	Connector    string                  `json:"connector"` // a vendor manifest's name, or a path to a manifest, relative to the config file
	Description  string                  `json:"description"`
	URL          string                  `json:"url"`
	Recording    string                  `json:"recording"` // answers in place of the system: a path relative to the config file, or a connector's name for the one that comes with it; "" = the system itself
	Settings     map[string]string       `json:"settings"`
	Secrets      map[string]tutti.Secret `json:"secrets"`
	AllowPrivate []string                `json:"allowPrivate"` // hosts or host:port that may be private addresses
	Visitor      string                  `json:"visitor"`      // CEL over claims, visitor and attributes: how this visitor is called in this source; "" = visitors are unknown there
	Kinds        map[string]KindConfig   `json:"kinds"`
	Freshness    Freshness               `json:"freshness"`
	Limits       SourceLimits            `json:"limits"`
	Webhook      Webhook                 `json:"webhook"`
	FreshAssumed bool                    `json:"-"` // Freshness.Fresh is not written: it may be longer where changes are told
	Line         int                     `json:"-"` // in the config file; 0 when made by hand
}

// KindConfig says who may get the items of a kind, and how fresh they are kept.
type KindConfig struct {
	Access    tutti.Access `json:"access"`    // has no default: it must be written
	Owner     string       `json:"owner"`     // the mapped field that says whose an item is; needed with access visitor
	Expose    string       `json:"expose"`    // "delivery": browser and server keys may ask for items by ref and search; "" = not
	Freshness *Freshness   `json:"freshness"` // nil = the source's

	Poll *time.Duration `json:"poll"` // how often the origin is asked what changed; 0 = never; nil = as the manifest says, and never where webhooks tell
	// Moderation: approve keeps back what nobody approved; auto what holds one of the Blocked words or phrases. "" = nothing.
	Moderation tutti.Moderation `json:"moderation"`
	Blocked    []string         `json:"blocked"`
}

// Freshness says how long an answer of an origin counts. Load fills in DefaultFreshness where
// nothing is written; zero means none.
type Freshness struct {
	Fresh        time.Duration `json:"fresh"`        // served as it is
	Stale        time.Duration `json:"stale"`        // after that: served at once, renewed behind
	StaleIfError time.Duration `json:"staleIfError"` // after that: served only when the origin does not answer
	Negative     time.Duration `json:"negative"`     // how long "not found" is remembered; MaxNegative at most
}

// MaxNegative is the longest that "not found" may be remembered: what was just published must be
// seen soon, also where no webhook tells of it.
const MaxNegative = 5 * time.Second

// SourceLimits protect an origin system, and us from it.
type SourceLimits struct {
	Timeout     time.Duration `json:"timeout"`     // of one call, from when it is its turn
	Budget      time.Duration `json:"budget"`      // what one page waits for it in all; not written = two thirds of the page's
	SoftTimeout time.Duration `json:"softTimeout"` // after that a stale copy is served, where there is one
	Concurrency int           `json:"concurrency"` // calls at the same time
	Rate        float64       `json:"rate"`        // calls per second; 0 = no limit
	MaxBytes    int64         `json:"maxBytes"`    // of one answer
}

// Webhook says how an origin's messages are verified.
type Webhook struct {
	Secret tutti.Secret   `json:"secret"` // zero = this source has no webhook
	Former []tutti.Secret `json:"former"` // secrets that still count while the origin changes to another
}

// Visitors says how visitor tokens (JWT) are verified: with the keys at JWKS, or with Secret
// (HS256). Where neither is set, no visitor token is accepted.
type Visitors struct {
	Issuer   string        `json:"issuer"`   // the iss that a token must have; "" = any
	Audience string        `json:"audience"` // the aud that a token must have; "" = any
	JWKS     string        `json:"jwks"`     // address of the key set
	Secret   tutti.Secret  `json:"secret"`
	Leeway   time.Duration `json:"leeway"` // for clocks that differ
}

// Budgets say how long one page waits.
type Budgets struct {
	Page  time.Duration `json:"page"`  // for everything
	Wave  time.Duration `json:"wave"`  // then what is there goes on without those who are late
	Learn time.Duration `json:"learn"` // for facts; what is not there by then is unknown
}

// Limits are the limits of one request.
type Limits struct {
	Tokens        int   `json:"tokens"`        // of the GraphQL document
	DocumentBytes int   `json:"documentBytes"` // of the GraphQL document
	SameKeys      int   `json:"sameKeys"`      // same response keys in one selection set
	Selections    int   `json:"selections"`    // as written
	Expanded      int   `json:"expanded"`      // selections with fragments spread
	Depth         int   `json:"depth"`         // of nested selections
	Fragments     int   `json:"fragments"`     // defined
	Aliases       int   `json:"aliases"`       // in all
	Directives    int   `json:"directives"`    // in all
	RootFields    int   `json:"rootFields"`    // of one operation
	Cost          int   `json:"cost"`          // list sizes multiplied
	Errors        int   `json:"errors"`        // told in one answer
	First         int   `json:"first"`         // the most items of one list
	ContextBytes  int   `json:"contextBytes"`  // of the context variable
	BodyBytes     int64 `json:"bodyBytes"`     // of the HTTP body
}

// DefaultFreshness is what counts where the config says nothing.
var DefaultFreshness = Freshness{Fresh: time.Minute, Stale: 10 * time.Minute, StaleIfError: 24 * time.Hour, Negative: MaxNegative}

// DefaultToldFresh is how long items are fresh of a kind of which every change is told, where the config
// says nothing.
const DefaultToldFresh = 10 * time.Minute

// DefaultSourceLimits are what counts where the config says nothing.
var DefaultSourceLimits = SourceLimits{Timeout: time.Second, SoftTimeout: 300 * time.Millisecond, Concurrency: 16, MaxBytes: 4 << 20}

// DefaultBudgets are what counts where the config says nothing.
var DefaultBudgets = Budgets{Page: 1500 * time.Millisecond, Wave: 400 * time.Millisecond, Learn: 300 * time.Millisecond}

// DefaultLimits are what counts where the config says nothing.
var DefaultLimits = Limits{
	Tokens: 4000, DocumentBytes: 64 << 10, SameKeys: 20, Selections: 1000, Expanded: 5000, Depth: 20,
	Fragments: 50, Aliases: 50, Directives: 50, RootFields: 50, Cost: 20000, Errors: 10, First: 100,
	ContextBytes: 16 << 10, BodyBytes: 1 << 20,
}

// Defaults that are not part of a group.
const (
	DefaultCacheBytes  = 256 << 20
	DefaultAnswerBytes = 64 << 20
	DefaultMaxAge      = time.Minute // of ClientMaxAge and SharedMaxAge
	DefaultOperations  = tutti.OperationsOff
	DefaultLeeway      = 30 * time.Second
	DefaultListen      = "127.0.0.1:8080"
	DefaultDatabase    = "sqlite:./tutti.db"
)

// Source finds a source by name; nil when there is none.
func (c *Config) Source(name string) *Source {
	for i := range c.Sources {
		if c.Sources[i].Name == name {
			return &c.Sources[i]
		}
	}
	return nil
}

// Channel finds a channel by name; nil when there is none.
func (c *Config) Channel(name string) *tutti.Channel {
	for i := range c.Channels {
		if c.Channels[i].Name == name {
			return &c.Channels[i]
		}
	}
	return nil
}
