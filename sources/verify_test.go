package sources

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

func hmacOf(h func() hash.Hash, secret, message string) []byte {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

// hooked is a manifest with a kind whose webhooks have a scheme.
func hooked(scheme string) string {
	return "name: acme\nsecrets: {old: {description: A secret.}}\nkinds: {item: {type: Record, batch: {path: /items, query: {ids: {value: '${ids}', encode: csv}}, records: items, maxIds: 9}, map: {title: record.name}}}\n" +
		"webhook: {scheme: " + scheme + ", changes: [{kind: item, ids: event.ids}]}\n"
}

// verifierOf makes a verifier for a scheme as a manifest writes it.
func verifierOf(t testing.TB, scheme string, at time.Time, secrets ...string) *verifier {
	t.Helper()
	m, err := ParseManifest("acme.yaml", []byte(hooked(scheme)))
	if err != nil {
		t.Fatal(err)
	}
	v := &verifier{scheme: m.compiled.webhook.scheme, now: func() time.Time { return at }}
	for _, s := range secrets {
		b, _ := v.scheme.secretBytes(tutti.NewSecret(s))
		v.secrets = append(v.secrets, b)
	}
	return v
}

const stripe = `{header: X-Acme-Signature, algorithm: hmac-sha512, encoding: base64, prefix: "v2:", signs: "v2:${timestamp}:${body}", timestamp: {header: X-Acme-Time, as: time, window: 1m}}`

// TestSignaturesOfTheVendors: each was made with openssl dgst over {"a":1}, secret "key".
func TestSignaturesOfTheVendors(t *testing.T) {
	at := time.Date(2021, 3, 25, 5, 9, 27, 0, time.UTC)
	for name, c := range map[string]struct {
		scheme string
		header map[string]string
	}{
		"cloudinary by SHA-1":   {"cloudinary", map[string]string{"X-Cld-Timestamp": "1616648967", "X-Cld-Signature": "4326d6078e60f5a0a2ebd6184eb7363ce36d78c7"}},
		"cloudinary by SHA-256": {"cloudinary", map[string]string{"X-Cld-Timestamp": "1616648967", "X-Cld-Signature": "0de0b718fc0be5dc4280f4e8b0b1bef1ec3204f6e9d91982c3ed37ea8d4af7c7"}},
		"zendesk":               {"zendesk", map[string]string{"X-Zendesk-Webhook-Signature-Timestamp": "2021-03-25T05:09:27Z", "X-Zendesk-Webhook-Signature": "QZiIRmYX00zemFBhLNfqmClBa6rGgc5VCCkpe88bY8I="}},
		"contentful": {"contentful", map[string]string{
			"X-Contentful-Signed-Headers": "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic", "X-Contentful-Timestamp": "1616648967000",
			"X-Contentful-Topic": "ContentManagement.Entry.publish", "X-Contentful-Signature": "4ad29dd259ca956cd3f4ac6c7d54e607d36f59c19235f35db6ae0e81186edebf",
		}},
		"hub":                   {"hub", map[string]string{"X-Hub-Signature": "sha256=88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342"}},
		"hub by SHA-1":          {"hub_sha1", map[string]string{"X-Hub-Signature": "sha1=b5557a4b8f3cc308d19eb4f69f336392a31eef7b"}},
		"Meta":                  {"hub_sha256", map[string]string{"X-Hub-Signature-256": "sha256=88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342"}},
		"WebSub by SHA-1":       {"websub", map[string]string{"X-Hub-Signature": "sha1=b5557a4b8f3cc308d19eb4f69f336392a31eef7b"}},
		"WebSub by SHA-256":     {"websub", map[string]string{"X-Hub-Signature": "sha256=88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342"}},
		"WebSub by SHA-384":     {"websub", map[string]string{"X-Hub-Signature": "sha384=ed4b1afbdc7f1bf0cbb9fcaa958faee91476265145b5b3f43686fbb49e2d66823b19e98e3d866a792b7e48447ced0a93"}},
		"WebSub by SHA-512":     {"websub", map[string]string{"X-Hub-Signature": "sha512=dc7d8a6a7926059e98697ef54a65f745d924fc3e13c1176879dcdc84eac480bae377fa06d1ebcc6fab1375cd9bd611a1899694cc4ca7dc0f629d8b8133c5c83d"}},
		"hook":                  {"hook", map[string]string{"X-Hook-Timestamp": "1616648967", "X-Hook-Signature": "sha256=194bf9dd6a509270130031db2125f9cd69cacd705cca544bd1f64623bf112da7"}},
		"shopify":               {"shopify", map[string]string{"X-Shopify-Hmac-Sha256": "iKZ/JLvNrtDmyZdAS7eadDuvRMa6svTCcyjjAJ0i40I="}},
		"bearer":                {"bearer", map[string]string{"Authorization": "Bearer key"}},
		"a header of one's own": {"{like: bearer, header: X-Secret, prefix: 'key:'}", map[string]string{"X-Secret": "key:key"}},
		"without a prefix":      {"{like: bearer, header: X-Secret}", map[string]string{"X-Secret": "key"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			if _, err := verifierOf(t, c.scheme, at, "key").verify(r, []byte(`{"a":1}`)); err != nil {
				t.Error(err)
			}
			if _, err := verifierOf(t, c.scheme, at, "new", "key").verify(r, []byte(`{"a":1}`)); err != nil {
				t.Errorf("with a secret that still counts: %v", err)
			}
			if _, err := verifierOf(t, c.scheme, at, "new").verify(r, []byte(`{"a":1}`)); tutti.CodeOf(err) != tutti.Unauthenticated {
				t.Errorf("with another secret: %v", err)
			}
		})
	}
}

// TestStandardWebhooks: a delivery has the same id when it comes again at another time, and one of
// several signatures must be right.
func TestStandardWebhooks(t *testing.T) {
	at := time.Unix(1614265330, 0)
	v := verifierOf(t, "standard", at, "whsec_MfKQ9r8GKYqUTwjUPD8ILPZIo2LaLaSw")
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	r.Header.Set("webhook-timestamp", "1614265330")
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32))+" v1a,AAAA v1,vYUpvSjY5ulGDkl3leRwnNsaI1bTvDEFcvmXWir28TI=") // made with openssl dgst -mac HMAC
	first, err := v.verify(r, []byte(`{"test": 2432232314}`))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := base64.StdEncoding.DecodeString("MfKQ9r8GKYqUTwjUPD8ILPZIo2LaLaSw")
	r.Header.Set("webhook-timestamp", "1614265390")
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(hmacOf(sha256.New, string(key), `msg_p5jXN8AQM9LWM0D4loKWxJek.1614265390.{"test": 2432232314}`)))
	if again, err := v.verify(r, []byte(`{"test": 2432232314}`)); err != nil || again != first {
		t.Errorf("tried again a minute later: %v, the same %v", err, again == first)
	}
	if _, ok := v.scheme.secretBytes(tutti.NewSecret("whsec_not base64")); ok {
		t.Error("a secret that is not base64 is taken")
	}
}

