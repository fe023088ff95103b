package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// CheckComposition checks a composition as an editor saves it, against the config, the published
// audiences, and the routes of the others. id is the name it is saved under. With any problem it
// must not be saved; warnings tell what is probably not meant.
func (l *Library) CheckComposition(id string, body json.RawMessage) (problems, warnings []Problem) {
	s := l.now.Load()
	p := s.at(time.Time{})
	c, problems, warnings := s.engine.Compile(id, body, 0, p.audiences)
	if c == nil {
		return problems, warnings
	}
	for _, r := range c.routes {
		for _, o := range p.routes {
			if o.c.ID != c.ID && o.shape() == r.shape() {
				problems = append(problems, routeClash(r, o))
			}
		}
	}
	return problems, warnings
}

// CheckAudience checks an audience as an editor saves it, together with the published ones.
func (l *Library) CheckAudience(a tutti.Audience) []Problem {
	s := l.now.Load()
	p := s.at(time.Time{})
	list := slices.DeleteFunc(slices.Clone(p.list), func(o tutti.Audience) bool { return o.Name == a.Name })
	_, problems := s.engine.CompileAudiences(append(list, a))
	return slices.DeleteFunc(problems, func(x Problem) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(x.Path, "audiences."), ".")
		return x.Path != "audiences" && name != a.Name
	})
}

// CheckPersona checks a stored context: its attributes declared, typed and given by requests, its
// locale and market known.
func (l *Library) CheckPersona(x tutti.Persona) []Problem {
	e := l.now.Load().engine
	var n notes
	if !tutti.IsName(x.Name) {
		n.wrong("name", fmt.Sprintf("“%s” is no name of a persona.", short(x.Name)), "Write a letter, then letters, digits, - or _.")
	}
	for _, name := range sortedKeys(x.Attributes) {
		a := e.attributes[name]
		at := "attributes." + name
		switch {
		case a == nil:
			n.wrong(at, fmt.Sprintf("No attribute “%s” is declared.", short(name)), expr.DidYouMean(name, sortedKeys(e.attributes)))
		case a.Derive != "" || a.Param != "" || a.Enricher != "":
			n.wrong(at, fmt.Sprintf("“%s” is worked out, not given.", name), "Give what it is made of.")
		default:
			v := x.Attributes[name]
			if num, ok := v.(json.Number); ok {
				v = exactNumber(num)
			}
			t, ok := typed(a.Type, v)
			if s, isText := t.(string); isText && len(a.Values) > 0 && !slices.Contains(a.Values, s) {
				n.wrong(at, fmt.Sprintf("“%s” is never “%s”.", name, short(s)), "Possible are: "+strings.Join(a.Values, ", ")+".")
			} else if !ok {
				n.wrong(at, fmt.Sprintf("The value does not fit: “%s” is a %s.", name, a.Type), "")
			}
		}
	}
	if x.Locale != "" {
		if _, _, err := e.ResolveLocale(x.Locale); err != nil {
			n.wrongError("", err)
		}
	}
	if _, _, err := e.ResolveMarket(x.Market, x.Currency); err != nil {
		n.wrongError("", err)
	}
	if x.Location != nil && !x.Location.Valid() {
		n.wrong("location", "The place is not on the earth.", "lat is -90 to 90, lon -180 to 180.")
	}
	return n.problems
}

// CheckRedirects checks the whole list: paths, targets, doubles and circles.
func (l *Library) CheckRedirects(list []tutti.Redirect) []Problem { return checkRedirects(list) }

// AudienceUsedBy names what is published and uses an audience, through others too: compositions
// by id, audiences as audience.<name>; sorted, empty for none.
func (l *Library) AudienceUsedBy(name string) []string {
	p := l.now.Load().at(time.Time{})
	users := []string{}
	for _, a := range p.audiences.names {
		if a != name && p.audiences.uses(p.audiences.byName[a].rule.Reads(), name) {
			users = append(users, "audience."+a)
		}
	}
	for _, id := range sortedKeys(p.compositions) {
		if p.audiences.uses(p.compositions[id].names, name) {
			users = append(users, id)
		}
	}
	slices.Sort(users)
	return users
}

// Draft compiles a composition's draft (Version = its revision) for preview, with the published
// audiences as they are at an instant, those that are being edited in the place of the published
// ones. The same revision is compiled once. A draft that does not pass its checks is a
// *tutti.Error with code Invalid: its first problem.
func (l *Library) Draft(doc Doc, audiences []Doc, at time.Time) (*Compiled, error) {
	s := l.now.Load()
	p := s.at(at)
	set := p.audiences
	if len(audiences) > 0 {
		set = p.withDrafts(audiences)
	}
	key := draftKey{engine: s.engine, id: doc.Name, revision: doc.Version, audiences: set.print}
	if c, ok := l.draft.get(key); ok {
		return c, nil
	}
	c, problems, _ := s.engine.Compile(doc.Name, doc.Body, 0, set)
	if len(problems) > 0 {
		return nil, problems[0].Err()
	}
	l.draft.put(key, c)
	return c, nil
}

// withDrafts puts audiences that are being edited in the place of the published ones.
func (p *published) withDrafts(docs []Doc) *Audiences {
	list := slices.Clone(p.list)
	for _, d := range docs {
		var a tutti.Audience
		if json.Unmarshal(d.Body, &a) != nil {
			continue
		}
		if a.Name == "" {
			a.Name = d.Name
		}
		list = slices.DeleteFunc(list, func(o tutti.Audience) bool { return o.Name == a.Name })
		list = append(list, a)
	}
	set, _ := p.engine.CompileAudiences(list)
	return set
}

// draftCache keeps the drafts that were compiled last.
type draftCache struct {
	mutex sync.Mutex
	order []draftKey // the one used last is last
	kept  map[draftKey]*Compiled
}

type draftKey struct {
	engine    *Engine
	id        string
	revision  int
	audiences string
}

// maxDrafts bounds how many compiled drafts are kept.
const maxDrafts = 64

func (c *draftCache) get(k draftKey) (*Compiled, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	v, ok := c.kept[k]
	if ok {
		c.touch(k)
	}
	return v, ok
}

func (c *draftCache) put(k draftKey, v *Compiled) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.kept == nil {
		c.kept = map[draftKey]*Compiled{}
	}
	c.kept[k] = v
	c.touch(k)
	for len(c.order) > maxDrafts {
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}

func (c *draftCache) touch(k draftKey) {
	c.order = slices.DeleteFunc(c.order, func(o draftKey) bool { return o == k })
	c.order = append(c.order, k)
}
