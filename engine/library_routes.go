package engine

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// Match is what a path leads to: a page or a redirect.
type Match struct {
	Compiled   *Compiled
	Params     tutti.Params
	Locale     string // of the path; "" when the path has none
	Canonical  string // the one path by which the page should be known
	Alternates []Alternate
	Redirect   *tutti.Redirect // set = nothing else is
}

// Alternate is the same page in another language.
type Alternate struct {
	Locale string
	Path   string
}

// loadRoutes orders the routes of all compositions. Of two that match the same paths the second
// composition by id loses its route, and that is reported.
func (p *published) loadRoutes() {
	seen := map[string]*route{}
	for _, id := range sortedKeys(p.compositions) {
		c := p.compositions[id]
		for _, r := range c.routes {
			r.c = c
			if first := seen[r.shape()]; first != nil {
				p.report(Doc{Kind: tutti.CompositionDocument, Name: id, Version: c.Version}, []Problem{routeClash(r, first)})
				continue
			}
			seen[r.shape()] = r
			p.routes = append(p.routes, r)
		}
	}
	slices.SortFunc(p.routes, (*route).precedes)
}

func routeClash(r, first *route) Problem {
	return Problem{
		Path: fmt.Sprintf("routes[%d].path", r.canon), Message: fmt.Sprintf("The path “%s” already leads to the composition “%s”.", r.pattern, first.c.ID),
		Hint: "Take another path, or take that one away first.",
	}
}

// Route finds what a path leads to at an instant (zero = now): a redirect first, then the most
// exact route whose params fit. false when nothing is there. locale is the one asked for; where
// the path names one, that counts.
func (l *Library) Route(path, locale string, at time.Time) (Match, bool) {
	p := l.now.Load().at(at)
	clean := cleanPath(path)
	if r, ok := p.redirects[clean]; ok {
		return Match{Redirect: &r}, true
	}
	pieces := pathPieces(path)
	for _, r := range p.routes {
		values, ok := r.match(pieces)
		if !ok {
			continue
		}
		params, ok := r.paramsOf(values)
		if !ok {
			continue
		}
		m := Match{Compiled: r.c, Params: params, Locale: values["locale"]}
		if values["locale"] == "" {
			if resolved, _, err := p.engine.ResolveLocale(locale); err == nil {
				locale = resolved
			}
			values["locale"] = locale
		}
		m.Canonical = r.canonical(values, params)
		m.Alternates = r.alternates(values)
		return m, true
	}
	return Match{}, false
}

// canonical is the path by the composition's first route that the same params fill.
func (r *route) canonical(values map[string]string, params tutti.Params) string {
	own, _ := r.fill(values)
	for _, o := range r.c.routes {
		if o == r {
			break
		}
		path, ok := o.fill(values)
		if !ok {
			continue
		}
		back, ok := o.paramsOf(values)
		if ok && sameParams(back, params) {
			return path
		}
	}
	return own
}

// pathPieces are the unescaped pieces of a path; an escaped slash stays inside its piece.
func pathPieces(path string) []string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	pieces := splitPath(path)
	for i := range pieces {
		if p, err := url.PathUnescape(pieces[i]); err == nil {
			pieces[i] = p
		}
	}
	return pieces
}

func sameParams(a, b tutti.Params) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// alternates are the paths of the same page in all configured languages; none where the path
// does not name the language.
func (r *route) alternates(values map[string]string) []Alternate {
	if !r.has("locale") {
		return nil
	}
	var list []Alternate
	for _, l := range r.c.engine.cfg.Locales.Names {
		other := map[string]string{}
		for k, v := range values {
			other[k] = v
		}
		other["locale"] = l
		if path, ok := r.fill(other); ok {
			list = append(list, Alternate{Locale: l, Path: path})
		}
	}
	return list
}

// Entry is a path that leads to a page.
type Entry struct {
	Path        string
	Locale      string
	Composition string
	Params      tutti.Params
}

// Entries is one page of a listing of paths.
type Entries struct {
	Entries  []Entry
	Next     string // where the next page starts; "" at the end
	Problems []tutti.Problem
}

// routeCursor says where a listing goes on: in which route, and where in its list.
type routeCursor struct {
	Route string // its shape
	After string // the origin's own cursor
	Skip  int
}