// keyServer plays a system that publishes keys.
type keyServer struct {
	keys   map[string]*rsa.PrivateKey
	public atomic.Value // []string: the names of those that are published
	asked  atomic.Int32
	down   atomic.Bool
	url    string
}

func newKeyServer(t testing.TB, names ...string) *keyServer {
	t.Helper()
	s := &keyServer{keys: map[string]*rsa.PrivateKey{}}
	for _, n := range names {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		s.keys[n] = key
	}
	s.public.Store(names[:1])
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.answer(w) }))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *keyServer) answer(w http.ResponseWriter) {
	s.asked.Add(1)
	if s.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	var all []map[string]string
	for _, n := range s.public.Load().([]string) {
		p := s.keys[n].PublicKey
		all = append(all, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": n,
			"n": base64.RawURLEncoding.EncodeToString(p.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.E)).Bytes()),
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": all})
}

// sign makes a detached JWS as Saleor does: the payload itself is signed, not its base64 (RFC 7797).
func (s *keyServer) sign(header, key, body string) string {
	protected := base64.RawURLEncoding.EncodeToString([]byte(header))
	sum := sha256.Sum256([]byte(protected + "." + body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.keys[key], crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return protected + ".." + base64.RawURLEncoding.EncodeToString(sig)
}

func saleorHeader(kid string) string {
	return `{"alg":"RS256","b64":false,"crit":["b64"],"kid":"` + kid + `","typ":"JWT"}`
}

func TestSignaturesByPublishedKeys(t *testing.T) {
	server := newKeyServer(t, "one", "two", "three")
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	k := &keys{address: server.url, client: fetch.New(fetch.Config{AllowPrivate: []string{"127.0.0.1"}}), now: func() time.Time { return now }}
	const body = `{"issuedAt":"2026-11-21T12:00:00Z","product":{"id":"UHJvZHVjdDo3Mg=="}}`
	check := func(what, given string, want tutti.Code, calls int32) {
		t.Helper()
		before := server.asked.Load()
		err := k.verify(t.Context(), given, []byte(body))
		if tutti.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if n := server.asked.Load() - before; n != calls {
			t.Errorf("%s: the keys are fetched %d times, want %d", what, n, calls)
		}
	}
	good := server.sign(saleorHeader("one"), "one", body)
	check("the first", good, "", 1)
	check("the second", good, "", 0)
	check("the payload in base64", server.encoded("one", body), "", 0)
	check("without a name", server.sign(`{"alg":"RS256","b64":false,"crit":["b64"]}`, "one", body), "", 0)
	check("by a key that has that name only here", server.sign(saleorHeader("one"), "two", body), tutti.Unauthenticated, 0)
	check("by an unknown key, moments after", server.sign(saleorHeader("two"), "two", body), tutti.Unauthenticated, 0)
	now = now.Add(keysAgain)
	server.public.Store([]string{"one", "two"})
	check("by a new key", server.sign(saleorHeader("two"), "two", body), "", 1)
	check("by the one before", good, "", 0)
	now, server.keys["one"], server.keys["three"] = now.Add(keysAgain), server.keys["three"], server.keys["one"]
	check("by another that has its name now", server.sign(saleorHeader("one"), "one", body), "", 1)
	check("by what had that name", good, tutti.Unauthenticated, 0)
	now, server.keys["one"], server.keys["three"] = now.Add(keysAgain), server.keys["three"], server.keys["one"]
	check("without a name, by another", server.sign(`{"alg":"RS256","b64":false,"crit":["b64"]}`, "one", body), "", 1)
	now = now.Add(keysAgain)
	check("by nobody's key", server.sign(saleorHeader("one"), "three", body), tutti.Unauthenticated, 1)
	check("by nobody's key again", server.sign(saleorHeader("one"), "three", body), tutti.Unauthenticated, 0)
	server.public.Store([]string{"two"})
	now = now.Add(keysFresh)
	check("by one that was withdrawn", good, tutti.Unauthenticated, 1)
	check("by the one that is left", server.sign(saleorHeader("two"), "two", body), "", 0)
	now = now.Add(keysFresh)
	server.down.Store(true)
	check("while the system is down", server.sign(saleorHeader("two"), "two", body), tutti.Unavailable, 1)
	check("and moments after", server.sign(saleorHeader("two"), "two", body), tutti.Unavailable, 0)
	server.down.Store(false)
	now = now.Add(keysAgain)
	check("when it is well again", server.sign(saleorHeader("two"), "two", body), "", 1)
	for what, given := range map[string]string{
		"no algorithm": server.sign(`{"alg":"none","kid":"two"}`, "two", body), "a shared secret": server.sign(`{"alg":"HS256","kid":"two"}`, "two", body),
		"something critical": server.sign(`{"alg":"RS256","kid":"two","crit":["exp"],"exp":1}`, "two", body),
		"not detached":       strings.Replace(server.encoded("two", body), "..", "."+base64.RawURLEncoding.EncodeToString([]byte(body))+".", 1),
		"a key of its own":   server.sign(`{"alg":"RS256","kid":"two","jku":"`+server.url+`/mine"}`, "three", body),
		"nothing":            "", "dots": "..", "spaces": strings.Replace(server.sign(saleorHeader("two"), "two", body), "..", ". .", 1),
	} {
		check(what, given, tutti.Unauthenticated, 0)
	}
}

// encoded signs the base64 of the payload, as RFC 7515 has it.
func (s *keyServer) encoded(key, body string) string {
	header := `{"alg":"RS256","kid":"` + key + `"}`
	whole := s.sign(header, key, base64.RawURLEncoding.EncodeToString([]byte(body)))
	return whole
}

func TestHandshakes(t *testing.T) {
	manifest := hooked("hub_sha256")
	manifest = strings.Replace(manifest, "changes:", "handshake: {type: hub, token: old, topic: 'https://feeds.example/${settings.channel}'}, changes:", 1)
	manifest = strings.Replace(manifest, "secrets:", "settings: {channel: {description: The channel., default: UC1}}\nsecrets:", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 0) }, func(c *config.Source, _ *Deps) {
		c.Webhook.Secret, c.Secrets = tutti.NewSecret("s3cret"), map[string]tutti.Secret{"old": tutti.NewSecret("meet-me")}
	})
	ask := func(method, query string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.Webhook("shop").ServeHTTP(w, httptest.NewRequest(method, "/webhooks/shop?"+query, nil))
		return w
	}
	const good = "hub.mode=subscribe&hub.challenge=%3Cb%3E1158201444&hub.verify_token=meet-me&hub.topic=https://feeds.example/UC1"
	if w := ask(http.MethodGet, good); w.Code != http.StatusOK || w.Body.String() != "<b>1158201444" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("it is answered %d %q %v", w.Code, w.Body, w.Header())
	}
	for what, change := range map[string][2]string{
		"another token": {"meet-me", "meet-you"}, "no token": {"&hub.verify_token=meet-me", ""}, "another topic": {"UC1", "UC2"}, "no topic": {"&hub.topic=https://feeds.example/UC1", ""},
		"no challenge": {"&hub.challenge=%3Cb%3E1158201444", ""}, "unsubscribe": {"subscribe", "unsubscribe"}, "denied": {"subscribe", "denied"},
		"two challenges": {"&hub.topic", "&hub.challenge=2&hub.topic"}, "a line break": {"1158201444", "%0d%0aSet-Cookie:x"}, "too long": {"1158201444", strings.Repeat("1", 2000)},
	} {
		if w := ask(http.MethodGet, strings.Replace(good, change[0], change[1], 1)); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "1158201444") {
			t.Errorf("%s is answered %d %q", what, w.Code, w.Body)
		}
	}
	if w := ask(http.MethodHead, ""); w.Code != http.StatusOK {
		t.Errorf("HEAD is answered %d", w.Code)
	}
	if w := ask(http.MethodPut, ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("PUT is answered %d, allowed %q", w.Code, w.Header().Get("Allow"))
	}
}

