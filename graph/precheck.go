package graph

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// precheck refuses documents that would cost much to validate or execute. It comes before
// validation, takes anything that parses, and visits every fragment once however often it is
// spread: its work grows with the size of the document alone, up to Limits.Expanded key merges
// for each fragment. It gives the work done, in selections and keys visited.
func precheck(doc *ast.QueryDocument, l Limits) (work int, err *tutti.Error) {
	c := &checker{limits: l, fragments: map[string]*measure{}, definitions: map[string]*ast.FragmentDefinition{}}
	defer func() {
		work = c.work
		if r := recover(); r != nil {
			over, ok := r.(*tutti.Error)
			if !ok {
				panic(r)
			}
			err = over
		}
	}()
	c.atMost(len(doc.Fragments), l.Fragments, "fragments")
	for _, f := range doc.Fragments {
		c.definitions[f.Name] = f
		c.named(f.Name, f.TypeCondition)
		c.countDirectives(f.Directives)
	}
	for _, f := range doc.Fragments {
		c.fragment(f.Name)
	}
	for _, op := range doc.Operations {
		c.countDirectives(op.Directives)
		for _, v := range op.VariableDefinitions {
			c.countDirectives(v.Directives)
			c.named(v.Variable, v.Type.Name())
		}
		m := c.set(op.SelectionSet)
		c.atMost(m.depth, l.Depth, "levels of fields")
		c.atMost(len(m.keys), l.RootFields, "fields at the top")
		c.placed = 0
		c.places(op.SelectionSet, &place{}, map[string]bool{})
	}
	return c.work, nil
}

// measure is what one selection set comes to, with its fragments put in place.
type measure struct {
	expanded int            // selections at all depths
	depth    int            // levels of fields
	keys     map[string]int // response keys of this level, with how often each stands there
}

type checker struct {
	limits                          Limits
	definitions                     map[string]*ast.FragmentDefinition
	fragments                       map[string]*measure
	selections, aliases, directives int
	placed                          int // selections of one operation that places has visited
	work                            int
}

// atMost stops the whole check when n exceeds a limit.
func (c *checker) atMost(n, limit int, what string) {
	if n > limit {
		panic(&tutti.Error{
			Code: tutti.TooComplex, Message: "the operation has too many " + what + ".",
			Hint: "At most " + strconv.Itoa(limit) + " are allowed. Ask for less at once.",
		})
	}
}

// named refuses long names: for one that it does not know, the validator looks for similar ones.
func (c *checker) named(names ...string) {
	for _, name := range names {
		c.atMost(len(name), c.limits.NameBytes, "characters in one name")
	}
}

func (c *checker) countDirectives(list ast.DirectiveList) {
	c.directives += len(list)
	c.atMost(c.directives, c.limits.Directives, "directives")
}

func (c *checker) fragment(name string) *measure {
	if m := c.fragments[name]; m != nil {
		return m // a cycle gives what is known so far; validation refuses it
	}
	f := c.definitions[name]
	if f == nil {
		return &measure{}
	}
	c.fragments[name] = &measure{}
	m := c.set(f.SelectionSet)
	c.atMost(m.depth, c.limits.Depth, "levels of fields")
	c.fragments[name] = m
	return m
}

func (c *checker) set(set ast.SelectionSet) *measure {
	m := &measure{keys: make(map[string]int, len(set))}
	for _, s := range set {
		c.work++
		c.selections++
		c.atMost(c.selections, c.limits.Selections, "selections")
		m.expanded++
		switch s := s.(type) {
		case *ast.Field:
			c.countDirectives(s.Directives)
			c.named(s.Name, s.Alias)
			for _, a := range s.Arguments {
				c.named(a.Name)
			}
			key := s.Alias
			if key != "" && key != s.Name {
				c.aliases++
				c.atMost(c.aliases, c.limits.Aliases, "aliases")
			}
			if key == "" {
				key = s.Name
			}
			c.add(m, key, 1)
			depth := 1
			if len(s.SelectionSet) > 0 {
				sub := c.set(s.SelectionSet)
				m.expanded += sub.expanded
				depth += sub.depth
			}
			m.depth = max(m.depth, depth)
		case *ast.InlineFragment:
			c.countDirectives(s.Directives)
			c.named(s.TypeCondition)
			c.merge(m, c.set(s.SelectionSet))
		case *ast.FragmentSpread:
			c.countDirectives(s.Directives)
			c.merge(m, c.fragment(s.Name))
		}
		c.atMost(m.expanded, c.limits.Expanded, "selections once its fragments are put in place")
	}
	return m
}

func (c *checker) merge(m, part *measure) {
	m.expanded += part.expanded
	c.atMost(m.expanded, c.limits.Expanded, "selections once its fragments are put in place")
	m.depth = max(m.depth, part.depth)
	for key, n := range part.keys {
		c.work++
		c.add(m, key, n)
	}
}

// place is a spot of the answer, where selections from many parts of the document meet: the
// validator compares them pair by pair.
type place struct {
	count int
	below map[string]*place
}

// places counts how many selections meet in each spot. It puts every fragment in its places, and
// stops at Limits.Expanded of them: only fragments that spread one another have more.
func (c *checker) places(set ast.SelectionSet, at *place, active map[string]bool) {
	for _, s := range set {
		c.work++
		c.placed++
		c.atMost(c.placed, c.limits.Expanded, "selections once its fragments are put in place")
		switch s := s.(type) {
		case *ast.Field:
			if at.below == nil {
				at.below = map[string]*place{}
			}
			p := at.below[s.Alias]
			if p == nil {
				p = &place{}
				at.below[s.Alias] = p
			}
			p.count++
			c.atMost(p.count, c.limits.SamePlace, "fields that meet in one place of the answer")
			c.places(s.SelectionSet, p, active)
		case *ast.InlineFragment:
			c.places(s.SelectionSet, at, active)
		case *ast.FragmentSpread:
			if f := c.definitions[s.Name]; f != nil && !active[s.Name] {
				active[s.Name] = true
				c.places(f.SelectionSet, at, active)
				delete(active, s.Name)
			}
		}
	}
}

func (c *checker) add(m *measure, key string, n int) {
	m.keys[key] += n
	c.atMost(m.keys[key], c.limits.SameKeys, "fields with the same name in one place")
}
