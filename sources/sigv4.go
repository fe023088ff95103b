package sources

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// signing is how requests are signed after AWS Signature Version 4, as "Create a signed AWS API request" of
// the IAM User Guide and "Authenticating Requests: Using the Authorization Header" of the S3 API Reference say.
type signing struct {
	region, service, keyID, secret, session *template
}

func (c *compiler) signing(a *AuthSpec) *signing {
	s := &signing{keyID: c.needed("keyId", a.KeyID), secret: c.needed("secret", a.Secret), session: c.template("auth.sessionToken", a.SessionToken, configNames)}
	if a.Region == "" {
		c.wrong("auth.region", "is missing", "Write, for example:  region: ${settings.region}")
	}
	if a.Service == "" {
		c.wrong("auth.service", "is missing", "Write, for example:  service: s3")
	}
	s.region, s.service = c.template("auth.region", a.Region, configNames), c.template("auth.service", a.Service, configNames)
	return s
}

// open makes the signer of one source.
func (s *signing) open(c *manifestConnector, given map[string]any, place func(path, what, hint string) error) (proof, error) {
	keys, ok, err := rendered(given, s.keyID, s.secret)
	if err != nil || !ok {
		return nil, err
	}
	where, ok, err := rendered(given, s.region, s.service)
	if err != nil || !ok {
		return nil, place("settings", "give no region or service to sign for", "Look at auth of the connector "+c.manifest.Name+".")
	}
	out := &signer{region: where[0], service: where[1], keyID: keys[0], secret: keys[1], once: where[1] == "s3", now: c.now}
	out.session, _, err = s.session.render(given, headerValue)
	return out, err
}

// signer signs the requests of one source.
type signer struct {
	region, service, keyID, secret, session string

	once bool // the path is encoded once, as S3 wants it; elsewhere what is sent is encoded again
	now  func() time.Time
}

func (s *signer) do(ctx context.Context, client *fetch.Client, r fetch.Request) (*fetch.Response, error) {
	signed, err := s.sign(r)
	if err != nil {
		return nil, err
	}
	return client.Do(ctx, signed)
}

const (
	sigv4Algorithm = "AWS4-HMAC-SHA256"
	sigv4Time      = "20060102T150405Z"
)

// sign gives a copy of a request with its signature. Path and query are rewritten to their canonical form, so
// that what is signed is what is sent, whatever a server makes of it. The payload is always signed.
func (s *signer) sign(r fetch.Request) (fetch.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return r, tutti.Errorf(tutti.InvalidValue, "signing a request: its address cannot be read")
	}
	path, query := canonicalPath(u.EscapedPath()), canonicalQuery(u.RawQuery)
	r.URL = u.Scheme + "://" + u.Host + path
	if query != "" {
		r.URL += "?" + query
	}
	if r.Header = r.Header.Clone(); r.Header == nil {
		r.Header = http.Header{}
	}
	at := s.now().UTC()
	payload := hexSHA256(r.Body)
	r.Header.Set("X-Amz-Date", at.Format(sigv4Time))
	if s.session != "" {
		r.Header.Set("X-Amz-Security-Token", s.session)
	}
	if s.service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	if !s.once {
		path = string(appendStrictly(nil, path, '/'))
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	signed, names := canonicalHeaders(u.Host, r.Header)
	request := method + "\n" + path + "\n" + query + "\n" + signed + "\n" + names + "\n" + payload
	r.Header.Set("Authorization", s.authorization(request, names, at))
	return r, nil
}

// authorization makes the header of a canonical request.
func (s *signer) authorization(request, names string, at time.Time) string {
	day := at.Format("20060102")
	scope := day + "/" + s.region + "/" + s.service + "/aws4_request"
	text := sigv4Algorithm + "\n" + at.Format(sigv4Time) + "\n" + scope + "\n" + hexSHA256([]byte(request))
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{day, s.region, s.service, "aws4_request", text} {
		key = hmacSHA256(key, part)
	}
	return sigv4Algorithm + " Credential=" + s.keyID + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(key)
}

// canonicalPath encodes everything but unreserved signs, segment by segment: an encoded slash in one stays encoded.
func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		segments[i] = string(appendStrictly(nil, s, 0))
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts the members by name and value and encodes everything but unreserved signs.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	type member struct{ name, value string }
	var all []member
	for _, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		all = append(all, member{strictly(name), strictly(value)})
	}
	slices.SortFunc(all, func(a, b member) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, m := range all {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(m.name + "=" + m.value)
	}
	return b.String()
}

// strictly encodes a part of a query, however it was encoded, as RFC 3986 does.
func strictly(part string) string {
	if plain, err := url.QueryUnescape(part); err == nil {
		part = plain
	}
	return string(appendStrictly(nil, part, 0))
}

// appendStrictly encodes all but the unreserved signs of RFC 3986 and one more.
func appendStrictly(b []byte, s string, besides byte) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' || besides != 0 && c == besides {
			b = append(b, c)
		} else {
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return b
}

// canonicalHeaders gives those that are signed, and their names: host, content-type and all of x-amz. Others may
// be changed on the way.
func canonicalHeaders(host string, h http.Header) (lines, names string) {
	all := map[string]string{"host": host}
	for name, values := range h {
		lower := strings.ToLower(name)
		if lower != "content-type" && !strings.HasPrefix(lower, "x-amz-") {
			continue
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		all[lower] = strings.Join(trimmed, ",")
	}
	sorted := sortedKeys(all)
	for _, name := range sorted {
		lines += name + ":" + all[name] + "\n"
	}
	return lines, strings.Join(sorted, ";")
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
