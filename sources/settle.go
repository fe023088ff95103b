package sources

import (
	"maps"
	"regexp"
	"strconv"
)

// What a call is built of (paths into answers, names of parameters, how pages follow, documents of GraphQL) may
// be a setting: ${settings.name}, and nothing else. Then the manifest is compiled once more for each source, with
// what its config gives.

var aSetting = regexp.MustCompile(`^\$\{settings\.(\w+)\}$`)

// settler puts values in for such settings.
type settler struct {
	manifest *Manifest
	values   map[string]string
	used     bool
}

// text gives the value of a setting, "" when it is not set; any other text as it is.
func (s *settler) text(src string) string {
	m := aSetting.FindStringSubmatch(src)
	if m == nil {
		return src
	}
	s.used = true
	return s.values[m[1]]
}

// settled gives the manifest with values of settings where they are part of its calls, without the calls whose
// needs are not set. used is false where nothing depends on settings: then it is the manifest itself.
func (m *Manifest) settled(values map[string]string) (out *Manifest, used bool) {
	s := &settler{manifest: m, values: values}
	next := *m
	next.Kinds = maps.Clone(m.Kinds)
	for name, k := range m.Kinds {
		if k != nil {
			next.Kinds[name] = s.kind(k)
		}
	}
	if !s.used {
		return m, false
	}
	return &next, true
}

// settle compiles a manifest anew where its calls depend on settings.
func (m *Manifest) settle(settings map[string]any) []error {
	values := map[string]string{}
	for name, v := range settings {
		values[name], _ = v.(string)
	}
	own, used := m.settled(values)
	if !used {
		return nil
	}
	c := &compiler{m: own}
	m.compiled = c.manifest()
	return c.problems
}

// examples are values of all settings with which a manifest is checked before a config gives others.
func (m *Manifest) examples() map[string]string {
	out := map[string]string{}
	for name, d := range m.Settings {
		if out[name] = d.Example; d.Example == "" {
			out[name] = d.Default
		}
	}
	return out
}

func (s *settler) kind(k *KindSpec) *KindSpec {
	out := *k
	out.Get, out.Batch, out.Whole, out.Select, out.Changes = nil, nil, nil, nil, nil
	if k.Get != nil && s.meets(k.Get) {
		c := s.call(*k.Get)
		out.Get = &c
	}
	if k.Batch != nil && s.meets(&k.Batch.CallSpec) {
		b := *k.Batch
		b.CallSpec = s.call(b.CallSpec)
		out.Batch = &b
	}
	if k.Whole != nil && s.meets(&k.Whole.CallSpec) {
		w := *k.Whole
		w.CallSpec = s.call(w.CallSpec)
		out.Whole = &w
	}
	for _, sel := range k.Select {
		if sel == nil {
			out.Select = append(out.Select, nil)
			continue
		}
		if !s.meets(&sel.CallSpec) {
			continue
		}
		one := *sel
		one.CallSpec = s.call(one.CallSpec)
		one.Paging = s.paging(one.Paging)
		out.Select = append(out.Select, &one)
	}
	if k.Changes != nil && s.meets(&k.Changes.CallSpec) {
		c := *k.Changes
		c.CallSpec, c.Paging = s.call(c.CallSpec), s.paging(c.Paging)
		out.Changes = &c
	}
	return &out
}

func (s *settler) paging(p PagingSpec) PagingSpec {
	p.Type, p.Next, p.Param, p.End = s.text(p.Type), s.text(p.Next), s.text(p.Param), s.text(p.End)
	return p
}

// meets reports whether every setting that a call needs is set.
func (s *settler) meets(c *CallSpec) bool {
	for _, name := range c.Needs {
		if _, ok := s.manifest.Settings[name]; !ok {
			continue // a secret: see Polls
		}
		s.used = true
		if s.values[name] == "" {
			return false
		}
	}
	return true
}

func (s *settler) call(c CallSpec) CallSpec {
	c.Record, c.Records, c.Total, c.More = s.text(c.Record), s.text(c.Records), s.text(c.Total), s.text(c.More)
	query := make(map[string]QuerySpec, len(c.Query))
	for name, q := range c.Query {
		if name = s.text(name); name != "" {
			q.Encode = s.text(q.Encode)
			query[name] = q
		}
	}
	c.Query = query
	if c.GraphQL != nil {
		g := *c.GraphQL
		g.Document, g.Each, g.IDType = s.text(g.Document), s.text(g.Each), s.text(g.IDType)
		c.GraphQL = &g
	}
	return c
}

// needs checks that what calls need is declared.
func (c *compiler) needs() {
	for _, name := range c.m.kindNames() {
		k := c.m.Kinds[name]
		if k == nil {
			continue
		}
		at, calls := "kinds."+name, map[string]*CallSpec{"get": k.Get}
		if k.Batch != nil {
			calls["batch"] = &k.Batch.CallSpec
		}
		for i, s := range k.Select {
			if s != nil {
				calls["select."+strconv.Itoa(i)] = &s.CallSpec
			}
		}
		for _, call := range sortedKeys(calls) {
			if calls[call] == nil {
				continue
			}
			for i, n := range calls[call].Needs {
				if _, ok := c.m.Settings[n]; !ok {
					c.wrong(at+"."+call+".needs."+strconv.Itoa(i), "is no setting", "Declare it under settings, or write one of "+list(sortedKeys(c.m.Settings))+".")
				}
			}
		}
	}
}
