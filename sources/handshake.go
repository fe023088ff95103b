package sources

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// HandshakeSpec says how the system asks whether an address takes its messages.
type HandshakeSpec struct {
	Type  string `yaml:"type"`  // hub: a GET with a challenge, which is sent back; ping: a signed message that changes nothing.
	Token string `yaml:"token"` // Of hub: the declared secret that the GET must bring as hub.verify_token.
	Topic string `yaml:"topic"` // Of hub: the topic that the GET must name as hub.topic, with ${settings…}.
	When  string `yaml:"when"`  // Of ping: CEL over event.
}

type compiledHandshake struct {
	token string // the name of a secret
	topic *template
	when  *expression
}

var handshakes = []string{"hub", "ping"}

const mostChallenge = 1 << 10

func (c *compiler) handshake(h *HandshakeSpec) *compiledHandshake {
	if h == nil {
		return nil
	}
	out := &compiledHandshake{token: h.Token, when: c.optional("webhook.handshake.when", h.When, eventNames)}
	switch h.Type {
	case "hub":
		if h.Token == "" && h.Topic == "" || h.When != "" {
			c.wrong("webhook.handshake", "needs a token or a topic, and nothing else, or anybody could subscribe us", "Write, for example:  token: verifyToken  (a declared secret)")
		}
	case "ping":
		if h.When == "" || h.Token != "" || h.Topic != "" {
			c.wrong("webhook.handshake", "needs when, and nothing else", "Write, for example:  when: event.topic == 'ping'")
		}
	default:
		c.wrong("webhook.handshake.type", unknown(h.Type), oneOf(h.Type, handshakes))
	}
	if _, ok := c.m.Secrets[h.Token]; h.Token != "" && !ok {
		c.wrong("webhook.handshake.token", "is no declared secret", declareOr("secrets", h.Token, sortedKeys(c.m.Secrets)))
	}
	if h.Topic != "" {
		out.topic = c.template("webhook.handshake.topic", h.Topic, settingNames)
	}
	return out
}

// handshake is what a source answers handshakes with.
type handshake struct {
	token tutti.Secret // zero = none is asked for, or none is set
	asks  bool         // for a token
	topic string       // "" = any
	open  bool         // a topic is asked for, and one is set
}

// shakes makes a source's handshake; nil when the system makes none by GET.
func (c *manifestConnector) shakes(cfg config.Source) *handshake {
	if c.webhook == nil || c.webhook.handshake == nil || c.webhook.handshake.when != nil {
		return nil
	}
	h := c.webhook.handshake
	out := &handshake{token: cfg.Secrets[h.token], asks: h.token != "", open: true}
	if h.topic != nil {
		out.topic, out.open, _ = h.topic.render(map[string]any{"settings": c.settings}, nil)
	}
	return out
}

// Greets reports whether the system makes a handshake by GET.
func (c *manifestConnector) Greets() bool { return c.greeting != nil }

// Challenge answers a handshake by GET: it gives what has to be sent back. False when the request is none
// that we expect.
func (c *manifestConnector) Challenge(r *http.Request) (string, bool) {
	h, q := c.greeting, r.URL.Query()
	if h == nil {
		return "", false
	}
	only := func(name string) string {
		if len(q[name]) != 1 {
			return ""
		}
		return q[name][0]
	}
	challenge := only("hub.challenge")
	if only("hub.mode") != "subscribe" || challenge == "" || len(challenge) > mostChallenge || !printable(challenge) {
		return "", false
	}
	if h.asks && !sameSecret(only("hub.verify_token"), h.token) {
		return "", false
	}
	return challenge, h.open && (h.topic == "" || only("hub.topic") == h.topic)
}

// sameSecret takes as long whatever is given. No secret is like none.
func sameSecret(given string, secret tutti.Secret) bool {
	have, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret.Reveal()))
	return subtle.ConstantTimeCompare(have[:], want[:]) == 1 && !secret.IsZero()
}

// greet answers a request that asks whether this address takes a source's messages.
func (s *Source) greet(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return // it does
	}
	l, ok := s.conn.(interface {
		Greets() bool
		Challenge(r *http.Request) (string, bool)
	})
	if !ok || !l.Greets() {
		methodNotAllowed(w)
		return
	}
	challenge, ok := l.Challenge(r)
	if !ok {
		s.log.Warn("webhook handshake refused", "source", s.name)
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	s.log.Info("webhook handshake answered", "source", s.name)
	h := w.Header() // it is text that somebody else wrote
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, challenge)
}

func methodNotAllowed(w http.ResponseWriter) {
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, "Webhooks are posted.", http.StatusMethodNotAllowed)
}
