package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// Doc is one published state of a document: it counts from From until Until.
type Doc struct {
	Kind    tutti.DocumentKind
	Name    string
	Version int
	Body    json.RawMessage
	From    time.Time
	Until   time.Time // zero = until further notice
}

// LoadProblem is a stored document that does not pass its checks any more. It is left out; the
// rest is served.
type LoadProblem struct {
	Kind    tutti.DocumentKind
	Name    string
	Version int
	Problem Problem
}

func (p LoadProblem) String() string {
	return fmt.Sprintf("%s %s, version %d: %s", p.Kind, p.Name, p.Version, p.Problem)
}

// Library is the published state in memory, compiled: an immutable snapshot that Load replaces
// as a whole. Reading never waits. All methods are safe for concurrent use.
type Library struct {
	mutex sync.Mutex // one Load or UseEngine at a time
	now   atomic.Pointer[snapshot]
	draft draftCache
}

// snapshot is what one Load brought, for one engine.
type snapshot struct {
	engine *Engine
	docs   []Doc
	next   time.Time
	edges  []time.Time // when a publication begins or ends, ascending
	mutex  sync.Mutex
	states map[int]*published // by the number of edges that are past; made when first asked for
}

// published is what counts between two edges.
type published struct {
	engine       *Engine
	until        time.Time // the edge that ends it; zero = none known
	audiences    *Audiences
	compositions map[string]*Compiled
	personas     map[string]tutti.Persona
	redirects    map[string]tutti.Redirect // by From, cleaned
	redirectList []tutti.Redirect
	routes       []*route
	problems     []LoadProblem
	list         []tutti.Audience
}

// NewLibrary makes an empty library.
func NewLibrary(e *Engine) *Library {
	l := &Library{}
	l.now.Store(&snapshot{engine: e, states: map[int]*published{}})
	return l
}

// Load replaces the published state. docs are all states that count now or later (and before,
// as far as preview should see them); next is when the next publication that is not among them
// begins or ends, zero for none. A document that does not pass its checks is left out and
// reported; what counts now is compiled before Load returns, and readers see the old state until
// then.
func (l *Library) Load(docs []Doc, next time.Time) []LoadProblem {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.replace(l.now.Load().engine, slices.Clone(docs), next)
}

// UseEngine compiles the same published state for another generation of the config.
func (l *Library) UseEngine(e *Engine) []LoadProblem {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	old := l.now.Load()
	return l.replace(e, old.docs, old.next)
}

func (l *Library) replace(e *Engine, docs []Doc, next time.Time) []LoadProblem {
	s := &snapshot{engine: e, docs: docs, next: next, states: map[int]*published{}}
	for _, d := range docs {
		for _, t := range []time.Time{d.From, d.Until} {
			if !t.IsZero() {
				s.edges = append(s.edges, t)
			}
		}
	}
	slices.SortFunc(s.edges, time.Time.Compare)
	s.edges = slices.CompactFunc(s.edges, time.Time.Equal)
	state := s.at(e.now())
	l.now.Store(s)
	return state.problems
}

// at gives the state that counts at an instant.
func (s *snapshot) at(t time.Time) *published {
	if t.IsZero() {
		t = s.engine.now()
	}
	past := sort.Search(len(s.edges), func(i int) bool { return s.edges[i].After(t) })
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if p := s.states[past]; p != nil {
		return p
	}
	if len(s.states) >= 16 { // preview may look at any moment
		clear(s.states)
	}
	p := s.compile(past, t)
	s.states[past] = p
	return p
}

// current are the documents of a kind that count at an instant, by name; of two, the later one.
func (s *snapshot) current(kind tutti.DocumentKind, t time.Time) []Doc {
	byName := map[string]Doc{}
	for _, d := range s.docs {
		if d.Kind != kind || t.Before(d.From) || !d.Until.IsZero() && !t.Before(d.Until) {
			continue
		}
		if o, ok := byName[d.Name]; !ok || !d.From.Before(o.From) {
			byName[d.Name] = d
		}
	}
	docs := make([]Doc, 0, len(byName))
	for _, name := range sortedKeys(byName) {
		docs = append(docs, byName[name])
	}
	return docs
}

