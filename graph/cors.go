package graph

import (
	"net/http"
	"net/url"
	"strings"
)

const (
	allowedMethods = "GET, HEAD, POST, OPTIONS"
	allowedHeaders = "Accept, Authorization, Content-Type, If-None-Match, Tutti-Visitor, X-Request-Id"
	exposedHeaders = "Age, Cache-Status, ETag, X-Request-Id"
)

// foreignOrigin gives the Origin of a request that a browser sent for a page of another site;
// "" when there is none or it is our own: the host that was asked, or that of the base URL.
func foreignOrigin(r *http.Request, g *Generation) string {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return ""
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && (strings.EqualFold(u.Host, r.Host) || strings.EqualFold(u.Host, g.host)) {
		return ""
	}
	return origin
}

// allowCORS tells the browser that pages of an origin may read the answer, when a valid key
// lists that origin. It reports whether one does. Whether it is the key of this very request is
// checked when that is known.
func (s *Server) allowCORS(w http.ResponseWriter, r *http.Request, origin string) bool {
	if origin == "" {
		return true
	}
	if !s.keys.allows(r.Context(), origin) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
	return true
}

// preflight answers OPTIONS. It never needs a key: browsers send none with it.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request, allowed bool) {
	h := w.Header()
	h.Set("Allow", allowedMethods)
	if r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" && allowed {
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", allowedMethods)
		h.Set("Access-Control-Allow-Headers", allowedHeaders)
		h.Set("Access-Control-Max-Age", "300")
	}
	w.WriteHeader(http.StatusNoContent)
}
