package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

// grant is how a client gets a token with its own credentials (RFC 6749 section 4.4).
type grant struct {
	address    *template
	id, secret *template
	inBody     bool
	scope      *template
	form       []namedTemplate
}

func (c *compiler) grant(a *AuthSpec) *grant {
	g := &grant{id: c.needed("clientId", a.ClientID), secret: c.needed("clientSecret", a.ClientSecret), inBody: a.Client == "body"}
	g.address, g.scope = c.template("auth.tokenUrl", a.TokenURL, settingNames), c.template("auth.scope", a.Scope, configNames)
	if !strings.HasPrefix(a.TokenURL, "/") && !strings.HasPrefix(a.TokenURL, "https://") && !strings.HasPrefix(a.TokenURL, "${") {
		c.wrong("auth.tokenUrl", "is missing or no https address", "Write, for example:  tokenUrl: https://auth.acme.example/oauth/token  (or a path of the system: /oauth/token)")
	}
	if a.Client != "" && a.Client != "basic" && a.Client != "body" {
		c.wrong("auth.client", unknown(a.Client), "Write basic or body.")
	}
	for _, name := range sortedKeys(a.Form) {
		switch name {
		case "grant_type", "client_id", "client_secret", "scope":
			c.wrong("auth.form."+name, "is sent already", "Remove it.")
		}
		g.form = append(g.form, namedTemplate{name, c.template("auth.form."+name, a.Form[name], configNames)})
	}
	return g
}

// open makes the keeper of one source's token.
func (g *grant) open(c *manifestConnector, from config.Source, given map[string]any, place func(path, what, hint string) error) (proof, error) {
	who, ok, err := rendered(given, g.id, g.secret)
	if err != nil || !ok {
		return nil, err
	}
	address, ok, safe := tokenAddress(g.address, c.at, given, from)
	switch {
	case !ok:
		return nil, place("settings", "give no address of the token endpoint", "Look at tokenUrl of the connector "+c.manifest.Name+".")
	case !safe:
		return nil, place("url", "leads to a token endpoint without TLS", "Write https, or list the host under allowPrivate.")
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	header := jsonHeader()
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	if g.inBody {
		form.Set("client_id", who[0])
		form.Set("client_secret", who[1])
	} else { // section 2.3.1: each is form-encoded first
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(who[0])+":"+url.QueryEscape(who[1]))))
	}
	for _, f := range append([]namedTemplate{{"scope", g.scope}}, g.form...) {
		v, ok, err := f.render(given, nil)
		if err != nil {
			return nil, err
		}
		if ok && v != "" {
			form.Set(f.name, v)
		}
	}
	request := fetch.Request{Method: http.MethodPost, URL: address, Header: header, Body: []byte(form.Encode())}
	k := newKeeper(c.now, c.limit, nil)
	k.issue = func(ctx context.Context, _ *accessToken) (*accessToken, error) {
		const what = "getting a token from the token endpoint"
		said, err := k.ask(ctx, c.client, what, request)
		if err != nil {
			return nil, err
		}
		return readGrant(said, what, k.now())
	}
	return k, nil
}

// readGrant reads an answer after RFC 6749 section 5.1.
func readGrant(said map[string]any, what string, now time.Time) (*accessToken, error) {
	t := &accessToken{}
	t.value, _ = said["access_token"].(string)
	if kind, ok := said["token_type"].(string); ok && !strings.EqualFold(kind, "bearer") {
		return nil, tutti.Errorf(tutti.BadAnswer, "%s: the token is of another type than bearer", what)
	}
	if !usable(t.value) {
		return nil, tutti.Errorf(tutti.BadAnswer, "%s: the answer holds no access_token", what)
	}
	seconds := 0.0
	switch v := said["expires_in"].(type) {
	case string:
		seconds, _ = strconv.ParseFloat(v, 64)
	case json.Number:
		seconds, _ = v.Float64()
	case int64:
		seconds = float64(v)
	case float64:
		seconds = v
	}
	if seconds > 0 && seconds < 1e9 {
		t.lasting(now, time.Duration(seconds*float64(time.Second)))
	} else if end := jwtEnd(t.value); !end.IsZero() {
		t.lasting(now, end.Sub(now))
	}
	return t, nil
}
