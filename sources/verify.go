package sources

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// scheme is a SchemeSpec ready to verify with.
type scheme struct {
	SchemeSpec
	signs  []signedPart
	iso    bool // the time is RFC 3339; else unix seconds
	window time.Duration
}

// signedPart is a piece of what is signed: words as they are, or what has that name.
type signedPart struct{ words, name string }

// hashes by the names that signatures and algorithms call them.
var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

const (
	mostSignature  = 4 << 10 // bytes of its header
	mostSignatures = 8       // in one header
	leastSecret    = 16      // bytes of a secret that is itself sent
)

// verifier is what the messages of one source are verified with.
type verifier struct {
	scheme  scheme
	secrets [][]byte // any of them: a system may be changing from one to the next
	keys    *keys    // of jws
	now     func() time.Time
}

// listens reports whether there is anything to verify with.
func (v *verifier) listens() bool { return v != nil && (v.keys != nil || len(v.secrets) > 0) }

func forged(why string) error {
	return tutti.Errorf(tutti.Unauthenticated, "verifying a webhook: %s", why)
}

// verify checks a message over its raw body, in constant time. It gives what makes the message
// this one and no other: a digest of the delivery's id, or else of everything, that is signed; of the
// body when nothing is, because the message brings the secret itself. Codes: Unauthenticated, and
// Unavailable when the system's keys cannot be fetched.
func (v *verifier) verify(r *http.Request, body []byte) (id string, err error) {
	s := &v.scheme
	if !v.listens() {
		return "", forged("there is no secret to verify it with")
	}
	given, err := s.given(r)
	if err != nil {
		return "", err
	}
	m := message{body: body}
	if m.timestamp, err = s.time(r.Header, v.now()); err != nil {
		return "", err
	}
	if s.ID != "" {
		if m.id, err = one(r.Header, s.ID); err != nil {
			return "", err
		}
	}
	if err := s.request(r, &m); err != nil {
		return "", err
	}
	switch s.Algorithm {
	case "secret":
		err = v.isSecret(given)
	case "jws":
		err = v.signedByKey(r.Context(), given, body)
	default:
		err = v.signed(s.Algorithm, given, &m)
	}
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	if s.ID != "" { // the same delivery may come again at another time
		digest.Write([]byte(key("id", m.id)))
	} else {
		digest.Write([]byte(key(m.timestamp, string(body))))
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// given is the text of the signature, or of the secret, without what stands before it.
func (s *scheme) given(r *http.Request) (string, error) {
	if s.Path {
		return r.PathValue("secret"), nil
	}
	return one(r.Header, s.Header)
}

// one gives the value of a header that must be there exactly once.
func one(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" || len(values[0]) > mostSignature {
		return "", forged("it has not exactly one " + name)
	}
	return values[0], nil
}

// time gives the signed time as it is written; "" when none is signed.
func (s *scheme) time(h http.Header, now time.Time) (string, error) {
	if s.Timestamp.Header == "" {
		return "", nil
	}
	ts, err := one(h, s.Timestamp.Header)
	if err != nil {
		return "", err
	}
	at, ok := s.instant(ts)
	if !ok {
		return "", forged("its time has another form")
	}
	if d := now.Sub(at); d > s.window || d < -s.window {
		return "", forged("its time is too far from now")
	}
	return ts, nil
}

func (s *scheme) instant(ts string) (time.Time, bool) {
	if s.iso {
		t, err := time.Parse(time.RFC3339, ts)
		return t, err == nil
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	if s.Timestamp.As == "ms" {
		n /= 1000
	}
	return time.Unix(n, 0), err == nil && n > 0 && n < 1<<40 && ts[0] != '+'
}

// message are the parts of a message that may be signed.
type message struct {
	timestamp, id         string
	method, path, headers string
	body                  []byte
}

// signed checks a hash over what is signed.
func (v *verifier) signed(algorithm, given string, m *message) error {
	s := &v.scheme
	all := []string{given}
	if s.Separator != "" {
		if all = strings.Split(given, s.Separator); len(all) > mostSignatures {
			return forged("it has too many signatures")
		}
	}
	formed := false
	for _, text := range all {
		text, ok := strings.CutPrefix(text, s.Prefix)
		if !ok {
			continue // of another version
		}
		sum, name, ok := s.read(algorithm, text)
		if !ok {
			continue
		}
		formed = true
		for _, secret := range v.secrets {
			if hmac.Equal(s.sum(algorithm, hashes[name], secret, m), sum) {
				return nil
			}
		}
	}
	if !formed {
		return forged("its signature has another form")
	}
	return forged("its signature is wrong")
}

// read gives the bytes of a signature and the name of its hash.
func (s *scheme) read(algorithm, text string) (sum []byte, hash string, ok bool) {
	_, hash, _ = strings.Cut(algorithm, "-")
	if algorithm == "hmac" { // it says so itself
		if hash, text, ok = strings.Cut(text, "="); !ok || hashes[hash] == nil {
			return nil, "", false
		}
	}
	var err error
	if s.Encoding == "base64" {
		sum, err = base64.StdEncoding.Strict().DecodeString(text)
	} else {
		sum, err = hex.DecodeString(text)
	}
	if algorithm == "digest" {
		if hash = "sha1"; len(sum) == sha256.Size {
			hash = "sha256"
		}
	}
	return sum, hash, err == nil && len(sum) == hashes[hash]().Size() && !strings.ContainsAny(text, "\r\n")
}

// sum is the signature as it should be.
func (s *scheme) sum(algorithm string, hash func() hash.Hash, secret []byte, m *message) []byte {
	h := hash
	to := h()
	if slices.Contains(hmacs, algorithm) {
		to = hmac.New(h, secret)
	}
	for _, p := range s.signs {
		switch p.name {
		case "":
			to.Write([]byte(p.words))
		case "body":
			to.Write(m.body)
		case "timestamp":
			to.Write([]byte(m.timestamp))
		case "id":
			to.Write([]byte(m.id))
		case "method":
			to.Write([]byte(m.method))
		case "path":
			to.Write([]byte(m.path))
		case "headers":
			to.Write([]byte(m.headers))
		case "secret":
			to.Write(secret)
		}
	}
	return to.Sum(nil)
}

// isSecret compares what is given with the secrets. It takes as long for each, however long.
func (v *verifier) isSecret(given string) error {
	text, ok := strings.CutPrefix(given, v.scheme.Prefix)
	if !ok || text == "" {
		return forged("its secret has another form")
	}
	have, right := sha256.Sum256([]byte(text)), 0
	for _, secret := range v.secrets {
		want := sha256.Sum256(secret)
		right |= subtle.ConstantTimeCompare(have[:], want[:])
	}
	if right != 1 {
		return forged("its secret is wrong")
	}
	return nil
}

// signedByKey checks a detached JWS. A system that knows no keys yet signs with the secret, if one is set.
func (v *verifier) signedByKey(ctx context.Context, given string, body []byte) error {
	text, ok := strings.CutPrefix(given, v.scheme.Prefix)
	if !ok {
		return forged("its signature has another form")
	}
	if len(v.secrets) > 0 && !strings.Contains(text, ".") {
		return v.signed("hmac-sha256", given, &message{body: body})
	}
	return v.keys.verify(ctx, text, body)
}

// secretBytes reads a secret as the scheme writes it; false when it has another form, or is too short to be
// sent itself.
func (s *scheme) secretBytes(secret tutti.Secret) ([]byte, bool) {
	text := secret.Reveal()
	if s.SecretAs == "base64" {
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
		return b, err == nil && len(b) > 0
	}
	return []byte(text), s.Algorithm != "secret" || len(text) >= leastSecret
}