// TestAPingChangesNothing: it is answered, if the system sent it, and has no effect.
func TestAPingChangesNothing(t *testing.T) {
	manifest := strings.Replace(hooked("hub_sha1"), "changes:", "handshake: {type: ping, when: event.topic == 'ping'}, changes:", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) { items(w, 0) }, func(c *config.Source, _ *Deps) { c.Webhook.Secret = tutti.NewSecret("s3cret") })
	for secret, want := range map[string]int{"s3cret": http.StatusOK, "another": http.StatusUnauthorized} {
		const body = `{"type": "notification_event", "topic": "ping", "ids": ["a"]}`
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
		r.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(hmacOf(sha1.New, secret, body)))
		h.Webhook("shop").ServeHTTP(w, r)
		if n := len(h.byName["shop"].events.have); w.Code != want || n != 0 {
			t.Errorf("a ping signed with %s is answered %d, %d events", secret, w.Code, n)
		}
	}
	w := httptest.NewRecorder()
	if h.Webhook("shop").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks/shop?hub.challenge=1&hub.mode=subscribe", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a GET is answered %d", w.Code)
	}
}

// TestWhatIsSignedOfARequest: a message is refused that another method, path or header would do for, or that does not name
// what counts among its signed headers.
func TestWhatIsSignedOfARequest(t *testing.T) {
	at := time.Date(2021, 3, 25, 5, 9, 27, 0, time.UTC)
	const names, body = "host,x-contentful-signed-headers,x-contentful-timestamp,x-topic", `{"a":1}`
	message := func(method, target, names string) *http.Request {
		r := httptest.NewRequest(method, target, nil)
		r.Header.Set("X-Contentful-Timestamp", "1616648967000")
		r.Header.Set("X-Contentful-Signed-Headers", names)
		r.Header.Set("X-Topic", " publish ")
		text := "POST\n/webhooks/cms\nhost:example.com;x-contentful-signed-headers:" + names + ";x-contentful-timestamp:1616648967000;x-topic:publish\n" + body
		r.Header.Set("X-Contentful-Signature", hex.EncodeToString(hmacOf(sha256.New, "key", text)))
		return r
	}
	v := verifierOf(t, "contentful", at, "key")
	if _, err := v.verify(message("POST", "/webhooks/cms", names), []byte(body)); err != nil {
		t.Fatal(err)
	}
	other := message("POST", "/webhooks/cms", names)
	other.Header.Set("X-Topic", "unpublish")
	gone := message("POST", "/webhooks/cms", names)
	gone.Header.Del("X-Topic")
	for what, r := range map[string]*http.Request{
		"another method": message("PUT", "/webhooks/cms", names), "another path": message("POST", "/webhooks/crm", names), "a query": message("POST", "/webhooks/cms?x=1", names),
		"another header": other, "without a signed header": gone, "another host": message("POST", "https://other.example/webhooks/cms", names),
		"the time is not signed":    message("POST", "/webhooks/cms", "host,x-contentful-signed-headers,x-topic"),
		"the names are not signed":  message("POST", "/webhooks/cms", "host,x-contentful-timestamp,x-topic"),
		"an empty name":             message("POST", "/webhooks/cms", names+","),
		"more names than there are": message("POST", "/webhooks/cms", names+",x-other"),
	} {
		if _, err := v.verify(r, []byte(body)); tutti.CodeOf(err) != tutti.Unauthenticated {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestStrangersDoNotFillTheLog: what is refused for the same reason is told once in ten seconds, with how often it was.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	var now atomic.Int64
	h := play(t, itemManifest, public, nil, func(c *config.Source, d *Deps) {
		c.Webhook.Secret = tutti.NewSecret(ownSecret)
		d.Now = func() time.Time { return time.Unix(1_800_000_000+now.Load(), 0) }
	})
	post := func(times int) (lines int) {
		for range times {
			h.Webhook("shop").ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader("{}")))
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		lines = strings.Count(h.log.String(), "webhook refused")
		return lines
	}
	if lines := post(100); lines != 1 {
		t.Errorf("a hundred forged messages are %d lines of the log", lines)
	}
	now.Store(10)
	if lines := post(1); lines != 2 || !strings.Contains(h.log.String(), "times=100") {
		t.Errorf("ten seconds later there are %d lines, and the log says\n%s", lines, h.log.String())
	}
}
