package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

const arrivalShort = `query($x: ContextInput) { experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", context: $x) { ...E } }` + everyField

// nothing is data of an operation that was refused: its one field is null, or there is none at all.
var nothing = regexp.MustCompile(`^(|null|\{"\w+":null\})$`)

// refuses checks that a request is refused whole: this code, no data, and no origin asked.
func (p *played) refuses(what string, a answer, code tutti.Code) {
	p.t.Helper()
	if a.code() != code || !nothing.Match(a.Data) {
		p.t.Errorf("%s: want %s, no data; got %d %s", what, code, a.Status, a.Raw)
	}
	if c := p.calls(); len(c) > 0 {
		p.t.Errorf("%s asked origins: %v", what, c)
		p.origins.ResetCalls()
	}
	for _, e := range a.Errors {
		if e.Message == "" || e.Extensions.RequestID == "" || e.Extensions.RequestID != a.Header.Get("X-Request-Id") {
			p.t.Errorf("%s: an error without words, or without the request's id: %s", what, a.Raw)
		}
	}
}

func TestTokensThatProveNothing(t *testing.T) {
	p := play(t)
	visitors := p.server.house.live.Load().config.Visitors
	now := time.Now()
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"sub": "guest-7", "iss": visitors.Issuer, "aud": visitors.Audience, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "tier": "gold", "reservation": "R-1007"}
		if change != nil {
			change(c)
		}
		return c
	}
	sign := func(method jwt.SigningMethod, secret any, c jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	ours := []byte(visitors.Secret.Reveal())
	good := sign(jwt.SigningMethodHS256, ours, claims(nil))
	if a := p.ask(p.key(tutti.BrowserKey), good, arrivalShort, nil); len(a.Errors) > 0 {
		t.Fatalf("a good token is refused: %s", a.Raw)
	}
	parts := strings.Split(good, ".")
	p.origins.ResetCalls()
	for name, token := range map[string]string{
		"no token at all":       "x",
		"foreign signature":     sign(jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), claims(nil)),
		"changed payload":       parts[0] + "." + strings.Split(sign(jwt.SigningMethodHS256, []byte("k"), claims(func(c jwt.MapClaims) { c["sub"] = "guest-8" })), ".")[1] + "." + parts[2],
		"no signature":          parts[0] + "." + parts[1] + ".",
		"algorithm none":        sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"another algorithm":     sign(jwt.SigningMethodHS512, ours, claims(nil)),
		"expired":               sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["exp"] = now.Add(-time.Hour).Unix() })),
		"not valid yet":         sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["nbf"] = now.Add(time.Hour).Unix() })),
		"never expires":         sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { delete(c, "exp") })),
		"another issuer":        sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["iss"] = "https://login.example" })),
		"for another audience":  sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["aud"] = "other" })),
		"names nobody":          sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { delete(c, "sub") })),
		"names an empty person": sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["sub"] = "" })),
		"very long":             sign(jwt.SigningMethodHS256, ours, claims(func(c jwt.MapClaims) { c["more"] = strings.Repeat("x", 9<<10) })),
	} {
		for _, class := range []tutti.KeyClass{tutti.BrowserKey, tutti.ServerKey, tutti.ManagementKey} {
			a := p.ask(p.key(class), token, arrivalShort, nil)
			p.refuses(name+" with a "+string(class)+" key", a, tutti.Unauthenticated)
			if a.Status != http.StatusUnauthorized || len(a.Errors) != 1 || a.Errors[0].Message != "The visitor token is not valid." || a.Errors[0].Extensions.Field != "Tutti-Visitor" {
				t.Errorf("%s: says %s", name, a.Raw)
			}
		}
	}
	hides(t, "the log", p.log.String(), good, parts[1], "guest-7", "R-1007")
}

