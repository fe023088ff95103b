package engine

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// route is a compiled path pattern of a composition.
type route struct {
	pattern  string
	segments []segment
	params   map[string]tutti.Program // by param, over path.<name>
	list     *selectionNode           // what the page exists for; nil = the path as it is
	segment  map[string]tutti.Program // by segment, over item
	c        *Compiled
	canon    int // its place among the composition's routes: the first is canonical
}

// segment is a fixed piece of a path, or a named place in it.
type segment struct {
	name  string // "" = fixed
	fixed string
}

// compileRoutes checks the composition's path patterns.
func (c *compiling) compileRoutes(stored []tutti.Route) []*route {
	var routes []*route
	for i := range stored {
		path := fmt.Sprintf("routes[%d]", i)
		r := c.compileRoute(path, &stored[i])
		if r == nil {
			continue
		}
		for _, o := range routes {
			if o.shape() == r.shape() {
				c.wrong(path+".path", fmt.Sprintf("It leads to the same paths as %s.", o.pattern), "Keep one of them.")
			}
		}
		r.canon = len(routes)
		routes = append(routes, r)
	}
	return routes
}

func (c *compiling) compileRoute(path string, stored *tutti.Route) *route {
	r := &route{pattern: stored.Path, params: map[string]tutti.Program{}, segment: map[string]tutti.Program{}}
	var err error
	if r.segments, err = parsePattern(stored.Path); err != nil {
		c.wrongError(path+".path", err)
		return nil
	}
	d, derr := c.engine.dynamic([]string{"path"})
	if derr != nil {
		c.wrongError(path, derr)
		return nil
	}
	for _, name := range sortedKeys(stored.Params) {
		at := path + ".params." + name
		if c.param(name) == nil {
			c.wrong(at, fmt.Sprintf("There is no param “%s”.", short(name)), expr.DidYouMean(name, c.paramNames()))
			continue
		}
		p, err := d.Compile(strings.TrimPrefix(stored.Params[name], "="))
		if err != nil {
			c.wrongError(at, err)
			continue
		}
		for _, steps := range p.Paths() {
			if len(steps) > 1 && !r.has(steps[1]) {
				c.wrong(at, fmt.Sprintf("The path has no “{%s}”.", steps[1]), expr.DidYouMean(steps[1], r.names()))
			}
		}
		r.params[name] = p
	}
	for _, p := range c.params {
		if p.Required && len(p.Default) == 0 && r.params[p.Name] == nil && !r.has(p.Name) {
			hint := fmt.Sprintf("Write {%s} in the path.", p.Name)
			if p.Type == "ref" && len(p.Kinds) > 0 {
				hint = fmt.Sprintf("Write {%s} in the path and params: {%s: \"'%s/' + path.%s\"}.", p.Name, p.Name, p.Kinds[0], p.Name)
			}
			c.wrong(path+".path", fmt.Sprintf("The needed param “%s” gets no value.", p.Name), hint)
		}
	}
	for _, name := range r.names() {
		if name != "locale" && c.param(name) == nil && !r.reads(name) {
			c.warn(path+".path", fmt.Sprintf("Nothing reads “{%s}”.", name), "Name a param like it, or read it in params.")
		}
	}
	c.compileList(path, stored, r)
	return r
}

func (c *compiling) compileList(path string, stored *tutti.Route, r *route) {
	if stored.List == nil {
		if len(stored.Segment) > 0 {
			c.wrong(path+".segment", "Segments are computed from the items of a list.", "Write list: {source: …, kind: …} too.")
		}
		return
	}
	node, kind := (&scope{c: c}).compileSelection(path+".list", stored.List, nil)
	if kind == nil {
		return
	}
	if kind.Access != tutti.AccessPublic {
		c.wrong(path+".list", fmt.Sprintf("The kind %s:%s is not public: it makes no pages.", kind.Source, kind.Name), "")
		return
	}
	for name, x := range node.filter {
		if x != nil && len(x.reads) > 0 || x != nil && x.program != nil {
			c.wrong(path+".list.filter."+name, "There is no visitor when pages are listed.", "Write a fixed value.")
			return
		}
	}
	r.list = node
	d, err := c.engine.dynamic([]string{"item"})
	if err != nil {
		c.wrongError(path, err)
		return
	}
	for _, name := range sortedKeys(stored.Segment) {
		at := path + ".segment." + name
		if !r.has(name) {
			c.wrong(at, fmt.Sprintf("The path has no “{%s}”.", short(name)), expr.DidYouMean(name, r.names()))
			continue
		}
		p, err := d.Compile(strings.TrimPrefix(stored.Segment[name], "="))
		if err == nil {
			for _, steps := range p.Paths() {
				if len(steps) > 1 && err == nil {
					err = fieldOf([]*tutti.Kind{kind}, steps[1:])
				}
			}
		}
		if err != nil {
			c.wrongError(at, err)
			continue
		}
		r.segment[name] = p
	}
}