// Routes lists the paths that lead to pages in a language, for static builds and site maps:
// first (1 to 100, 0 = 50) of them after a cursor of an earlier listing. A route with a list asks
// its source, one page at a time; one that fails is a Problem and its pages are left out. A
// cursor that is none of ours is a *tutti.Error with code InvalidValue.
func (l *Library) Routes(ctx context.Context, locale string, first int, after string) (Entries, error) {
	p := l.now.Load().at(time.Time{})
	resolved, _, err := p.engine.ResolveLocale(locale)
	if err != nil {
		return Entries{}, err
	}
	if first <= 0 {
		first = 50
	}
	first = min(first, 100)
	from, err := p.engine.assembling.cursors.readRoute(after)
	if err != nil {
		return Entries{}, err
	}
	out := Entries{Entries: []Entry{}}
	skipping := from.Route != ""
	for _, r := range p.routes {
		at := routeCursor{Route: r.shape()}
		if skipping {
			if at.Route != from.Route {
				continue
			}
			skipping, at = false, from
		}
		if next, full := p.listRoute(ctx, r, resolved, first, at, &out); full {
			out.Next = p.engine.assembling.cursors.writeRoute(next)
			return out, nil
		}
	}
	return out, nil
}

// listRoute adds a route's paths; full when there are enough, with the cursor of the rest.
func (p *published) listRoute(ctx context.Context, r *route, locale string, first int, at routeCursor, out *Entries) (routeCursor, bool) {
	if r.list == nil {
		for _, name := range r.names() {
			if name != "locale" {
				return at, false // nobody says for what it exists
			}
		}
		if len(out.Entries) == first {
			return at, true
		}
		p.addEntry(r, map[string]string{"locale": locale}, locale, out)
		return at, false
	}
	for {
		if len(out.Entries) == first {
			return at, true
		}
		sel := r.list.stored
		sel.First, sel.After = 100, at.After
		page, err := p.engine.sources.Select(ctx, sel, tutti.Scope{Locale: locale})
		if err != nil {
			out.Problems = append(out.Problems, lack("routes."+r.pattern, tutti.Ref{}, sel.Source, tutti.CodeOf(err), false))
			return at, false
		}
		for i, got := range page.Items {
			if i < at.Skip || got.Resource == nil {
				continue
			}
			if len(out.Entries) == first {
				at.Skip = i
				return at, true
			}
			if values, ok := r.segmentsOf(got.Resource); ok {
				values["locale"] = locale
				p.addEntry(r, values, locale, out)
			}
		}
		if page.Next == "" || page.Next == at.After {
			return at, false
		}
		at.After, at.Skip = page.Next, 0
	}
}

// addEntry adds a path that leads back to this route's page.
func (p *published) addEntry(r *route, values map[string]string, locale string, out *Entries) {
	path, ok := r.fill(values)
	if !ok {
		return
	}
	params, ok := r.paramsOf(values)
	if ok {
		out.Entries = append(out.Entries, Entry{Path: path, Locale: locale, Composition: r.c.ID, Params: params})
	}
}

// segmentsOf computes the named pieces of an item's path; the item's id by default.
func (r *route) segmentsOf(item *tutti.Resource) (map[string]string, bool) {
	values := map[string]string{}
	for _, name := range r.names() {
		if name == "locale" {
			continue
		}
		program := r.segment[name]
		if program == nil {
			values[name] = item.Ref.ID
			continue
		}
		v, err := program.Eval(map[string]any{"item": item})
		if err != nil {
			return nil, false
		}
		values[name] = formatValue(v)
	}
	return values, true
}

// routeListing stands in cursors of listings where others name a component.
const routeListing = "routes"

func (c *cursors) writeRoute(r routeCursor) string {
	return c.write(&pinned{Component: routeListing, Prop: r.Route, Selection: &tutti.Selection{After: r.After}, Skip: r.Skip})
}

func (c *cursors) readRoute(s string) (routeCursor, error) {
	if s == "" {
		return routeCursor{}, nil
	}
	p, err := c.read(s)
	if err != nil || p.Component != routeListing || p.Selection == nil {
		return routeCursor{}, &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "this is no cursor of a listing.", Hint: "Send the endCursor of the page before, unchanged, or leave it out."}
	}
	return routeCursor{Route: p.Prop, After: p.Selection.After, Skip: p.Skip}, nil
}
