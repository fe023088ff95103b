package sources

import (
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti/internal/expr"
	"go.yaml.in/yaml/v3"
)

// SchemeSpec says how a message is known to be from the system. In YAML a text is short for like.
type SchemeSpec struct {
	Like          string   `yaml:"like"`          // A scheme that has a name. What stands beside it replaces what that one says; another header, its prefix too.
	Header        string   `yaml:"header"`        // The header with the signature, or with the secret itself.
	Path          bool     `yaml:"path"`          // The secret itself is the last part of the address that messages are posted to.
	Prefix        string   `yaml:"prefix"`        // What stands before the signature or secret in the header.
	Separator     string   `yaml:"separator"`     // What stands between several signatures in one header. One of them must be right.
	Algorithm     string   `yaml:"algorithm"`     // hmac-… and a hash; hmac: the signature names the hash, as in sha512=…; digest-…: a plain hash with the secret at its end; digest: SHA-1 or SHA-256, told by the length; jws: detached, RS256; secret: no signature, but the secret itself.
	Encoding      string   `yaml:"encoding"`      // How the signature is written. Default: hex.
	Signs         string   `yaml:"signs"`         // What is signed, of ${body}, ${timestamp}, ${id}, ${method}, ${path}, ${headers} and, of digests, ${secret}. Default: the body.
	SignedHeaders string   `yaml:"signedHeaders"` // The header with the names of those that ${headers} is, with commas between; it and the time must be among them.
	Timestamp     TimeSpec `yaml:"timestamp"`     // The time of the message, if it is signed.
	ID            string   `yaml:"id"`            // The header with the id of the delivery, if it is signed.
	SecretAs      string   `yaml:"secretAs"`      // How the secret is written: as it is (default), or base64, with or without whsec_ before it.
	Keys          string   `yaml:"keys"`          // Of jws: the path at which the system publishes its keys (JWKS).
	Quiet         bool     `yaml:"quiet"`         // A message with a wrong signature is answered like one with a right one, and has no effect.
}

// TimeSpec says where the time of a message stands and how old it may be.
type TimeSpec struct {
	Header string `yaml:"header"` // The header with the time.
	As     string `yaml:"as"`     // What it holds: unix seconds (default), milliseconds (ms), or a time as RFC 3339 writes it.
	Window string `yaml:"window"` // How far from now it may be. Default: 5m.
}

// UnmarshalYAML takes the short form too.
func (s *SchemeSpec) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		s.Like = n.Value
		return nil
	}
	type plain SchemeSpec
	return n.Decode((*plain)(s))
}

// schemes are those that have names. All of them are about the raw body.
var schemes = map[string]SchemeSpec{
	// Ours, for systems that have none of their own.
	"hook": {
		Header: "X-Hook-Signature", Prefix: "sha256=", Algorithm: "hmac-sha256", Signs: "${timestamp}.${body}",
		Timestamp: TimeSpec{Header: "X-Hook-Timestamp"},
	},
	// standardwebhooks.com. A delivery that is tried again has another time and the same id.
	"standard": {
		Header: "Webhook-Signature", Prefix: "v1,", Separator: " ", Algorithm: "hmac-sha256", Encoding: "base64", Signs: "${id}.${timestamp}.${body}",
		Timestamp: TimeSpec{Header: "Webhook-Timestamp"}, ID: "Webhook-Id", SecretAs: "base64",
	},
	"cloudinary": {
		Header: "X-Cld-Signature", Algorithm: "digest", Signs: "${body}${timestamp}${secret}",
		Timestamp: TimeSpec{Header: "X-Cld-Timestamp", Window: "2h"},
	},
	"zendesk": {
		Header: "X-Zendesk-Webhook-Signature", Algorithm: "hmac-sha256", Encoding: "base64", Signs: "${timestamp}${body}",
		Timestamp: TimeSpec{Header: "X-Zendesk-Webhook-Signature-Timestamp", As: "time"},
	},
	// Method, path, the headers that the message names, and the body, each on a line of its own.
	"contentful": {
		Header: "X-Contentful-Signature", Algorithm: "hmac-sha256", Signs: "${method}\n${path}\n${headers}\n${body}",
		Timestamp: TimeSpec{Header: "X-Contentful-Timestamp", As: "ms"}, SignedHeaders: "X-Contentful-Signed-Headers",
	},
	"shopify":    {Header: "X-Shopify-Hmac-Sha256", Algorithm: "hmac-sha256", Encoding: "base64"},
	"hub":        {Header: "X-Hub-Signature", Prefix: "sha256=", Algorithm: "hmac-sha256"},     // Mastodon
	"hub_sha1":   {Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: "hmac-sha1"},         // Intercom, Zammad
	"hub_sha256": {Header: "X-Hub-Signature-256", Prefix: "sha256=", Algorithm: "hmac-sha256"}, // Meta, GitHub
	"websub":     {Header: "X-Hub-Signature", Algorithm: "hmac", Quiet: true},                  // W3C WebSub, section 8
	"saleor":     {Header: "Saleor-Signature", Algorithm: "jws", Keys: "/.well-known/jwks.json"},
	"bearer":     {Header: "Authorization", Prefix: "Bearer ", Algorithm: "secret"},
	"path":       {Path: true, Algorithm: "secret"},
}