// parsePattern reads a path pattern: /hotels/{hotel}/arrival.
func parsePattern(s string) ([]segment, error) {
	bad := func(what, hint string) ([]segment, error) {
		return nil, &tutti.Error{Code: tutti.Invalid, Message: what, Hint: hint}
	}
	if !strings.HasPrefix(s, "/") || len(s) > 512 || strings.ContainsAny(s, "?# \\") {
		return bad(fmt.Sprintf("“%s” is no path.", short(s)), "Write a path that starts with /, such as /hotels/{hotel}/arrival.")
	}
	var segments []segment
	seen := map[string]bool{}
	for _, piece := range splitPath(s) {
		name, isName := strings.CutPrefix(piece, "{")
		if !isName {
			if strings.ContainsAny(piece, "{}") || piece == "." || piece == ".." {
				return bad(fmt.Sprintf("“%s” is no piece of a path.", short(piece)), "A {name} stands for a whole piece between slashes.")
			}
			segments = append(segments, segment{fixed: piece})
			continue
		}
		name, closed := strings.CutSuffix(name, "}")
		if !closed || !tutti.IsName(name) || strings.Contains(name, "-") {
			return bad(fmt.Sprintf("“%s” is no name in a path.", short(piece)), "Write {name} for a whole piece between slashes.")
		}
		if seen[name] {
			return bad(fmt.Sprintf("“{%s}” is there twice.", name), "")
		}
		seen[name] = true
		segments = append(segments, segment{name: name})
	}
	return segments, nil
}

func splitPath(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
}

// shape tells patterns apart by the paths that they match.
func (r *route) shape() string {
	var b strings.Builder
	for _, s := range r.segments {
		if s.name == "locale" {
			b.WriteString("/{locale}")
		} else if s.name != "" {
			b.WriteString("/{}")
		} else {
			b.WriteString("/" + s.fixed)
		}
	}
	return b.String()
}

func (r *route) names() []string {
	var names []string
	for _, s := range r.segments {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

func (r *route) has(name string) bool { return slices.Contains(r.names(), name) }

func (r *route) reads(name string) bool {
	for _, p := range r.params {
		for _, steps := range p.Paths() {
			if len(steps) == 1 || steps[1] == name {
				return true
			}
		}
	}
	return false
}

// precedes orders routes so that the more exact one is tried first: fixed pieces before named
// ones, from the left; a locale before any other name.
func (r *route) precedes(o *route) int {
	rank := func(s segment) int {
		switch s.name {
		case "":
			return 0
		case "locale":
			return 1
		}
		return 2
	}
	if d := len(r.segments) - len(o.segments); d != 0 {
		return d
	}
	for i := range r.segments {
		if d := rank(r.segments[i]) - rank(o.segments[i]); d != 0 {
			return d
		}
	}
	if d := strings.Compare(r.shape(), o.shape()); d != 0 {
		return d
	}
	return strings.Compare(r.c.ID, o.c.ID)
}

// match reads the named pieces of a path; false when it is another path, or names a locale that
// is not configured.
func (r *route) match(pieces []string) (map[string]string, bool) {
	if len(pieces) != len(r.segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, s := range r.segments {
		switch {
		case s.name == "":
			if pieces[i] != s.fixed {
				return nil, false
			}
		case s.name == "locale":
			chain := r.c.engine.chains[strings.ToLower(pieces[i])]
			if chain == nil {
				return nil, false
			}
			values["locale"] = chain[0]
		default:
			values[s.name] = pieces[i]
		}
	}
	return values, true
}

// paramsOf works the params out of a path's named pieces; false when they do not fit.
func (r *route) paramsOf(values map[string]string) (tutti.Params, bool) {
	pathVars := make(map[string]any, len(values))
	for k, v := range values {
		pathVars[k] = v
	}
	raw := map[string]any{}
	for i := range r.c.params {
		p := &r.c.params[i]
		if program := r.params[p.Name]; program != nil {
			v, err := program.Eval(map[string]any{"path": pathVars})
			if err != nil {
				return nil, false
			}
			raw[p.Name] = v
			continue
		}
		s, ok := values[p.Name]
		if !ok {
			continue
		}
		v, ok := paramFromPath(p, s)
		if !ok {
			return nil, false
		}
		raw[p.Name] = v
	}
	params, err := r.c.CheckParams(raw)
	return params, err == nil
}

// paramFromPath reads a piece of a path as a param's type; a ref with a single kind may be the
// bare id.
func paramFromPath(p *tutti.Param, s string) (any, bool) {
	switch p.Type {
	case "string":
		return s, true
	case "boolean":
		return s == "true", s == "true" || s == "false"
	case "int", "float":
		v, err := expr.DecodeJSON([]byte(s))
		return v, err == nil
	case "ref":
		if _, err := tutti.ParseRef(s); err != nil && len(p.Kinds) == 1 {
			return p.Kinds[0] + "/" + s, true
		}
		return s, true
	}
	return nil, false
}

// fill writes the path with these pieces; false when one is missing or empty.
func (r *route) fill(values map[string]string) (string, bool) {
	if len(r.segments) == 0 {
		return "/", true
	}
	var b strings.Builder
	for _, s := range r.segments {
		piece := s.fixed
		if s.name != "" {
			v := values[s.name]
			if v == "" || v == "." || v == ".." {
				return "", false
			}
			piece = url.PathEscape(v)
		}
		b.WriteString("/" + piece)
	}
	return b.String(), true
}