func TestKeysThatOpenNothing(t *testing.T) {
	p := play(t)
	now := time.Now()
	add := func(class tutti.KeyClass, from []string, expires time.Time) (string, tutti.Key) {
		plain, key := graph.NewKey(class, "test", from, now.Add(-2*time.Hour), expires)
		if err := p.server.house.store.AddKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return plain, key
	}
	expired, _ := add(tutti.ManagementKey, nil, now.Add(-time.Hour))
	revoked, key := add(tutti.ManagementKey, nil, time.Time{})
	if err := p.server.house.store.RevokeKey(t.Context(), key.ID, now.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	picky, _ := add(tutti.BrowserKey, []string{"https://www.stay.example"}, time.Time{})
	p.server.house.server.Invalidate()
	for name, plain := range map[string]string{
		"no key": "", "an unknown key": "tutti_management_" + strings.Repeat("A", 43), "an expired key": expired, "a revoked key": revoked,
		"half a key": p.key(tutti.ServerKey)[:30], "a key in other letters": strings.ToUpper(p.key(tutti.ServerKey)), "a token as key": p.token("guest-7"), "a hash as key": fmt.Sprintf("%x", key.Hash),
	} {
		a := p.ask(plain, "", arrivalShort, nil)
		p.refuses(name, a, tutti.Unauthenticated)
		if a.Status != http.StatusUnauthorized || a.Errors[0].Message != "A valid key is needed." || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	from := func(origin, plain string) answer {
		return p.send(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + plain}, "Origin": {origin}}, []byte(`{"query":"{ channels { name } }"}`))
	}
	if a := from("https://www.stay.example", picky); len(a.Errors) > 0 || a.Header.Get("Access-Control-Allow-Origin") != "https://www.stay.example" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a listed page is not served: %d %v %s", a.Status, a.Header, a.Raw)
	}
	for _, origin := range []string{"https://evil.example", "http://www.stay.example", "https://www.stay.example.evil.example", "https://www.stay.example:444", "null"} {
		p.refuses("a page of "+origin, from(origin, picky), tutti.Forbidden)
	}
	for _, class := range []tutti.KeyClass{tutti.ServerKey, tutti.PreviewKey, tutti.ManagementKey} {
		p.refuses("a "+string(class)+" key in a page", from("https://www.stay.example", p.key(class)), tutti.Forbidden)
	}
}

func TestKeysAssertOnlyWhatTheyMay(t *testing.T) {
	p := play(t)
	fields := func(a answer) (list []string) {
		for _, e := range a.Errors {
			list = append(list, e.Extensions.Field)
			if e.Extensions.Hint == "" {
				t.Errorf("no hint what to do instead: %s", a.Raw)
			}
		}
		return list
	}
	for _, c := range []struct {
		name  string
		class tutti.KeyClass
		token string
		x     map[string]any
		want  []string
	}{
		{"visitor", tutti.BrowserKey, "", map[string]any{"visitor": "guest-7"}, []string{"context.visitor"}},
		{"visitor beside a token", tutti.BrowserKey, p.token("guest-8"), map[string]any{"visitor": "guest-7"}, []string{"context.visitor"}},
		{"tier and reservation", tutti.BrowserKey, "", map[string]any{"attributes": map[string]any{"tier": "gold", "reservation": "R-1007"}}, []string{"context.attributes.reservation", "context.attributes.tier"}},
		{"reservation beside a token", tutti.BrowserKey, p.token("guest-8"), map[string]any{"attributes": map[string]any{"reservation": "R-1007"}}, []string{"context.attributes.reservation"}},
		{"nothing, but named", tutti.BrowserKey, "", map[string]any{"attributes": map[string]any{"tier": nil}}, []string{"context.attributes.tier"}},
		{"everything", tutti.PreviewKey, "", nearAzul(map[string]any{"visitor": "guest-7", "attributes": map[string]any{"tier": "gold"}}), []string{"context.visitor", "context.location", "context.consent", "context.attributes"}},
	} {
		for _, q := range []string{arrivalShort, `query($x: ContextInput) { route(path: "/en/hotels/azul", channel: "web", context: $x) { __typename } }`, `query($x: ContextInput) { search(source: "catalog", kind: "product", context: $x) { totalCount } }`, `query($x: ContextInput) { resource(ref: "stay:hotel/azul", context: $x) { title } }`, `query($x: ContextInput) { more(cursor: "x", context: $x) { totalCount } }`} {
			a := p.ask(p.key(c.class), c.token, q, map[string]any{"x": c.x})
			p.refuses(c.name, a, tutti.Forbidden)
			if got := fields(a); !slices.Equal(got, c.want) {
				t.Errorf("%s: refuses %v, want %v", c.name, got, c.want)
			}
		}
	}
	p.refuses("a token with a preview key", p.ask(p.key(tutti.PreviewKey), p.token("guest-7"), arrivalShort, nil), tutti.Forbidden)
	contradicting := p.ask(p.key(tutti.ServerKey), p.token("guest-8"), arrivalShort, map[string]any{"x": map[string]any{"visitor": "guest-7"}})
	p.refuses("a server that contradicts the token", contradicting, tutti.InvalidValue)

	// Without a persona, a preview key sees what nobody in particular sees.
	p.mark()
	nobody := p.experience(seer{key: p.key(tutti.PreviewKey)}, "hotel-arrival", "mobile", "en", map[string]any{"hotel": "stay:hotel/azul"})
	if len(nobody.Errors) > 0 || strings.Contains(nobody.Raw, `"component":"check-in"`) {
		t.Errorf("a preview without a persona: %s", nobody.Raw)
	}
	hides(t, "a preview without a persona", nobody.Raw, anasWords...)
	ana := p.experience(seer{key: p.key(tutti.PreviewKey), preview: map[string]any{"persona": "ana-arriving"}}, "hotel-arrival", "mobile", "en", map[string]any{"hotel": "stay:hotel/azul"})
	wants(t, "the preview of a persona", ana.Raw, anasName, "Zticket subject 71400")
}

