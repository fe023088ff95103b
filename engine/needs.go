package engine

import (
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// needs are the attributes that deciding a composition takes, with all that they are made of. A
// composition's own never change; a learner that finds out that it needs more makes its own.
type needs struct {
	attributes []*tutti.Attribute // by name
	derived    []derivation       // of these
	sources    []string           // whose name of the visitor is needed
	asking     bool               // some of it stands in records
	placed     bool               // some of it depends on the visitor's place
}

// derivation is an attribute that is worked out of others.
type derivation struct {
	attribute *tutti.Attribute
	rule      *expr.Rule
}

// needsOf joins the attributes of these names, and those of the visitor's names in these sources.
func (e *Engine) needsOf(names, sources []string) *needs {
	found := map[string]*tutti.Attribute{}
	var need func(names []string)
	need = func(names []string) {
		for _, name := range names {
			a := e.attributes[name]
			if a == nil || found[name] != nil {
				continue
			}
			found[name] = a
			if a.Derive != "" {
				need(e.reads(name))
			} else if x := e.enrichers[a.Enricher]; x != nil {
				need(x.reads)
			}
		}
	}
	need(names)
	n := &needs{}
	for _, source := range sources {
		if x := e.visitors[source]; x != nil && !slices.Contains(n.sources, source) {
			n.sources = append(n.sources, source)
			need(x.reads)
		}
	}
	for _, a := range found {
		n.attributes = append(n.attributes, a)
	}
	slices.SortFunc(n.attributes, func(a, b *tutti.Attribute) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range n.attributes {
		n.placed = n.placed || a.Name == here
		n.asking = n.asking || a.Param != "" || a.Enricher != ""
		if rule := e.derived[a.Name]; rule != nil {
			n.derived = append(n.derived, derivation{a, rule})
		}
	}
	return n
}

// with adds the visitor's name in a source.
func (n *needs) with(e *Engine, source string) *needs {
	var names []string
	for _, a := range n.attributes {
		names = append(names, a.Name)
	}
	return e.needsOf(names, append(slices.Clone(n.sources), source))
}
