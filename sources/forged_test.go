package sources

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// sent is a message as it goes over the wire.
type sent struct {
	path   string // after /webhooks/shop
	header http.Header
	body   string
}

func (m sent) with(header, value string) sent {
	h := m.header.Clone()
	if value == "" {
		h.Del(header)
	} else {
		h.Set(header, value)
	}
	return sent{m.path, h, m.body}
}

func (m sent) saying(body string) sent { return sent{m.path, m.header, body} }

const (
	ownSecret   = "a-secret-of-this-source"
	otherSecret = "a-secret-of-some-other1"
)

// sender signs by one scheme, written anew here: how a sender does it.
type sender struct {
	scheme    string // as a manifest writes it
	signature string // the header with it; "" = the address holds the secret
	time, id  string // headers that are signed too
	bare      bool   // the secret itself is sent: nothing proves the body
	sign      func(secret, body string, at time.Time) sent
}

func headers(pairs ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func senders(server *keyServer) []sender {
	unix := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	sum := func(h func() []byte) string { return hex.EncodeToString(h()) }
	digest := func(text string) string { return sum(func() []byte { s := sha1.Sum([]byte(text)); return s[:] }) }
	return []sender{
		{scheme: "hook", signature: "X-Hook-Signature", time: "X-Hook-Timestamp", sign: func(secret, body string, at time.Time) sent {
			return sent{"", headers("X-Hook-Timestamp", unix(at), "X-Hook-Signature", "sha256="+hex.EncodeToString(hmacOf(sha256.New, secret, unix(at)+"."+body))), body}
		}},
		{scheme: "standard", signature: "Webhook-Signature", time: "Webhook-Timestamp", id: "Webhook-Id", sign: func(secret, body string, at time.Time) sent {
			key, _ := base64.StdEncoding.DecodeString(secret)
			return sent{"", headers("Webhook-Id", "msg_1", "Webhook-Timestamp", unix(at), "Webhook-Signature", "v1,"+b64(hmacOf(sha256.New, string(key), "msg_1."+unix(at)+"."+body))), body}
		}},
		{scheme: "cloudinary", signature: "X-Cld-Signature", time: "X-Cld-Timestamp", sign: func(secret, body string, at time.Time) sent {
			return sent{"", headers("X-Cld-Timestamp", unix(at), "X-Cld-Signature", digest(body+unix(at)+secret)), body}
		}},
		{scheme: "zendesk", signature: "X-Zendesk-Webhook-Signature", time: "X-Zendesk-Webhook-Signature-Timestamp", sign: func(secret, body string, at time.Time) sent {
			ts := at.UTC().Format(time.RFC3339)
			return sent{"", headers("X-Zendesk-Webhook-Signature-Timestamp", ts, "X-Zendesk-Webhook-Signature", b64(hmacOf(sha256.New, secret, ts+body))), body}
		}},
		{scheme: "shopify", signature: "X-Shopify-Hmac-Sha256", sign: func(secret, body string, at time.Time) sent {
			return sent{"", headers("X-Shopify-Webhook-Id", "b54557e4", "X-Shopify-Hmac-Sha256", b64(hmacOf(sha256.New, secret, body))), body}
		}},
		{scheme: "contentful", signature: "X-Contentful-Signature", time: "X-Contentful-Timestamp", sign: func(secret, body string, at time.Time) sent {
			const names = "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic"
			ms := strconv.FormatInt(at.UnixMilli(), 10)
			signed := "POST\n/webhooks/shop\nx-contentful-signed-headers:" + names + ";x-contentful-timestamp:" + ms + ";x-contentful-topic:ContentManagement.Entry.publish\n" + body
			return sent{"", headers("X-Contentful-Signed-Headers", names, "X-Contentful-Timestamp", ms, "X-Contentful-Topic", "ContentManagement.Entry.publish", "X-Contentful-Signature", hex.EncodeToString(hmacOf(sha256.New, secret, signed))), body}
		}},
		{scheme: "hub", signature: "X-Hub-Signature", sign: func(secret, body string, _ time.Time) sent {
			return sent{"", headers("X-Hub-Signature", "sha256="+hex.EncodeToString(hmacOf(sha256.New, secret, body))), body}
		}},
		{scheme: "hub_sha1", signature: "X-Hub-Signature", sign: func(secret, body string, _ time.Time) sent {
			return sent{"", headers("X-Hub-Signature", "sha1="+hex.EncodeToString(hmacOf(sha1.New, secret, body))), body}
		}},
		{scheme: "hub_sha256", signature: "X-Hub-Signature-256", sign: func(secret, body string, _ time.Time) sent {
			return sent{"", headers("X-Hub-Signature-256", "sha256="+hex.EncodeToString(hmacOf(sha256.New, secret, body))), body}
		}},
		{scheme: "websub", signature: "X-Hub-Signature", sign: func(secret, body string, _ time.Time) sent {
			return sent{"", headers("X-Hub-Signature", "sha512="+hex.EncodeToString(hmacOf(sha512.New, secret, body))), body}
		}},
		{scheme: stripe, signature: "X-Acme-Signature", time: "X-Acme-Time", sign: func(secret, body string, at time.Time) sent {
			ts := at.UTC().Format(time.RFC3339)
			return sent{"", headers("X-Acme-Time", ts, "X-Acme-Signature", "v2:"+b64(hmacOf(sha512.New, secret, "v2:"+ts+":"+body))), body}
		}},
		{scheme: "saleor", signature: "Saleor-Signature", sign: func(secret, body string, _ time.Time) sent {
			key := "one" // published; the other is not
			if secret != ownSecret {
				key = "two"
			}
			return sent{"", headers("Saleor-Signature", server.sign(saleorHeader("one"), key, body)), body}
		}},
		{scheme: "{like: saleor, keys: /.well-known/jwks.json}", signature: "Saleor-Signature", sign: func(secret, body string, _ time.Time) sent { // its older way
			return sent{"", headers("Saleor-Signature", hex.EncodeToString(hmacOf(sha256.New, secret, body))), body}
		}},
		{scheme: "bearer", signature: "Authorization", bare: true, sign: func(secret, body string, _ time.Time) sent {
			return sent{"", headers("Authorization", "Bearer "+secret), body}
		}},
		{scheme: "path", bare: true, sign: func(secret, body string, _ time.Time) sent {
			return sent{"/" + secret, headers(), body}
		}},
	}
}

// tampered are forgeries of a message, made anew for each n.
func (s sender) tampered(n int, secret, other string, at time.Time) map[string]sent {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	body := fmt.Sprintf(`{"event": "item.updated", "ids": ["i%d"], "at": %d, "name": "Tulpe & Söhne"}`, n, n)
	real := s.sign(secret, body, at)
	all := map[string]sent{"with another secret": s.sign(other, body, at), "with a secret of one letter": s.sign("a", body, at)}
	if s.signature == "" {
		all["without the secret"] = sent{"", real.header, body}
		all["with a bit of the secret flipped"] = sent{"/" + url.PathEscape(flipBit(r, secret)), real.header, body}
		all["with the secret and more"] = sent{real.path + "x", real.header, body}
		all["with a part of the secret"] = sent{real.path[:len(real.path)-1-n%8], real.header, body}
		return all
	}
	given := real.header.Get(s.signature)
	all["without a signature"] = real.with(s.signature, "")
	all["with two signatures"] = sent{"", with2(real.header, s.signature, given), body}
	all["with a wrong and a right signature"] = sent{"", with2(real.with(s.signature, s.sign(other, body, at).header.Get(s.signature)).header, s.signature, given), body}
	all["with a part of the signature"] = real.with(s.signature, given[:len(given)-1-r.IntN(len(given)-10)])
	all["with the signature and more"] = real.with(s.signature, given+"00")
	all["with a bit of the signature flipped"] = real.with(s.signature, flipSignature(r, given))
	if s.bare {
		return all
	}
	all["with a bit of the body flipped"] = real.saying(flipBit(r, body))
	all["with another body"] = real.saying(strings.Replace(body, "i", "j", 1))
	all["with the JSON written anew"] = real.saying(reencoded(body))
	all["with a space behind"] = real.saying(body + " ")
	all["without a body"] = real.saying("")
	for _, name := range []string{s.time, s.id} {
		if name == "" {
			continue
		}
		all["without "+name] = real.with(name, "")
		all["with two of "+name] = sent{"", with2(real.header, name, real.header.Get(name)), body}
		all["with another "+name] = real.with(name, flipDigit(r, real.header.Get(name)))
	}
	if s.time != "" {
		all["of the past"] = s.sign(secret, body, at.Add(-3*time.Hour-time.Duration(n)*time.Hour))
		all["of the future"] = s.sign(secret, body, at.Add(3*time.Hour+time.Duration(n)*time.Hour))
	}
	return all
}

func with2(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h.Add(name, value)
	return h
}

// flipBit changes one bit.
func flipBit(r *rand.Rand, s string) string {
	b := []byte(s)
	b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	return string(b)
}

// flipSignature changes one character to another that may stand there, and means something else.
func flipSignature(r *rand.Rand, s string) string {
	const hexes, others = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for {
		b := []byte(s)
		i := r.IntN(len(b) - 2) // the last of base64 may hold bits that count for nothing
		from := hexes
		if strings.IndexByte(hexes, b[i]) < 0 {
			from = others
		}
		if was := b[i]; was != '=' && was != '.' {
			if b[i] = from[r.IntN(len(from))]; b[i]|0x20 != was|0x20 {
				return string(b)
			}
		}
	}
}

func flipDigit(r *rand.Rand, s string) string {
	b := []byte(s)
	for {
		if i := r.IntN(len(b)); b[i] >= '0' && b[i] <= '9' {
			b[i] = '0' + (b[i]-'0'+1+byte(r.IntN(9)))%10
			return string(b)
		}
	}
}

func reencoded(body string) string {
	var v any
	_ = json.Unmarshal([]byte(body), &v)
	b, _ := json.Marshal(v)
	return string(b)
}

// mail is a source that takes messages of a scheme over HTTP, and what it notes.
type mail struct {
	*testHouse
	url    string
	client *http.Client
	noted  atomic.Int32
	tries  atomic.Int32
	secret string
}

func newMail(t *testing.T, s sender, server *keyServer, secret string) *mail {
	t.Helper()
	m := &mail{secret: secret}
	seen := map[string]bool{}
	var mu sync.Mutex
	m.testHouse = play(t, hooked(s.scheme), public, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/jwks.json" {
			server.answer(w)
			return
		}
		items(w, 1, asked(r)...)
	}, func(c *config.Source, d *Deps) {
		if s.scheme != "saleor" {
			c.Webhook.Secret = tutti.NewSecret(secret)
		}
		d.Seen = func(_ context.Context, source, id string, _ []string, _ time.Duration) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			m.tries.Add(1)
			if seen[source+id] {
				return false, nil
			}
			seen[source+id] = true
			m.noted.Add(1)
			return true, nil
		}
	})
	mux := http.NewServeMux() // as the server has it
	hook := m.Webhook("shop")
	mux.Handle("/webhooks/{source}", hook)
	mux.Handle("/webhooks/{source}/{secret}", hook)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	m.url, m.client = srv.URL+"/webhooks/shop", srv.Client()
	return m
}