func (s *snapshot) compile(past int, t time.Time) *published {
	p := &published{
		engine: s.engine, compositions: map[string]*Compiled{}, personas: map[string]tutti.Persona{}, redirects: map[string]tutti.Redirect{},
	}
	if past < len(s.edges) {
		p.until = s.edges[past]
	}
	p.loadAudiences(s.current(tutti.AudienceDocument, t))
	for _, d := range s.current(tutti.CompositionDocument, t) {
		c, problems, _ := s.engine.Compile(d.Name, d.Body, d.Version, p.audiences)
		if len(problems) > 0 {
			p.report(d, problems)
			continue
		}
		c.until = s.changes(c, p, t)
		p.compositions[d.Name] = c
	}
	p.loadRoutes()
	for _, d := range s.current(tutti.PersonaDocument, t) {
		var persona tutti.Persona
		if err := json.Unmarshal(d.Body, &persona); err != nil {
			p.report(d, []Problem{problemOf("", err)})
			continue
		}
		if persona.Name == "" {
			persona.Name = d.Name
		}
		p.personas[d.Name] = persona
	}
	for _, d := range s.current(tutti.RedirectsDocument, t) {
		var body struct {
			Redirects []tutti.Redirect `json:"redirects"`
		}
		if err := json.Unmarshal(d.Body, &body); err != nil {
			p.report(d, []Problem{problemOf("", err)})
			continue
		}
		if problems := checkRedirects(body.Redirects); len(problems) > 0 {
			p.report(d, problems)
			continue
		}
		p.redirectList = append(p.redirectList, body.Redirects...)
		for _, r := range body.Redirects {
			p.redirects[cleanPath(r.From)] = r
		}
	}
	return p
}

func (p *published) report(d Doc, problems []Problem) {
	for _, x := range problems {
		p.problems = append(p.problems, LoadProblem{Kind: d.Kind, Name: d.Name, Version: d.Version, Problem: x})
	}
}

func (p *published) loadAudiences(docs []Doc) {
	var list []tutti.Audience
	byName := map[string]Doc{}
	for _, d := range docs {
		var a tutti.Audience
		if err := json.Unmarshal(d.Body, &a); err != nil {
			p.report(d, []Problem{problemOf("", err)})
			continue
		}
		if a.Name == "" {
			a.Name = d.Name
		}
		byName[a.Name] = d
		list = append(list, a)
	}
	var problems []Problem
	p.audiences, problems = p.engine.CompileAudiences(list)
	for _, x := range problems {
		name, _, _ := strings.Cut(strings.TrimPrefix(x.Path, "audiences."), ".")
		d, ok := byName[name]
		if !ok {
			d = Doc{Kind: tutti.AudienceDocument, Name: name}
		}
		p.report(d, []Problem{x})
	}
	p.list = list
}

// changes is the next instant at which another publication changes the composition: its own, or
// one of an audience that it reads.
func (s *snapshot) changes(c *Compiled, p *published, t time.Time) time.Time {
	next := s.next
	sooner := func(at time.Time) {
		if at.After(t) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !next.After(t) {
		next = time.Time{}
	}
	for _, d := range s.docs {
		if d.Kind == tutti.CompositionDocument && d.Name == c.ID || d.Kind == tutti.AudienceDocument && p.audiences.uses(c.names, d.Name) {
			sooner(d.From)
			sooner(d.Until)
		}
	}
	return next
}

// Composition gives what is published under an id at an instant (zero = now). None is a
// *tutti.Error with code UnknownComposition that proposes the nearest name.
func (l *Library) Composition(id string, at time.Time) (*Compiled, error) {
	p := l.now.Load().at(at)
	if c, ok := p.compositions[id]; ok {
		return c, nil
	}
	return nil, unknownComposition(id, slices.Sorted(maps.Keys(p.compositions)))
}

func unknownComposition(id string, all []string) error {
	hint := "Publish it, or ask for one that is."
	if n := expr.Nearest(id, all); n != "" {
		hint = "Did you mean “" + n + "”?"
	}
	return &tutti.Error{Code: tutti.UnknownComposition, Field: "composition", Message: fmt.Sprintf("No composition “%s” is published.", short(id)), Hint: hint}
}

// Compositions are the ids of all that is published at an instant, sorted.
func (l *Library) Compositions(at time.Time) []string {
	return sortedKeys(l.now.Load().at(at).compositions)
}

// Audiences are the published audiences at an instant, by name; those that were left out too.
func (l *Library) Audiences(at time.Time) []tutti.Audience {
	return slices.Clone(l.now.Load().at(at).list)
}

// Persona gives a stored persona; false when there is none.
func (l *Library) Persona(name string) (tutti.Persona, bool) {
	p, ok := l.now.Load().at(time.Time{}).personas[name]
	return p, ok
}

// Problems are what was left out of the state that counts now, and why.
func (l *Library) Problems() []LoadProblem { return l.now.Load().at(time.Time{}).problems }

// Redirect gives where a path leads; false when no redirect stands for it. Query and trailing
// slash do not count.
func (l *Library) Redirect(path string) (tutti.Redirect, bool) {
	r, ok := l.now.Load().at(time.Time{}).redirects[cleanPath(path)]
	return r, ok
}

// cleanPath is how paths are compared: without query, fragment, doubled and trailing slashes.
func cleanPath(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	pieces := splitPath(path)
	for i := range pieces {
		if p, err := url.PathUnescape(pieces[i]); err == nil && !strings.ContainsRune(p, '/') {
			pieces[i] = p
		}
	}
	return "/" + strings.Join(pieces, "/")
}
