package graph

import (
	"net/http"
	"strings"

	"github.com/tuttihq/tutti"
)

// VisitorHeader carries the token that proves a visitor.
const VisitorHeader = "Tutti-Visitor"

var unauthenticated = &tutti.Error{Code: tutti.Unauthenticated, Message: "a valid key is needed.", Hint: "Send the header Authorization: Bearer KEY. Is the key one of this server, neither revoked nor expired? The keys of a demo are new at each start."}

// authenticate finds out who asks. A wrong, expired, revoked or missing key is one and the same
// error.
func (s *Server) authenticate(r *http.Request, g *Generation, origin string) (Viewer, *refused) {
	lines := r.Header["Authorization"]
	if len(lines) != 1 {
		return Viewer{}, &refused{http.StatusUnauthorized, unauthenticated}
	}
	scheme, plain, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Viewer{}, &refused{http.StatusUnauthorized, unauthenticated}
	}
	key, ok, err := s.keys.find(r.Context(), strings.TrimSpace(plain))
	if err != nil {
		return Viewer{}, &refused{http.StatusServiceUnavailable, err}
	}
	if !ok {
		return Viewer{}, &refused{http.StatusUnauthorized, unauthenticated}
	}
	v := Viewer{Class: key.Class, KeyID: key.ID, KeyName: key.Name, Origins: key.Origins}
	if origin != "" && !listsOrigin(key.Origins, origin) {
		hint := "An operator makes a key for it: tutti keys create NAME --class browser --origin https://www.example.com"
		if key.Class != tutti.BrowserKey {
			hint = "Use a browser key in pages: a " + string(key.Class) + " key must stay secret."
		}
		return v, refuse(http.StatusForbidden, tutti.Forbidden, "this key is not for pages of this origin.", hint)
	}
	return s.visitor(r, g, v)
}

// visitor adds what a visitor token proves.
func (s *Server) visitor(r *http.Request, g *Generation, v Viewer) (Viewer, *refused) {
	tokens := r.Header.Values(VisitorHeader)
	if len(tokens) == 0 {
		return v, nil
	}
	if v.Class == tutti.PreviewKey {
		return v, refuse(http.StatusForbidden, tutti.Forbidden, "a preview key takes a visitor only from a stored persona.", `Leave out the header Tutti-Visitor and name a persona: preview: {persona: "…"}.`)
	}
	bad := &tutti.Error{Code: tutti.Unauthenticated, Field: VisitorHeader, Message: "the visitor token is not valid.", Hint: "Ask the visitor to sign in again."}
	if g.visitors == nil {
		bad.Message, bad.Hint = "visitor tokens are not set up here.", "Leave out the header Tutti-Visitor."
		return v, &refused{http.StatusUnauthorized, bad}
	}
	visitor, claims, err := g.visitors.Verify(r.Context(), strings.TrimPrefix(tokens[0], "Bearer "))
	if err != nil || len(tokens) > 1 {
		bad.Cause = err
		return v, &refused{http.StatusUnauthorized, bad}
	}
	v.Visitor, v.Claims = visitor, claims
	return v, nil
}
