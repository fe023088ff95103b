package config

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"time"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// file is tutti.yaml as it is written.
type file struct {
	Development      bool                    `json:"development"`
	BaseURL          string                  `json:"baseUrl"`
	Sources          []Source                `json:"sources"`
	Channels         []tutti.Channel         `json:"channels"`
	Locales          tutti.Locales           `json:"locales"`
	Markets          []tutti.Market          `json:"markets"`
	Attributes       []tutti.Attribute       `json:"attributes"`
	Enrichers        []tutti.Enricher        `json:"enrichers"`
	ComponentTypes   []tutti.ComponentType   `json:"componentTypes"`
	CompositionTypes []tutti.CompositionType `json:"compositionTypes"`
	Visitors         Visitors                `json:"visitors"`
	Limits           Limits                  `json:"limits"`
	Budgets          Budgets                 `json:"budgets"`
	Operations       tutti.OperationMode     `json:"operations"`
	Cache            cacheSettings           `json:"cache"`
}

type cacheSettings struct {
	Bytes   bytesSize     `json:"bytes"`
	Answers bytesSize     `json:"answers"`
	Clients time.Duration `json:"clients"`
	Shared  time.Duration `json:"shared"`
}

func (c *cacheSettings) setDefaults() {
	*c = cacheSettings{Bytes: DefaultCacheBytes, Answers: DefaultAnswerBytes, Clients: DefaultMaxAge, Shared: DefaultMaxAge}
}

func (s *Source) setDefaults() {
	s.Freshness, s.Limits = DefaultFreshness, DefaultSourceLimits
}

func (l *Limits) setDefaults()   { *l = DefaultLimits }
func (b *Budgets) setDefaults()  { *b = DefaultBudgets }
func (v *Visitors) setDefaults() { v.Leeway = DefaultLeeway }

// Load reads and checks a config file. env is where ${NAME} and the TUTTI_ settings come from,
// os.LookupEnv as a rule. A file that is not there has code NotFound; one with mistakes gives
// Problems, all of them at once.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &tutti.Error{Code: tutti.NotFound, Message: "There is no config file " + path + ".", Hint: "Name one with --config, or try: tutti demo"}
	} else if err != nil {
		return nil, tutti.Errorf(tutti.Unavailable, "reading the config: %w", err)
	}
	return Parse(path, content, env)
}

// Parse checks the content of a config file as Load does. path is for messages, and what paths
// of manifests are relative to.
func Parse(path string, content []byte, env func(string) (string, bool)) (*Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	d := &decoder{file: path, env: env, named: true, at: map[string]*yaml.Node{}}
	f := file{Limits: DefaultLimits, Budgets: DefaultBudgets, Visitors: Visitors{Leeway: DefaultLeeway}, Operations: DefaultOperations}
	f.Cache.setDefaults()
	if n := d.parseFile(content); n != nil {
		d.value(n, reflect.ValueOf(&f).Elem(), "")
	}
	c := &Config{
		Path: path, Sources: f.Sources, Channels: f.Channels, Locales: f.Locales, Markets: f.Markets, Attributes: f.Attributes, Enrichers: f.Enrichers,
		ComponentTypes: f.ComponentTypes, CompositionTypes: f.CompositionTypes, Visitors: f.Visitors, Limits: f.Limits, Budgets: f.Budgets,
		Development: f.Development, BaseURL: f.BaseURL, Operations: f.Operations,
		CacheBytes: int64(f.Cache.Bytes), AnswerBytes: int64(f.Cache.Answers), ClientMaxAge: f.Cache.Clients, SharedMaxAge: f.Cache.Shared,
		Listen: lookup(env, "TUTTI_LISTEN", DefaultListen), Database: lookup(env, "TUTTI_DATABASE_URL", DefaultDatabase),
		lines: map[string]int{},
	}
	for path, n := range d.at {
		c.lines[path] = n.Line
	}
	k := &checker{c: c, d: d}
	k.fillIn()
	k.all()
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func lookup(env func(string) (string, bool), name, otherwise string) string {
	if v, ok := env(name); ok && v != "" {
		return v
	}
	return otherwise
}

// Problem makes a problem at a path of the file, such as "attributes.stay.checkIn.derive", for
// checks that only another room can make. A path that is not written has the line of what is
// around it.
func (c *Config) Problem(path, message, write string) Problem {
	return Problem{File: c.Path, Line: lineOf(c.lines, path), Field: path, Message: message, Write: write}
}

func lineOf(lines map[string]int, path string) int {
	for p := path; p != ""; p = parent(p) {
		if line, ok := lines[p]; ok {
			return line
		}
	}
	return lines[""]
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
