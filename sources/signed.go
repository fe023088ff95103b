package sources

import (
	"net/http"
	"slices"
	"strings"
)

// A signature may be about more than the body: about method and path, and about headers that the message itself names.

// mostSigned is how many headers a message may name.
const mostSigned = 50

// request notes what is signed of a request besides its body. Unauthenticated for one that does not name what counts.
func (s *scheme) request(r *http.Request, m *message) error {
	m.method, m.path = r.Method, r.URL.EscapedPath()
	if s.SignedHeaders == "" {
		return nil
	}
	if r.URL.RawQuery != "" { // systems write it each in another way
		return forged("its address has a query")
	}
	list, err := one(r.Header, s.SignedHeaders)
	if err != nil {
		return err
	}
	names := strings.Split(strings.ToLower(list), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > mostSigned {
		return forged("it names too many headers")
	}
	for _, must := range []string{s.SignedHeaders, s.Timestamp.Header} {
		if must != "" && !slices.Contains(names, strings.ToLower(must)) {
			return forged("its signature is not about " + must)
		}
	}
	for i, name := range names {
		value, err := r.Host, error(nil)
		if name != "host" {
			value, err = one(r.Header, name)
		}
		if err != nil {
			return err
		}
		names[i] = name + ":" + strings.TrimSpace(value)
	}
	m.headers = strings.Join(names, ";")
	return nil
}

// name writes the names of the signed headers into a request that is about to be signed.
func (s *scheme) name(h http.Header) {
	if s.SignedHeaders == "" {
		return
	}
	names := []string{strings.ToLower(s.SignedHeaders)}
	if s.Timestamp.Header != "" {
		names = append(names, strings.ToLower(s.Timestamp.Header))
	}
	slices.Sort(names)
	h.Set(s.SignedHeaders, strings.Join(names, ","))
}
