package sources

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// address renders the path of a call. A value is part of one segment and can neither add nor remove one. A setting, which the
// operator wrote, may be several segments and end with a query, which becomes the whole path's.
func (t *template) address(vars map[string]any) (string, bool, error) {
	if len(t.parts) == 1 && t.parts[0].expr == nil {
		return t.parts[0].words, true, nil
	}
	var b strings.Builder
	queries := "" // of settings: they stand at the end, whatever follows them
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.words)
			continue
		}
		v, ok, err := p.expr.eval(vars)
		if err != nil || !ok {
			return "", false, err
		}
		s, err := writeValue(v)
		switch {
		case err != nil:
		case p.setting:
			s, err = settingPath(s)
		case p.slashes:
			s, err = escapeSegments(s)
		default:
			s, err = escapeSegment(s)
		}
		if err != nil {
			return "", false, err
		}
		if p.setting {
			path, query, found := strings.Cut(s, "?")
			if s = path; found && queries != "" {
				queries += "&" + query
			} else if found {
				queries = "?" + query
			}
		}
		b.WriteString(s)
	}
	return b.String() + queries, true, nil
}

// ofSettings reports whether an expression is made of settings and nothing else.
func (e *expression) ofSettings() bool {
	paths := e.prog.Paths()
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(path []string) bool { return path[0] != "settings" })
}

// settingPath writes a path of a setting, with its query.
func settingPath(s string) (string, error) {
	u, err := url.Parse(s)
	bad := err != nil || !printable(s) || u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.Fragment != ""
	if bad || slices.ContainsFunc(strings.Split(u.Path, "/"), func(seg string) bool { return seg == "." || seg == ".." }) {
		return "", tutti.Errorf(tutti.InvalidValue, "writing a path: a setting is no path")
	}
	if u.RawQuery != "" {
		return u.EscapedPath() + "?" + u.Query().Encode(), nil
	}
	return u.EscapedPath(), nil
}
