package sources

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/expr"
)

// AuthSpec says how the system knows us. Where a secret that it names is not set, nothing is sent.
type AuthSpec struct {
	Type         string            `yaml:"type"`         // How it is sent.
	User         string            `yaml:"user"`         // Of basic.
	Password     string            `yaml:"password"`     // Of basic.
	Token        string            `yaml:"token"`        // Of bearer.
	Name         string            `yaml:"name"`         // Of header, query and form: the name of the header, parameter or field.
	Value        string            `yaml:"value"`        // Of header, query and form, with what stands before the secret.
	TokenURL     string            `yaml:"tokenUrl"`     // Of oauth2: the token endpoint; a path is one of the system's.
	ClientID     string            `yaml:"clientId"`     // Of oauth2.
	ClientSecret string            `yaml:"clientSecret"` // Of oauth2.
	Client       string            `yaml:"client"`       // Of oauth2: where id and secret are sent: basic (default) or in the body.
	Scope        string            `yaml:"scope"`        // Of oauth2: what the token is for, with spaces between.
	Form         map[string]string `yaml:"form"`         // Of oauth2: further fields of the token request, such as audience.
	Region       string            `yaml:"region"`       // Of sigv4.
	Service      string            `yaml:"service"`      // Of sigv4: s3, execute-api, …
	KeyID        string            `yaml:"keyId"`        // Of sigv4: the id of the access key.
	Secret       string            `yaml:"secret"`       // Of sigv4: the secret access key.
	SessionToken string            `yaml:"sessionToken"` // Of sigv4: the token of temporary keys.
	Login        *LoginSpec        `yaml:"login"`        // Of session: the call that begins one.
	Refresh      *LoginSpec        `yaml:"refresh"`      // Of session: the call that renews one, with ${token}, the refresh token.
	Expired      *ExpiredSpec      `yaml:"expired"`      // Of session: what "the token is no longer good" looks like. Default: status 401.
}

// LoginSpec is a call that gives tokens.
type LoginSpec struct {
	Path    string            `yaml:"path"`    // After the source's url.
	Headers map[string]string `yaml:"headers"` // One whose value is absent is left out.
	Body    any               `yaml:"body"`    // A JSON body.
	Access  string            `yaml:"access"`  // Where the token for calls is in the answer. Of refresh: as in login, if not said.
	Refresh string            `yaml:"refresh"` // Where the token for the refresh call is in the answer. Of refresh: as in login, if not said.
}

// ExpiredSpec says what "the token is no longer good" looks like.
type ExpiredSpec struct {
	Statuses []int  `yaml:"statuses"` // Statuses that say so.
	When     string `yaml:"when"`     // CEL over answer, of any status 4xx.
}

// compiledAuth is a compiled AuthSpec.
type compiledAuth struct {
	kind                  string
	name                  string
	user, password, value *template
	grant                 *grant      // of oauth2
	signing               *signing    // of sigv4
	session               *sessionWay // of session
}

// authTypes are the ways to say who asks, with what each takes.
var authTypes = map[string][]string{
	"none": {}, "basic": {"user", "password"}, "bearer": {"token"}, "header": {"name", "value"}, "query": {"name", "value"}, "form": {"name", "value"},
	"oauth2": {"tokenUrl", "clientId", "clientSecret", "client", "scope", "form"},
	"sigv4":  {"region", "service", "keyId", "secret", "sessionToken"}, "session": {"login", "refresh", "expired"},
}

var authNames = []string{"none", "basic", "bearer", "header", "query", "form", "oauth2", "sigv4", "session"}

func (c *compiler) auth() *compiledAuth {
	a := c.m.Auth
	if a == nil {
		return nil
	}
	out := &compiledAuth{kind: a.Type, name: a.Name}
	takes, ok := authTypes[a.Type]
	if !ok {
		c.wrong("auth.type", unknown(a.Type), oneOf(a.Type, authNames))
		near := *a
		if near.Type = expr.Nearest(a.Type, authNames); near.Type == "" {
			return out
		}
		a, takes = &near, authTypes[near.Type]
	}
	for _, other := range authNames {
		for _, key := range authTypes[other] {
			at := "auth." + key
			if _, written := c.m.lines[at]; written && !slices.Contains(takes, key) {
				c.wrong(at, "is not for "+a.Type, "Remove it, or write  type: "+other)
				delete(c.m.lines, at) // told once
			}
		}
	}
	switch a.Type {
	case "basic":
		out.user, out.password = c.needed("user", a.User), c.needed("password", a.Password)
		if len(out.user.expressions(nil)) == 0 { // some take the key as the user, and any password
			c.notWritten("auth.password", "password", out.password)
		}
	case "bearer":
		out.value = c.needed("token", a.Token)
	case "header", "query", "form":
		out.value = c.needed("value", a.Value)
		if a.Name == "" || a.Type == "header" && !headerName.MatchString(a.Name) {
			c.wrong("auth.name", "is missing or no name of a "+map[string]string{"header": "header", "query": "parameter", "form": "field"}[a.Type], "Write, for example:  name: X-Api-Key")
		}
	case "oauth2":
		out.grant = c.grant(a)
	case "sigv4":
		out.signing = c.signing(a)
	case "session":
		out.session = c.session(a)
	}
	return out
}