var (
	hmacs      = []string{"hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac"}
	digests    = []string{"digest-sha1", "digest-sha256", "digest-sha384", "digest-sha512", "digest"}
	algorithms = slices.Concat(hmacs, digests, []string{"jws", "secret"})
)

// timeForms are how the time of a message is written.
var timeForms = []string{"unix", "ms", "time"}

// mostWindow is less than events are remembered for, so that no message counts again.
const mostWindow = 24 * time.Hour

// scheme reads a SchemeSpec and tells what is wrong with it.
func (c *compiler) scheme(at string, s SchemeSpec) scheme {
	if s == (SchemeSpec{}) {
		c.wrong(at, unknown(""), "Write one of "+list(sortedKeys(schemes))+", or how messages are signed.")
		return scheme{}
	}
	if s.Like != "" {
		base, ok := schemes[s.Like]
		if !ok {
			c.wrong(at, unknown(s.Like), strings.TrimSuffix(oneOf(s.Like, sortedKeys(schemes)), ".")+", or how messages are signed.")
			return scheme{}
		}
		s = s.over(base)
	}
	out := scheme{SchemeSpec: s, iso: s.Timestamp.As == "time", window: 5 * time.Minute}
	if !slices.Contains(algorithms, s.Algorithm) {
		c.wrong(at+".algorithm", unknown(s.Algorithm), oneOf(s.Algorithm, algorithms))
		return out
	}
	if (s.Header == "") != s.Path || s.Header != "" && !headerName.MatchString(s.Header) {
		c.wrong(at+".header", "is missing or no name of a header", "Write, for example:  header: X-Signature  (or  path: true,  for a secret in the address).")
	}
	if s.Path && s.Algorithm != "secret" {
		c.wrong(at+".path", "is only for the secret itself", "Write  algorithm: secret.")
	}
	if !slices.Contains([]string{"", "hex", "base64"}, s.Encoding) {
		c.wrong(at+".encoding", unknown(s.Encoding), "Write hex or base64.")
	}
	if !slices.Contains([]string{"", "base64"}, s.SecretAs) {
		c.wrong(at+".secretAs", unknown(s.SecretAs), "Write base64, or leave it out.")
	}
	if jws := s.Algorithm == "jws"; jws && !strings.HasPrefix(s.Keys, "/") || !jws && s.Keys != "" {
		c.wrong(at+".keys", "belongs to jws, and is a path there", "Write, for example:  keys: /.well-known/jwks.json")
	}
	c.signed(at, s, &out)
	return out
}

