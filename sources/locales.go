package sources

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/tuttihq/tutti"
)

// locales are, for each locale that may be asked for, those to try in turn, as expressions read them.
type locales map[string][]any

func localesOf(l tutti.Locales) locales {
	all := locales{}
	for name, chain := range l.AllChains() {
		for _, to := range chain {
			all[name] = append(all[name], to)
		}
	}
	return all
}

// of gives the locales to try for one, that one first.
func (l locales) of(locale string) []any {
	if chain, ok := l[strings.ToLower(locale)]; ok {
		return chain
	}
	if locale == "" {
		return []any{}
	}
	return []any{locale}
}

var usesLocale = regexp.MustCompile(`\$\{(?:[^}]*[^.\w}])?locale\b`)

// languages checks that a kind whose records hold all languages is asked for without one.
func (c *compiler) languages(at string, k *KindSpec) {
	switch {
	case k.Languages == "":
		return
	case k.Languages != "record":
		c.wrong(at+".languages", unknown(k.Languages), "Write record, or leave it out.")
	case !slices.Contains(k.Dimensions, tutti.LocaleDimension):
		c.wrong(at+".languages", "is without the dimension locale", "Write  dimensions: [locale]")
	}
	calls := map[string]*CallSpec{"get": k.Get}
	if k.Batch != nil {
		calls["batch"] = &k.Batch.CallSpec
	}
	for i, s := range k.Select {
		if s != nil {
			calls["select."+strconv.Itoa(i)] = &s.CallSpec
		}
	}
	for _, name := range sortedKeys(calls) {
		if call := calls[name]; call != nil && call.saysLocale() {
			c.wrong(at+"."+name, "uses ${locale}, but records hold all languages", "Ask for all of them, or remove languages.")
		}
	}
}

// saysLocale reports whether a call is made for one language.
func (s *CallSpec) saysLocale() bool {
	says := usesLocale.MatchString(s.Path) || treeSays(s.Body) || s.GraphQL != nil && treeSays(map[string]any(s.GraphQL.Variables))
	for _, q := range s.Query {
		says = says || usesLocale.MatchString(q.Value)
	}
	for _, h := range s.Headers {
		says = says || usesLocale.MatchString(h)
	}
	return says
}

func treeSays(v any) bool {
	switch v := v.(type) {
	case string:
		return usesLocale.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, treeSays)
	case map[string]any:
		for _, x := range v {
			if treeSays(x) {
				return true
			}
		}
	}
	return false
}

// tongues map the record again for each language that is asked for. Of the record there is what the
// resource keeps.
func (s *seen) tongues(r *tutti.Resource) *tutti.Tongues {
	c, k := s.c, s.k
	return tutti.NewTongues(max(1, len(c.locales)), func(locale string) *tutti.Resource {
		body := unsafe.Slice(unsafe.StringData(r.Raw), len(r.Raw)) // it is only read
		one := cuts.Get().(*cut)
		defer cuts.Put(one)
		if len(body) == 0 || !one.walk(body, k.tree) {
			return r
		}
		again := k.see(c, body, one.spans, locale)
		again.own = r.Ref.ID
		values, unread := again.fields(nil)
		one.b = nil
		in := *r
		in.Fields = tutti.NewFields(k.names, values, r.Raw).WithUnread(unread)
		in.Locale = again.localeOf()
		return &in
	})
}
