package sources

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/fetch"
)

// sessionWay is how a session is begun, renewed and known to have ended.
type sessionWay struct {
	login, refresh *login
	statuses       []int
	when           *expression
}

// login is a compiled LoginSpec.
type login struct {
	path            *template
	headers         []namedTemplate
	body            any // nil, or what node makes of it
	access, renewal []string
}

func (c *compiler) session(a *AuthSpec) *sessionWay {
	out := &sessionWay{statuses: []int{http.StatusUnauthorized}}
	if a.Login == nil {
		c.wrong("auth.login", "is missing", "Write the call that begins a session, for example:  login: {path: /session, body: {user: \"${secrets.user}\", password: \"${secrets.password}\"}, access: token}")
		return out
	}
	out.login = c.login("auth.login", a.Login, configNames)
	if a.Login.Access == "" {
		c.wrong("auth.login.access", "is missing", "Write where the token is in the answer, for example:  access: accessJwt")
	}
	if a.Refresh != nil {
		out.refresh = c.login("auth.refresh", a.Refresh, loginNames)
		if a.Login.Refresh == "" {
			c.wrong("auth.login.refresh", "is missing beside auth.refresh", "Write where the refresh token is in the answer of the login, for example:  refresh: refreshJwt")
		}
		if a.Refresh.Access == "" {
			out.refresh.access = out.login.access
		}
		if a.Refresh.Refresh == "" {
			out.refresh.renewal = out.login.renewal
		}
	}
	if e := a.Expired; e != nil {
		out.when = c.optional("auth.expired.when", e.When, answerNames)
		if out.statuses = e.Statuses; len(e.Statuses) == 0 && e.When == "" {
			c.wrong("auth.expired", "says nothing", "Write, for example:  expired: {statuses: [401]}")
		}
	}
	return out
}

func (c *compiler) login(at string, s *LoginSpec, in func() (*expr.Dynamic, error)) *login {
	out := &login{path: c.template(at+".path", s.Path, settingNames), access: c.path(at+".access", s.Access), renewal: c.path(at+".refresh", s.Refresh)}
	if !strings.HasPrefix(s.Path, "/") {
		c.wrong(at+".path", "is missing or does not start with '/'", "Write a path of the system, for example:  path: /session")
	}
	for _, name := range sortedKeys(s.Headers) {
		if !headerName.MatchString(name) {
			c.wrong(at+".headers."+name, "is no name of a header", "")
		}
		out.headers = append(out.headers, namedTemplate{http.CanonicalHeaderKey(name), c.template(at+".headers."+name, s.Headers[name], in)})
	}
	if s.Body != nil {
		out.body = c.node(at+".body", s.Body, in)
	}
	return out
}

// open makes the keeper of one source's session.
func (w *sessionWay) open(c *manifestConnector, from config.Source, given map[string]any, place func(path, what, hint string) error) (proof, error) {
	_, ok, err := w.login.request(c.at, given)
	if err != nil || !ok {
		return nil, err
	}
	if _, _, safe := tokenAddress(w.login.path, c.at, given, from); !safe {
		return nil, place("url", "leads to a login without TLS", "Write https, or list the host under allowPrivate.")
	}
	k := newKeeper(c.now, c.limit, nil)
	k.expired = w.expired
	k.issue = func(ctx context.Context, old *accessToken) (*accessToken, error) {
		if old != nil && old.refresh != "" && w.refresh != nil {
			t, err := w.begin(ctx, k, c, "renewing the session", w.refresh, map[string]any{"settings": c.settings, "secrets": c.secrets, "token": old.refresh})
			var why *noToken
			if err == nil || !errors.As(err, &why) || !why.refused {
				return t, err
			}
		}
		return w.begin(ctx, k, c, "beginning a session", w.login, given)
	}
	return k, nil
}

// begin makes one of the two calls and reads the tokens of its answer.
func (w *sessionWay) begin(ctx context.Context, k *keeper, c *manifestConnector, what string, l *login, vars map[string]any) (*accessToken, error) {
	r, ok, err := l.request(c.at, vars)
	if err != nil || !ok {
		return nil, tutti.Errorf(tutti.Unavailable, "%s: the call cannot be written", what)
	}
	said, err := k.ask(ctx, c.client, what, r)
	if err != nil {
		return nil, err
	}
	t := &accessToken{value: textAt(said, l.access), refresh: textAt(said, l.renewal)}
	if !usable(t.value) || t.refresh != "" && !usable(t.refresh) {
		return nil, tutti.Errorf(tutti.BadAnswer, "%s: the answer holds no token at %s", what, shownPath(l.access))
	}
	if end := jwtEnd(t.value); !end.IsZero() {
		t.lasting(k.now(), end.Sub(k.now()))
	}
	return t, nil
}

func textAt(said map[string]any, path []string) string {
	if len(path) == 0 {
		return ""
	}
	v, _ := walk(said, path)
	s, _ := v.(string)
	return s
}

// request writes the call; false when a secret for it is not set.
func (l *login) request(at string, vars map[string]any) (r fetch.Request, ok bool, err error) {
	path, ok, err := l.path.render(vars, escapeSegment)
	if err != nil || !ok {
		return r, ok, err
	}
	r = fetch.Request{Method: http.MethodPost, URL: at + path, Header: jsonHeader()}
	for _, h := range l.headers {
		v, ok, err := h.render(vars, headerValue)
		if err != nil {
			return r, false, err
		}
		if ok {
			r.Header.Set(h.name, v)
		}
	}
	if l.body == nil {
		return r, true, nil
	}
	if !complete(l.body, vars) {
		return r, false, nil
	}
	body, ok, err := fillNode(l.body, vars)
	if err != nil || !ok {
		return r, false, err
	}
	if r.Body, err = json.Marshal(body); err != nil {
		return r, false, tutti.Errorf(tutti.InvalidValue, "writing a login: a value has no JSON form")
	}
	r.Header.Set("Content-Type", "application/json")
	return r, true, nil
}

// complete reports whether every value of a JSON tree is there.
func complete(n any, vars map[string]any) bool {
	switch n := n.(type) {
	case *template:
		_, ok, err := n.render(vars, nil)
		return ok && err == nil
	case map[string]any:
		for _, v := range n {
			if !complete(v, vars) {
				return false
			}
		}
	case []any:
		return !slices.ContainsFunc(n, func(v any) bool { return !complete(v, vars) })
	}
	return true
}

// expired reads whether an answer says that the token is no longer good.
func (w *sessionWay) expired(res *fetch.Response) bool {
	if slices.Contains(w.statuses, res.Status) {
		return true
	}
	if w.when == nil || res.Status/100 != 4 {
		return false
	}
	said, err := decodeObject(jsonOrNothing(res.Body))
	return err == nil && w.when.truth(map[string]any{"answer": said})
}