func (m *mail) post(t *testing.T, s sent) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, m.url+s.path, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = s.header
	res, err := m.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// secretsOf are one that counts and one that does not, as the scheme writes them.
func (s sender) secretsOf() (own, other string) {
	if s.scheme == "standard" {
		return b64([]byte(ownSecret)), b64([]byte(otherSecret))
	}
	return ownSecret, otherSecret
}

// TestForgedWebhooks sends ten thousand forged messages, of every scheme, over HTTP: none is taken.
func TestForgedWebhooks(t *testing.T) {
	server := newKeyServer(t, "one", "two")
	all := senders(server)
	covered := map[string]bool{}
	var forgeries atomic.Int32
	t.Run("of", func(t *testing.T) {
		for _, s := range all {
			covered[s.scheme] = true
			t.Run(s.scheme, func(t *testing.T) {
				t.Parallel()
				own, other := s.secretsOf()
				m := newMail(t, s, server, own)
				now := time.Now()
				refused := func(what string, f sent) {
					status := m.post(t, f)
					forgeries.Add(1)
					if status < 400 && !(s.scheme == "websub" && status == http.StatusAccepted) || m.tries.Load() > 0 {
						t.Fatalf("a message %s is answered %d, %d noted: %v %.80s", what, status, m.tries.Load(), f.header, f.body)
					}
				}
				for n, count := 0, 0; count < 10_000/len(all); n++ {
					for what, f := range s.tampered(n, own, other, now) {
						refused(what, f)
						count++
					}
				}
				for range 3 {
					refused("of more than 1 MB", s.sign(own, `{"ids":["`+strings.Repeat("x", 1<<20)+`"]}`, now))
				}
				if status := m.post(t, s.sign(own, `{"ids":["a"]}`, now)); status != http.StatusAccepted || m.noted.Load() != 1 {
					t.Errorf("a real message is answered %d, %d noted", status, m.noted.Load())
				}
			})
		}
	})
	if n := forgeries.Load(); n < 10_000 {
		t.Errorf("only %d were forged", n)
	}
	for name := range schemes {
		if !covered[name] {
			t.Errorf("nobody forges messages of the scheme %s: add how it signs to senders", name)
		}
	}
}

