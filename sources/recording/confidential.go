package recording

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
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
	return veil(body, anything), veil(got, madeUp)
}

func veil(b []byte, word string) []byte {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) == nil {
		out, _ := json.Marshal(replaced(v, word)) // it came from JSON
		return out
	}
	if form, err := url.ParseQuery(string(b)); err == nil && strings.Contains(string(b), "=") {
		for name, values := range form {
			for i := range values {
				form[name][i] = word
			}
		}
		return []byte(form.Encode())
	}
	return nil
}

func replaced(v any, word string) any {
	switch v := v.(type) {
	case string:
		return word
	case map[string]any:
		for name := range v {
			if name != "token_type" { // it is no secret what a token is
				v[name] = replaced(v[name], word)
			}
		}
	case []any:
		for i := range v {
			v[i] = replaced(v[i], word)
		}
	}
	return v
}
