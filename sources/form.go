package sources

import (
	"net/http"
	"strings"

	"github.com/tuttihq/tutti/internal/fetch"
)

const formType = "application/x-www-form-urlencoded"

// form compiles a form-encoded body.
func (c *compiler) form(at string, s *CallSpec, out *call, in namesOf) {
	if len(s.Form) == 0 {
		if c.m.Auth != nil && c.m.Auth.Type == "form" && !strings.HasPrefix(at, "auth.") {
			c.wrong(at+".form", "is missing: the credentials stand in it", "Write  form:  with what the call asks, or another type under auth.")
		}
		return
	}
	if s.Body != nil || s.GraphQL != nil {
		c.wrong(at+".form", "stands beside body or graphql", "Write one of them.")
	}
	out.form = c.parameters(at+".form", s.Form, in)
	if s.Method == "" {
		out.method = http.MethodPost
	} else if out.method == http.MethodGet || out.method == http.MethodHead {
		c.wrong(at+".method", "has no body", "Write  method: POST")
	}
}

// writeForm puts the form into the body of a request, after the credentials that stand in one.
func (k *call) writeForm(r *fetch.Request, own string, vars map[string]any) error {
	u := queries.Get().(*query)
	defer queries.Put(u)
	u.b, u.sep = u.b[:0], '&'
	if own != "" {
		u.b = append(append(u.b, '&'), own...)
	}
	if err := u.parameters(k.form, nil, vars); err != nil {
		return err
	}
	if len(u.b) > 0 {
		r.Body = append([]byte(nil), u.b[1:]...) // without the first separator
	}
	return nil
}