// TestAReplayHasOneEffect: a message that comes fifty times at once, and again with other headers that nobody
// signed, has one effect.
func TestAReplayHasOneEffect(t *testing.T) {
	server := newKeyServer(t, "one", "two")
	for _, s := range senders(server) {
		t.Run(s.scheme, func(t *testing.T) {
			own, _ := s.secretsOf()
			m := newMail(t, s, server, own)
			m.Get(t.Context(), refs("a"), tutti.Scope{})
			before := m.calls()
			real := s.sign(own, `{"ids":["a"]}`, time.Now())
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					again := real
					if i%2 == 1 {
						again = real.with("X-Shopify-Webhook-Id", strconv.Itoa(i)).with("X-Delivery", strconv.Itoa(i))
					}
					if status := m.post(t, again); status != http.StatusAccepted {
						t.Errorf("it is answered %d", status)
					}
				})
			}
			wg.Wait()
			if m.noted.Load() != 1 || m.tries.Load() != 50 {
				t.Errorf("of %d messages %d count, want one", m.tries.Load(), m.noted.Load())
			}
			m.Get(t.Context(), refs("a"), tutti.Scope{})
			m.post(t, real)
			got := m.Get(t.Context(), refs("a"), tutti.Scope{})
			if n := len(slices.DeleteFunc(slices.Clone(m.asked[before:]), func(uri string) bool { return !strings.HasPrefix(uri, "/items") })); n != 1 || !got[0].Cached {
				t.Errorf("the item was read %d times more, want once", n)
			}
		})
	}
}

