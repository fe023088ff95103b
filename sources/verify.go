package sources

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// scheme is a way of signing webhooks. All of them sign the raw body.
type scheme struct {
	signature string // the header with the signature
	prefix    string // what stands before it there
	timestamp string // the header with the time; "" = the time is not signed
	iso       bool   // the time is RFC 3339; else unix seconds
	window    time.Duration
	sum       func(secret, timestamp string, body []byte, given int) []byte
	decode    func(string) ([]byte, error)
}

// schemes are all that manifests can name.
var schemes = map[string]scheme{
	// A plain digest with the secret at the end: SHA-1, or SHA-256 if the account is set so. The
	// length of what is given tells which.
	"cloudinary": {
		signature: "X-Cld-Signature", timestamp: "X-Cld-Timestamp", window: 2 * time.Hour, decode: hex.DecodeString,
		sum: func(secret, ts string, body []byte, given int) []byte {
			var h hash.Hash = sha1.New()
			if given == sha256.Size {
				h = sha256.New()
			}
			h.Write(body)
			h.Write([]byte(ts + secret))
			return h.Sum(nil)
		},
	},
	"zendesk": {
		signature: "X-Zendesk-Webhook-Signature", timestamp: "X-Zendesk-Webhook-Signature-Timestamp", iso: true, window: 5 * time.Minute,
		decode: base64.StdEncoding.Strict().DecodeString,
		sum:    func(secret, ts string, body []byte, _ int) []byte { return hmac256(secret, []byte(ts), body) },
	},
	// WebSub and Mastodon. No time is signed: a repetition is told by its body alone.
	"hub": {
		signature: "X-Hub-Signature", prefix: "sha256=", decode: hex.DecodeString,
		sum: func(secret, _ string, body []byte, _ int) []byte { return hmac256(secret, body) },
	},
	// Ours, for systems that have none of their own.
	"hook": {
		signature: "X-Hook-Signature", prefix: "sha256=", timestamp: "X-Hook-Timestamp", window: 5 * time.Minute, decode: hex.DecodeString,
		sum: func(secret, ts string, body []byte, _ int) []byte { return hmac256(secret, []byte(ts+"."), body) },
	},
}

func hmac256(secret string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// verify checks a message over its raw body, in constant time. It gives what makes the message
// this one and no other: a digest of everything that is signed.
func (s scheme) verify(h http.Header, body []byte, secret tutti.Secret, now time.Time) (id string, err error) {
	bad := func(why string) (string, error) {
		return "", tutti.Errorf(tutti.Unauthenticated, "verifying a webhook: %s", why)
	}
	if secret.IsZero() {
		return bad("there is no secret to verify it with")
	}
	given := h.Values(s.signature)
	if len(given) != 1 {
		return bad("it has not exactly one signature")
	}
	text, ok := strings.CutPrefix(given[0], s.prefix)
	signature, err := s.decode(text)
	if !ok || err != nil || len(signature) == 0 {
		return bad("its signature has another form")
	}
	ts := ""
	if s.timestamp != "" {
		times := h.Values(s.timestamp)
		if len(times) != 1 {
			return bad("it has not exactly one time")
		}
		ts = times[0]
		at, ok := s.instant(ts)
		if !ok {
			return bad("its time has another form")
		}
		if d := now.Sub(at); d > s.window || d < -s.window {
			return bad("its time is too far from now")
		}
	}
	if subtle.ConstantTimeCompare(s.sum(secret.Reveal(), ts, body, len(signature)), signature) != 1 {
		return bad("its signature is wrong")
	}
	digest := sha256.New()
	digest.Write([]byte(key(ts, string(body))))
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func (s scheme) instant(ts string) (time.Time, bool) {
	if s.iso {
		t, err := time.Parse(time.RFC3339, ts)
		return t, err == nil
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	return time.Unix(n, 0), err == nil && n > 0 && n < 1<<40
}

// compiledWebhook is a WebhookSpec ready to run.
type compiledWebhook struct {
	scheme  scheme
	id      *expression
	changes []compiledChange
}

type compiledChange struct {
	when *expression
	kind string
	ids  *expression // nil = all of the kind
}

func (c *compiler) webhook() *compiledWebhook {
	w := c.m.Webhook
	if w == nil {
		return nil
	}
	out := &compiledWebhook{id: c.optional("webhook.id", w.ID, eventNames)}
	var ok bool
	if out.scheme, ok = schemes[w.Scheme]; !ok {
		c.wrong("webhook.scheme", unknown(w.Scheme), "Write one of "+list(sortedKeys(schemes))+".")
	}
	if _, ok := c.m.Secrets[w.Secret]; w.Secret != "" && !ok {
		c.wrong("webhook.secret", "is no declared secret", "Write one of "+list(sortedKeys(c.m.Secrets))+".")
	}
	if len(w.Changes) == 0 {
		c.wrong("webhook.changes", "is missing", "Write what an event changes, for example:  changes: [{kind: item, ids: event.ids}]")
	}
	for i, ch := range w.Changes {
		at := "webhook.changes." + strconv.Itoa(i)
		if !c.knowsRecord(ch.Kind) {
			c.wrong(at+".kind", "is no kind of the manifest, and no record that one is made of", "")
		}
		out.changes = append(out.changes, compiledChange{when: c.optional(at+".when", ch.When, eventNames), kind: ch.Kind, ids: c.optional(at+".ids", ch.IDs, eventNames)})
	}
	return out
}

// knowsRecord reports whether a change of that kind of record can concern anything.
func (c *compiler) knowsRecord(kind string) bool {
	if _, ok := c.m.Kinds[kind]; ok {
		return true
	}
	for _, k := range c.m.Kinds {
		if k != nil && k.Tags[kind] != "" {
			return true
		}
	}
	return false
}

// Listens reports whether there is what webhooks are verified with.
func (c *manifestConnector) Listens() bool { return c.webhook != nil && !c.hook.IsZero() }

// Changed verifies a webhook and tells what it changes. An event that concerns no kind changes
// nothing. When an id cannot be read, everything of its kind counts as changed.
func (c *manifestConnector) Changed(r *http.Request, body []byte) (Event, error) {
	if !c.Listens() {
		return Event{}, tutti.Errorf(tutti.Unauthenticated, "verifying a webhook: the source takes none")
	}
	id, err := c.webhook.scheme.verify(r.Header, body, c.hook, c.now())
	if err != nil {
		return Event{}, err
	}
	if !json.Valid(body) {
		return Event{}, tutti.Errorf(tutti.BadRequest, "reading a webhook: it is no JSON")
	}
	message, err := decodeObject(body)
	if err != nil {
		return Event{}, tutti.Errorf(tutti.BadRequest, "reading a webhook: it is no JSON object")
	}
	vars := map[string]any{"event": message, "settings": c.settings}
	e := Event{ID: id}
	if c.webhook.id != nil {
		if v, ok, err := c.webhook.id.eval(vars); ok && err == nil {
			if own, isText := toText(v); isText && own != "" {
				sum := sha256.Sum256([]byte(own))
				e.ID = "id:" + hex.EncodeToString(sum[:])
			}
		}
	}
	for _, ch := range c.webhook.changes {
		if ch.when != nil && !ch.when.truth(vars) {
			continue
		}
		change := Change{Kind: ch.kind}
		if ch.ids != nil {
			if v, ok, err := ch.ids.eval(vars); ok && err == nil {
				if ids, isTexts := toTexts(v); isTexts {
					change.IDs = ids
				}
			}
		}
		e.Changes = append(e.Changes, change)
	}
	return e, nil
}
