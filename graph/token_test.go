package graph

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
)

const shared = "0123456789abcdef0123456789abcdef"

func claims(change map[string]any) jwt.MapClaims {
	m := jwt.MapClaims{"iss": "https://login.example", "aud": []string{"tutti"}, "sub": "guest-7", "exp": noon.Add(time.Hour).Unix(), "tier": "gold"}
	for k, v := range change {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	return m
}

func sign(t *testing.T, method jwt.SigningMethod, kid string, key any, m jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, m)
	if kid != "" {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sharedVerifier(t *testing.T) *TokenVerifier {
	t.Helper()
	v, err := NewTokenVerifier(TokenConfig{Issuer: "https://login.example", Audience: "tutti", Secret: tutti.NewSecret(shared), Leeway: 30 * time.Second, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTokens checks what both kinds of verification have in common.
func TestTokens(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := newKeySet(t, map[string]crypto.Signer{"one": rsaKey})
	for _, c := range []struct {
		name   string
		verify *TokenVerifier
		sign   func(jwt.MapClaims) string
	}{
		{"HS256", sharedVerifier(t), func(m jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, "", []byte(shared), m) }},
		{"JWKS", set.verifier, func(m jwt.MapClaims) string { return sign(t, jwt.SigningMethodRS256, "one", rsaKey, m) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			visitor, got, err := c.verify.Verify(t.Context(), c.sign(claims(map[string]any{"loyalty": 9007199254740993})))
			if err != nil || visitor != "guest-7" || got["tier"] != "gold" || got["loyalty"] != json.Number("9007199254740993") {
				t.Fatalf("a good token: %s %v %v", visitor, got, err)
			}
			for name, change := range map[string]map[string]any{
				"another issuer": {"iss": "https://evil.example"}, "no issuer": {"iss": nil}, "another audience": {"aud": "shop"}, "no audience": {"aud": nil},
				"expired": {"exp": noon.Add(-31 * time.Second).Unix()}, "no expiry": {"exp": nil}, "an expiry in words": {"exp": "tomorrow"},
				"not yet": {"nbf": noon.Add(31 * time.Second).Unix()}, "no visitor": {"sub": nil}, "an empty visitor": {"sub": ""}, "a number as visitor": {"sub": 7},
				"a control character": {"sub": "a\x00b"},
			} {
				if _, _, err := c.verify.Verify(t.Context(), c.sign(claims(change))); !errors.Is(err, tutti.Unauthenticated) {
					t.Errorf("%s: %v", name, err)
				}
			}
			for name, change := range map[string]map[string]any{
				"expired within the leeway": {"exp": noon.Add(-29 * time.Second).Unix()}, "valid within the leeway": {"nbf": noon.Add(29 * time.Second).Unix()}, "one audience": {"aud": "tutti"},
			} {
				if _, _, err := c.verify.Verify(t.Context(), c.sign(claims(change))); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			good := c.sign(claims(nil))
			parts := strings.Split(good, ".")
			forged := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.example","aud":"tutti","sub":"guest-8","exp":9999999999}`))
			for name, token := range map[string]string{
				"empty": "", "one part": parts[0], "no signature": parts[0] + "." + parts[1] + ".", "another body": parts[0] + "." + forged + "." + parts[2], "too long": good + strings.Repeat("A", 8<<10),
				"alg none": sign(t, jwt.SigningMethodNone, "one", jwt.UnsafeAllowNoneSignatureType, claims(nil)), "HS512": sign(t, jwt.SigningMethodHS512, "one", []byte(shared), claims(nil)),
			} {
				if _, _, err := c.verify.Verify(t.Context(), token); !errors.Is(err, tutti.Unauthenticated) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	t.Run("a public key as a shared secret", func(t *testing.T) {
		der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		for _, secret := range [][]byte{text, der, rsaKey.N.Bytes()} {
			if _, _, err := set.verifier.Verify(t.Context(), sign(t, jwt.SigningMethodHS256, "one", secret, claims(nil))); !errors.Is(err, tutti.Unauthenticated) {
				t.Errorf("RS256 taken for HS256: %v", err)
			}
		}
		if _, _, err := sharedVerifier(t).Verify(t.Context(), sign(t, jwt.SigningMethodRS256, "one", rsaKey, claims(nil))); !errors.Is(err, tutti.Unauthenticated) {
			t.Errorf("HS256 taken for RS256: %v", err)
		}
	})
	t.Run("an algorithm that is not listed", func(t *testing.T) {
		if _, _, err := set.verifier.Verify(t.Context(), sign(t, jwt.SigningMethodPS512, "one", rsaKey, claims(nil))); !errors.Is(err, tutti.Unauthenticated) {
			t.Errorf("%v", err)
		}
	})
}

// keySet serves a JWKS and counts who asks.
type servedKeys struct {
	verifier *TokenVerifier
	asked    atomic.Int32
	keys     atomic.Pointer[[]byte]
	status   atomic.Int32
	now      atomic.Int64 // seconds after noon
}

func (s *servedKeys) serve(t *testing.T, signers map[string]crypto.Signer) {
	var keys []map[string]string
	b64 := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	for kid, signer := range signers {
		switch k := signer.Public().(type) {
		case *rsa.PublicKey:
			keys = append(keys, map[string]string{"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": b64(k.N), "e": b64(big.NewInt(int64(k.E)))})
		case *ecdsa.PublicKey:
			pub, err := k.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			enc := base64.RawURLEncoding
			keys = append(keys, map[string]string{"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": enc.EncodeToString(pub[1:33]), "y": enc.EncodeToString(pub[33:])})
		}
	}
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	s.keys.Store(&b)
}

func newKeySet(t *testing.T, signers map[string]crypto.Signer) *servedKeys {
	t.Helper()
	s := &servedKeys{}
	s.status.Store(200)
	s.serve(t, signers)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		w.WriteHeader(int(s.status.Load()))
		_, _ = w.Write(*s.keys.Load())
	}))
	t.Cleanup(server.Close)
	v, err := NewTokenVerifier(TokenConfig{
		Issuer: "https://login.example", Audience: "tutti", JWKS: server.URL, Client: server.Client(), Leeway: 30 * time.Second,
		Now: func() time.Time { return noon.Add(time.Duration(s.now.Load()) * time.Second) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.verifier = v
	return s
}

func TestKeySetsRotate(t *testing.T) {
	one, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	two, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newKeySet(t, map[string]crypto.Signer{"one": one})
	verify := func(kid string, key crypto.Signer) error {
		_, _, err := s.verifier.Verify(context.Background(), sign(t, jwt.SigningMethodES256, kid, key, claims(nil)))
		return err
	}
	// settled verifies until the result is as wanted: the library wakes its callers a moment before
	// it puts the answer in the place of the one before.
	settled := func(kid string, key crypto.Signer, fails bool) (err error) {
		for range 10000 {
			if err = verify(kid, key); (err != nil) == fails {
				break
			}
			runtime.Gosched()
		}
		return err
	}
	if err := verify("one", one); err != nil {
		t.Fatal(err)
	}
	for range 20 { // anybody can make up key ids
		if err := verify("made-up", two); !errors.Is(err, tutti.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the key set was asked for %d times", n)
	}
	s.serve(t, map[string]crypto.Signer{"two": two})
	s.now.Add(30)
	if err := settled("two", two, false); err != nil {
		t.Errorf("a new key: %v", err)
	}
	if err := settled("one", one, true); err == nil {
		t.Error("a key that was taken back still counts")
	}
	if n := s.asked.Load(); n != 2 {
		t.Errorf("the key set was asked for %d times", n)
	}
	s.status.Store(500)
	s.now.Add(30)
	if err := settled("two", two, false); err != nil {
		t.Errorf("a known key while the key set is gone: %v", err)
	}
}

func TestTokenConfigs(t *testing.T) {
	for name, c := range map[string]TokenConfig{
		"no issuer":      {Audience: "a", Secret: tutti.NewSecret(shared)},
		"no audience":    {Issuer: "i", Secret: tutti.NewSecret(shared)},
		"neither":        {Issuer: "i", Audience: "a"},
		"both":           {Issuer: "i", Audience: "a", Secret: tutti.NewSecret(shared), JWKS: "https://x.example", Client: http.DefaultClient},
		"a short secret": {Issuer: "i", Audience: "a", Secret: tutti.NewSecret("secret")},
		"no client":      {Issuer: "i", Audience: "a", JWKS: "https://x.example"},
		"HS256 by JWKS":  {Issuer: "i", Audience: "a", JWKS: "https://x.example", Client: http.DefaultClient, Algorithms: []string{"HS256"}},
		"none":           {Issuer: "i", Audience: "a", JWKS: "https://x.example", Client: http.DefaultClient, Algorithms: []string{"none"}},
	} {
		if _, err := NewTokenVerifier(c); !errors.Is(err, tutti.Invalid) || strings.Contains(err.Error(), shared) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVisitorTokensInRequests(t *testing.T) {
	h := newHouse(t, func(c *GenerationConfig) { c.Visitors = sharedVerifier(t) })
	token := func(change map[string]any) string {
		return sign(t, jwt.SigningMethodHS256, "", []byte(shared), claims(change))
	}
	t.Run("proves a visitor to a browser key", func(t *testing.T) {
		a := h.ask(tutti.BrowserKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": map[string]any{"visits": 2}}}, VisitorHeader, token(nil))
		if a.code() != "" || h.resolver.context.Visitor != "guest-7" || h.resolver.context.Attributes["tier"] != "gold" || h.resolver.context.Attributes["visits"] != int64(2) || h.resolver.viewer.Claims["sub"] != "guest-7" {
			t.Errorf("%s %+v", a.body, h.resolver.context)
		}
	})
	t.Run("says less than the server", func(t *testing.T) {
		h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"attributes": map[string]any{"tier": "silver"}}}, VisitorHeader, token(nil))
		if h.resolver.context.Attributes["tier"] != "silver" {
			t.Errorf("%+v", h.resolver.context)
		}
	})
	t.Run("names another visitor than the server", func(t *testing.T) {
		a := h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"visitor": "guest-8"}}, VisitorHeader, token(nil))
		h.wantCode(a, 200, tutti.InvalidValue)
	})
	t.Run("has a claim that does not fit", func(t *testing.T) {
		a := h.ask(tutti.BrowserKey, experienceQuery, nil, VisitorHeader, token(map[string]any{"tier": "platinum"}))
		p := h.resolver.problems
		if _, known := h.resolver.context.Attributes["tier"]; a.code() != "" || known || len(p) != 1 || p[0].Code != tutti.InvalidValue || strings.Contains(p[0].Message, "platinum") {
			t.Errorf("%s %+v", a.body, p)
		}
	})
	t.Run("is bad", func(t *testing.T) {
		h.resolver.calls = 0
		expired := h.ask(tutti.BrowserKey, "{ locales }", nil, VisitorHeader, token(map[string]any{"exp": 1}), RequestIDHeader, "the-same-request")
		garbage := h.ask(tutti.BrowserKey, "{ locales }", nil, VisitorHeader, "garbage", RequestIDHeader, "the-same-request")
		h.wantCode(expired, 401, tutti.Unauthenticated)
		if expired.body != garbage.body {
			t.Errorf("the answers tell which: %s %s", expired.body, garbage.body)
		}
		if h.resolver.calls != 0 {
			t.Error("a resolver was called")
		}
	})
	t.Run("cannot give what needs a server", func(t *testing.T) {
		h2 := newHouse(t, func(c *GenerationConfig) {
			c.Visitors = sharedVerifier(t)
			c.Attributes = []tutti.Attribute{{Name: "vip", Type: tutti.BoolType, Trust: tutti.TrustServer, Claim: "vip"}}
		})
		a := h2.ask(tutti.BrowserKey, experienceQuery, nil, VisitorHeader, token(map[string]any{"vip": true}))
		if _, known := h2.resolver.context.Attributes["vip"]; known || a.code() != "" {
			t.Errorf("%s %+v", a.body, h2.resolver.context)
		}
	})
	t.Run("where none are set up", func(t *testing.T) {
		h2 := newHouse(t)
		h2.wantCode(h2.ask(tutti.BrowserKey, "{ locales }", nil, VisitorHeader, token(nil)), 401, tutti.Unauthenticated)
	})
}
