// Package studio holds what editors see, as static files, and the Go file that embeds them. It
// is a client of the GraphQL API like any other: it knows no other room and keeps no state.
package studio

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed preview
var files embed.FS

// policy lets the page load its own files, speak to its own server, and show pictures from
// wherever the origin systems deliver them. Nothing else runs, not even from sanitised HTML.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https: data:; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Preview serves the preview page under prefix, such as /preview/. It needs no key itself: the
// page asks for the preview key and sends it to the API.
func Preview(prefix string) http.Handler {
	sub, err := fs.Sub(files, "preview")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	serve := http.StripPrefix(prefix, http.FileServerFS(sub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		serve.ServeHTTP(w, r)
	})
}