// TestAMessageWithoutItsIDIsRefused: by the rest of it, a second change could look like a repetition.
func TestAMessageWithoutItsIDIsRefused(t *testing.T) {
	manifest := strings.Replace(hooked("hub"), "changes:", "id: '[event.at, event.?of.orValue(\"\")]', changes:", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 0) }, func(c *config.Source, _ *Deps) { c.Webhook.Secret = tutti.NewSecret(ownSecret) })
	for _, c := range []struct {
		body string
		want int
		had  int // events so far
	}{
		{`{"ids": ["a"], "of": "x"}`, http.StatusBadRequest, 0},
		{`{"at": 1, "ids": ["a"]}`, http.StatusAccepted, 1},
		{`{"at": 1, "ids": ["a"], "try": 2}`, http.StatusAccepted, 1},
		{`{"at": 1, "of": "x", "ids": ["a"]}`, http.StatusAccepted, 2},
		{`{"at": "1", "of": "x", "ids": ["a"]}`, http.StatusAccepted, 2},
		{`{"at": {"x": 1}, "ids": []}`, http.StatusBadRequest, 2},
	} {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(c.body))
		r.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(hmacOf(sha256.New, ownSecret, c.body)))
		w := httptest.NewRecorder()
		h.Webhook("shop").ServeHTTP(w, r)
		if n := len(h.byName["shop"].events.have); w.Code != c.want || n != c.had {
			t.Errorf("%s is answered %d, %d events; want %d, %d", c.body, w.Code, n, c.want, c.had)
		}
	}
}
