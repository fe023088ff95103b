package sources

import (
	"strings"

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
