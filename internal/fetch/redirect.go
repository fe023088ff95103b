package fetch

import (
	"net/http"
	"net/url"
	"slices"
)

const maxRedirects = 5

// redirects decides about each further hop. limited and the dialer look at its address besides.
type redirects struct{ allow allowed }

// kept are the headers that go to another host. Everything else may be a credential: vendors
// name theirs as they like.
var kept = []string{"Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "User-Agent", "Range"}

func (r redirects) check(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer") // net/http puts the previous address there, query and all
	switch {
	case len(via) > maxRedirects:
		return refused("more than 5 redirects")
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return refused("a redirect from https to a scheme that is not")
	}
	if r.private(req) && slices.ContainsFunc(via, func(hop *http.Request) bool { return !r.private(hop) }) {
		return refused("a redirect from a public host to one that may be private")
	}
	if stayed(req, via) {
		return nil
	}
	if req.Body != nil && req.Body != http.NoBody {
		return refused("a redirect that would send the body to another host")
	}
	strip(req)
	return nil
}

// private says whether the host of a hop may be private.
func (r redirects) private(hop *http.Request) bool {
	return r.allow.has(hop.URL.Hostname(), portOf(hop.URL))
}

// stayed says whether no hop so far left the host that the caller named.
func stayed(req *http.Request, via []*http.Request) bool {
	for _, v := range via[1:] {
		if !sameHost(via[0].URL, v.URL) {
			return false
		}
	}
	return sameHost(via[0].URL, req.URL)
}

// sameHost takes http on its own port and https on its own port as one host.
func sameHost(a, b *url.URL) bool {
	if hostKey(a.Hostname(), "") != hostKey(b.Hostname(), "") {
		return false
	}
	pa, pb := portOf(a), portOf(b)
	return pa == pb || pa == "80" && pb == "443"
}

func redirected(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow goes on from an answer that may be a redirect, by net/http's rules and ours. The call that
// gave it is not made again.
func (c *Client) follow(req *http.Request, first *http.Response, limit int64) (*http.Response, error) {
	client := *c.http
	client.Transport = &replayed{first: first, next: c.limited(limit)}
	return client.Do(req)
}

// replayed gives an answer that has come already, and then goes on.
type replayed struct {
	first *http.Response
	next  *limited
}

func (r *replayed) RoundTrip(req *http.Request) (*http.Response, error) {
	res := r.first
	if r.first = nil; res == nil {
		return r.next.RoundTrip(req)
	}
	if !bodyless(req.Method, res.StatusCode) {
		if err := r.next.wrap(res); err != nil {
			res.Body.Close()
			return nil, err
		}
	}
	return res, nil
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func strip(req *http.Request) {
	safe := http.Header{}
	for _, name := range kept {
		if v, ok := req.Header[name]; ok {
			safe[name] = v
		}
	}
	req.Header = safe
}
