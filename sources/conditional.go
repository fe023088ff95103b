package sources

import (
	"net/http"
	"strings"
)

// A validator is what an answer said about its version: ETag, Last-Modified, or both with a line break
// between them, as the call says in conditional.

// mostValidator is the most of one: it is kept, and sent back.
const mostValidator = 2 << 10

// validator gives that of an answer; "" when it has none, or a longer one.
func (k *call) validator(h http.Header) string {
	tag, time := "", ""
	if k.byTag {
		tag = h.Get("ETag")
	}
	if k.byTime {
		time = h.Get("Last-Modified")
	}
	switch {
	case len(tag)+len(time) > mostValidator:
		return ""
	case time == "":
		return tag
	}
	return tag + "\n" + time
}

// ask gives a header with which only a newer version is asked for.
func (k *call) ask(h http.Header, validator string) http.Header {
	tag, time, _ := strings.Cut(validator, "\n")
	h = h.Clone()
	if k.byTag && tag != "" {
		h.Set("If-None-Match", tag)
	}
	if k.byTime && time != "" {
		h.Set("If-Modified-Since", time)
	}
	return h
}