func TestWithoutConsentOnlyWhatIsNecessaryIsRead(t *testing.T) {
	p := playPatiently(t)
	p.mark()
	hotel := map[string]any{"hotel": "stay:hotel/azul"}
	at := map[string]any{"location": map[string]any{"lat": 43.2630, "lon": -2.9350}}
	consent := func(c any) map[string]any { return map[string]any{"location": at["location"], "consent": c} }
	for _, channel := range everyChannel {
		stranger := p.experience(seer{key: p.key(tutti.BrowserKey)}, "hotel-arrival", channel, "en", hotel)
		p.origins.ResetCalls()
		for name, x := range map[string]map[string]any{
			"no consent": at, "an empty consent": consent(map[string]any{}), "refused": consent(map[string]any{"personalization": false}), "null": consent(nil),
			"for other purposes": consent(map[string]any{"analytics": true, "marketing": true}),
		} {
			a := p.experience(seer{key: p.key(tutti.BrowserKey), token: p.token("guest-7"), context: x}, "hotel-arrival", channel, "en", hotel)
			if c := p.calls(); len(c) > 0 { // neither the reservation nor the tickets
				t.Errorf("%s on %s: origins are asked: %v", name, channel, c)
				p.origins.ResetCalls()
			}
			if got, want := a.alike(), stranger.alike(); got != want {
				t.Errorf("%s on %s: guest-7 gets another page than a stranger:\n%s", name, channel, differ(got, want))
			}
		}
		a := p.experience(p.ana(), "hotel-arrival", channel, "en", hotel)
		wants(t, "with consent", a.Raw, anasName)
		if channel == everyChannel[0] && p.calls()["stay"] == 0 {
			t.Error("with consent the reservation is not asked for either")
		}
	}
	for _, preview := range []map[string]any{{"persona": "without-consent"}, {"persona": "ana-arriving", "consent": map[string]any{}}} {
		a := p.experience(seer{key: p.key(tutti.PreviewKey), preview: preview}, "hotel-arrival", "mobile", "en", hotel)
		hides(t, "a preview without consent", a.Raw, anasWords...)
		var got struct {
			Experience struct {
				Components []struct {
					Component string
					Why       struct {
						Reason string
						Rules  []struct {
							Result     string
							Attributes []struct {
								Name, Withheld string
								Known          bool
							}
						}
					}
				}
			}
		}
		a.into(t, &got)
		withheld := map[string]bool{}
		for _, c := range got.Experience.Components {
			for _, r := range c.Why.Rules {
				for _, at := range r.Attributes {
					if at.Withheld != "" && (at.Known || at.Withheld != "PERSONALIZATION" || c.Why.Reason != "CONSENT_WITHHELD" || r.Result != "UNKNOWN") {
						t.Errorf("%s: %+v", c.Component, c.Why)
					}
					if at.Withheld != "" {
						withheld[c.Component+" "+at.Name] = true
					}
				}
			}
		}
		for _, want := range []string{"welcome stay.hotel", "offers audience.loyal", "nearby audience.nearby"} {
			if !withheld[want] {
				t.Errorf("nobody is told that consent is missing for %s: %v", want, withheld)
			}
		}
	}
}
