package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// hookBody is what systems without webhooks of their own post by a small plugin.
type hookBody struct {
	Event string   `json:"event"`
	IDs   []string `json:"ids"`
	At    string   `json:"at"`
}

// signHook signs by the generic scheme: X-Hook-Signature is sha256= and the HMAC of the
// timestamp, a dot and the body.
func signHook(h http.Header, secret string, body []byte, now time.Time) {
	ts := strconv.FormatInt(now.Unix(), 10)
	h.Set("X-Hook-Timestamp", ts)
	h.Set("X-Hook-Signature", "sha256="+hmacHex(secret, ts+"."+string(body)))
}

func hmacSum(secret, message string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(message))
	return m.Sum(nil)
}

func hmacHex(secret, message string) string { return hex.EncodeToString(hmacSum(secret, message)) }

// with gives the fields and one more.
func with(fields record, name string, value any) record {
	out := maps.Clone(fields)
	out[name] = value
	return out
}

func shaHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
