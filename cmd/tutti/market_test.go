package main

import (
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestMarketAndCurrencyAreApartFromLanguage: the same words, another price; and a currency that
// the shop does not sell in costs the offers, not the page.
func TestMarketAndCurrencyAreApartFromLanguage(t *testing.T) {
	t.Parallel()
	p := play(t)
	const query = `query($locale: Locale, $context: ContextInput) { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", locale: $locale, context: $context) {
		problems { path code message }
		components { component items: resources(prop: "items") { nodes { title ... on Product { price { amount currency } } } } } } }`
	type offer struct {
		Title string
		Price *struct{ Amount, Currency string }
	}
	look := func(locale string, context map[string]any) (offers []offer, raw string) {
		var x struct {
			Experience struct {
				Components []struct {
					Component string
					Items     *struct{ Nodes []offer }
				}
			}
		}
		a := p.whole(tutti.BrowserKey, query, map[string]any{"locale": locale, "context": context})
		a.into(t, &x)
		for _, c := range x.Experience.Components {
			if c.Component == "offers" && c.Items != nil {
				offers = c.Items.Nodes
			}
		}
		return offers, a.Raw
	}
	home, _ := look("de", nil)
	away, raw := look("de", map[string]any{"market": "uk"})
	if len(home) == 0 || len(away) != len(home) {
		t.Fatalf("the offers are %v at home and %v in the other market: %s", home, away, raw)
	}
	for i := range home {
		h, a := home[i], away[i]
		if h.Title != a.Title || h.Price.Currency != "EUR" || a.Price.Currency != "GBP" || h.Price.Amount == a.Price.Amount {
			t.Errorf("%s costs %v, and %s in the other market %v", h.Title, *h.Price, a.Title, *a.Price)
		}
	}
	if none, raw := look("de", map[string]any{"currency": "CHF"}); len(none) > 0 || !strings.Contains(raw, `"code":"BAD_ANSWER"`) || !strings.Contains(raw, `"nearby"`) {
		t.Errorf("in a currency that the shop does not know: %s", raw)
	}
}
