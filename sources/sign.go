package sources

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// SignHook signs a message as the system would, with a secret that whoever plays it has made up: it
// adds headers to the request with which it is posted. NotFound for a manifest without webhooks and for a scheme that only its system can sign.
func (m *Manifest) SignHook(r *http.Request, body []byte, secret tutti.Secret, now time.Time) error {
	if m.Webhook == nil {
		return tutti.Errorf(tutti.NotFound, "signing a message: the connector takes no webhooks")
	}
	s, h := &m.compiled.webhook.scheme, r.Header
	key, ok := s.secretBytes(secret)
	if !ok || s.Path {
		return tutti.Errorf(tutti.NotFound, "signing a message: a header with that secret says nothing to this scheme")
	}
	msg := message{body: body}
	if s.Timestamp.Header != "" {
		switch s.Timestamp.As {
		case "time":
			msg.timestamp = now.UTC().Format(time.RFC3339)
		case "ms":
			msg.timestamp = strconv.FormatInt(now.UnixMilli(), 10)
		default:
			msg.timestamp = strconv.FormatInt(now.Unix(), 10)
		}
		h.Set(s.Timestamp.Header, msg.timestamp)
	}
	if s.ID != "" {
		if h.Get(s.ID) == "" {
			h.Set(s.ID, "made-up-id")
		}
		msg.id = h.Get(s.ID)
	}
	s.name(h)
	if err := s.request(r, &msg); err != nil {
		return err
	}
	h.Set(s.Header, s.Prefix+s.write(key, &msg))
	return nil
}

// write makes the text of a signature.
func (s *scheme) write(secret []byte, m *message) string {
	algorithm, before := s.Algorithm, ""
	switch algorithm {
	case "secret":
		return string(secret)
	case "jws": // in its older way: nobody else has the keys
		algorithm = "hmac-sha256"
	case "hmac":
		algorithm, before = "hmac-sha256", "sha256="
	case "digest":
		algorithm = "digest-sha256"
	}
	_, name, _ := strings.Cut(algorithm, "-")
	sum := s.sum(algorithm, hashes[name], secret, m)
	if s.Encoding == "base64" {
		return before + base64.StdEncoding.EncodeToString(sum)
	}
	return before + hex.EncodeToString(sum)
}

// HookProof is what proves a message to be from the system.
type HookProof struct {
	Headers []string // each of which must be there once, and as it is
	Body    bool     // the body is proven; else whoever knows the secret may write anything
	Time    bool     // and so is the time
	Once    bool     // a repetition is told from another change
	Quiet   bool     // who sends a forgery is not told
}

// HookProof tells what proves the messages of a manifest with webhooks.
func (m *Manifest) HookProof() HookProof {
	s := m.compiled.webhook.scheme
	p := HookProof{Body: s.Algorithm != "secret", Time: s.Timestamp.Header != "", Quiet: s.Quiet}
	p.Once = p.Body || m.Webhook.ID != ""
	p.Headers = slices.DeleteFunc([]string{s.Header, s.Timestamp.Header, s.ID, s.SignedHeaders}, func(name string) bool { return name == "" })
	return p
}
