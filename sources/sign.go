package sources

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/tuttihq/tutti"
)

// signatures is how each scheme writes its signature, for those who play a system.
var signatures = map[string]func([]byte) string{
	"cloudinary": hex.EncodeToString,
	"hook":       hex.EncodeToString,
	"hub":        hex.EncodeToString,
	"zendesk":    base64.StdEncoding.EncodeToString,
}

// SignHook signs a message as the system would, with a secret that whoever plays it has made up: it
// adds headers. NotFound for a manifest without webhooks and for a scheme that only its system can sign.
func (m *Manifest) SignHook(h http.Header, body []byte, secret tutti.Secret, now time.Time) error {
	if m.Webhook == nil {
		return tutti.Errorf(tutti.NotFound, "signing a message: the connector takes no webhooks")
	}
	s, spell := schemes[m.Webhook.Scheme], signatures[m.Webhook.Scheme]
	if spell == nil {
		return tutti.Errorf(tutti.NotFound, "signing a message: the scheme %s can be signed by its system alone", m.Webhook.Scheme)
	}
	ts := ""
	if s.timestamp != "" {
		if ts = strconv.FormatInt(now.Unix(), 10); s.iso {
			ts = now.UTC().Format(time.RFC3339)
		}
		h.Set(s.timestamp, ts)
	}
	h.Set(s.signature, s.prefix+spell(s.sum(secret.Reveal(), ts, body, 0)))
	return nil
}