// signed reads what is signed, with the time and id that are part of it.
func (c *compiler) signed(at string, s SchemeSpec, out *scheme) {
	signs := s.Signs
	if signs == "" {
		signs = "${body}"
	}
	parts, err := expr.ParseTemplate(signs)
	if err != nil {
		c.badExpression(at+".signs", err)
	}
	has := map[string]bool{}
	for i, p := range parts {
		if p.Expr != "" && !slices.Contains([]string{"body", "timestamp", "id", "method", "path", "headers", "secret"}, p.Expr) {
			c.wrong(at+".signs", "holds ${"+p.Expr+"}", "It may hold ${body}, ${timestamp}, ${id}, ${method}, ${path}, ${headers} and ${secret}.")
		}
		if p.Expr == "secret" && (!slices.Contains(digests, s.Algorithm) || i < len(parts)-1) {
			c.wrong(at+".signs", "holds ${secret}, which stands only in digests, and at their end", "Write an hmac algorithm, or put it at the end: whoever knows a digest could write on after it.")
		}
		has[p.Expr] = true
		out.signs = append(out.signs, signedPart{words: p.Words, name: p.Expr})
	}
	plain := s.Algorithm == "secret" || s.Algorithm == "jws"
	switch {
	case plain && (s.Signs != "" || s.Timestamp != (TimeSpec{}) || s.ID != "" || s.SignedHeaders != ""):
		c.wrong(at, "says what is signed, which "+s.Algorithm+" does not leave open", "Remove signs, timestamp and id.")
		return
	case plain:
		return
	case !has["body"]:
		c.wrong(at+".signs", "leaves out ${body}: anybody could change it", "Write, for example:  signs: \"${timestamp}.${body}\"")
	case slices.Contains(digests, s.Algorithm) && !has["secret"]:
		c.wrong(at+".signs", "leaves out ${secret}: anybody could make that digest", "Write, for example:  signs: \"${body}${secret}\"")
	}
	if has["headers"] != (s.SignedHeaders != "") {
		c.wrong(at+".signedHeaders", "and ${headers} in signs belong together", "Write both, or neither.")
	}
	if timed := s.Timestamp.Header != ""; timed && !has["timestamp"] && !has["headers"] || !timed && has["timestamp"] {
		c.wrong(at+".timestamp", "and ${timestamp} in signs belong together: a time that is not signed proves nothing", "Write timestamp.header and ${timestamp}, or neither.")
	}
	if has["id"] != (s.ID != "") {
		c.wrong(at+".id", "and ${id} in signs belong together: an id that is not signed could be changed, and the message would count again", "Write both, or neither.")
	}
	if !slices.Contains(append([]string{""}, timeForms...), s.Timestamp.As) {
		c.wrong(at+".timestamp.as", unknown(s.Timestamp.As), "Write unix, ms or time.")
	}
	if s.Timestamp.Window != "" {
		if out.window, err = time.ParseDuration(s.Timestamp.Window); err != nil || out.window <= 0 || out.window > mostWindow {
			c.wrong(at+".timestamp.window", "is no duration of at most 24h", "Write, for example:  window: 5m")
		}
	}
}

// over gives what a scheme says where this one says nothing.
func (s SchemeSpec) over(base SchemeSpec) SchemeSpec {
	replace := func(to *string, by string) {
		if by != "" {
			*to = by
		}
	}
	if s.Header != "" {
		base.Header, base.Prefix = s.Header, ""
	}
	replace(&base.Prefix, s.Prefix)
	replace(&base.Separator, s.Separator)
	replace(&base.Algorithm, s.Algorithm)
	replace(&base.Encoding, s.Encoding)
	replace(&base.Signs, s.Signs)
	replace(&base.Timestamp.Header, s.Timestamp.Header)
	replace(&base.Timestamp.As, s.Timestamp.As)
	replace(&base.Timestamp.Window, s.Timestamp.Window)
	replace(&base.ID, s.ID)
	replace(&base.SignedHeaders, s.SignedHeaders)
	replace(&base.SecretAs, s.SecretAs)
	replace(&base.Keys, s.Keys)
	if s.Path {
		base.Path, base.Header = true, s.Header
	}
	base.Quiet = base.Quiet || s.Quiet
	return base
}