// needed compiles a value of auth that must be there.
func (c *compiler) needed(key, value string) *template {
	if value == "" {
		c.wrong("auth."+key, "is missing", "Write, for example:  "+key+": ${secrets."+key+"}")
	}
	out := c.template("auth."+key, value, configNames)
	if slices.Contains([]string{"token", "value", "clientSecret", "secret"}, key) {
		c.notWritten("auth."+key, key, out)
	}
	return out
}

// notWritten makes sure that a manifest, which may be shown to anybody, holds no secret itself.
func (c *compiler) notWritten(at, name string, t *template) {
	if len(t.parts) == 1 && t.parts[0].expr == nil {
		c.wrong(at, "is written out, and a manifest holds no secrets", "Write  "+name+": ${secrets."+name+"}  and declare it under secrets.")
	}
}

// apply adds the credentials that are the same in every request. Where a secret is not set, it adds nothing.
func (a *compiledAuth) apply(own *ownPart, vars map[string]any) error {
	if a == nil || a.user == nil && a.value == nil {
		return nil
	}
	if a.kind == "basic" {
		user, ok, err := a.user.render(vars, headerValue)
		if err != nil || !ok {
			return err
		}
		password, ok, err := a.password.render(vars, headerValue)
		if err == nil && ok {
			own.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
		}
		return err
	}
	value, ok, err := a.value.render(vars, headerValue)
	if err != nil || !ok {
		return err
	}
	switch a.kind {
	case "bearer":
		own.header.Set("Authorization", "Bearer "+value)
	case "header":
		own.header.Set(a.name, value)
	case "form":
		own.form = url.QueryEscape(a.name) + "=" + url.QueryEscape(value)
	case "query":
		own.query = url.QueryEscape(a.name) + "=" + url.QueryEscape(value)
	}
	return nil
}

// prove gives what proves who asks request by request; nil where that is not needed, or where a secret
// for it is not set.
func (a *compiledAuth) prove(c *manifestConnector, from config.Source, place func(path, what, hint string) error) (proof, error) {
	given := map[string]any{"settings": c.settings, "secrets": c.secrets}
	switch {
	case a == nil:
		return nil, nil
	case a.grant != nil:
		return a.grant.open(c, from, given, place)
	case a.signing != nil:
		return a.signing.open(c, given, place)
	case a.session != nil:
		return a.session.open(c, from, given, place)
	}
	return nil, nil
}

// rendered gives the values of templates in their order; false when one of them is absent.
func rendered(vars map[string]any, all ...*template) ([]string, bool, error) {
	out := make([]string, len(all))
	for i, t := range all {
		v, ok, err := t.render(vars, headerValue)
		if err != nil || !ok || v == "" {
			return nil, false, err
		}
		out[i] = v
	}
	return out, true, nil
}

// tokenAddress gives the address of a token endpoint: a path of the system, or an address of its own, of which
// the first value may be the beginning. It must be https unless the operator trusts the way to its host.
func tokenAddress(t *template, at string, vars map[string]any, from config.Source) (address string, ok, safe bool) {
	first := true
	s, ok, err := t.render(vars, func(v string) (string, error) {
		whole := first && t.parts[0].expr != nil
		first = false
		if whole {
			return strings.TrimSuffix(v, "/"), nil
		}
		return escapeSegment(v)
	})
	if err != nil || !ok {
		return "", false, false
	}
	if strings.HasPrefix(s, "/") {
		s = at + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false, false
	}
	return s, true, isSafe(u, from)
}

// isSafe reports whether a secret may be sent to an address: by TLS, or to a host that the operator trusts.
func isSafe(u *url.URL, from config.Source) bool {
	return u.Scheme == "https" || slices.Contains(from.AllowPrivate, u.Hostname()) || slices.Contains(from.AllowPrivate, u.Host)
}

// sendsSecrets reports whether every call brings one: in its credentials, or in a header of the manifest.
func (c *manifestConnector) sendsSecrets() bool {
	given, own := map[string]any{"settings": c.settings, "secrets": c.secrets}, ownPart{header: http.Header{}}
	if err := c.auth.apply(&own, given); err != nil || len(own.header) > 0 || own.query != "" {
		return true
	}
	return slices.ContainsFunc(c.headers, func(h namedTemplate) bool {
		_, ok, _ := h.render(given, headerValue)
		return ok && slices.ContainsFunc(h.expressions(nil), func(e *expression) bool { return e.uses([]string{"secrets"}) })
	})
}

// loginNames are what the calls of a session may use.
var loginNames = names("settings", "secrets", "token")

// jsonHeader is what a call that gives tokens sends and takes.
func jsonHeader() http.Header { return http.Header{"Accept": {"application/json"}} }
