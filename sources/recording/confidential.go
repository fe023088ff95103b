package recording

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti/internal/fetch"
)

// madeUp stands for every text in an answer that gives credentials, so that the recording can be played.
const madeUp = "made-up"

// veiled gives what of an exchange that gives or takes credentials may be noted: the names of its members, and of the
// answer what is not text, such as how long a token is good.
func veiled(req *http.Request, body, got []byte) (sent, answered []byte) {
	if !fetch.IsConfidential(req.Context()) {
		return body, got
	}
	return veil(body, anything, "token_type"), veil(got, madeUp, "token_type")
}

// harmless are members that are no credentials, and that somebody wants to see who looks for why there is no token (RFC 6749).
var harmless = []string{"token_type", "grant_type", "scope", "audience", "resource", "error", "error_description", "error_uri"}

// Shown gives what of an exchange a person may see: bodies without secrets, and of one that gives or takes credentials the
// names of its members and what is harmless. Its form is written as it is read, not as it is sent.
func (r *Recorder) Shown(req *http.Request, body, got []byte) (sent, answered []byte) {
	r.learn(req)
	if fetch.IsConfidential(req.Context()) {
		body, got = veil(body, anything, harmless...), veil(got, anything, harmless...)
		if form, err := url.QueryUnescape(string(body)); err == nil {
			body = []byte(form)
		}
	}
	return []byte(r.Clean(string(body))), []byte(r.Clean(string(got)))
}

// veil puts a word in place of every text in JSON or in a form, but for members of some names.
func veil(b []byte, word string, but ...string) []byte {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) == nil {
		out, _ := json.Marshal(replaced(v, word, but)) // it came from JSON
		return out
	}
	if form, err := url.ParseQuery(string(b)); err == nil && strings.Contains(string(b), "=") {
		for name, values := range form {
			for i := range values {
				if !slices.Contains(but, name) {
					form[name][i] = word
				}
			}
		}
		return []byte(form.Encode())
	}
	return nil
}

func replaced(v any, word string, but []string) any {
	switch v := v.(type) {
	case string:
		return word
	case map[string]any:
		for name := range v {
			if !slices.Contains(but, name) {
				v[name] = replaced(v[name], word, but)
			}
		}
	case []any:
		for i := range v {
			v[i] = replaced(v[i], word, but)
		}
	}
	return v
}
