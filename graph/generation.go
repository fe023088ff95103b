package graph

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// GenerationConfig is what a Generation is made of.
type GenerationConfig struct {
	ID             string // names the generation in logs and, later, in cache keys
	ComponentTypes []tutti.ComponentType
	Attributes     []tutti.Attribute
	Stored         []string // texts of operations that are kept: what they name and the config no longer defines stays in the schema
	Resolvers      ResolverRoot
	Planner        Planner        // nil = no plans are made in bulk
	Visitors       *TokenVerifier // nil = visitor tokens are refused
	Limits         Limits
	Introspection  bool                // the schema may be asked for, with any key
	Operations     tutti.OperationMode // which operations browser and server keys may ask for; "" = off
	Caching        Caching             // how long others may keep answers to GET
	BaseURL        string              // where browsers see this server, when a proxy hides it: pages from there are our own
}

// Generation is one state of the configuration as the API shows it: schema, executable schema,
// policies, limits, and the operations analysed under them. It is never changed; a reload makes
// another one. Safe for concurrent use.
type Generation struct {
	id             string
	schema         *ast.Schema
	executable     graphql.ExecutableSchema
	resolvers      ResolverRoot
	policies       *policies
	limits         Limits
	visitors       *TokenVerifier
	host           string // of BaseURL; "" = as the request says
	attributes     map[string]tutti.Attribute
	attributeNames []string                    // those that a request may give, sorted
	givable        map[string]*tutti.Attribute // the same
	declared       []tutti.Attribute
	documents      *documents
	mode           tutti.OperationMode
	caching        Caching
	planner        Planner
	long           atomic.Int32 // requests under way that may take minutes
}

// Busy reports whether something is answered that may take minutes: plans for many. What the
// generation stands on is needed until it is not.
func (g *Generation) Busy() bool { return g.long.Load() > 0 }

// taking notes such a request; the caller calls done at its end.
func (g *Generation) taking() (done func()) {
	g.long.Add(1)
	return func() { g.long.Add(-1) }
}

// NewGeneration makes a generation, or says what in the config cannot become a schema: an
// *tutti.Error with code Invalid that names the component type or attribute.
func NewGeneration(c GenerationConfig) (*Generation, error) {
	schema, err := loadSchema(c.ComponentTypes, c.Attributes, c.Stored)
	if err != nil {
		return nil, err
	}
	p, missing := newPolicies(schema, c.Introspection)
	if len(missing) > 0 {
		return nil, tutti.Errorf(tutti.Internal, "reading the schema's policies: @access is missing or wrong on %s", strings.Join(missing, ", "))
	}
	limits := c.Limits.withDefaults()
	g := &Generation{
		id: c.ID, schema: schema, policies: p, limits: limits, visitors: c.Visitors,
		resolvers: c.Resolvers, executable: NewExecutableSchema(Config{Schema: schema, Resolvers: c.Resolvers}),
		attributes: make(map[string]tutti.Attribute, len(c.Attributes)), givable: make(map[string]*tutti.Attribute, len(c.Attributes)),
		declared:  append([]tutti.Attribute(nil), c.Attributes...),
		documents: newDocuments(limits.CacheBytes),
		mode:      c.Operations,
		caching:   c.Caching,
		planner:   c.Planner,
	}
	if g.mode == "" {
		g.mode = tutti.OperationsOff
	}
	if u, err := url.Parse(c.BaseURL); err == nil {
		g.host = u.Host
	}
	for _, a := range c.Attributes {
		g.attributes[a.Name] = a
		if givable(a) && a.Deprecated == "" {
			g.attributeNames = append(g.attributeNames, a.Name)
			g.givable[a.Name] = &a
		}
	}
	sort.Strings(g.attributeNames)
	return g, nil
}

// ID is the generation's name.
func (g *Generation) ID() string { return g.id }

// Schema is the schema with the types made from the config. Do not change it.
func (g *Generation) Schema() *ast.Schema { return g.schema }

// Limits are the limits in force, defaults filled in.
func (g *Generation) Limits() Limits { return g.limits }

// Attributes are the declared attributes. Do not change them.
func (g *Generation) Attributes() []tutti.Attribute { return g.declared }

// number writes 4000 as "4,000".
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes: "64 KB".
func size(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return number(n>>20) + " MB"
	}
	if n >= 1024 && n%1024 == 0 {
		return number(n>>10) + " KB"
	}
	return number(n) + " bytes"
}
