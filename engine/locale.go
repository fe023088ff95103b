package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// ResolveLocale gives the configured locale for the one asked for, and the locales to try in
// turn, that one first. "" asks for the default; letter case does not count. A locale that is
// not configured is stood in for by its language without region. One that leads to no
// configured locale is a *tutti.Error with code UnknownLocale that lists them.
func (e *Engine) ResolveLocale(asked string) (locale string, chain []string, err error) {
	if asked == "" {
		asked = e.cfg.Locales.Default
	}
	for try := asked; try != ""; try = tutti.ParentLocale(try) {
		if chain := e.chains[strings.ToLower(try)]; chain != nil {
			return chain[0], chain, nil
		}
	}
	if asked == "" {
		return "", nil, nil // no locale is configured: content has one language only
	}
	return "", nil, &tutti.Error{
		Code: tutti.UnknownLocale, Field: "locale", Message: fmt.Sprintf("No configured locale can stand in for “%s”.", short(asked)),
		Hint: "There is: " + strings.Join(e.cfg.Locales.Names, ", ") + ".",
	}
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// ResolveChannel gives the profile of a channel. One that is not configured is a *tutti.Error
// with code UnknownChannel that says which there are.
func (e *Engine) ResolveChannel(name string) (*tutti.Channel, error) {
	if c, ok := e.channels[name]; ok {
		return c, nil
	}
	return nil, &tutti.Error{Code: tutti.UnknownChannel, Field: "channel", Message: fmt.Sprintf("There is no channel “%s”.", short(name)), Hint: expr.DidYouMean(name, e.channelNames())}
}

// ResolveMarket fills in the default market and the market's currency. A market that is not
// configured, or a currency that is not three capital letters, is a *tutti.Error with code
// InvalidValue.
func (e *Engine) ResolveMarket(market, currency string) (string, string, error) {
	if market == "" && len(e.cfg.Markets) > 0 {
		market = e.cfg.Markets[0].Name
	}
	m, ok := e.markets[market]
	if !ok && market != "" {
		return "", "", &tutti.Error{Code: tutti.InvalidValue, Field: "context.market", Message: fmt.Sprintf("There is no market “%s”.", short(market)), Hint: expr.DidYouMean(market, sortedKeys(e.markets))}
	}
	if currency == "" && ok {
		currency = m.Currency
	}
	if currency != "" && (len(currency) != 3 || strings.ContainsFunc(currency, func(r rune) bool { return r < 'A' || r > 'Z' })) {
		return "", "", &tutti.Error{Code: tutti.InvalidValue, Field: "context.currency", Message: fmt.Sprintf("“%s” is no currency.", short(currency)), Hint: "Write an ISO 4217 code, such as EUR."}
	}
	return market, currency, nil
}

func (e *Engine) channelNames() []string {
	var names []string
	for _, c := range e.cfg.Channels {
		names = append(names, c.Name)
	}
	return names
}

// short keeps what strangers sent from filling messages.
func short(s string) string {
	r := []rune(strings.ToValidUTF8(s, ""))
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(r)
}
